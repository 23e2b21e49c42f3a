import { randomBytes } from 'node:crypto';
import { createFile, replaceFile, withFileLock } from '../stores/locked-file.ts';
import { describePlace, type KeyPlace, readKeyText, readKeys } from './key-file.ts';
import { KEY_VARIABLE } from './names.ts';
import type { SecretKey } from './secret-key.ts';
import { SecretsError } from './secrets-error.ts';
import { type Entry, formatStore, openEntry, readStore, verifyStore } from './store-file.ts';

/** A store with the keys that open it, held for the time of one change. */
interface Opened {
  readonly entries: Map<string, Entry>;
  readonly keys: readonly SecretKey[];
}

export interface Made {
  /** The key file was made, with a new key. */
  readonly madeKey: boolean;
  /** A secret of that name was there before. */
  readonly replaced: boolean;
}

/** Writes a secret. Makes the store where there is none, and a key file where there is no key. Zeroes `value`. */
export async function setSecret(file: string, place: KeyPlace, name: string, value: Buffer): Promise<Made> {
  try {
    return await withFileLock(file, async () => {
      const madeKey = await makeFirstKey(file, place);
      return await withStore(file, place, async ({ entries, keys: [key] }) => {
        const replaced = entries.has(name);
        entries.set(name, { key: key.id, value: key.seal(name, value) });
        await replaceFile(file, formatStore(entries, key));
        return { madeKey, replaced };
      });
    });
  } finally {
    value.fill(0);
  }
}

/** Takes a secret out. @throws SecretsError when there is none of that name */
export async function removeSecret(file: string, place: KeyPlace, name: string): Promise<void> {
  await withFileLock(file, () =>
    withStore(
      file,
      place,
      async ({ entries, keys: [key] }) => {
        if (!entries.delete(name)) throw new SecretsError(`there is no secret ${name} in ${file}`);
        await replaceFile(file, formatStore(entries, key));
      },
      MUST_BE_THERE,
    ),
  );
}

/**
 * Encrypts all secrets with a new key, and gives its id. A gateway that reads in between, or a machine that stops, finds a key for what is
 * in the store at every step: the new key comes first into the key file, before the old ones, which leave it last.
 */
export async function rotateSecrets(file: string, place: KeyPlace): Promise<{ id: string; count: number }> {
  return await withFileLock(file, async () => {
    if (place.kind === 'variable') return await rotateVariable(file, place);
    // Nothing is changed before all that is there has been verified.
    await withStore(file, place, async () => {}, MUST_BE_THERE);
    const old = readKeyText(place.file);
    const fresh = newKeyText();
    await replaceFile(place.file, `${fresh}${old}`);
    const done = await withStore(file, place, (opened) => encryptAnew(file, opened));
    await replaceFile(place.file, fresh);
    return done;
  });
}

async function rotateVariable(file: string, place: KeyPlace): Promise<{ id: string; count: number }> {
  return await withStore(
    file,
    place,
    async (opened) => {
      if (opened.keys.length > 1) return await encryptAnew(file, opened);
      throw new SecretsError(
        `${KEY_VARIABLE} holds one key only: put a new one (\`openssl rand -base64 32\`) before it, with a blank between`,
      );
    },
    MUST_BE_THERE,
  );
}

async function encryptAnew(file: string, { entries, keys }: Opened): Promise<{ id: string; count: number }> {
  const [key] = keys;
  const anew = new Map<string, Entry>();
  for (const [name, entry] of entries) {
    const value = openEntry(name, entry, keys, file, 'the key file');
    anew.set(name, { key: key.id, value: key.seal(name, value) });
    value.fill(0);
  }
  await replaceFile(file, formatStore(anew, key));
  return { id: key.id, count: anew.size };
}

/** Names with the ids of their keys; verified where there is a key to do it with. */
export function listSecrets(file: string, place: KeyPlace): { names: [string, string][]; verified: boolean } {
  const store = readStore(file);
  if (store === undefined) throw new SecretsError(`there is no ${file}`);
  const keys = readKeys(place) ?? [];
  try {
    if (keys.length > 0) verifyStore(store, keys, file, describePlace(place));
    return { names: [...store.entries].map(([name, { key }]) => [name, key]), verified: keys.length > 0 };
  } finally {
    for (const key of keys) key.destroy();
  }
}

const MUST_BE_THERE = true;

async function withStore<T>(
  file: string,
  place: KeyPlace,
  action: (opened: Opened) => Promise<T>,
  mustBeThere = false,
): Promise<T> {
  const store = readStore(file);
  if (store === undefined && mustBeThere) throw new SecretsError(`there is no ${file}`);
  const keys = readKeys(place);
  if (keys === undefined) throw new SecretsError(`there is no key for ${file}: ${describePlace(place)} is not there`);
  try {
    if (store !== undefined) verifyStore(store, keys, file, describePlace(place));
    return await action({ entries: new Map(store?.entries), keys });
  } finally {
    for (const key of keys) key.destroy();
  }
}

/** Only for a store that is not there yet: another key could not open one that is. */
async function makeFirstKey(file: string, place: KeyPlace): Promise<boolean> {
  if (place.kind === 'variable' || readStore(file) !== undefined) return false;
  return await createFile(place.file, newKeyText());
}

function newKeyText(): string {
  const bytes = randomBytes(32);
  const text = `${bytes.toString('base64')}\n`;
  bytes.fill(0);
  return text;
}
