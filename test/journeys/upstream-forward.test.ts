/** What a service sees of a request, byte for byte, and what a client sees of its answer. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type http2 from 'node:http2';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { forgedNames, hiddenInAnswers, honestNames, shownInAnswers } from '../cases/forged-headers.ts';
import { type Asker, http1Asker, http2Asker } from '../support/ask.ts';
import { type Echo, fieldsOf, type SeenRequest, startEcho } from '../support/echo.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { parseResponse, rawRequest } from '../support/raw.ts';
import { type RunningService, startService } from '../support/services.ts';

let echo: Echo;
let second: Echo;
let h2service: RunningService;
let gateway: Gateway;
let h1: Asker;
let h2: Asker;
/** What the service writes as fields of its next answer. */
let answerFields = '';
const h2seen: http2.IncomingHttpHeaders[] = [];

before(async () => {
  const answer = () => (answerFields === '' ? undefined : `HTTP/1.1 200 OK\r\n${answerFields}\r\n2\r\nok\r\n0\r\n\r\n`);
  echo = await startEcho({ answer });
  second = await startEcho();
  h2service = await startService(
    (request, reply) => {
      h2seen.push(request.headers as http2.IncomingHttpHeaders);
      request.resume();
      reply.end('ok');
    },
    { kind: 'h2c' },
  );
  gateway = await startGateway(`
listeners: { plain: { address: 127.0.0.1:0 }, secure: { address: 127.0.0.1:0, tls: self-signed } }
trusted-proxies: [127.0.0.2, 127.0.0.3]
services:
  s: ${echo.url}
  dead: http://127.0.0.1:1
  own: { targets: ["${echo.url}", "http://localhost:${second.port}"], host: service, dns: { family: ipv4 } }
  picky: { targets: ["${echo.url}"], headers: { drop: [cookie, x-app-*], keep: [x-real-ip, x-user] } }
  h2: { targets: ["${h2service.url}"], protocol: h2c }
routes:
  - { path: /**, service: s, authentication: none }
  - { path: /get-only/**, methods: [GET], service: s, authentication: none }
  - { path: /dead/**, service: dead, authentication: none }
  - { path: /own/**, service: own, authentication: none }
  - { path: /picky/**, service: picky, authentication: none }
  - { path: /h2/**, service: h2, authentication: none }
`);
  h1 = http1Asker(gateway.port('plain'));
  h2 = http2Asker(gateway.port('secure'));
});

after(async () => {
  h1?.close();
  h2?.close();
  await gateway?.stop();
  await Promise.all([echo?.stop(), second?.stop(), h2service?.close()]);
});

/** Sends these fields over HTTP/1.1, from an address of this machine, and gives back what the service saw. */
async function send(
  fields: readonly string[],
  options: { path?: string; from?: string; start?: string; body?: string } = {},
): Promise<SeenRequest> {
  const { path = '/x', from = '127.0.0.1', start = 'GET', body = '' } = options;
  const seen = echo.requests.length;
  const socket = net.connect({ port: gateway.port('plain'), host: '127.0.0.1', localAddress: from });
  socket.on('error', () => undefined);
  socket.write(
    Buffer.from(
      `${start} ${path} HTTP/1.1\r\n${fields.map((field) => `${field}\r\n`).join('')}Connection: close\r\n\r\n${body}`,
      'latin1',
    ),
  );
  socket.resume();
  await once(socket, 'close');
  return echo.requests[seen] ?? assert.fail('nothing reached the service');
}

/** The fields in their order, with what differs from request to request replaced. */
function shape(request: SeenRequest): string[] {
  return request.headers.map(([name, value]) => {
    if (name === 'x-request-id') return `${name}: ${value.replace(/^[0-9a-f]{32}$/, 'ID')}`;
    if (name === 'traceparent') return `${name}: ${value.replace(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/, 'TRACE')}`;
    return `${name}: ${value}`;
  });
}

const ours = (scheme = 'http', host = 'api.test', address = '127.0.0.1') => [
  'x-request-id: ID',
  `x-forwarded-for: ${address}`,
  `x-forwarded-proto: ${scheme}`,
  `x-forwarded-host: ${host}`,
  'traceparent: TRACE',
];

