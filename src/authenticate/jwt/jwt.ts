import { hash } from 'node:crypto';
import { type CatalogueCode, type Refusal, refuse } from '../../exchange/decision.ts';
import type { Caller, Exchange } from '../../exchange/exchange.ts';
import type { Clock } from '../../pipeline/stage.ts';
import { holderProblem } from '../holder.ts';
import type { MakeMethod, Method } from '../method.ts';
import { ClaimsCheck } from './claims.ts';
import { openKeySource } from './jwks.ts';
import type { KeyAnswer, KeySource, VerificationKey } from './key-source.ts';
import type { JwtOptions } from './options.ts';
import { isSignedBy } from './signature.ts';
import { decode, type HeaderProblem, readHeader, readPart, splitToken, type TokenHeader, type TokenParts } from './token.ts';
import { TokenCache } from './token-cache.ts';

/** A token that was verified: what has to hold each time that it comes again. */
interface Verified {
  readonly caller: Caller;
  readonly header: TokenHeader;
  /** The key that verified it: once the issuer has it no more, the token counts for nothing. */
  readonly key: VerificationKey;
  /** Milliseconds since the epoch, with the skew. */
  readonly from: number;
  readonly until: number;
  readonly bytes: number;
}

/** A token on its way through the checks. */
interface Candidate {
  readonly hash: string;
  readonly token: string;
  readonly parts: TokenParts;
  readonly header: TokenHeader;
  readonly claims: Record<string, unknown>;
  readonly signature: Buffer;
}

/** One method's cache: a verified token takes about four times its length as objects, and what surrounds it. */
const CACHE = { entries: 20_000, bytes: 16 * 1024 * 1024 };
const ENTRY_BYTES = 600;
const BYTES_PER_CHARACTER = 4;

/** Without a `kid` every key that fits may have to be tried; more than so many no issuer needs. */
const MOST_KEYS = 8;

/** Headers of one issuer differ in nothing but the key. */
const MOST_HEADERS = 64;

const PROBLEM: Record<HeaderProblem['problem'], CatalogueCode> = {
  malformed: 'token-malformed',
  header: 'token-header',
  algorithm: 'token-algorithm',
  type: 'token-type',
};

/**
 * `jwt`: access tokens that are JSON Web Tokens (RFC 7519, RFC 8725, RFC 9068). All of a token is judged by what the configuration and the
 * issuer's keys say; what the token says of itself only chooses among these.
 */
export class JwtMethod implements Method {
  readonly name: string;
  readonly place = { kind: 'bearer' } as const;
  readonly challenge = 'Bearer';
  /** By the hash of one that was verified, or as base64url: either is stricter than token68. */
  readonly checksForm = true;
  readonly #issuer: string;
  readonly #algorithms: ReadonlySet<string>;
  readonly #claims: ClaimsCheck;
  readonly #keys: KeySource;
  readonly #clock: Clock;
  readonly #cache = new TokenCache<Verified>(CACHE);
  /** Headers of tokens that were verified, by their text. */
  readonly #headers = new Map<string, TokenHeader>();

  constructor(name: string, options: JwtOptions, keys: KeySource, clock: Clock) {
    this.name = name;
    this.#issuer = options.issuer;
    this.#algorithms = new Set(options.algorithms);
    this.#claims = new ClaimsCheck(name, options);
    this.#keys = keys;
    this.#clock = clock;
  }

  /** How much the cache holds. */
  get cached(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#cache.size, bytes: this.#cache.bytes };
  }

  ready(): Promise<void> {
    return this.#keys.ready();
  }

  close(): void {
    this.#keys.close();
  }

  /** Where a route has several issuers, the token's word chooses which of them is asked. It proves nothing: `verify` asks again. */
  accepts(token: string): boolean {
    if (this.#cache.get(hashOf(token)) !== undefined) return true;
    const parts = splitToken(token);
    return parts !== undefined && readPart(parts.payload)?.iss === this.#issuer;
  }

  verify(x: Exchange, token: string): Caller | Refusal | Promise<Caller | Refusal> {
    const name = hashOf(token);
    const known = this.#cache.get(name);
    if (known !== undefined) {
      const again = this.#again(known);
      if (again !== undefined) return bound(x, again);
      this.#cache.delete(name);
    }
    const found = this.#first(token, name);
    return found instanceof Promise ? found.then((caller) => bound(x, caller)) : bound(x, found);
  }

  /** A token that was verified before. undefined: it has to be verified anew, which also says what is wrong with it. */
  #again(known: Verified): Caller | undefined {
    const now = this.#clock.now();
    if (now >= known.until || now < known.from) return undefined;
    const { kid, alg } = known.header;
    const keys = this.#keys.find(kid, alg);
    return Array.isArray(keys) && keys.includes(known.key) ? known.caller : undefined;
  }

