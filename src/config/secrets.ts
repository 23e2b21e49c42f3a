import { isMap, isScalar, type Scalar, visit } from 'yaml';
import { type Excerpt, makeExcerpt } from './problem.ts';
import { resolved, type Source } from './source.ts';

/** Offsets in the text; the second is behind the last character. */
export type Range = readonly [from: number, to: number];

const SECRET_KEY = /(?:^|[-_])(?:token|key|secret|password|passphrase)$/i;
const SECRET_PAIR =
  /([\w-]*(?:token|key|secret|password|passphrase)["']?\s*:\s*)("[^"]*"?|'[^']*'?|[^\s,"'{}[\]#&*!|>][^\s,}\]]*)/gi;
/** Up to the last `@`: who forgot to write a `/` of a password as %2F should not see it here. */
const USER_INFO = /(:\/\/)[^\s"']+@/g;
const QUERY_PAIR = /([?&](?:\w*(?:token|key|secret|password)|auth|user)=)[^\s&#"',}\]]+/gi;
/** A reference alone says which variable or which secret it is, not what it is. */
const REFERENCE = /^["']?(?:\$\{\w+\}|secret:[\w.-]+)["']?(?=[\s,}\]]|$)/;
const FILE_NAME = /^["']?[\w./-]+\.(?:key|pem|crt|cer|der|yaml|yml|json)["']?$/;

/** Beside a `certificate` no key is written out, and a key in DER or PEM cannot begin like this. */
const FILE_PATH = /^\.{0,2}\/[\w./-]{1,200}$/;

/** True when a value under this key must not be shown. A name of a key file is no secret. */
export function isSecret(key: string, value: string): boolean {
  return SECRET_KEY.test(key) && !FILE_NAME.test(value);
}

/** A message that quotes a URL does so without its user, its password and what its query says of secrets. */
export function maskUrls(message: string): string {
  return message.replace(USER_INFO, '$1•••@').replace(QUERY_PAIR, '$1•••');
}

/** What must not be shown of a text, and what only looks like that. */
export interface Masks {
  readonly secrets: readonly Range[];
  readonly files: readonly Range[];
}

/** Looks through the whole file once, for all its problems. */
export function findMasks(source: Source): Masks {
  const ranges = (scalars: Scalar[]) => scalars.flatMap(({ range }) => (range ? [[range[0], range[1]] as const] : []));
  return { secrets: ranges(secretScalars(source)), files: ranges(keyFiles(source)) };
}

/** Every scalar of the file that stands under a key with a secret-looking name. */
export function secretScalars(source: Source): Scalar[] {
  const found: Scalar[] = [];
  visit(source.document, {
    Pair(_, { key, value }, ancestors) {
      const scalar = resolved(source, value);
      if (!isScalar(key) || !isScalar(scalar) || isKeyFile(String(key.value), scalar, ancestors.at(-1))) return;
      if (isSecret(String(key.value), String(scalar.value))) found.push(scalar);
    },
  });
  return found;
}

/** True for the path in `{ certificate: …, key: /run/secrets/tls }` and in `{ store: …, key: … }`. */
function isKeyFile(key: string, { value }: Scalar, around: unknown): boolean {
  return key === 'key' && isMap(around) && (around.has('certificate') || around.has('store')) && FILE_PATH.test(String(value));
}

function keyFiles(source: Source): Scalar[] {
  const found: Scalar[] = [];
  visit(source.document, {
    Pair(_, { key, value }, ancestors) {
      if (isScalar(key) && isScalar(value) && isKeyFile(String(key.value), value, ancestors.at(-1))) found.push(value);
    },
  });
  return found;
}

/** The line around `offset`, secrets taken out; undefined for an empty one. */
export function maskedExcerpt(source: Source, offset: number, masks: Masks): Excerpt | undefined {
  const from = source.text.lastIndexOf('\n', offset - 1) + 1;
  const end = source.text.indexOf('\n', from);
  const to = end === -1 ? source.text.length : end;
  const line = source.text.slice(from, to).replace(/\r$/, '');
  if (line.trim() === '') return undefined;
  // Ranges of the tree know every form of a scalar; the patterns still hold where a file has no tree because it cannot be read.
  const own = masks.secrets
    .filter(([start, stop]) => start < to && stop > from)
    .map(([start, stop]): Range => [start - from, Math.min(stop, to) - from]);
  const isFile = (at: number) => masks.files.some(([start, stop]) => start <= at && at < stop);
  const patterns = [
    ...matches(line, SECRET_PAIR, 1, (text) => !FILE_NAME.test(text)).filter(
      ([start]) => !isFile(from + start) && !isReference(line, start),
    ),
    ...matches(line, USER_INFO, 1, () => true),
    ...matches(line, QUERY_PAIR, 1, () => true),
  ];
  const masked = mask(
    line,
    [...own, ...patterns].filter(([start]) => !REFERENCE.test(line.slice(start))),
    offset - from + 1,
  );
  return makeExcerpt(masked.line, masked.column);
}

/** `secret:NAME`: without a blank behind the colon it is no key of YAML. */
function isReference(line: string, name: number): boolean {
  const before = line.slice(0, name);
  return /(?:^|[^\w-])secret:$/.test(before) && /^[\w.-]+["']?(?=[\s,}\]]|$)/.test(line.slice(name));
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
