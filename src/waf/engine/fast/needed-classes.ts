import type { ByteClasses, Word } from './byte-classes.ts';
import type { Requirement } from './requirement.ts';

/** Sets of classes of which a value must hold one whole, to be able to match at all; undefined: nothing can be said in few words. */
export type NeededClasses = readonly Word[];

/** More than these, and asking costs more than it saves. */
const MOST = 64;
/** While they are brought together, before what others make needless is left out. */
const MOST_PAIRS = 4096;

/**
 * What a requirement asks of the classes of a value, as a list of alternatives: each a set of classes that all have to occur. Capitals count
 * as small letters, for literals have no case: fold the value's word by {@link foldCase} before.
 */
export function neededClasses(requirement: Requirement, classes: ByteClasses): NeededClasses | undefined {
  switch (requirement.kind) {
    case 'anything':
      return [NOTHING];
    case 'nothing':
      return [];
    case 'bytes':
      return least(singles(foldCase(classes.maskOf(requirement.set), classes)));
    case 'literal':
      return [foldCase(classes.maskOf(bytesOf(requirement.text)), classes)];
    case 'any':
      return join(requirement.of.map((one) => neededClasses(one, classes)));
    case 'all':
      return requirement.of.reduce<NeededClasses | undefined>((all, one) => cross(all, neededClasses(one, classes)), [NOTHING]);
  }
}

const NOTHING: Word = { low: 0, high: 0 };

/** Whether a value of these classes, case folded, has what it takes. */
export function suffices(word: Word, needed: NeededClasses): boolean {
  for (let i = 0; i < needed.length; i++) {
    const { low, high } = needed[i];
    if ((word.low & low) === low && (word.high & high) === high) return true;
  }
  return false;
}

/** Capitals as small letters. */
export function foldCase({ low, high }: Word, classes: ByteClasses): Word {
  const capital = classes.low['A'.charCodeAt(0)];
  return (low & capital) === 0 ? { low, high } : { low: (low & ~capital) | classes.low['a'.charCodeAt(0)], high };
}

function bytesOf(text: string): Uint32Array {
  const set = new Uint32Array(8);
  for (let i = 0; i < text.length; i++) set[text.charCodeAt(i) >>> 5] |= 1 << (text.charCodeAt(i) & 31);
  return set;
}

function singles({ low, high }: Word): Word[] {
  const words: Word[] = [];
  for (let bit = 0; bit < 31; bit++) {
    if ((low & (1 << bit)) !== 0) words.push({ low: 1 << bit, high: 0 });
    if ((high & (1 << bit)) !== 0) words.push({ low: 0, high: 1 << bit });
  }
  return words;
}

function join(lists: readonly (NeededClasses | undefined)[]): NeededClasses | undefined {
  const known = lists.filter((list) => list !== undefined);
  return known.length < lists.length ? undefined : least(known.flat());
}

/** Where nothing can be said of one part, the other part still has to hold. */
function cross(a: NeededClasses | undefined, b: NeededClasses | undefined): NeededClasses | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.length * b.length > MOST_PAIRS) return a.length <= b.length ? a : b;
  return least(a.flatMap((one) => b.map((other) => ({ low: one.low | other.low, high: one.high | other.high })))) ?? a;
}

/** Leaves out what asks for more than another does. */
function least(words: readonly Word[]): NeededClasses | undefined {
  const distinct = [...new Map(words.map((word) => [`${word.low} ${word.high}`, word])).values()];
  const kept = distinct.filter((word) => !distinct.some((other) => other !== word && suffices(word, [other])));
  return kept.length > MOST ? undefined : kept;
}
