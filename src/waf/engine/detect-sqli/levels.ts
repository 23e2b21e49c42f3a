/** Classes of operands: the greater says less. */
export const TEXT = 1;
/** A value by SQL's own means: a function, a variable, null. */
export const VALUE = 2;
/** A name: a column, or a word. */
export const NAMED = 3;

/** Deeper parentheses share the last level: what is seen stays seen, and memory stays bounded. */
const DEPTH = 48;

/** What is known within each open parenthesis. */
export class Levels {
  /** A parenthesis was closed that the value did not open. */
  unbalanced = false;
  #depth = 0;
  readonly #term = new Uint8Array(DEPTH);
  readonly #left = new Uint8Array(DEPTH);
  readonly #earlier = new Uint8Array(DEPTH);
  readonly #call = new Uint8Array(DEPTH);
  readonly #least = new Uint8Array(DEPTH);
  readonly #telling = new Uint8Array(DEPTH);
  readonly #empty = new Uint8Array(DEPTH);
  readonly #selects = new Uint8Array(DEPTH);
  readonly #aliased = new Uint8Array(DEPTH);

  clear(term: number): void {
    this.#depth = 0;
    this.unbalanced = false;
    this.#reset(0);
    this.#term[0] = term;
  }

  get #top(): number {
    return this.#depth < DEPTH ? this.#depth : DEPTH - 1;
  }

  #reset(i: number): void {
    this.#term[i] = this.#left[i] = this.#earlier[i] = this.#call[i] = this.#least[i] = 0;
    this.#telling[i] = this.#selects[i] = this.#aliased[i] = 0;
    this.#empty[i] = 1;
  }

  /** @param least The class that what the parenthesis gives has at least. */
  open(call: boolean, least: number, telling = false): void {
    this.#empty[this.#top] = 0;
    this.#depth++;
    const i = this.#top;
    this.#reset(i);
    this.#call[i] = call ? 1 : 0;
    this.#least[i] = least;
    this.#telling[i] = telling ? 1 : 0;
  }

  close(): void {
    const i = this.#top;
    const inner = Math.max(this.#term[i], this.#earlier[i], this.#least[i]);
    if (this.#depth > 0) this.#depth--;
    else this.unbalanced = true;
    this.take(inner);
  }

  take(cls: number): void {
    const i = this.#top;
    this.#empty[i] = 0;
    if (cls > this.#term[i]) this.#term[i] = cls;
  }

  compare(): void {
    const i = this.#top;
    this.#left[i] = this.#term[i];
    this.#term[i] = 0;
  }

  /** The class of the comparison that stands here, which is then over; 0: none stands. */
  settle(): number {
    const i = this.#top;
    if (this.#left[i] === 0 || this.#term[i] === 0) return 0;
    const both = Math.max(this.#left[i], this.#term[i]);
    this.#left[i] = 0;
    this.#term[i] = both;
    return both;
  }

  /** Behind `and` a new term begins. */
  part(): void {
    const i = this.#top;
    this.#earlier[i] = Math.max(this.#earlier[i], this.#term[i]);
    this.#term[i] = 0;
  }

  /** Whether the comma stands outside of all lists. */
  comma(): boolean {
    this.part();
    this.#aliased[this.#top] = 0;
    return this.#depth === 0 && this.#selects[0] === 0;
  }

  select(): void {
    this.#selects[this.#top] = 1;
    this.#aliased[this.#top] = 0;
  }

  selecting(): boolean {
    return this.#selects[this.#top] === 1;
  }

  /** Whether a second name may stand here; it may only once. */
  alias(): boolean {
    const i = this.#top;
    if (this.#selects[i] === 0 || this.#aliased[i] === 1) return false;
    this.#aliased[i] = 1;
    return true;
  }

  isEmptyCall(): boolean {
    return this.#call[this.#top] === 1 && this.#empty[this.#top] === 1;
  }

  closesTelling(): boolean {
    return this.isEmptyCall() && this.#telling[this.#top] === 1;
  }

  inCall(): boolean {
    return this.#call[this.#top] === 1;
  }

  takesStar(): boolean {
    return this.inCall() || this.selecting();
  }
}
