import { Leaves, MoveFinder, type SearchKind } from './leaves.ts';
import { contextCount, contexts, opcodes, type Program } from './program.ts';

/** Threads, each by its number; their order counts in a search for the preferred match. */
export interface Threads {
  list: Int32Array;
  size: number;
}

/** No new threads begin any more. */
export const noFresh = -1;

const initialSize = 32;
/** In the table of moves: not known yet, and none. */
const unknownMove = 0;
const noMove = 1;

/**
 * One step of the nondeterministic automaton for all its threads at once. A thread is a step of the program and, where that asks for it, what stands
 * before; what it becomes with a class of bytes is remembered, so that a step costs one look-up per thread. Threads that begin at this place are not in
 * the list: they are the same everywhere, and stand for one, the fresh one. Cost of a step: in proportion to the threads that are alive, which are never
 * more than the program has steps.
 */
export class Stepper {
  readonly program: Program;
  readonly kind: SearchKind;
  /** What the last step came to. */
  out: Threads = { list: new Int32Array(initialSize), size: 0 };
  /** The fresh thread behind it. */
  fresh = noFresh;
  /** Whether a thread was done: before the byte of the last step, with kind `any` also behind it. */
  matched = false;
  readonly #leaves: Leaves;
  /** Leaves of the start; no other thread is needed for them in a search of kind `any`. */
  readonly #freshLeaves: ReadonlySet<number>;
  #numbers = new Map<number, number>();
  /** Steps with the same leaves are one thread. */
  readonly #canonical = new Map<string, number>();
  /** By step, plus one; 0 where it is not known yet. */
  readonly #canonicalPcs: Int32Array;
  /** By step: 1 where the fresh thread has all its leaves, 2 where not, 0 where it is not known yet. */
  readonly #known: Uint8Array;
  readonly #finder: MoveFinder;
  #pcs: number[] = [];
  #contexts: number[] = [];
  /** By thread and class: where its move stands in the pool. */
  #table = new Int32Array(0);
  #marks = new Int32Array(0);
  #generation = 0;
  /** Of each move: how many threads it comes to, times two, plus one where one was done; then these threads. */
  #pool = new Int32Array(64);
  #poolSize = noMove + 1;
  #moves = new Map<string | number, number>();

  constructor(program: Program, kind: SearchKind, reversed = false) {
    this.program = program;
    this.kind = kind;
    this.#leaves = new Leaves(program, reversed);
    this.#canonicalPcs = new Int32Array(program.ops.length);
    this.#known = new Uint8Array(program.ops.length);
    this.#finder = new MoveFinder(program, this.#leaves, kind);
    this.#freshLeaves = new Set(kind === 'any' ? this.#leaves.of(program.start) : []);
  }

  /** Bytes that the remembered moves take, about. */
  get memory(): number {
    return this.#table.byteLength + this.#marks.byteLength + this.#pool.byteLength + 100 * (this.#moves.size + this.#pcs.length);
  }

  /** The first threads of a search that begins in a context. */
  begin(context: number): void {
    this.out.size = 0;
    this.fresh = this.#numberOf(this.program.start, context);
    this.matched = this.kind === 'any' && this.program.ops[this.program.start] === opcodes.match;
    if (this.kind !== 'longest') return;
    this.out.list[this.out.size++] = this.fresh;
    this.fresh = noFresh;
  }

  /** Takes one byte of a class, or the end. The list must not be `out`. */
  step(list: Int32Array, from: number, to: number, fresh: number, byteClass: number): void {
    this.#nextGeneration();
    this.out.size = 0;
    this.matched = false;
    this.fresh = noFresh;
    const { classes } = this.program;
    const goesOn = this.kind === 'longest';
    for (let at = from; at < to; at++) {
      let move = this.#table[list[at] * classes + byteClass];
      if (move === noMove) continue;
      if (move === unknownMove) move = this.#addMove(list[at], byteClass);
      if (this.#take(move) && !goesOn) return;
    }
    if (fresh === noFresh) return;
    const move = this.#table[fresh * classes + byteClass];
    if (this.#take(move === unknownMove ? this.#addMove(fresh, byteClass) : move)) return;
    this.fresh = this.#numberOf(this.program.start, this.program.contextOf[byteClass]);
  }

  /** Gives away the threads of the last step, and takes a list that is free in exchange. */
  takeOut(free: Threads): Threads {
    const taken = this.out;
    this.out = free.list.length < initialSize ? { list: new Int32Array(initialSize), size: 0 } : free;
    return taken;
  }

  /** Whether no match can come any more. */
  get dead(): boolean {
    return this.out.size === 0 && (this.fresh === noFresh || !this.#leaves.canBegin(this.#contexts[this.fresh]));
  }

  /** Whether the fresh thread is there, and stands where nothing particular is around. */
  get freshIsPlain(): boolean {
    return this.fresh !== noFresh && this.#contexts[this.fresh] === contexts.other;
  }

  /** Drops all that is remembered; numbers of threads mean nothing any more. */
  forget(): void {
    this.#numbers = new Map();
    this.#pcs = [];
    this.#contexts = [];
    this.#table = new Int32Array(0);
    this.#marks = new Int32Array(0);
    this.#pool = new Int32Array(64);
    this.#poolSize = noMove + 1;
    this.#moves = new Map();
  }

  #nextGeneration(): void {
    if (++this.#generation < 0x7fffffff) return;
    this.#marks.fill(0);
    this.#generation = 1;
  }

  /** Adds the threads of a move that are not there yet; tells whether one was done. */
  #take(move: number): boolean {
    const pool = this.#pool;
    const marks = this.#marks;
    const generation = this.#generation;
    const head = pool[move];
    const end = move + 1 + (head >> 1);
    let { list, size } = this.out;
    for (let at = move + 1; at < end; at++) {
      const thread = pool[at];
      if (marks[thread] === generation) continue;
      marks[thread] = generation;
      if (size === list.length) list = this.#grow();
      list[size++] = thread;
    }
    this.out.size = size;
    if ((head & 1) === 0) return false;
    this.matched = true;
    return true;
  }

  #grow(): Int32Array {
    const larger = new Int32Array(2 * this.out.list.length);
    larger.set(this.out.list);
    this.out.list = larger;
    return larger;
  }

  #numberOf(pc: number, context: number): number {
    const asked = this.#leaves.asks(pc, context) ? context : contexts.other;
    const key = pc * contextCount + asked;
    return this.#numbers.get(key) ?? this.#addThread(key, pc, asked);
  }

