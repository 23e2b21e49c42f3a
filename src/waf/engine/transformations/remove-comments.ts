import type { Transformation } from '../transformation.ts';
import { byteTable } from './bytes.ts';
import { RewriteTransformation } from './rewrite.ts';

const SLASH = 0x2f;
const STAR = 0x2a;
const DASH = 0x2d;
const HASH = 0x23;

/**
 * Takes out comments of C and HTML; `--` and `#` end the value. One that does not end becomes a space. What follows a comment is looked
 * at anew, so that comments in a row hide nothing.
 */
export const removeComments: Transformation = new RewriteTransformation({
  name: 'removeComments',
  triggers: byteTable('*-#'),
  introduces: byteTable(' '),
  changes: /\/\*|--|#/,
  rewrite: remove,
});

function remove(bytes: Uint8Array, start: number, end: number): number {
  let to = start;
  let i = start;
  while (i < end) {
    const byte = bytes[i];
    if (byte === HASH || (byte === DASH && i + 1 < end && bytes[i + 1] === DASH)) return to;
    const opening = openingAt(bytes, i, end);
    if (opening === 0) {
      bytes[to++] = byte;
      i++;
      continue;
    }
    i = endOfComment(bytes, i + opening, end);
    if (i < 0) {
      bytes[to++] = 0x20;
      return to;
    }
  }
  return to;
}

/** How long the mark is that opens a comment here, 0 for none. */
function openingAt(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] === SLASH) return at + 1 < end && bytes[at + 1] === STAR ? 2 : 0;
  if (bytes[at] !== 0x3c || at + 3 >= end) return 0;
  return bytes[at + 1] === 0x21 && bytes[at + 2] === DASH && bytes[at + 3] === DASH ? 4 : 0;
}

/** Behind the first mark that closes a comment, of either kind, as the reference engines have it; -1 where none does. */
function endOfComment(bytes: Uint8Array, from: number, end: number): number {
  for (let i = from; i + 1 < end; i++) {
    if (bytes[i] === STAR && bytes[i + 1] === SLASH) return i + 2;
    if (bytes[i] === DASH && bytes[i + 1] === DASH && i + 2 < end && bytes[i + 2] === 0x3e) return i + 3;
  }
  return -1;
}
