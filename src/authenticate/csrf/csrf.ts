import { type Refusal, refuse } from '../../exchange/decision.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { type HeaderList, hasHeader, headerValue } from '../../exchange/headers.ts';
import { isOrigin, OriginSet, ownOrigin, readOrigin, readOrigins } from '../../exchange/origins.ts';
import type { CsrfOptions } from './options.ts';

/** What else a route says about origins. */
export interface RouteOrigins {
  readonly origins?: readonly string[] | undefined;
  readonly cors?: { readonly origins: readonly string[]; readonly credentials: boolean } | undefined;
}

/** Judges one request, once it is known who calls. */
export type CsrfCheck = (x: Exchange) => Refusal | undefined;

/**
 * Protection against cross-site request forgery, by what browsers say of a request: Fetch Metadata and `Origin`. No token and no state.
 * It is for requests whose credential a browser sends by itself, whoever made it send them. undefined: the route has it switched off.
 */
export function prepareCsrf(options: CsrfOptions, route: RouteOrigins): CsrfCheck | undefined {
  if (options === 'off') return undefined;
  // Pages that may read answers made with cookies may make such requests too; without `credentials` their browsers send no cookies.
  const shared = route.cors?.credentials === true ? route.cors.origins : [];
  const written = [...options.origins, ...(route.origins ?? []), ...shared];
  // `origins: "*"` says of WebSockets that every page may open one. It says nothing of other requests.
  const allowed = new OriginSet(readOrigins(written.filter((origin) => origin !== '*')));
  const sockets = new OriginSet(readOrigins(written));
  return (x) => (isUnsafe(x) && isAmbient(x) ? judge(x, x.upgrade ? sockets : allowed) : undefined);
}

/**
 * All methods but those that services agree not to change anything by. QUERY, SEARCH, PROPFIND and REPORT are safe by their definitions,
 * but a form can send none of them, so that nobody is helped by leaving them out; a WebSocket carries whatever the service takes.
 */
function isUnsafe(x: Exchange): boolean {
  const { method } = x.head;
  return x.upgrade || (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS');
}

/**
 * Whether a browser may have added what the request is trusted for. A bearer token or an API key is put into each request by a page
 * that knows it, which pages of other origins cannot do without a preflight; cookies, client certificates and remembered passwords go
 * along with everything.
 */
function isAmbient(x: Exchange): boolean {
  const { caller } = x;
  if (caller !== undefined) return caller.header === undefined || caller.header === 'cookie';
  const { headers } = x.head;
  return hasHeader(headers, 'cookie') || sendsPassword(headers);
}

/** Schemes whose credentials browsers remember and add by themselves (RFC 7617, RFC 7616, RFC 4559). */
const REMEMBERED = /^(?:basic|digest|negotiate|ntlm)(?: |$)/i;

/** On an open route the service may ask for a password, and the browser then sends it with requests of every page. */
function sendsPassword(headers: HeaderList): boolean {
  const authorization = headerValue(headers, 'authorization');
  return authorization !== undefined && REMEMBERED.test(authorization);
}

/**
 * Fetch Metadata decides where there is any: scripts can neither set nor leave it out. `none` is the user's own doing (an address typed
 * in). Without it an `Origin` must be our own. With neither, no browser of today sent it: all send `Origin` with unsafe methods.
 */
function judge(x: Exchange, allowed: OriginSet): Refusal | undefined {
  const { headers } = x.head;
  const origin = readOrigin(headers);
  const site = readSite(headers);
  if (origin !== undefined && !isOrigin(origin)) return refuse('csrf', '`Origin` is doubled or malformed');
  if (site === 'malformed') return refuse('csrf', '`Sec-Fetch-Site` is doubled or malformed');
  if (site === 'same-origin' || site === 'none') return undefined;
  if (origin !== undefined && allowed.allows(origin)) return undefined;
  if (site !== undefined) return refuse('csrf', `Sec-Fetch-Site is ${site}, and the route does not name the origin`);
  if (origin === undefined || origin === ownOrigin(x)) return undefined;
  return refuse('csrf', 'the origin is neither our own nor one that the route names');
}

type Site = 'same-origin' | 'none' | 'same-site' | 'cross-site' | 'malformed' | undefined;

/** `Sec-Fetch-Site` (Fetch Metadata section 2.3): one of four words, letter for letter. */
function readSite(headers: HeaderList): Site {
  let site: Site;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'sec-fetch-site') continue;
    if (site !== undefined) return 'malformed';
    site = siteOf(headers[i + 1]);
  }
  return site;
}

function siteOf(value: string): Site {
  return value === 'same-origin' || value === 'none' || value === 'same-site' || value === 'cross-site' ? value : 'malformed';
}
