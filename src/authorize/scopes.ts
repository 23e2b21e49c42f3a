import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Rule } from './rule.ts';

/** Callers whose credential was a bearer token: these are told which scope is missing (RFC 6750 section 3.1). */
const BEARER: ReadonlySet<string> = new Set(['jwt', 'introspection']);

/** A refusal in two forms: the challenge is for who came with a bearer token, and nothing that others could use. */
class ScopeRefusal {
  readonly #plain: Refusal;
  readonly #challenge: Refusal;

  constructor(reason: string, scope: string) {
    const challenge = `Bearer error="insufficient_scope", scope="${scope}"`;
    this.#plain = refuse('scope-missing', reason);
    this.#challenge = refuse('scope-missing', reason, { headers: ['www-authenticate', challenge] });
  }

  of(x: Exchange): Refusal {
    return x.caller !== undefined && BEARER.has(x.caller.by) ? this.#challenge : this.#plain;
  }
}

/** `scopes`: all of them, each compared as a whole. */
export class Scopes implements Rule {
  readonly #needed: readonly string[];
  readonly #missing: readonly ScopeRefusal[];

  constructor(needed: readonly string[]) {
    this.#needed = needed;
    this.#missing = needed.map((scope) => new ScopeRefusal(`the scope ${scope} is missing`, needed.join(' ')));
  }

  check(x: Exchange): Refusal | undefined {
    const had = x.caller?.scopes;
    for (let i = 0; i < this.#needed.length; i += 1) {
      if (had === undefined || !had.includes(this.#needed[i])) return this.#missing[i].of(x);
    }
    return undefined;
  }
}

/** `any-scope`: one of them suffices. */
export class AnyScope implements Rule {
  readonly #enough: readonly string[];
  readonly #missing: ScopeRefusal;

  constructor(enough: readonly string[]) {
    this.#enough = enough;
    // A list in the challenge would mean that all are needed.
    this.#missing = new ScopeRefusal(`none of the scopes ${enough.join(', ')} is there`, enough[0]);
  }

  check(x: Exchange): Refusal | undefined {
    const had = x.caller?.scopes;
    if (had !== undefined) for (const scope of this.#enough) if (had.includes(scope)) return undefined;
    return this.#missing.of(x);
  }
}
