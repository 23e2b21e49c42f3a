/** CSRF through the whole gateway, over HTTP/1.1 and HTTP/2: every word a browser may say, and WebSockets. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { WebSocketServer } from 'ws';
import { AMBIENT, NAMED, NOT_AMBIENT, ORIGINS, SITES, verdicts } from '../cases/csrf.ts';
import { type Asker, http1Asker, http2Asker, type Reply } from '../support/ask.ts';
import { type Echo, startEcho } from '../support/echo.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { parseResponses, rawRequest } from '../support/raw.ts';
import { type TlsFiles, tlsFiles } from '../support/tls.ts';

const run = promisify(execFile);
const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');

let folder = '';
let key = '';
let echo: Echo;
let sockets: WebSocketServer;
/** Handshakes that have come to the service. */
let opened = 0;
let gateway: Gateway;
let files: TlsFiles;
let askers: { asker: Asker; own: string }[] = [];

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-csrf-'));
  const argv = [MAIN, 'keys', 'create', '--id', 'alice', '--keys', 'keys.yaml'];
  key = (await run(process.execPath, argv, { cwd: folder, timeout: 120_000 })).stdout.trim();
  echo = await startEcho();
  files = await tlsFiles(['client.test']);
  sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  sockets.on('connection', () => opened++);
  await once(sockets, 'listening');
  const { port } = sockets.address() as { port: number };
  const named = JSON.stringify(NAMED);
  gateway = await startGateway(`
listeners:
  plain: { address: 127.0.0.1:0 }
  secure: { address: 127.0.0.1:0, tls: self-signed }
  mutual: { address: 127.0.0.1:0, tls: self-signed, client-certificates: { ca: ${files.ca} } }
services:
  echo: ${echo.url}
  sockets: http://127.0.0.1:${port}
authentication:
  partners: { api-key: { keys: ${folder}/keys.yaml } }
  machines: { mtls: {} }
routes:
  - { path: /named, service: echo, authentication: none, csrf: { origins: ${named} }, methods: &all [GET, HEAD, POST, PUT, DELETE, OPTIONS, QUERY, SEARCH, PROPFIND] }
  - { path: /plain, service: echo, authentication: none, methods: *all }
  - { path: /off, service: echo, authentication: none, csrf: off, methods: *all }
  - { path: /key, service: echo, authentication: [partners], methods: *all }
  - { path: /certificate, service: echo, authentication: [machines], csrf: { origins: ${named} } }
  - { path: /shared, service: echo, authentication: none, cors: { origins: 'https://app.partner.test', credentials: true } }
  - { path: /public, service: echo, authentication: none, cors: { origins: '*' } }
  - { path: /socket, service: sockets, authentication: none, origins: ${named} }
  - { path: /socket-off, service: sockets, authentication: none, csrf: off, origins: 'https://app.partner.test' }
  - { path: /socket-any, service: sockets, authentication: none, origins: '*' }
`);
  askers = [
    { asker: http1Asker(gateway.port('plain')), own: `http://127.0.0.1:${gateway.port('plain')}` },
    { asker: http1Asker(gateway.port('secure'), { tls: true }), own: `https://127.0.0.1:${gateway.port('secure')}` },
    { asker: http2Asker(gateway.port('secure')), own: `https://127.0.0.1:${gateway.port('secure')}` },
  ];
});

after(async () => {
  for (const { asker } of askers) asker.close();
  await gateway?.stop();
  await echo?.stop();
  for (const socket of sockets?.clients ?? []) socket.terminate();
  sockets?.close();
  await files?.remove();
  await rm(folder, { recursive: true });
});

type Names = { site?: keyof typeof SITES; origin?: keyof typeof ORIGINS };

function words({ site = 'absent', origin = 'absent' }: Names, own: string): Record<string, string> {
  const headers: Record<string, string> = {};
  const [siteText, originText] = [SITES[site], ORIGINS[origin]];
  if (siteText !== undefined) headers['sec-fetch-site'] = siteText;
  if (originText !== undefined) headers.origin = originText === 'OWN' ? own : originText;
  return headers;
}

/** A list of name and value as headers; Node writes no empty Cookie, which is tested without the wire. */
const fields = (list: readonly string[]): Record<string, string> => (list.length === 0 ? {} : Object.fromEntries(pairs(list)));

function pairs(list: readonly string[]): [string, string][] {
  return list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1]] as [string, string]] : []));
}

