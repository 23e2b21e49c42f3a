/**
 * Which route takes which request, and what CORS, WebSocket origins and response headers come to, as data. Read by the
 * tests of the room `route`; every table holds what must pass beside what must stop.
 */

/** A route, known by `id` in the expectations. */
export interface CaseRoute {
  readonly id: string;
  readonly path: string;
  readonly host?: string | readonly string[];
  readonly methods?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly preflight?: boolean;
}

export interface CaseRequest {
  readonly method?: string;
  readonly host?: string;
  readonly path: string;
  readonly headers?: readonly string[];
  /** The id of the route, with its parameters where it has any; 404; or the `Allow` of a 405. */
  readonly gives:
    | string
    | 404
    | { readonly id: string; readonly params: Readonly<Record<string, string>> }
    | { readonly allow: string };
}

export interface RouteCase {
  readonly name: string;
  readonly routes: readonly CaseRoute[];
  readonly requests: readonly CaseRequest[];
}

const ALL = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';

export const routeCases: readonly RouteCase[] = [
  {
    name: 'an exact path is that path and nothing else',
    routes: [
      { id: 'x', path: '/x' },
      { id: 'slash', path: '/y/' },
    ],
    requests: [
      { path: '/x', gives: 'x' },
      { path: '/x/', gives: 404 },
      { path: '/x/y', gives: 404 },
      { path: '/X', gives: 404 },
      { path: '/xx', gives: 404 },
      { path: '/', gives: 404 },
      { path: '/y/', gives: 'slash' },
      { path: '/y', gives: 404 },
    ],
  },
  {
    name: '** takes the path itself, its slash and all below',
    routes: [{ id: 'x', path: '/x/**' }],
    requests: [
      { path: '/x', gives: 'x' },
      { path: '/x/', gives: 'x' },
      { path: '/x/y', gives: 'x' },
      { path: '/x/y/z/', gives: 'x' },
      { path: '/xy', gives: 404 },
      { path: '/', gives: 404 },
    ],
  },
  {
    name: '/** takes everything',
    routes: [{ id: 'all', path: '/**' }],
    requests: [
      { path: '/', gives: 'all' },
      { path: '/a', gives: 'all' },
      { path: '/a/b/', gives: 'all' },
    ],
  },
  {
    name: '* and {name} are one segment, and not an empty one',
    routes: [
      { id: 'star', path: '/star/*' },
      { id: 'param', path: '/param/{id}' },
      { id: 'inner', path: '/inner/{a}/x/{b}' },
      { id: 'deep', path: '/deep/{a}/**' },
      { id: 'top', path: '/{top}/only/top' },
    ],
    requests: [
      { path: '/star/a', gives: 'star' },
      { path: '/star', gives: 404 },
      { path: '/star/', gives: 404 },
      { path: '/star/a/', gives: 404 },
      { path: '/star/a/b', gives: 404 },
      { path: '/param/42', gives: { id: 'param', params: { id: '42' } } },
      { path: '/param/', gives: 404 },
      { path: '/inner/1/x/2', gives: { id: 'inner', params: { a: '1', b: '2' } } },
      { path: '/inner/1/y/2', gives: 404 },
      { path: '/deep/1', gives: { id: 'deep', params: { a: '1' } } },
      { path: '/deep/1/2/3', gives: { id: 'deep', params: { a: '1' } } },
      { path: '/deep/', gives: 404 },
      { path: '/t/only/top', gives: { id: 'top', params: { top: 't' } } },
    ],
  },
  {
    name: 'parameters are decoded; literals of patterns may be written decoded or not',
    routes: [
      { id: 'cafe', path: '/café/{name}' },
      { id: 'blank', path: '/a b' },
      { id: 'lower', path: '/%c3%a9' },
      { id: 'plain', path: '/%61bc' },
    ],
    requests: [
      { path: '/caf%C3%A9/a%20b', gives: { id: 'cafe', params: { name: 'a b' } } },
      { path: '/caf%C3%A9/%E2%82%AC', gives: { id: 'cafe', params: { name: '€' } } },
      { path: '/caf%C3%A9/100%25', gives: { id: 'cafe', params: { name: '100%' } } },
      { path: '/cafe/x', gives: 404 },
      { path: '/a%20b', gives: 'blank' },
      { path: '/%C3%A9', gives: 'lower' },
      { path: '/abc', gives: 'plain' },
    ],
  },
  {
    name: 'the longest literal beginning wins, an exact path over all',
    routes: [
      { id: 'all', path: '/**' },
      { id: 'a', path: '/a/**' },
      { id: 'ab', path: '/a/b/**' },
      { id: 'a-param', path: '/a/{x}' },
      { id: 'a-param-c', path: '/a/{x}/c' },
      { id: 'a-param-rest', path: '/a/{x}/**' },
      { id: 'abc', path: '/a/b/c' },
      { id: 'param-b', path: '/{x}/b' },
    ],
    requests: [
      { path: '/', gives: 'all' },
      { path: '/z', gives: 'all' },
      { path: '/a', gives: 'a' },
      { path: '/a/', gives: 'a' },
      { path: '/a/1', gives: { id: 'a-param', params: { x: '1' } } },
      { path: '/a/1/', gives: { id: 'a-param-rest', params: { x: '1' } } },
      { path: '/a/1/c', gives: { id: 'a-param-c', params: { x: '1' } } },
      { path: '/a/1/d', gives: { id: 'a-param-rest', params: { x: '1' } } },
      { path: '/a/b', gives: 'ab' },
      { path: '/a/b/c', gives: 'abc' },
      { path: '/a/b/d', gives: 'ab' },
      { path: '/z/b', gives: { id: 'param-b', params: { x: 'z' } } },
      { path: '/z/b/c', gives: 'all' },
    ],
  },
  {
    name: 'a literal that leads nowhere does not hide a wildcard beside it',
    routes: [
      { id: 'one', path: '/a/b/c' },
      { id: 'two', path: '/a/*/d' },
      { id: 'three', path: '/*/b/e' },
      { id: 'four', path: '/*/*/*' },
    ],
    requests: [
      { path: '/a/b/c', gives: 'one' },
      { path: '/a/b/d', gives: 'two' },
      { path: '/a/b/e', gives: 'three' },
      { path: '/a/b/f', gives: 'four' },
      { path: '/a/b', gives: 404 },
    ],
  },
  {
    name: 'names that objects inherit are segments like any other',
    routes: [
      { id: 'proto', path: '/__proto__/x' },
      { id: 'constructor', path: '/constructor' },
      { id: 'named', path: '/p/{constructor}' },
    ],
    requests: [
      { path: '/__proto__/x', gives: 'proto' },
      { path: '/__proto__', gives: 404 },
      { path: '/toString', gives: 404 },
      { path: '/constructor', gives: 'constructor' },
      { path: '/constructor/prototype', gives: 404 },
      { path: '/p/__proto__', gives: { id: 'named', params: { constructor: '__proto__' } } },
    ],
  },
  {
    name: 'methods: HEAD comes with GET, OPTIONS is listed or answered, the rest is 405',
    routes: [
      { id: 'get', path: '/x/**', methods: ['GET'] },
      { id: 'post', path: '/x/**', methods: ['POST'] },
      { id: 'head', path: '/h', methods: ['HEAD'] },
      { id: 'not-head', path: '/h', methods: ['GET'] },
      { id: 'default', path: '/d' },
      { id: 'options', path: '/o', methods: ['OPTIONS'] },
    ],
    requests: [
      { path: '/x/1', gives: 'get' },
      { method: 'HEAD', path: '/x/1', gives: 'get' },
      { method: 'POST', path: '/x/1', gives: 'post' },
      { method: 'DELETE', path: '/x/1', gives: { allow: 'GET, HEAD, POST, OPTIONS' } },
      { method: 'OPTIONS', path: '/x/1', gives: { allow: 'GET, HEAD, POST, OPTIONS' } },
      { method: 'HEAD', path: '/h', gives: 'head' },
      { method: 'GET', path: '/h', gives: 'not-head' },
      { method: 'OPTIONS', path: '/d', gives: 'default' },
      { method: 'PROPFIND', path: '/d', gives: { allow: ALL } },
      { method: 'OPTIONS', path: '/o', gives: 'options' },
      { method: 'get', path: '/d', gives: { allow: ALL } },
      { method: 'OPTIONS', path: '*', gives: { allow: ALL } },
    ],
  },
  {
    name: 'another verb does not lead around the more specific route',
    routes: [
      { id: 'open', path: '/**' },
      { id: 'admin', path: '/admin/**', methods: ['GET'] },
    ],
    requests: [
      { path: '/admin/users', gives: 'admin' },
      { method: 'POST', path: '/admin/users', gives: { allow: 'GET, HEAD, OPTIONS' } },
      { method: 'POST', path: '/admin', gives: { allow: 'GET, HEAD, OPTIONS' } },
      { method: 'POST', path: '/other', gives: 'open' },
    ],
  },
  {
    name: 'hosts: a name over a wildcard over none; wildcards reach any depth, the longer one wins',
    routes: [
      { id: 'any', path: '/**' },
      { id: 'api', path: '/v1/**', host: 'API.example.com' },
      { id: 'wild', path: '/**', host: '*.example.com' },
      { id: 'wilder', path: '/**', host: '*.eu.example.com' },
      { id: 'two', path: '/two', host: ['a.test', '*.b.test'] },
      { id: 'six', path: '/**', host: '[2001:DB8:0::1]' },
      { id: 'unicode', path: '/**', host: 'bücher.example' },
    ],
    requests: [
      { host: 'api.example.com', path: '/v1/x', gives: 'api' },
      { host: 'api.example.com', path: '/v2', gives: 'wild' },
      { host: 'www.example.com', path: '/v1/x', gives: 'wild' },
      { host: 'a.b.example.com', path: '/', gives: 'wild' },
      { host: 'a.eu.example.com', path: '/', gives: 'wilder' },
      { host: 'eu.example.com', path: '/', gives: 'wild' },
      { host: 'example.com', path: '/', gives: 'any' },
      { host: 'notexample.com', path: '/', gives: 'any' },
      { host: 'api.example.com.evil.test', path: '/v1/x', gives: 'any' },
      { host: 'a.test', path: '/two', gives: 'two' },
      { host: 'x.b.test', path: '/two', gives: 'two' },
      { host: 'b.test', path: '/two', gives: 'any' },
      { host: '[2001:db8::1]', path: '/', gives: 'six' },
      { host: 'xn--bcher-kva.example', path: '/', gives: 'unicode' },
      { host: '', path: '/', gives: 'any' },
    ],
  },
  {
    name: 'a host without a match for the path gives the next one its turn; with a match it keeps the request',
    routes: [
      { id: 'any', path: '/shared/**' },
      { id: 'api', path: '/own/**', host: 'api.test', methods: ['GET'] },
      { id: 'any-own', path: '/own/exact' },
    ],
    requests: [
      { host: 'api.test', path: '/shared/x', gives: 'any' },
      { host: 'api.test', path: '/own/exact', gives: 'api' },
      { host: 'api.test', method: 'POST', path: '/own/exact', gives: { allow: 'GET, HEAD, OPTIONS' } },
      { host: 'www.test', path: '/own/exact', gives: 'any-own' },
      { host: 'api.test', path: '/none', gives: 404 },
    ],
  },
  {
    name: 'header conditions win over none, more over fewer; without them the next pattern has its turn',
    routes: [
      { id: 'plain', path: '/x' },
      { id: 'v2', path: '/x', headers: { 'X-Version': '2' } },
      { id: 'v2-beta', path: '/x', headers: { 'x-version': '2', 'x-beta': 'present' } },
      { id: 'beta', path: '/x', headers: { 'x-beta': 'present' } },
      { id: 'only', path: '/only/this', headers: { 'x-key': 'present' } },
      { id: 'rest', path: '/only/**' },
      { id: 'verb', path: '/verb', headers: { 'x-a': '1' }, methods: ['GET'] },
      { id: 'verb-plain', path: '/verb', methods: ['POST'] },
    ],
    requests: [
      { path: '/x', gives: 'plain' },
      { path: '/x', headers: ['x-version', '2'], gives: 'v2' },
      { path: '/x', headers: ['x-version', '3'], gives: 'plain' },
      { path: '/x', headers: ['x-version', '2', 'x-version', '2'], gives: 'plain' },
      { path: '/x', headers: ['x-version', '2', 'x-version', '3'], gives: 'plain' },
      { path: '/x', headers: ['x-beta', ''], gives: 'beta' },
      { path: '/x', headers: ['x-beta', 'a', 'x-version', '2'], gives: 'v2-beta' },
      { path: '/only/this', headers: ['x-key', '1'], gives: 'only' },
      { path: '/only/this', gives: 'rest' },
      { path: '/verb', headers: ['x-a', '1'], gives: 'verb' },
      { method: 'POST', path: '/verb', headers: ['x-a', '1'], gives: 'verb-plain' },
      { path: '/verb', gives: { allow: 'POST, OPTIONS' } },
      { method: 'PUT', path: '/verb', headers: ['x-a', '1'], gives: { allow: 'GET, HEAD, POST, OPTIONS' } },
    ],
  },
  {
    name: 'a preflight belongs to the route of the request that it asks for',
    routes: [
      { id: 'read', path: '/x', methods: ['GET', 'OPTIONS'] },
      { id: 'write', path: '/x', methods: ['POST'], preflight: true },
      { id: 'closed', path: '/closed', methods: ['GET'] },
      { id: 'half-closed', path: '/half', methods: ['GET'] },
      { id: 'half-open', path: '/half', methods: ['POST'], preflight: true },
      { id: 'conditional', path: '/c', methods: ['GET'], headers: { 'x-key': 'secret' }, preflight: true },
    ],
    requests: [
      {
        method: 'OPTIONS',
        path: '/x',
        headers: ['origin', 'https://a.test', 'access-control-request-method', 'POST'],
        gives: 'write',
      },
      {
        method: 'OPTIONS',
        path: '/x',
        headers: ['origin', 'https://a.test', 'access-control-request-method', 'GET'],
        gives: 'read',
      },
      { method: 'OPTIONS', path: '/x', headers: ['access-control-request-method', 'POST'], gives: 'read' },
      { method: 'OPTIONS', path: '/x', headers: ['origin', 'https://a.test'], gives: 'read' },
      {
        method: 'GET',
        path: '/x',
        headers: ['origin', 'https://a.test', 'access-control-request-method', 'POST'],
        gives: 'read',
      },
      {
        method: 'OPTIONS',
        path: '/closed',
        headers: ['origin', 'https://a.test', 'access-control-request-method', 'GET'],
        gives: { allow: 'GET, HEAD, OPTIONS' },
      },
      {
        method: 'OPTIONS',
        path: '/half',
        headers: ['origin', 'https://a.test', 'access-control-request-method', 'GET'],
        gives: { allow: 'GET, HEAD, POST, OPTIONS' },
      },
      {
        method: 'OPTIONS',
        path: '/c',
        headers: ['origin', 'https://a.test', 'access-control-request-method', 'GET', 'access-control-request-headers', 'X-Key'],
        gives: 'conditional',
      },
      {
        method: 'OPTIONS',
        path: '/c',
        headers: ['origin', 'https://a.test', 'access-control-request-method', 'GET'],
        gives: 404,
      },
    ],
  },
];

