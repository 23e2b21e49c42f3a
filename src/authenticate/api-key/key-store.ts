import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Caller } from '../../exchange/exchange.ts';
import type { Log } from '../../pipeline/stage.ts';
import { type FileWatch, watchFiles } from '../../stores/watch-files.ts';
import { type HashKey, readHashKey } from './hash-key.ts';
import { type KeyFile, KeyFileError, parseKeyFile } from './key-file.ts';
import { KeyRing } from './key-ring.ts';

/** A hundred thousand keys are 20 MB. */
const LARGEST_FILE = 64 * 1024 * 1024;

/** A revoked key must stop within two seconds, also on file systems that do not tell of changes. */
const WATCH = { settle: 50, poll: 1000 };

export interface KeyStoreParts {
  readonly keys: string;
  readonly hashKey: string;
  readonly as: Pick<Caller, 'name' | 'header'>;
  readonly log: Log;
}

/** The keys of a file, read again whenever it changes. What cannot be read changes nothing: the keys that were there stay. */
export class KeyStore {
  readonly #parts: KeyStoreParts;
  readonly #first: Promise<boolean>;
  #ring: KeyRing | undefined;
  #version = '';
  #watch: FileWatch | undefined;
  /** Readings wait for one another, so that the last one wins. */
  #reading: Promise<void>;
  #closed = false;

  constructor(parts: KeyStoreParts) {
    this.#parts = parts;
    this.#first = this.#load();
    this.#reading = this.#first.then(nothing, nothing);
  }

  /** Settles when the keys have been read the first time; rejects when they cannot be. */
  async ready(): Promise<void> {
    await this.#first;
    // Not before: while there are no keys yet there are none to keep.
    if (!this.#closed) this.#watch ??= watchFiles([this.#parts.keys, this.#parts.hashKey], () => void this.refresh(), WATCH);
  }

  get ring(): KeyRing {
    if (this.#ring === undefined) throw new Error('the keys have not been read');
    return this.#ring;
  }

  /** Reads the file again. Never rejects. */
  refresh(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#reload());
    return this.#reading;
  }

  close(): void {
    this.#closed = true;
    this.#watch?.close();
  }

  async #reload(): Promise<void> {
    if (this.#closed) return;
    const { log, keys } = this.#parts;
    try {
      if (await this.#load()) log.info('API keys read again', { event: 'api-keys-replaced', file: keys, keys: this.#ring?.size });
    } catch (error) {
      log.error(`API keys not read again, the old ones stay: ${(error as Error).message}`, { event: 'api-keys-kept' });
    }
  }

  /** False when nothing has changed. */
  async #load(): Promise<boolean> {
    const { keys, hashKey, as } = this.#parts;
    const text = await readKeyText(keys);
    const secret = readHashKey(hashKey);
    const version = createHash('sha256').update(`${secret.label} ${text}`).digest('hex');
    if (version === this.#version) return false;
    this.#ring = new KeyRing(secret, checkedKeyFile(keys, text, secret, hashKey), as);
    this.#version = version;
    return true;
  }
}

/** Reads the text of a file of keys; what goes wrong is told as the file's problem. */
export async function readKeyText(file: string): Promise<string> {
  return textOf(
    file,
    await readFile(file).catch((error: unknown) => {
      throw unreadable(file, error);
    }),
  );
}

/** Reads the keys and forgets them: what is wrong with the files is thrown as an error for people. */
export function checkKeyFiles(keys: string, hashKey: string): void {
  let bytes: Buffer;
  try {
    bytes = readFileSync(keys);
  } catch (error) {
    throw unreadable(keys, error);
  }
  checkedKeyFile(keys, textOf(keys, bytes), readHashKey(hashKey), hashKey);
}

function textOf(file: string, bytes: Buffer): string {
  if (bytes.length > LARGEST_FILE) throw new KeyFileError(`${file}:1:1: is larger than 64 MiB`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new KeyFileError(`${file}:1:1: is not valid UTF-8`);
  }
}

function unreadable(file: string, error: unknown): KeyFileError {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOENT') return new KeyFileError(`${file}:1:1: cannot be read (${code ?? 'unknown error'})`);
  return new KeyFileError(
    `${file}:1:1: there is no such file (\`portcullis keys create --keys ${file} --id NAME\` makes it)`,
    true,
  );
}

function checkedKeyFile(file: string, text: string, hashKey: HashKey, hashKeyPath: string): KeyFile {
  const read = parseKeyFile(file, text);
  requireHashKey(file, read, hashKey, hashKeyPath);
  return read;
}

/** The keys must have been hashed with this very hash key: with another, each of them would be unknown. */
export function requireHashKey(file: string, read: KeyFile, hashKey: HashKey, hashKeyPath: string): void {
  if (read.keys.length === 0 || read.hashedWith === hashedWith(hashKey)) return;
  const advice = 'put back the one that belongs to it, or issue all keys anew';
  throw new KeyFileError(`${file}:1:1: its keys were hashed with another hash key than ${hashKeyPath}: ${advice}`);
}

export function hashedWith(hashKey: HashKey): string {
  return `hmac-sha256/${hashKey.label}`;
}

const nothing = (): void => undefined;
