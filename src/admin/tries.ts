import ipaddr from 'ipaddr.js';

const WINDOW_MS = 60_000;

interface Window {
  count: number;
  readonly until: number;
}

/**
 * Failed tries by address. Who has had its tries within a minute is refused unheard, whatever it brings: a guess that is still looked at
 * is a guess. IPv6 counts by /64, which is what one customer has.
 */
export class FailedTries {
  readonly #limit: number;
  readonly #addresses: number;
  readonly #windows = new Map<string, Window>();

  constructor(limit = 10, addresses = 1000) {
    this.#limit = limit;
    this.#addresses = addresses;
  }

  /** Seconds until this address may try again; 0: now. */
  wait(address: string, now: number): number {
    const window = this.#windows.get(networkOf(address));
    if (window === undefined || now >= window.until || window.count < this.#limit) return 0;
    return Math.ceil((window.until - now) / 1000);
  }

  /** Counts a failed try. True when it was the last that this address has for now. */
  failed(address: string, now: number): boolean {
    const key = networkOf(address);
    let window = this.#windows.get(key);
    if (window === undefined || now >= window.until) {
      this.#windows.delete(key);
      window = { count: 0, until: now + WINDOW_MS };
      this.#makeRoom();
      this.#windows.set(key, window);
    }
    return ++window.count === this.#limit;
  }

  /** The oldest goes first: with so many addresses at work, one address's limit is not what helps. */
  #makeRoom(): void {
    for (const key of this.#windows.keys()) {
      if (this.#windows.size < this.#addresses) return;
      this.#windows.delete(key);
    }
  }
}

function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? parsed.parts.slice(0, 4).join(':') : parsed.toString();
}
