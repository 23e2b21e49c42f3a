import { assertionHolds, contexts, opcodes, type Program } from './program.ts';

/** Two places, start and end, for the match and each of the groups 1 to 9. */
export const slots = 20;

/**
 * The match that PCRE prefers, with its groups, in linear time: all threads of the automaton go through the value side by side, in the order of
 * preference, each with the places that it has passed (Pike's machine). Costs more per byte than states do, so it only runs on a match that is
 * known. One thing differs from PCRE, in the texts of a match and its groups, never in whether
 * there is one: a loop whose body may be empty, such as `((a?)+)` or `(?:a*?)*`, ends without PCRE's last empty round.
 */
export class CaptureMachine {
  readonly #program: Program;
  readonly #marks: Float64Array;
  #generation = 0;
  #now: Frontier;
  #later: Frontier;
  /** Steps still to follow; a place to put back is -1 - slot, below it what stood there. */
  readonly #stack: number[] = [];
  readonly #places = new Int32Array(slots);
  /** Places that a thread carries: two for the match and for each group. */
  readonly #width: number;

  constructor(program: Program, groups: number) {
    this.#program = program;
    this.#width = Math.min(slots, 2 * groups + 2);
    this.#now = new Frontier(this.#width);
    this.#later = new Frontier(this.#width);
    this.#marks = new Float64Array(program.ops.length);
  }

  /** Places of the preferred match that begins from `from` to `last`; -1 where a group took no part. */
  find(value: string, from: number, last: number): Int32Array | undefined {
    let found: Int32Array | undefined;
    this.#now.clear(++this.#generation);
    for (let at = from; at <= value.length; at++) {
      const now = this.#now;
      if (found === undefined && at <= last) this.#begin(value, at, now);
      if (now.size === 0 && (found !== undefined || at >= last)) break;
      const later = this.#later;
      later.clear(++this.#generation);
      found = this.#step(value, at, now, later) ?? found;
      this.#now = later;
      this.#later = now;
    }
    return found;
  }

  #begin(value: string, at: number, now: Frontier): void {
    this.#places.fill(-1);
    this.#places[0] = at;
    this.#follow(value, this.#program.start, at, now);
  }

  /** Moves all threads over the byte at a place; gives the places of one that is done, which ends those behind it. */
  #step(value: string, at: number, now: Frontier, later: Frontier): Int32Array | undefined {
    const { ops, args, outs, members } = this.#program;
    const byteClass = this.#classAt(value, at);
    for (let thread = 0; thread < now.size; thread++) {
      const pc = now.pcs[thread];
      if (ops[pc] === opcodes.match) {
        now.copyPlaces(thread, this.#places);
        this.#places[1] = at;
        return this.#places.slice();
      }
      if (members[args[pc]][byteClass] === 0) continue;
      now.copyPlaces(thread, this.#places);
      this.#follow(value, outs[pc], at + 1, later);
    }
    return undefined;
  }

  /** Adds what a step reaches without a byte, the preferred first, each once. */
  #follow(value: string, start: number, at: number, frontier: Frontier): void {
    const stack = this.#stack;
    const places = this.#places;
    stack.push(start);
    for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
      if (pc < 0) places[-1 - pc] = stack.pop() as number;
      else if (this.#marks[pc] !== frontier.generation) this.#visit(value, pc, at, frontier);
    }
  }

  #visit(value: string, pc: number, at: number, frontier: Frontier): void {
    const { ops, args, outs } = this.#program;
    this.#marks[pc] = frontier.generation;
    switch (ops[pc]) {
      case opcodes.split:
        this.#stack.push(args[pc], outs[pc]);
        break;
      case opcodes.save:
        this.#stack.push(this.#places[args[pc]], -1 - args[pc], outs[pc]);
        this.#places[args[pc]] = at;
        break;
      case opcodes.assert:
        if (assertionHolds(args[pc], this.#contextAt(value, at - 1), this.#contextAt(value, at))) this.#stack.push(outs[pc]);
        break;
      default:
        frontier.add(pc, this.#places);
    }
  }

  #contextAt(value: string, at: number): number {
    return at < 0 ? contexts.edge : this.#program.contextOf[this.#classAt(value, at)];
  }

  #classAt(value: string, at: number): number {
    return classAt(this.#program, value, at);
  }
}

/** Class of a byte; that of the end behind the last. */
export function classAt(program: Program, value: string, at: number): number {
  if (at === value.length) return program.endClass;
  const code = value.charCodeAt(at);
  return code === 10 && program.usesFinal && at === value.length - 1 ? program.finalClass : program.classOf[code];
}

/** Threads that wait for the same byte, in the order of preference. */
class Frontier {
  pcs = new Int32Array(16);
  size = 0;
  generation = 0;
  readonly #width: number;
  #places: Int32Array;

  constructor(width: number) {
    this.#width = width;
    this.#places = new Int32Array(16 * width);
  }

  clear(generation: number): void {
    this.size = 0;
    this.generation = generation;
  }

  copyPlaces(thread: number, places: Int32Array): void {
    const from = thread * this.#width;
    for (let slot = 0; slot < this.#width; slot++) places[slot] = this.#places[from + slot];
  }

  add(pc: number, places: Int32Array): void {
    if (this.size === this.pcs.length) this.#grow();
    this.pcs[this.size] = pc;
    const to = this.size * this.#width;
    for (let slot = 0; slot < this.#width; slot++) this.#places[to + slot] = places[slot];
    this.size++;
  }

  #grow(): void {
    const pcs = new Int32Array(2 * this.size);
    pcs.set(this.pcs);
    this.pcs = pcs;
    const places = new Int32Array(2 * this.size * this.#width);
    places.set(this.#places);
    this.#places = places;
  }
}
