import { randomBytes } from 'node:crypto';
import { conforms, nextArrival, verdictOf } from './gcra.ts';
import { type HashState, KeyedHash, stateFor } from './keyed-hash.ts';
import type { Bucket, LimitStore, Verdict } from './limit-store.ts';
import { Places } from './places.ts';

export interface MemoryLimitStoreOptions {
  /** The most buckets that are kept apart; the default is a million and a half (40 MB). */
  readonly places?: number;
  /** Milliseconds of a clock that never steps: a set wall clock must neither free nor lock anybody. */
  readonly now?: () => number;
}

const MOST_PLACES = 1_500_000;
/** Tables that share the keys, by the first byte of the hash: the largest is copied in a fraction of a millisecond when it grows. */
const SEGMENTS = 256;
/** Calls between two looks at a segment for buckets that are full again: one round over a full table costs 8 places a call. */
const SWEEP_EVERY = 1024;
/** Cells that the last resort shares among all keys of one limit. */
const SHARED_CELLS = 4096;
/** Names of limits whose hash states are remembered; more only pile up by reloads. */
const MOST_STATES = 4096;

/**
 * Buckets in the memory of this process. A place of the table is 16 bytes: a keyed 64-bit hash of limit and key, and the TAT. Nobody can
 * choose a key for its hash, which is drawn anew in each process; should two of a million keys meet all the same (odds of 1 to 40
 * million), they share one bucket: neither passes uncounted. A bucket that is full again is the same as none, so its place is free.
 *
 * No bucket in use ever gives way to another. When all places are taken, keys that are new share the buckets of their coarser
 * spellings, for which places are reserved, and where these are taken too, one of the limit's last cells. They are always counted.
 */
export class MemoryLimitStore implements LimitStore {
  readonly #now: () => number;
  readonly #hash = new KeyedHash();
  readonly #seed = seed();
  readonly #states = new Map<string, HashState>();
  readonly #segments: Places[] = [];
  readonly #last = new Map<string, Float64Array>();
  #calls = 0;
  /** Where the last bucket that was looked for has its TAT. */
  #cells: Float64Array = new Float64Array(1);
  #at = 0;

  constructor(options: MemoryLimitStoreOptions = {}) {
    this.#now = options.now ?? (() => performance.now());
    const most = Math.max(1, Math.ceil((options.places ?? MOST_PLACES) / SEGMENTS));
    for (let i = 0; i < SEGMENTS; i++) this.#segments.push(new Places(most));
  }

  /** Places that are taken, those among them that nobody has looked at since they became free. */
  get size(): number {
    let size = 0;
    for (const segment of this.#segments) size += segment.used;
    return size;
  }

  take(buckets: readonly Bucket[]): readonly Verdict[] {
    const now = this.#now();
    if (++this.#calls % SWEEP_EVERY === 0) this.#sweep(now);
    return buckets.length === 1 ? [this.#takeOne(buckets[0], now)] : this.#takeAll(buckets, now);
  }

  #takeOne(bucket: Bucket, now: number): Verdict {
    this.#find(bucket, now);
    const tat = tatWith(bucket, this.#cells[this.#at], now);
    const next = nextArrival(tat, now, bucket.rate);
    if (!conforms(next, now, bucket.rate)) return verdictOf(false, tat, now, bucket.rate);
    this.#cells[this.#at] = next;
    return verdictOf(true, next, now, bucket.rate);
  }

  /** Two passes: the place of one may move while a place is made for the next. */
  #takeAll(buckets: readonly Bucket[], now: number): Verdict[] {
    const tats = buckets.map((bucket) => this.#tatOf(bucket, now));
    const passes = tats.map((tat, i) => conforms(nextArrival(tat, now, buckets[i].rate), now, buckets[i].rate));
    if (passes.includes(false)) return buckets.map(({ rate }, i) => verdictOf(passes[i], tats[i], now, rate));
    return buckets.map((bucket) => {
      const next = nextArrival(this.#tatOf(bucket, now), now, bucket.rate);
      this.#cells[this.#at] = next;
      return verdictOf(true, next, now, bucket.rate);
    });
  }

  #tatOf(bucket: Bucket, now: number): number {
    this.#find(bucket, now);
    return tatWith(bucket, this.#cells[this.#at], now);
  }

  /** Finds the bucket or makes a place for it, and leaves in `#cells` and `#at` where. */
  #find(bucket: Bucket, now: number): void {
    const state = this.#states.get(bucket.limit) ?? this.#addState(bucket.limit);
    if (this.#place(state, bucket.key, now, false)) return;
    const { coarser = [] } = bucket;
    for (const key of coarser) if (this.#place(state, key, now, true)) return;
    this.#cells = this.#lastCells(bucket.limit);
    if (coarser.length > 0) this.#hash.of(state, coarser[coarser.length - 1]);
    this.#at = this.#hash.low % SHARED_CELLS;
  }

  #place(state: HashState, key: string, now: number, reserve: boolean): boolean {
    const hash = this.#hash;
    hash.of(state, key);
    const segment = this.#segments[hash.high >>> 24];
    const at = segment.place(hash.high, hash.low, now, reserve);
    if (at < 0) return false;
    this.#cells = segment.tats;
    this.#at = at;
    return true;
  }

  #addState(limit: string): HashState {
    if (this.#states.size >= MOST_STATES) this.#states.clear();
    const state = stateFor(this.#seed, limit);
    this.#states.set(limit, state);
    return state;
  }

  #lastCells(limit: string): Float64Array {
    let cells = this.#last.get(limit);
    if (cells === undefined) this.#last.set(limit, (cells = new Float64Array(SHARED_CELLS)));
    return cells;
  }

  #sweep(now: number): void {
    const turn = (this.#calls / SWEEP_EVERY) % SEGMENTS;
    this.#segments[turn].sweep(now);
    if (turn !== 0) return;
    for (const [limit, cells] of this.#last) if (cells.every((tat) => tat <= now)) this.#last.delete(limit);
  }
}

/** No more is owed than the bucket holds, whoever says so. */
function tatWith({ debt, rate }: Bucket, tat: number, now: number): number {
  return debt === undefined ? tat : Math.max(tat, now + Math.min(debt, rate.interval * rate.burst));
}

function seed(): [number, number] {
  const bytes = randomBytes(8);
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
}
