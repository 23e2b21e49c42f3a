import type { Transformation } from '../transformation.ts';
import { byteTable, NO_BYTES, WHITE_SPACE_OR_NBSP } from './bytes.ts';
import { dropBytes, RewriteTransformation } from './rewrite.ts';

const SPACES = byteTable(WHITE_SPACE_OR_NBSP);

export const removeWhitespace: Transformation = dropBytes('removeWhitespace', SPACES, NO_BYTES);

/** Each run of white space becomes one space. */
export const compressWhitespace: Transformation = new RewriteTransformation({
  name: 'compressWhitespace',
  triggers: SPACES,
  introduces: byteTable(' '),
  changes: /[\t-\r\xa0]| {2}/,
  rewrite: compress,
});

function compress(bytes: Uint8Array, start: number, end: number): number {
  let to = start;
  let inside = false;
  for (let i = start; i < end; i++) {
    const isSpace = SPACES[bytes[i]] !== 0;
    if (!isSpace) bytes[to++] = bytes[i];
    else if (!inside) bytes[to++] = 0x20;
    inside = isSpace;
  }
  return to;
}