describe('the whole list', () => {
  test('of a plain GET', async () => {
    const seen = await send(['Host: api.test', 'User-Agent: curl/8', 'Accept: */*'], { path: '/a/b?c=d&c=%20' });
    assert.deepEqual(shape(seen), ['host: api.test', 'user-agent: curl/8', 'accept: */*', ...ours()]);
    assert.equal(seen.raw.toString('latin1').split('\r\n')[0], 'GET /a/b?c=d&c=%20 HTTP/1.1');
  });

  test('of the same over HTTP/2 and TLS', async () => {
    const from = echo.requests.length;
    await h2.ask({
      path: '/a/b?c=d&c=%20',
      headers: { host: 'api.test', 'user-agent': 'x/1', cookie: ['a=1', 'b=2'], te: 'trailers' },
    });
    const seen = echo.requests[from];
    assert.deepEqual(shape(seen), ['host: api.test', 'user-agent: x/1', 'cookie: a=1; b=2', ...ours('https')]);
    assert.equal(seen.raw.toString('latin1').split('\r\n')[0], 'GET /a/b?c=d&c=%20 HTTP/1.1');
  });

  test('of a POST in every framing', async () => {
    const cases: [string[], string, string][] = [
      [['Content-Length: 5'], 'hello', 'content-length: 5'],
      [['Content-Length: 0'], '', 'content-length: 0'],
      [[], '', 'content-length: 0'],
      [['Transfer-Encoding: chunked'], '5;ext=1\r\nhello\r\n0\r\nX-Trailer: 1\r\n\r\n', 'transfer-encoding: chunked'],
    ];
    for (const [fields, body, framing] of cases) {
      const seen = await send(['Host: api.test', 'Content-Type: text/plain', ...fields], { start: 'POST', body });
      assert.deepEqual(shape(seen), ['host: api.test', 'content-type: text/plain', ...ours(), framing]);
      assert.equal(String(seen.body), body === '' ? '' : 'hello');
      assert.doesNotMatch(seen.raw.toString('latin1'), /trailer|ext=1/i);
    }
  });

  test('of what belongs to the connection nothing goes on, nor what Connection names', async () => {
    const fields = [
      'Host: api.test',
      'Connection: keep-alive, x-mine, TE',
      'X-Mine: 1',
      'TE: trailers',
      'Keep-Alive: timeout=5',
      'X-Yours: 2',
    ];
    const seen = await send([
      ...fields,
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABk',
      'Proxy-Connection: keep-alive',
      'Trailer: x',
      'Expect: 100-continue',
    ]);
    assert.deepEqual(shape(seen), ['host: api.test', 'x-yours: 2', ...ours()]);
  });

  test('nothing that carries security can be named away', async () => {
    const named = [
      'x-forwarded-for',
      'x-request-id',
      'authorization',
      'cookie',
      'host',
      'traceparent',
      'x-portcullis-caller',
      'content-length',
    ];
    const seen = await send(
      ['Host: api.test', `Connection: ${named.join(', ')}`, 'Authorization: Bearer t', 'Cookie: a=b', 'Content-Length: 2'],
      {
        start: 'POST',
        body: 'hi',
      },
    );
    assert.deepEqual(shape(seen), ['host: api.test', 'authorization: Bearer t', 'cookie: a=b', ...ours(), 'content-length: 2']);
  });

  test('to a service over HTTP/2', async () => {
    for (const client of [h1, h2]) {
      await client.ask({
        path: '/h2/x?y',
        headers: { host: 'api.test', 'x-custom': 'v', ...(client === h1 ? { connection: 'keep-alive' } : {}) },
      });
      const seen = h2seen.at(-1) ?? {};
      assert.deepEqual(
        [seen[':authority'], seen[':path'], seen[':method'], seen['x-custom']],
        ['api.test', '/h2/x?y', 'GET', 'v'],
      );
      assert.equal(seen['x-forwarded-for'], '127.0.0.1');
      for (const name of ['host', 'connection', 'te', 'upgrade', 'keep-alive', 'transfer-encoding', 'content-length'])
        assert.equal(seen[name], undefined, name);
    }
  });
});

const capital = (name: string): string => name.replace(/(^|-)[a-z]/g, (letters) => letters.toUpperCase());

