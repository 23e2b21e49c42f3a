/** Something that can give back the memory that it took. */
export interface Spender {
  clear(): void;
}

/**
 * How much memory the states of all patterns may take together. When it is spent, all patterns but the one that asks drop theirs: states come again
 * when they are needed, so this costs time and never a verdict.
 */
export class MemoryBudget {
  readonly limit: number;
  /** For the states of one pattern; half of it for each direction in which the place of a match is looked for. */
  readonly perPattern: number;
  readonly #spenders = new Set<Spender>();
  #spent = 0;

  constructor(limit: number, perPattern: number) {
    this.limit = limit;
    this.perPattern = perPattern;
  }

  get spent(): number {
    return this.#spent;
  }

  spend(spender: Spender, bytes: number): void {
    this.#spent += bytes;
    this.#spenders.add(spender);
    if (this.#spent <= this.limit) return;
    for (const other of this.#spenders) if (other !== spender) other.clear();
  }

  release(spender: Spender, bytes: number): void {
    this.#spent -= bytes;
    this.#spenders.delete(spender);
  }
}
