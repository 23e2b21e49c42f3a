/**
 * Looks for many literals at once (Aho and Corasick 1975), without case, over classes of bytes. Transitions are one flat table of small
 * numbers with rows of a power of two; states in which something ends have the highest numbers, so that one comparison tells them.
 */
export class Literals {
  readonly #classes = new Uint8Array(256);
  /** A row of the table is so many bits long. */
  readonly #shift: number;
  readonly #next: Uint16Array | Uint32Array;
  /** The first state in which a literal ends. */
  readonly #firstEnd: number;
  /** By such a state: ids of the literals that end there. */
  readonly #ends: readonly Int32Array[];

  /** @param texts - literals in lower case; their index is their id */
  constructor(texts: readonly string[]) {
    const width = this.#classify(texts);
    const trie = new Trie(this.#classes, width);
    texts.forEach((text, id) => trie.add(text, id));
    const { next, ends, firstEnd, shift } = trie.finish();
    this.#next = next;
    this.#ends = ends;
    this.#firstEnd = firstEnd;
    this.#shift = shift;
  }

  get bytes(): number {
    return this.#next.byteLength;
  }

  /** For literals by id (1: wanted): whether one of them ends in a state, one bit for each of those in which any ends. */
  endsOf(wanted: Uint8Array): Uint32Array {
    const bits = new Uint32Array((this.#ends.length + 31) >>> 5);
    this.#ends.forEach((ids, i) => {
      if (ids.some((id) => wanted[id] === 1)) bits[i >>> 5] |= 1 << (i & 31);
    });
    return bits;
  }

  /** Gives `found` the literals that occur, where one ends that is wanted ({@link endsOf}). */
  scan(value: string, found: FoundLiterals, wanted: Uint32Array): void {
    const next = this.#next;
    const classes = this.#classes;
    const firstEnd = this.#firstEnd;
    const shift = this.#shift;
    let state = 0;
    for (let i = 0; i < value.length; i++) {
      state = next[(state << shift) | classes[value.charCodeAt(i)]];
      if (state < firstEnd) continue;
      const end = state - firstEnd;
      if (((wanted[end >>> 5] >>> (end & 31)) & 1) === 1) found.addAll(this.#ends[end]);
    }
  }

  /** Bytes that occur in no literal are one class; a letter and its other case are one. */
  #classify(texts: readonly string[]): number {
    const used = new Set(texts.flatMap((text) => Array.from(text, (c) => c.charCodeAt(0))));
    let width = 1;
    for (const byte of used) this.#classes[byte] = width++;
    for (let upper = 0x41; upper <= 0x5a; upper++) this.#classes[upper] = this.#classes[upper + 0x20];
    return width;
  }
}

/** Which literals were found in a value; emptied by a new stamp, not by writing. */
export class FoundLiterals {
  readonly #stamps: Uint32Array;
  #stamp = 0;
  #look = 0;
  /** By check: the look in which it was asked for last. */
  readonly #looked: Uint32Array;
  /** Their ids, each once. */
  readonly ids: Int32Array;
  count = 0;

  /** @param size - how many literals there are; `checks`: how many checks ask for them */
  constructor(size: number, checks: number) {
    this.#stamps = new Uint32Array(size);
    this.#looked = new Uint32Array(checks);
    this.ids = new Int32Array(size);
  }

  clear(): void {
    this.count = 0;
    if (++this.#stamp !== 0xffffffff) return;
    this.#stamps.fill(0);
    this.#stamp = 1;
  }

  addAll(ids: Int32Array): void {
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i];
      if (this.#stamps[id] === this.#stamp) continue;
      this.#stamps[id] = this.#stamp;
      this.ids[this.count++] = id;
    }
  }

  /** What was found is gone through anew. */
  nextLook(): void {
    if (++this.#look !== 0xffffffff) return;
    this.#looked.fill(0);
    this.#look = 1;
  }

  /** True the first time that a check is asked for in one look: several of its literals may be there. */
  isFirst(check: number): boolean {
    if (this.#looked[check] === this.#look) return false;
    this.#looked[check] = this.#look;
    return true;
  }

  has(id: number): boolean {
    return this.#stamps[id] === this.#stamp;
  }
}

class Trie {
  readonly #classes: Uint8Array;
  readonly #width: number;
  readonly #children: Int32Array[] = [];
  readonly #ids: number[][] = [];

  constructor(classes: Uint8Array, width: number) {
    this.#classes = classes;
    this.#width = width;
    this.#node();
  }

  add(text: string, id: number): void {
    let node = 0;
    for (let i = 0; i < text.length; i++) {
      const c = this.#classes[text.charCodeAt(i)];
      if (this.#children[node][c] === 0) this.#children[node][c] = this.#node();
      node = this.#children[node][c];
    }
    this.#ids[node].push(id);
  }

  #node(): number {
    this.#ids.push([]);
    return this.#children.push(new Int32Array(this.#width)) - 1;
  }

  /** Fills in what follows a failure, breadth first: then each byte is one step. */
  finish(): Table {
    const fail = new Int32Array(this.#children.length);
    const queue: number[] = [0];
    for (let head = 0; head < queue.length; head++) {
      const node = queue[head];
      this.#ids[node].push(...(node === 0 ? [] : this.#ids[fail[node]]));
      for (let c = 0; c < this.#width; c++) {
        const child = this.#children[node][c];
        const instead = node === 0 ? 0 : this.#children[fail[node]][c];
        if (child === 0) this.#children[node][c] = instead;
        else {
          fail[child] = instead;
          queue.push(child);
        }
      }
    }
    return this.#flat();
  }

  /** States that end something go behind all others. */
  #flat(): Table {
    const ending = (node: number) => Number(this.#ids[node].length > 0);
    const order = this.#children.map((_, node) => node).sort((a, b) => ending(a) - ending(b));
    const place = new Uint32Array(order.length);
    order.forEach((node, i) => {
      place[node] = i;
    });
    const shift = Math.ceil(Math.log2(Math.max(2, this.#width)));
    const next = new (order.length <= 0x10000 ? Uint16Array : Uint32Array)(order.length << shift);
    for (const node of order) {
      for (let c = 0; c < this.#width; c++) next[(place[node] << shift) | c] = place[this.#children[node][c]];
    }
    const ends = order.filter((node) => ending(node) === 1);
    return { next, shift, firstEnd: order.length - ends.length, ends: ends.map((node) => Int32Array.from(this.#ids[node])) };
  }
}

interface Table {
  readonly next: Uint16Array | Uint32Array;
  readonly shift: number;
  readonly ends: readonly Int32Array[];
  readonly firstEnd: number;
}
