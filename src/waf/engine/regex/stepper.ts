import { assertionHolds, assertions, contextCount, contexts, opcodes, type Program } from './program.ts';

/** What a search wants to know. */
export type SearchKind =
  /** Whether there is a match: any will do, so the order of threads does not count, and the first one found ends it. */
  | 'any'
  /** Where the match that PCRE prefers ends: threads in order, and those behind one that is done are dropped. */
  | 'preferred'
  /** The match that goes furthest, from a fixed place. */
  | 'longest';

/** A set of threads; its order counts in a search for the preferred match. */
export interface Threads {
  pcs: Int32Array;
  size: number;
}

/**
 * One step of the nondeterministic automaton for all its threads at once. A thread stands at a leaf: a step that takes a byte, asks for what is
 * around, or is done. Threads that begin at this place are not kept in the list: they are the same everywhere, and what they become is remembered
 * per class. Cost of a step: in proportion to the threads that are alive, never more than the program.
 */
export class Stepper {
  readonly program: Program;
  readonly kind: SearchKind;
  /** What the last step came to. */
  out: Threads;
  /** Whether a thread was done before the byte of the last step; with kind `any` also behind it. */
  matched = false;
  /** Of kind `preferred`: whether new threads still begin. */
  searching = false;
  readonly #leaves: (Int32Array | undefined)[];
  readonly #marks: Uint32Array;
  readonly #seen: Uint32Array;
  #generation = 0;
  readonly #holds: Uint8Array;
  readonly #possible: Uint8Array;
  readonly #isFresh: Uint8Array;
  readonly #freshSteps: (FreshStep | undefined)[] = [];
  readonly #freshAsks: Uint8Array;

  constructor(program: Program, kind: SearchKind, reversed = false) {
    this.program = program;
    this.kind = kind;
    const steps = program.ops.length;
    this.out = { pcs: new Int32Array(64), size: 0 };
    this.#leaves = Array.from({ length: steps });
    this.#marks = new Uint32Array(steps);
    this.#seen = new Uint32Array(steps);
    this.#holds = holdsTable(reversed);
    this.#possible = possibleTable(this.#holds);
    this.#isFresh = new Uint8Array(steps);
    if (kind === 'any') for (const pc of this.#leavesOf(program.start)) this.#isFresh[pc] = 1;
    this.#freshAsks = this.#contextsThatAsk();
  }

  /** Whether new threads begin at each place. */
  get #searches(): boolean {
    return this.kind !== 'longest';
  }

  /** Threads of a search that begins in a context; a search for the longest has its first threads in the list. */
  begin(context: number): void {
    this.#newGeneration();
    this.out.size = 0;
    this.matched = false;
    this.searching = this.#searches;
    if (!this.#searches) this.#add(this.#leavesOf(this.program.start), context);
    if (this.kind === 'any' && this.program.ops[this.program.start] === opcodes.match) this.matched = true;
  }

  /** Takes one byte of a class, or the end. The list must not be `out`. */
  step(list: Int32Array, from: number, to: number, searching: boolean, context: number, byteClass: number): void {
    this.#newGeneration();
    this.out.size = 0;
    this.matched = false;
    this.searching = searching;
    for (let at = from; at < to; at++) {
      this.#walk(list[at], context, byteClass);
      if (this.matched && this.kind !== 'longest') {
        this.searching = false;
        return;
      }
    }
    if (searching) this.#stepFresh(context, byteClass);
  }

  /** Gives away the threads of the last step, and takes a list that is free in exchange. */
  takeOut(free: Threads): Threads {
    const taken = this.out;
    this.out = free.pcs.length === 0 ? { pcs: new Int32Array(64), size: 0 } : free;
    return taken;
  }

  /** Whether what a list of threads becomes depends on the context. */
  asks(searching: boolean, context: number): boolean {
    if (!this.program.usesAssertions) return false;
    if (searching && this.#freshAsks[context] === 1) return true;
    const { pcs, size } = this.out;
    for (let at = 0; at < size; at++) if (this.program.ops[pcs[at]] === opcodes.assert) return true;
    return false;
  }

  /** Whether no match can come any more. */
  isDead(searching: boolean, context: number): boolean {
    return this.out.size === 0 && !(searching && this.#freshAlive(context));
  }

  /** Whether a thread that begins here or further on can come to something: none can where the pattern is anchored and this is not the edge. */
  #freshAlive(context: number): boolean {
    const { ops, args } = this.program;
    const possible = this.#possible;
    return this.#leavesOf(this.program.start).some((pc) => {
      if (ops[pc] !== opcodes.assert) return true;
      const row = args[pc] * contextCount;
      return possible[row + context] === 1 || possible.subarray(row, row + contexts.edge).includes(1);
    });
  }

