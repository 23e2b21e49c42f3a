/**
 * Finds the first of many phrases in a value, without case of ASCII letters, in one pass: the automaton of Aho and Corasick.
 *
 * One table holds all states; a state is where it begins. A state with several ways on has a row, one entry per byte class, with the ways
 * back already worked in. One with a single way on, and most are such, has three entries: the class, where it leads, and where to look
 * instead. So thousands of phrases cost some hundred kilobytes. What comes to the end of a phrase is told by a negative entry.
 */
export class PhraseAutomaton {
  readonly #classOf: Uint8Array;
  readonly #table: Int32Array;
  /** Rows are before it, states with one way on from here. */
  readonly #singles: number;

  constructor(phrases: readonly string[]) {
    const built = new Builder(phrases).build();
    this.#classOf = built.classOf;
    this.#table = built.table;
    this.#singles = built.singles;
  }

  /** The index of a phrase that ends where the first of them ends, -1 where there is none. */
  find(value: string): number {
    const classOf = this.#classOf;
    const table = this.#table;
    const singles = this.#singles;
    let state = 0;
    for (let i = 0; i < value.length; i++) {
      const byteClass = classOf[value.charCodeAt(i)];
      // Each step back is paid for by a step forward.
      while (state >= singles && table[state] !== byteClass) state = table[state + 2];
      state = state >= singles ? table[state + 1] : table[state + byteClass];
      if (state < 0) return -state - 1;
    }
    return -1;
  }

  /** How much memory the table takes. */
  get bytes(): number {
    return this.#table.byteLength;
  }
}

interface Built {
  readonly classOf: Uint8Array;
  readonly table: Int32Array;
  readonly singles: number;
}

const NONE = -1;
const SINGLE_SIZE = 3;

/** Builds the tree of phrases, then numbers its nodes breadth first, so that whatever a way back leads to is already there. */
class Builder {
  readonly #classOf: Uint8Array;
  readonly #classes: number;
  /** Nodes of the tree, the root is 0: a list of children each, and the phrase that ends there. */
  readonly #firstChild: Int32Array;
  readonly #nextSibling: Int32Array;
  readonly #label: Uint8Array;
  readonly #phraseAt: Int32Array;
  #nodes = 1;
  #table: Int32Array = new Int32Array(0);
  #singles = 0;

  constructor(phrases: readonly string[]) {
    const most = 1 + phrases.reduce((sum, phrase) => sum + phrase.length, 0);
    this.#classOf = classesOf(phrases);
    this.#classes = 1 + this.#classOf.reduce((a, b) => Math.max(a, b), 0);
    this.#firstChild = new Int32Array(most).fill(NONE);
    this.#nextSibling = new Int32Array(most).fill(NONE);
    this.#label = new Uint8Array(most);
    this.#phraseAt = new Int32Array(most).fill(NONE);
    for (const [index, phrase] of phrases.entries()) if (phrase !== '') this.#insert(phrase, index);
  }

  /** A phrase that begins with another one is never reached: the search ends with the shorter one. */
  #insert(phrase: string, index: number): void {
    let node = 0;
    for (let i = 0; i < phrase.length; i++) {
      if (this.#phraseAt[node] !== NONE) return;
      node = this.#childOf(node, this.#classOf[phrase.charCodeAt(i)]);
    }
    if (this.#phraseAt[node] === NONE) this.#phraseAt[node] = index;
  }

  #childOf(node: number, label: number): number {
    for (let child = this.#firstChild[node]; child !== NONE; child = this.#nextSibling[child]) {
      if (this.#label[child] === label) return child;
    }
    const child = this.#nodes++;
    this.#label[child] = label;
    this.#nextSibling[child] = this.#firstChild[node];
    this.#firstChild[node] = child;
    return child;
  }

  build(): Built {
    this.#layOut();
    const state = new Int32Array(this.#nodes);
    const back = new Int32Array(this.#nodes);
    const queue = new Int32Array(this.#nodes);
    let rows = this.#classes;
    let singles = this.#singles;
    let queued = 1;
    for (let at = 0; at < queued; at++) {
      const node = queue[at];
      const isRow = this.#isRow(node);
      if (isRow && node !== 0) this.#copyRow(state[node], back[node]);
      for (let child = this.#firstChild[node]; child !== NONE; child = this.#nextSibling[child]) {
        const label = this.#label[child];
        const before = node === 0 ? 0 : this.#step(back[node], label);
        let entry: number;
        if (this.#phraseAt[child] !== NONE) entry = -1 - this.#phraseAt[child];
        else if (before < 0) entry = before;
        else {
          const childIsRow = this.#isRow(child);
          entry = childIsRow ? rows : singles;
          if (childIsRow) rows += this.#classes;
          else singles += SINGLE_SIZE;
          state[child] = entry;
          back[child] = before;
          queue[queued++] = child;
        }
        if (isRow) this.#table[state[node] + label] = entry;
        else this.#table.set([label, entry, back[node]], state[node]);
      }
    }
    return { classOf: this.#classOf, table: this.#table, singles: this.#singles };
  }

  /** Room for every node that may become a state. The root has a row in any case, and its entries lead to itself. */
  #layOut(): void {
    let rows = 0;
    let singles = 0;
    for (let node = 0; node < this.#nodes; node++) {
      if (this.#isRow(node)) rows++;
      else if (this.#firstChild[node] !== NONE) singles++;
    }
    this.#singles = rows * this.#classes;
    this.#table = new Int32Array(this.#singles + singles * SINGLE_SIZE);
  }

  #isRow(node: number): boolean {
    const first = this.#firstChild[node];
    return node === 0 || (first !== NONE && this.#nextSibling[first] !== NONE);
  }

  #copyRow(to: number, back: number): void {
    for (let label = 0; label < this.#classes; label++) this.#table[to + label] = this.#step(back, label);
  }

  #step(from: number, label: number): number {
    let state = from;
    while (state >= this.#singles && this.#table[state] !== label) state = this.#table[state + 2];
    return state >= this.#singles ? this.#table[state + 1] : this.#table[state + label];
  }
}

/** Bytes that stand in phrases have a class each, both cases of a letter the same; all others are class 0. */
function classesOf(phrases: readonly string[]): Uint8Array {
  const classOf = new Uint8Array(256);
  let classes = 1;
  for (const phrase of phrases) {
    for (let i = 0; i < phrase.length; i++) {
      const byte = phrase.charCodeAt(i);
      if (classOf[byte] !== 0) continue;
      classOf[byte] = classes;
      classOf[otherCase(byte)] = classes;
      classes++;
    }
  }
  return classOf;
}

function otherCase(byte: number): number {
  const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
  return isLetter ? byte ^ 0x20 : byte;
}
