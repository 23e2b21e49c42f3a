/**
 * Ways to get past a limit that is counted three to the hour, as data: requests that are all one and the same client to the limit, so
 * that three of them pass; beside them what is somebody else, and must pass. Each case has an address of its own to come from.
 */

/** The limits of the cases, see `limitedGateway` in `test/journeys/limit.test.ts`. */
export const LIMITS = `limits:
  clients: { rate: 3/hour, by: address }
  tenants: { rate: 3/hour, by: header:X-Tenant }
  pairs: { rate: 3/hour, by: [address, header:x-tenant] }
`;

export interface Evasion {
  readonly name: string;
  /** Sent in this order; each is a request line with the fields that matter. `Host` is added where it is missing. */
  readonly requests: readonly string[];
  /** What must pass afterwards. */
  readonly passes: readonly Other[];
  /** How many of `requests` reach the service; 3 without words. */
  readonly reach?: number;
  /** From a proxy whose word about the client counts. */
  readonly proxied?: boolean;
}

/** A request that the limit must not hold against the client: from another address where `from` says so. */
export interface Other {
  readonly request: string;
  readonly elsewhere?: boolean;
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);
const get = (target: string, ...fields: string[]) => [`GET ${target} HTTP/1.1`, ...fields].join('\r\n');
const ELSEWHERE: Other = { request: get('/address/a'), elsewhere: true };

/** Fields by which clients claim to be somebody else. */
const CLAIMS = [
  'X-Forwarded-For: 203.0.113.$',
  'x-forwarded-for: 203.0.113.$, 10.0.0.1',
  'X-FORWARDED-FOR: ::ffff:203.0.113.$',
  'X_Forwarded_For: 203.0.113.$',
  'Forwarded: for=203.0.113.$',
  'Forwarded: for="[2001:db8::$]"',
  'X-Real-IP: 203.0.113.$',
  'X-Client-IP: 203.0.113.$',
  'X-Cluster-Client-IP: 203.0.113.$',
  'True-Client-IP: 203.0.113.$',
  'CF-Connecting-IP: 203.0.113.$',
  'Fastly-Client-IP: 203.0.113.$',
  'X-Originating-IP: 203.0.113.$',
  'X-Remote-Addr: 203.0.113.$',
  'Via: 1.1 proxy-$',
  'User-Agent: another/$',
  'Cookie: session=$',
  'Authorization: Bearer $',
];