function expectVerdict(reply: Reply, passes: boolean, seen: number, what: string): void {
  assert.equal(reply.status, passes ? 200 : 403, `${what} ${String(reply.body)}`);
  assert.equal(echo.requests.length, seen + (passes ? 1 : 0), what);
  if (passes) return;
  assert.equal((JSON.parse(String(reply.body)) as { code: string }).code, 'csrf', what);
}

describe('an unsafe request with a cookie', () => {
  for (const { site, origin, passes } of verdicts()) {
    test(`site ${site}, origin ${origin}: ${passes ? 'passes' : 'is refused'}`, async () => {
      for (const { asker, own } of askers) {
        for (const method of ['POST', 'DELETE', 'QUERY']) {
          const seen = echo.requests.length;
          const headers = { cookie: 'session=1', ...words({ site, origin }, own) };
          const reply = await asker.ask({ path: '/named', method, headers });
          expectVerdict(reply, passes, seen, `${asker.name} ${method}`);
        }
      }
    });
  }
});

const FOREIGN: Names[] = [
  { site: 'cross-site', origin: 'foreign' },
  { site: 'cross-site', origin: 'null' },
  { site: 'same-site', origin: 'foreign' },
  { origin: 'foreign' },
  { origin: 'null' },
  { site: 'unknown' },
];

describe('a credential', () => {
  const every = async (
    route: string,
    headers: Record<string, string>,
    passes: boolean,
    methods: readonly string[],
  ): Promise<void> => {
    for (const { asker, own } of askers) {
      for (const method of methods) {
        for (const names of FOREIGN) {
          const seen = echo.requests.length;
          const reply = await asker.ask({ path: route, method, headers: { ...headers, ...words(names, own) } });
          expectVerdict(reply, passes, seen, `${asker.name} ${method} ${JSON.stringify(names)}`);
        }
      }
    }
  };
  const unsafe = ['POST', 'PUT', 'DELETE', 'QUERY', 'SEARCH', 'PROPFIND'];

  for (const [name, list] of Object.entries(AMBIENT).filter(([, [, value]]) => value !== '')) {
    test(`${name} on an open route: refused where it is unsafe`, async () => {
      await every('/plain', fields(list), false, unsafe);
      await every('/plain', fields(list), true, ['GET', 'HEAD', 'OPTIONS']);
    });
  }
  for (const [name, list] of Object.entries(NOT_AMBIENT)) {
    test(`${name} on an open route: passes`, () => every('/plain', fields(list), true, unsafe));
  }
  test('an API key passes, also beside a cookie', async () => {
    await every('/key', { 'x-api-key': key }, true, unsafe);
    await every('/key', { 'x-api-key': key, cookie: 'session=1' }, true, unsafe);
  });
  test('a cookie passes where the route has it switched off', () => every('/off', { cookie: 'session=1' }, true, unsafe));
});

describe('a client certificate, without any cookie', () => {
  for (const { site, origin, passes } of verdicts()) {
    test(`site ${site}, origin ${origin}: ${passes ? 'passes' : 'is refused'}`, async () => {
      const { certificate, key: secret } = files.of('client.test');
      const tls = { cert: await readFile(certificate), key: await readFile(secret) };
      const own = `https://127.0.0.1:${gateway.port('mutual')}`;
      const said = Object.entries(words({ site, origin }, own)).map(([name, value]) => `${name}: ${value}\r\n`);
      for (const method of ['POST', 'GET']) {
        const seen = echo.requests.length;
        const head = `${method} /certificate HTTP/1.1\r\nHost: ${own.slice(8)}\r\nContent-Length: 0\r\nConnection: close\r\n`;
        const bytes = await rawRequest(gateway.port('mutual'), `${head}${said.join('')}\r\n`, { tls, timeout: 20_000 });
        const expected = passes || method === 'GET' ? 200 : 403;
        assert.equal(parseResponses(bytes)[0]?.status, expected, bytes.toString('latin1'));
        assert.equal(echo.requests.length, seen + (expected === 200 ? 1 : 0));
      }
    });
  }
});

test('who is not known is told that first', async () => {
  for (const { asker, own } of askers) {
    const headers = { cookie: 'session=1', ...words({ site: 'cross-site', origin: 'foreign' }, own) };
    assert.equal((await asker.ask({ path: '/key', method: 'POST', headers })).status, 401);
  }
});

