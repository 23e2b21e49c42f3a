import { type CatalogueCode, type Refusal, refuse } from './decision.ts';
import type { RequestHead } from './exchange.ts';
import type { HeaderList } from './headers.ts';
import { removeNamedByConnection } from './hop-by-hop.ts';
import { type HostReading, readHost, sameAuthority } from './host.ts';
import { readTarget, type Target } from './target.ts';

/** What HTTP/2 says beside method and path. */
export interface PseudoFields {
  /** The value of `:authority`. */
  readonly authority: string | undefined;
  /** The value of `:scheme`. */
  readonly scheme: string | undefined;
}

/**
 * The methods that a route may name: the registered ones (IANA), without CONNECT and TRACE, which no gateway should let
 * through (RFC 9110 section 9.3, TRACE reflects credentials), and without PRI, which is not a method.
 */
export const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'QUERY',
  'ACL',
  'BASELINE-CONTROL',
  'BIND',
  'CHECKIN',
  'CHECKOUT',
  'COPY',
  'LABEL',
  'LINK',
  'LOCK',
  'MERGE',
  'MKACTIVITY',
  'MKCALENDAR',
  'MKCOL',
  'MKREDIRECTREF',
  'MKWORKSPACE',
  'MOVE',
  'ORDERPATCH',
  'PROPFIND',
  'PROPPATCH',
  'REBIND',
  'REPORT',
  'SEARCH',
  'UNBIND',
  'UNCHECKOUT',
  'UNLINK',
  'UNLOCK',
  'UPDATE',
  'UPDATEREDIRECTREF',
  'VERSION-CONTROL',
]);

/**
 * Fields that may come once only: of two, one reader takes the first and another the last, or the list of both. Lists
 * by grammar (Accept, If-Match, Forwarded, …) are not here, nor fields that only inform (User-Agent, Date); credentials
 * in configurable fields are for `authenticate`.
 */
const SINGLE: readonly (readonly [string, CatalogueCode])[] = [
  ['host', 'host-invalid'],
  ['content-length', 'body-framing'],
  ['transfer-encoding', 'body-framing'],
  ['content-type', 'content-type'],
  ['authorization', 'header-invalid'],
  ['proxy-authorization', 'header-invalid'],
  ['content-location', 'header-invalid'],
  ['content-range', 'header-invalid'],
  ['content-disposition', 'header-invalid'],
  ['range', 'header-invalid'],
  ['if-range', 'header-invalid'],
  ['if-modified-since', 'header-invalid'],
  ['if-unmodified-since', 'header-invalid'],
  ['origin', 'header-invalid'],
  ['referer', 'header-invalid'],
  ['expect', 'header-invalid'],
  ['idempotency-key', 'header-invalid'],
  ['access-control-request-method', 'header-invalid'],
  ['sec-websocket-key', 'header-invalid'],
  ['sec-websocket-version', 'header-invalid'],
  ['sec-fetch-site', 'header-invalid'],
  ['sec-fetch-mode', 'header-invalid'],
  ['sec-fetch-dest', 'header-invalid'],
];

/** Above all places of {@link SINGLE}: names that need another look. */
const COOKIE = 40;
const CONNECTION = 41;
const CONNECTION_SPECIFIC = 42;
const TE = 43;
const LOOK_ALIKE = 44;

/** One look-up per field tells whether anything is to be done about it. */
const ROLE = new Map<string, number>(SINGLE.map(([name], place) => [name, place]));
ROLE.set('cookie', COOKIE).set('connection', CONNECTION).set('te', TE);
for (const name of ['keep-alive', 'proxy-connection', 'upgrade']) ROLE.set(name, CONNECTION_SPECIFIC);
// CGI, WSGI and PHP cannot tell `_` or `.` from `-`: framing in such a spelling is an attack, whoever reads it (threat class 2).
for (const char of "_.!#$%&'*+^`|~") {
  ROLE.set(`transfer${char}encoding`, LOOK_ALIKE);
  ROLE.set(`content${char}length`, LOOK_ALIKE);
}

const HOST_PLACE = 0;
const TRANSFER_ENCODING_PLACE = 2;

/** What one pass over the fields found out. */
interface Scan {
  host: string | undefined;
  cookies: number;
  connection: boolean;
}