  #contextsThatAsk(): Uint8Array {
    const { ops, args } = this.program;
    const asked = new Uint8Array(contextCount);
    for (const pc of this.#leavesOf(this.program.start)) {
      if (ops[pc] !== opcodes.assert) continue;
      for (let context = 0; context < contextCount; context++)
        asked[context] |= this.#possible[args[pc] * contextCount + context];
    }
    return asked;
  }

  #newGeneration(): void {
    if (this.#generation === 0xffffffff) {
      this.#marks.fill(0);
      this.#seen.fill(0);
      this.#generation = 0;
    }
    this.#generation++;
  }

  #stepFresh(context: number, byteClass: number): void {
    const key = context * this.program.classes + byteClass;
    let fresh = this.#freshSteps[key];
    if (fresh === undefined) {
      fresh = this.#findFresh(context, byteClass);
      this.#freshSteps[key] = fresh;
    }
    if (fresh.matched) this.matched = true;
    if (fresh.matched && this.kind === 'preferred') this.searching = false;
    this.#addKnown(fresh.pcs);
  }

  /** What threads that begin here become, alone. */
  #findFresh(context: number, byteClass: number): FreshStep {
    const before = this.out.pcs.slice(0, this.out.size);
    this.#newGeneration();
    this.out.size = 0;
    const matchedBefore = this.matched;
    this.matched = false;
    for (const pc of this.#leavesOf(this.program.start)) {
      this.#walk(pc, context, byteClass);
      if (this.matched && this.kind !== 'longest') break;
    }
    const fresh = { pcs: this.out.pcs.slice(0, this.out.size), matched: this.matched };
    this.#newGeneration();
    this.out.size = 0;
    this.matched = matchedBefore;
    this.#addKnown(before);
    return fresh;
  }

  #walk(pc: number, context: number, byteClass: number): void {
    const { ops, args, outs, members, contextOf } = this.program;
    const op = ops[pc];
    if (op === opcodes.set) {
      if (members[args[pc]][byteClass] === 1) this.#add(this.#leavesOf(outs[pc]), contextOf[byteClass]);
    } else if (op === opcodes.match) {
      this.matched = true;
    } else {
      if (this.#seen[pc] === this.#generation) return;
      this.#seen[pc] = this.#generation;
      if (this.#holds[(args[pc] * contextCount + context) * contextCount + contextOf[byteClass]] === 0) return;
      for (const leaf of this.#leavesOf(outs[pc])) {
        this.#walk(leaf, context, byteClass);
        if (this.matched && this.kind !== 'longest') return;
      }
    }
  }

  /** Adds leaves that are not there yet and can come to something in the context behind the byte. */
  #add(leaves: Int32Array, context: number): void {
    const { ops, args } = this.program;
    const marks = this.#marks;
    for (let at = 0; at < leaves.length; at++) {
      const pc = leaves[at];
      if (marks[pc] === this.#generation) continue;
      marks[pc] = this.#generation;
      if (this.#isFresh[pc] === 1) continue;
      if (ops[pc] === opcodes.assert && this.#possible[args[pc] * contextCount + context] === 0) continue;
      if (ops[pc] === opcodes.match && this.kind === 'any') this.matched = true;
      this.#push(pc);
    }
  }

  #addKnown(pcs: Int32Array): void {
    for (let at = 0; at < pcs.length; at++) {
      if (this.#marks[pcs[at]] === this.#generation) continue;
      this.#marks[pcs[at]] = this.#generation;
      this.#push(pcs[at]);
    }
  }

  #push(pc: number): void {
    const out = this.out;
    if (out.size === out.pcs.length) {
      const larger = new Int32Array(2 * out.size);
      larger.set(out.pcs);
      out.pcs = larger;
    }
    out.pcs[out.size++] = pc;
  }

  /** Leaves that a step reaches without a byte, the preferred ones first. */
  #leavesOf(pc: number): Int32Array {
    const known = this.#leaves[pc];
    if (known !== undefined) return known;
    const found = findLeaves(this.program, pc);
    this.#leaves[pc] = found;
    return found;
  }
}

interface FreshStep {
  readonly pcs: Int32Array;
  readonly matched: boolean;
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
