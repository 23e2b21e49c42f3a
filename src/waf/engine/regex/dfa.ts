import type { MemoryBudget, Spender } from './budget.ts';
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
 * A full cache grows, or is dropped, when it has served so many bytes per state; a value that makes states faster than that goes on without. So hostile
 * values cost a new state at most every so many bytes.
 */
const bytesPerState = 32;

/** How far a cache may grow. */
const growth = 8;

/** What a stepper may remember. */
const maxStepperMemory = 1024 * 1024;

/**
 * States of a deterministic automaton, made when a value needs them and dropped all together when they take too much. A state is named by its row
 * of transitions. In a search for any match a transition is a row or `hit`; else it is twice the row, plus one where a thread was done before the
 * byte.
 */
export class StateCache implements Spender {
  readonly stepper: Stepper;
  /** By row plus class. */
  transitions: Int32Array;
  /** The row of the state in which nothing has begun; -1 where it is not made yet. Most bytes of most values leave a search there. */
  idle = -1;
  /** By byte: 1 where it is known to leave the search there. */
  readonly stays = new Uint8Array(256);
  /** Memory for states. It is doubled, up to a bound, where the states that filled it have served enough bytes. */
  #limit: number;
  readonly #mostLimit: number;
  readonly #budget: MemoryBudget;
  #pool: Int32Array;
  #poolSize = 0;
  #offsets: number[] = [];
  #fresh: number[] = [];
  /** Of what the stepper came to last. */
  #hash = 0;
  #byHash = new Map<number, number[]>();
  #starts: number[] = [];
  #spent = 0;
  /** Of the budget for all patterns: for what the stepper remembers. */
  #charged = 0;
  /** Bytes read since the states were dropped: by finished searches, and before. */
  #read = 0;

  constructor(stepper: Stepper, limit: number, budget: MemoryBudget) {
    this.stepper = stepper;
    this.#limit = limit;
    this.#mostLimit = growth * limit;
    this.#budget = budget;
    this.transitions = new Int32Array(0);
    this.#pool = new Int32Array(0);
  }

  get states(): number {
    return this.#fresh.length;
  }

  get spent(): number {
    return this.#spent;
  }

  /** The row of a search that begins in a context; `hit` and `dead` as of any transition of kind `any`. */
  start(context: number): number {
    // Only here is no search under way that knows threads by their numbers.
    if (this.#charged > maxStepperMemory) this.clear();
    const known = this.#starts[context];
    if (known !== undefined) return known;
    const { stepper } = this;
    stepper.begin(context);
    const found = stepper.kind === 'any' && stepper.matched ? hit : this.#intern();
    this.#starts[context] = found;
    return found;
  }

  /** Works out a transition that is unknown. `read`: bytes that this search has read; Infinity: do not give up. */
  fill(row: number, byteClass: number, read: number): number {
    const { stepper } = this;
    const state = row / stepper.program.classes;
    stepper.step(this.#pool, this.#offsets[state], this.#endOf(state), this.#fresh[state], byteClass);
    const next = this.#next(byteClass) ?? this.#known();
    this.#chargeStepper();
    if (next !== undefined) {
      if (row === this.idle && next === row) this.#markStays(byteClass);
      this.transitions[row + byteClass] = this.#encode(next);
      return this.transitions[row + byteClass];
    }
    if (this.#spent < this.#limit) return this.#addNext(row + byteClass);
    if (this.#read + read < bytesPerState * this.states) return giveUp;
    if (this.#limit < this.#mostLimit) {
      this.#limit *= 2;
      return this.#addNext(row + byteClass);
    }
    this.#dropStates();
    this.#read = read === Infinity ? 0 : -read;
    return this.#encode(this.#intern());
  }

  /** A search is over: so many bytes were read. */
  finish(read: number): void {
    this.#read += read;
  }

  /** Threads of a state, to go on without states. */
  threadsOf(row: number): { list: Int32Array; fresh: number } {
    const state = row / this.stepper.program.classes;
    return { list: this.#pool.slice(this.#offsets[state], this.#endOf(state)), fresh: this.#fresh[state] };
  }

  /** Drops all states, and what they were made from. */
  clear(): void {
    this.#dropStates();
    this.stepper.forget();
  }

  #dropStates(): void {
    this.#budget.release(this, this.#spent);
    this.#budget.release(this, this.#charged);
    this.#charged = 0;
    this.#spent = 0;
    this.#read = 0;
    this.transitions = new Int32Array(0);
    this.#pool = new Int32Array(0);
    this.#poolSize = 0;
    this.#offsets = [];
    this.#fresh = [];
    this.#byHash = new Map();
    this.#starts = [];
    this.idle = -1;
    this.stays.fill(0);
  }

  /** What the stepper remembers counts for all patterns together, not for this one's states. */
  #chargeStepper(): void {
    const more = this.stepper.memory - this.#charged;
    if (more < 4096) return;
    this.#charged += more;
    this.#budget.spend(this, more);
  }

  #endOf(state: number): number {
    return state + 1 < this.states ? this.#offsets[state + 1] : this.#poolSize;
  }

  /** What the stepper just came to where that is no state: `hit` or `dead`. */
  #next(byteClass: number): number | undefined {
    const { stepper } = this;
    if (stepper.kind === 'any' && stepper.matched) return hit;
    return stepper.dead || byteClass === stepper.program.endClass ? dead : undefined;
  }

  #markStays(byteClass: number): void {
    const { classOf } = this.stepper.program;
    for (let byte = 0; byte < 256; byte++) if (classOf[byte] === byteClass) this.stays[byte] = 1;
  }

