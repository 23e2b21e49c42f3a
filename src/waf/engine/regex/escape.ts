import {
  anyByte,
  type ByteSet,
  complement,
  digits,
  horizontalSpaces,
  notNewline,
  spaces,
  verticalSpaces,
  wordBytes,
} from './byte-set.ts';
import type { Assertion } from './node.ts';
import type { Reader } from './reader.ts';

/** What stands behind a backslash. */
export type Escape =
  | { readonly kind: 'byte'; readonly byte: number }
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'line-break' };

const sets: Readonly<Record<string, ByteSet>> = {
  d: digits,
  D: complement(digits),
  w: wordBytes,
  W: complement(wordBytes),
  s: spaces,
  S: complement(spaces),
  h: horizontalSpaces,
  H: complement(horizontalSpaces),
  v: verticalSpaces,
  V: complement(verticalSpaces),
};
const controls: Readonly<Record<string, number>> = { a: 7, e: 27, f: 12, n: 10, r: 13, t: 9 };
const assertions: Readonly<Record<string, Assertion>> = {
  A: 'begin',
  z: 'end',
  Z: 'end-or-final-newline',
  b: 'word-edge',
  B: 'no-word-edge',
};
const refused: Readonly<Record<string, string>> = {
  K: '\\K moves the start of a match',
  G: '\\G depends on an earlier match',
  X: '\\X matches Unicode clusters, and patterns match bytes',
  p: '\\p matches Unicode properties, and patterns match bytes',
  P: '\\P matches Unicode properties, and patterns match bytes',
  g: '\\g refers to a group',
  k: '\\k refers to a group',
};
const referenceHint = 'A back-reference cannot be matched in linear time; write out what the group can hold.';

/** Reads one escape; the reader stands behind the backslash. `groups`: how many capturing groups the pattern has. */
export function readEscape(reader: Reader, inClass: boolean, groups: number): Escape {
  const start = reader.at - 1;
  if (reader.done) reader.fail('A backslash at the end of the pattern', start, 'Write \\\\ or \\x5c for a backslash.');
  const letter = reader.take();
  if (!/[a-zA-Z0-9]/.test(letter)) return { kind: 'byte', byte: letter.charCodeAt(0) };
  if (/[0-9]/.test(letter)) return { kind: 'byte', byte: readDigits(reader, letter, inClass, groups, start) };
  if (letter in sets) return { kind: 'set', set: sets[letter] };
  if (letter in controls) return { kind: 'byte', byte: controls[letter] };
  if (letter === 'x' || letter === 'o' || letter === 'c') return { kind: 'byte', byte: readCode(reader, letter, start) };
  if (inClass && letter === 'b') return { kind: 'byte', byte: 8 };
  return readOutsideClass(reader, letter, inClass, start);
}

function readOutsideClass(reader: Reader, letter: string, inClass: boolean, start: number): Escape {
  if (letter in refused) reader.fail(refused[letter], start, 'gk'.includes(letter) ? referenceHint : undefined);
  const known = letter in assertions || 'RNC'.includes(letter);
  if (!known || inClass) {
    reader.fail(`The escape \\${letter} means nothing ${inClass ? 'in a class' : 'here'}`, start, 'Remove the backslash.');
  }
  if (letter === 'R') return { kind: 'line-break' };
  if (letter === 'N') return { kind: 'set', set: notNewline };
  if (letter === 'C') return { kind: 'set', set: anyByte };
  return { kind: 'assert', assertion: assertions[letter] };
}

function readDigits(reader: Reader, first: string, inClass: boolean, groups: number, start: number): number {
  const rest = reader.match(/[0-9]*/y)?.[0] ?? '';
  const number = Number(first + rest);
  if (first !== '0' && !inClass && (number < 10 || number <= groups)) {
    reader.fail(`\\${first}${rest} refers to a group`, start, referenceHint);
  }
  reader.at = start + 1;
  const octal = reader.match(/[0-7]{1,3}/y)?.[0];
  if (octal !== undefined) return byteOf(reader, Number.parseInt(octal, 8), start);
  return reader.take().charCodeAt(0);
}

function readCode(reader: Reader, letter: string, start: number): number {
  if (letter === 'c') return readControl(reader, start);
  if (reader.peek() === '{') {
    const found = letter === 'x' ? reader.match(/\{([0-9a-fA-F]+)\}/y) : reader.match(/\{([0-7]+)\}/y);
    if (found === undefined) return reader.fail(`\\${letter}{…} holds no number`, start);
    return byteOf(reader, Number.parseInt(found[1], letter === 'x' ? 16 : 8), start);
  }
  if (letter === 'o') return reader.fail('\\o is followed by no {…}', start);
  return Number.parseInt(`0${reader.match(/[0-9a-fA-F]{1,2}/y)?.[0] ?? ''}`, 16);
}

function readControl(reader: Reader, start: number): number {
  const letter = reader.take();
  if (!/^[ -~]$/.test(letter)) reader.fail('\\c is followed by no printable character', start);
  return letter.toUpperCase().charCodeAt(0) ^ 0x40;
}

function byteOf(reader: Reader, code: number, start: number): number {
  if (code <= 0xff) return code;
  return reader.fail('A character above 0xff', start, 'Patterns match bytes: write the bytes of its UTF-8 form, \\xHH each.');
}
