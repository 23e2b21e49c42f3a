import type { MemoryBudget } from './budget.ts';
import { classAt } from './captures.ts';
import { deadMatched, giveUp, StateCache, unknown } from './dfa.ts';
import type { PatternNode } from './node.ts';
import { compileProgram, contexts } from './program.ts';
import { Stepper } from './stepper.ts';

/** Memory that the states of one pattern may take, for each direction. */
const memoryPerDirection = 64 * 1024;

/** Where a match lies; `gaveUp` where states were of no use on the value. */
export type Span = { readonly start: number; readonly end: number } | 'gaveUp' | undefined;

/**
 * Finds where the preferred match lies, by states: forwards, with threads in order, for its end; from there backwards, the longest way, for its start
 * (the preferred match is the leftmost one, and no match that ends there begins further left).
 */
export class SpanSearch {
  readonly #forward: StateCache;
  readonly #backward: StateCache;

  constructor(node: PatternNode, budget: MemoryBudget) {
    this.#forward = new StateCache(new Stepper(compileProgram(node), 'preferred'), memoryPerDirection, budget);
    const reversed = compileProgram(node, { reversed: true });
    this.#backward = new StateCache(new Stepper(reversed, 'longest', true), memoryPerDirection, budget);
  }

  find(value: string): Span {
    const end = runForward(this.#forward, value);
    if (end === giveUp) return 'gaveUp';
    if (end < 0) return undefined;
    const start = runBackward(this.#backward, value, end);
    return start < 0 ? 'gaveUp' : { start, end };
  }
}

const none = -1;

/** Where the preferred match ends; `none` or `giveUp`. */
function runForward(cache: StateCache, value: string): number {
  const { program } = cache.stepper;
  let end = none;
  let row = cache.start(contexts.edge);
  if (row < 0) return none;
  for (let at = 0; at <= value.length; at++) {
    const next = nextRow(cache, row, classAt(program, value, at), at);
    if (next === giveUp) return giveUp;
    if (next < 0) return finished(cache, at, next === deadMatched ? at : end);
    if ((next & 1) === 1) end = at;
    row = next >> 1;
  }
  return end;
}

/** Where the longest match begins that ends at a place. */
function runBackward(cache: StateCache, value: string, end: number): number {
  const { program } = cache.stepper;
  let start = none;
  let row = cache.start(program.contextOf[classAt(program, value, end)]);
  if (row < 0) return none;
  for (let at = end; at >= 0; at--) {
    const byteClass = at === 0 ? program.endClass : classAt(program, value, at - 1);
    const next = nextRow(cache, row, byteClass, end - at);
    if (next === giveUp) return giveUp;
    if (next < 0) return finished(cache, end - at, next === deadMatched ? at : start);
    if ((next & 1) === 1) start = at;
    row = next >> 1;
  }
  return start;
}

function nextRow(cache: StateCache, row: number, byteClass: number, read: number): number {
  const next = cache.transitions[row + byteClass];
  return next === unknown ? cache.fill(row, byteClass, read) : next;
}

function finished(cache: StateCache, read: number, place: number): number {
  cache.finish(read);
  return place;
}
