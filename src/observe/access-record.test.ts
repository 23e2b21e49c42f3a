import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { refuse } from '../exchange/decision.ts';
import { type ConnectionInfo, Exchange, type RequestHead } from '../exchange/exchange.ts';
import { formatRecord, formatWireRefusal } from './access-record.ts';

const connection: ConnectionInfo = {
  listener: 'public',
  secure: true,
  peerAddress: '203.0.113.7',
  peerPort: 40000,
  serverName: undefined,
};

const head: RequestHead = {
  method: 'GET',
  rawTarget: '/orders/42?token=s3cret',
  version: '2',
  host: 'api.example.com',
  authority: 'api.example.com:8443',
  path: '/orders/42',
  query: 'token=s3cret',
  headers: ['authorization', 'Bearer s3cret', 'cookie', 'session=s3cret'],
};

function exchange(changes: Partial<Exchange> = {}, from: ConnectionInfo = connection, of: RequestHead = head): Exchange {
  return Object.assign(new Exchange('id-1', from, of, undefined), { time: Date.UTC(2026, 10, 24, 10, 0, 0, 123) }, changes);
}

test('the record has the keys and shapes of the design', () => {
  const x = exchange({
    traceId: '0af7651916cd43dd8448eb211c80319c',
    route: '/orders/**',
    service: 'orders',
    caller: { by: 'jwt', name: 'staff', subject: 'u-17', scopes: ['orders:read'], claims: {} },
    decision: refuse('route-not-found', 'anomaly score 10 ≥ 5'),
    status: 404,
    responseBytes: 182,
  });
  Object.assign(x, {
    notes: new Map<string, unknown>([
      ['waf', { score: 10, matched: [942100, 942190] }],
      ['private', 's3cret'],
    ]),
  });
  Object.assign(x.upstream, { target: '127.0.0.1:9001', status: 200, ms: 1.9, tries: 1 });
  assert.equal(
    formatRecord(x, x.began + 3.2),
    '{"time":"2026-11-24T10:00:00.123Z","request_id":"id-1","listener":"public","client":{"address":"203.0.113.7"},' +
      '"http":{"method":"GET","host":"api.example.com","path":"/orders/42","version":"2","status":404,"request_bytes":0,"response_bytes":182},' +
      '"route":"/orders/**","service":"orders","caller":{"by":"jwt","name":"staff","subject":"u-17"},' +
      '"decision":{"room":"route","code":"route-not-found","reason":"anomaly score 10 ≥ 5"},' +
      '"waf":{"score":10,"matched":[942100,942190]},"upstream":{"target":"127.0.0.1:9001","status":200,"ms":1.9},"ms":3.2,' +
      '"trace_id":"0af7651916cd43dd8448eb211c80319c"}',
  );
});

test('what is not known is left out', () => {
  const keys = Object.keys(JSON.parse(formatRecord(exchange())));
  assert.deepEqual(keys, ['time', 'request_id', 'listener', 'client', 'http', 'ms']);
  const caller = JSON.parse(
    formatRecord(exchange({ caller: { by: 'api-key', name: 'partners', subject: undefined, scopes: [], claims: {} } })),
  ).caller;
  assert.deepEqual(caller, { by: 'api-key', name: 'partners' });
});

/** The slow twin: the same record by JSON.stringify, except for the characters that only the fast one escapes. */
function slowRecord(x: Exchange, now: number): unknown {
  const cut = (text: string | undefined) => (text !== undefined && text.length > 1024 ? `${text.slice(0, 1024)}…` : text);
  const ms = (value: number) => (value > 0 ? Math.round(value * 1000) / 1000 : 0);
  const { target, status, ms: upstreamMs, tries } = x.upstream;
  return {
    time: new Date(x.time).toISOString(),
    request_id: x.id,
    listener: x.connection.listener,
    client: { address: x.clientAddress },
    http: {
      method: x.head.method,
      host: x.head.host,
      path: x.head.path,
      version: x.head.version,
      status: x.status,
      request_bytes: x.requestBytes,
      response_bytes: x.responseBytes,
    },
    route: x.route,
    service: x.service,
    caller: x.caller && { by: x.caller.by, name: x.caller.name, subject: cut(x.caller.subject) },
    decision: x.decision && { room: x.decision.room, code: x.decision.code, reason: cut(x.decision.reason) },
    upstream:
      target === undefined
        ? undefined
        : { target, status, ms: upstreamMs === undefined ? undefined : ms(upstreamMs), tries: tries > 1 ? tries : undefined },
    ms: ms(now - x.began),
    trace_id: x.traceId === '' ? undefined : x.traceId,
  };
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)), maxLength: 40 }),
  fc.constantFrom('"', '\\', '\u2028\u2029', '\ud800', '\u009b31m', '\u202e', '\r\n{"time":"forged"}', 'x'.repeat(2000)),
);
const optional = fc.option(text, { nil: undefined });
const count = fc.nat({ max: 2 ** 40 });
const duration = fc.double({ min: -1, max: 1e7, noNaN: true });

