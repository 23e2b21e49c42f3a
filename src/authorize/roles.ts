import { claimOf } from '../exchange/caller.ts';
import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Rule } from './rule.ts';

/** `roles`: one of them suffices. The claim is a list of roles, or a text that is one role: nothing is taken apart. */
export class Roles implements Rule {
  readonly #roles: ReadonlySet<unknown>;
  readonly #claim: string;
  readonly #missing: Refusal;

  constructor(roles: readonly string[], claim: string) {
    this.#roles = new Set(roles);
    this.#claim = claim;
    this.#missing = refuse('role-missing', `none of the roles ${roles.join(', ')} is in the claim ${claim}`);
  }

  check(x: Exchange): Refusal | undefined {
    const had = x.caller === undefined ? undefined : claimOf(x.caller.claims, this.#claim);
    if (!Array.isArray(had)) return this.#roles.has(had) ? undefined : this.#missing;
    for (const role of had) if (this.#roles.has(role)) return undefined;
    return this.#missing;
  }
}