/** How a name can be written so that some service takes it for the same: CGI, WSGI and PHP make `-` and `_` one. */
const spellings: readonly ((name: string) => string)[] = [
  (name) => name,
  capital,
  (name) => name.toUpperCase(),
  (name) => name.replaceAll('-', '_'),
  (name) => capital(name).replaceAll('-', '_'),
];

/** Fields of the framing and of this one message cannot be sent with any value: they have cases of their own. */
const UNSENDABLE = new Set([
  'connection',
  'transfer-encoding',
  'content-length',
  'host',
  'expect',
  'upgrade',
  'http2-settings',
  'te',
  'trailer',
  'keep-alive',
  'proxy-connection',
]);
const sendable = forgedNames.filter((name) => !UNSENDABLE.has(name));

describe('forged names', () => {
  test('none arrives, in whatever spelling, and the honest ones beside them do', async () => {
    // One spelling at a time: some fields may come only once, however they are written.
    for (const spelling of spellings) {
      for (let i = 0; i < sendable.length; i += 60) {
        const forged = sendable.slice(i, i + 60).map((name) => `${spelling(name)}: forged-value`);
        const seen = await send(['Host: api.test', 'X-Custom: honest', ...forged]);
        assert.deepEqual(shape(seen), ['host: api.test', 'x-custom: honest', ...ours()]);
      }
    }
  });

  test('nor over HTTP/2', async () => {
    for (const spelling of [spellings[0], spellings[3]]) {
      for (let i = 0; i < sendable.length; i += 60) {
        const from = echo.requests.length;
        const headers = Object.fromEntries(sendable.slice(i, i + 60).map((name) => [spelling(name), 'forged-value']));
        await h2.ask({ path: '/x', headers: { host: 'api.test', ...headers } });
        assert.deepEqual(shape(echo.requests[from]), ['host: api.test', ...ours('https')]);
      }
    }
  });

  test('honest names all arrive, value and all', async () => {
    const names = honestNames.filter((name) => !name.startsWith('sec-websocket'));
    const value = 'a "value"; with=\xe9 \t, everything';
    const seen = await send(['Host: api.test', ...names.map((name) => `${name}: ${value}`)]);
    for (const name of names) assert.deepEqual(fieldsOf(seen, name), [value], name);
  });

  test('a service can have more of them dropped, or some kept', async () => {
    const fields = [
      'Host: api.test',
      'Cookie: a=b',
      'X-App-One: 1',
      'X-Apple: 1',
      'X-Real-IP: 9.9.9.9',
      'X-User: me',
      'X-User-Id: 7',
      'X-Portcullis-Caller: me',
    ];
    const seen = await send(fields, { path: '/picky/x' });
    assert.deepEqual(shape(seen), ['host: api.test', 'x-apple: 1', 'x-real-ip: 9.9.9.9', 'x-user: me', ...ours()]);
  });
});

