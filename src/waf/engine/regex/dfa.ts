import type { MemoryBudget, Spender } from './budget.ts';
import { contexts } from './program.ts';
import type { Stepper } from './stepper.ts';

/** Transitions that are no row: not known yet, a match is found, none can come, and the cache is of no use on this value. */
export const unknown = -1;
export const hit = -2;
export const dead = -3;
export const deadMatched = -4;
export const giveUp = -5;

/** Bytes per state besides its transitions and threads: numbers and the table of states. */
const stateOverhead = 128;

/**
 * States of a deterministic automaton, made when a value needs them and dropped all together when they take too much. A state is named by its row
 * of transitions. In a search for any match a transition is a row or `hit`; else it is twice the row, plus one where a thread was done before the
 * byte.
 */
export class StateCache implements Spender {
  readonly stepper: Stepper;
  /** By row plus class. */
  transitions: Int32Array;
  readonly #limit: number;
  readonly #budget: MemoryBudget;
  #pool: Int32Array;
  #poolSize = 0;
  #offsets: number[] = [];
  #contexts: number[] = [];
  #hashes: number[] = [];
  #byHash = new Map<number, number[]>();
  #starts: number[] = [];
  #spent = 0;
  /** Bytes read since the states were dropped: by finished searches, and before. */
  #read = 0;

  constructor(stepper: Stepper, limit: number, budget: MemoryBudget) {
    this.stepper = stepper;
    this.#limit = limit;
    this.#budget = budget;
    this.transitions = new Int32Array(0);
    this.#pool = new Int32Array(0);
  }

  get states(): number {
    return this.#contexts.length;
  }

  get spent(): number {
    return this.#spent;
  }

  /** The row of a search that begins in a context; `hit` and `dead` as of any transition of kind `any`. */
  start(context: number): number {
    const known = this.#starts[context];
    if (known !== undefined) return known;
    this.stepper.begin();
    const found = this.stepper.kind === 'any' && this.stepper.matched ? hit : this.#intern(context);
    this.#starts[context] = found;
    return found;
  }

  /** Works out a transition that is unknown. `read`: bytes that this search has read; Infinity: do not give up. */
  fill(row: number, byteClass: number, read: number): number {
    const { stepper } = this;
    const { program } = stepper;
    if (this.#spent + program.classes * 4 > this.#limit) {
      if (this.#read + read < 10 * this.states) return giveUp;
      const kept = this.threadsOf(row);
      this.clear();
      this.#read = read === Infinity ? 0 : -read;
      stepper.step(kept.pcs, 0, kept.pcs.length, kept.searching, kept.context, byteClass);
      return this.#encode(this.#next(byteClass));
    }
    const state = row / program.classes;
    const packed = this.#contexts[state];
    stepper.step(this.#pool, this.#offsets[state], this.#endOf(state), (packed & 8) !== 0, packed & 7, byteClass);
    const next = this.#encode(this.#next(byteClass));
    this.transitions[row + byteClass] = next;
    return next;
  }

  /** A search is over: so many bytes were read. */
  finish(read: number): void {
    this.#read += read;
  }

  /** Threads of a state, to go on without states. */
  threadsOf(row: number): { pcs: Int32Array; context: number; searching: boolean } {
    const state = row / this.stepper.program.classes;
    const packed = this.#contexts[state];
    return {
      pcs: this.#pool.slice(this.#offsets[state], this.#endOf(state)),
      context: packed & 7,
      searching: (packed & 8) !== 0,
    };
  }

  /** Drops all states. */
  clear(): void {
    this.#budget.release(this, this.#spent);
    this.#spent = 0;
    this.#read = 0;
    this.transitions = new Int32Array(0);
    this.#pool = new Int32Array(0);
    this.#poolSize = 0;
    this.#offsets = [];
    this.#contexts = [];
    this.#hashes = [];
    this.#byHash = new Map();
    this.#starts = [];
  }

  #endOf(state: number): number {
    return state + 1 < this.states ? this.#offsets[state + 1] : this.#poolSize;
  }

  /** What the stepper just came to, as a row, `hit` or `dead`. */
  #next(byteClass: number): number {
    if (this.stepper.kind === 'any' && this.stepper.matched) return hit;
    if (byteClass === this.stepper.program.endClass) return dead;
    return this.#intern(this.stepper.program.contextOf[byteClass]);
  }

  #encode(next: number): number {
    if (this.stepper.kind === 'any') return next;
    const matched = this.stepper.matched ? 1 : 0;
    return next === dead ? dead - matched : 2 * next + matched;
  }

  #intern(contextAfter: number): number {
    const { stepper } = this;
    const { searching } = stepper;
    if (stepper.isDead(contextAfter)) return dead;
    const context = stepper.asks(contextAfter) ? contextAfter : contexts.other;
    const packed = context | (searching ? 8 : 0);
    if (stepper.kind !== 'preferred') sortFirst(stepper.out.pcs, stepper.out.size);
    const hash = hashOf(stepper.out.pcs, stepper.out.size, packed);
    const found = this.#byHash.get(hash)?.find((state) => this.#equals(state, packed));
    return (found ?? this.#addState(packed, hash)) * stepper.program.classes;
  }

  #equals(state: number, packed: number): boolean {
    const { pcs, size } = this.stepper.out;
    const from = this.#offsets[state];
    if (this.#contexts[state] !== packed || this.#endOf(state) - from !== size) return false;
    for (let at = 0; at < size; at++) if (this.#pool[from + at] !== pcs[at]) return false;
    return true;
  }

  #addState(packed: number, hash: number): number {
    const { pcs, size } = this.stepper.out;
    const { classes } = this.stepper.program;
    const state = this.states;
    if (this.transitions.length < (state + 1) * classes) this.#growTransitions(classes);
    if (this.#pool.length < this.#poolSize + size) this.#growPool(size);
    this.#pool.set(pcs.subarray(0, size), this.#poolSize);
    this.#offsets.push(this.#poolSize);
    this.#poolSize += size;
    this.#contexts.push(packed);
    this.#hashes.push(hash);
    const bucket = this.#byHash.get(hash);
    if (bucket === undefined) this.#byHash.set(hash, [state]);
    else bucket.push(state);
    this.#spend(stateOverhead);
    return state;
  }

  #growTransitions(classes: number): void {
    const rows = Math.max(4, Math.ceil((this.states * 3) / 2));
    const larger = new Int32Array(rows * classes).fill(unknown);
    larger.set(this.transitions);
    this.#spend(4 * (larger.length - this.transitions.length));
    this.transitions = larger;
  }

  #growPool(size: number): void {
    const larger = new Int32Array(Math.max(16, Math.ceil(this.#pool.length * 1.5), this.#poolSize + size));
    larger.set(this.#pool);
    this.#spend(4 * (larger.length - this.#pool.length));
    this.#pool = larger;
  }

  #spend(bytes: number): void {
    this.#spent += bytes;
    this.#budget.spend(this, bytes);
  }
}

/** Puts the first numbers of a list in order; there are few, as a rule. */
function sortFirst(list: Int32Array, size: number): void {
  if (size > 24) {
    list.subarray(0, size).sort();
    return;
  }
  for (let at = 1; at < size; at++) {
    const moved = list[at];
    let to = at;
    for (; to > 0 && list[to - 1] > moved; to--) list[to] = list[to - 1];
    list[to] = moved;
  }
}

function hashOf(pcs: Int32Array, size: number, packed: number): number {
  let hash = packed + 1;
  for (let at = 0; at < size; at++) hash = Math.imul(hash ^ pcs[at], 0x9e3779b1) ^ (hash >>> 15);
  return hash | 0;
}
