import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { createFile } from '../../stores/locked-file.ts';

/**
 * The key of the keyed hash (HMAC-SHA-256, RFC 2104) under which API keys are kept. It lies apart from the hashes: who gets hold of the
 * file of keys alone cannot even try keys against it.
 */
export interface HashKey {
  readonly secret: KeyObject;
  /** Tells one such key from another, and nothing about it. Stands in the file of keys. */
  readonly label: string;
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
    if (TEXT.test(text)) return hashKey(Buffer.from(text.trimEnd(), 'base64url'));
  } finally {
    closeSync(file);
  }
  throw new HashKeyError(`${path} is not a hash key: 43 characters of base64url, as \`portcullis keys\` writes them`);
}

/** Makes a new hash key, unless one is there. */
export async function createHashKey(path: string): Promise<boolean> {
  return await createFile(path, `${randomBytes(BYTES).toString('base64url')}\n`);
}

function hashKey(bytes: Buffer): HashKey {
  const secret = createSecretKey(bytes);
  return { secret, label: createHmac('sha256', secret).update('portcullis hash key').digest('hex').slice(0, 16) };
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

/** The keyed hash of an API key, which is ASCII: 32 bytes, one character for each, because Node makes that quicker than a Buffer. */
export function hashOf(key: HashKey, text: string): string {
  return createHmac('sha256', key.secret).update(text, 'latin1').digest('binary');
}
