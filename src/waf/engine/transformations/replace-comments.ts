import type { Transformation } from '../transformation.ts';
import { byteTable } from './bytes.ts';
import { RewriteTransformation } from './rewrite.ts';

const SLASH = 0x2f;
const STAR = 0x2a;

/** Each C comment becomes one space, one that does not end as well. */
export const replaceComments: Transformation = new RewriteTransformation({
  name: 'replaceComments',
  triggers: byteTable('*'),
  introduces: byteTable(' '),
  changes: /\/\*/,
  rewrite: replace,
});

function replace(bytes: Uint8Array, start: number, end: number): number {
  let to = start;
  let i = start;
  while (i < end) {
    if (bytes[i] === SLASH && i + 1 < end && bytes[i + 1] === STAR) {
      i = endOfComment(bytes, i + 2, end);
      bytes[to++] = 0x20;
    } else {
      bytes[to++] = bytes[i++];
    }
  }
  return to;
}

function endOfComment(bytes: Uint8Array, from: number, end: number): number {
  for (let i = from; i + 1 < end; i++) if (bytes[i] === STAR && bytes[i + 1] === SLASH) return i + 2;
  return end;
}