  #first(token: string, name: string): Caller | Refusal | Promise<Caller | Refusal> {
    const parts = splitToken(token);
    if (parts === undefined) return refuse('token-malformed', 'not three parts in base64url');
    const header = this.#headers.get(parts.header) ?? readHeader(parts.header);
    if ('problem' in header) return refuse(PROBLEM[header.problem], header.reason);
    if (!this.#algorithms.has(header.alg)) return refuse('token-algorithm', '`alg` is none of the algorithms of this issuer');
    const claims = readPart(parts.payload);
    const signature = claims === undefined ? undefined : decode(parts.signature);
    if (claims === undefined || signature === undefined)
      return refuse('token-malformed', 'the payload is not one JSON object, or a part is not base64url');
    // Before the keys: a token of somebody else must not make us fetch those of this issuer.
    if (claims.iss !== this.#issuer) return refuse('token-issuer', '`iss` is not the issuer');
    const candidate = { hash: name, token, parts, header, claims, signature };
    const keys = this.#keys.find(header.kid, header.alg);
    return keys instanceof Promise ? keys.then((later) => this.#judge(candidate, later)) : this.#judge(candidate, keys);
  }

  #judge(candidate: Candidate, keys: KeyAnswer, renewed = false): Caller | Refusal | Promise<Caller | Refusal> {
    if (keys === 'unavailable') return refuse('keys-unavailable', 'the keys of the issuer are not known', { headers: RETRY });
    if (keys === 'unknown') return refuse('token-key-unknown', 'the issuer has no key for this `kid` and `alg`');
    const key = signer(candidate, keys);
    if (key === undefined) return renewed ? UNSIGNED : this.#renew(candidate);
    const caller = this.#claims.read(candidate.claims, candidate.header.accessToken, this.#clock.now());
    if (!('kind' in caller)) this.#remember(candidate, key, caller);
    return caller;
  }

  /** A `kid` that nobody knows tells of a rotation; without one, only the signature does. */
  #renew(candidate: Candidate): Refusal | Promise<Caller | Refusal> {
    const { kid, alg } = candidate.header;
    const keys = kid === undefined ? this.#keys.renew?.(alg) : undefined;
    return keys instanceof Promise ? keys.then((later) => this.#judge(candidate, later, true)) : UNSIGNED;
  }

  #remember({ hash: name, token, parts, header, claims }: Candidate, key: VerificationKey, caller: Caller): void {
    const { skew } = this.#claims;
    const begins = Math.max(timeOf(claims.nbf), timeOf(claims.iat));
    this.#cache.set(name, {
      caller,
      header,
      key,
      from: begins - skew,
      until: (caller.expires as number) + skew,
      bytes: ENTRY_BYTES + token.length * BYTES_PER_CHARACTER,
    });
    if (this.#headers.has(parts.header)) return;
    if (this.#headers.size >= MOST_HEADERS) this.#headers.clear();
    // A copy: a part cut out of a head would keep all of that head's text in memory.
    this.#headers.set(Buffer.from(parts.header, 'latin1').toString('latin1'), header);
  }
}

const UNSIGNED = refuse('token-signature', 'no key of the issuer has made the signature');
const RETRY = ['retry-after', '5'];

/** Of the whole token: two that differ in one character, of the signature too, are two (threat class 29). */
function hashOf(token: string): string {
  return hash('sha256', token, 'hex');
}

function signer({ token, parts, header, signature }: Candidate, keys: readonly VerificationKey[]): VerificationKey | undefined {
  const signed = Buffer.from(token.slice(0, token.length - parts.signature.length - 1), 'latin1');
  for (let i = 0; i < keys.length && i < MOST_KEYS; i++) if (isSignedBy(keys[i], header.alg, signed, signature)) return keys[i];
  return undefined;
}

/** Not before the earliest possible, where a claim is absent. */
function timeOf(claim: unknown): number {
  return typeof claim === 'number' ? claim * 1000 : Number.NEGATIVE_INFINITY;
}

function bound(x: Exchange, found: Caller | Refusal): Caller | Refusal {
  return 'kind' in found ? found : (holderProblem(x, found.claims) ?? found);
}

/** The method `jwt`. Rejects only when a file of keys cannot be read: an issuer that is down may come back. */
export const makeJwt: MakeMethod<JwtOptions> = async (name, options, world) => {
  return new JwtMethod(name, options, await openKeySource(options, world), world.clock);
};