/** A method that no route has must still be refused in the words of CORS where the path has `cors`. */
export const preflightForMissingMethod: RouteCase = {
  name: 'a preflight for a method that no route has goes to a route with cors, to be refused there',
  routes: [{ id: 'cors', path: '/x', methods: ['GET'], preflight: true }],
  requests: [
    {
      method: 'OPTIONS',
      path: '/x',
      headers: ['origin', 'https://a.test', 'access-control-request-method', 'PUT'],
      gives: 'cors',
    },
  ],
};

/** Patterns that do not load, and a word that the message must hold. */
export const malformedPatterns: readonly (readonly [text: string, word: string])[] = [
  ['', 'begins with'],
  ['orders', '"/orders"'],
  ['*', 'begins with'],
  ['https://example.com/x', 'begins with'],
  ['/a//b', 'empty segment'],
  ['/**/x', 'last'],
  ['/a/**/', 'last'],
  ['/a*', 'whole segment'],
  ['/a/***', 'whole segment'],
  ['/a/{id}.json', 'whole segment'],
  ['/a/{id', 'whole segment'],
  ['/a/}{', 'whole segment'],
  ['/a/{}', 'whole segment'],
  ['/a/{1x}', 'letters'],
  ['/a/{a b}', 'letters'],
  ['/a/{__proto__}', 'letters'],
  ['/{id}/x/{id}', 'two parameters'],
  ['/a/:id', '{id}'],
  ['/a?x=1', 'query'],
  ['/a#top', 'fragment'],
  ['/a/../b', 'resolved'],
  ['/./b', 'resolved'],
  ['/a/%2e%2e/b', 'refused'],
  ['/a%2fb', 'slash'],
  ['/a%5cb', 'backslash'],
  ['/a\\b', 'backslash'],
  ['/a;v=1', 'parameter'],
  ['/a%', 'percent'],
  ['/a%252e', 'doubly'],
  ['/a\nb', 'control'],
  ['/\ud800', 'Unicode'],
  [`/${'a/'.repeat(70)}a`, '64 segments'],
];

