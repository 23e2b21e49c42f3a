import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Rule } from './rule.ts';

/** `callers`: the method that found out who calls, by its name in the section `authentication`. */
export class Callers implements Rule {
  readonly #names: readonly string[];
  readonly #refused: Refusal;

  constructor(names: readonly string[]) {
    this.#names = names;
    this.#refused = refuse('caller-refused', `the caller was not found out by ${names.join(' or ')}`);
  }

  check(x: Exchange): Refusal | undefined {
    return x.caller !== undefined && this.#names.includes(x.caller.name) ? undefined : this.#refused;
  }
}
