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
  readonly gives: string | 404 | { readonly id: string; readonly params: Readonly<Record<string, string>> } | { readonly allow: string };
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
      { id: 'conditional', path: '/c', methods: ['GET'], headers: { 'x-key': 'secret' }, preflight: true },
    ],
    requests: [
      { method: 'OPTIONS', path: '/x', headers: ['origin', 'https://a.test', 'access-control-request-method', 'POST'], gives: 'write' },
      { method: 'OPTIONS', path: '/x', headers: ['origin', 'https://a.test', 'access-control-request-method', 'GET'], gives: 'read' },
      { method: 'OPTIONS', path: '/x', headers: ['access-control-request-method', 'POST'], gives: 'read' },
      { method: 'OPTIONS', path: '/x', headers: ['origin', 'https://a.test'], gives: 'read' },
      { method: 'GET', path: '/x', headers: ['origin', 'https://a.test', 'access-control-request-method', 'POST'], gives: 'read' },
      { method: 'OPTIONS', path: '/closed', headers: ['origin', 'https://a.test', 'access-control-request-method', 'GET'], gives: { allow: 'GET, HEAD, OPTIONS' } },
      {
        method: 'OPTIONS',
        path: '/c',
        headers: ['origin', 'https://a.test', 'access-control-request-method', 'GET', 'access-control-request-headers', 'X-Key'],
        gives: 'conditional',
      },
      { method: 'OPTIONS', path: '/c', headers: ['origin', 'https://a.test', 'access-control-request-method', 'GET'], gives: 404 },
    ],
  },
];

/** A method that no route has must still be refused in the words of CORS where the path has `cors`. */
export const preflightForMissingMethod: RouteCase = {
  name: 'a preflight for a method that no route has goes to a route with cors, to be refused there',
  routes: [{ id: 'cors', path: '/x', methods: ['GET'], preflight: true }],
  requests: [{ method: 'OPTIONS', path: '/x', headers: ['origin', 'https://a.test', 'access-control-request-method', 'PUT'], gives: 'cors' }],
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
export const conflictCases: readonly { name: string; routes: readonly [Omit<CaseRoute, 'id'>, Omit<CaseRoute, 'id'>]; conflict: boolean }[] = [
  { name: 'the same path', routes: [{ path: '/x' }, { path: '/x' }], conflict: true },
  { name: 'the same in two spellings', routes: [{ path: '/café' }, { path: '/caf%c3%a9' }], conflict: true },
  { name: 'parameters with other names', routes: [{ path: '/x/{a}' }, { path: '/x/{b}' }], conflict: true },
  { name: 'a parameter and a star', routes: [{ path: '/x/{a}/**' }, { path: '/x/*/**' }], conflict: true },
  { name: 'one method in common', routes: [{ path: '/x', methods: ['GET', 'PUT'] }, { path: '/x', methods: ['PUT'] }], conflict: true },
  { name: 'one host in common', routes: [{ path: '/x', host: ['a.test', 'B.test'] }, { path: '/x', host: 'b.test' }], conflict: true },
  { name: 'the same headers in another order', routes: [{ path: '/x', headers: { a: '1', B: '2' } }, { path: '/x', headers: { b: '2', A: '1' } }], conflict: true },
  { name: 'other methods', routes: [{ path: '/x', methods: ['GET'] }, { path: '/x', methods: ['PUT'] }], conflict: false },
  { name: 'HEAD on its own', routes: [{ path: '/x', methods: ['GET'] }, { path: '/x', methods: ['HEAD'] }], conflict: false },
  { name: 'other hosts', routes: [{ path: '/x', host: 'a.test' }, { path: '/x', host: 'b.test' }], conflict: false },
  { name: 'a host and a wildcard', routes: [{ path: '/x', host: '*.a.test' }, { path: '/x', host: 'a.test' }], conflict: false },
  { name: 'a host and none', routes: [{ path: '/x', host: 'a.test' }, { path: '/x' }], conflict: false },
  { name: 'other headers', routes: [{ path: '/x', headers: { a: '1' } }, { path: '/x', headers: { a: '2' } }], conflict: false },
  { name: 'a path and all below it', routes: [{ path: '/x' }, { path: '/x/**' }], conflict: false },
  { name: 'a path with and without its slash', routes: [{ path: '/x' }, { path: '/x/' }], conflict: false },
  { name: 'a name that looks like a shape', routes: [{ path: '/x/%7B%7D' }, { path: '/x/{a}' }], conflict: false },
];
