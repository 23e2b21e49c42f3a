import type { RuleDefinition } from '../rule-set.ts';

/** A target that is left out: of one variable all, or the names that match. */
export interface RemovedTarget {
  readonly variable: string;
  /** undefined: all of the variable. */
  readonly names: { matches(name: string): boolean } | undefined;
}

/** What `ctl:ruleRemove…` took away for the rest of a transaction. */
export class Removals {
  #rules: Set<RuleDefinition> | undefined;
  #targets: { readonly rules: ReadonlySet<RuleDefinition>; readonly target: RemovedTarget }[] | undefined;

  removeRules(rules: Iterable<RuleDefinition>): void {
    this.#rules ??= new Set();
    for (const rule of rules) this.#rules.add(rule);
  }

  removeTarget(rules: ReadonlySet<RuleDefinition>, target: RemovedTarget): void {
    this.#targets ??= [];
    this.#targets.push({ rules, target });
  }

  /** Whether any rule was removed that these are. */
  hasAny(rules: ReadonlySet<RuleDefinition>): boolean {
    for (const rule of this.#rules ?? []) if (rules.has(rule)) return true;
    return false;
  }

  get isEmpty(): boolean {
    return this.#rules === undefined;
  }

  has(rule: RuleDefinition): boolean {
    return this.#rules?.has(rule) ?? false;
  }

  targetsOf(rule: RuleDefinition): readonly RemovedTarget[] | undefined {
    if (this.#targets === undefined) return undefined;
    const mine = this.#targets.filter(({ rules }) => rules.has(rule));
    return mine.length === 0 ? undefined : mine.map(({ target }) => target);
  }
}
