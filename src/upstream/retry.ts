import { SlidingWindow } from './window.ts';

const WINDOW_MS = 10_000;
/** Retries that are allowed within the window whatever the traffic: a quiet service should have some, too. */
export const LEAST_RETRIES = 10;

/**
 * Retries multiply the load of a service that is already in trouble. The budget bounds that: within ten seconds at most
 * `share` of the calls plus a few may be tried again.
 */
export class RetryBudget {
  allowed = 0;
  denied = 0;
  readonly #share: number;
  readonly #window = new SlidingWindow(WINDOW_MS);

  constructor(share: number) {
    this.#share = share;
  }

  /** A call begins. */
  deposit(now: number): void {
    this.#window.roll(now);
    this.#window.addFirst();
  }

  /** True when one more retry may be made; it is then counted. */
  take(now: number): boolean {
    this.#window.roll(now);
    if (this.#window.second + 1 > this.#share * this.#window.first + LEAST_RETRIES) {
      this.denied++;
      return false;
    }
    this.#window.addSecond();
    this.allowed++;
    return true;
  }
}

/** Methods whose repetition changes nothing (RFC 9110 section 9.2.2) and that a proxy may repeat; TRACE is never routed. */
export function isIdempotent(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'PUT' || method === 'DELETE' || method === 'OPTIONS';
}

/** Base of the pause before a retry to the same target: another target is asked at once. */
const PAUSE_MS = 25;

/** 25 to 50 ms, doubled with each further try, at most a second: retries of many calls should not come as one wave. */
export function pauseBefore(tries: number, random: () => number): number {
  return Math.min(1000, PAUSE_MS * 2 ** (tries - 1)) * (1 + random());
}
