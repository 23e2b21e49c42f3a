import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { catalogue } from '../../src/errors/catalogue.ts';
import { type AccessRecord, type Gateway, startGateway } from '../support/gateway.ts';
import { parseResponses, rawRequest } from '../support/raw.ts';
import { type TlsFiles, tlsFiles } from '../support/tls.ts';
import { algorithms, audience, claims, issuer, keySet, token } from '../support/tokens.ts';

/**
 * Every way out of the corridor that docs/life-of-a-request.md names: each leaves exactly one access record, with its room and code, and
 * one count in the metrics. What passes leaves one without a decision.
 */

const TOKEN = 'a-token-of-the-admin-listener';
const CONTRACT = `openapi: 3.1.0
info: { title: t, version: '1' }
paths:
  /things:
    get: { parameters: [{ name: limit, in: query, schema: { type: integer } }], responses: {} }
    post:
      requestBody: { required: true, content: { application/json: { schema: { type: object, required: [a] } } } }
      responses: {}
`;

/** A rule that refuses by itself, one that adds to a score, and one on answers. */
const RULES = `SecAction "id:1,phase:1,pass,nolog,setvar:tx.inbound_anomaly_score_threshold=5"
SecRule ARGS "@contains union select" "id:2,phase:2,deny,status:403,msg:'SQL'"
SecRule REQUEST_HEADERS:User-Agent "@streq scanner" "id:3,phase:1,pass,log,setvar:tx.blocking_inbound_anomaly_score=+5"
SecRule TX:blocking_inbound_anomaly_score "@ge %{tx.inbound_anomaly_score_threshold}" "id:4,phase:1,deny,status:403"
SecRule RESPONSE_BODY "@contains stack trace" "id:5,phase:4,deny,status:403,msg:'leak'"
`;

/** Answers by path; what hangs is let go when all is over. */
const service = http.createServer((request, answer) => {
  const way = request.url?.split('/')[2];
  if (way === 'malformed') request.socket.end('HTTP/1.1 2x0 no\r\n\r\n');
  else if (way === 'closed') request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
  else if (way === 'leak') answer.setHeader('Content-Type', 'text/plain').end('a stack trace');
  else if (way !== 'hang') request.resume().on('end', () => answer.end('reached'));
});

const configuration = (target: string, files: TlsFiles) => `
listeners:
  plain: { address: 127.0.0.1:0 }
  hasty: { address: 127.0.0.1:0, bounds: { head-time: 1s, body-time: 1s } }
  capped: { address: 127.0.0.1:0, bounds: { connections: 1 } }
  away: { address: 127.0.0.1:0, redirect-to-https: 8443 }
  secure:
    address: 127.0.0.1:0
    tls:
      - { certificate: ${files.of('a.test').certificate}, key: ${files.of('a.test').key} }
      - { certificate: ${files.of('b.test').certificate}, key: ${files.of('b.test').key}, client-certificates: { ca: ${files.ca}, mode: required } }
services:
  s: ${target}
  nobody: http://127.0.0.1:1
  slow: { targets: ["${target}"], timeout: 1s }
  narrow: { targets: ["${target}"], connections: 1, queue: { size: 0 } }
  sick: { targets: ["http://127.0.0.1:1"], health: { path: /healthz, every: 1s } }
waf: { mode: "off", rules: [rules.conf] }
store: { redis: "redis://127.0.0.1:1", timeout: 100ms }
admin: { address: 127.0.0.1:0, token: ${TOKEN} }
authentication:
  staff: { jwt: { issuer: ${issuer}, audience: ${audience}, algorithms: [${algorithms.join(', ')}], jwks: keys.json } }
  lost: { jwt: { issuer: "http://127.0.0.1:1/i", audience: a, algorithms: [RS256] } }
  asked: { introspection: { endpoint: "http://127.0.0.1:1/ask", audience: any, client: { id: gateway, secret: not-a-secret-of-anybody } } }
  partners: { api-key: { keys: ${folder}/partners.yaml } }
limits:
  strict: { rate: 1/hour, by: address, when-store-fails: closed }
  few: { rate: 1/hour, by: "header:x-few", when-store-fails: local }
routes:
  - { path: /open/**, service: s, authentication: none, cors: { origins: https://app.example.com }, body: 100 }
  - { path: /get, service: s, authentication: none, methods: [GET] }
  - { path: /strict, service: s, authentication: none, limits: [strict] }
  - { path: /few, service: s, authentication: none, limits: [few] }
  - { path: /staff, service: s, authentication: [staff] }
  - { path: /lost, service: s, authentication: [lost] }
  - { path: /asked, service: s, authentication: [asked] }
  - { path: /key, service: s, authentication: [partners] }
  - { path: /both, service: s, authentication: [staff, partners] }
  - { path: /scope, service: s, authentication: [staff], authorize: { scopes: [orders:write] } }
  - { path: "/own/{user}", service: s, authentication: [staff], authorize: { owner: { parameter: user } } }
  - { path: /one/**, service: s, authentication: none, concurrency: { max: 1, queue: 0 } }
  - { path: /read, service: s, authentication: none, body: 4KiB, validate: { types: [application/json], json: { depth: 2 } } }
  - { path: /things, service: s, authentication: none, validate: { openapi: api.yaml } }
  - path: /waf/**
    service: s
    authentication: none
    waf: { mode: block, body: 1KiB, deny: [{ headers: { x-tool: "bad*" } }], allow: [{ paths: [/waf/allowed] }] }
  - { path: /watched, service: s, authentication: none, waf: { mode: detect } }
  - { path: /nobody, service: nobody, authentication: none }
  - { path: /slow/**, service: slow, authentication: none }
  - { path: /narrow/**, service: narrow, authentication: none }
  - { path: /sick, service: sick, authentication: none }
`;

