import type { StageName } from '../exchange/decision.ts';

/** What one stable code says: which room speaks it, the status, the title for the client, and what an operator can do. */
export interface CatalogueEntry {
  readonly room: StageName;
  readonly status: number;
  /** The `title` of the problem body: short, the same for every occurrence, nothing that helps an attacker. */
  readonly title: string;
  /** For the manual: when this happens and what to do. */
  readonly help: string;
  /** The code that the client is told instead, where this one would tell an attacker what to try next. */
  readonly told?: string;
}

const entry = (room: StageName, status: number, title: string, help: string, told?: string): CatalogueEntry => ({
  room,
  status,
  title,
  help,
  told,
});

/**
 * Every code that the gateway can answer or record. Codes are stable: programs and dashboards depend on them.
 * The manual page `docs/errors.md` is made from this table.
 */
// biome-ignore format: a table, one code to a line
export const catalogue = {
  // listen: the head
  'request-line': entry('listen', 400, 'Malformed request line', 'The request line is not METHOD SP TARGET SP VERSION CRLF. The connection is closed.'),
  'http-version': entry('listen', 505, 'HTTP version not supported', 'Only HTTP/1.0, HTTP/1.1 and, over TLS, HTTP/2 are spoken.'),
  'method-unknown': entry('listen', 501, 'Method not implemented', 'The method is not one that the gateway can route (RFC 9110 section 9).'),
  'target-invalid': entry('listen', 400, 'Malformed request target', 'The target is not in origin form, or in absolute form with http(s) and a valid host.'),
  'target-too-long': entry('listen', 414, 'URI too long', 'The target is longer than the bound `target-bytes`.'),
  'path-ambiguous': entry('listen', 400, 'Ambiguous path', 'The path has more than one reading: an encoded slash or backslash, a control character, invalid UTF-8, dot segments above the root, path parameters.'),
  'header-invalid': entry('listen', 400, 'Malformed header', 'A header field is not NAME ":" VALUE CRLF with a token as name and no control characters in the value.'),
  'headers-too-large': entry('listen', 431, 'Request header fields too large', 'The head is larger than `head-bytes` or has more fields than `head-count`.'),
  'host-invalid': entry('listen', 400, 'Missing, duplicate or malformed Host', 'HTTP/1.1 needs exactly one valid Host (RFC 9112 section 3.2).'),
  'body-framing': entry('listen', 400, 'Ambiguous message length', 'Content-Length or Transfer-Encoding is odd, doubled, or both are there (RFC 9112 section 6).'),
  'transfer-coding': entry('listen', 501, 'Transfer coding not implemented', 'The only transfer coding is chunked (RFC 9112 section 6.1).'),
  'body-malformed': entry('listen', 400, 'Malformed message body', 'A chunk is not SIZE CRLF DATA CRLF, or the body ended early.'),
  'body-too-large': entry('listen', 413, 'Content too large', 'The body is larger than the bound `body` of the route.'),
  'content-encoding': entry('listen', 415, 'Content coding not supported', 'The body is compressed and a room has to read it; decoding is not configured.'),
  'content-type': entry('listen', 400, 'Malformed Content-Type', 'There are two Content-Type fields, or one that cannot be read.'),
  'expectation-failed': entry('listen', 417, 'Expectation failed', 'The only expectation is 100-continue (RFC 9110 section 10.1.1).'),
  'head-timeout': entry('listen', 408, 'Request timeout', 'The head did not arrive within `head-time`.'),
  'body-timeout': entry('listen', 408, 'Request timeout', 'The body did not arrive within `body-time`.'),
  'request-timeout': entry('listen', 408, 'Request timeout', 'The request did not arrive within `request-time`.'),
  'protocol-error': entry('listen', 400, 'Protocol error', 'The bytes are not HTTP: TLS on a plain port, a PROXY header that is not expected, an HTTP/2 preface without TLS.'),
  'misdirected': entry('listen', 421, 'Misdirected request', 'The host asks for other client certificates than the name for which the connection was made (SNI): a new connection for this host will do.'),
  'handshake-failed': entry('listen', 400, 'TLS handshake failed', 'Client and gateway came to no agreement: no common version or suite, or the client did not accept our certificate. The record has the code of OpenSSL. Only in the record.'),
  'connection-cap': entry('listen', 503, 'Too many connections', 'A cap was reached: `connections`, `connections-per-address` or `h2-streams`. The connection is closed, the stream refused; only in the record, at most ten a second.'),
  'tunnel-idle': entry('listen', 408, 'WebSocket idle', 'Nothing passed over a WebSocket in either direction for `tunnel-idle`. It is closed, with 1001 where a room reads its messages. Only in the record.'),
  'client-gone': entry('listen', 499, 'Client closed the request', 'The client left before the answer was complete. Only in the record.'),
  'body-ambiguous': entry('validate', 400, 'Ambiguous content', 'The body breaks its format or can be read in two ways. `errors` names places and rules.'),
  'media-type': entry('validate', 415, 'Unsupported media type', 'The body has no Content-Type, or one that the route or its contract does not list.'),
  'body-beyond-bounds': entry('validate', 413, 'Content too large', 'The body is deeper, has more members, items or parts, or longer numbers than its bounds allow. `errors` names places and rules.'),
  'contract-operation': entry('validate', 400, 'Operation not declared', 'The contract of the route (`validate.openapi`) has no such path, or not this method for it.'),
  'contract-parameter': entry('validate', 400, 'Parameters break the contract', 'A parameter in path, query, header or cookie is missing, doubled, cannot be read by its style, breaks its schema, or (in a query) is not declared. `errors` names parameters and rules.'),
  'contract-media-type': entry('validate', 415, 'Unsupported media type', 'The contract does not declare the media type of the body for this operation, or declares a structure for a type that the gateway cannot read.'),
  'contract-body-presence': entry('validate', 400, 'Content missing or not declared', 'The contract requires a body and there is none, or it declares none and there is one.'),
  'contract-body': entry('validate', 422, 'Content breaks the contract', 'The body is well-formed and breaks its schema. `errors` names places (JSON Pointer) and rules.'),

  // waf
  'waf-score': entry('waf', 403, 'Forbidden', 'Rules gave the request an anomaly score of at least the threshold. `waf` in the record names the rules and what they looked at. A false alarm: leave the rule out for that target with `exclude`.', 'forbidden'),
  'waf-rule': entry('waf', 403, 'Forbidden', 'A rule refuses the request by itself. The reason names it.', 'forbidden'),
  'waf-denied': entry('waf', 403, 'Forbidden', 'A condition of `waf.deny` holds for the request.', 'forbidden'),
  'waf-unreadable': entry('waf', 400, 'Unreadable content', 'The body cannot be read as what its type says, or can be read in two ways; the reason names the rule.'),
  'waf-body': entry('waf', 413, 'Content too large', 'The body is larger than what rules read (`waf.body`, `SecRequestBodyLimit`, `SecRequestBodyNoFilesLimit`).'),
  'waf-response': entry('waf', 502, 'Bad gateway', 'Rules refuse the answer of the service, such as one that gives away errors of a database. The reason says why.'),
  // route
  'route-not-found': entry('route', 404, 'Not found', 'No route matches host and path.'),
  'method-not-allowed': entry('route', 405, 'Method not allowed', 'The route exists, but not for this method. `Allow` lists those that it has.'),
  'cors-refused': entry('route', 403, 'Origin not allowed', 'The preflight asks for an origin, method or header that the route does not allow.'),
  'origin-refused': entry('route', 403, 'Origin not allowed', 'A WebSocket upgrade came from an origin that the route does not allow.'),
  'upgrade-refused': entry('route', 426, 'Upgrade not supported', 'The upgrade is not a WebSocket handshake by RFC 6455.'),
  'message-too-large': entry('listen', 413, 'Message too large', 'A WebSocket message is larger than a room reads; the connection was closed with 1009.'),
  'message-malformed': entry('listen', 400, 'Malformed message', 'A WebSocket frame is malformed; the connection was closed with 1002.'),
  // authenticate
  'token-missing': entry('authenticate', 401, 'Unauthorized', 'The route takes bearer tokens and `Authorization` has none. Other schemes count as none.'),
  'key-missing': entry('authenticate', 401, 'Unauthorized', 'The route takes API keys and the header that carries them is not there.'),
  'certificate-missing': entry('authenticate', 401, 'Unauthorized', 'The route takes client certificates and the connection has none.'),
  'certificate-refused': entry('authenticate', 401, 'Unauthorized', 'The client certificate is good, but none of the rules in `allow` names it, or it has not the one name that `subject-from` takes.'),
  'certificate-untrusted': entry('authenticate', 401, 'Unauthorized', 'The client certificate leads to no authority of `ca`: another issuer, self-signed, an authority that is none, a chain longer than `depth`, a weak signature. The record says which.'),
  'certificate-purpose': entry('authenticate', 401, 'Unauthorized', 'The extended key usage of the client certificate does not have clientAuth.'),
  'certificate-expired': entry('authenticate', 401, 'Unauthorized', 'The client certificate, or an authority above it, has expired.'),
  'certificate-not-yet-valid': entry('authenticate', 401, 'Unauthorized', 'The client certificate, or an authority above it, is not valid yet: look at the clocks.'),
  'certificate-revoked': entry('authenticate', 401, 'Unauthorized', 'The client certificate, or an authority above it, stands on a revocation list of `crl`.'),
  'certificate-crl-missing': entry('authenticate', 503, 'Service unavailable', 'There is `crl`, but no list of an authority of this client: nobody can tell whether its certificate is revoked. Add the list.'),
  'certificate-crl-stale': entry('authenticate', 503, 'Service unavailable', 'The revocation list of the client’s authority is past its `nextUpdate`: nobody can tell whether the certificate is revoked. Replace the list.'),
  'credentials-missing': entry('authenticate', 401, 'Unauthorized', 'The route has several ways to tell who calls, and the request brings a credential for none of them.'),
  'credentials-ambiguous': entry('authenticate', 401, 'Unauthorized', 'The request brings two credentials for the methods of the route: a token and a key, a key twice, a token or key in the query too. Send one.'),
  'token-misplaced': entry('authenticate', 401, 'Unauthorized', 'An `access_token` in the query. Tokens are taken from `Authorization` only (RFC 9700 section 4.3.2).'),
  'token-malformed': entry('authenticate', 401, 'Unauthorized', 'Not `Bearer`, one space and a token; or not a JWT of three parts in canonical base64url, whose header and payload are JSON objects without duplicate members.'),
  'token-header': entry('authenticate', 401, 'Unauthorized', 'The header of the token has what changes its meaning (`crit`, `b64`, `zip`, encryption, a token in a token), or a `kid` that is no string.'),
  'token-type': entry('authenticate', 401, 'Unauthorized', '`typ` is neither `at+jwt` nor `JWT`.'),
  'token-algorithm': entry('authenticate', 401, 'Unauthorized', '`alg` is none of `algorithms`, whatever else is right.'),
  'token-issuer': entry('authenticate', 401, 'Unauthorized', '`iss` is not the `issuer` of any method of the route, letter for letter.'),
  'token-key-unknown': entry('authenticate', 401, 'Unauthorized', 'The issuer has no key with this `kid` for this algorithm, also after its keys were fetched again.'),
  'token-signature': entry('authenticate', 401, 'Unauthorized', 'The signature was not made by the key that the token names.'),
  'token-audience': entry('authenticate', 401, 'Unauthorized', '`aud` has none of `audience` as an exact member.'),
  'token-claims': entry('authenticate', 401, 'Unauthorized', 'A claim is missing or has a wrong type: `exp`, `nbf`, `iat`, `aud`, `sub`, `scope`, or what an access token by RFC 9068 must have. The record names it.'),
  'token-expired': entry('authenticate', 401, 'Unauthorized', '`exp` is over, by more than `clock-skew`.'),
  'token-not-yet-valid': entry('authenticate', 401, 'Unauthorized', '`nbf` or `iat` is in the future, by more than `clock-skew`.'),
  'token-lifetime': entry('authenticate', 401, 'Unauthorized', 'The token lives longer than `max-lifetime`.'),
  'token-bound': entry('authenticate', 401, 'Unauthorized', 'The token is bound to a key or certificate of its holder (`cnf`) that the request does not prove.'),
  'keys-unavailable': entry('authenticate', 503, 'Service unavailable', 'The keys of the issuer were never read, or are older than they may be: nothing can be known about the token. See the log for why they cannot be fetched.'),
  'token-inactive': entry('authenticate', 401, 'Unauthorized', 'The authorization server calls the token inactive: expired, revoked, or none of its own.'),
  'introspection-unavailable': entry('authenticate', 503, 'Service unavailable', 'The authorization server gave no answer that says anything about the token: nothing can be known. See the log for why.'),
  'introspection-busy': entry('authenticate', 503, 'Service unavailable', 'As many questions as `concurrency` allows are under way at the authorization server. Limits by address keep floods of new tokens away.'),
  'api-key-refused': entry('authenticate', 401, 'Unauthorized', 'What the client is told, whatever is wrong with its API key. The record has one of the codes below.'),
  'api-key-malformed': entry('authenticate', 401, 'Unauthorized', 'What stands in the header of the API key is no key of ours: wrong form, length or checksum. It was not looked up.', 'api-key-refused'),
  'api-key-unknown': entry('authenticate', 401, 'Unauthorized', 'The API key has the right form but is not in the file of keys: never issued, or replaced by `portcullis keys rotate`.', 'api-key-refused'),
  'api-key-expired': entry('authenticate', 401, 'Unauthorized', 'The API key has expired: `portcullis keys rotate --expires` gives its holder a new one.', 'api-key-refused'),
  'api-key-revoked': entry('authenticate', 401, 'Unauthorized', 'The API key was revoked by `portcullis keys revoke`.', 'api-key-refused'),
  'csrf': entry('authenticate', 403, 'Cross-site request refused', 'A page of another origin made a browser send an unsafe request with its cookies or client certificate. Where that is meant, name the origin in `csrf.origins` of the route.'),
  // authorize: which rule was missing is for the record
  'forbidden': entry('authorize', 403, 'Forbidden', 'What the client is told, whichever rule of `authorize` was missing. The record has the rule.'),
  'scope-missing': entry('authorize', 403, 'Forbidden', 'The caller has not all of `scopes`, or none of `any-scope`.', 'forbidden'),
  'role-missing': entry('authorize', 403, 'Forbidden', 'The caller has none of `roles`.', 'forbidden'),
  'claim-mismatch': entry('authorize', 403, 'Forbidden', 'A claim of the caller is missing, or is none of the values in `claims`. Types count: the text "1" is not the number 1.', 'forbidden'),
  'caller-refused': entry('authorize', 403, 'Forbidden', 'The method that found out who calls is none of `callers`.', 'forbidden'),
  'address-refused': entry('authorize', 403, 'Forbidden', 'The client address is in none of `addresses`.', 'forbidden'),
  'outside-hours': entry('authorize', 403, 'Forbidden', 'No window of `time` is open now.', 'forbidden'),
  'not-owner': entry('authorize', 403, 'Forbidden', 'The parameter of `owner` is not what the claim of the caller says.', 'forbidden'),
  'parameter-missing': entry('authorize', 403, 'Forbidden', 'The parameter of `owner` is not in the query.', 'forbidden'),
  'parameter-ambiguous': entry('authorize', 403, 'Forbidden', 'A service could read another value for the parameter of `owner`: it is given twice, in path and query, in a spelling that services take for the same, or in a query with broken encoding.', 'forbidden'),
  // limit
  'rate-limited': entry('limit', 429, 'Too many requests', 'A limit of the route is used up; the record names it. `Retry-After` says when a request passes again.'),
  'limit-store-failed': entry('limit', 503, 'Service unavailable', 'The store of a limit is away, and `when-store-fails` of the limit is `closed`.'),
  'concurrency-exceeded': entry('limit', 503, 'Service unavailable', 'As many requests as `concurrency` allows are under way, and none of them ended in time.'),
  // upstream
  'upstream-connect': entry('upstream', 502, 'Bad gateway', 'No connection to the service could be made: refused, unreachable, or its TLS could not be verified.'),
  'upstream-malformed': entry('upstream', 502, 'Bad gateway', 'The service sent something that is not a well-formed answer.'),
  'upstream-closed': entry('upstream', 502, 'Bad gateway', 'The service closed the connection before its answer was complete.'),
  'upstream-timeout': entry('upstream', 504, 'Gateway timeout', 'The service did not answer within `timeout`, or was silent for that long in its body.'),
  'upstream-unavailable': entry('upstream', 503, 'Service unavailable', 'No target of the service may be called: all unhealthy, or the breaker is open.'),
  'upstream-busy': entry('upstream', 503, 'Service unavailable', 'All `connections` of the service are taken and none came free in time.'),
  'response-refused': entry('upstream', 502, 'Bad gateway', 'The answer is larger than a room that has to read it allows.'),
  // faults: we broke
  'internal': entry('observe', 500, 'Internal server error', 'A defect in the gateway. The log has the cause under the same request id.'),
  'shutting-down': entry('listen', 503, 'Service unavailable', 'A request came when the gateway was already leaving, on a connection that it had told so. Only in the record, at most ten a second.'),
} as const satisfies Record<string, CatalogueEntry>;

export type CatalogueCode = keyof typeof catalogue;
