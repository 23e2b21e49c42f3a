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
  #targets: Map<RuleDefinition, RemovedTarget[]> | undefined;

  removeRules(rules: Iterable<RuleDefinition>): void {
    this.#rules ??= new Set();
    for (const rule of rules) this.#rules.add(rule);
  }

  removeTarget(rules: Iterable<RuleDefinition>, target: RemovedTarget): void {
    this.#targets ??= new Map();
    for (const rule of rules) {
      const list = this.#targets.get(rule);
      if (list === undefined) this.#targets.set(rule, [target]);
      else list.push(target);
    }
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
    return this.#targets?.get(rule);
  }
}