/** Hosts that do not load, and a word that the message must hold. */
export const malformedHosts: readonly (readonly [text: string, word: string])[] = [
  ['', 'not a host name'],
  ['https://a.test', 'URL'],
  ['a.test:8443', 'port'],
  ['a.test/x', 'not a host name'],
  ['bücher.test/x', 'not a host name'],
  ['bü cher.test', 'not a host name'],
  ['a.*.test', 'beginning'],
  ['*', 'beginning'],
  ['*a.test', 'beginning'],
  ['a..test', 'not a host name'],
  ['a b', 'not a host name'],
  ['127.1', 'not a host name'],
  ['[::g]', 'not a host name'],
  ['user@a.test', 'not a host name'],
];

/** Pairs of routes, and whether some request could not tell which one is meant. */
export const conflictCases: readonly {
  name: string;
  routes: readonly [Omit<CaseRoute, 'id'>, Omit<CaseRoute, 'id'>];
  conflict: boolean;
}[] = [
  { name: 'the same path', routes: [{ path: '/x' }, { path: '/x' }], conflict: true },
  { name: 'the same in two spellings', routes: [{ path: '/café' }, { path: '/caf%c3%a9' }], conflict: true },
  { name: 'parameters with other names', routes: [{ path: '/x/{a}' }, { path: '/x/{b}' }], conflict: true },
  { name: 'a parameter and a star', routes: [{ path: '/x/{a}/**' }, { path: '/x/*/**' }], conflict: true },
  {
    name: 'one method in common',
    routes: [
      { path: '/x', methods: ['GET', 'PUT'] },
      { path: '/x', methods: ['PUT'] },
    ],
    conflict: true,
  },
  {
    name: 'one host in common',
    routes: [
      { path: '/x', host: ['a.test', 'B.test'] },
      { path: '/x', host: 'b.test' },
    ],
    conflict: true,
  },
  {
    name: 'the same headers in another order',
    routes: [
      { path: '/x', headers: { a: '1', B: '2' } },
      { path: '/x', headers: { b: '2', A: '1' } },
    ],
    conflict: true,
  },
  {
    name: 'other methods',
    routes: [
      { path: '/x', methods: ['GET'] },
      { path: '/x', methods: ['PUT'] },
    ],
    conflict: false,
  },
  {
    name: 'HEAD on its own',
    routes: [
      { path: '/x', methods: ['GET'] },
      { path: '/x', methods: ['HEAD'] },
    ],
    conflict: false,
  },
  {
    name: 'other hosts',
    routes: [
      { path: '/x', host: 'a.test' },
      { path: '/x', host: 'b.test' },
    ],
    conflict: false,
  },
  {
    name: 'a host and a wildcard',
    routes: [
      { path: '/x', host: '*.a.test' },
      { path: '/x', host: 'a.test' },
    ],
    conflict: false,
  },
  { name: 'a host and none', routes: [{ path: '/x', host: 'a.test' }, { path: '/x' }], conflict: false },
  {
    name: 'other headers',
    routes: [
      { path: '/x', headers: { a: '1' } },
      { path: '/x', headers: { a: '2' } },
    ],
    conflict: false,
  },
  { name: 'a path and all below it', routes: [{ path: '/x' }, { path: '/x/**' }], conflict: false },
  { name: 'a path with and without its slash', routes: [{ path: '/x' }, { path: '/x/' }], conflict: false },
  { name: 'a name that looks like a shape', routes: [{ path: '/x/%7B%7D' }, { path: '/x/{a}' }], conflict: false },
];