export const evasions: readonly Evasion[] = [
  {
    name: 'the same request again',
    requests: numbers(6).map(() => get('/address/a')),
    passes: [ELSEWHERE],
  },
  {
    name: 'spelling of the path',
    requests: [
      '/address/a',
      '/address/%61',
      '//address/a',
      '/address//a',
      '/address/./a',
      '/address/b/../a',
      '/%61ddress/a',
      '/address/a/',
    ].map((path) => get(path)),
    passes: [ELSEWHERE],
  },
  {
    name: 'another path of the route',
    requests: numbers(8).map((i) => get(`/address/${i}`)),
    passes: [ELSEWHERE],
  },
  {
    name: 'the absolute form of the target',
    requests: numbers(4).flatMap((i) => [get(`http://api.test/address/${i}`, 'Host: api.test'), get(`/address/${i}`)]),
    passes: [ELSEWHERE],
  },
  {
    name: 'the query',
    requests: ['', '?', '?a', '?a=1', '?a=2', '?%00', '?callback=x'].map((query) => get(`/address/a${query}`)),
    passes: [ELSEWHERE],
  },
  {
    name: 'the method',
    requests: ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'GET', 'HEAD'].map((method) => `${method} /address/a HTTP/1.1`),
    passes: [ELSEWHERE],
  },
  {
    name: 'methods with a body',
    requests: ['POST', 'PUT', 'PATCH', 'POST'].map((method) => `${method} /address/a HTTP/1.1\r\nContent-Length: 0`),
    passes: [ELSEWHERE],
  },
  {
    name: 'spelling of the host',
    requests: ['api.test', 'API.TEST', 'Api.Test', 'api.test:80', 'api.test:8443', 'other.test'].map((host) =>
      get('/address/a', `Host: ${host}`),
    ),
    passes: [ELSEWHERE],
  },
  {
    name: 'the version of HTTP',
    requests: ['1.1', '1.0', '1.1', '1.0', '1.1', '1.0'].map(
      (version) => `GET /address/a HTTP/${version}\r\nConnection: keep-alive`,
    ),
    passes: [ELSEWHERE],
  },
  {
    name: 'another route with the same limit',
    requests: ['/address/a', '/also/a', '/address/a', '/also/a', '/address/a', '/also/a'].map((path) => get(path)),
    passes: [ELSEWHERE],
  },
  {
    name: 'forged addresses and other claims to be somebody else',
    requests: CLAIMS.map((claim, i) => get('/address/a', claim.replace('$', `${i + 1}`))),
    passes: [ELSEWHERE],
  },
  {
    name: 'forged addresses in front of what the proxy wrote',
    proxied: true,
    requests: numbers(6).map((i) => get('/address/a', `X-Forwarded-For: 203.0.113.${i}, 198.51.100.1`)),
    passes: [{ request: get('/address/a', 'X-Forwarded-For: 198.51.100.1, 198.51.100.2') }],
  },
  {
    name: 'a second field of what the proxy wrote',
    proxied: true,
    requests: numbers(6).map((i) => get('/address/a', `X-Forwarded-For: 203.0.113.${i}`, 'X-Forwarded-For: 198.51.100.3')),
    passes: [{ request: get('/address/a', 'X-Forwarded-For: 198.51.100.4') }],
  },
  {
    name: 'spellings of one IPv4 address',
    proxied: true,
    requests: [
      '198.51.100.5',
      '::ffff:198.51.100.5',
      '::FFFF:c633:6405',
      '198.51.100.5:4711',
      '[::ffff:198.51.100.5]:80',
      '198.51.100.5:1',
    ].map((address) => get('/address/a', `X-Forwarded-For: ${address}`)),
    passes: [{ request: get('/address/a', 'X-Forwarded-For: 198.51.100.6') }],
  },
  {
    name: 'addresses of one IPv6 network',
    proxied: true,
    requests: [
      '2001:db8:1:2::1',
      '2001:db8:1:2::2',
      '2001:DB8:1:2:ffff::',
      '2001:db8:1:2:a:b:c:d',
      '[2001:db8:1:2::3]:80',
      '2001:0db8:0001:0002::9',
    ].map((address) => get('/address/a', `X-Forwarded-For: ${address}`)),
    passes: ['2001:db8:1:3::1', '2001:db8:1:1:ffff:ffff:ffff:ffff', '2001:db8:0:2::1'].map((address) => ({
      request: get('/address/a', `X-Forwarded-For: ${address}`),
    })),
  },
  {
    name: 'case of a header by which is counted',
    requests: ['X-Tenant', 'x-tenant', 'X-TENANT', 'x-TeNaNt', 'X-Tenant'].map((name) => get('/tenant/a', `${name}: case`)),
    passes: [{ request: get('/tenant/a', 'X-Tenant: Case') }],
  },
  {
    name: 'white space around its value',
    requests: ['x-tenant:space', 'x-tenant: space', 'x-tenant:  \t space', 'x-tenant: space \t', 'x-tenant: space'].map((field) =>
      get('/tenant/a', field),
    ),
    passes: [{ request: get('/tenant/a', 'x-tenant: s pace') }],
  },
  {
    name: 'from elsewhere with the same value',
    requests: numbers(3).map(() => get('/tenant/a', 'x-tenant: everywhere')),
    passes: [{ request: get('/tenant/a', 'x-tenant: elsewhere'), elsewhere: true }],
  },
  {
    name: 'no such header, an empty one, two of them',
    requests: [
      get('/tenant/a'),
      get('/tenant/a', 'x-tenant:'),
      get('/tenant/a', 'x-tenant: one', 'x-tenant: one'),
      get('/tenant/a', 'x-tenant: one', 'X-Tenant: two'),
      get('/tenant/a', 'x-tenant:', 'x-tenant: three'),
      get('/tenant/a', 'x_tenant: four'),
      get('/tenant/a', 'connection: x-tenant', 'x-tenant: five'),
    ],
    passes: [{ request: get('/tenant/a', 'x-tenant: one') }],
  },
  {
    name: 'very long values',
    requests: numbers(5).map(() => get('/tenant/a', `x-tenant: ${'v'.repeat(6000)}`)),
    passes: [{ request: get('/tenant/a', `x-tenant: ${'v'.repeat(6000)}w`) }],
  },
  {
    name: 'a combination, whatever is not part of it',
    requests: numbers(6).map((i) => get(`/pair/${i}`, `x-other: ${i}`, 'x-tenant: pair')),
    passes: [{ request: get('/pair/a', 'x-tenant: another') }, { request: get('/pair/a', 'x-tenant: pair'), elsewhere: true }],
  },
  {
    name: 'a route that is counted as a whole, from everywhere',
    requests: numbers(6).map((i) => get(`/whole/${i}`, `x-tenant: ${i}`)),
    passes: [{ request: get('/other-whole/a') }],
  },
];
