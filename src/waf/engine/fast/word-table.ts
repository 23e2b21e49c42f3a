import type { Word } from './byte-classes.ts';

const SLOTS = 1024;
const RECENT = 64;
/** Beyond this, probing gets long: everything is forgotten, and what still occurs is worked out again. */
const MOST = 512;

/**
 * What is known for words of classes. A Map would want one key for two integers, which is no small integer any more, and then looks up
 * thirty times slower (measured: half of the whole cost of a request).
 */
export class WordTable<T> {
  #low = new Int32Array(0);
  #high = new Int32Array(0);
  #values: (T | undefined)[] = [];
  #size = 0;
  readonly #recent = new Int32Array(RECENT);

  get(low: number, high: number): T | undefined {
    if (this.#size === 0) return undefined;
    for (let slot = slotOf(low, high); ; slot = (slot + 1) & (SLOTS - 1)) {
      const value = this.#values[slot];
      if (value === undefined || (this.#low[slot] === low && this.#high[slot] === high)) return value;
    }
  }

  /** Whether the word came before, lately. What comes once, such as the bytes of a random text, is not worth working out. */
  comesAgain(low: number, high: number): boolean {
    const mixed = mix(low, high) | 1;
    const slot = (mixed >>> 24) & (RECENT - 1);
    if (this.#recent[slot] === mixed) return true;
    this.#recent[slot] = mixed;
    return false;
  }

  set({ low, high }: Word, value: T): void {
    if (this.#size === 0 || this.#size >= MOST) this.#clear();
    let slot = slotOf(low, high);
    while (this.#values[slot] !== undefined) slot = (slot + 1) & (SLOTS - 1);
    this.#low[slot] = low;
    this.#high[slot] = high;
    this.#values[slot] = value;
    this.#size++;
  }

  /** Most tables stay empty: they take no room until something is known. */
  #clear(): void {
    if (this.#low.length === 0) {
      this.#low = new Int32Array(SLOTS);
      this.#high = new Int32Array(SLOTS);
    }
    this.#values = Array.from<T | undefined>({ length: SLOTS });
    this.#size = 0;
  }
}

function slotOf(low: number, high: number): number {
  return (mix(low, high) >>> 20) & (SLOTS - 1);
}

function mix(low: number, high: number): number {
  return Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
}
