import { claimOf } from '../exchange/caller.ts';
import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Rule } from './rule.ts';

/** A value that a claim may be compared with. */
export type ClaimValue = string | number | boolean;

/**
 * One entry of `claims`: the claim is one of the values, or a list that has one of them. Nothing is converted: "1", 1 and true are three
 * values, as they are for who issued the token (CVE-2025-30144 is what comes of the opposite).
 */
export class Claim implements Rule {
  readonly #name: string;
  readonly #values: ReadonlySet<unknown>;
  readonly #mismatch: Refusal;

  constructor(name: string, values: readonly ClaimValue[]) {
    this.#name = name;
    this.#values = new Set(values);
    this.#mismatch = refuse('claim-mismatch', `the claim ${name} has no value that \`claims\` asks for`);
  }

  check(x: Exchange): Refusal | undefined {
    const found = x.caller === undefined ? undefined : claimOf(x.caller.claims, this.#name);
    if (!Array.isArray(found)) return this.#values.has(found) ? undefined : this.#mismatch;
    for (const one of found) if (this.#values.has(one)) return undefined;
    return this.#mismatch;
  }
}