/** One request to a route with CORS, and what it comes to. */
export interface CorsCase {
  readonly name: string;
  /** `cors` as it is written in the configuration. */
  readonly cors: unknown;
  readonly method: string;
  readonly headers: readonly string[];
  /** For a preflight: 204, or the refusal `cors-refused`. For another request: goes on. */
  readonly gives: 204 | 'cors-refused' | 'passes';
  /** The CORS fields of the answer, `vary` among them; of the decorated answer where the request passes. */
  readonly fields: Readonly<Record<string, string>>;
}

const APP = 'https://app.example.com';
const named = {
  origins: [APP, 'http://localhost:3000'],
  methods: ['GET', 'PUT'],
  headers: ['X-One', 'content-type'],
  expose: ['ETag'],
  'max-age': '5m',
};
const everyone = { origins: '*' };
const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';
const asks = (origin: string, method: string, ...more: string[]) => [
  'origin',
  origin,
  'access-control-request-method',
  method,
  ...more,
];

export const corsCases: readonly CorsCase[] = [
  {
    name: 'a preflight from a named origin',
    cors: named,
    method: 'OPTIONS',
    headers: asks(APP, 'PUT', 'access-control-request-headers', 'content-type, x-one'),
    gives: 204,
    fields: {
      'access-control-allow-origin': APP,
      'access-control-allow-methods': 'GET, PUT, HEAD',
      'access-control-allow-headers': 'x-one, content-type',
      'access-control-max-age': '300',
      vary: PREFLIGHT_VARY,
    },
  },
  {
    name: 'a preflight from a named origin with a port, for GET, without headers',
    cors: named,
    method: 'OPTIONS',
    headers: asks('http://localhost:3000', 'GET'),
    gives: 204,
    fields: {
      'access-control-allow-origin': 'http://localhost:3000',
      'access-control-allow-methods': 'GET, PUT, HEAD',
      'access-control-allow-headers': 'x-one, content-type',
      'access-control-max-age': '300',
      vary: PREFLIGHT_VARY,
    },
  },
  {
    name: 'a preflight with credentials',
    cors: { origins: APP, credentials: true, methods: ['POST'] },
    method: 'OPTIONS',
    headers: asks(APP, 'POST', 'access-control-request-headers', 'authorization'),
    gives: 204,
    fields: {
      'access-control-allow-origin': APP,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-max-age': '600',
      vary: PREFLIGHT_VARY,
    },
  },
  {
    name: 'a preflight where everyone may call, with any header',
    cors: { origins: '*', headers: '*' },
    method: 'OPTIONS',
    headers: asks('https://whoever.test', 'DELETE', 'access-control-request-headers', 'X-Any,authorization'),
    gives: 204,
    fields: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': ALL,
      'access-control-allow-headers': 'x-any, authorization',
      'access-control-max-age': '600',
      vary: PREFLIGHT_VARY,
    },
  },
  ...[
    { name: 'another origin', headers: asks('https://evil.test', 'GET') },
    { name: 'the origin with another scheme', headers: asks('http://app.example.com', 'GET') },
    { name: 'the origin with another port', headers: asks(`${APP}:8443`, 'GET') },
    { name: 'an origin that begins like an allowed one', headers: asks(`${APP}.evil.test`, 'GET') },
    { name: 'an origin that ends like an allowed one', headers: asks('https://evilapp.example.com', 'GET') },
    { name: 'the origin null', headers: asks('null', 'GET') },
    { name: 'an empty origin', headers: asks('', 'GET') },
    { name: 'two origins', headers: asks(APP, 'GET', 'origin', APP) },
    { name: 'another method', headers: asks(APP, 'DELETE') },
    { name: 'a method in lower case', headers: asks(APP, 'put') },
    { name: 'another header', headers: asks(APP, 'PUT', 'access-control-request-headers', 'x-one, x-two') },
  ].map(({ name, headers }) => ({
    name: `a preflight is refused: ${name}`,
    cors: named,
    method: 'OPTIONS',
    headers,
    gives: 'cors-refused' as const,
    fields: { vary: PREFLIGHT_VARY },
  })),
  {
    name: 'a preflight is refused: what is no name of a header, even where any is allowed',
    cors: { origins: '*', headers: '*' },
    method: 'OPTIONS',
    headers: asks(APP, 'PUT', 'access-control-request-headers', 'x-one, "x:two"'),
    gives: 'cors-refused',
    fields: { vary: PREFLIGHT_VARY },
  },
  {
    name: 'an answer to a named origin',
    cors: named,
    method: 'GET',
    headers: ['origin', APP],
    gives: 'passes',
    fields: { 'access-control-allow-origin': APP, 'access-control-expose-headers': 'ETag', vary: 'Origin' },
  },
  {
    name: 'an answer to a named origin with credentials',
    cors: { origins: [APP], credentials: true },
    method: 'POST',
    headers: ['origin', APP],
    gives: 'passes',
    fields: { 'access-control-allow-origin': APP, 'access-control-allow-credentials': 'true', vary: 'Origin' },
  },
  {
    name: 'an answer to another origin varies too',
    cors: named,
    method: 'GET',
    headers: ['origin', 'https://evil.test'],
    gives: 'passes',
    fields: { vary: 'Origin' },
  },
  {
    name: 'an answer to two origins',
    cors: named,
    method: 'GET',
    headers: ['origin', APP, 'origin', APP],
    gives: 'passes',
    fields: { vary: 'Origin' },
  },
  {
    name: 'an answer without Origin varies too',
    cors: named,
    method: 'GET',
    headers: [],
    gives: 'passes',
    fields: { vary: 'Origin' },
  },
  {
    name: 'an answer where everyone may call is the same for all',
    cors: everyone,
    method: 'GET',
    headers: ['origin', 'https://whoever.test'],
    gives: 'passes',
    fields: { 'access-control-allow-origin': '*' },
  },
  {
    name: 'an answer without Origin where everyone may call',
    cors: everyone,
    method: 'GET',
    headers: [],
    gives: 'passes',
    fields: {},
  },
  {
    name: 'an OPTIONS request that is no preflight',
    cors: named,
    method: 'OPTIONS',
    headers: ['origin', APP],
    gives: 'passes',
    fields: { 'access-control-allow-origin': APP, 'access-control-expose-headers': 'ETag', vary: 'Origin' },
  },
  {
    name: 'the origin null where it is named',
    cors: { origins: ['null'] },
    method: 'GET',
    headers: ['origin', 'null'],
    gives: 'passes',
    fields: { 'access-control-allow-origin': 'null', vary: 'Origin' },
  },
];

