import { type Egress, type EgressAnswer, EgressError, type EgressRequest } from '../egress/egress.ts';
import { readJsonObject } from '../exchange/strict-json.ts';

/** Several calls that share one time limit. */
export class Deadline {
  readonly #end: number;
  readonly #whole: number;

  constructor(ms: number) {
    this.#whole = ms;
    this.#end = performance.now() + ms;
  }

  /** Milliseconds that are left. Throws when none are. */
  left(): number {
    const left = this.#end - performance.now();
    if (left <= 0) throw new EgressError(`no complete answer within ${this.#whole} ms`);
    return left;
  }
}

/** Metadata and key sets are a few KiB. */
const LIMIT = 256 * 1024;

/** GETs what must be there. `written`: hosts that stand in the configuration. */
export async function get(egress: Egress, url: URL, written: readonly string[], deadline: Deadline): Promise<EgressAnswer> {
  const headers = { accept: 'application/json, application/jwk-set+json;q=0.9' };
  const request: EgressRequest = { headers, timeout: deadline.left(), limit: LIMIT, written };
  const answer = await egress.fetch(url, request);
  if (answer.status !== 200) throw new StatusError(url, answer.status);
  return answer;
}

/** The other side answered, but not with what was asked for. */
export class StatusError extends EgressError {
  readonly status: number;

  constructor(url: URL, status: number) {
    super(`${url.host}: answered ${status} where 200 was expected`);
    this.status = status;
  }
}

/**
 * Asks an issuer for the URL that its metadata gives for `member`: OpenID Connect Discovery 1.0 first, then RFC 8414, whose path stands
 * elsewhere. What says that it is of another issuer is not believed (RFC 8414 section 3.3).
 */
export async function discover(
  egress: Egress,
  issuer: string,
  member: 'jwks_uri' | 'introspection_endpoint',
  deadline: Deadline,
): Promise<URL> {
  const url = new URL(issuer);
  const written = [url.host];
  const [first, second] = metadataUrls(url);
  const answer = await get(egress, first, written, deadline).catch((error: unknown) => {
    if (!(error instanceof StatusError) || error.status >= 500) throw error;
    return get(egress, second, written, deadline);
  });
  const metadata = readJsonObject(answer.body);
  if (metadata === undefined)
    throw new EgressError(`${url.host}: the metadata is not one JSON object that can be read in one way only`);
  if (metadata.issuer !== issuer)
    throw new EgressError(`${url.host}: the metadata is of another issuer, or written in another way`);
  const found = typeof metadata[member] === 'string' ? URL.parse(metadata[member]) : null;
  if (found === null) throw new EgressError(`${url.host}: the metadata has no \`${member}\``);
  return found;
}

function metadataUrls(issuer: URL): [URL, URL] {
  const path = issuer.pathname.replace(/\/$/, '');
  return [
    new URL(`${path}/.well-known/openid-configuration`, issuer.origin),
    new URL(`/.well-known/oauth-authorization-server${path}`, issuer.origin),
  ];
}
