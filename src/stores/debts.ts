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
}

/**
 * What this process knows of the buckets of a shared store: when each is full again. The time until then says the same of the whole bucket
 * and of a share of it, so it is what goes over when counting moves from the store to this process (nobody gets a second burst because
 * the store went away), and back (nor because it came back, or came back empty).
 */
export class Debts {
  /** By limit and key. Older ones go when there are too many. */
  #young = new Map<string, Known>();
  #old = new Map<string, Known>();
  /** When the store went away, while it is. */
  #awaySince = Number.NEGATIVE_INFINITY;
  /** Full when? What the store has to be told since it is back. */
  #owed = new Map<string, number>();
  #owedUntil = 0;

  note(buckets: readonly Bucket[], verdicts: readonly Verdict[], now = performance.now()): void {
    for (let i = 0; i < buckets.length; i++) {
      const name = nameOf(buckets[i]);
      const known = this.#young.get(name);
      const full = now + verdicts[i].reset;
      if (known === undefined) this.#young.set(name, { full, heard: now });
      else {
        known.full = full;
        known.heard = now;
      }
    }
    if (this.#young.size < REMEMBERED) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  /** Milliseconds until the bucket is full, as far as known here, for a decision without the store. */
  of(bucket: Bucket, now = performance.now()): number {
    const name = nameOf(bucket);
    const known = this.#young.get(name) ?? this.#old.get(name);
    if (known === undefined) return 0;
    const unheard = Math.min(SUPPOSED_MS, Math.max(0, this.#awaySince - known.heard));
    // Full by then if nobody has taken since: an idle bucket is not made a busy one.
    return known.full <= known.heard ? 0 : Math.max(0, known.full + unheard - now);
  }

  storeIsAway(now = performance.now()): void {
    this.#awaySince = now;
  }

  /** The store is back: whatever is still owed will be told to it. */
  storeIsBack(now = performance.now()): void {
    for (const [name, full] of this.#owed) if (full <= now) this.#owed.delete(name);
    for (const known of [this.#old, this.#young]) {
      for (const [name, { full }] of known) {
        if (full <= now) continue;
        this.#owed.set(name, Math.max(full, this.#owed.get(name) ?? 0));
        this.#owedUntil = Math.max(this.#owedUntil, full);
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
