import type { RemovedTarget } from '../transaction/removals.ts';
import type { Transaction } from '../transaction/transaction.ts';
import type { Ctl, ExpireVar, InitCol, RuleDefinition, SetVar } from '../rule-set.ts';

/** What a link does when it matches. */
export interface CompiledEffect {
  run(t: Transaction): void;
}

/** As C's `atoi`: what is no number counts as 0. */
export function numberOf(text: string): number {
  const value = Number.parseInt(text, 10);
  return Number.isNaN(value) ? 0 : value;
}

/** `setvar` of TX. */
export class SetTx implements CompiledEffect {
  readonly #effect: SetVar;

  constructor(effect: SetVar) {
    this.#effect = effect;
  }

  run(t: Transaction): void {
    const { operation, value } = this.#effect;
    const name = t.expand(this.#effect.name).toLowerCase();
    if (operation === 'delete') t.deleteTx(name);
    else if (operation === 'set') t.setTx(name, t.expand(value));
    else t.setTx(name, changed(t.tx.get(name), operation, t.expand(value)));
  }
}

/** `setvar` of a collection that `initcol` opened; without it there is nothing to set. */
export class SetStored implements CompiledEffect {
  readonly #effect: SetVar;

  constructor(effect: SetVar) {
    this.#effect = effect;
  }

  run(t: Transaction): void {
    const { operation, value, collection } = this.#effect;
    const name = t.expand(this.#effect.name).toLowerCase();
    if (operation === 'delete') t.collections.delete(collection, name);
    else if (operation === 'set') t.collections.set(collection, name, t.expand(value));
    else t.collections.set(collection, name, changed(t.collections.get(collection, name), operation, t.expand(value)));
  }
}

function changed(before: string | undefined, operation: 'add' | 'subtract', by: string): string {
  const amount = numberOf(by);
  return String(numberOf(before ?? '') + (operation === 'add' ? amount : -amount));
}

export class OpenCollection implements CompiledEffect {
  readonly #effect: InitCol;

  constructor(effect: InitCol) {
    this.#effect = effect;
  }

  run(t: Transaction): void {
    t.collections.open(this.#effect.collection, t.expand(this.#effect.key));
  }
}

export class ExpireStored implements CompiledEffect {
  readonly #effect: ExpireVar;

  constructor(effect: ExpireVar) {
    this.#effect = effect;
  }

  run(t: Transaction): void {
    const { collection, name, seconds } = this.#effect;
    t.collections.expire(collection, t.expand(name).toLowerCase(), numberOf(t.expand(seconds)));
  }
}

/** `ctl:ruleRemoveBy…`, with the rules that it means. */
export class RemoveRules implements CompiledEffect {
  readonly #rules: readonly RuleDefinition[];

  constructor(rules: readonly RuleDefinition[]) {
    this.#rules = rules;
  }

  run(t: Transaction): void {
    t.removals.removeRules(this.#rules);
    t.rulesChanged();
  }
}

/** `ctl:ruleRemoveTargetBy…`. */
export class RemoveTarget implements CompiledEffect {
  readonly #rules: ReadonlySet<RuleDefinition>;
  readonly #target: RemovedTarget;

  constructor(rules: readonly RuleDefinition[], target: RemovedTarget) {
    this.#rules = new Set(rules);
    this.#target = target;
  }

  run(t: Transaction): void {
    t.removals.removeTarget(this.#rules, this.#target);
  }
}

/** The changes of `ctl` that are one assignment. */
export class ChangeReading implements CompiledEffect {
  readonly #change: Ctl['change'];

  constructor(change: Ctl['change']) {
    this.#change = change;
  }

  run(t: Transaction): void {
    const change = this.#change;
    // A rule may take checks away, but not turn a gateway that only detects into one that blocks.
    if (change.option === 'ruleEngine') t.mode = change.value === 'On' ? t.fullMode : change.value;
    else if (change.option === 'requestBodyProcessor') t.processor = change.value;
    else if (change.option === 'forceRequestBodyVariable') t.forceBodyVariable = change.value;
    else if (change.option === 'requestBodyAccess') t.requestBodyAccess = change.value;
    else if (change.option === 'responseBodyAccess') t.responseBodyAccess = change.value;
    t.readingChanged();
  }
}
