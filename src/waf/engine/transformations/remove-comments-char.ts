import type { Transformation } from '../transformation.ts';
import { byteTable, NO_BYTES } from './bytes.ts';
import { RewriteTransformation } from './rewrite.ts';

/** The marks that begin and end comments of C, SQL, HTML and shells go: the longest first. */
export const removeCommentsChar: Transformation = new RewriteTransformation({
  name: 'removeCommentsChar',
  triggers: byteTable('*-#'),
  introduces: NO_BYTES,
  changes: /\/\*|\*\/|--|#/,
  rewrite: remove,
});

function remove(bytes: Uint8Array, start: number, end: number): number {
  let to = start;
  let i = start;
  while (i < end) {
    const mark = lengthOfMark(bytes, i, end);
    if (mark === 0) bytes[to++] = bytes[i++];
    else i += mark;
  }
  return to;
}

function lengthOfMark(bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at];
  const next = at + 1 < end ? bytes[at + 1] : -1;
  if (byte === 0x23) return 1;
  if ((byte === 0x2f && next === 0x2a) || (byte === 0x2a && next === 0x2f)) return 2;
  if (byte === 0x3c && next === 0x21) return isDash(bytes, at + 2, end) && isDash(bytes, at + 3, end) ? 4 : 0;
  if (byte === 0x2d && next === 0x2d) return at + 2 < end && bytes[at + 2] === 0x3e ? 3 : 2;
  return 0;
}

function isDash(bytes: Uint8Array, at: number, end: number): boolean {
  return at < end && bytes[at] === 0x2d;
}