/** Options that must not load, with the key that the error is at. */
export const badRouteOptions: readonly { name: string; options: Readonly<Record<string, unknown>>; at: string }[] = [
  { name: 'credentials for everyone', options: { cors: { origins: '*', credentials: true } }, at: 'cors.origins' },
  {
    name: 'credentials for everyone, in a list',
    options: { cors: { origins: [APP, '*'], credentials: true } },
    at: 'cors.origins',
  },
  {
    name: 'credentials for null, which every page can be',
    options: { cors: { origins: ['null'], credentials: true } },
    at: 'cors.origins',
  },
  {
    name: 'credentials with any header',
    options: { cors: { origins: APP, credentials: true, headers: '*' } },
    at: 'cors.headers',
  },
  {
    name: 'credentials with every header readable',
    options: { cors: { origins: APP, credentials: true, expose: '*' } },
    at: 'cors.expose',
  },
  { name: 'an origin with a path', options: { cors: { origins: `${APP}/` } }, at: 'cors.origins' },
  { name: 'an origin without a scheme', options: { cors: { origins: 'app.example.com' } }, at: 'cors.origins' },
  { name: 'an origin with a star inside', options: { cors: { origins: 'https://app.*.com' } }, at: 'cors.origins' },
  { name: 'an origin with a user', options: { cors: { origins: 'https://a@b.test' } }, at: 'cors.origins' },
  { name: 'cors without origins', options: { cors: {} }, at: 'cors.origins' },
  { name: 'an unknown key of cors', options: { cors: { origins: APP, origin: APP } }, at: 'cors' },
  { name: 'a method in lower case', options: { methods: ['get'] }, at: 'methods.0' },
  { name: 'TRACE', options: { methods: ['TRACE'] }, at: 'methods.0' },
  { name: 'no method', options: { methods: [] }, at: 'methods' },
  { name: 'a malformed path', options: { path: 'x' }, at: 'path' },
  { name: 'a malformed host', options: { host: 'a b' }, at: 'host' },
  { name: 'Host among the headers', options: { headers: { Host: 'a.test' } }, at: 'headers.Host' },
  { name: 'a header to match that is none', options: { headers: { 'x y': '1' } }, at: 'headers.x y' },
  {
    name: 'a response header with a line break',
    options: { 'response-headers': { 'x-a': 'b\r\nset-cookie: c=d' } },
    at: 'response-headers.x-a',
  },
  { name: 'a response header that is none', options: { 'response-headers': { 'x a': 'b' } }, at: 'response-headers.x a' },
  {
    name: 'a response header of the framing',
    options: { 'response-headers': { 'Content-Length': '0' } },
    at: 'response-headers.Content-Length',
  },
  {
    name: 'CORS by hand',
    options: { 'response-headers': { 'access-control-allow-origin': '*' } },
    at: 'response-headers.access-control-allow-origin',
  },
  { name: 'a response header twice', options: { 'response-headers': { 'x-a': '1', 'X-A': '2' } }, at: 'response-headers.X-A' },
  { name: 'an empty response header', options: { 'response-headers': { 'x-a': '' } }, at: 'response-headers.x-a' },
];

