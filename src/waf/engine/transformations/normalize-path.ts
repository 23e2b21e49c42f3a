import type { Transformation } from '../transformation.ts';
import { byteTable, NO_BYTES } from './bytes.ts';
import { RewriteTransformation } from './rewrite.ts';

const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const DOT = 0x2e;

/** Takes out empty segments, `.`, and `..` with the segment before it. A path from the root never leaves the root; another keeps its leading `..`. */
export const normalizePath: Transformation = new RewriteTransformation({
  name: 'normalizePath',
  triggers: byteTable('/.'),
  introduces: NO_BYTES,
  changes: /\/\/|(?:^|\/)\.\.?(?:\/|$)/,
  rewrite: normalize,
});

/** The same after `\` became `/`. */
export const normalizePathWin: Transformation = new RewriteTransformation({
  name: 'normalizePathWin',
  triggers: byteTable('/.\\'),
  introduces: byteTable('/'),
  changes: /\\|\/\/|(?:^|\/)\.\.?(?:\/|$)/,
  rewrite: normalizeWin,
});

function normalizeWin(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) if (bytes[i] === BACKSLASH) bytes[i] = SLASH;
  return normalize(bytes, start, end);
}

/** Going back over a segment costs what writing it has cost: linear in all. */
function normalize(bytes: Uint8Array, start: number, end: number): number {
  const isAbsolute = start < end && bytes[start] === SLASH;
  const root = isAbsolute ? start + 1 : start;
  /** Where what `..` may take back begins. */
  let floor = root;
  let to = root;
  let from = root;
  while (from < end) {
    const last = endOfSegment(bytes, from, end);
    const dots = dotsOf(bytes, from, last);
    if (dots === 2 && to > floor) {
      to = startOfSegment(bytes, floor, to);
    } else if (dots === 0 ? last > from : dots === 2 && !isAbsolute) {
      // With the slash behind it, where there is one.
      const next = Math.min(last + 1, end);
      while (from < next) bytes[to++] = bytes[from++];
      if (dots === 2) floor = to;
    }
    // `a/.` and `a/b/..` mean `a`, without a slash; of `/..` nothing is left, as the reference engines have it.
    if (last === end && dots !== 0 && to > start && bytes[to - 1] === SLASH) to--;
    from = last + 1;
  }
  return to;
}

function endOfSegment(bytes: Uint8Array, from: number, end: number): number {
  let i = from;
  while (i < end && bytes[i] !== SLASH) i++;
  return i;
}

/** 1 for `.`, 2 for `..`, 0 for any other segment. */
function dotsOf(bytes: Uint8Array, from: number, to: number): number {
  if (bytes[from] !== DOT) return 0;
  if (to - from === 1) return 1;
  return to - from === 2 && bytes[from + 1] === DOT ? 2 : 0;
}

/** Where the segment begins whose slash is the last byte before `to`. */
function startOfSegment(bytes: Uint8Array, floor: number, to: number): number {
  let i = to - 1;
  while (i > floor && bytes[i - 1] !== SLASH) i--;
  return i;
}
