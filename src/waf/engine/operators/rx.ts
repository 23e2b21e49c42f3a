import type { Requirement } from '../fast/requirement.ts';
import { type Match, type OperatorFactory, type OperatorWorld, type PreparedOperator, RuleError } from '../operator.ts';
import { type CompiledPattern, compilePattern } from '../regex/compile.ts';
import { PatternError } from '../regex/node.ts';
import { leastLengthOf } from '../regex/least-length.ts';
import { requiredOf } from '../regex/required.ts';
import type { Macro } from '../rule-set.ts';

/** `@rx`: the pattern is found somewhere in the value. Linear in the value, whatever the pattern. */
export const rx: OperatorFactory = (argument, world) => new PatternOperator(patternOf(argument, world));

/** An operator that is one pattern; what filters values before rules are judged reads it. */
export class PatternOperator implements PreparedOperator {
  readonly pattern: CompiledPattern;
  #requirement: Requirement | undefined;

  constructor(pattern: CompiledPattern) {
    this.pattern = pattern;
  }

  get requirement(): Requirement {
    return (this.#requirement ??= requiredOf(this.pattern.node));
  }

  get leastLength(): number {
    return leastLengthOf(this.pattern.node);
  }

  judge(value: string, match: Match): boolean {
    if (!this.pattern.test(value)) return false;
    if (match.capturing) match.groups = this.pattern.exec(value);
    return true;
  }
}

/** The pattern that an operator is given. Patterns are fixed when rules load: one that a request could change could not be checked. */
export function patternOf(argument: Macro, world: OperatorWorld): CompiledPattern {
  if (argument.parts.some((part) => typeof part !== 'string')) {
    throw new RuleError(
      'A pattern cannot hold a macro',
      'Write the text itself, or \\x25 for the percent sign of a macro that is meant as text.',
    );
  }
  try {
    return world.patterns?.compile(argument.text) ?? compilePattern(argument.text);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new RuleError(`${error.message}, at byte ${error.offset} of the pattern`, error.hint);
  }
}
