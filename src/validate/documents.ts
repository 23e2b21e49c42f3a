import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Carry } from '../pipeline/stage.ts';
import { documentOptions, enforceOptions } from './contract.ts';
import type { ApiDocument, DocumentProblem, LoadOptions } from './openapi/contract.ts';
import { Contract } from './openapi/enforce.ts';
import { loadDocument } from './openapi/load.ts';
import type { ValidateOptions } from './options.ts';

/** What a document became, as long as none of its files changes. */
interface Loaded {
  readonly hash: string;
  readonly files: readonly string[];
  readonly document: ApiDocument;
  /** By what a route says of reading: routes that say the same share one. */
  readonly contracts: Map<string, Contract>;
}

/** The contract of a route. Compiled once for all routes and reloads that have the same file with the same content. */
export async function contractOf(file: string, options: ValidateOptions, carry: Carry): Promise<Contract> {
  const reading = documentOptions(options);
  const cache = carry.take(`contract:${file} ${reading.readOnly ?? 'refuse'}`, () => new DocumentCache(file, reading));
  const { contracts, document } = await cache.load();
  const key = JSON.stringify([options.base ?? null, options.json]);
  const known = contracts.get(key);
  if (known !== undefined) return known;
  const contract = new Contract(document, enforceOptions(options));
  contracts.set(key, contract);
  return contract;
}

/** A document that does not load: each line is `FILE:LINE:COLUMN: problem`. */
export class DocumentError extends Error {}

/** One document over reloads. What is served keeps the contract that it was prepared with. */
class DocumentCache {
  readonly #file: string;
  readonly #reading: LoadOptions;
  #loaded: Loaded | undefined = undefined;
  #loading: Promise<Loaded> | undefined = undefined;

  constructor(file: string, reading: LoadOptions) {
    this.#file = file;
    this.#reading = reading;
  }

  /** Routes of one configuration ask at the same time: the first has the files looked at. */
  load(): Promise<Loaded> {
    this.#loading ??= this.#renew().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #renew(): Promise<Loaded> {
    const before = this.#loaded;
    if (before !== undefined && (await hashFiles(before.files)) === before.hash) return before;
    const { document, problems, files } = loadDocument(this.#file, this.#reading);
    if (document === undefined) throw new DocumentError(problems.filter(isError).map(problemText).join('\n'));
    this.#loaded = { document, files, hash: await hashFiles(files), contracts: new Map() };
    return this.#loaded;
  }
}

const isError = ({ severity }: DocumentProblem) => severity === 'error';

const problemText = ({ file, line, column, message }: DocumentProblem) => `${file}:${line}:${column}: ${message}`;

async function hashFiles(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) {
    const bytes = await readFile(file).catch(() => undefined);
    hash.update(`${file}\0${bytes?.length ?? -1}\0`).update(bytes ?? '');
  }
  return hash.digest('hex');
}