let gateway: Gateway;
let files: TlsFiles;
let folder = '';
const open: net.Socket[] = [];

before(async () => {
  files = await tlsFiles(['a.test', 'b.test']);
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-exits-'));
  const main = path.resolve(import.meta.dirname, '../../src/main.ts');
  await promisify(execFile)(process.execPath, [main, 'keys', 'create', '--id', 'alice', '--keys', 'partners.yaml'], {
    cwd: folder,
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  gateway = await startGateway(configuration(`http://127.0.0.1:${(service.address() as AddressInfo).port}`, files), {
    files: { 'keys.json': JSON.stringify(keySet()), 'api.yaml': CONTRACT, 'rules.conf': RULES },
    timeout: 60_000,
  });
});

after(async () => {
  for (const socket of open) socket.destroy();
  service.closeAllConnections();
  await gateway?.stop();
  await new Promise((resolve) => service.close(resolve));
  await files?.remove();
  if (folder !== '') await rm(folder, { recursive: true });
});

const ask = (line: string, fields: readonly string[] = [], body = '') =>
  `${[`${line} HTTP/1.1`, 'Host: a.test', 'Connection: close', ...fields].join('\r\n')}\r\n\r\n${body}`;
const get = (target: string, ...fields: string[]) => ask(`GET ${target}`, fields);
const post = (target: string, body: string, ...fields: string[]) =>
  ask(`POST ${target}`, [...fields, `Content-Length: ${body.length}`], body);
const bearer = (other: Record<string, unknown> = {}) => `Authorization: Bearer ${token(claims(other))}`;
const JSON_TYPE = 'Content-Type: application/json';

/** Sends and waits for the end; gives back the statuses of the answers. */
async function send(bytes: string, listener = 'plain'): Promise<number[]> {
  const until = (received: Buffer) => parseResponses(received).some(({ status, complete }) => status >= 200 && complete);
  return parseResponses(await rawRequest(gateway.port(listener), bytes, { timeout: 20_000, until })).map(({ status }) => status);
}

/** Leaves a request under way, which the service does not answer. */
async function hold(target: string): Promise<net.Socket> {
  const socket = net.connect(gateway.port('plain'), '127.0.0.1').on('error', () => undefined);
  open.push(socket);
  socket.write(get(target));
  await until(async () => (await metric('portcullis_requests_in_flight')) >= 1);
  return socket;
}

async function until(ask: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; await wait(20)) if (await ask()) return;
  assert.fail('it did not become so within 30 s');
}

const metrics = async () =>
  await (
    await fetch(`http://127.0.0.1:${gateway.port('admin')}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
  ).text();

async function metric(name: string): Promise<number> {
  const lines = (await metrics()).split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

interface Exit {
  /** As the record has it; undefined: it passed, or a room answered. */
  readonly code: string | undefined;
  /** What the client got; 0: nothing. */
  readonly status: number;
  /** Where another record comes of it too: of what had to be under way. */
  readonly also?: readonly string[];
  readonly leave: () => Promise<unknown>;
}

const exit = (code: string | undefined, status: number, bytes: string | (() => string), listener?: string): Exit => ({
  code,
  status,
  leave: async () => assert.deepEqual(await send(typeof bytes === 'string' ? bytes : bytes(), listener), [status]),
});

/** While one request is under way, another one finds no place. */
const crowded = (code: string, where: string): Exit => ({
  code,
  status: 503,
  also: ['client-gone'],
  leave: async () => {
    const first = await hold(`${where}/hang`);
    assert.deepEqual(await send(get(`${where}/x`)), [503]);
    first.destroy();
    await until(async () => (await metric('portcullis_requests_in_flight')) === 0);
  },
});

const WEBSOCKET = [
  'Upgrade: websocket',
  'Connection: upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
];
const HANDSHAKE = `GET /open/socket HTTP/1.1\r\nHost: a.test\r\n${WEBSOCKET.join('\r\n')}\r\n`;

const EXITS: readonly Exit[] = [
  // nothing stands in its way
  exit(undefined, 200, get('/open/x')),
  // listen
  exit('request-line', 400, 'GET /x\r\n\r\n'),
  exit('header-invalid', 400, get('/open/x', 'X A: 1')),
  exit('http-version', 505, 'GET /x HTTP/3.0\r\nHost: a\r\n\r\n'),
  exit('target-too-long', 414, get(`/${'x'.repeat(9000)}`)),
  exit('headers-too-large', 431, get('/open/x', `X-A: ${'x'.repeat(20_000)}`)),
  exit('body-framing', 400, post('/open/x', '', 'Content-Length: 0')),
  exit('host-invalid', 400, 'GET /x HTTP/1.1\r\nConnection: close\r\n\r\n'),
  exit('path-ambiguous', 400, get('/open%2fx')),
  exit('target-invalid', 400, get('ftp://a/x')),
  exit('method-unknown', 501, ask('TRACE /open/x')),
  exit('transfer-coding', 501, ask('POST /open/x', ['Transfer-Encoding: gzip'])),
  exit('expectation-failed', 417, get('/open/x', 'Expect: 200-maybe')),
  exit('protocol-error', 400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'),
  exit('head-timeout', 408, 'GET /open/x HTTP/1.1\r\nHost', 'hasty'),
  exit('body-timeout', 408, ask('POST /open/x', ['Content-Length: 10'], 'half'), 'hasty'),
  {
    code: 'handshake-failed',
    status: 0,
    leave: () =>
      new Promise<void>((resolve) => {
        const socket = tls.connect({
          port: gateway.port('secure'),
          host: '127.0.0.1',
          maxVersion: 'TLSv1.1',
          ciphers: 'ALL:@SECLEVEL=0',
          minVersion: 'TLSv1',
        });
        socket.on('error', () => resolve()).on('secureConnect', () => assert.fail('TLS 1.1 is spoken'));
      }),
  },
  {
    code: 'misdirected',
    status: 421,
    leave: async () => {
      const options = { tls: { servername: 'a.test', ALPNProtocols: ['http/1.1'] }, timeout: 20_000 };
      const bytes = await rawRequest(gateway.port('secure'), get('/open/x').replace('Host: a.test', 'Host: b.test'), options);
      assert.deepEqual(
        parseResponses(bytes).map(({ status }) => status),
        [421],
      );
    },
  },
  {
    code: 'client-gone',
    status: 0,
    leave: async () => {
      const socket = await hold('/open/hang');
      socket.destroy();
      await until(async () => (await metric('portcullis_requests_in_flight')) === 0);
    },
  },
  {
    // At the cap the connection without a complete head makes room for the next.
    code: 'connection-cap',
    status: 0,
    leave: async () => {
      const idle = net.connect(gateway.port('capped'), '127.0.0.1').on('error', () => undefined);
      const closed = new Promise<void>((resolve) => idle.on('close', () => resolve()));
      await new Promise<void>((resolve) => idle.on('connect', () => resolve()));
      const next = net.connect(gateway.port('capped'), '127.0.0.1').on('error', () => undefined);
      await closed;
      next.destroy();
    },
  },
  // route
  exit(undefined, 308, get('/open/x'), 'away'),
  exit('route-not-found', 404, get('/nowhere')),
  exit('method-not-allowed', 405, post('/get', '')),
  exit(undefined, 204, ask('OPTIONS /open/x', ['Origin: https://app.example.com', 'Access-Control-Request-Method: GET'])),
  exit('cors-refused', 403, ask('OPTIONS /open/x', ['Origin: https://evil.example.com', 'Access-Control-Request-Method: GET'])),
  exit('origin-refused', 403, `${HANDSHAKE}Origin: https://evil.example.com\r\n\r\n`),
  exit('upgrade-refused', 426, `${HANDSHAKE.replace('13', '12')}\r\n`),
  // limit
  exit('limit-store-failed', 503, get('/strict')),
  exit(undefined, 200, get('/few', 'X-Few: 1')),
  exit('rate-limited', 429, get('/few', 'X-Few: 1')),
  crowded('concurrency-exceeded', '/one'),
  // authenticate
  exit('credentials-missing', 401, get('/both')),
  exit('credentials-ambiguous', 401, () => get('/both', bearer(), 'X-Api-Key: x')),
  exit('token-missing', 401, get('/staff')),
  exit('token-malformed', 401, get('/staff', 'Authorization: Bearer x')),
  exit('token-expired', 401, () => get('/staff', bearer({ iat: 1000, exp: 2000 }))),
  exit('key-missing', 401, get('/key')),
  exit('api-key-malformed', 401, get('/key', 'X-Api-Key: nonsense')),
  exit('keys-unavailable', 503, () =>
    get('/lost', `Authorization: Bearer ${token(claims({ iss: 'http://127.0.0.1:1/i', aud: 'a' }))}`),
  ),
  exit('introspection-unavailable', 503, get('/asked', 'Authorization: Bearer opaque-token-of-somebody')),
  exit('csrf', 403, post('/open/x', '', 'Cookie: a=b', 'Origin: https://evil.example.com', 'Sec-Fetch-Site: cross-site')),
  // authorize
  exit('scope-missing', 403, () => get('/scope', bearer())),
  exit('not-owner', 403, () => get('/own/somebody', bearer())),
  exit('parameter-ambiguous', 403, () => get('/own/u-17?user=u-18', bearer())),
  exit(undefined, 200, () => get('/own/u-17', bearer())),
  // body
  exit('body-too-large', 413, post('/open/x', 'x'.repeat(101))),
  exit('body-too-large', 413, post('/read', 'x'.repeat(5000), JSON_TYPE)),
  exit('body-malformed', 400, ask('POST /read', [JSON_TYPE, 'Transfer-Encoding: chunked'], 'x\r\n')),
  exit('content-encoding', 415, post('/read', '{}', JSON_TYPE, 'Content-Encoding: gzip')),
  // validate
  exit('media-type', 415, post('/read', 'x', 'Content-Type: text/plain')),
  exit('content-type', 400, post('/read', '{}', 'Content-Type: nonsense')),
  exit('body-ambiguous', 400, post('/read', '{"a":1,"a":2}', JSON_TYPE)),
  exit('body-beyond-bounds', 413, post('/read', '[[[]]]', JSON_TYPE)),
  exit('contract-operation', 400, ask('DELETE /things')),
  exit('contract-parameter', 400, get('/things?limit=x')),
  exit('contract-media-type', 415, post('/things', 'x', 'Content-Type: text/plain')),
  exit('contract-body-presence', 400, post('/things', '', JSON_TYPE)),
  exit('contract-body', 422, post('/things', '{}', JSON_TYPE)),
  // waf
  exit('waf-denied', 403, get('/waf/x', 'X-Tool: bad/1.0')),
  exit('waf-rule', 403, get('/waf/x?q=1+union+select+2')),
  exit('waf-rule', 403, post('/waf/x', '{"a":["x","1 union select 2"]}', JSON_TYPE)),
  exit('waf-score', 403, get('/waf/x', 'User-Agent: scanner')),
  exit('waf-unreadable', 400, post('/waf/x', '{"a":1', JSON_TYPE)),
  exit('waf-body', 413, post('/waf/x', 'x'.repeat(1025), 'Content-Type: text/plain')),
  exit('waf-body', 413, ask('POST /waf/x', ['Transfer-Encoding: chunked'], `500\r\n${'x'.repeat(0x500)}\r\n0\r\n\r\n`)),
  exit(undefined, 200, post('/waf/allowed', 'x'.repeat(1025), 'Content-Type: text/plain')),
  exit(undefined, 200, post('/watched', 'x'.repeat(140_000), 'Content-Type: text/plain')),
  exit('waf-response', 502, get('/waf/leak')),
  exit(undefined, 200, post('/waf/x', '{"a":["select a union"]}', JSON_TYPE)),
  exit(undefined, 200, get('/waf/allowed?q=1+union+select+2')),
  exit(undefined, 200, get('/watched?q=1+union+select+2')),
  // upstream
  exit('upstream-connect', 502, get('/nobody')),
  exit('upstream-malformed', 502, get('/open/malformed')),
  {
    code: 'upstream-closed',
    status: 200,
    leave: async () => {
      const [answer] = parseResponses(await rawRequest(gateway.port('plain'), get('/open/closed'), { timeout: 20_000 }));
      assert.deepEqual([answer.status, answer.complete], [200, false]);
    },
  },
  exit('upstream-timeout', 504, get('/slow/hang')),
  crowded('upstream-busy', '/narrow'),
  {
    code: 'upstream-unavailable',
    status: 503,
    leave: async () => {
      await until(async () => /^portcullis_target_up\{service="sick",.* 0$/m.test(await metrics()));
      assert.deepEqual(await send(get('/sick')), [503]);
    },
  },
];

/** What the document calls an exit in the place of its code: said to the client, the record has what is behind it. */
const TOLD: Readonly<Record<string, string>> = { forbidden: 'scope-missing', 'api-key-refused': 'api-key-malformed' };

const shortOf = (code: string | undefined) =>
  code === undefined ? 'passed' : `${catalogue[code as keyof typeof catalogue].room} ${code}`;

describe('every way out', () => {
  let records: AccessRecord[] = [];
  const expected = EXITS.flatMap(({ code, also = [] }) => [code, ...also]).map(shortOf);

  for (const one of EXITS) test(`${one.code ?? 'an answer'}: ${one.status}`, async () => void (await one.leave()));

  test('leaves exactly one record, with its room and code', async () => {
    records = await gateway.records(expected.length);
    // One too many would come now.
    await wait(500);
    records = await gateway.records(expected.length);
    const told = records.map(({ decision }) => (decision === undefined ? 'passed' : `${decision.room} ${decision.code}`));
    assert.deepEqual(told.toSorted(), expected.toSorted());
    assert.equal(new Set(records.map(({ request_id: id }) => id)).size, records.length, 'an id stands twice');
    for (const { decision } of records) assert.ok(decision === undefined || decision.reason.length > 3, JSON.stringify(decision));
  });

  test('with the status that the client got', () => {
    for (const { code, status } of EXITS.filter(({ code }) => code !== undefined)) {
      const found = records.filter(({ decision }) => decision?.code === code).map((record) => record.http.status);
      assert.ok(found.includes(status), `${code}: ${found.join()} instead of ${status}`);
    }
  });

  test('is counted once in the metrics', async () => {
    const lines = (await metrics()).split('\n').filter((line) => line.startsWith('portcullis_requests_total{'));
    for (const code of new Set(EXITS.map((one) => one.code).filter((one) => one !== undefined))) {
      const count = lines
        .filter((line) => line.includes(`code="${code}"`))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
      assert.equal(count, expected.filter((one) => one === shortOf(code)).length, `${code}\n${lines.join('\n')}`);
    }
  });

  test('stands here when the document names it', () => {
    const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/life-of-a-request.md'), 'utf8');
    const map = page.slice(page.indexOf('```'), page.lastIndexOf('## What holds'));
    const named = new Set([...map.matchAll(/[a-z]+(?:-[a-z]+)+|csrf|misdirected|forbidden/g)].map(([word]) => word));
    const codes = new Set(EXITS.map(({ code }) => code));
    const missing = [...named].filter((word) => Object.hasOwn(catalogue, word) && !codes.has(TOLD[word] ?? word));
    assert.deepEqual(missing, []);
  });
});
