import type { Requirement } from '../fast/requirement.ts';
import { type ByteSet, emptySet, hasByte } from './byte-set.ts';

/** Pairs of parts that are compared to leave out what others imply; longer lists stay as they are. */
const maxPairs = 10_000;

const anything: Requirement = { kind: 'anything' };
const nothing: Requirement = { kind: 'nothing' };

/** All parts hold. What another part implies is left out. */
export function allOf(parts: readonly Requirement[]): Requirement {
  const flat = parts.flatMap((part) => (part.kind === 'all' ? part.of : [part])).filter((part) => part.kind !== 'anything');
  if (flat.some((part) => part.kind === 'nothing')) return nothing;
  const kept = leaveOut(flat, (part, other) => implies(other, part));
  if (kept.length === 0) return anything;
  return kept.length === 1 ? kept[0] : { kind: 'all', of: kept };
}

/** One of the parts holds. Sets of bytes are joined; what implies another part is left out. */
export function anyOf(parts: readonly Requirement[]): Requirement {
  const flat = parts.flatMap((part) => (part.kind === 'any' ? part.of : [part])).filter((part) => part.kind !== 'nothing');
  if (flat.some((part) => part.kind === 'anything')) return anything;
  const kept = leaveOut(shortestLiterals(joinBytes(flat)), implies);
  if (kept.length === 0) return nothing;
  return kept.length === 1 ? kept[0] : { kind: 'any', of: kept };
}

function joinBytes(parts: readonly Requirement[]): readonly Requirement[] {
  const joined = emptySet();
  let some = false;
  const others = parts.filter((part) => {
    if (part.kind !== 'bytes') return true;
    some = true;
    for (let word = 0; word < 8; word++) joined[word] |= part.set[word];
    return false;
  });
  return some ? [{ kind: 'bytes', set: joined }, ...others] : parts;
}

/** Leaves out literals that hold another one: linear in their number, where lists of words are long. */
function shortestLiterals(parts: readonly Requirement[]): readonly Requirement[] {
  const texts = new Set(parts.map((part) => (part.kind === 'literal' ? part.text : '')));
  if (texts.size < 2) return parts;
  const seen = new Set<string>();
  return parts.filter((part) => {
    if (part.kind !== 'literal') return true;
    if (seen.has(part.text) || holdsAnother(part.text, texts)) return false;
    seen.add(part.text);
    return true;
  });
}

function holdsAnother(text: string, texts: ReadonlySet<string>): boolean {
  for (let from = 0; from < text.length - 1; from++) {
    for (let to = from + 2; to <= text.length; to++) {
      if (to - from < text.length && texts.has(text.slice(from, to))) return true;
    }
  }
  return false;
}

/** Leaves out each part that another one makes needless; of two that do so to each other the first stays. */
function leaveOut(
  parts: readonly Requirement[],
  needless: (part: Requirement, other: Requirement) => boolean,
): readonly Requirement[] {
  if (parts.length * parts.length > maxPairs) return parts;
  const out = new Set<Requirement>();
  const distinct = [...new Set(parts)];
  for (const part of distinct) {
    if (distinct.some((other) => other !== part && !out.has(other) && needless(part, other))) out.add(part);
  }
  return distinct.filter((part) => !out.has(part));
}

/** Whether one formula holds wherever another does; false where that is not easily seen. */
function implies(given: Requirement, wanted: Requirement): boolean {
  if (given === wanted) return true;
  if (wanted.kind === 'any' && given.kind === 'any') return given.of.every((part) => implies(part, wanted));
  if (wanted.kind === 'any') return wanted.of.some((part) => implies(given, part));
  if (given.kind === 'all') return given.of.some((part) => implies(part, wanted));
  if (given.kind === 'any') return given.of.every((part) => implies(part, wanted));
  if (wanted.kind === 'all') return wanted.of.every((part) => implies(given, part));
  if (wanted.kind === 'literal') return given.kind === 'literal' && given.text.includes(wanted.text);
  if (wanted.kind !== 'bytes') return wanted.kind === 'anything';
  if (given.kind === 'literal') return holdsLetterOf(given.text, wanted.set);
  return given.kind === 'bytes' && given.set.every((word, at) => (word & ~wanted.set[at]) === 0);
}

/** Whether a literal, in either case, always brings a byte of the set. */
function holdsLetterOf(text: string, set: ByteSet): boolean {
  for (let at = 0; at < text.length; at++) {
    const byte = text.charCodeAt(at);
    const isLetter = byte >= 0x61 && byte <= 0x7a;
    if (hasByte(set, byte) && (!isLetter || hasByte(set, byte - 32))) return true;
  }
  return false;
}
