import type { Transformation } from '../transformation.ts';
import { byteTable, hexPair } from './bytes.ts';
import { RewriteTransformation } from './rewrite.ts';

const PERCENT = 0x25;
const PLUS = 0x2b;

/** `%XX` and `+`. What is no escape stays. */
export const urlDecode: Transformation = new RewriteTransformation({
  name: 'urlDecode',
  triggers: byteTable('%+'),
  introduces: undefined,
  rewrite: decode,
});

function decode(bytes: Uint8Array, start: number, end: number): number {
  let to = start;
  let i = start;
  while (i < end) {
    const byte = bytes[i];
    const code = byte === PERCENT ? hexPair(bytes, i + 1, end) : -1;
    if (code >= 0) {
      bytes[to++] = code;
      i += 3;
    } else {
      bytes[to++] = byte === PLUS ? 0x20 : byte;
      i++;
    }
  }
  return to;
}
