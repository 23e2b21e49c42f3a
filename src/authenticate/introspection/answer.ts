import { type Refusal, refuse } from '../../exchange/decision.ts';
import { claimOf } from '../../exchange/caller.ts';
import type { Caller, Claims } from '../../exchange/exchange.ts';
import { readScopes } from '../scopes.ts';
import type { IntrospectionOptions } from './options.ts';

/** The answer is not what RFC 7662 section 2.2 says: nothing can be known from it. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
}

/** Members that are texts where they are there at all. */
const TEXTS = ['scope', 'client_id', 'username', 'token_type', 'sub', 'iss', 'jti', 'typ', 'token_use'];
const TIMES = ['exp', 'iat', 'nbf'];

/** Words by which servers tell an access token. Some say of a refresh or id token that it is active, too, and call it one of others. */
const TOKEN_TYPES = ['bearer', 'access_token', 'dpop', 'pop'];
const TYPES = ['bearer', 'jwt', 'at+jwt', 'application/at+jwt'];
const USES = ['access_token', 'access'];

/** Judges the answers of one method's authorization server. Strict about types: nothing is converted. */
export class AnswerCheck {
  readonly #name: string;
  readonly #issuer: string | undefined;
  /** undefined: tokens for whatever they are. */
  readonly #audience: ReadonlySet<string> | undefined;
  readonly #skew: number;
  readonly #plan: string | undefined;

  constructor(name: string, options: IntrospectionOptions) {
    this.#name = name;
    this.#issuer = options.issuer;
    this.#audience = options.audience.length === 1 && options.audience[0] === 'any' ? undefined : new Set(options.audience);
    this.#skew = options['clock-skew'];
    this.#plan = options['plan-claim'];
  }

  /** The caller, or why the token is none. Throws a MalformedAnswer. `now`: milliseconds since the epoch. */
  read(answer: Claims, now: number): Caller | Refusal {
    if (typeof answer.active !== 'boolean') throw new MalformedAnswer('`active` is neither true nor false');
    if (!answer.active) return inactive;
    checkTypes(answer);
    return this.#problem(answer, now) ?? this.#caller(answer);
  }

  #problem(answer: Claims, now: number): Refusal | undefined {
    if (!isAccessToken(answer))
      return refuse('token-type', 'the authorization server calls it another token than an access token');
    if (answer.iss !== undefined && this.#issuer !== undefined && answer.iss !== this.#issuer)
      return refuse('token-issuer', '`iss` of the answer is not the issuer');
    if (this.#audience !== undefined && !audienceOf(answer).some((one) => this.#audience?.has(one) === true))
      return refuse('token-audience', '`aud` of the answer names none of the audiences');
    if (typeof answer.exp === 'number' && answer.exp * 1000 + this.#skew <= now) return refuse('token-expired', '`exp` is over');
    if (typeof answer.nbf === 'number' && answer.nbf * 1000 - this.#skew > now)
      return refuse('token-not-yet-valid', '`nbf` is still to come');
    return undefined;
  }

  #caller(answer: Claims): Caller {
    const scopes = readScopes(answer);
    if (scopes === undefined) throw new MalformedAnswer('`scope` is no list of scopes');
    const plan = this.#plan === undefined ? undefined : claimOf(answer, this.#plan);
    if (plan !== undefined && typeof plan !== 'string') throw new MalformedAnswer('the member of the plan is no text');
    return Object.freeze({
      by: 'introspection',
      name: this.#name,
      subject: (answer.sub ?? answer.client_id) as string | undefined,
      scopes,
      claims: answer,
      plan,
      expires: typeof answer.exp === 'number' ? answer.exp * 1000 : undefined,
      header: 'authorization',
    });
  }
}

export const inactive = refuse('token-inactive', 'the authorization server calls the token inactive');

function checkTypes(answer: Claims): void {
  for (const name of TEXTS) {
    if (answer[name] !== undefined && typeof answer[name] !== 'string') throw new MalformedAnswer(`\`${name}\` is no text`);
  }
  for (const name of TIMES) {
    // JSON can write an infinite number: `1e999`.
    if (answer[name] !== undefined && !Number.isFinite(answer[name])) throw new MalformedAnswer(`\`${name}\` is no number`);
  }
  const { aud } = answer;
  if (aud === undefined || typeof aud === 'string') return;
  if (!Array.isArray(aud) || !aud.every((one) => typeof one === 'string'))
    throw new MalformedAnswer('`aud` is neither a text nor texts');
}

function isAccessToken(answer: Claims): boolean {
  return isOneOf(answer.token_type, TOKEN_TYPES) && isOneOf(answer.typ, TYPES) && isOneOf(answer.token_use, USES);
}

const isOneOf = (value: unknown, words: readonly string[]) =>
  value === undefined || words.includes((value as string).toLowerCase());

function audienceOf({ aud }: Claims): readonly string[] {
  return aud === undefined ? [] : typeof aud === 'string' ? [aud] : (aud as string[]);
}
