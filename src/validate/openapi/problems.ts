import type { DocumentProblem, Location } from './contract.ts';
import type { Files } from './files.ts';

export interface ProblemOptions {
  readonly hint?: string | undefined;
  readonly severity?: 'error' | 'warning';
  /** The name itself is the problem, not what it holds. */
  readonly at?: 'key' | 'value';
}

interface Found extends ProblemOptions {
  readonly location: Location;
  readonly message: string;
}

/** A document with more wrong things than this needs no longer list. */
const MOST = 200;

/** Gathers what is wrong with a document, each thing once, and puts places to it at the end. */
export class Problems {
  readonly #found = new Map<string, Found>();
  readonly #placed: DocumentProblem[] = [];
  #broken = false;

  add(location: Location, message: string, options: ProblemOptions = {}): void {
    if (options.severity !== 'warning') this.#broken = true;
    const key = `${location.file}#${location.pointer} ${message}`;
    if (!this.#found.has(key)) this.#found.set(key, { location, message, ...options });
  }

  warn(location: Location, message: string, options: ProblemOptions = {}): void {
    this.add(location, message, { ...options, severity: 'warning' });
  }

  /** A problem whose place is known already. */
  addPlaced(problem: DocumentProblem): void {
    if (problem.severity === 'error') this.#broken = true;
    this.#placed.push(problem);
  }

  get broken(): boolean {
    return this.#broken;
  }

  /** Sorted by file and position; of very many, errors go first. */
  list(files: Files): DocumentProblem[] {
    const found = [...this.#found.values()].sort((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning'));
    const placed = found.slice(0, MOST).map((one) => place(one, files));
    return [...this.#placed, ...placed].sort(
      (a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.message, b.message),
    );
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

function place({ location, message, hint, severity = 'error', at }: Found, files: Files): DocumentProblem {
  const { line, column } = files.place(location, at);
  return { file: location.file, line, column, message, ...(hint === undefined ? {} : { hint }), severity };
}
