/**
 * A text in which `*` stands for anything, as the configuration writes it; case does not count. The parts between stars are looked for one
 * behind the other, each at its first place: there is nothing to go back for, whatever the value.
 */
export class Wildcard {
  readonly #first: string;
  readonly #middle: readonly string[];
  /** undefined: there is no star, the text is all. */
  readonly #last: string | undefined;

  constructor(text: string) {
    const parts = text.toLowerCase().split('*');
    this.#first = parts[0];
    this.#middle = parts.slice(1, -1).filter((part) => part !== '');
    this.#last = parts.length === 1 ? undefined : parts[parts.length - 1];
  }

  matches(value: string): boolean {
    const text = value.toLowerCase();
    const last = this.#last;
    if (last === undefined) return text === this.#first;
    const end = text.length - last.length;
    if (!text.startsWith(this.#first) || !text.endsWith(last)) return false;
    let at = this.#first.length;
    for (const part of this.#middle) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= end;
  }
}
