import { compilePattern } from '../regex/compile.ts';
import type { Selector } from '../rule-set.ts';
import type { NameMatcher } from './program.ts';

/** What a selector means. Names compare without case; a pattern is looked for anywhere in the name. */
export function matcherOf(selector: Selector): NameMatcher {
  if (selector.kind === 'pattern') return new PatternName(selector.pattern);
  return new OneName(selector.kind === 'xpath' ? selector.path : selector.name);
}

class OneName implements NameMatcher {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name.toLowerCase();
  }

  matches(name: string): boolean {
    return name.length === this.#name.length && (name === this.#name || name.toLowerCase() === this.#name);
  }
}

class PatternName implements NameMatcher {
  readonly #pattern: ReturnType<typeof compilePattern>;

  constructor(pattern: string) {
    this.#pattern = compilePattern(`(?i)${pattern}`);
  }

  matches(name: string): boolean {
    return this.#pattern.test(name);
  }
}
