import { type CatalogueCode, type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { headerValue } from '../exchange/headers.ts';
import { hasQueryToken, readBearer, readHeader } from './credential.ts';
import type { Method, Place } from './method.ts';
import { Strays, unescape } from './strays.ts';

/** The one credential of a request, and the methods that can judge it, in the order in which the route names them. */
export interface Found {
  readonly methods: readonly Method[];
  readonly kind: Place['kind'];
  /** The token or key alone; '' for a certificate. */
  readonly credential: string;
  /** The field that it stands in; undefined for a certificate. */
  readonly header: string | undefined;
}

/** No credential: for the refusal, and for the word of RFC 6750 that goes with it. */
export interface NotFound {
  readonly refusal: Refusal;
  readonly error: 'invalid_token' | 'invalid_request' | undefined;
}

const TWO: NotFound = {
  refusal: refuse('credentials-ambiguous', 'more than one credential for the methods of this route'),
  error: 'invalid_request',
};
const MISPLACED: NotFound = { refusal: refuse('token-misplaced', 'a token in the query'), error: 'invalid_request' };
const MALFORMED: NotFound = {
  refusal: refuse('token-malformed', '`Authorization` is not `Bearer`, one space and a token'),
  error: 'invalid_token',
};

/** Finds the credential of a request in the places that the methods of a route read, and refuses where there are two. */
export class Finder {
  readonly #bearer: readonly Method[];
  /** By the name of the header, lower case. */
  readonly #headers: ReadonlyMap<string, readonly Method[]>;
  readonly #certificates: readonly Method[];
  readonly #strays: Strays | undefined;
  readonly #onlyBearer: boolean;
  /** Whether tokens are looked at character by character here. */
  readonly #checked: boolean;
  readonly #missing: NotFound;

  constructor(methods: readonly Method[]) {
    this.#bearer = methods.filter(({ place }) => place.kind === 'bearer');
    this.#headers = byHeader(methods);
    this.#certificates = methods.filter(({ place }) => place.kind === 'certificate');
    this.#strays = Strays.of(methods);
    this.#checked = this.#bearer.some(({ checksForm }) => checksForm !== true);
    this.#onlyBearer = this.#bearer.length === methods.length;
    const kinds = new Set(methods.map(({ place }) => place.kind));
    this.#missing = { refusal: refuse(missingCode([...kinds]), 'the request brings no credential'), error: undefined };
  }

  find(x: Exchange): Found | NotFound {
    const bearer = this.#bearer.length === 0 ? undefined : this.#findBearer(x);
    if (this.#onlyBearer) return bearer ?? this.#missing;
    const found = this.#findOthers(x, bearer);
    if (found === undefined) return this.#missing;
    if ('refusal' in found || this.#strays === undefined) return found;
    return this.#strays.in(x.head, found.header) ? TWO : found;
  }

  #findOthers(x: Exchange, bearer: Found | NotFound | undefined): Found | NotFound | undefined {
    let found = bearer;
    for (const [name, methods] of this.#headers) {
      const field = readHeader(x.head.headers, name);
      if (field === undefined) continue;
      if (field === 'twice' || found !== undefined) return TWO;
      found = { methods, kind: 'header', credential: field.value, header: name };
    }
    if (this.#certificates.some((method) => method.presented?.(x) === true)) {
      if (found !== undefined) return TWO;
      found = { methods: this.#certificates, kind: 'certificate', credential: '', header: undefined };
    }
    return found;
  }

  #findBearer({ head }: Exchange): Found | NotFound | undefined {
    const field = headerValue(head.headers, 'authorization');
    const reading = field === undefined ? undefined : readBearer(field, this.#checked);
    if (head.query !== undefined && hasQueryToken(head.query)) return reading === undefined ? MISPLACED : TWO;
    if (reading === undefined) return undefined;
    if (reading === null) return MALFORMED;
    // The same token in the URL, whatever it is called there.
    if (head.query !== undefined && head.query.length >= reading.length && unescape(head.query).includes(reading)) return TWO;
    return { methods: this.#bearer, kind: 'bearer', credential: reading, header: 'authorization' };
  }
}

function byHeader(methods: readonly Method[]): Map<string, Method[]> {
  const headers = new Map<string, Method[]>();
  for (const method of methods) {
    if (method.place.kind !== 'header') continue;
    const name = method.place.name.toLowerCase();
    if (name === 'authorization')
      throw new Error(`authentication.${method.name}: \`authorization\` is for tokens, name another header`);
    headers.set(name, [...(headers.get(name) ?? []), method]);
  }
  return headers;
}

function missingCode(kinds: readonly Place['kind'][]): CatalogueCode {
  if (kinds.length > 1) return 'credentials-missing';
  if (kinds[0] === 'header') return 'key-missing';
  return kinds[0] === 'certificate' ? 'certificate-missing' : 'token-missing';
}
