import { assertionHolds, assertions, contextCount, contexts, opcodes, type Program } from './program.ts';

/** What a search wants to know. */
export type SearchKind =
  /** Whether there is a match: any will do, so the order of threads does not count, and the first one found ends it. */
  | 'any'
  /** Where the match that PCRE prefers ends: threads in order, and those behind one that is done are dropped. */
  | 'preferred'
  /** The match that goes furthest, from a fixed place. */
  | 'longest';

/** Threads, each by the step at which it goes on; their order counts in a search for the preferred match. */
export interface Threads {
  pcs: Int32Array;
  size: number;
}

/** What one thread becomes with one byte. */
interface Move {
  readonly pcs: Int32Array;
  /** Whether it was done: before the byte, in a search of kind `any` also behind it. */
  readonly matched: boolean;
}

const noMove: Move = { pcs: new Int32Array(0), matched: false };
const initialSize = 32;

/**
 * One step of the nondeterministic automaton for all its threads at once. What each thread becomes is remembered per class of bytes, so that a step
 * costs a look-up per thread. Threads that begin at this place are not kept in the list: they are the same everywhere. Cost of a step: in proportion to
 * the threads that are alive, which are never more than the program has steps.
 */
export class Stepper {
  readonly program: Program;
  readonly kind: SearchKind;
  /** What the last step came to. */
  out: Threads = { pcs: new Int32Array(initialSize), size: 0 };
  /** Whether a thread was done: before the byte of the last step, with kind `any` also behind it. */
  matched = false;
  /** Whether new threads still begin. */
  searching = false;
  /** Bytes that the remembered moves take. */
  memory = 0;
  readonly #marks: Float64Array;
  #generation = 0;
  readonly #holds: Uint8Array;
  readonly #possible: Uint8Array;
  #leaves: (Int32Array | undefined)[] = [];
  /** By context and step: for each class the number of a move, 0 where it is not known yet. */
  #rows: (Int32Array | undefined)[][] = [];
  #moves: Move[] = [noMove, noMove];
  #moveNumbers = new Map<string, number>();
  /** Steps with the same leaves are one thread. */
  #canonical = new Map<string, number>();
  /** By context: whether some assertion of the program differs there from `other`. */
  readonly #matters: Uint8Array;
  readonly #freshAsks: Uint8Array;
  readonly #fresh: ReadonlySet<number>;

  constructor(program: Program, kind: SearchKind, reversed = false) {
    this.program = program;
    this.kind = kind;
    this.#marks = new Float64Array(program.ops.length);
    this.#holds = holdsTable(reversed);
    this.#possible = possibleTable(this.#holds);
    this.#matters = contextsThatMatter(program, this.#holds);
    this.#fresh = new Set(kind === 'any' ? this.#leavesOf(program.start) : []);
    this.#freshAsks = Uint8Array.from({ length: contextCount }, (_, context) => (this.#asksAt(program.start, context) ? 1 : 0));
    this.#forgetMoves();
  }

  /** Threads of a search that begins in a context. */
  begin(): void {
    this.out.size = 0;
    this.searching = this.kind !== 'longest';
    if (!this.searching) this.out.pcs[this.out.size++] = this.program.start;
    this.matched = this.kind === 'any' && this.program.ops[this.program.start] === opcodes.match;
  }

  /** Takes one byte of a class, or the end. The list must not be `out`. */
  step(list: Int32Array, from: number, to: number, searching: boolean, context: number, byteClass: number): void {
    this.#generation++;
    this.out.size = 0;
    this.matched = false;
    this.searching = searching;
    const endsAtMatch = this.kind !== 'longest';
    for (let at = from; at < to; at++) {
      const move = this.#moveOf(list[at], context, byteClass);
      this.#take(move);
      if (!move.matched || !endsAtMatch) continue;
      this.searching = false;
      return;
    }
    if (!searching) return;
    const fresh = this.#moveOf(this.program.start, context, byteClass);
    this.#take(fresh);
    if (fresh.matched) this.searching = false;
  }

