import type { Transformation } from '../transformation.ts';
import { byteTable, hexPair } from './bytes.ts';
import { RewriteTransformation } from './rewrite.ts';

/** `0x414243` of SQL becomes `ABC`. */
export const sqlHexDecode: Transformation = new RewriteTransformation({
  name: 'sqlHexDecode',
  triggers: byteTable('xX'),
  introduces: undefined,
  changes: /0x[0-9a-f]{2}/i,
  rewrite: decode,
});

function decode(bytes: Uint8Array, start: number, end: number): number {
  let to = start;
  let i = start;
  while (i < end) {
    let code = bytes[i] === 0x30 && i + 1 < end && (bytes[i + 1] | 0x20) === 0x78 ? hexPair(bytes, i + 2, end) : -1;
    if (code < 0) {
      bytes[to++] = bytes[i++];
      continue;
    }
    for (i += 2; code >= 0; code = hexPair(bytes, i, end)) {
      bytes[to++] = code;
      i += 2;
    }
  }
  return to;
}
