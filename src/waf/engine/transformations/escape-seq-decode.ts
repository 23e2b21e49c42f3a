import type { Transformation } from '../transformation.ts';
import { byteTable, C_ESCAPES, hexPair, isOctal, octalDigits, octalValue } from './bytes.ts';
import { RewriteTransformation } from './rewrite.ts';

const BACKSLASH = 0x5c;

/** Escapes of ANSI C. An escape that is none loses its backslash only. */
export const escapeSeqDecode: Transformation = new RewriteTransformation({
  name: 'escapeSeqDecode',
  triggers: byteTable('\\'),
  introduces: undefined,
  rewrite: decode,
});

function decode(bytes: Uint8Array, start: number, end: number): number {
  let to = start;
  let i = start;
  while (i < end) {
    const byte = bytes[i];
    if (byte !== BACKSLASH || i + 1 >= end) {
      bytes[to++] = byte;
      i++;
      continue;
    }
    const escape = bytes[i + 1];
    let code: number;
    if ((escape | 0x20) === 0x78 && (code = hexPair(bytes, i + 2, end)) >= 0) {
      bytes[to++] = code;
      i += 4;
    } else if (isOctal(escape)) {
      const digits = octalDigits(bytes, i + 1, end);
      bytes[to++] = octalValue(bytes, i + 1, digits);
      i += 1 + digits;
    } else {
      bytes[to++] = C_ESCAPES[escape];
      i += 2;
    }
  }
  return to;
}
