import { createHmac, hash, randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { createFile } from '../../stores/locked-file.ts';
import { KEY_LENGTH } from './format.ts';

const BLOCK = 64;
const DIGEST = 32;

/**
 * The key of the keyed hash (HMAC-SHA-256, RFC 2104) under which API keys are kept. It lies apart from the hashes: who gets hold of the
 * file of keys alone cannot even try keys against it.
 */
export class HashKey {
  /** Tells one such key from another, and nothing about it. Stands in the file of keys. */
  readonly label: string;
  /** The key XOR ipad, and room for an API key. */
  readonly #inner = Buffer.alloc(BLOCK + KEY_LENGTH, 0x36);
  /** The key XOR opad, and room for the inner digest. */
  readonly #outer = Buffer.alloc(BLOCK + DIGEST, 0x5c);

  constructor(bytes: Buffer) {
    if (bytes.length > BLOCK) throw new RangeError('a hash key is at most one block');
    for (const [i, byte] of bytes.entries()) {
      this.#inner[i] ^= byte;
      this.#outer[i] ^= byte;
    }
    this.label = createHmac('sha256', bytes).update('portcullis hash key').digest('hex').slice(0, 16);
  }

  /**
   * The keyed hash of an API key: 32 bytes, one character for each. Written out, because `createHmac` makes two objects outside of the heap
   * for each hash: 0.8 instead of 1.8 µs. A test holds it to `createHmac`.
   */
  of(key: string): string {
    if (key.length !== KEY_LENGTH) throw new RangeError('not an API key');
    this.#inner.write(key, BLOCK, 'latin1');
    this.#outer.write(hash('sha256', this.#inner, 'binary'), BLOCK, 'latin1');
    return hash('sha256', this.#outer, 'binary');
  }
}

/** What is wrong with the file of the hash key, in words for people. */
export class HashKeyError extends Error {
  override readonly name = 'HashKeyError';
  /** True when there is no such file. */
  readonly missing: boolean;

  constructor(message: string, missing = false) {
    super(message);
    this.missing = missing;
  }
}

const BYTES = 32;
const TEXT = /^[A-Za-z0-9_-]{43}\n?$/;

/** Where the hash key of a file of keys lies, unless the configuration names another place. */
export function hashKeyFile(keys: string, configured: string | undefined): string {
  return configured ?? `${keys}.key`;
}

/** Reads the hash key. Others must not be able to: then the hashes would be worth no more than plain ones. */
export function readHashKey(path: string): HashKey {
  const file = openFile(path);
  try {
    checkMode(path, fstatSync(file));
    const bytes = Buffer.alloc(BYTES * 2);
    const text = bytes.toString('latin1', 0, readSync(file, bytes));
    if (TEXT.test(text)) return new HashKey(Buffer.from(text.trimEnd(), 'base64url'));
  } finally {
    closeSync(file);
  }
  throw new HashKeyError(`${path} is not a hash key: 43 characters of base64url, as \`portcullis keys\` writes them`);
}

/** Makes a new hash key, unless one is there. */
export async function createHashKey(path: string): Promise<boolean> {
  return await createFile(path, `${randomBytes(BYTES).toString('base64url')}\n`);
}

function openFile(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') {
      const why = `cannot be read (${code ?? 'unknown error'}): this account must be able to`;
      throw new HashKeyError(`${path}, the key of the keyed hash, ${why}`);
    }
    const what = 'it is the key of the keyed hash, without which no API key can be verified';
    const advice = 'The first `portcullis keys create` wrote it; put it back, or issue all keys anew';
    throw new HashKeyError(`${path} is missing: ${what}. ${advice}`, true);
  }
}

/** The group may read it: that is how Kubernetes hands out secrets. */
function checkMode(path: string, stats: Stats): void {
  if (!stats.isFile()) throw new HashKeyError(`${path} is no file`);
  if (process.platform === 'win32' || (stats.mode & 0o027) === 0) return;
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
  const advice = `run \`chmod 600 ${path}\`, and when others may have read it, issue all keys anew`;
  throw new HashKeyError(`${path} is open to others (mode ${mode}): ${advice}`);
}