  /** Gives away the threads of the last step, and takes a list that is free in exchange. */
  takeOut(free: Threads): Threads {
    const taken = this.out;
    this.out = free.pcs.length < initialSize ? { pcs: new Int32Array(initialSize), size: 0 } : free;
    return taken;
  }

  /** Whether what the threads become depends on the context. */
  asks(context: number): boolean {
    if (this.#matters[context] === 0) return false;
    if (this.searching && this.#freshAsks[context] === 1) return true;
    const { pcs, size } = this.out;
    for (let at = 0; at < size; at++) if (this.#asksAt(pcs[at], context)) return true;
    return false;
  }

  /** Whether no match can come any more. */
  isDead(context: number): boolean {
    return this.out.size === 0 && !(this.searching && this.#freshAlive(context));
  }

  /** Drops all that is remembered. */
  forget(): void {
    this.#leaves = [];
    this.#canonical = new Map();
    this.#forgetMoves();
  }

  #forgetMoves(): void {
    this.#rows = Array.from({ length: contextCount }, () => []);
    this.#moves = [noMove, noMove];
    this.#moveNumbers = new Map();
    this.memory = 0;
  }

  #take(move: Move): void {
    if (move.matched) this.matched = true;
    const { pcs } = move;
    for (let at = 0; at < pcs.length; at++) {
      const pc = pcs[at];
      if (this.#marks[pc] === this.#generation) continue;
      this.#marks[pc] = this.#generation;
      if (this.out.size === this.out.pcs.length) this.#grow();
      this.out.pcs[this.out.size++] = pc;
    }
  }

  #grow(): void {
    const larger = new Int32Array(2 * this.out.size);
    larger.set(this.out.pcs);
    this.out.pcs = larger;
  }

  #moveOf(pc: number, context: number, byteClass: number): Move {
    const rows = this.#rows[context];
    const row = rows[pc] ?? this.#addRow(pc, context);
    const number = row[byteClass];
    return this.#moves[number === 0 ? this.#addMove(row, pc, context, byteClass) : number];
  }

  #addRow(pc: number, context: number): Int32Array {
    const asks = this.#hasAssertion(pc);
    // One row is enough for all contexts where none is asked for.
    const shared = asks ? undefined : this.#rows[contexts.other][pc];
    const row = shared ?? new Int32Array(this.program.classes);
    if (shared === undefined) this.memory += row.byteLength + 64;
    this.#rows[context][pc] = row;
    if (!asks) this.#rows[contexts.other][pc] = row;
    return row;
  }

