import type { Match, OperatorFactory, PreparedOperator } from '../operator.ts';
import type { CompiledPattern } from '../regex/compile.ts';
import { patternOf } from './rx.ts';

/** TX.0 to TX.9. */
const maxTexts = 10;

/** `@rxGlobal`: as `@rx`, but captures all matches one behind the other, each with its groups, as far as TX.0 to TX.9 reach. */
export const rxGlobal: OperatorFactory = (argument, world) => new GlobalPatternOperator(patternOf(argument, world));

class GlobalPatternOperator implements PreparedOperator {
  readonly #pattern: CompiledPattern;

  constructor(pattern: CompiledPattern) {
    this.#pattern = pattern;
  }

  judge(value: string, match: Match): boolean {
    if (!this.#pattern.test(value)) return false;
    if (match.capturing) match.groups = this.#all(value);
    return true;
  }

  #all(value: string): readonly (string | undefined)[] {
    const texts: (string | undefined)[] = [];
    for (let from = 0; from <= value.length && texts.length < maxTexts; ) {
      const places = this.#pattern.execAt(value, from);
      if (places === undefined) break;
      for (let slot = 0; slot <= 2 * Math.min(this.#pattern.groups, 9); slot += 2) {
        texts.push(places[slot] < 0 || places[slot + 1] < 0 ? undefined : value.slice(places[slot], places[slot + 1]));
      }
      // An empty match moves on by one byte.
      from = places[1] === places[0] ? places[1] + 1 : places[1];
    }
    return texts.slice(0, maxTexts);
  }
}
