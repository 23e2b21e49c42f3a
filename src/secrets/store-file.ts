import { LARGEST_STORE, readBytes } from './read-file.ts';
import type { SecretKey } from './secret-key.ts';
import { SecretsError } from './secrets-error.ts';

/**
 * The encrypted store as a file. It is YAML for those who look at it, but has one form only: what is not byte for byte what would be
 * written is not read. Each value is encrypted for its name; the seal is over all of the file, so that entries can be neither added
 * nor taken away, nor come from another state of it.
 */
export interface StoreFile {
  readonly entries: ReadonlyMap<string, Entry>;
  readonly seal: { readonly key: string; readonly mac: Buffer };
  /** What the seal is over. */
  readonly sealed: string;
}

export interface Entry {
  /** Id of the key. */
  readonly key: string;
  readonly value: Buffer;
}

const HEAD = `# The secrets of Portcullis, encrypted with AES-256-GCM. \`portcullis secrets\` writes this file: changed by hand, it is not read.
version: 1
`;
const SEAL = /^seal: ([0-9a-f]{16})\.([A-Za-z0-9_-]{43})$/;
const ENTRY = /^ {2}([A-Za-z_][A-Za-z0-9_.-]{0,127}): ([0-9a-f]{16})\.([A-Za-z0-9_-]{38,100000})$/;

/** Reads a store; undefined where there is no file. Nothing is verified yet. */
export function readStore(file: string): StoreFile | undefined {
  const bytes = readBytes(file, LARGEST_STORE);
  return bytes === undefined ? undefined : parseStore(bytes.toString('latin1'), file);
}

export function parseStore(text: string, file: string): StoreFile {
  const version = /^version: (\d{1,9})$/m.exec(text)?.[1];
  if (version !== undefined && version !== '1') {
    throw new SecretsError(`${file} has version ${version}: this program reads version 1`);
  }
  const [sealLine = '', ...lines] = text.slice(HEAD.length).split('\n');
  const seal = SEAL.exec(sealLine);
  const entries = new Map<string, Entry>();
  for (const line of lines) {
    const found = ENTRY.exec(line);
    if (found !== null) entries.set(found[1], { key: found[2], value: Buffer.from(found[3], 'base64url') });
  }
  const sealed = body(entries);
  // The one form: also no other spelling of Base64, no other order, no comment and no blank.
  if (
    seal === null ||
    text !== `${HEAD}${sealLine}\n${sealed}` ||
    Buffer.from(seal[2], 'base64url').toString('base64url') !== seal[2]
  ) {
    throw new SecretsError(
      `${file} is not a store as \`portcullis secrets\` writes it: it was changed, or is incomplete${namedIn(lines)}`,
    );
  }
  return { entries, seal: { key: seal[1], mac: Buffer.from(seal[2], 'base64url') }, sealed };
}

/** The first line that cannot be an entry, by its name: that helps to find what happened. */
function namedIn(lines: readonly string[]): string {
  for (const line of lines.slice(1, -1)) {
    const name = /^ {2}([A-Za-z_][A-Za-z0-9_.-]{0,127}):/.exec(line)?.[1];
    const found = ENTRY.exec(line);
    const whole = found !== null && Buffer.from(found[3], 'base64url').toString('base64url') === found[3];
    if (!whole && name !== undefined) return ` (at ${name})`;
  }
  return '';
}

function body(entries: ReadonlyMap<string, Entry>): string {
  if (entries.size === 0) return 'secrets: {}\n';
  const lines = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return `secrets:\n${lines.map(([name, { key, value }]) => `  ${name}: ${key}.${value.toString('base64url')}\n`).join('')}`;
}

/** The text of a store with these entries, sealed with this key. */
export function formatStore(entries: ReadonlyMap<string, Entry>, key: SecretKey): string {
  const sealed = body(entries);
  return `${HEAD}seal: ${key.id}.${key.sealOf(sealContext(sealed)).toString('base64url')}\n${sealed}`;
}

const sealContext = (sealed: string) => HEAD + sealed;

/** Holds a store to its seal, and says what is wrong where it can be told. @throws SecretsError */
export function verifyStore(store: StoreFile, keys: readonly SecretKey[], file: string, keysAt: string): void {
  const key = keyOf(store.seal.key, keys, file, keysAt);
  if (key.fits(sealContext(store.sealed), store.seal.mac)) return;
  for (const [name, entry] of store.entries) openEntry(name, entry, keys, file, keysAt).fill(0);
  throw new SecretsError(`${file} was changed: entries were added, taken away, or come from another state of the store`);
}

/** The value of one entry. @throws SecretsError */
export function openEntry(name: string, entry: Entry, keys: readonly SecretKey[], file: string, keysAt: string): Buffer {
  const value = keyOf(entry.key, keys, file, keysAt).open(name, entry.value);
  if (value !== undefined) return value;
  throw new SecretsError(`the value of ${name} in ${file} does not verify: it was changed, or was encrypted for another name`);
}

function keyOf(id: string, keys: readonly SecretKey[], file: string, keysAt: string): SecretKey {
  const key = keys.find((one) => one.id === id);
  if (key !== undefined) return key;
  throw new SecretsError(`${file} is encrypted with the key ${id}, but ${keysAt} holds ${keys.map((one) => one.id).join(', ')}`);
}