/**
 * The one strict reading of a request head whose syntax was already judged by the HTTP/1.1 reader or by nghttp2.
 *
 * The list belongs to the head from here on and is changed: cookie crumbs are joined, fields that `Connection` names
 * are gone, and `host` is there whenever the client named a host in any way.
 * @param rawTarget - the value of `:path` in HTTP/2.
 * @param pseudo - HTTP/2 only; `headers` holds no pseudo-header fields.
 */
export function readRequestHead(
  method: string,
  rawTarget: string,
  version: RequestHead['version'],
  headers: HeaderList,
  secure: boolean,
  pseudo?: PseudoFields,
): RequestHead | Refusal {
  if (!METHODS.has(method)) return refuse('method-unknown', 'the method is not one that a route can name');
  const target = readTarget(method, rawTarget);
  if (target.kind === 'refusal') return target;
  const scan: Scan = { host: undefined, cookies: 0, connection: false };
  const refusal =
    (version === '2' ? checkHttp2(target, headers, secure, pseudo) : checkScheme(target, secure)) ??
    scanFields(headers, version, scan);
  if (refusal !== undefined) return refusal;
  if (scan.connection) removeNamedByConnection(headers);
  if (scan.cookies > 1) joinCookies(headers);
  const host = agreeOnHost(target, scan.host, version, secure, pseudo);
  if (host.kind === 'refusal') return host;
  if (scan.host === undefined && host.authority !== '') headers.push('host', host.authority);
  return {
    method,
    rawTarget,
    version,
    host: host.host,
    authority: host.authority,
    path: target.path,
    query: target.query,
    headers,
  };
}

function scanFields(headers: HeaderList, version: RequestHead['version'], scan: Scan): Refusal | undefined {
  let seen = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const role = ROLE.get(headers[i]);
    if (role === undefined) continue;
    if (role < COOKIE) {
      if ((seen & (1 << role)) !== 0) return refuse(SINGLE[role][1], `two ${SINGLE[role][0]} fields`);
      seen |= 1 << role;
      if (role === HOST_PLACE) scan.host = headers[i + 1];
      else if (role === TRANSFER_ENCODING_PLACE && version === '2')
        return refuse('header-invalid', 'transfer-encoding in HTTP/2');
    } else if (role === COOKIE) {
      scan.cookies += 1;
    } else if (role === LOOK_ALIKE) {
      return refuse('body-framing', 'a look-alike of a framing field');
    } else if (version === '2') {
      if (role !== TE || headers[i + 1] !== 'trailers') return refuse('header-invalid', 'a connection-specific field in HTTP/2');
    } else if (role === CONNECTION) {
      scan.connection = true;
    }
  }
  return undefined;
}

/** An absolute target that speaks of another scheme than the connection has two readings of `x-forwarded-proto`. */
function checkScheme(target: Target, secure: boolean): Refusal | undefined {
  if (target.scheme === undefined || (target.scheme === 'https') === secure) return undefined;
  return refuse('target-invalid', 'the scheme of the target is not that of the connection');
}

/** RFC 9113 sections 8.2 and 8.3; node:http2 checks most of it, but what is forwarded must not depend on its version. */
function checkHttp2(target: Target, headers: HeaderList, secure: boolean, pseudo: PseudoFields | undefined): Refusal | undefined {
  const scheme = pseudo?.scheme;
  if (target.authority !== undefined) return refuse('target-invalid', 'an absolute target in :path');
  if (scheme !== undefined && scheme !== (secure ? 'https' : 'http'))
    return refuse('target-invalid', ':scheme is not that of the connection');
  for (let i = 0; i < headers.length; i += 2) {
    if (!isLowerToken(headers[i])) return refuse('header-invalid', 'a name that is not a lower-case token');
    if (!isFieldValue(headers[i + 1])) return refuse('header-invalid', 'a control character or outer blank in a value');
  }
  return undefined;
}

const NO_HOST = { kind: 'host', host: '', authority: '' } as const;