const anyExchange = fc
  .record({
    id: text,
    listener: text,
    head: fc.record({
      method: text,
      rawTarget: text,
      host: text,
      authority: text,
      path: text.map((path) => `/${path}`),
      query: optional,
    }),
    version: fc.constantFrom('1.0' as const, '1.1' as const, '2' as const),
    time: fc.integer({ min: 0, max: Date.UTC(9000, 0) }),
    fields: fc.record({
      clientAddress: text,
      traceId: text,
      route: optional,
      service: optional,
      caller: fc.option(
        fc.record({ by: text, name: text, subject: optional, scopes: fc.constant([]), claims: fc.constant({}) }),
        { nil: undefined },
      ),
      decision: fc.option(
        text.map((reason) => refuse('upstream-timeout', reason)),
        { nil: undefined },
      ),
      status: fc.nat({ max: 599 }),
      requestBytes: count,
      responseBytes: count,
    }),
    upstream: fc.record({
      target: optional,
      status: fc.option(fc.nat({ max: 599 }), { nil: undefined }),
      ms: fc.option(duration, { nil: undefined }),
      tries: fc.nat({ max: 3 }),
    }),
  })
  .map((it) => {
    const x = exchange(it.fields, { ...connection, listener: it.listener }, { ...it.head, version: it.version, headers: [] });
    Object.assign(x, { id: it.id, time: it.time });
    Object.assign(x.upstream, it.upstream);
    return x;
  });

test('fast and slow record say the same, whatever the values', () => {
  fc.assert(
    fc.property(anyExchange, duration, (x, took) => {
      const line = formatRecord(x, x.began + took);
      const slow = JSON.parse(JSON.stringify(slowRecord(x, x.began + took)));
      assert.deepEqual(JSON.parse(line), slow);
      assert.deepEqual(Object.keys(JSON.parse(line)), Object.keys(slow));
      // One line for every reader: no control character, no line end of Unicode, nothing that steers or reorders.
      assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/);
    }),
    { numRuns: 2000 },
  );
});

test('nothing secret is in the record', () => {
  assert.doesNotMatch(formatRecord(exchange({ status: 200 })), /s3cret/);
});

test('a request without a head has a record of the same shape', () => {
  const wire = {
    id: 'id-2',
    time: Date.UTC(2026, 10, 24),
    began: 0,
    connection,
    refusal: refuse('request-line', 'a bare LF'),
    requestBytes: 12,
    responseBytes: 200,
  };
  assert.deepEqual(JSON.parse(formatWireRefusal(wire, 0.5)), {
    time: '2026-11-24T00:00:00.000Z',
    request_id: 'id-2',
    listener: 'public',
    client: { address: '203.0.113.7' },
    http: { method: '', host: '', path: '', version: '', status: 400, request_bytes: 12, response_bytes: 200 },
    decision: { room: 'listen', code: 'request-line', reason: 'a bare LF' },
    ms: 0.5,
  });
  const targets: [string, string][] = [
    ['/a/%2e%2e?q=s3cret', '/a/%2e%2e'],
    ['/a#s3cret', '/a'],
    ['http://user:s3cret@host/path?x', '/path'],
    ['http://user:s3cret@host', ''],
    ['user:s3cret@host:443', 'host:443'],
    ['*', '*'],
    ['/\u0000"\u009b', '/\u0000"\u009b'],
    [`/${'a'.repeat(5000)}`, `/${'a'.repeat(1023)}…`],
  ];
  for (const [rawTarget, path] of targets) {
    const line = formatWireRefusal({ ...wire, rawTarget, method: `X${'Y'.repeat(100)}` });
    assert.equal(JSON.parse(line).http.path, path);
    const unread = exchange({}, connection, { ...head, path: '', host: '', rawTarget });
    assert.equal(JSON.parse(formatRecord(unread)).http.path, path, 'the same where the corridor makes an exchange of it');
    assert.equal(JSON.parse(line).http.method.length, 33);
    assert.ok(line.length < 8000);
  }
});
