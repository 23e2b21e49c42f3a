import { type Bucket, StoreError, type Verdict } from './limit-store.ts';
import type { Failure, StoreStats } from './store-stats.ts';

/** More decisions than this do not wait for a store at once: it is slower than what comes in. */
const MOST_WAITING = 2048;

/** One request that waits for a store. */
export class Decision {
  readonly buckets: readonly Bucket[];
  /** `performance.now()` when it was asked for. */
  readonly begun = performance.now();
  readonly resolve: (verdicts: readonly Verdict[]) => void;
  readonly reject: (error: StoreError) => void;
  settled = false;
  /** It has been sent a second time; there is no third. */
  again = false;
  /** What it tells the store besides, see `Debts`. */
  more: Map<Bucket, number> | undefined;

  constructor(buckets: readonly Bucket[], resolve: Decision['resolve'], reject: Decision['reject']) {
    this.buckets = buckets;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** All decisions that wait for one store. They have the same time, so one timer is enough for all. */
export class Waiting {
  readonly #timeout: number;
  readonly #stats: StoreStats;
  readonly #onLate: () => void;
  /** In the order in which they began; settled ones are taken out when their time comes. */
  #queue: Decision[] = [];
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `onLate` is told when decisions had no answer within `timeout` milliseconds. */
  constructor(timeout: number, stats: StoreStats, onLate: () => void) {
    this.#timeout = timeout;
    this.#stats = stats;
    this.#onLate = onLate;
  }

  get full(): boolean {
    return this.#count >= MOST_WAITING;
  }

  /** Begins a decision; `send` is called with it at once. */
  begin(buckets: readonly Bucket[], send: (decision: Decision) => void): Promise<readonly Verdict[]> {
    return new Promise((resolve, reject) => {
      const decision = new Decision(buckets, resolve, reject);
      this.#count++;
      this.#queue.push(decision);
      this.#timer ??= setTimeout(this.#lookAfter, this.#timeout);
      send(decision);
    });
  }

  /** Milliseconds that this decision still has. */
  left(decision: Decision): number {
    return decision.begun + this.#timeout - performance.now();
  }

  settle(decision: Decision, verdicts: readonly Verdict[]): void {
    if (decision.settled) return;
    this.#count--;
    decision.settled = true;
    this.#stats.decided(performance.now() - decision.begun);
    decision.resolve(verdicts);
  }

  fail(decision: Decision, why: Failure, reason: string): void {
    if (decision.settled) return;
    this.#count--;
    decision.settled = true;
    this.#stats.failed(why);
    decision.reject(new StoreError(reason));
  }

  /** A decision that does not begin. */
  refuse(why: Failure, reason: string): Promise<never> {
    this.#stats.failed(why);
    return Promise.reject(new StoreError(reason));
  }

  close(reason: string): void {
    clearTimeout(this.#timer);
    for (const decision of this.#queue) this.fail(decision, 'away', reason);
    this.#queue = [];
  }

  /** After this process stood still, answers may lie there unread: they are read before anybody is told that there are none. */
  readonly #lookAfter = (): void => {
    setImmediate(this.#expire);
  };

  readonly #expire = (): void => {
    const over = performance.now() - this.#timeout;
    let first = 0;
    let late = false;
    for (; first < this.#queue.length; first++) {
      const decision = this.#queue[first];
      if (decision.settled) continue;
      // Timers know whole milliseconds and may be a little early.
      if (decision.begun > over + 1) break;
      late = true;
      this.fail(decision, 'timeout', `no answer within ${this.#timeout} ms`);
    }
    this.#queue = this.#queue.slice(first);
    const [next] = this.#queue;
    this.#timer = next === undefined ? undefined : setTimeout(this.#lookAfter, Math.max(1, next.begun - over));
    if (late) this.#onLate();
  };
}
