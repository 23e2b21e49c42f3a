import { type Alias, isScalar, type Node } from 'yaml';
import { type Problem, sortProblems } from './problem.ts';
import { type Hidden, redact, showsPart } from './redact.ts';
import type { Path } from './schema-tree.ts';
import { findMasks, type Masks, maskedExcerpt, maskUrls } from './secrets.ts';
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

/** Gathers findings about one source. */
export class Findings {
  readonly source: Source;
  readonly found: Finding[] = [];
  readonly secrets: Hidden[] = [];
  /** Values that came by `secret:NAME`, with the name. */
  readonly secretNodes = new Map<Node, string>();
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
      message: this.#redact(finding.message, finding.place.node),
      hint: this.#hint(finding),
      excerpt: maskedExcerpt(this.source, finding.place.offset, masks),
    };
  }

  #hint({ hint, place }: Finding): string | undefined {
    const hidden = place.node !== undefined && this.secretNodes.has(place.node);
    return hint === undefined || hidden ? undefined : maskUrls(redact(hint, this.secrets));
  }

  #redact(message: string, node: Node | undefined): string {
    const name = node === undefined ? undefined : this.secretNodes.get(node);
    // A room may have taken the value apart: a message that shows any piece of it is not told.
    if (name !== undefined && isScalar(node) && showsPart(message, String(node.value)))
      return `the value of secret:${name} does not fit here`;
    return maskUrls(redact(message, this.secrets));
  }
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
