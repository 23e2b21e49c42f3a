import type { Log } from '../pipeline/stage.ts';

/** Without a failure for so long, the store is well again: one that answers every second request must not fill the log. */
const QUIET_MS = 1000;

/** Tells the log when limits can no longer be counted in the store, and when they can again: once per change. */
export class StoreHealth {
  readonly #log: Log;
  readonly #now: () => number;
  #failing = false;
  #lastFailure = 0;

  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** True while failures are the last that was heard: only then it is worth saying that it went well. */
  get failing(): boolean {
    return this.#failing;
  }

  failed(error: Error): void {
    this.#lastFailure = this.#now();
    if (this.#failing) return;
    this.#failing = true;
    this.#log.warn('limits cannot be counted in the store: each does what its `when-store-fails` says', {
      event: 'store-lost',
      error: error.message,
    });
  }

  answered(): void {
    if (!this.#failing || this.#now() - this.#lastFailure < QUIET_MS) return;
    this.#failing = false;
    this.#log.info('limits are counted in the store again', { event: 'store-back' });
  }
}
