import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { badRouteOptions, corsCases, headerCases, safeHeaders, socketCases } from '../../test/cases/routes.ts';
import { type ConnectionInfo, Exchange, type RequestHead } from '../exchange/exchange.ts';
import type { HeaderList } from '../exchange/headers.ts';
import { DEFAULT_METHODS } from './methods.ts';
import { routeOptions } from './options.ts';
import { decorate, PreparedRoute } from './stage.ts';

interface Made {
  method?: string;
  headers?: readonly string[];
  authority?: string;
  scheme?: 'http' | 'https';
  hsts?: string | false;
  upgrade?: boolean;
}

function exchange({
  method = 'GET',
  headers = [],
  authority = 'api.example.com',
  scheme = 'https',
  hsts,
  upgrade = false,
}: Made): Exchange {
  const connection: ConnectionInfo = {
    listener: 'l',
    secure: scheme === 'https',
    peerAddress: '127.0.0.1',
    peerPort: 1,
    serverName: undefined,
    hsts,
  };
  const head: RequestHead = {
    method,
    rawTarget: '/x',
    version: '1.1',
    host: authority.replace(/:\d+$/, ''),
    authority,
    path: '/x',
    query: undefined,
    headers: [...headers],
  };
  return new Exchange('id', connection, head, undefined, upgrade);
}

function prepared(options: Readonly<Record<string, unknown>>, methods: readonly string[] = DEFAULT_METHODS): PreparedRoute {
  return new PreparedRoute(routeOptions.parse({ path: '/x', ...options }), methods);
}

/** Fields by name; the values of one that came twice are joined by a bar. */
function byName(list: HeaderList, only = /./): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i < list.length; i += 2) {
    if (only.test(list[i])) fields[list[i]] = fields[list[i]] === undefined ? list[i + 1] : `${fields[list[i]]} | ${list[i + 1]}`;
  }
  return fields;
}

const CORS_FIELDS = /^(?:access-control-|vary$)/;

describe('CORS', () => {
  for (const { name, cors, method, headers, gives, fields } of corsCases) {
    test(name, () => {
      const route = prepared({ cors });
      const x = exchange({ method, headers });
      const step = route.onRequestHead(x);
      const status = step === undefined ? 'passes' : step.kind === 'answer' ? step.status : step.code;
      assert.equal(status, gives);
      const answer = step?.headers?.slice() ?? ['content-type', 'application/json'];
      route.decorate(x, answer);
      assert.deepEqual(byName(answer, CORS_FIELDS), fields);
    });
  }

  test('a refusal on the way can be read by the page, as can the answer of the service', () => {
    const route = prepared({ cors: { origins: ['https://app.example.com'] } });
    const x = exchange({ headers: ['origin', 'https://app.example.com'] });
    const refusal = ['content-type', 'application/problem+json'];
    route.decorate(x, refusal);
    x.response = { status: 200, headers: ['content-type', 'application/json'], length: undefined, body: undefined };
    route.onResponseHead(x);
    for (const list of [refusal, x.response.headers]) {
      assert.deepEqual(byName(list, CORS_FIELDS), { 'access-control-allow-origin': 'https://app.example.com', vary: 'Origin' });
    }
  });

  test('without `methods` those of the route are allowed', () => {
    const headers = ['origin', 'https://app.example.com', 'access-control-request-method'];
    const route = prepared({ cors: { origins: '*' } }, ['POST']);
    assert.equal(route.onRequestHead(exchange({ method: 'OPTIONS', headers: [...headers, 'POST'] }))?.status, 204);
    assert.equal(route.onRequestHead(exchange({ method: 'OPTIONS', headers: [...headers, 'GET'] }))?.status, 403);
  });

  test('a route without cors answers no preflight', () => {
    const headers = ['origin', 'https://app.example.com', 'access-control-request-method', 'GET'];
    assert.equal(prepared({}).onRequestHead(exchange({ method: 'OPTIONS', headers })), undefined);
  });
});

describe('who may open a WebSocket', () => {
  for (const { name, options, passes, ...made } of socketCases) {
    test(`${passes ? 'passes' : 'stops'}: ${name}`, () => {
      const step = prepared(options).onRequestHead(exchange({ ...made, upgrade: true }));
      assert.equal(step?.kind === 'refusal' ? step.code : undefined, passes ? undefined : 'origin-refused');
    });
  }

  test('a request that is no upgrade is not held to it', () => {
    assert.equal(prepared({}).onRequestHead(exchange({ headers: ['origin', 'https://evil.test'] })), undefined);
  });
});

describe('response headers', () => {
  for (const { name, options, cors, service, status = 200, changes, ...made } of headerCases) {
    test(name, () => {
      const route = prepared({ 'response-headers': options, cors });
      const x = exchange(made);
      x.response = { status, headers: [...service], length: undefined, body: undefined };
      route.onResponseHead(x);
      const expected = Object.entries({ ...safeHeaders, ...changes }).filter(([, value]) => value !== null);
      assert.deepEqual(byName(x.response.headers), Object.fromEntries(expected));
    });
  }

  test('answers of the gateway are safe too, once', () => {
    const list = ['content-type', 'application/problem+json', 'cache-control', 'no-store', 'x-content-type-options', 'nosniff'];
    const other = [...list];
    prepared({}).decorate(exchange({}), list);
    decorate(exchange({}), other);
    const expected = { ...safeHeaders, 'content-type': 'application/problem+json', 'cache-control': 'no-store' };
    assert.deepEqual(byName(list), expected);
    assert.deepEqual(byName(other), expected);
  });

  test('what a route says of its content does not go out with a refusal; what it says of safety does', () => {
    const options = {
      'cache-control': 'public, max-age=600',
      'x-own': '1',
      'referrer-policy': 'origin',
      'x-frame-options': 'remove',
    };
    const list = ['cache-control', 'no-store'];
    prepared({ 'response-headers': options }).decorate(exchange({ scheme: 'http' }), list);
    assert.deepEqual(byName(list, /^(?:cache-control|x-own|referrer-policy|x-frame-options)$/), {
      'cache-control': 'no-store',
      'referrer-policy': 'origin',
    });
  });
});

describe('options that do not load', () => {
  for (const { name, options, at } of badRouteOptions) {
    test(name, () => {
      const result = routeOptions.safeParse({ path: '/x', ...options });
      assert.ok(!result.success, 'it is refused');
      assert.deepEqual(
        result.error.issues.map(({ path }) => path.join('.')),
        [at],
      );
    });
  }

  test('what is written alone comes out as a list, and defaults are filled in', () => {
    const options = routeOptions.parse({ path: '/x', host: 'a.test', origins: '*', cors: { origins: 'https://a.test' } });
    assert.deepEqual(options.host, ['a.test']);
    assert.deepEqual(options.origins, ['*']);
    assert.deepEqual(options.methods, DEFAULT_METHODS);
    assert.deepEqual(options.cors, {
      origins: ['https://a.test'],
      headers: ['authorization', 'content-type'],
      expose: [],
      credentials: false,
      'max-age': 600_000,
    });
  });
});
