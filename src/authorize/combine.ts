import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Rule } from './rule.ts';

/** `all-of`, and the words of one mapping: the first that does not hold speaks. */
export class AllOf implements Rule {
  readonly needsBody: boolean;
  readonly #rules: readonly Rule[];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.needsBody = rules.some((rule) => rule.needsBody === true);
  }

  check(x: Exchange): Refusal | undefined {
    for (const rule of this.#rules) {
      const refusal = rule.check(x);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }
}

/** `any-of`: one of them suffices. Where none holds, the first gives the code, and the reason tells of all. */
export class AnyOf implements Rule {
  readonly needsBody: boolean;
  readonly #rules: readonly Rule[];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.needsBody = rules.some((rule) => rule.needsBody === true);
  }

  check(x: Exchange): Refusal | undefined {
    let refusals: Refusal[] | undefined;
    for (const rule of this.#rules) {
      const refusal = rule.check(x);
      if (refusal === undefined) return undefined;
      if (refusals === undefined) refusals = [refusal];
      else refusals.push(refusal);
    }
    return refusals === undefined ? refuse('forbidden', '`any-of` is empty') : together(refusals);
  }
}

function together(refusals: readonly Refusal[]): Refusal {
  const [first, ...others] = refusals;
  if (others.length === 0) return first;
  const reason = `none of these: ${refusals.map((refusal) => refusal.reason).join('; ')}`;
  return refuse(first.code, reason, { headers: first.headers });
}
