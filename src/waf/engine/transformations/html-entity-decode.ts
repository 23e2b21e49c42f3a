import type { Transformation } from '../transformation.ts';
import { byteTable, HEX_VALUE } from './bytes.ts';
import { RewriteTransformation } from './rewrite.ts';

const AMPERSAND = 0x26;
const HASH = 0x23;
const SEMICOLON = 0x3b;
const ALPHANUMERIC = byteTable([0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a]);
/** Names with more letters than these have are not worth a look. */
const LONGEST_NAME = 4;
const NAMES: ReadonlyMap<number, number> = new Map([
  [packed('quot'), 0x22],
  [packed('amp'), 0x26],
  [packed('lt'), 0x3c],
  [packed('gt'), 0x3e],
  [packed('nbsp'), 0xa0],
]);

/** Character references of HTML, with and without a semicolon: decimal, hexadecimal, and the five names. Of a number the low byte counts. */
export const htmlEntityDecode: Transformation = new RewriteTransformation({
  name: 'htmlEntityDecode',
  triggers: byteTable('&'),
  introduces: undefined,
  // Query strings are full of ampersands.
  changes: /&(?:#|quot|amp|lt|gt|nbsp)/i,
  rewrite: decode,
});

function decode(bytes: Uint8Array, start: number, end: number): number {
  let to = start;
  let i = start;
  while (i < end) {
    if (bytes[i] !== AMPERSAND) {
      bytes[to++] = bytes[i++];
      continue;
    }
    const isNumber = bytes[i + 1] === HASH && i + 1 < end;
    const isHex = isNumber && i + 2 < end && (bytes[i + 2] | 0x20) === 0x78;
    const from = i + (isHex ? 3 : isNumber ? 2 : 1);
    const last = endOfReference(bytes, from, end, isNumber, isHex);
    const code = last === from ? -1 : isNumber ? numberOf(bytes, from, last, isHex ? 16 : 10) : nameOf(bytes, from, last);
    if (code >= 0) {
      bytes[to++] = code;
      i = last < end && bytes[last] === SEMICOLON ? last + 1 : last;
    } else {
      // What was read holds no ampersand, so all of it is text.
      while (i < last) bytes[to++] = bytes[i++];
    }
  }
  return to;
}

function endOfReference(bytes: Uint8Array, from: number, end: number, isNumber: boolean, isHex: boolean): number {
  let i = Math.min(from, end);
  if (isHex) while (i < end && HEX_VALUE[bytes[i]] >= 0) i++;
  else if (isNumber) while (i < end && bytes[i] >= 0x30 && bytes[i] <= 0x39) i++;
  else while (i < end && ALPHANUMERIC[bytes[i]] !== 0) i++;
  return i;
}

/** The low byte of a number of any length; beyond 63 bits it is the greatest one, as strtol has it. */
function numberOf(bytes: Uint8Array, from: number, to: number, base: number): number {
  let low = 0;
  let size = 0;
  for (let i = from; i < to; i++) {
    const digit = HEX_VALUE[bytes[i]];
    low = (low * base + digit) & 0xff;
    size = size * base + digit;
  }
  return size >= 2 ** 63 ? 0xff : low;
}

function nameOf(bytes: Uint8Array, from: number, to: number): number {
  if (to - from > LONGEST_NAME) return -1;
  let name = 0;
  for (let i = from; i < to; i++) name = name * 256 + (bytes[i] | 0x20);
  return NAMES.get(name) ?? -1;
}

/** A name as one number: a string for each reference would cost more than all else. */
function packed(name: string): number {
  return Buffer.from(name, 'latin1').readUIntBE(0, name.length);
}
