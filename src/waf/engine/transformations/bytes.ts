/**
 * Tables over bytes that the transformations share. Text is a byte string throughout: one character per byte.
 */

/** A table of 256 entries: 1 for the bytes of the strings and of the ranges (both ends belong to them). */
export function byteTable(...members: readonly (string | readonly [number, number])[]): Uint8Array {
  const table = new Uint8Array(256);
  for (const member of members) {
    if (typeof member === 'string') for (let i = 0; i < member.length; i++) table[member.charCodeAt(i)] = 1;
    else table.fill(1, member[0], member[1] + 1);
  }
  return table;
}

/** No byte at all: what a transformation introduces that only removes. */
export const NO_BYTES: Uint8Array = byteTable();

/** White space of C: space, \t, \n, \v, \f, \r. */
export const WHITE_SPACE = '\t\n\v\f\r ';
/** White space and the no-break space of Latin-1, which some transformations count as one. */
export const WHITE_SPACE_OR_NBSP = `${WHITE_SPACE}\xa0`;
export const LOWER_HEX = '0123456789abcdef';

/** The value of a hexadecimal digit, -1 for any other byte. */
export const HEX_VALUE: Int8Array = hexValues();

function hexValues(): Int8Array {
  const values = new Int8Array(256).fill(-1);
  for (let digit = 0; digit < 16; digit++) {
    values[LOWER_HEX.charCodeAt(digit)] = digit;
    values[LOWER_HEX.toUpperCase().charCodeAt(digit)] = digit;
  }
  return values;
}

/** The byte that two hexadecimal digits at `at` say, -1 where they are not two. Reading past the end is no digit. */
export function hexPair(bytes: Uint8Array, at: number, end: number): number {
  if (at + 1 >= end) return -1;
  const high = HEX_VALUE[bytes[at]];
  const low = HEX_VALUE[bytes[at + 1]];
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** The number that four hexadecimal digits at `at` say, -1 where they are not four. */
export function hexQuad(bytes: Uint8Array, at: number, end: number): number {
  const high = hexPair(bytes, at, end);
  const low = hexPair(bytes, at + 2, end);
  return high < 0 || low < 0 ? -1 : high * 256 + low;
}

/**
 * A code point as the one byte that decoders make of it: the low byte, and ASCII for the full-width forms U+FF01 to U+FF5E, which some
 * servers take for it.
 */
export function narrow(code: number): number {
  const low = code & 0xff;
  return (code & 0xff00) === 0xff00 && low > 0 && low < 0x5f ? low + 0x20 : low;
}

export function isOctal(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x37;
}

/** How many octal digits stand at `at`, three at most. */
export function octalDigits(bytes: Uint8Array, at: number, end: number): number {
  const last = Math.min(at + 3, end);
  let i = at;
  while (i < last && isOctal(bytes[i])) i++;
  return i - at;
}

export function octalValue(bytes: Uint8Array, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) value = value * 8 + bytes[i] - 0x30;
  return value & 0xff;
}

/** What the byte after a backslash stands for in C and in JavaScript; any other than these letters stands for itself. */
export const C_ESCAPES: Uint8Array = escapesOf({ a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 });

function escapesOf(letters: Readonly<Record<string, number>>): Uint8Array {
  const table = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  for (const [letter, byte] of Object.entries(letters)) table[letter.charCodeAt(0)] = byte;
  return table;
}