  #addMove(row: Int32Array, pc: number, context: number, byteClass: number): number {
    const move = new MoveFinder(this, this.#leaves, this.#holds).find(this.#leavesOf(pc), context, byteClass);
    const kept = this.#prune(move.targets, this.program.contextOf[byteClass]);
    const matched = move.matched || (this.kind === 'any' && kept.some((target) => this.#isDone(target)));
    const key = `${matched ? '!' : ''}${kept.join()}`;
    let number = key === '' ? 1 : this.#moveNumbers.get(key);
    if (number === undefined) {
      number = this.#moves.push({ pcs: Int32Array.from(kept), matched }) - 1;
      this.#moveNumbers.set(key, number);
      this.memory += 160 + 8 * kept.length;
    }
    row[byteClass] = number;
    return number;
  }

  /** Leaves out threads that cannot come to anything, that are there already, or (where order does not count) whose leaves another one has. */
  #prune(targets: readonly number[], context: number): readonly number[] {
    const found = new Set<number>();
    for (const target of targets) {
      const leaves = this.#leavesOf(target);
      if (leaves.every((leaf) => !this.#isPossible(leaf, context))) continue;
      if (this.#fresh.size > 0 && leaves.every((leaf) => this.#fresh.has(leaf))) continue;
      found.add(this.#canonicalOf(target, leaves));
    }
    const kept = [...found];
    if (this.kind === 'preferred' || kept.length > 40) return kept;
    return kept.filter((one, at) => !kept.some((other, place) => place !== at && this.#covers(other, one, place < at)));
  }

  /** Whether all leaves of one thread are among another's; of two equal ones the first stays. */
  #covers(large: number, small: number, isFirst: boolean): boolean {
    const outer = new Set(this.#leavesOf(large));
    const inner = this.#leavesOf(small);
    return inner.every((leaf) => outer.has(leaf)) && (inner.length < outer.size || isFirst);
  }

  #canonicalOf(pc: number, leaves: Int32Array): number {
    const key = leaves.join();
    const known = this.#canonical.get(key);
    if (known !== undefined) return known;
    this.#canonical.set(key, pc);
    return pc;
  }

  #isDone(pc: number): boolean {
    return this.#leavesOf(pc).some((leaf) => this.program.ops[leaf] === opcodes.match);
  }

  #isPossible(leaf: number, context: number): boolean {
    const { ops, args } = this.program;
    return ops[leaf] !== opcodes.assert || this.#possible[args[leaf] * contextCount + context] === 1;
  }

  /** Whether what a thread becomes may differ between a context and `other`. */
  #asksAt(pc: number, context: number): boolean {
    return this.#matters[context] === 1 && this.#hasAssertion(pc);
  }

  #hasAssertion(pc: number): boolean {
    return this.program.usesAssertions && this.#leavesOf(pc).some((leaf) => this.program.ops[leaf] === opcodes.assert);
  }

  /** Whether a thread that begins here or further on can come to something: none can where the pattern is anchored and this is not the edge. */
  #freshAlive(context: number): boolean {
    return this.#leavesOf(this.program.start).some((leaf) => {
      if (this.#isPossible(leaf, context)) return true;
      for (let later = 0; later < contexts.edge; later++) if (this.#isPossible(leaf, later)) return true;
      return false;
    });
  }

  #leavesOf(pc: number): Int32Array {
    return knownLeaves(this.program, this.#leaves, pc);
  }
}

/** Works out what one thread becomes with one byte. */
class MoveFinder {
  readonly targets: number[] = [];
  matched = false;
  readonly #stepper: Stepper;
  readonly #leaves: (Int32Array | undefined)[];
  readonly #holds: Uint8Array;
  readonly #seen = new Set<number>();

  constructor(stepper: Stepper, leaves: (Int32Array | undefined)[], holds: Uint8Array) {
    this.#stepper = stepper;
    this.#leaves = leaves;
    this.#holds = holds;
  }

  find(leaves: Int32Array, context: number, byteClass: number): this {
    for (const leaf of leaves) {
      this.#walk(leaf, context, byteClass);
      if (this.matched && this.#stepper.kind !== 'longest') break;
    }
    return this;
  }

  #walk(pc: number, context: number, byteClass: number): void {
    const { ops, args, outs, members, contextOf } = this.#stepper.program;
    const op = ops[pc];
    if (op === opcodes.set) {
      if (members[args[pc]][byteClass] === 1) this.targets.push(outs[pc]);
    } else if (op === opcodes.match) {
      this.matched = true;
    } else if (!this.#seen.has(pc)) {
      this.#seen.add(pc);
      if (this.#holds[(args[pc] * contextCount + context) * contextCount + contextOf[byteClass]] === 0) return;
      this.find(knownLeaves(this.#stepper.program, this.#leaves, outs[pc]), context, byteClass);
    }
  }
}

/** Leaves that a step reaches without a byte, the preferred ones first: steps that take a byte, ask for what is around, or are done. */
function knownLeaves(program: Program, known: (Int32Array | undefined)[], pc: number): Int32Array {
  known[pc] ??= findLeaves(program, pc);
  return known[pc];
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
