import { type Alias, isScalar, type Node, type Scalar, visit } from 'yaml';
import { makeExcerpt, type Problem, sortProblems } from './problem.ts';
import type { Path } from './schema-tree.ts';
import { type Place, placeOfKey, placeOfValue, type Source } from './source.ts';

/** Something found wrong, before it is known how it is to be shown. */
export interface Finding {
  readonly place: Place;
  readonly message: string;
  readonly hint?: string;
}

/** Reports a finding at the value, or at the key, that `path` leads to. */
export type Report = (path: Path, message: string, options?: { hint?: string; at?: 'key' | 'value' }) => void;

/** What must not be shown: the text, and what stands in its place. */
export interface Secret {
  readonly text: string;
  readonly shown: string;
}

/** Gathers findings about one source. */
export class Findings {
  readonly source: Source;
  readonly found: Finding[] = [];
  readonly secrets: Secret[] = [];
  /** Values that are not known; nothing more is said about them. */
  readonly unknown = new Set<Node>();

  constructor(source: Source) {
    this.source = source;
  }

  readonly report: Report = (path, message, options) => {
    const place = options?.at === 'key' ? placeOfKey(this.source, path) : placeOfValue(this.source, path);
    if (place.node !== undefined && this.unknown.has(place.node)) return;
    this.found.push({ place, message, hint: options?.hint });
  };

  reportOffset(offset: number, message: string, hint?: string): void {
    this.found.push({ place: { offset, via: undefined, node: undefined }, message, hint });
  }

  /** All problems, sorted by position, with nothing secret in them. */
  problems(): Problem[] {
    const masks = secretRanges(this.source);
    const shown = mergeAliased(this.source, this.found);
    return sortProblems(shown.map((finding) => this.#problem(finding, masks)));
  }

  #problem(finding: Finding, masks: readonly Range[]): Problem {
    const { line, col } = this.source.lines.linePos(finding.place.offset);
    return {
      file: this.source.file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      message: this.#redact(finding.message),
      hint: finding.hint === undefined ? undefined : this.#redact(finding.hint),
      excerpt: excerptAt(this.source, finding.place.offset, masks),
    };
  }

  #redact(message: string): string {
    let text = message;
    for (const secret of this.secrets) {
      text = text.replaceAll(JSON.stringify(secret.text), () => JSON.stringify(secret.shown));
      // Short values cannot be told from ordinary words, and replacing them would make every message unreadable.
      if (secret.text.length >= 4) text = replaceIgnoringCase(text, secret.text, secret.shown);
    }
    return text;
  }
}

function replaceIgnoringCase(text: string, part: string, by: string): string {
  return text.replace(new RegExp(part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gi'), () => by);
}

/**
 * A mapping that is used through an alias is checked wherever it is used. What is wrong with it in itself is shown once,
 * where it is written; what is wrong only where the alias stands is shown there.
 */
function mergeAliased(source: Source, findings: readonly Finding[]): Finding[] {
  const direct = new Set(findings.filter((finding) => finding.place.via === undefined).map(keyOf));
  return findings.flatMap((finding): Finding[] => {
    const { via, offset } = finding.place;
    if (via === undefined || via === finding.place.node) return [finding];
    if (direct.has(keyOf(finding))) return [];
    const message = `${finding.message}, in *${via.source} of line ${source.lines.linePos(offset).line}`;
    return [{ ...finding, message, place: { ...finding.place, offset: aliasOffset(via) } }];
  });
}

const keyOf = (finding: Finding) => `${finding.place.offset} ${finding.message}`;
const aliasOffset = (alias: Alias) => alias.range?.[0] ?? 0;

type Range = readonly [from: number, to: number];

const SECRET_KEY = /(?:^|[-_])(?:token|key|secret|password|passphrase)$/i;
/** A key that usually names a file is still masked only where its value does not look like one. */
const SECRET_PAIR = /([\w-]*(?:token|key|secret|password|passphrase)["']?\s*:\s*)("[^"]*"?|'[^']*'?|[^\s,"'{}[\]#&*!|>][^\s,}\]]*)/gi;
const USER_INFO = /(:\/\/)[^\s/@"']+@/g;
const FILE_NAME = /^["']?[\w./-]+\.(?:key|pem|crt|cer|der|yaml|yml|json)["']?$/;

/** True when a value under this key must not be shown. A name of a key file is no secret. */
export function isSecret(key: string, value: string): boolean {
  return SECRET_KEY.test(key) && !FILE_NAME.test(value);
}

function secretRanges(source: Source): Range[] {
  const ranges: Range[] = [];
  for (const { node } of secretScalars(source)) if (node.range) ranges.push([node.range[0], node.range[1]]);
  return ranges;
}

/** Every scalar of the file that stands under a key with a secret-looking name. */
export function secretScalars(source: Source): { key: string; node: Scalar }[] {
  const found: { key: string; node: Scalar }[] = [];
  visit(source.document, {
    Pair(_, pair) {
      const { key, value } = pair;
      if (isScalar(key) && isScalar(value) && isSecret(String(key.value), String(value.value))) found.push({ key: String(key.value), node: value });
    },
  });
  return found;
}

function excerptAt(source: Source, offset: number, masks: readonly Range[]): Problem['excerpt'] {
  const from = source.text.lastIndexOf('\n', offset - 1) + 1;
  const end = source.text.indexOf('\n', from);
  const to = end === -1 ? source.text.length : end;
  const line = source.text.slice(from, to).replace(/\r$/, '');
  if (line.trim() === '') return undefined;
  // Ranges of the tree know every form of a scalar; the patterns still hold where a file has no tree because it cannot be read.
  const own = masks.filter(([start, stop]) => start < to && stop > from).map(([start, stop]): Range => [start - from, Math.min(stop, to) - from]);
  const patterns = [...matches(line, SECRET_PAIR, 1, (text) => !FILE_NAME.test(text)), ...matches(line, USER_INFO, 1, () => true)];
  const masked = mask(line, [...own, ...patterns], offset - from + 1);
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
    text += line.slice(at, start) + MASK;
    if (column > to) moved += MASK.length - (to - start);
    else if (column > start + 1) moved = text.length - MASK.length + 1;
    at = to;
  }
  return { line: text + line.slice(at), column: moved };
}
