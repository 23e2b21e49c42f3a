import type { Transformation } from '../transformation.ts';
import { byteTable, LOWER_HEX } from './bytes.ts';
import { scratch } from './rewrite.ts';

export const hexEncode: Transformation = {
  name: 'hexEncode',
  triggers: undefined,
  introduces: byteTable(LOWER_HEX),
  apply: encode,
};

/** Two digits are one byte, an odd one at the end is dropped. What is no digit counts as the reference engines reckon it: no refusal, no end. */
export const hexDecode: Transformation = {
  name: 'hexDecode',
  triggers: undefined,
  introduces: undefined,
  apply: decode,
};

function encode(value: string): string {
  const buffer = scratch(value.length);
  buffer.write(value, 0, value.length, 'latin1');
  return buffer.toString('hex', 0, value.length);
}

function decode(value: string): string {
  const { length } = value;
  const buffer = scratch(length);
  buffer.write(value, 0, length, 'latin1');
  const end = length >> 1;
  for (let i = 0; i < end; i++) buffer[i] = digit(buffer[2 * i]) * 16 + digit(buffer[2 * i + 1]);
  return buffer.toString('latin1', 0, end);
}

function digit(byte: number): number {
  return byte >= 0x41 ? (byte & 0xdf) - 0x41 + 10 : byte - 0x30;
}
