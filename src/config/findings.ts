import type { Alias, Node } from 'yaml';
import { type Problem, sortProblems } from './problem.ts';
import type { Path } from './schema-tree.ts';
import { findMasks, type Masks, maskedExcerpt } from './secrets.ts';
import { type Place, placeOfKey, placeOfValue, type Source } from './source.ts';

/** Something found wrong, before it is known how it is to be shown. */
export interface Finding {
  readonly place: Place;
  readonly message: string;
  readonly hint?: string;
  /** The key that is not there, where that is the problem. */
  readonly missing?: string;
}

/** Reports a finding at the value, or at the key, that `path` leads to. */
export type Report = (path: Path, message: string, options?: ReportOptions) => void;

export interface ReportOptions {
  readonly hint?: string;
  readonly at?: 'key' | 'value';
  /** Something else that is part of the problem: its line is told. */
  readonly other?: Path;
  /** The problem is that nothing stands at this path. */
  readonly missing?: boolean;
}

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
    const other = options?.other === undefined ? '' : ` (line ${this.#lineOf(options.other)})`;
    const missing = options?.missing === true ? JSON.stringify(path) : undefined;
    this.found.push({ place, message: message + other, hint: options?.hint, missing });
  };

  /** Another problem explains why nothing stands at this path: the key is there, misspelt. */
  dropMissing(path: Path): void {
    const index = this.found.findIndex((finding) => finding.missing === JSON.stringify(path));
    if (index !== -1) this.found.splice(index, 1);
  }

  #lineOf(path: Path): number {
    return this.source.lines.linePos(placeOfValue(this.source, path).offset).line;
  }

  reportOffset(offset: number, message: string, hint?: string): void {
    this.found.push({ place: { offset, via: undefined, node: undefined }, message, hint });
  }

  /** All problems, sorted by position, with nothing secret in them. */
  problems(): Problem[] {
    const masks = findMasks(this.source);
    const shown = mergeAliased(this.source, this.found);
    return sortProblems(shown.map((finding) => this.#problem(finding, masks)));
  }

  #problem(finding: Finding, masks: Masks): Problem {
    const { line, col } = this.source.lines.linePos(finding.place.offset);
    return {
      file: this.source.file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      message: this.#redact(finding.message),
      hint: finding.hint === undefined ? undefined : this.#redact(finding.hint),
      excerpt: maskedExcerpt(this.source, finding.place.offset, masks),
    };
  }

  #redact(message: string): string {
    let text = message;
    for (const secret of this.secrets) {
      if (secret.text === '') continue;
      text = text.replaceAll(JSON.stringify(secret.text), () => JSON.stringify(secret.shown));
      // Short values cannot be told from ordinary words, and replacing them would make every message unreadable.
      if (secret.text.length >= 4) text = replaceIgnoringCase(text, secret.text, secret.shown);
    }
    return text;
  }
}

/** Also finds what a room wrote in lower case, such as a host name. */
function replaceIgnoringCase(text: string, part: string, by: string): string {
  const lower = text.toLowerCase();
  const wanted = part.toLowerCase();
  // A few letters change their length; then positions say nothing.
  if (lower.length !== text.length) return text.replaceAll(part, () => by);
  let result = '';
  let from = 0;
  for (let at = lower.indexOf(wanted); at !== -1; at = lower.indexOf(wanted, from)) {
    result += text.slice(from, at) + by;
    from = at + wanted.length;
  }
  return result + text.slice(from);
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
