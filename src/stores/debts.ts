import type { Bucket, Verdict } from './limit-store.ts';

/** So many buckets are remembered at least, twice as many at most: some megabytes. */
const REMEMBERED = 20_000;

/**
 * What this process knows of the buckets of a shared store: when each is full again. The time until then says the same of the whole bucket
 * and of a share of it, so it is what goes over when counting moves from the store to this process (nobody gets a second burst because
 * the store went away), and back (nor because it came back, or came back empty).
 */
export class Debts {
  /** By limit and key, the milliseconds of `performance.now()` at which the bucket is full. Older ones go when there are too many. */
  #young = new Map<string, number>();
  #old = new Map<string, number>();
  /** What the store has to be told since it is back. */
  #owed = new Map<string, number>();
  #owedUntil = 0;

  note(buckets: readonly Bucket[], verdicts: readonly Verdict[], now = performance.now()): void {
    for (let i = 0; i < buckets.length; i++) this.#young.set(nameOf(buckets[i]), now + verdicts[i].reset);
    if (this.#young.size < REMEMBERED) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  /** Milliseconds until the bucket is full, as far as known here. */
  of(bucket: Bucket, now = performance.now()): number {
    const name = nameOf(bucket);
    return Math.max(0, (this.#young.get(name) ?? this.#old.get(name) ?? now) - now);
  }

  /** The store is back: whatever is still owed will be told to it. */
  storeIsBack(now = performance.now()): void {
    for (const known of [this.#owed, this.#old, this.#young]) {
      for (const [name, full] of known) {
        if (full > now) this.#owed.set(name, Math.max(full, this.#owed.get(name) ?? 0));
        else if (known === this.#owed) this.#owed.delete(name);
        if (full > this.#owedUntil) this.#owedUntil = full;
      }
    }
  }

  /** Milliseconds that the store has to be told, because it may not know them; next to nothing to do when it was not away lately. */
  owed(bucket: Bucket, now: number): number {
    if (this.#owed.size === 0) return 0;
    if (now > this.#owedUntil) this.#owed.clear();
    return Math.max(0, (this.#owed.get(nameOf(bucket)) ?? now) - now);
  }
}

function nameOf({ limit, key }: Bucket): string {
  return `${limit}\0${key}`;
}
