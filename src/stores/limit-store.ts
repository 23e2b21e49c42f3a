/** A rate as GCRA counts it: one request each `interval` on average, and at most `burst` at one instant. */
export interface Rate {
  /** Milliseconds between two requests at the steady rate: `100/minute` is 600. May be a fraction. */
  readonly interval: number;
  /** The most requests at one instant; at least 1. */
  readonly burst: number;
}

/** One bucket that a request has to take from. */
export interface Bucket {
  /** Name of the limit and the hash of its options: the same limit is the same bucket in every worker and after a reload. */
  readonly limit: string;
  readonly rate: Rate;
  /** Whose bucket it is: an address, a caller, a combination. Bounded in length by the caller. */
  readonly key: string;
  /** Coarser spellings of an address, finest first, for a store that runs out of places (`2001:db8:1::/48`). */
  readonly coarser?: readonly string[];
  /** Milliseconds until the bucket is full, as another store knew it. The later of the two counts. */
  readonly debt?: number;
}

/** What a bucket says. */
export interface Verdict {
  readonly allowed: boolean;
  /** Whole requests that would still pass now. */
  readonly remaining: number;
  /** Milliseconds until a request passes again; 0 when one would now. */
  readonly retryAfter: number;
  /** Milliseconds until the bucket is full again. */
  readonly reset: number;
}

/**
 * Where limits are counted. All buckets of one request are decided at once: when one refuses, none is charged. Answers at once where
 * nothing waits. Rejects (or throws) with a `StoreError` when nothing can be known.
 */
export interface LimitStore {
  take(buckets: readonly Bucket[]): readonly Verdict[] | Promise<readonly Verdict[]>;
  /** How many buckets are kept, where that is known; for metrics. */
  readonly size?: number | undefined;
  close?(): Promise<void>;
}

export class StoreError extends Error {
  override readonly name = 'StoreError';
}

/** The stores of one configuration. */
export interface Stores {
  /** What `store` says: this process's memory, the memory of the primary process, or Redis. */
  readonly limits: LimitStore;
  /** Memory of this process, whatever `store` says: for limits that count on here while the shared store is away. */
  readonly local: LimitStore;
  /** How many instances share the store, this one among them; at least 1. */
  instances(): number;
}
