import { isScalar, type Scalar, visit } from 'yaml';
import { type Excerpt, makeExcerpt } from './problem.ts';
import { resolved, type Source } from './source.ts';

/** Offsets in the text; the second is behind the last character. */
export type Range = readonly [from: number, to: number];

const SECRET_KEY = /(?:^|[-_])(?:token|key|secret|password|passphrase)$/i;
const SECRET_PAIR =
  /([\w-]*(?:token|key|secret|password|passphrase)["']?\s*:\s*)("[^"]*"?|'[^']*'?|[^\s,"'{}[\]#&*!|>][^\s,}\]]*)/gi;
const USER_INFO = /(:\/\/)[^\s/@"']+@/g;
/** A reference alone says which variable holds the secret, not the secret. */
const REFERENCE = /^["']?\$\{\w+\}["']?(?=[\s,}\]]|$)/;
const FILE_NAME = /^["']?[\w./-]+\.(?:key|pem|crt|cer|der|yaml|yml|json)["']?$/;

/** True when a value under this key must not be shown. A name of a key file is no secret. */
export function isSecret(key: string, value: string): boolean {
  return SECRET_KEY.test(key) && !FILE_NAME.test(value);
}

/** Where secrets stand in the text. */
export function secretRanges(source: Source): Range[] {
  return secretScalars(source).flatMap(({ range }) => (range ? [[range[0], range[1]] as const] : []));
}

/** Every scalar of the file that stands under a key with a secret-looking name. */
export function secretScalars(source: Source): Scalar[] {
  const found: Scalar[] = [];
  visit(source.document, {
    Pair(_, { key, value }) {
      const scalar = resolved(source, value);
      if (isScalar(key) && isScalar(scalar) && isSecret(String(key.value), String(scalar.value))) found.push(scalar);
    },
  });
  return found;
}

/** The line around `offset`, secrets taken out; undefined for an empty one. */
export function maskedExcerpt(source: Source, offset: number, masks: readonly Range[]): Excerpt | undefined {
  const from = source.text.lastIndexOf('\n', offset - 1) + 1;
  const end = source.text.indexOf('\n', from);
  const to = end === -1 ? source.text.length : end;
  const line = source.text.slice(from, to).replace(/\r$/, '');
  if (line.trim() === '') return undefined;
  // Ranges of the tree know every form of a scalar; the patterns still hold where a file has no tree because it cannot be read.
  const own = masks
    .filter(([start, stop]) => start < to && stop > from)
    .map(([start, stop]): Range => [start - from, Math.min(stop, to) - from]);
  const patterns = [
    ...matches(line, SECRET_PAIR, 1, (text) => !FILE_NAME.test(text)),
    ...matches(line, USER_INFO, 1, () => true),
  ];
  const masked = mask(
    line,
    [...own, ...patterns].filter(([start]) => !REFERENCE.test(line.slice(start))),
    offset - from + 1,
  );
  return makeExcerpt(masked.line, masked.column);
}

function matches(line: string, pattern: RegExp, prefixGroup: number, wanted: (text: string) => boolean): Range[] {
  return [...line.matchAll(pattern)]
    .map((match): Range => [match.index + match[prefixGroup].length, match.index + match[0].length])
    .filter(([from, to]) => wanted(line.slice(from, to)));
}

const MASK = '•••';

/** Takes the ranges out of the line and moves the column along. */
function mask(line: string, ranges: readonly Range[], column: number): { line: string; column: number } {
  let text = '';
  let at = 0;
  let moved = column;
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (to <= at) continue;
    const start = Math.max(from, at);
    // What overlaps or touches the mask before it is one with it.
    text += start === at && text.endsWith(MASK) ? '' : line.slice(at, start) + MASK;
    if (column > to) moved += MASK.length - (to - start);
    else if (column > start + 1) moved = text.length - MASK.length + 1;
    at = to;
  }
  return { line: text + line.slice(at), column: moved };
}