test('origins of cors count where cookies may come along, by name', async () => {
  for (const { asker, own } of askers) {
    const headers = { cookie: 'session=1', ...words({ site: 'cross-site', origin: 'named' }, own) };
    assert.equal((await asker.ask({ path: '/shared', method: 'POST', headers })).status, 200);
    assert.equal((await asker.ask({ path: '/public', method: 'POST', headers })).status, 403);
    const foreign = { cookie: 'session=1', ...words({ site: 'cross-site', origin: 'foreign' }, own) };
    const refused = await asker.ask({ path: '/shared', method: 'POST', headers: foreign });
    assert.equal(refused.status, 403);
    assert.equal(refused.headers['access-control-allow-origin'], undefined);
  }
});

test('doubled fields are refused', async () => {
  for (const { asker, own } of askers) {
    const fields: Record<string, string[]>[] = [{ origin: [own, own] }, { 'sec-fetch-site': ['same-origin', 'same-origin'] }];
    for (const doubled of fields) {
      const seen = echo.requests.length;
      const { status } = await asker.ask({ path: '/named', method: 'POST', headers: { cookie: 'a=1', ...doubled } });
      assert.ok(status === 400 || status === 403, `${status}`);
      assert.equal(echo.requests.length, seen);
    }
  }
});

test('a method in a header or the query makes nothing safe', async () => {
  const headers = { cookie: 'a=1', origin: 'https://evil.test', 'x-http-method-override': 'GET', 'x-method-override': 'GET' };
  for (const { asker } of askers)
    assert.equal((await asker.ask({ path: '/plain?_method=GET', method: 'POST', headers })).status, 403);
});

test('the record has the reason', async () => {
  const [{ asker }] = askers;
  const { headers } = await asker.ask({
    path: '/plain',
    method: 'POST',
    headers: { cookie: 'a=1', origin: 'https://evil.test' },
  });
  const id = headers['x-request-id'];
  const end = performance.now() + 20_000;
  for (;;) {
    const record = (await gateway.records()).find(({ request_id }) => request_id === id);
    assert.ok(record !== undefined || performance.now() < end, 'no record');
    if (record === undefined) continue;
    assert.deepEqual([record.decision?.room, record.decision?.code], ['authenticate', 'csrf']);
    assert.ok(!JSON.stringify(record).includes('evil.test'));
    return;
  }
});

describe('a WebSocket handshake', () => {
  async function handshake(where: string, names: Names, cookie = 'Cookie: session=1\r\n'): Promise<number> {
    const { own } = askers[0];
    const fieldLines = Object.entries(words(names, own)).map(([name, value]) => `${name}: ${value}\r\n`);
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    const bytes = `GET ${where} HTTP/1.1\r\nHost: ${own.slice(7)}\r\n${upgrade}${cookie}${fieldLines.join('')}\r\n`;
    const before = opened;
    const answer = await rawRequest(gateway.port('plain'), bytes, { until: /\r\n\r\n/, timeout: 20_000 });
    const [{ status }] = parseResponses(answer);
    assert.equal(opened, before + (status === 101 ? 1 : 0));
    return status;
  }

  for (const { site, origin, passes } of verdicts()) {
    test(`site ${site}, origin ${origin}: ${passes ? 'opens' : 'is refused'}`, async () => {
      // The room `route` asks of every handshake that its origin be our own or named, with whatever cookies.
      const status = await handshake('/socket', { site, origin });
      const known = ['absent', 'own', 'named', 'below'].includes(origin);
      assert.equal(status, passes && known ? 101 : 403);
    });
  }

  test('without a cookie the origin alone decides, and without the check too', async () => {
    assert.equal(await handshake('/socket', { site: 'cross-site' }, ''), 101);
    assert.equal(await handshake('/socket', { site: 'cross-site', origin: 'foreign' }, ''), 403);
    assert.equal(await handshake('/socket-off', { site: 'cross-site', origin: 'named' }), 101);
    assert.equal(await handshake('/socket-off', { site: 'cross-site', origin: 'own' }), 101);
    assert.equal(await handshake('/socket-off', { site: 'cross-site', origin: 'foreign' }), 403);
  });

  test('of every page, where the route says so', async () => {
    assert.equal(await handshake('/socket-any', { site: 'cross-site', origin: 'foreign' }), 101);
    assert.equal(await handshake('/socket-any', { site: 'cross-site' }), 403);
  });
});