/** WebSocket handshakes: who may open one. Our own host is `api.example.com`, over TLS unless `scheme` says otherwise. */
export interface SocketCase {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly headers: readonly string[];
  readonly authority?: string;
  readonly scheme?: 'http' | 'https';
  readonly passes: boolean;
}

export const socketCases: readonly SocketCase[] = [
  { name: 'no browser', options: {}, headers: [], passes: true },
  { name: 'a page of our own', options: {}, headers: ['origin', 'https://api.example.com'], passes: true },
  {
    name: 'a page of our own, usual port written',
    options: {},
    headers: ['origin', 'https://api.example.com'],
    authority: 'api.example.com:443',
    passes: true,
  },
  {
    name: 'a page of our own, other port',
    options: {},
    headers: ['origin', 'https://api.example.com:8443'],
    authority: 'api.example.com:8443',
    passes: true,
  },
  {
    name: 'a page of our own without TLS',
    options: {},
    headers: ['origin', 'http://api.example.com'],
    authority: 'api.example.com:80',
    scheme: 'http',
    passes: true,
  },
  { name: 'our host without TLS, asked over TLS', options: {}, headers: ['origin', 'http://api.example.com'], passes: false },
  { name: 'our host at another port', options: {}, headers: ['origin', 'https://api.example.com:8443'], passes: false },
  { name: 'another page', options: {}, headers: ['origin', 'https://evil.test'], passes: false },
  { name: 'the origin null', options: {}, headers: ['origin', 'null'], passes: false },
  { name: 'an empty origin', options: {}, headers: ['origin', ''], passes: false },
  { name: 'two origins', options: { origins: [APP] }, headers: ['origin', APP, 'origin', APP], passes: false },
  { name: 'a page that is named', options: { origins: APP }, headers: ['origin', APP], passes: true },
  {
    name: 'another page where one is named',
    options: { origins: [APP] },
    headers: ['origin', 'https://evil.test'],
    passes: false,
  },
  { name: 'a page that is named in cors', options: { cors: { origins: [APP] } }, headers: ['origin', APP], passes: true },
  {
    name: 'cors for everyone is not for sockets, which take cookies along',
    options: { cors: everyone },
    headers: ['origin', APP],
    passes: false,
  },
  { name: 'every page, where it is written', options: { origins: '*' }, headers: ['origin', 'https://evil.test'], passes: true },
  { name: 'null, where it is named', options: { origins: ['null'] }, headers: ['origin', 'null'], passes: true },
  {
    name: 'a page below a domain',
    options: { origins: ['https://*.example.com'] },
    headers: ['origin', 'https://a.b.example.com'],
    passes: true,
  },
  {
    name: 'the domain itself',
    options: { origins: ['https://*.example.com'] },
    headers: ['origin', 'https://example.com'],
    passes: false,
  },
  {
    name: 'a domain that ends like it',
    options: { origins: ['https://*.example.com'] },
    headers: ['origin', 'https://evilexample.com'],
    passes: false,
  },
  {
    name: 'what is no host before the domain',
    options: { origins: ['https://*.example.com'] },
    headers: ['origin', 'https://evil.test/.example.com'],
    passes: false,
  },
  {
    name: 'a user before the domain',
    options: { origins: ['https://*.example.com'] },
    headers: ['origin', 'https://evil.test@a.example.com'],
    passes: false,
  },
  {
    name: 'below a domain, other port',
    options: { origins: ['https://*.example.com'] },
    headers: ['origin', 'https://a.example.com:8443'],
    passes: false,
  },
  {
    name: 'below a domain at a port',
    options: { origins: ['https://*.example.com:8443'] },
    headers: ['origin', 'https://a.example.com:8443'],
    passes: true,
  },
];

