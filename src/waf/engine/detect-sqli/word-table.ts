import { byteAt } from './bytes.ts';
/** How a hash of no bytes begins. */
export const HASH_SEED = 0x2f;

/** One byte more. Case does not count, so that a scanner hashes while it reads. */
export function addByte(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + (byte | 0x20)) | 0;
}

/** Words without case, found by a hash that the scanner has already: no piece of the value is cut out to look for it. */
export class WordTable {
  readonly #words: (string | undefined)[];
  readonly #values: Uint16Array;
  readonly #mask: number;

  constructor(words: ReadonlyMap<string, number>) {
    let size = 64;
    while (size < words.size * 4) size *= 2;
    this.#mask = size - 1;
    this.#words = Array.from({ length: size }, () => undefined);
    this.#values = new Uint16Array(size);
    for (const [word, value] of words) this.#add(word, value);
  }

  #add(word: string, value: number): void {
    let hash = HASH_SEED;
    for (let i = 0; i < word.length; i++) hash = addByte(hash, byteAt(word, i));
    let slot = this.#slot(hash);
    while (this.#words[slot] !== undefined) slot = (slot + 1) & this.#mask;
    this.#words[slot] = word;
    this.#values[slot] = value;
  }

  #slot(hash: number): number {
    return (hash ^ (hash >>> 15)) & this.#mask;
  }

  /** The word's value; 0: it is none of them. */
  find(text: string, start: number, stop: number, hash: number): number {
    for (let slot = this.#slot(hash); ; slot = (slot + 1) & this.#mask) {
      const word = this.#words[slot];
      if (word === undefined) return 0;
      if (word.length === stop - start && same(word, text, start)) return this.#values[slot];
    }
  }
}

function same(word: string, text: string, start: number): boolean {
  for (let i = 0; i < word.length; i++) {
    if ((byteAt(text, start + i) | 0x20) !== (byteAt(word, i) | 0x20)) return false;
  }
  return true;
}
