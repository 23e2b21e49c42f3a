import type { PreparedOperator } from '../operator.ts';
import type { Link, RuleDefinition, RuleSettings, Target } from '../rule-set.ts';
import type { Transformation } from '../transformation.ts';
import type { Variable } from '../variables/variable.ts';
import type { CompiledEffect } from './effects.ts';

/** Rules ready to run: made once when the configuration loads, shared by all transactions, never changed. */
export interface Program {
  /** By phase, 1 to 5; the first is empty. */
  readonly phases: readonly PhaseProgram[];
  readonly settings: RuleSettings;
  /** TX variables whose values the gateway's configuration fixes: rule files cannot change them. */
  readonly pinned: ReadonlyMap<string, string>;
}

export interface PhaseProgram {
  readonly rules: readonly CompiledRule[];
}

export interface CompiledRule {
  readonly definition: RuleDefinition;
  readonly links: readonly CompiledLink[];
  /** Where the phase goes on after this rule when it matches and skips; undefined: with the next one. */
  readonly skipTo: number | undefined;
  readonly index: number;
}

export interface CompiledLink {
  readonly definition: Link;
  readonly targets: readonly CompiledTarget[];
  /** undefined: always matches (SecAction). */
  readonly operator: PreparedOperator | undefined;
  readonly negated: boolean;
  readonly transformations: readonly Transformation[];
  readonly multiMatch: boolean;
  readonly capture: boolean;
  readonly effects: readonly CompiledEffect[];
}

/** One target with what is left out of it. */
export interface CompiledTarget {
  readonly written: Target;
  readonly variable: Variable;
  readonly count: boolean;
  readonly names: NameMatcher | undefined;
  readonly except: readonly NameMatcher[];
}

/** Says whether a name is meant: by name without case, or by pattern. */
export interface NameMatcher {
  matches(name: string): boolean;
}