/** All places that can name the host must name the same one (RFC 9112 section 3.2, RFC 9113 section 8.3.1). */
function agreeOnHost(
  target: Target,
  field: string | undefined,
  version: RequestHead['version'],
  secure: boolean,
  pseudo: PseudoFields | undefined,
): { readonly kind: 'host'; readonly host: string; readonly authority: string } | Refusal {
  const named = field === undefined ? undefined : readHost(field);
  if (field !== undefined && named === undefined) return refuse('host-invalid', 'a malformed Host');
  if (version === '1.1' && named === undefined) return refuse('host-invalid', 'no Host');
  const other = version === '2' ? readAuthority(pseudo?.authority) : target.authority;
  if (other === null) return refuse('host-invalid', 'a malformed :authority');
  if (named !== undefined && other !== undefined && !sameAuthority(named, other, secure)) {
    return refuse('host-invalid', 'Host and the authority of the target disagree');
  }
  const host = other ?? named;
  if (host !== undefined) return { kind: 'host', host: host.host, authority: host.authority };
  return version === '1.0' ? NO_HOST : refuse('host-invalid', 'no authority');
}

/** null: there is one, and it is malformed. */
function readAuthority(value: string | undefined): HostReading | undefined | null {
  return value === undefined ? undefined : (readHost(value) ?? null);
}

/**
 * HTTP/2 clients split `cookie` into crumbs (RFC 9113 section 8.2.3). Several fields in HTTP/1.1 are joined as well:
 * RFC 6265 allows one only, and of two some services read the first and some the last.
 */
function joinCookies(headers: HeaderList): void {
  let first = -1;
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === 'cookie') {
      if (first >= 0) {
        headers[first] += `; ${headers[i + 1]}`;
        continue;
      }
      first = kept + 1;
    }
    headers[kept] = headers[i];
    headers[kept + 1] = headers[i + 1];
    kept += 2;
  }
  headers.length = kept;
}

const LOWER_TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;

function isLowerToken(name: string): boolean {
  return LOWER_TOKEN.test(name);
}

const BAD_VALUE = /[\x00-\x08\x0a-\x1f\x7f]|^[ \t]|[ \t]$|[^\x00-\xff]/;

function isFieldValue(value: string): boolean {
  return !BAD_VALUE.test(value);
}

/** How long the body of a request is (RFC 9112 section 6). In HTTP/2 `none` only means that no length was declared. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' };

const NONE: Framing = { kind: 'none' };
const CHUNKED: Framing = { kind: 'chunked' };
// Not Number(): `+5`, `0x5`, `1e3` and ` 5` are numbers to many parsers, and not to others (CVE-2021-32715).
const LENGTH = /^\d{1,15}$/;

/**
 * The only place where the length of a request is decided. Doubled fields, lists, both fields at once and transfer
 * codings in HTTP/1.0 have two readings somewhere, and a second reading of the length is a smuggled request. No
 * method changes the rule: a GET with a length has a body, and who ignores it reads that body as the next request.
 */
export function readFraming(headers: HeaderList, version: RequestHead['version'], _method?: string): Framing | Refusal {
  let length: string | undefined;
  let coding: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    if (name === 'content-length') {
      if (length !== undefined) return refuse('body-framing', 'two content-length fields');
      length = headers[i + 1];
    } else if (name === 'transfer-encoding') {
      if (coding !== undefined) return refuse('body-framing', 'two transfer-encoding fields');
      coding = headers[i + 1];
    }
  }
  if (coding !== undefined) return readCoding(coding, length, version);
  if (length === undefined) return NONE;
  if (!LENGTH.test(length)) return refuse('body-framing', 'content-length is not a plain number');
  return { kind: 'length', length: Number(length) };
}

// Without the flag `u`, so that the Kelvin sign is no `k`: toLowerCase() would make one of it (threat class 2).
const IS_CHUNKED = /^chunked$/i;
const HAS_CHUNKED_EARLY = /chunked(?!$)/i;
const CODING_LIST = /^[!#$%&'*+\-.^_`|~0-9a-z]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9a-z]+)*$/i;

function readCoding(value: string, length: string | undefined, version: RequestHead['version']): Framing | Refusal {
  if (version !== '1.1') return refuse('body-framing', `transfer-encoding in HTTP/${version}`);
  if (length !== undefined) return refuse('body-framing', 'content-length and transfer-encoding together');
  if (IS_CHUNKED.test(value)) return CHUNKED;
  // A list that is well formed and does not misuse `chunked` asks for a coding that we do not have; the rest is malformed.
  if (CODING_LIST.test(value) && !HAS_CHUNKED_EARLY.test(value))
    return refuse('transfer-coding', 'a transfer coding other than chunked');
  return refuse('body-framing', 'a malformed transfer-encoding');
}
