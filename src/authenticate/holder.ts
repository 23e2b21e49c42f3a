import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Claims, Exchange } from '../exchange/exchange.ts';

/**
 * A token that is bound to a key of its holder (`cnf`, RFC 7800): who takes it from whoever brings it makes a stolen one worth something
 * again (RFC 8705 section 3, RFC 9449 section 7.1).
 */
export function holderProblem(_x: Exchange, claims: Claims): Refusal | undefined {
  if (claims.cnf === undefined) return undefined;
  return refuse('token-bound', 'the token is bound to a key (`cnf`) that the request does not prove');
}
