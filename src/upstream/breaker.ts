import type { ServiceOptions } from './options.ts';
import { SlidingWindow } from './window.ts';

type BreakerOptions = NonNullable<ServiceOptions['breaker']>;

/** What `admit` says of one call. The trial is the one call that decides whether the breaker closes again. */
export type Admission = 'refused' | 'admitted' | 'trial';

/** Stops calling a service that fails, so that neither it nor the callers waste time. One per service. */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #window: SlidingWindow;
  #openUntil = 0;
  #trial = false;
  /** `half-open`: time is up and a trial decides. */
  #state: 'closed' | 'open' | 'half-open' = 'closed';

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#window = new SlidingWindow(options.window);
  }

  state(now: number): 'closed' | 'open' | 'half-open' {
    if (this.#state === 'open' && now >= this.#openUntil) this.#state = 'half-open';
    return this.#state;
  }

  admit(now: number): Admission {
    const state = this.state(now);
    if (state === 'closed') return 'admitted';
    if (state === 'open' || this.#trial) return 'refused';
    this.#trial = true;
    return 'trial';
  }

  /** Milliseconds until a call may be let through. */
  remaining(now: number): number {
    return Math.max(0, this.#openUntil - now);
  }

  passed(now: number, trial: boolean): void {
    if (trial) return this.#close();
    if (this.#state !== 'closed') return;
    this.#window.roll(now);
    this.#window.addFirst();
  }

  /** True when this failure opened the breaker. */
  failed(now: number, trial: boolean): boolean {
    if (trial) return this.#open(now);
    // Calls that began before it opened must neither keep it open nor close it.
    if (this.#state !== 'closed') return false;
    this.#window.roll(now);
    this.#window.addFirst();
    this.#window.addSecond();
    return this.#exceeded() && this.#open(now);
  }

  /** The trial ended without telling anything (its client left): the next call is the trial. */
  abandoned(): void {
    this.#trial = false;
  }

  #exceeded(): boolean {
    const { failures, requests } = this.#options;
    if ('count' in failures) return this.#window.second >= failures.count;
    return this.#window.first >= requests && this.#window.second >= failures.share * this.#window.first;
  }

  #open(now: number): true {
    this.#state = 'open';
    this.#openUntil = now + this.#options['open-for'];
    this.#trial = false;
    return true;
  }

  #close(): void {
    this.#state = 'closed';
    this.#trial = false;
    this.#window.clear();
  }
}
