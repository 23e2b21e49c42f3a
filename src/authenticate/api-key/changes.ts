import type { KeyEntry } from './entry.ts';
import { newKey } from './format.ts';
import type { HashKey } from './hash-key.ts';
import type { CommentedEntry, KeyFile } from './key-file.ts';
import { hashedWith } from './key-store.ts';

/** What `portcullis keys` does to a file of keys. Nothing here touches a disk. */

/** Why a change cannot be made, in words for people. */
export class ChangeError extends Error {
  override readonly name = 'ChangeError';
  /** The ids that there are, where there is none like that. */
  readonly ids: readonly string[] | undefined;

  constructor(message: string, ids?: readonly string[]) {
    super(message);
    this.ids = ids;
  }
}

/** A file with a new key in it, and the key: the only place where it ever stands. */
export interface Issue {
  readonly file: KeyFile;
  readonly key: string;
}

export type NewEntry = Pick<KeyEntry, 'id' | 'expires' | 'plan' | 'scopes' | 'roles'>;

export function createKey(file: KeyFile, hashKey: HashKey, wanted: NewEntry, now: number): Issue {
  const there = file.keys.find(({ entry }) => entry.id === wanted.id);
  if (there?.entry.revoked !== undefined) {
    throw new ChangeError(`${wanted.id} was revoked: take another id, or delete its line from the file to forget about it`);
  }
  if (there !== undefined) throw new ChangeError(`${wanted.id} has a key already: \`portcullis keys rotate\` gives it a new one`);
  const key = newKey();
  const { id, ...others } = wanted;
  const entry = { id, hash: hashText(hashKey, key), created: isoTime(now), ...others };
  return { key, file: { ...file, hashedWith: hashedWith(hashKey), keys: [...file.keys, { entry, comments: [] }] } };
}

export interface Rotation {
  readonly id: string;
  /** Until when the old key still works, in milliseconds since the epoch; undefined: it stops at once. */
  readonly until: number | undefined;
  /** A time, or `never`; undefined: as it was. */
  readonly expires: string | undefined;
}

export function rotateKey(file: KeyFile, hashKey: HashKey, { id, until, expires }: Rotation, now: number): Issue {
  const { entry } = entryOf(file, id);
  if (entry.revoked !== undefined) throw new ChangeError(`${id} was revoked: create a key under another id`);
  const ends = expires === 'never' ? undefined : (expires ?? entry.expires);
  if (ends !== undefined && Date.parse(ends) <= now) {
    throw new ChangeError(`${id} has expired on ${ends}: say how long the new key lives, --expires 90d or --expires never`);
  }
  const key = newKey();
  const { previous: _, expires: old, ...others } = entry;
  // The old key must not live longer by being replaced.
  const last = until === undefined ? undefined : Math.min(until, old === undefined ? until : Date.parse(old));
  const changed: KeyEntry = {
    ...others,
    hash: hashText(hashKey, key),
    rotated: isoTime(now),
    ...(ends === undefined ? {} : { expires: ends }),
    ...(last === undefined ? {} : { previous: { hash: entry.hash, until: isoTime(last) } }),
  };
  return { key, file: replaced(file, changed) };
}

export function revokeKey(file: KeyFile, id: string, now: number): KeyFile {
  const { entry } = entryOf(file, id);
  return entry.revoked === undefined ? replaced(file, { ...entry, revoked: isoTime(now) }) : file;
}

export function entryOf(file: KeyFile, id: string): CommentedEntry {
  const found = file.keys.find(({ entry }) => entry.id === id);
  if (found === undefined) {
    const ids = file.keys.map(({ entry }) => entry.id);
    throw new ChangeError(`there is no key with the id ${id}`, ids);
  }
  return found;
}

function replaced(file: KeyFile, changed: KeyEntry): KeyFile {
  return { ...file, keys: file.keys.map((one) => (one.entry.id === changed.id ? { ...one, entry: changed } : one)) };
}

const hashText = (hashKey: HashKey, key: string) => Buffer.from(hashKey.of(key), 'latin1').toString('base64url');

export const isoTime = (time: number) => new Date(time).toISOString();
