import type { PatternCache } from './regex/compile.ts';
import type { Requirement } from './fast/requirement.ts';
import type { Macro, Place } from './rule-set.ts';

/** What an operator is made from, when rules load. */
export interface OperatorWorld {
  /** Where the operator stands. */
  readonly place: Place;
  /** Lines of a data file beside the rule file, without comments and empty lines (`@pmFromFile`, `@ipMatchFromFile`). Throws a RuleError. */
  readLines(name: string): readonly string[];
  /** Patterns of this rule set: equal ones share one object, all share one budget of memory. Without it each stands alone. */
  readonly patterns?: PatternCache;
}

/** What an operator is told and tells while it judges one value: one object per transaction, reused. */
export interface Match {
  /** Whether captures are wanted. */
  capturing: boolean;
  /** What was captured: TX.0 to TX.9. Set only by an operator that matched while `capturing`; undefined: nothing. */
  groups: readonly (string | undefined)[] | undefined;
  /** The text of a macro in this transaction. */
  expand(macro: Macro): string;
}

/** An operator with its argument. `judge` is linear in the value, holds no state between calls, and never throws. */
export interface PreparedOperator {
  /** What a value cannot match without; undefined: nothing can be said. */
  readonly requirement?: Requirement;
  /** No shorter value matches; undefined: nothing can be said. */
  readonly leastLength?: number;
  judge(value: string, match: Match): boolean;
}

/** Makes an operator from its argument; throws a RuleError where the argument is wrong. Negation is not its business. */
export type OperatorFactory = (argument: Macro, world: OperatorWorld) => PreparedOperator;

/** An argument that an operator cannot take; the loader adds the place and turns it into a problem. */
export class RuleError extends Error {
  readonly hint: string | undefined;
  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
