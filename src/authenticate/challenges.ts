import type { Refusal } from '../exchange/decision.ts';
import type { HeaderList } from '../exchange/headers.ts';
import type { Method } from './method.ts';

/** RFC 6750 section 3: `Bearer` has one parameter at least. The realm is the same everywhere: it tells nobody what stands behind. */
const BEARER = 'Bearer realm="api"';

/** What is wrong with a bearer token, in the words of RFC 6750 section 3.1; undefined: there was none. */
export type BearerError = 'invalid_token' | 'invalid_request' | undefined;

/** The challenges of one route (RFC 9110 section 11.6.1): one field for each way in, each way once. */
export class Challenges {
  readonly #lists = new Map<BearerError, HeaderList>();

  constructor(methods: readonly Method[]) {
    for (const error of [undefined, 'invalid_token', 'invalid_request'] as const)
      this.#lists.set(error, challengeFields(methods, error));
  }

  /** The refusal with its challenges, where it is a 401 that has none yet. */
  addTo(refusal: Refusal, error: BearerError): Refusal {
    const own = refusal.headers ?? [];
    if (refusal.status !== 401 || own.includes('www-authenticate')) return refusal;
    return { ...refusal, headers: own.concat(this.#lists.get(error) ?? []) };
  }
}

function challengeFields(methods: readonly Method[], error: BearerError): HeaderList {
  const bearer = error === undefined ? BEARER : `${BEARER}, error="${error}"`;
  const all = methods.map((method) => (method.place.kind === 'bearer' ? bearer : method.challenge));
  return [...new Set(all)].flatMap((challenge) => (challenge === undefined ? [] : ['www-authenticate', challenge]));
}
