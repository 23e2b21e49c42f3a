import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Claims, Exchange } from '../exchange/exchange.ts';

const THUMBPRINT = 'x5t#S256';

/**
 * A token that is bound to a key of its holder (`cnf`, RFC 7800) counts only from that holder: who takes it from whoever brings it makes a
 * stolen one worth something again. Known is the client certificate (RFC 8705 section 3.1); every other binding is one that the request
 * does not prove (RFC 9449 section 7.1).
 */
export function holderProblem(x: Exchange, { cnf }: Claims): Refusal | undefined {
  if (cnf === undefined || isOf(x, cnf)) return undefined;
  return refuse('token-bound', 'the token is bound to a key (`cnf`) that the request does not prove');
}

function isOf(x: Exchange, cnf: unknown): boolean {
  const { certificate } = x.connection;
  if (certificate === undefined || typeof cnf !== 'object' || cnf === null) return false;
  const names = Object.keys(cnf);
  if (names.length !== 1 || names[0] !== THUMBPRINT || certificate.problem(x.time) !== undefined) return false;
  return (cnf as Claims)[THUMBPRINT] === certificate.thumbprint;
}
