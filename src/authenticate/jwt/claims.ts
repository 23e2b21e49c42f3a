import { type CatalogueCode, type Refusal, refuse } from '../../exchange/decision.ts';
import { claimOf } from '../../exchange/caller.ts';
import type { Caller, Claims } from '../../exchange/exchange.ts';
import type { JwtOptions } from './options.ts';
import { readScopes } from '../scopes.ts';

/** What the claims of a token, whose signature is good, must say. Strict about types: nothing is converted (RFC 8725 section 3.9). */
export class ClaimsCheck {
  readonly #name: string;
  readonly #audience: ReadonlySet<string>;
  readonly #skew: number;
  readonly #lifetime: number;
  readonly #plan: string | undefined;

  constructor(name: string, options: JwtOptions) {
    this.#name = name;
    this.#audience = new Set(options.audience);
    this.#skew = options['clock-skew'];
    this.#lifetime = options['max-lifetime'];
    this.#plan = options['plan-claim'];
  }

  /** How far the clocks may differ, in milliseconds. */
  get skew(): number {
    return this.#skew;
  }

  /** The caller, or why the token is none. `now`: milliseconds since the epoch. */
  read(claims: Claims, accessToken: boolean, now: number): Caller | Refusal {
    return (
      this.#audienceProblem(claims) ??
      this.#timeProblem(claims, now) ??
      identityProblem(claims, accessToken) ??
      this.#caller(claims)
    );
  }

  /** RFC 7519 section 4.1.3: a string, or strings of which one is ours, letter for letter. */
  #audienceProblem({ aud }: Claims): Refusal | undefined {
    if (typeof aud === 'string') return this.#audience.has(aud) ? undefined : notForUs;
    if (!Array.isArray(aud) || !aud.every((one) => typeof one === 'string')) return malformed('aud');
    return aud.some((one) => this.#audience.has(one)) ? undefined : notForUs;
  }

  #timeProblem({ exp, nbf, iat }: Claims, now: number): Refusal | undefined {
    if (!isTime(exp)) return malformed('exp');
    if (nbf !== undefined && !isTime(nbf)) return malformed('nbf');
    if (iat !== undefined && !isTime(iat)) return malformed('iat');
    if (exp * 1000 + this.#skew <= now) return refuse('token-expired', '`exp` is over');
    if (isAhead(nbf, now + this.#skew)) return refuse('token-not-yet-valid', '`nbf` is still to come');
    if (isAhead(iat, now + this.#skew)) return refuse('token-not-yet-valid', '`iat` is still to come');
    // Without `iat` what is left of its life must not be longer than the whole may be.
    const life = iat === undefined ? exp * 1000 - now - this.#skew : (exp - iat) * 1000;
    return life > this.#lifetime ? refuse('token-lifetime', 'it lives longer than `max-lifetime`') : undefined;
  }

  #caller(claims: Claims): Caller | Refusal {
    const scopes = readScopes(claims);
    if (scopes === undefined) return malformed('scope');
    const plan = this.#plan === undefined ? undefined : claimOf(claims, this.#plan);
    if (plan !== undefined && typeof plan !== 'string') return refuse('token-claims', 'the claim of the plan is not a string');
    return Object.freeze({
      by: 'jwt',
      name: this.#name,
      subject: claims.sub as string | undefined,
      scopes,
      claims,
      plan,
      expires: (claims.exp as number) * 1000,
      header: 'authorization',
    });
  }
}

const notForUs = refuse('token-audience', '`aud` names none of the audiences');

function malformed(claim: string, code: CatalogueCode = 'token-claims'): Refusal {
  return refuse(code, `\`${claim}\` is missing or not what it has to be`);
}

/** A NumericDate (RFC 7519 section 2), which JSON can make infinite: `1e999`. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isAhead(time: unknown, limit: number): boolean {
  return typeof time === 'number' && time * 1000 > limit;
}

/** What tells who it is. An access token by RFC 9068 section 2.2 has all of these. */
function identityProblem(claims: Claims, accessToken: boolean): Refusal | undefined {
  if (claims.sub !== undefined && !isIdentifier(claims.sub)) return malformed('sub');
  if (!accessToken) return undefined;
  const missing = ['sub', 'client_id', 'jti'].find((name) => !isIdentifier(claims[name]));
  return missing === undefined && claims.iat !== undefined ? undefined : malformed(missing ?? 'iat');
}

/** Half a surrogate pair could not be told to a service but as the same replacement for all of them. */
function isIdentifier(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.isWellFormed();
}
