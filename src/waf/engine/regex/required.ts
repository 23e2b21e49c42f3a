import type { Requirement } from '../fast/requirement.ts';
import { addByte, type ByteSet, countBytes, emptySet, foldCase, hasByte, isEmptySet } from './byte-set.ts';
import { allOf, anyOf } from './formula.ts';
import type { PatternNode } from './node.ts';

/** Most texts that are followed side by side, and the longest; bounds of the formula's size. */
const maxTexts = 512;
const maxLength = 12;
/** A set of more letters is a byte out of it, not a part of a literal. */
const maxLetters = 4;
/** Copies of what is repeated that are looked at. */
const maxCopies = 4;

/** What is known of all matches up to a place: what they need, and the texts (in lower case) one of which stands right before the place. */
interface Known {
  readonly need: Requirement;
  readonly texts: readonly string[];
}
const anything: Requirement = { kind: 'anything' };
const noText: readonly string[] = [''];

/** What a value cannot match a pattern without. It is never wrong where a pattern matches; it may hold where none does. */
export function requiredOf(node: PatternNode): Requirement {
  return settled(follow({ need: anything, texts: noText }, node));
}

function follow(before: Known, node: PatternNode): Known {
  switch (node.kind) {
    case 'empty':
    case 'assert':
      return before;
    case 'set':
      return followSet(before, node.set);
    case 'concat':
      return node.parts.reduce(follow, before);
    case 'capture':
      return follow(before, node.body);
    case 'alternate':
      return followOptions(before, node.options);
    case 'repeat':
      return followRepeat(before, node);
  }
}

function followSet(before: Known, set: ByteSet): Known {
  if (isEmptySet(set)) return { need: { kind: 'nothing' }, texts: noText };
  const letters = lettersOf(set);
  if (letters !== undefined && letters.length * before.texts.length <= maxTexts && before.texts.every(isShort)) {
    return { need: before.need, texts: before.texts.flatMap((text) => letters.map((letter) => text + letter)) };
  }
  if (letters !== undefined) return { need: settled(before), texts: letters };
  const need = countBytes(set) === 256 ? settled(before) : allOf([settled(before), { kind: 'bytes', set }]);
  return { need, texts: noText };
}

const isShort = (text: string) => text.length < maxLength;

/** The members of a small set in lower case, each once. */
function lettersOf(set: ByteSet): string[] | undefined {
  if (countBytes(set) > 2 * maxLetters) return undefined;
  const letters = new Set<string>();
  for (let byte = 0; byte < 256; byte++) if (hasByte(set, byte)) letters.add(String.fromCharCode(lower(byte)));
  return letters.size > maxLetters ? undefined : [...letters];
}

/** ASCII only: other bytes have no case. */
function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte;
}

/** What stands in front goes into each option: `ex(?:ec|it)` needs `exec` or `exit`, which is more than `ex`. */
function followOptions(before: Known, options: readonly PatternNode[]): Known {
  const ends = options.map((option) => follow({ need: anything, texts: before.texts }, option));
  if (ends.every((end) => end.need.kind === 'anything')) {
    const texts = [...new Set(ends.flatMap((end) => end.texts))];
    if (texts.length <= maxTexts) return { need: before.need, texts };
  }
  return { need: allOf([before.need, anyOf(ends.map(settled))]), texts: noText };
}

function followRepeat(before: Known, node: PatternNode & { kind: 'repeat' }): Known {
  if (node.max === 0) return before;
  if (node.min === 0 && node.max === 1) return followOptions(before, [node.body, { kind: 'empty' }]);
  if (node.min === 0) return { need: settled(before), texts: noText };
  let known = before;
  for (let copy = 0; copy < Math.min(node.min, maxCopies); copy++) known = follow(known, node.body);
  if (node.max === node.min && node.min <= maxCopies) return known;
  // Behind further copies stands the text of the last one, where it is known.
  const last = follow({ need: anything, texts: noText }, node.body);
  return { need: settled(known), texts: last.need.kind === 'anything' ? last.texts : noText };
}

/** The texts as part of what is needed. */
function settled({ need, texts }: Known): Requirement {
  return allOf([need, anyOf(texts.map(textNeeded))]);
}

function textNeeded(text: string): Requirement {
  if (text === '') return anything;
  if (text.length > 1) return { kind: 'literal', text };
  const set = emptySet();
  addByte(set, text.charCodeAt(0));
  foldCase(set);
  return { kind: 'bytes', set };
}