const API_POLICY = "default-src 'none'; frame-ancestors 'none'";
const YEAR = 'max-age=31536000';

/** The safe fields as they are without other words, over TLS and for what is not HTML. */
export const safeHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': API_POLICY,
  'x-frame-options': 'SAMEORIGIN',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'strict-transport-security': YEAR,
};

/** Fields that the service sent, and what goes out; `changes` are those that differ from `safeHeaders`, null where one is missing. */
export interface HeaderCase {
  readonly name: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly cors?: unknown;
  readonly service: readonly string[];
  readonly status?: number;
  readonly scheme?: 'http' | 'https';
  readonly hsts?: string | false;
  readonly changes: Readonly<Record<string, string | null>>;
}

const json = ['content-type', 'application/json'];
const html = ['content-type', 'Text/HTML ; charset=utf-8'];

export const headerCases: readonly HeaderCase[] = [
  { name: 'what is not HTML', service: json, changes: { 'content-type': 'application/json' } },
  { name: 'no type at all', service: ['etag', '"1"'], changes: { etag: '"1"' } },
  {
    name: 'HTML has its own policy, or none',
    service: html,
    changes: { 'content-type': html[1], 'content-security-policy': null },
  },
  {
    name: 'XHTML too',
    service: ['content-type', 'application/xhtml+xml'],
    changes: { 'content-type': 'application/xhtml+xml', 'content-security-policy': null },
  },
  {
    name: 'a type that only begins like HTML',
    service: ['content-type', 'text/htmlx'],
    changes: { 'content-type': 'text/htmlx' },
  },
  {
    name: 'a 304 must not give a stored page the policy of an API',
    service: ['etag', '"1"'],
    status: 304,
    changes: { etag: '"1"', 'content-security-policy': null },
  },
  { name: 'a 304 with its type', service: json, status: 304, changes: { 'content-type': 'application/json' } },
  { name: 'no HSTS without TLS', service: [], scheme: 'http', changes: { 'strict-transport-security': null } },
  {
    name: 'the listener decides about HSTS',
    service: ['strict-transport-security', 'max-age=1'],
    hsts: 'max-age=60; preload',
    changes: { 'strict-transport-security': 'max-age=60; preload' },
  },
  {
    name: 'the listener has HSTS off',
    service: ['strict-transport-security', 'max-age=1'],
    hsts: false,
    changes: { 'strict-transport-security': null },
  },
  {
    name: 'what the service is made of does not go out',
    service: [
      'server',
      'Apache/2.4.1',
      'x-powered-by',
      'PHP/5.2',
      'x-aspnet-version',
      '4',
      'x-aspnetmvc-version',
      '5',
      'date',
      'today',
    ],
    changes: { date: 'today' },
  },
  {
    name: 'what the service says of its content stays, nosniff stays ours',
    service: [
      'content-security-policy',
      "default-src 'self'",
      'x-frame-options',
      'DENY',
      'referrer-policy',
      'origin',
      'cross-origin-resource-policy',
      'cross-origin',
      'x-content-type-options',
      'none',
    ],
    changes: {
      'content-security-policy': "default-src 'self'",
      'x-frame-options': 'DENY',
      'referrer-policy': 'origin',
      'cross-origin-resource-policy': 'cross-origin',
    },
  },
  {
    name: 'a value that the route sets replaces ours and the service’s',
    options: { 'X-Frame-Options': 'DENY', 'content-security-policy': "default-src 'self'", 'cache-control': 'no-store' },
    service: ['x-frame-options', 'ALLOWALL', 'cache-control', 'public', 'cache-control', 'max-age=60', ...json],
    changes: {
      'x-frame-options': 'DENY',
      'content-security-policy': "default-src 'self'",
      'cache-control': 'no-store',
      'content-type': 'application/json',
    },
  },
  {
    name: 'remove takes out what is ours and what is the service’s',
    options: {
      'x-frame-options': 'remove',
      'referrer-policy': 'remove',
      'x-debug': 'remove',
      'strict-transport-security': 'remove',
    },
    service: ['x-frame-options', 'DENY', 'x-debug', 'stack', 'strict-transport-security', 'max-age=1'],
    changes: { 'x-frame-options': null, 'referrer-policy': null, 'strict-transport-security': null },
  },
  {
    name: 'keep leaves it to the service',
    options: { server: 'keep', 'x-content-type-options': 'keep', 'x-frame-options': 'keep', 'strict-transport-security': 'keep' },
    service: ['server', 'own', 'x-frame-options', 'DENY', 'strict-transport-security', 'max-age=1'],
    changes: {
      server: 'own',
      'x-content-type-options': null,
      'x-frame-options': 'DENY',
      'strict-transport-security': 'max-age=1',
    },
  },
  {
    name: 'without cors the service does CORS by itself',
    service: ['access-control-allow-origin', '*', 'vary', 'Accept'],
    changes: { 'access-control-allow-origin': '*', vary: 'Accept' },
  },
  {
    name: 'with cors the service’s fields do not go out',
    cors: named,
    service: [
      'access-control-allow-origin',
      '*',
      'access-control-allow-credentials',
      'true',
      'access-control-expose-headers',
      '*',
    ],
    changes: { vary: 'Origin' },
  },
  { name: 'Vary is not doubled', cors: named, service: ['vary', 'Accept, ORIGIN'], changes: { vary: 'Accept, ORIGIN' } },
  { name: 'Vary by everything says it all', cors: named, service: ['vary', '*'], changes: { vary: '*' } },
  {
    name: 'Vary is added to another',
    cors: named,
    service: ['vary', 'Accept, X-Origin'],
    changes: { vary: 'Accept, X-Origin | Origin' },
  },
];
