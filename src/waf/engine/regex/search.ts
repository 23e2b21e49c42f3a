import type { MemoryBudget } from './budget.ts';
import { giveUp, hit, StateCache } from './dfa.ts';
import { compileProgram, contexts } from './program.ts';
import type { PatternNode } from './node.ts';
import { simplifyForSearch } from './simplify.ts';
import { Stepper, type Threads } from './stepper.ts';

/** Asks whether a pattern matches anywhere in a value. */
export class Search {
  readonly #cache: StateCache;
  readonly #stepper: Stepper;
  readonly #classOf: Uint8Array;

  constructor(node: PatternNode, budget: MemoryBudget) {
    const program = compileProgram(simplifyForSearch(node));
    this.#stepper = new Stepper(program, 'any');
    this.#classOf = program.classOf;
    this.#cache = new StateCache(this.#stepper, budget.perPattern, budget);
  }

  get program() {
    return this.#stepper.program;
  }

  get states(): number {
    return this.#cache.states;
  }

  test(value: string): boolean {
    const cache = this.#cache;
    const row = cache.start(contexts.edge);
    if (row < 0) return row === hit;
    const classOf = this.#classOf;
    const end = this.program.usesFinal && value.endsWith('\n') ? value.length - 1 : value.length;
    let transitions = cache.transitions;
    let state = row;
    const { stays } = cache;
    let { idle } = cache;
    for (let at = 0; at < end; at++) {
      if (state === idle) {
        while (at < end && stays[value.charCodeAt(at)] === 1) at++;
        if (at === end) break;
      }
      const byteClass = classOf[value.charCodeAt(at)];
      let next = transitions[state + byteClass];
      if (next < 0) {
        if (next > hit) next = cache.fill(state, byteClass, at);
        if (next < 0) return next === giveUp ? this.#simulate(value, at, state) : this.#ended(next, at);
        transitions = cache.transitions;
        idle = cache.idle;
      }
      state = next;
    }
    return this.#end(state, end, end < value.length);
  }

  /** The same over a part of a buffer, which is read faster than a string. */
  testBytes(bytes: Uint8Array, from: number, to: number): boolean {
    const cache = this.#cache;
    const row = cache.start(contexts.edge);
    if (row < 0) return row === hit;
    const classOf = this.#classOf;
    const end = this.program.usesFinal && to > from && bytes[to - 1] === 10 ? to - 1 : to;
    let transitions = cache.transitions;
    let state = row;
    const { stays } = cache;
    let { idle } = cache;
    for (let at = from; at < end; at++) {
      if (state === idle) {
        while (at < end && stays[bytes[at]] === 1) at++;
        if (at === end) break;
      }
      const byteClass = classOf[bytes[at]];
      let next = transitions[state + byteClass];
      if (next < 0) {
        if (next > hit) next = cache.fill(state, byteClass, at - from);
        if (next < 0) {
          return next === giveUp ? this.#simulate(latin1(bytes, from, to), at - from, state) : this.#ended(next, at - from);
        }
        transitions = cache.transitions;
        idle = cache.idle;
      }
      state = next;
    }
    return this.#end(state, end - from, end < to);
  }

  #ended(next: number, read: number): boolean {
    this.#cache.finish(read);
    return next === hit;
  }

  /** A final newline where it counts, then the end. */
  #end(state: number, read: number, finalNewline: boolean): boolean {
    this.#cache.finish(read);
    const { finalClass, endClass } = this.program;
    const row = finalNewline ? this.#next(state, finalClass) : state;
    return (row < 0 ? row : this.#next(row, endClass)) === hit;
  }

  #next(row: number, byteClass: number): number {
    const next = this.#cache.transitions[row + byteClass];
    return next === -1 ? this.#cache.fill(row, byteClass, Infinity) : next;
  }

  /** Goes on without states: where a value makes a new one for nearly every byte, keeping them costs more than it gives. */
  #simulate(value: string, from: number, row: number): boolean {
    const stepper = this.#stepper;
    const start = this.#cache.threadsOf(row);
    this.#cache.finish(value.length);
    let { fresh } = start;
    let threads: Threads = { list: start.list, size: start.list.length };
    for (let at = from; at <= value.length; at++) {
      stepper.step(threads.list, 0, threads.size, fresh, this.#classAt(value, at));
      if (stepper.matched) return true;
      if (stepper.dead) return false;
      fresh = stepper.fresh;
      threads = stepper.takeOut(threads);
    }
    return false;
  }

  #classAt(value: string, at: number): number {
    const { program } = this;
    if (at === value.length) return program.endClass;
    const code = value.charCodeAt(at);
    return code === 10 && program.usesFinal && at === value.length - 1 ? program.finalClass : program.classOf[code];
  }
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
}
