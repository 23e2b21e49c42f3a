import type { Transformation } from '../transformation.ts';
import { byteTable, C_ESCAPES, hexPair, hexQuad, isOctal, narrow, octalDigits, octalValue } from './bytes.ts';
import { RewriteTransformation } from './rewrite.ts';

const BACKSLASH = 0x5c;

/** Escapes of JavaScript strings. An escape that is none loses its backslash only. */
export const jsDecode: Transformation = new RewriteTransformation({
  name: 'jsDecode',
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
    if (escape === 0x75 && (code = hexQuad(bytes, i + 2, end)) >= 0) {
      bytes[to++] = narrow(code);
      i += 6;
    } else if (escape === 0x78 && (code = hexPair(bytes, i + 2, end)) >= 0) {
      bytes[to++] = code;
      i += 4;
    } else if (isOctal(escape)) {
      const digits = digitsOfByte(bytes, i + 1, end);
      bytes[to++] = octalValue(bytes, i + 1, digits);
      i += 1 + digits;
    } else {
      bytes[to++] = C_ESCAPES[escape];
      i += 2;
    }
  }
  return to;
}

/** Octal digits up to 377: a third one that would leave the byte is text. */
function digitsOfByte(bytes: Uint8Array, at: number, end: number): number {
  const digits = octalDigits(bytes, at, end);
  return digits === 3 && bytes[at] > 0x33 ? 2 : digits;
}
