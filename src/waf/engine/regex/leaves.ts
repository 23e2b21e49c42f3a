import { assertionHolds, assertions, contextCount, contexts, opcodes, type Program } from './program.ts';

/** What a search wants to know. */
export type SearchKind =
  /** Whether there is a match: any will do, so the order of threads does not count, and the first one found ends it. */
  | 'any'
  /** Where the match that PCRE prefers ends: threads in order, and those behind one that is done are dropped. */
  | 'preferred'
  /** The match that goes furthest, from a fixed place. */
  | 'longest';

/** What is known of the leaves of a step. */
const knownFlag = 1;
const assertsFlag = 2;
const isDoneFlag = 4;

/**
 * What each step of a program reaches without a byte, the preferred ones first: its leaves are steps that take a byte, that ask for what is around, or
 * that are done.
 */
export class Leaves {
  readonly #program: Program;
  readonly #known: (Int32Array | undefined)[];
  readonly #holds: Uint8Array;
  readonly #possible: Uint8Array;
  /** By context: whether some assertion of the program differs there from `other`. */
  readonly #matters: Uint8Array;
  readonly #canBegin: Uint8Array;
  readonly #flags: Uint8Array;

  constructor(program: Program, reversed: boolean) {
    this.#program = program;
    this.#known = Array.from({ length: program.ops.length });
    this.#flags = new Uint8Array(program.ops.length);
    this.#holds = holdsTable(reversed);
    this.#possible = possibleTable(this.#holds);
    this.#matters = contextsThatMatter(program, this.#holds);
    this.#canBegin = Uint8Array.from({ length: contextCount }, (_, context) => (this.#beginsFrom(context) ? 1 : 0));
  }

  of(pc: number): Int32Array {
    const known = this.#known[pc];
    if (known !== undefined) return known;
    const found = findLeaves(this.#program, pc);
    this.#known[pc] = found;
    return found;
  }

  /** Whether an assertion holds between two contexts, in the order of reading. */
  holds(code: number, before: number, next: number): boolean {
    return this.#holds[(code * contextCount + before) * contextCount + next] === 1;
  }

  /** Whether a leaf can come to anything behind a context. */
  isPossible(leaf: number, context: number): boolean {
    const { ops, args } = this.#program;
    return ops[leaf] !== opcodes.assert || this.#possible[args[leaf] * contextCount + context] === 1;
  }

  /** Whether what a step becomes may differ between a context and `other`. */
  asks(pc: number, context: number): boolean {
    return this.#matters[context] === 1 && this.#hasAssertion(pc);
  }

  /** Whether a thread there can come to anything behind a context. */
  canGoOn(pc: number, context: number): boolean {
    return !this.#hasAssertion(pc) || this.of(pc).some((leaf) => this.isPossible(leaf, context));
  }

  isDone(pc: number): boolean {
    return (this.#flagsOf(pc) & isDoneFlag) !== 0;
  }

  #hasAssertion(pc: number): boolean {
    return (this.#flagsOf(pc) & assertsFlag) !== 0;
  }

  #flagsOf(pc: number): number {
    if (this.#flags[pc] === 0) {
      let flags = knownFlag;
      for (const leaf of this.of(pc)) {
        if (this.#program.ops[leaf] === opcodes.assert) flags |= assertsFlag;
        if (this.#program.ops[leaf] === opcodes.match) flags |= isDoneFlag;
      }
      this.#flags[pc] = flags;
    }
    return this.#flags[pc];
  }

  /** Whether a match can begin in a context or further on: none can where the pattern is anchored and this is not the edge. */
  canBegin(context: number): boolean {
    return this.#canBegin[context] === 1;
  }

  #beginsFrom(context: number): boolean {
    return this.of(this.#program.start).some((leaf) => {
      if (this.isPossible(leaf, context)) return true;
      for (let later = 0; later < contexts.edge; later++) if (this.isPossible(leaf, later)) return true;
      return false;
    });
  }
}

/** Works out what one thread becomes with one byte. */
export class MoveFinder {
  readonly targets: number[] = [];
  /** Whether the thread was done before the byte. */
  matched = false;
  readonly #program: Program;
  readonly #leaves: Leaves;
  readonly #kind: SearchKind;
  readonly #seen = new Set<number>();

  constructor(program: Program, leaves: Leaves, kind: SearchKind) {
    this.#program = program;
    this.#leaves = leaves;
    this.#kind = kind;
  }

  clear(): void {
    this.targets.length = 0;
    this.matched = false;
    this.#seen.clear();
  }

  find(pc: number, context: number, byteClass: number): void {
    for (const leaf of this.#leaves.of(pc)) {
      this.#walk(leaf, context, byteClass);
      if (this.matched && this.#kind !== 'longest') break;
    }
  }

  #walk(leaf: number, context: number, byteClass: number): void {
    const { ops, args, outs, members, contextOf } = this.#program;
    const op = ops[leaf];
    if (op === opcodes.set) {
      if (members[args[leaf]][byteClass] === 1) this.targets.push(outs[leaf]);
    } else if (op === opcodes.match) {
      this.matched = true;
    } else if (!this.#seen.has(leaf)) {
      this.#seen.add(leaf);
      if (this.#leaves.holds(args[leaf], context, contextOf[byteClass])) this.find(outs[leaf], context, byteClass);
    }
  }
}

function findLeaves(program: Program, start: number): Int32Array {
  const seen = new Set<number>();
  const stack = [start];
  const leaves: number[] = [];
  for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
    if (seen.has(pc)) continue;
    seen.add(pc);
    if (program.ops[pc] === opcodes.split) stack.push(program.args[pc], program.outs[pc]);
    else if (program.ops[pc] === opcodes.save) stack.push(program.outs[pc]);
    else leaves.push(pc);
  }
  return Int32Array.from(leaves);
}

/** By assertion, context passed and context to come. */
function holdsTable(reversed: boolean): Uint8Array {
  const table = new Uint8Array(assertions.length * contextCount * contextCount);
  for (let at = 0; at < table.length; at++) {
    const next = at % contextCount;
    const before = Math.floor(at / contextCount) % contextCount;
    const code = Math.floor(at / (contextCount * contextCount));
    if (reversed ? assertionHolds(code, next, before) : assertionHolds(code, before, next)) table[at] = 1;
  }
  return table;
}

/** By assertion and context passed: whether it holds in front of anything. */
function possibleTable(holds: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: holds.length / contextCount }, (_, row) =>
    holds.subarray(row * contextCount, (row + 1) * contextCount).includes(1) ? 1 : 0,
  );
}

function contextsThatMatter(program: Program, holds: Uint8Array): Uint8Array {
  const rowOf = (code: number, context: number) => {
    const row = (code * contextCount + context) * contextCount;
    return holds.subarray(row, row + contextCount).join();
  };
  const used = new Set(program.args.filter((_, pc) => program.ops[pc] === opcodes.assert));
  return Uint8Array.from({ length: contextCount }, (_, context) =>
    [...used].some((code) => rowOf(code, context) !== rowOf(code, contexts.other)) ? 1 : 0,
  );
}
