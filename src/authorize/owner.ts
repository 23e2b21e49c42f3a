import { claimOf } from '../exchange/caller.ts';
import { bodyFields } from './body-fields.ts';
import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Caller, Exchange } from '../exchange/exchange.ts';
import { queryOf, type QueryReading, readQuery, textOf } from '../exchange/query.ts';
import { ParameterName } from './parameter-names.ts';
import type { Rule } from './rule.ts';

export interface OwnerOptions {
  readonly parameter: string;
  readonly claim: string;
}

/** True where the parameter is one of the path; otherwise it is one of the query. */
export function isInPath(parameter: string, path: string): boolean {
  return path.split('/').includes(`{${parameter}}`);
}

/**
 * `owner`: the parameter is what a claim of the caller says (OWASP API1). The parameter of a path has one reading since the head was
 * read; one of the query must be there exactly once. Wherever it is, no other field of the query may pass for it: the service would
 * otherwise get to choose whose object is meant. Many services put the fields of query and body together, so that a parameter of the query
 * may be in the body only with the same value.
 */
export class Owner implements Rule {
  readonly needsBody: boolean;
  readonly #parameter: string;
  readonly #claim: string;
  readonly #inPath: boolean;
  readonly #name: ParameterName;
  readonly #notOwner: Refusal;
  readonly #missing: Refusal;
  readonly #twice: Refusal;
  readonly #odd: Refusal;
  readonly #inBody: Refusal;

  constructor({ parameter, claim }: OwnerOptions, path: string) {
    this.#parameter = parameter;
    this.#claim = claim;
    this.#inPath = isInPath(parameter, path);
    this.needsBody = !this.#inPath;
    this.#name = new ParameterName(parameter);
    this.#notOwner = refuse('not-owner', `the parameter ${parameter} is not what the claim ${claim} says`);
    this.#missing = refuse('parameter-missing', `the parameter ${parameter} is not there`);
    const where = this.#inPath ? 'is in path and query' : 'is there twice';
    this.#twice = refuse(
      'parameter-ambiguous',
      `the parameter ${parameter} ${where}, or in a spelling that services take for it`,
    );
    this.#odd = refuse(
      'parameter-ambiguous',
      `the parameter ${parameter} is asked for in a query that has more than one reading`,
    );
    this.#inBody = refuse('parameter-ambiguous', `the parameter ${parameter} may have another value in the body`);
  }

  check(x: Exchange): Refusal | undefined {
    if (x.head.query === undefined) return this.#inPath ? this.#compare(x, x.params?.[this.#parameter]) : this.#missing;
    const reading = queryOf(x);
    if (reading.badEscape || reading.badUtf8 || reading.truncated) return this.#odd;
    const places = this.#places(reading);
    if (reading.semicolon && this.#differsAtSemicolons(x.head.query, places)) return this.#twice;
    if (this.#inPath) return places === 0 ? this.#compare(x, x.params?.[this.#parameter]) : this.#twice;
    return this.#checkField(x, reading, places);
  }

  #checkField(x: Exchange, { fields }: QueryReading, places: number): Refusal | undefined {
    if (places === 0) return this.#missing;
    const field = fields.find(({ name }) => name === this.#parameter);
    if (places > 1 || field === undefined) return this.#twice;
    if (DECODES_AGAIN.test(field.value)) return this.#odd;
    return this.#compare(x, textOf(field.value)) ?? (x.body === undefined ? undefined : this.#checkBody(x, field.value));
  }

  #checkBody(x: Exchange, value: string): Refusal | undefined {
    const fields = bodyFields(x);
    if (fields === undefined) return this.#inBody;
    for (const field of fields) {
      if (this.#name.mayBe(field.name) && (field.name !== this.#parameter || field.value !== value)) return this.#inBody;
    }
    return undefined;
  }

  /** Who splits at `;` too must find the same. */
  #differsAtSemicolons(query: string, places: number): boolean {
    const reading = readQuery(query.replaceAll(';', '&'));
    return reading.truncated || this.#places(reading) !== places;
  }

  /** How many fields may pass for the parameter. */
  #places({ fields }: QueryReading): number {
    let count = 0;
    for (const { name } of fields) if (this.#name.mayBe(name)) count += 1;
    return count;
  }

  #compare(x: Exchange, value: string | undefined): Refusal | undefined {
    if (value === undefined) return this.#missing;
    const own = x.caller === undefined ? undefined : ownClaim(x.caller, this.#claim);
    if (Array.isArray(own)) return own.some((one) => isValue(one, value)) ? undefined : this.#notOwner;
    return isValue(own, value) ? undefined : this.#notOwner;
  }
}

const DECODES_AGAIN = /%(?:[0-9a-f]{2}|u[0-9a-f]{4})/i;

/** `sub` is the subject of callers of all kinds, also of those that have no claims. */
function ownClaim(caller: Caller, claim: string): unknown {
  const found = claimOf(caller.claims, claim);
  return found === undefined && claim === 'sub' ? caller.subject : found;
}

/** A number of a claim is the parameter when it is written the one usual way. Nothing is equal to an empty text. */
function isValue(own: unknown, value: string): boolean {
  if (typeof own === 'number') return Number.isSafeInteger(own) && value === String(own);
  return typeof own === 'string' && own !== '' && own === value;
}
