import path from 'node:path';
import { describePlace, keyPlace, readKeys } from './key-file.ts';
import { KEY_VARIABLE, nameProblem } from './names.ts';
import { readBytes, secretText } from './read-file.ts';
import type { SecretKey } from './secret-key.ts';
import { SecretsError } from './secrets-error.ts';
import { openEntry, readStore, type StoreFile, verifyStore } from './store-file.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where secrets may be; paths are absolute. */
export interface SecretPlaces {
  readonly environment: Environment;
  readonly directory?: string | undefined;
  readonly store?: string | undefined;
  readonly key?: string | undefined;
}

/** A gateway may read between two steps of `secrets rotate`; then another look finds both files at the same step. */
const LOOKS = 3;

/**
 * Looks up secrets: the variable of that name, the file that `NAME_FILE` names, the folder, the store; the first that has it. Use it for
 * one load of a configuration and `close` it: keys are kept no longer.
 */
export class SecretLookup implements Disposable {
  readonly #places: SecretPlaces;
  readonly #files = new Set<string>();
  readonly #variables = new Set<string>();
  #store: StoreFile | undefined;
  #keys: SecretKey[] = [];

  constructor(places: SecretPlaces) {
    this.#places = places;
    if (environmentHas(places.environment, KEY_VARIABLE)) this.#variables.add(KEY_VARIABLE);
  }

  /** Files that decide about what was looked up, also those that are not there: a change of one may change a secret. */
  get files(): readonly string[] {
    return [...this.#files];
  }

  /** Variables that hold a secret or a key. */
  get variables(): readonly string[] {
    return [...this.#variables];
  }

  /** Opens and verifies the store, where one is configured. @throws SecretsError */
  openStore(): void {
    const { store, key, environment } = this.#places;
    if (store === undefined) return;
    const place = keyPlace(store, key, environment);
    this.#files.add(store);
    if (place.kind === 'file') this.#files.add(place.file);
    for (let look = 1; this.#store === undefined; look += 1) {
      try {
        this.#open(store, place);
      } catch (error) {
        if (look === LOOKS || !(error instanceof SecretsError)) throw error;
      }
    }
  }

  #open(file: string, place: ReturnType<typeof keyPlace>): void {
    const store = readStore(file);
    if (store === undefined)
      throw new SecretsError(`there is no ${file}: \`portcullis secrets set NAME --store ${file}\` makes it`);
    this.close();
    const keys = readKeys(place);
    if (keys === undefined)
      throw new SecretsError(
        `there is no key for ${file}: neither ${KEY_VARIABLE} in the environment nor the file ${describePlace(place)}`,
      );
    this.#keys = keys;
    verifyStore(store, keys, file, describePlace(place));
    this.#store = store;
  }

  /** The value of a secret. @throws SecretsError when it is nowhere, or what is there cannot be used */
  get(name: string): string {
    const problem = nameProblem(name);
    if (problem !== undefined) throw new SecretsError(problem);
    return (
      this.#fromVariable(name) ??
      this.#fromFile(name) ??
      this.#fromDirectory(name) ??
      this.#fromStore(name) ??
      this.#nowhere(name)
    );
  }

  #fromVariable(name: string): string | undefined {
    const { environment } = this.#places;
    if (!environmentHas(environment, name)) return undefined;
    this.#variables.add(name);
    if (environmentHas(environment, `${name}_FILE`)) {
      throw new SecretsError(`${name} and ${name}_FILE are both set in the environment: only one can be meant`);
    }
    if (environment[name] === '') throw new SecretsError(`the environment variable ${name} is set, but empty`);
    return environment[name];
  }

  #fromFile(name: string): string | undefined {
    const { environment } = this.#places;
    const variable = `${name}_FILE`;
    if (!environmentHas(environment, variable)) return undefined;
    const file = path.resolve(environment[variable] ?? '');
    const text = this.#read(file);
    if (text === undefined) throw new SecretsError(`${variable} names ${file}, which is not there`);
    return text;
  }

  #fromDirectory(name: string): string | undefined {
    const { directory } = this.#places;
    return directory === undefined ? undefined : this.#read(path.join(directory, name));
  }

  #read(file: string): string | undefined {
    this.#files.add(file);
    const bytes = readBytes(file);
    return bytes === undefined ? undefined : secretText(bytes, file);
  }

  #fromStore(name: string): string | undefined {
    const entry = this.#store?.entries.get(name);
    if (entry === undefined) return undefined;
    const { store = '', key, environment } = this.#places;
    const place = describePlace(keyPlace(store, key, environment));
    return secretText(openEntry(name, entry, this.#keys, store, place), `the value of ${name} in ${store}`);
  }

  #nowhere(name: string): never {
    const { directory, store } = this.#places;
    const places = [
      `the environment (${name}, ${name}_FILE)`,
      ...(directory === undefined ? [] : [`the folder ${directory}`]),
      ...(store === undefined ? [] : [`the store ${store}`]),
    ];
    throw new SecretsError(`there is no secret ${name}: looked in ${places.join(' and in ')}`);
  }

  /** Zeroes the keys. */
  close(): void {
    for (const key of this.#keys) key.destroy();
    this.#keys = [];
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

const environmentHas = (environment: Environment, name: string) =>
  Object.hasOwn(environment, name) && environment[name] !== undefined;
