import type { Bucket, Verdict } from './limit-store.ts';

/** So many buckets are remembered at least, twice as many at most: some megabytes. */
const REMEMBERED = 20_000;

/** What others may have taken since this process last heard of a bucket is supposed to be all that came in, for so many milliseconds. */
const SUPPOSED_MS = 1000;

interface Known {
  /** Milliseconds of `performance.now()` at which the bucket is full. */
  full: number;
  /** When this was heard. */
  heard: number;
  /** What this process gave out by itself since the store went away, in milliseconds of the whole bucket. */
  took: number;
}

/**
 * What this process knows of the buckets of a shared store: when each is full again. The time until then says the same of the whole bucket
 * and of a share of it, so it is what goes over when counting moves from the store to this process (nobody gets a second burst because
 * the store went away), and back (nor because it came back, or came back empty). What this process gave out while others counted in the
 * store is added there.
 */
export class Debts {
  /** By limit and key. Older ones go when there are too many. */
  #young = new Map<string, Known>();
  #old = new Map<string, Known>();
  /** When the store went away last. */
  #awaySince = Number.NEGATIVE_INFINITY;
  /** What the store has to be told since it is back: full when, and how much more was taken. */
  readonly #owed = new Map<string, number>();
  #owedUntil = 0;
  readonly #more = new Map<string, number>();

  /** What the store said. */
  note(buckets: readonly Bucket[], verdicts: readonly Verdict[], now = performance.now()): void {
    for (let i = 0; i < buckets.length; i++) {
      const known = this.#known(buckets[i]);
      known.full = now + verdicts[i].reset;
      known.heard = now;
    }
  }

  /** What this process decided by itself, one of so many that each give out their share. */
  noteOwn(buckets: readonly Bucket[], verdicts: readonly Verdict[], instances: number, now = performance.now()): void {
    const charged = verdicts.every(({ allowed }) => allowed);
    for (let i = 0; i < buckets.length; i++) {
      const known = this.#known(buckets[i]);
      if (known.heard < this.#awaySince) known.took = 0;
      if (charged) known.took += buckets[i].rate.interval / instances;
      known.full = now + verdicts[i].reset;
      known.heard = now;
    }
  }

  /** Milliseconds until the bucket is full, as far as known here, for a decision without the store. */
  of(bucket: Bucket, now = performance.now()): number {
    const name = nameOf(bucket);
    const known = this.#young.get(name) ?? this.#old.get(name);
    // A bucket that was idle is not made a busy one.
    if (known === undefined || known.full <= known.heard) return 0;
    const unheard = Math.min(SUPPOSED_MS, Math.max(0, this.#awaySince - known.heard));
    return Math.max(0, known.full + unheard - now);
  }

  storeIsAway(now = performance.now()): void {
    this.#awaySince = now;
  }

  /**
   * The store is back, and the others, one of so many instances, have counted in it for `others` milliseconds already. Whatever is still
   * owed will be told to it.
   */
  storeIsBack(others: number, instances: number, now = performance.now()): void {
    for (const [name, full] of this.#owed) if (full <= now) this.#owed.delete(name);
    for (const list of [this.#old, this.#young]) {
      for (const [name, known] of list) {
        if (known.full <= now) continue;
        this.#owed.set(name, Math.max(known.full, this.#owed.get(name) ?? 0));
        this.#owedUntil = Math.max(this.#owedUntil, known.full);
        if (known.heard >= this.#awaySince && others > 0) this.#putMore(name, Math.min(known.took, others / instances));
      }
    }
  }

  /** There is nothing that the store would have to be told. */
  get settled(): boolean {
    return this.#owed.size === 0 && this.#more.size === 0;
  }

  /** Milliseconds that the store has to be told, because it may not know them; next to nothing to do when it was not away lately. */
  owed(bucket: Bucket, now: number): number {
    if (this.#owed.size === 0) return 0;
    if (now > this.#owedUntil) this.#owed.clear();
    return Math.max(0, (this.#owed.get(nameOf(bucket)) ?? now) - now);
  }

  /** Milliseconds that the store has to add: whoever takes them tells it, or puts them back. */
  takeMore(bucket: Bucket): number {
    if (this.#more.size === 0) return 0;
    const name = nameOf(bucket);
    const more = this.#more.get(name) ?? 0;
    this.#more.delete(name);
    return more;
  }

  putBack(bucket: Bucket, more: number): void {
    this.#putMore(nameOf(bucket), more);
  }

  #putMore(name: string, more: number): void {
    if (more > 0 && this.#more.size < 2 * REMEMBERED) this.#more.set(name, (this.#more.get(name) ?? 0) + more);
  }

  #known(bucket: Bucket): Known {
    const name = nameOf(bucket);
    let known = this.#young.get(name);
    if (known !== undefined) return known;
    known = this.#old.get(name) ?? { full: 0, heard: 0, took: 0 };
    if (this.#young.size >= REMEMBERED) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(name, known);
    return known;
  }
}

function nameOf({ limit, key }: Bucket): string {
  return `${limit}\0${key}`;
}
