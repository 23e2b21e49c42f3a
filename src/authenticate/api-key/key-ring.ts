import { timingSafeEqual } from 'node:crypto';
import type { Caller } from '../../exchange/exchange.ts';
import type { KeyEntry } from './entry.ts';
import { isKey } from './format.ts';
import type { HashKey } from './hash-key.ts';
import type { KeyFile } from './key-file.ts';

/** A key that was issued, and what is known about it. */
export interface Issued {
  readonly caller: Caller;
  readonly revoked: boolean;
  /** Milliseconds since the epoch from which on it is no good; Infinity: never. */
  readonly ends: number;
  readonly digest: Buffer;
}

/** All keys of one state of the file, for look-ups. Never changed: another state of the file is another ring. */
export class KeyRing {
  readonly #hashKey: HashKey;
  /** By keyed hash, one character per byte. */
  readonly #issued = new Map<string, Issued>();
  readonly #scratch = Buffer.alloc(32);

  /** `as`: what all callers of this ring have in common. */
  constructor(hashKey: HashKey, file: KeyFile, as: Pick<Caller, 'name' | 'header'>) {
    this.#hashKey = hashKey;
    for (const { entry } of file.keys) this.#add(entry, as);
  }

  get size(): number {
    return this.#issued.size;
  }

  /**
   * What was issued as this very key; 'malformed' for what cannot be one, undefined for a key that is unknown.
   *
   * The look-up is by a hash whose key nobody outside has, so that how long it takes says nothing about any key (threat class 31), and a
   * Map takes `__proto__` for a name like any other.
   */
  find(key: string): Issued | 'malformed' | undefined {
    if (!isKey(key)) return 'malformed';
    const digest = this.#hashKey.of(key);
    const found = this.#issued.get(digest);
    if (found === undefined) return undefined;
    this.#scratch.write(digest, 'latin1');
    return timingSafeEqual(found.digest, this.#scratch) ? found : undefined;
  }

  #add(entry: KeyEntry, as: Pick<Caller, 'name' | 'header'>): void {
    const end = timeOf(entry.expires);
    this.#put(entry.hash, end, entry, as);
    const { previous } = entry;
    if (previous !== undefined) this.#put(previous.hash, Math.min(end, timeOf(previous.until)), entry, as);
  }

  #put(hash: string, ends: number, entry: KeyEntry, as: Pick<Caller, 'name' | 'header'>): void {
    const digest = Buffer.from(hash, 'base64url');
    this.#issued.set(digest.toString('latin1'), {
      caller: callerOf(entry, ends, as),
      revoked: entry.revoked !== undefined,
      ends,
      digest,
    });
  }
}

function timeOf(text: string | undefined): number {
  return text === undefined ? Number.POSITIVE_INFINITY : Date.parse(text);
}

function callerOf(entry: KeyEntry, ends: number, as: Pick<Caller, 'name' | 'header'>): Caller {
  const { id, scopes = [], roles = [], plan } = entry;
  const claims = Object.create(null) as Record<string, unknown>;
  Object.assign(claims, { id, sub: id, scope: scopes.join(' '), roles });
  if (plan !== undefined) claims.plan = plan;
  const expires = ends === Number.POSITIVE_INFINITY ? undefined : ends;
  return { by: 'api-key', name: as.name, subject: id, scopes, claims, key: id, plan, expires, header: as.header };
}
