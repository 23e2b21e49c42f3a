import { type ByteSet, hasByte, setKey, setOf, wordBytes } from './byte-set.ts';
import { type Assertion, PatternError, type PatternNode } from './node.ts';

/** One step: take a byte out of a set, go two ways (the first is preferred), check what is around, remember the place, or be done. */
export const opcodes = { set: 0, split: 1, assert: 2, save: 3, match: 4 } as const;

/** The order is that of the codes in a program. */
export const assertions: readonly Assertion[] = [
  'begin',
  'end',
  'end-or-final-newline',
  'line-begin',
  'line-end',
  'word-edge',
  'no-word-edge',
  'no-newline-next',
];

/** What a byte is to the assertions; `edge` is either end of the value, `final` a newline that ends it. */
export const contexts = { other: 0, word: 1, newline: 2, final: 3, edge: 4 } as const;
export const contextCount = 5;

/** Largest program, in steps. Memory and time per byte of the worst case are in proportion to it. */
export const maxSteps = 20_000;

/** A pattern as steps of a nondeterministic automaton (Thompson's construction, with priorities), over classes of bytes. */
export interface Program {
  readonly start: number;
  readonly ops: Uint8Array;
  /** Of `set`: the number of its set; of `assert`: the code; of `save`: the slot; of `split`: the second way. */
  readonly args: Int32Array;
  readonly outs: Int32Array;
  /** Class of each byte. Bytes of one class are the same to the pattern. */
  readonly classOf: Uint8Array;
  /** Classes of bytes; then come that of a final newline and that of the end. */
  readonly byteClasses: number;
  readonly finalClass: number;
  readonly endClass: number;
  /** All classes, with these two. */
  readonly classes: number;
  /** Whether a final newline differs from another. */
  readonly usesFinal: boolean;
  /** Context of each class. */
  readonly contextOf: Uint8Array;
  /** Per set and class: whether it belongs. */
  readonly members: readonly Uint8Array[];
  /** Which assertions occur, by code. */
  readonly usesAssertions: boolean;
}

export interface ProgramOptions {
  /** Read the value from its end. */
  readonly reversed?: boolean;
  /** Keep the places of groups 1 to 9. */
  readonly captures?: boolean;
}

export function compileProgram(node: PatternNode, options: ProgramOptions = {}): Program {
  return new Builder(options).build(node);
}

class Builder {
  readonly #ops: number[] = [];
  readonly #args: number[] = [];
  readonly #outs: number[] = [];
  readonly #sets: ByteSet[] = [];
  readonly #setNumbers = new Map<string, number>();
  readonly #known = new Map<ByteSet, number>();
  readonly #used = new Set<Assertion>();
  readonly #reversed: boolean;
  readonly #captures: boolean;

  constructor(options: ProgramOptions) {
    this.#reversed = options.reversed === true;
    this.#captures = options.captures === true;
  }

  build(node: PatternNode): Program {
    const start = this.#emit(node, this.#step(opcodes.match, 0, -1));
    return {
      start,
      ops: Uint8Array.from(this.#ops),
      args: Int32Array.from(this.#args),
      outs: Int32Array.from(this.#outs),
      ...this.#classes(),
      usesAssertions: this.#used.size > 0,
    };
  }

  #step(op: number, arg: number, out: number): number {
    if (this.#ops.length >= maxSteps) {
      throw new PatternError(`The pattern cannot be bounded: more than ${maxSteps} steps`, 0, 'Lower its counts, {n,m}.');
    }
    this.#args.push(arg);
    this.#outs.push(out);
    return this.#ops.push(op) - 1;
  }

  /** Adds steps that go on to `next`; gives the first of them. */
  #emit(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'empty':
        return next;
      case 'set':
        return this.#step(opcodes.set, this.#setNumber(node.set), next);
      case 'concat':
        return this.#emitConcat(node.parts, next);
      case 'alternate':
        return this.#emitAlternate(node.options, next);
      case 'repeat':
        return this.#emitRepeat(node, next);
      case 'capture':
        return this.#emitCapture(node, next);
      case 'assert':
        this.#used.add(node.assertion);
        return this.#step(opcodes.assert, assertions.indexOf(node.assertion), next);
    }
  }

  #emitConcat(parts: readonly PatternNode[], next: number): number {
    const ordered = this.#reversed ? parts : parts.toReversed();
    return ordered.reduce((after, part) => this.#emit(part, after), next);
  }

