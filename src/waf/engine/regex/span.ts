import type { MemoryBudget } from './budget.ts';
import { classAt } from './captures.ts';
import { deadMatched, giveUp, StateCache, unknown } from './dfa.ts';
import type { PatternNode } from './node.ts';
import { compileProgram, contexts } from './program.ts';
import { Stepper, type Threads } from './stepper.ts';

const none = -1;

/** Where a match lies. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds where the preferred match lies, by states: forwards, with threads in order, for its end; from there backwards, the longest way, for its start
 * (the preferred match is the leftmost one, and no match that ends there begins further left).
 */
export class SpanSearch {
  readonly #forward: Direction;
  readonly #backward: Direction;

  constructor(node: PatternNode, budget: MemoryBudget) {
    this.#forward = new Direction(new Stepper(compileProgram(node), 'preferred'), budget);
    this.#backward = new Direction(new Stepper(compileProgram(node, { reversed: true }), 'longest', true), budget);
  }

  find(value: string): Span | undefined {
    const end = this.#forward.run({ value, origin: 0, sign: 1, length: value.length });
    if (end === none) return undefined;
    return { start: this.#backward.run({ value, origin: end, sign: -1, length: end }), end };
  }
}

/** A way through a value: from a place, forwards or backwards, over so many bytes. */
interface Way {
  readonly value: string;
  readonly origin: number;
  readonly sign: 1 | -1;
  readonly length: number;
}

/** A search in one direction for the place of a match. */
class Direction {
  readonly #cache: StateCache;

  constructor(stepper: Stepper, budget: MemoryBudget) {
    this.#cache = new StateCache(stepper, budget.perPattern / 2, budget);
  }

  /** The last place at which a thread was done; `none` where there is none. */
  run(way: Way): number {
    const cache = this.#cache;
    const { program } = cache.stepper;
    const { value, origin, sign, length } = way;
    const { classOf } = program;
    const first = sign === 1 ? origin : origin - 1;
    // Where a newline that ends the value counts, this byte is looked at with care.
    const careful = program.usesFinal ? value.length - 1 : -1;
    let place = none;
    let row = cache.start(this.#contextBefore(way));
    if (row < 0) return none;
    let { transitions } = cache;
    for (let step = 0; step <= length; step++) {
      const at = first + sign * step;
      const byteClass = step === length || at === careful ? this.#classAt(way, step) : classOf[value.charCodeAt(at)];
      let next = transitions[row + byteClass];
      if (next < 0) {
        if (next === unknown) next = cache.fill(row, byteClass, step);
        if (next === giveUp) return this.#simulate(way, step, row, place);
        if (next < 0) {
          cache.finish(step);
          return next === deadMatched ? origin + sign * step : place;
        }
        transitions = cache.transitions;
      }
      if ((next & 1) === 1) place = origin + sign * step;
      row = next >> 1;
    }
    cache.finish(length);
    return place;
  }

  /** Goes on without states, where they are of no use. */
  #simulate(way: Way, from: number, row: number, found: number): number {
    const { stepper } = this.#cache;
    const start = this.#cache.threadsOf(row);
    this.#cache.finish(way.length);
    let { fresh } = start;
    let threads: Threads = { list: start.list, size: start.list.length };
    let place = found;
    for (let step = from; step <= way.length; step++) {
      stepper.step(threads.list, 0, threads.size, fresh, this.#classAt(way, step));
      if (stepper.matched) place = way.origin + way.sign * step;
      if (stepper.dead) return place;
      fresh = stepper.fresh;
      threads = stepper.takeOut(threads);
    }
    return place;
  }

  #contextBefore({ value, origin, sign }: Way): number {
    const { program } = this.#cache.stepper;
    return sign === 1 ? contexts.edge : program.contextOf[classAt(program, value, origin)];
  }

  #classAt({ value, origin, sign, length }: Way, step: number): number {
    const { program } = this.#cache.stepper;
    if (step === length) return program.endClass;
    return classAt(program, value, sign === 1 ? origin + step : origin - step - 1);
  }
}