  #addNext(at: number): number {
    const next = this.#encode(this.#addState() * this.stepper.program.classes);
    this.transitions[at] = next;
    return next;
  }

  #encode(next: number): number {
    if (this.stepper.kind === 'any') return next;
    const matched = this.stepper.matched ? 1 : 0;
    return next === dead ? dead - matched : 2 * next + matched;
  }

  /** The state that the stepper came to, made if it is new. */
  #intern(): number {
    if (this.stepper.dead) return dead;
    return this.#known() ?? this.#addState() * this.stepper.program.classes;
  }

  #known(): number | undefined {
    const { out, kind, fresh } = this.stepper;
    if (kind !== 'preferred') sortFirst(out.list, out.size);
    this.#hash = hashOf(out.list, out.size, fresh);
    const found = this.#byHash.get(this.#hash)?.find((state) => this.#equals(state));
    return found === undefined ? undefined : found * this.stepper.program.classes;
  }

  #equals(state: number): boolean {
    const { list, size } = this.stepper.out;
    const from = this.#offsets[state];
    if (this.#fresh[state] !== this.stepper.fresh || this.#endOf(state) - from !== size) return false;
    for (let at = 0; at < size; at++) if (this.#pool[from + at] !== list[at]) return false;
    return true;
  }

  /** Keeps what the stepper came to under the hash that was just found. */
  #addState(): number {
    const { list, size } = this.stepper.out;
    const { classes } = this.stepper.program;
    const state = this.states;
    if (this.transitions.length < (state + 1) * classes) this.#growTransitions(classes);
    if (this.#pool.length < this.#poolSize + size) this.#growPool(size);
    this.#pool.set(list.subarray(0, size), this.#poolSize);
    this.#offsets.push(this.#poolSize);
    this.#poolSize += size;
    this.#fresh.push(this.stepper.fresh);
    if (this.idle === -1 && size === 0 && this.stepper.freshIsPlain) this.idle = state * classes;
    const bucket = this.#byHash.get(this.#hash);
    if (bucket === undefined) this.#byHash.set(this.#hash, [state]);
    else bucket.push(state);
    this.#spend(stateOverhead);
    return state;
  }

  #growTransitions(classes: number): void {
    const rows = Math.max(8, 2 * this.states);
    const larger = new Int32Array(rows * classes).fill(unknown);
    larger.set(this.transitions);
    this.#spend(4 * (larger.length - this.transitions.length));
    this.transitions = larger;
  }

  #growPool(size: number): void {
    const larger = new Int32Array(Math.max(32, 2 * this.#pool.length, this.#poolSize + size));
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

function hashOf(list: Int32Array, size: number, fresh: number): number {
  let hash = fresh + 2;
  for (let at = 0; at < size; at++) hash = Math.imul(hash ^ list[at], 0x9e3779b1) ^ (hash >>> 15);
  return hash | 0;
}