  #emitAlternate(options: readonly PatternNode[], next: number): number {
    let entry = -1;
    for (const option of options.toReversed()) {
      const first = this.#emit(option, next);
      entry = entry === -1 ? first : this.#step(opcodes.split, entry, first);
    }
    return entry;
  }

  #emitRepeat(node: PatternNode & { kind: 'repeat' }, next: number): number {
    let copies = node.min;
    let entry = next;
    if (node.max === Infinity) {
      entry = this.#emitLoop(node, next);
      if (copies === 0) return this.#skippable(entry, next, node.lazy);
      copies--;
    } else {
      for (let extra = node.min; extra < node.max; extra++)
        entry = this.#skippable(this.#emit(node.body, entry), next, node.lazy);
    }
    while (copies-- > 0) entry = this.#emit(node.body, entry);
    return entry;
  }

  /** Once or more. Of a body that may be empty this is the form in which an empty round ends the loop, as it does in PCRE. */
  #emitLoop(node: PatternNode & { kind: 'repeat' }, next: number): number {
    const loop = this.#step(opcodes.split, next, next);
    const body = this.#emit(node.body, loop);
    if (node.lazy) this.#args[loop] = body;
    else this.#outs[loop] = body;
    return body;
  }

  #skippable(body: number, next: number, lazy: boolean): number {
    return lazy ? this.#step(opcodes.split, body, next) : this.#step(opcodes.split, next, body);
  }

  #emitCapture(node: PatternNode & { kind: 'capture' }, next: number): number {
    if (!this.#captures || node.index > 9) return this.#emit(node.body, next);
    const end = this.#step(opcodes.save, 2 * node.index + 1, next);
    return this.#step(opcodes.save, 2 * node.index, this.#emit(node.body, end));
  }

  #setNumber(set: ByteSet): number {
    // Nodes share their sets, so that most are known by themselves.
    const same = this.#known.get(set);
    if (same !== undefined) return same;
    const key = setKey(set);
    const number = this.#setNumbers.get(key) ?? this.#sets.push(set) - 1;
    this.#setNumbers.set(key, number);
    this.#known.set(set, number);
    return number;
  }

  #uses(...names: readonly Assertion[]): boolean {
    return names.some((name) => this.#used.has(name));
  }

  #classes() {
    const usesWord = this.#uses('word-edge', 'no-word-edge');
    const usesFinal = this.#uses('end-or-final-newline');
    const usesLines = usesFinal || this.#uses('line-begin', 'line-end', 'no-newline-next');
    const separators = [...this.#sets, ...(usesWord ? [wordBytes] : []), ...(usesLines ? [setOf([10, 10])] : [])];
    const { classOf, count } = classesOf(separators);
    const contextOf = new Uint8Array(count + 2);
    if (usesWord) for (let byte = 0; byte < 256; byte++) if (hasByte(wordBytes, byte)) contextOf[classOf[byte]] = contexts.word;
    if (usesLines) contextOf[classOf[10]] = contexts.newline;
    contextOf[count] = contexts.final;
    contextOf[count + 1] = contexts.edge;
    return {
      classOf,
      byteClasses: count,
      finalClass: count,
      endClass: count + 1,
      classes: count + 2,
      usesFinal,
      contextOf,
      members: this.#sets.map((set) => membersOf(set, classOf, count)),
    };
  }
}

/** The coarsest partition of the bytes in which each set is a union of classes. */
function classesOf(sets: readonly ByteSet[]): { classOf: Uint8Array; count: number } {
  let classOf = new Uint8Array(256);
  let count = 1;
  for (const set of sets) {
    const numbers = new Map<number, number>();
    const refined = new Uint8Array(256);
    for (let byte = 0; byte < 256; byte++) {
      const key = 2 * classOf[byte] + (hasByte(set, byte) ? 1 : 0);
      let number = numbers.get(key);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(key, number);
      }
      refined[byte] = number;
    }
    classOf = refined;
    count = numbers.size;
  }
  return { classOf, count };
}

function membersOf(set: ByteSet, classOf: Uint8Array, count: number): Uint8Array {
  const members = new Uint8Array(count + 2);
  for (let byte = 0; byte < 256; byte++) if (hasByte(set, byte)) members[classOf[byte]] = 1;
  // A final newline is a newline to all sets.
  members[count] = members[classOf[10]];
  return members;
}

/** Whether an assertion holds between two contexts, in the order of the value. */
export function assertionHolds(code: number, left: number, right: number): boolean {
  const { word, newline, final, edge } = contexts;
  switch (assertions[code]) {
    case 'begin':
      return left === edge;
    case 'end':
      return right === edge;
    case 'end-or-final-newline':
      return right === edge || right === final;
    case 'line-begin':
      return left === edge || (left === newline && right !== edge);
    case 'line-end':
      return right === edge || right === newline || right === final;
    case 'word-edge':
      return (left === word) !== (right === word);
    case 'no-word-edge':
      return (left === word) === (right === word);
    case 'no-newline-next':
      return right !== newline && right !== final;
  }
  return false;
}
