import type { Transformation } from '../transformation.ts';
import { byteTable, LOWER_HEX } from './bytes.ts';
import { scratch } from './rewrite.ts';

const FIRST_BYTE = /[\xc0-\xf7]/;
const HEX_DIGITS = Buffer.from(LOWER_HEX, 'latin1');
/** Two bytes of an overlong form become `%uXXXX` and one byte: no byte ever becomes more than four. */
const GROWTH = 4;
/** By the length of a sequence: the least code point that needs it. */
const LEAST = [0, 0, 0x80, 0x800, 0x10000];

/**
 * Sequences of UTF-8 become `%uXXXX`, which `urlDecodeUni` makes ASCII of. An overlong form becomes what it hides, with its first byte
 * behind it; a first byte without the bytes that it announces goes.
 */
export const utf8toUnicode: Transformation = {
  name: 'utf8toUnicode',
  triggers: byteTable([0xc0, 0xf7]),
  introduces: byteTable('%u', LOWER_HEX),
  apply: (value) => (FIRST_BYTE.test(value) ? spell(value) : value),
};

function spell(value: string): string {
  const { length } = value;
  const bytes = scratch(length * GROWTH);
  let to = 0;
  let i = 0;
  while (i < length) {
    const first = value.charCodeAt(i);
    const size = sizeOf(first);
    if (size === 1) {
      bytes[to++] = first;
      i++;
      continue;
    }
    if (first >= 0xf5) bytes[to++] = first;
    const code = codePoint(value, i, size);
    if (code < 0) {
      i++;
      continue;
    }
    to = writeCode(bytes, to, code);
    if (code < LEAST[size] || (code >= 0xd800 && code <= 0xdfff)) bytes[to++] = first;
    i += size;
  }
  const result = bytes.toString('latin1', 0, to);
  return to === length && result === value ? value : result;
}

/** How many bytes a first byte announces; 1 also for one that cannot be first. */
function sizeOf(first: number): number {
  if (first < 0xc0 || first >= 0xf8) return 1;
  if (first < 0xe0) return 2;
  return first < 0xf0 ? 3 : 4;
}

/** What a sequence says, -1 where it is not whole. */
function codePoint(value: string, at: number, size: number): number {
  if (at + size > value.length) return -1;
  let code = value.charCodeAt(at) & (0x7f >> size);
  for (let i = at + 1; i < at + size; i++) {
    const byte = value.charCodeAt(i);
    if ((byte & 0xc0) !== 0x80) return -1;
    code = code * 64 + (byte & 0x3f);
  }
  return code;
}

/** `%u` and at least four digits. */
function writeCode(bytes: Uint8Array, at: number, code: number): number {
  let to = at;
  bytes[to++] = 0x25;
  bytes[to++] = 0x75;
  const shift = code > 0xfffff ? 20 : code > 0xffff ? 16 : 12;
  for (let bits = shift; bits >= 0; bits -= 4) bytes[to++] = HEX_DIGITS[(code >> bits) & 15];
  return to;
}
