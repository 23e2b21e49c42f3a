/**
 * How many instances share the store. More are believed at once. Fewer only after as long a time as an instance may be silent: a store that
 * was started anew knows only those that have given it a sign since.
 */
export class Instances {
  readonly #patience: number;
  #count: number;
  #fewerSince: number | undefined;

  constructor(assumed: number, patience: number) {
    this.#count = assumed;
    this.#patience = patience;
  }

  /** At least 1. */
  get count(): number {
    return this.#count;
  }

  told(count: number, now: number): void {
    if (count >= this.#count) this.#set(count);
    else if (this.#fewerSince === undefined) this.#fewerSince = now;
    else if (now - this.#fewerSince > this.#patience) this.#set(count);
  }

  /** What the store said before it went away says nothing about how it comes back. */
  away(): void {
    this.#fewerSince = undefined;
  }

  #set(count: number): void {
    this.#count = Math.max(1, count);
    this.#fewerSince = undefined;
  }
}
