import type { Debts } from './debts.ts';
import type { Bucket, Verdict } from './limit-store.ts';

/** What a worker asks of the primary process: decisions, those of one turn together. */
export interface LimitsAsked {
  readonly kind: 'limits';
  readonly number: number;
  /** Milliseconds of the machine's clock after which nobody waits for an answer. */
  readonly deadline: number;
  /** For each decision how many buckets it has, then these: see `packBuckets`. Flat, because every object costs a copy. */
  readonly packed: readonly (string | number)[];
}

/** What the primary answers: for each bucket `allowed` (1 or 0), `remaining`, `retryAfter`, `reset`. Nothing when it was too late. */
export interface LimitsDecided {
  readonly kind: 'limits';
  readonly number: number;
  readonly packed: readonly number[];
  /** How many buckets the primary keeps, now and then; for metrics. */
  readonly size?: number;
}

/** The same clock in all processes of a machine, in milliseconds; nobody can set it. */
export function machineTime(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

export function packBuckets(packed: (string | number)[], buckets: readonly Bucket[], debts: Debts): void {
  packed.push(buckets.length);
  const now = performance.now();
  for (const bucket of buckets) {
    const { limit, key, rate, debt = 0, coarser = [] } = bucket;
    packed.push(limit, key, rate.interval, rate.burst, Math.max(debt, debts.owed(bucket, now)), coarser.length);
    for (const one of coarser) packed.push(one);
  }
}

/** Takes a message of `packBuckets` apart, decision by decision. */
export class Unpacker {
  readonly #packed: readonly (string | number)[];
  #at = 0;

  constructor(packed: readonly (string | number)[]) {
    this.#packed = packed;
  }

  get done(): boolean {
    return this.#at >= this.#packed.length;
  }

  buckets(): Bucket[] {
    const buckets: Bucket[] = [];
    for (let left = this.#number(); left > 0; left--) buckets.push(this.#bucket());
    return buckets;
  }

  #bucket(): Bucket {
    const limit = this.#text();
    const key = this.#text();
    const rate = { interval: this.#number(), burst: this.#number() };
    const debt = this.#number();
    const coarser: string[] = [];
    for (let left = this.#number(); left > 0; left--) coarser.push(this.#text());
    return { limit, key, rate, debt, coarser };
  }

  #number(): number {
    return this.#packed[this.#at++] as number;
  }

  #text(): string {
    return this.#packed[this.#at++] as string;
  }
}

export function packVerdicts(packed: number[], verdicts: readonly Verdict[]): void {
  for (const { allowed, remaining, retryAfter, reset } of verdicts) packed.push(allowed ? 1 : 0, remaining, retryAfter, reset);
}

/** The `count` verdicts that begin with verdict `from`. */
export function unpackVerdicts(packed: readonly number[], from: number, count: number): Verdict[] {
  return Array.from({ length: count }, (_, i) => {
    const at = (from + i) * 4;
    return { allowed: packed[at] === 1, remaining: packed[at + 1], retryAfter: packed[at + 2], reset: packed[at + 3] };
  });
}
