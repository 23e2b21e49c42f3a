import type { Transformation } from '../transformation.ts';
import { byteTable } from './bytes.ts';
import { scratch } from './rewrite.ts';

const DIGITS = byteTable('+/', [0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a]);

export const base64Encode: Transformation = {
  name: 'base64Encode',
  triggers: undefined,
  introduces: byteTable('+/=', [0x30, 0x39], [0x41, 0x5a], [0x61, 0x7a]),
  apply: encode,
};

/** Decodes up to the first byte that is no digit of Base64. */
export const base64Decode: Transformation = {
  name: 'base64Decode',
  triggers: undefined,
  introduces: undefined,
  apply: (value) => decode(value, lengthOfDigits(value)),
};

/** Passes over what is no digit of Base64. */
export const base64DecodeExt: Transformation = {
  name: 'base64DecodeExt',
  triggers: undefined,
  introduces: undefined,
  apply: decodeAll,
};

function encode(value: string): string {
  const buffer = scratch(value.length);
  buffer.write(value, 0, value.length, 'latin1');
  return buffer.toString('base64', 0, value.length);
}

function decodeAll(value: string): string {
  const buffer = scratch(value.length);
  let digits = 0;
  for (let i = 0; i < value.length; i++) {
    const byte = value.charCodeAt(i);
    if (DIGITS[byte] !== 0) buffer[digits++] = byte;
  }
  return decode(digits === value.length ? value : buffer.toString('latin1', 0, digits), digits);
}

/** Four digits are three bytes; two or three at the end are one or two, one alone is nothing. */
function decode(value: string, digits: number): string {
  const size = Math.floor((digits * 3) / 4);
  if (size === 0) return '';
  const buffer = scratch(size);
  const text = digits === value.length ? value : value.slice(0, digits);
  return buffer.toString('latin1', 0, buffer.write(text, 0, size, 'base64'));
}

function lengthOfDigits(value: string): number {
  let i = 0;
  while (i < value.length && DIGITS[value.charCodeAt(i)] !== 0) i++;
  return i;
}
