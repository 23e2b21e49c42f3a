/**
 * The collection TX of one transaction: what it wrote itself, over what was known when rules were loaded. Copying some sixty variables
 * for each request would cost more than the rules that read them.
 */
export class TxVariables {
  readonly #base: ReadonlyMap<string, string>;
  /** undefined as a value: deleted here. */
  readonly #own = new Map<string, string | undefined>();

  constructor(base: ReadonlyMap<string, string>) {
    this.#base = base;
  }

  get(name: string): string | undefined {
    if (this.#own.size === 0) return this.#base.get(name);
    const own = this.#own.get(name);
    return own !== undefined || this.#own.has(name) ? own : this.#base.get(name);
  }

  set(name: string, value: string): void {
    this.#own.set(name, value);
  }

  delete(name: string): void {
    if (this.#base.has(name)) this.#own.set(name, undefined);
    else this.#own.delete(name);
  }

  /** Whether this transaction itself wrote one of these. */
  hasWritten(names: ReadonlySet<string>): boolean {
    if (this.#own.size === 0) return false;
    for (const name of this.#own.keys()) if (names.has(name)) return true;
    return false;
  }

  /** What is other than it was when rules were loaded; undefined when something was deleted. */
  written(): [string, string][] | undefined {
    const changed: [string, string][] = [];
    for (const [name, value] of this.#own) {
      if (value === undefined) return undefined;
      if (value !== this.#base.get(name)) changed.push([name, value]);
    }
    return changed;
  }

  hasWrittenLike(patterns: readonly { matches(name: string): boolean }[]): boolean {
    if (this.#own.size === 0) return false;
    for (const name of this.#own.keys()) for (const pattern of patterns) if (pattern.matches(name)) return true;
    return false;
  }

  writtenNames(): string[] {
    return [...this.#own.keys()];
  }

  entries(): { names: string[]; values: string[] } {
    const all = new Map<string, string | undefined>([...this.#base, ...this.#own]);
    const names: string[] = [];
    const values: string[] = [];
    for (const [name, value] of all) {
      if (value === undefined) continue;
      names.push(name);
      values.push(value);
    }
    return { names, values };
  }
}
