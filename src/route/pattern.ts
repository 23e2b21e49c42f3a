import type { Problem } from '../exchange/host-pattern.ts';
import { canonicalPath, pathProblem } from '../exchange/path.ts';

export { type HostPattern, parseHost, type Problem } from '../exchange/host-pattern.ts';

/** One segment of a path pattern. */
export type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'single'; readonly name: string | undefined }
  | { readonly kind: 'rest' };

/** A path pattern, taken apart and canonical: its literals can be compared with canonical paths byte for byte. */
export interface Pattern {
  /** As the user wrote it: this is what the record and the metrics show. */
  readonly text: string;
  readonly segments: readonly Segment[];
  /** The same for patterns that match the same paths: names of parameters do not count. */
  readonly shape: string;
  /** True when there is no `*`, `**` or `{name}`: then `shape` is the one canonical path. */
  readonly exact: boolean;
}

/** More segments than any real path has; it bounds the depth of the trie. */
const MOST_SEGMENTS = 64;
const PARAMETER = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;
/** What cannot come in a target as it is, so that users may write `/café`. */
const TO_ENCODE = /[^\x21-\x7e]/gu;

/** Takes a path pattern apart: `/orders/{id}/lines/*`, `/files/**`, `/café`. */
export function parsePattern(text: string): Pattern | Problem {
  const problem = wholeProblem(text);
  if (problem !== undefined) return { problem };
  const parts = text.slice(1).split('/');
  if (parts.length > MOST_SEGMENTS) return { problem: `${quote(text)} has more than ${MOST_SEGMENTS} segments` };
  const segments: Segment[] = [];
  const names = new Set<string>();
  for (const [index, part] of parts.entries()) {
    const segment = parseSegment(part, index === parts.length - 1);
    if ('problem' in segment) return { problem: `${quote(text)}: ${segment.problem}` };
    const name = segment.kind === 'single' ? segment.name : undefined;
    if (name !== undefined && names.has(name)) return { problem: `${quote(text)} has two parameters called ${name}` };
    if (name !== undefined) names.add(name);
    segments.push(segment);
  }
  return { text, segments, shape: shapeOf(segments), exact: segments.every((segment) => segment.kind === 'literal') };
}

function wholeProblem(text: string): string | undefined {
  if (!text.startsWith('/')) return `a path begins with "/": write ${quote(`/${text}`)}`;
  if (!text.isWellFormed()) return `${quote(text)} is not valid Unicode`;
  if (text.includes('?')) return `${quote(text)}: a path has no query; take "?" and what follows away`;
  if (text.includes('#')) return `${quote(text)}: a path has no fragment; take "#" and what follows away`;
  if (text.includes('//')) return `${quote(text)} has an empty segment: "//" is one "/" when requests are read`;
  return undefined;
}

function parseSegment(part: string, last: boolean): Segment | Problem {
  if (part === '**') return last ? { kind: 'rest' } : { problem: '"**" may only be the last segment' };
  if (part === '*') return { kind: 'single', name: undefined };
  if (part.includes('*')) return { problem: `"*" is a whole segment; ${quote(part)} mixes it with text` };
  if (/[{}]/.test(part)) return parseParameter(part);
  return parseLiteral(part);
}

function parseParameter(part: string): Segment | Problem {
  if (!part.startsWith('{') || !part.endsWith('}') || part.length < 3) {
    return { problem: `a parameter is a whole segment, {name}; ${quote(part)} is not` };
  }
  const name = part.slice(1, -1);
  // `__proto__` cannot be an ordinary key of the object that hands parameters out.
  if (!PARAMETER.test(name) || name === '__proto__') {
    return { problem: `${quote(name)} is not a name for a parameter: use letters, digits, "_" and "-", a letter first` };
  }
  return { kind: 'single', name };
}

function parseLiteral(part: string): Segment | Problem {
  if (part.startsWith(':')) return { problem: `write a parameter as {${part.slice(1)}}, not ${quote(part)}` };
  if (part === '') return { kind: 'literal', text: '' };
  // They would move the pattern: `/a/../admin` has to be written as what it means.
  if (part === '.' || part === '..')
    return { problem: `${quote(part)} is resolved when requests are read: write the path that remains` };
  const raw = `/${part.replace(TO_ENCODE, encodeURIComponent)}`;
  const canonical = canonicalPath(raw);
  if (canonical === undefined) return { problem: `requests with the segment ${quote(part)} are refused: ${pathProblem(raw)}` };
  return { kind: 'literal', text: canonical.slice(1) };
}

function shapeOf(segments: readonly Segment[]): string {
  let shape = '';
  for (const segment of segments) {
    shape += segment.kind === 'literal' ? `/${segment.text}` : segment.kind === 'single' ? '/{}' : '/**';
  }
  return shape;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
