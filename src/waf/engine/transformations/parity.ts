import type { Transformation } from '../transformation.ts';
import { mapBytes } from './rewrite.ts';

/** Whether an odd number of all eight bits is set; the reference engines count the eighth in, and so do these. */
function isOdd(byte: number): boolean {
  let bits = 0;
  for (let rest = byte; rest > 0; rest >>= 1) bits += rest & 1;
  return bits % 2 === 1;
}

export const parityEven7bit: Transformation = mapBytes('parityEven7bit', (byte) => (isOdd(byte) ? byte | 0x80 : byte & 0x7f));
export const parityOdd7bit: Transformation = mapBytes('parityOdd7bit', (byte) => (isOdd(byte) ? byte & 0x7f : byte | 0x80));
export const parityZero7bit: Transformation = mapBytes('parityZero7bit', (byte) => byte & 0x7f);