  #addThread(key: number, pc: number, context: number): number {
    const number = this.#pcs.push(pc) - 1;
    this.#contexts.push(context);
    this.#numbers.set(key, number);
    if (number === this.#marks.length) {
      const room = 2 * number + 8;
      this.#table = enlarged(this.#table, room * this.program.classes);
      this.#marks = enlarged(this.#marks, room);
    }
    return number;
  }

  #addMove(thread: number, byteClass: number): number {
    const finder = this.#finder;
    finder.clear();
    finder.find(this.#pcs[thread], this.#contexts[thread], byteClass);
    const context = this.program.contextOf[byteClass];
    const kept = this.#prune(finder.targets, context);
    const matched = finder.matched || (this.kind === 'any' && kept.some((pc) => this.#leaves.isDone(pc)));
    const number = this.#numberOfMove(
      kept.map((pc) => this.#numberOf(pc, context)),
      matched,
    );
    this.#table[thread * this.program.classes + byteClass] = number;
    return number;
  }

  #numberOfMove(threads: readonly number[], matched: boolean): number {
    if (threads.length === 0 && !matched) return noMove;
    const key = threads.length === 1 && !matched ? threads[0] : `${matched ? '!' : ''}${threads.join()}`;
    const known = this.#moves.get(key);
    if (known !== undefined) return known;
    const at = this.#poolSize;
    this.#poolSize += 1 + threads.length;
    if (this.#poolSize > this.#pool.length) this.#pool = enlarged(this.#pool, 2 * this.#poolSize);
    this.#pool[at] = 2 * threads.length + (matched ? 1 : 0);
    this.#pool.set(threads, at + 1);
    this.#moves.set(key, at);
    return at;
  }

  /** Leaves out threads that cannot come to anything, that are there already, or (where order does not count) whose leaves another one has. */
  #prune(targets: readonly number[], context: number): readonly number[] {
    const kept: number[] = [];
    for (const target of targets) {
      if (!this.#leaves.canGoOn(target, context) || (this.kind === 'any' && this.#isFresh(target))) continue;
      const pc = this.#canonicalOf(target);
      if (!kept.includes(pc)) kept.push(pc);
    }
    if (this.kind === 'preferred' || kept.length < 2 || kept.length > 40) return kept;
    return kept.filter((one, at) => !kept.some((other, place) => place !== at && this.#covers(other, one, place < at)));
  }

  /** Whether all leaves of a step are leaves of the start. */
  #isFresh(pc: number): boolean {
    this.#known[pc] ||= this.#leaves.of(pc).every((leaf) => this.#freshLeaves.has(leaf)) ? 1 : 2;
    return this.#known[pc] === 1;
  }

  /** Whether all leaves of one thread are among another's; of two equal ones the first stays. */
  #covers(large: number, small: number, isFirst: boolean): boolean {
    const outer = this.#leaves.of(large);
    const inner = this.#leaves.of(small);
    if (inner.length > outer.length || (inner.length === outer.length && !isFirst)) return false;
    return inner.every((leaf) => outer.includes(leaf));
  }

  #canonicalOf(pc: number): number {
    const known = this.#canonicalPcs[pc];
    if (known !== 0) return known - 1;
    const key = this.#leaves.of(pc).join();
    const first = this.#canonical.get(key) ?? pc;
    this.#canonical.set(key, first);
    this.#canonicalPcs[pc] = first + 1;
    return first;
  }
}

function enlarged(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(array);
  return larger;
}
