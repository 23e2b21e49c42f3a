import type { Transformation } from '../transformation.ts';
import { bestFit } from './best-fit.ts';
import { byteTable, hexPair, hexQuad } from './bytes.ts';
import { RewriteTransformation } from './rewrite.ts';

const PERCENT = 0x25;
const PLUS = 0x2b;
const SMALL_U = 0x75;

/** `%XX`, `+`, and `%uXXXX` of Microsoft's servers, which give the ASCII character that looks most like it. What is no escape stays. */
export const urlDecodeUni: Transformation = new RewriteTransformation({
  name: 'urlDecodeUni',
  triggers: byteTable('%+'),
  introduces: undefined,
  rewrite: decode,
});

function decode(bytes: Uint8Array, start: number, end: number): number {
  let to = start;
  let i = start;
  while (i < end) {
    const byte = bytes[i];
    if (byte !== PERCENT) {
      bytes[to++] = byte === PLUS ? 0x20 : byte;
      i++;
      continue;
    }
    const isWide = i + 1 < end && (bytes[i + 1] | 0x20) === SMALL_U;
    const code = isWide ? hexQuad(bytes, i + 2, end) : hexPair(bytes, i + 1, end);
    if (code >= 0) {
      bytes[to++] = isWide ? bestFit(code) : code;
      i += isWide ? 6 : 3;
    } else {
      bytes[to++] = byte;
      i++;
    }
  }
  return to;
}
