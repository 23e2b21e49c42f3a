import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Location } from './contract.ts';
import { parsePointer } from './pointer.ts';
import type { Problems } from './problems.ts';
import { parseSource, type Source } from './source.ts';

/** Bounds of a document with all its files. The largest public documents have some 14 MB. */
const MAX_MIB = 32;
const MAX_FILES = 1000;

/**
 * The files of a document, each read once and only from disk: what a `$ref` names is never fetched. Paths are shown as they came:
 * relative ones stay relative to the working directory.
 */
export class Files {
  readonly main: string;
  readonly #sources = new Map<string, Source | undefined>();
  readonly #problems: Problems;
  #bytes = 0;

  constructor(main: string, problems: Problems) {
    this.main = main;
    this.#problems = problems;
  }

  /** Absolute paths of all that was read, also of what could not be. */
  get paths(): string[] {
    return [...this.#sources.keys()].map((file) => path.resolve(file));
  }

  /** What the file holds; undefined, with a problem, when it cannot be read. `from` is who asks for it. */
  open(file: string, from?: Location): Source | undefined {
    if (this.#sources.has(file)) return this.#sources.get(file);
    const source = this.#read(file, from ?? { file, pointer: '' });
    this.#sources.set(file, source);
    return source;
  }

  #read(file: string, from: Location): Source | undefined {
    let text: string;
    try {
      text = this.#text(file);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#problems.add(from, 'code' in error ? reason(file, String(error.code)) : error.message);
      return undefined;
    }
    const { source, problems } = parseSource(file, text);
    for (const problem of problems) this.#problems.addPlaced(problem);
    return source;
  }

  #text(file: string): string {
    const stat = statSync(file);
    // A pipe would never end, a device neither.
    if (!stat.isFile()) throw new Error(`${file} is not a file`);
    this.#bytes += stat.size;
    if (this.#bytes > MAX_MIB * 1024 * 1024) throw new Error(`the document has more than ${MAX_MIB} MiB with ${file}`);
    if (this.#sources.size >= MAX_FILES) throw new Error(`the document has more than ${MAX_FILES} files`);
    const text = decode(readFileSync(file));
    if (text === undefined) throw new Error(`${file} is not UTF-8`);
    return text;
  }

  /** Line and column of a spot, or of the nearest thing around it. */
  place(location: Location, at?: 'key' | 'value'): { line: number; column: number } {
    const source = this.#sources.get(location.file);
    return source?.place(parsePointer(location.pointer) ?? [], at) ?? { line: 1, column: 1 };
  }
}

function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function reason(file: string, code: string): string {
  if (code === 'ENOENT') return `${file} does not exist`;
  if (code === 'EACCES') return `${file} may not be read`;
  return `${file} cannot be read: ${code}`;
}
