import { MemoryBudget } from './budget.ts';
import { CaptureMachine } from './captures.ts';
import type { PatternNode } from './node.ts';
import { parsePattern } from './parse.ts';
import { compileProgram } from './program.ts';
import { Search } from './search.ts';
import { SpanSearch } from './span.ts';

/** A pattern that is ready to run. All it does is linear in the value. */
export interface CompiledPattern {
  readonly source: string;
  readonly node: PatternNode;
  /** How many capturing groups it has; `exec` gives the first nine. */
  readonly groups: number;
  /** Whether it matches anywhere. The value is a byte string: one character per byte. */
  test(value: string): boolean;
  /** The same over a part of a buffer: faster than a string where many patterns read one value. */
  testBytes(bytes: Uint8Array, from: number, to: number): boolean;
  /** The match that PCRE prefers and its groups; undefined where there is none. */
  exec(value: string): readonly (string | undefined)[] | undefined;
  /** The first match that begins at `from` or behind it, for those who want all matches: its places, two by two, -1 where a group took no part. */
  execAt(value: string, from: number): Int32Array | undefined;
}

/** How a pattern runs and why that is bounded, for people. */
export interface PatternExplanation {
  readonly engine: 'lazy-dfa';
  /** Steps of the automaton. */
  readonly steps: number;
  /** Classes of bytes. */
  readonly classes: number;
  /** States that values have made so far. */
  readonly states: number;
  readonly bound: string;
}

/** Memory for the states of all patterns of a set together. */
export const defaultStateMemory = 40 * 1024 * 1024;
export const defaultPatternMemory = 128 * 1024;

/** Keeps patterns by their text, so that equal ones share one object, and holds the budget of memory for their states. */
export class PatternCache {
  readonly #patterns = new Map<string, LinearPattern>();
  readonly #budget: MemoryBudget;

  /** @param stateMemory - bytes for the states of all patterns together; `perPattern` of these for one */
  constructor(stateMemory = defaultStateMemory, perPattern = defaultPatternMemory) {
    this.#budget = new MemoryBudget(stateMemory, perPattern);
  }

  /** Throws a PatternError where the pattern is wrong, or more than a linear engine can do. */
  compile(text: string): CompiledPattern {
    const known = this.#patterns.get(text);
    if (known !== undefined) return known;
    const made = new LinearPattern(text, this.#budget);
    this.#patterns.set(text, made);
    return made;
  }

  explain(pattern: CompiledPattern): PatternExplanation {
    const own = this.#patterns.get(pattern.source);
    if (own === undefined) throw new Error(`The pattern ${pattern.source} is not of this cache`);
    return own.explain();
  }

  /** Bytes that states take now. */
  get stateMemory(): number {
    return this.#budget.spent;
  }
}

/** Compiles one pattern that shares nothing with others. */
export function compilePattern(text: string): CompiledPattern {
  return new PatternCache().compile(text);
}

class LinearPattern implements CompiledPattern {
  readonly source: string;
  readonly node: PatternNode;
  readonly groups: number;
  readonly #budget: MemoryBudget;
  readonly #search: Search;
  /** Made when a match is first wanted with its text: most patterns never match. */
  #spans: SpanSearch | undefined;
  #machine: CaptureMachine | undefined;

  constructor(text: string, budget: MemoryBudget) {
    const { node, groups } = parsePattern(text);
    this.source = text;
    this.node = node;
    this.groups = groups;
    this.#budget = budget;
    this.#search = new Search(node, budget);
  }

  test(value: string): boolean {
    return this.#search.test(value);
  }

  testBytes(bytes: Uint8Array, from: number, to: number): boolean {
    return this.#search.testBytes(bytes, from, to);
  }

  exec(value: string): readonly (string | undefined)[] | undefined {
    this.#spans ??= new SpanSearch(this.node, this.#budget);
    const span = this.#spans.find(value);
    if (span === undefined) return undefined;
    if (this.groups === 0) return [value.slice(span.start, span.end)];
    return texts(value, this.#run(value, span.start, span.start), this.groups);
  }

  execAt(value: string, from: number): Int32Array | undefined {
    return this.#run(value, from, value.length);
  }

  #run(value: string, from: number, last: number): Int32Array | undefined {
    this.#machine ??= new CaptureMachine(compileProgram(this.node, { captures: true }), this.groups);
    return this.#machine.find(value, from, last);
  }

  explain(): PatternExplanation {
    const { program } = this.#search;
    return {
      engine: 'lazy-dfa',
      steps: program.ops.length,
      classes: program.byteClasses,
      states: this.#search.states,
      bound: `one look-up per byte; where states do not help, at most ${program.ops.length} steps per byte, never more`,
    };
  }
}

function texts(value: string, places: Int32Array | undefined, groups: number): (string | undefined)[] | undefined {
  if (places === undefined) return undefined;
  return Array.from({ length: Math.min(groups, 9) + 1 }, (_, group) => {
    const start = places[2 * group];
    const end = places[2 * group + 1];
    // A group that was left and entered again holds the text of its last whole round.
    return start === -1 || end === -1 ? undefined : value.slice(start, end);
  });
}