describe('the way of the client', () => {
  const forged = [
    'X-Forwarded-For: 6.6.6.6',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: evil.test',
    'Forwarded: for=6.6.6.6',
    'X-Real-IP: 6.6.6.6',
  ];

  test('who is not trusted is not believed', async () => {
    assert.deepEqual(shape(await send(['Host: api.test', ...forged])), ['host: api.test', ...ours()]);
  });

  test('a trusted proxy is, for what it adds', async () => {
    const seen = await send(
      ['Host: inner.test', 'X-Forwarded-For: 198.51.100.9', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: api.test'],
      {
        from: '127.0.0.2',
      },
    );
    assert.deepEqual(shape(seen), ['host: inner.test', ...ours('https', 'api.test', '198.51.100.9, 127.0.0.2')]);
  });

  test('through two trusted proxies, the address that the outer one saw counts, not what its client said', async () => {
    const seen = await send(['Host: api.test', 'X-Forwarded-For: 6.6.6.6, 198.51.100.9, 127.0.0.3'], { from: '127.0.0.2' });
    assert.deepEqual(fieldsOf(seen, 'x-forwarded-for'), ['198.51.100.9, 127.0.0.2']);
  });
});

describe('Host', () => {
  test('is the client’s by default, with its port', async () => {
    const seen = await send(['Host: API.test:8443']);
    assert.deepEqual(fieldsOf(seen, 'host'), ['api.test:8443']);
    const absolute = await send(['Host: api.test'], { path: 'http://api.test/abs' });
    assert.deepEqual([absolute.target, fieldsOf(absolute, 'host')], ['/abs', ['api.test']]);
  });

  test('is that of the target with host: service, also where targets differ', async () => {
    const [from, from2] = [echo.requests.length, second.requests.length];
    for (let i = 0; i < 4; i++) await h1.ask({ path: '/own/x', headers: { host: 'api.test' } });
    const hosts = [...echo.requests.slice(from), ...second.requests.slice(from2)].flatMap((seen) => fieldsOf(seen, 'host'));
    assert.deepEqual(hosts.toSorted(), [
      `127.0.0.1:${echo.port}`,
      `127.0.0.1:${echo.port}`,
      `localhost:${second.port}`,
      `localhost:${second.port}`,
    ]);
    for (const seen of echo.requests.slice(from)) {
      assert.equal(seen.headers[0][0], 'host');
      assert.deepEqual(fieldsOf(seen, 'x-forwarded-host'), ['api.test']);
    }
  });
});

describe('answers', () => {
  test('every one carries the id that its record and the service have', async () => {
    const cases = [
      { path: '/x', status: 200 },
      { path: '/get-only/x', method: 'POST', status: 405 },
      { path: '/get-only/x', method: 'OPTIONS', status: 204 },
      { path: '/dead/x', status: 502 },
    ];
    for (const { path, method, status } of cases) {
      for (const client of [h1, h2]) {
        const from = echo.requests.length;
        const reply = await client.ask({ path, method, headers: { host: 'api.test', 'x-request-id': 'a'.repeat(32) } });
        assert.equal(reply.status, status);
        const id = String(reply.headers['x-request-id']);
        assert.match(id, /^(?!a{32})[0-9a-f]{32}$/);
        if (status === 200) assert.deepEqual(fieldsOf(echo.requests[from], 'x-request-id'), [id]);
        const find = async () => (await gateway.records()).find((one) => one.request_id === id);
        let record = await find();
        for (const end = performance.now() + 15_000; record === undefined && performance.now() < end; record = await find())
          await wait(10);
        assert.deepEqual([record?.http.path, record?.http.status], [path, status]);
      }
    }
  });

  test('what clients must not see stays here, what they must arrives', async () => {
    const framing = new Set([
      'connection',
      'keep-alive',
      'transfer-encoding',
      'content-length',
      'upgrade',
      'te',
      'trailer',
      'http2-settings',
    ]);
    const hidden = hiddenInAnswers.filter((name) => !framing.has(name));
    // Those that the gateway sets itself have a value of its own.
    const shown = shownInAnswers.filter(
      (name) => !/^(strict-transport|access-control|x-frame|sec-websocket|date|content-encoding)/.test(name),
    );
    answerFields = [...hidden, ...shown, 'set-cookie', 'x-hop'].map((name) => `${name}: the-services\r\n`).join('');
    answerFields += 'Transfer-Encoding: chunked\r\nKeep-Alive: timeout=60\r\nConnection: keep-alive, x-hop\r\n';
    const raw = await rawRequest(gateway.port('plain'), 'GET /x HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n');
    const one = parseResponse(raw);
    const two = await h2.ask({ path: '/x', headers: { host: 'api.test' } });
    answerFields = '';
    for (const name of [...hidden, 'x-hop', 'keep-alive']) {
      assert.ok(!String(one.headers.get(name)).includes('the-services'), name);
      assert.ok(!String(two.headers[name]).includes('the-services'), name);
    }
    for (const name of shown) {
      assert.match(String(one.headers.get(name)), /the-services/, name);
      assert.match(String(two.headers[name]), /the-services/, name);
    }
    assert.equal(raw.toString('latin1').match(/set-cookie: the-services/g)?.length, 2);
    assert.deepEqual(two.headers['set-cookie'], ['the-services', 'the-services']);
    assert.equal(one.headers.get('connection'), 'close');
    assert.equal(one.headers.get('transfer-encoding'), 'chunked');
    assert.equal(two.headers.connection, undefined);
  });
});
