/**
 * Marked secrets in what a contract judges, in credentials that are good, in what the house's own calls bring back, over HTTP/2 and on
 * WebSockets: none of them stands in any sink, nor in what a refused client is told. Beside planted-secrets.test.ts, which has the rest.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { assertClean, base64, MARK } from '../support/marks.ts';
import { parseResponses, rawRequest } from '../support/raw.ts';
import { audience, claims, issuer, keySet, token } from '../support/tokens.ts';

const CONTRACT = `openapi: 3.1.0
info: { title: t, version: '1' }
paths:
  /things/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    get: { responses: {} }
  /things:
    get:
      parameters:
        - { name: limit, in: query, schema: { type: integer } }
        - { name: sort, in: query, schema: { enum: [up, down] } }
        - { name: since, in: query, schema: { type: string, format: date } }
        - { name: ids, in: query, explode: false, schema: { type: array, maxItems: 1, items: { type: integer } } }
        - { name: filter, in: query, style: deepObject, schema: { type: object, properties: { state: { type: boolean } } } }
        - { name: x-tenant, in: header, schema: { type: string, pattern: "^[a-z]{1,8}$" } }
        - { name: theme, in: cookie, schema: { enum: [dark] } }
      responses: {}
    post:
      requestBody:
        content:
          application/json: { schema: { $ref: "#/components/schemas/Thing" } }
          application/x-www-form-urlencoded: { schema: { $ref: "#/components/schemas/Thing" } }
          multipart/form-data: { schema: { $ref: "#/components/schemas/Thing" } }
          text/plain: { schema: { type: string, maxLength: 3 } }
      responses: {}
components:
  schemas:
    Thing:
      type: object
      required: [name]
      properties:
        id: { type: string, readOnly: true }
        name: { type: string, maxLength: 4 }
        count: { type: integer }
        kind: { const: tea }
        mail: { type: string, format: email }
        code: { type: string, pattern: "^[0-9]+$" }
        when: { oneOf: [{ type: integer }, { type: string, format: date-time }] }
        inner: { type: object, additionalProperties: { type: integer } }
        list: { type: array, uniqueItems: true, items: { type: string, maxLength: 2 } }
`;

const FIELDS = ['id', 'name', 'count', 'kind', 'mail', 'code', 'when'];

/** A service, an issuer and an authorization server, all of which answer with secrets. */
const outside = http.createServer((request, answer) => {
  request.resume().on('end', () => {
    const fields = { 'set-cookie': `id=${MARK}`, 'x-secret': MARK, 'content-type': 'application/json' };
    if (request.url === '/i/jwks') return void answer.writeHead(200, fields).end(`{"keys":"${MARK}"`);
    if (request.url === '/moved')
      return void answer.writeHead(302, { ...fields, location: `http://u:${MARK}@127.0.0.1:1/` }).end(MARK);
    if (request.url === '/fails') return void answer.writeHead(500, fields).end(MARK);
    if (request.url === '/broken') return void answer.writeHead(200, fields).end(`{"active":${MARK}}`);
    if (request.url === '/says-no') return void answer.writeHead(200, fields).end(JSON.stringify({ active: false, why: MARK }));
    if (request.url === '/says-yes')
      return void answer.writeHead(200, fields).end(JSON.stringify({ active: true, sub: 'u-1', email: MARK, client_id: 'c' }));
    return void answer.writeHead(request.url?.includes('fail') ? 500 : 200, fields).end(MARK);
  });
});
outside.on('upgrade', (_request, socket) => socket.end(`HTTP/1.1 200 ${MARK}\r\nContent-Length: 4\r\nX-A: ${MARK}\r\n\r\nno!!`));

const ADMIN = `${MARK}-the-admin-token`;

const configuration = (url: string, folder: string) => `
listeners: { plain: { address: 127.0.0.1:0 }, secure: { address: 127.0.0.1:0, tls: self-signed } }
services: { s: "${url}" }
admin: { address: 127.0.0.1:0, token: secret:ADMIN }
observe: { access: access.jsonl, events: events.jsonl }
authentication:
  staff: { jwt: { issuer: ${issuer}, audience: ${audience}, algorithms: [RS256], jwks: keys.json } }
  lost: { jwt: { issuer: "${url}/i", audience: a, algorithms: [RS256], jwks: "${url}/i/jwks" } }
  partners: { api-key: { keys: ${folder}/partners.yaml } }
${['moved', 'fails', 'broken', 'says-no', 'says-yes'].map((name) => `  ${name}: { introspection: { endpoint: "${url}/${name}", audience: any, client: { id: gateway, secret: secret:CLIENT } } }`).join('\n')}
routes:
  - { path: /strict/**, service: s, authentication: none, validate: { openapi: api.yaml, base: /strict } }
  - { path: /report/**, service: s, authentication: none, validate: { openapi: api.yaml, base: /report, mode: report } }
  - { path: /staff/**, service: s, authentication: [staff] }
  - { path: /forbidden, service: s, authentication: [staff], authorize: { claims: { email: nobody@example.com } } }
  - { path: "/own/{user}", service: s, authentication: [staff], authorize: { owner: { parameter: user, claim: email } } }
  - { path: /key/**, service: s, authentication: [partners] }
  - { path: /lost, service: s, authentication: [lost] }
  - { path: /socket, service: s, authentication: none }
${['moved', 'fails', 'broken', 'says-no', 'says-yes'].map((name) => `  - { path: /${name}, service: s, authentication: [${name}] }`).join('\n')}
`;

let gateway: Gateway;
let folder = '';
let key = '';
/** Secrets that cannot hold the mark. */
let others: string[] = [];
const refusals: string[] = [];
let sent = 0;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-planted-'));
  const main = path.resolve(import.meta.dirname, '../../src/main.ts');
  const argv = [main, 'keys', 'create', '--id', 'alice', '--keys', 'partners.yaml'];
  key = (await promisify(execFile)(process.execPath, argv, { cwd: folder, timeout: 60_000 })).stdout.trim();
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
  gateway = await startGateway(configuration(`http://127.0.0.1:${(outside.address() as AddressInfo).port}`, folder), {
    files: { 'api.yaml': CONTRACT, 'keys.json': JSON.stringify(keySet()) },
    env: { ADMIN, CLIENT: `${MARK}-client` },
    timeout: 60_000,
  });
});

after(async () => {
  await gateway?.stop();
  outside.closeAllConnections();
  await new Promise((resolve) => outside.close(resolve));
  if (folder !== '') await rm(folder, { recursive: true });
});

async function ask(method: string, target: string, fields: readonly string[] = [], body?: string): Promise<number> {
  const length = body === undefined ? [] : [`Content-Length: ${body.length}`];
  const head = [`${method} ${target} HTTP/1.1`, 'Host: a', 'Connection: close', ...fields, ...length].join('\r\n');
  const [answer] = parseResponses(await rawRequest(gateway.port('plain'), `${head}\r\n\r\n${body ?? ''}`, { timeout: 20_000 }));
  sent += 1;
  const text = answer.body.toString('utf8');
  if (answer.headers.get('content-type') === 'application/problem+json') refusals.push(text);
  return answer.status;
}

const json = (value: unknown) => ['POST', '/things', ['Content-Type: application/json'], JSON.stringify(value)] as const;
const form = (text: string) => ['POST', '/things', ['Content-Type: application/x-www-form-urlencoded'], text] as const;
const part = (head: string, content: string) => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`;
const multi = (text: string) =>
  ['POST', '/things', ['Content-Type: multipart/form-data; boundary=b'], `${text}--b--\r\n`] as const;

/** Each breaks the contract by a marked value. */
const BREAKING: readonly (readonly [method: string, target: string, fields?: readonly string[], body?: string])[] = [
  ['GET', `/things/${MARK}`],
  ...['limit', 'sort', 'since', 'ids', 'filter[state]', 'filter'].map((name) => ['GET', `/things?${name}=${MARK}`] as const),
  ['GET', `/things?limit=1&limit=${MARK}`],
  ['GET', `/things?ids=1,${MARK}`],
  ['GET', '/things', [`X-Tenant: ${MARK}`]],
  ['GET', '/things', [`Cookie: theme=${MARK}`]],
  ['GET', `/${MARK}`],
  ['POST', '/things', [`Content-Type: text/${MARK}`], MARK],
  ['POST', '/things', ['Content-Type: text/plain'], MARK],
  ...FIELDS.map((name) => json({ name: 'tea', [name]: MARK })),
  json({ name: 'tea', inner: { a: MARK } }),
  json({ name: 'tea', list: ['a', MARK, MARK] }),
  json({ name: [MARK] }),
  json(MARK),
  json([MARK]),
  form(`name=${MARK}`),
  form(`name=a&name=${MARK}`),
  form(`name=${MARK}%zz`),
  multi(part('name="name"', MARK)),
  multi(part(`name="name"; filename="${MARK}"`, MARK)),
  multi(part('name="name"', 'a') + part('name="name"', MARK)),
  multi(`${part('name="name"', 'a')}${MARK}`),
];

test('values that break a contract: refused, or noted, and told to nobody', async () => {
  for (const [method, target, fields, body] of BREAKING) {
    const status = await ask(method, `/strict${target}`, fields, body);
    assert.ok(status >= 400 && status < 500, `${method} ${target} ${fields?.join()} ${body}: ${status}`);
  }
  for (const [method, target, fields, body] of BREAKING)
    if (!target.includes(`/${MARK}`)) await ask(method, `/report${target}`, fields, body);
});

test('credentials that are good, and what is bad about others', async () => {
  const good = token(claims({ email: MARK, groups: [MARK], deep: { a: MARK } }));
  others = [key, good.slice(good.lastIndexOf('.') + 1), base64(`gateway:${MARK}-client`)];
  const bearer = `Authorization: Bearer ${good}`;
  assert.equal(await ask('GET', '/staff/x', [bearer]), 200);
  assert.equal(await ask('GET', '/staff/fail', [bearer]), 500);
  assert.equal(await ask('GET', '/forbidden', [bearer]), 403);
  assert.equal(await ask('GET', '/own/somebody', [bearer]), 403);
  assert.equal(await ask('GET', '/key/x', [`X-Api-Key: ${key}`]), 200);
  assert.equal(await ask('GET', '/key/x', [`X-Api-Key: ${key.slice(0, -1)}0`]), 401);
  assert.equal(await ask('GET', '/key/x', [`X-Api-Key: ${key}`, `X-Api-Key: ${key}`]), 401);
  for (const other of [{ iss: MARK }, { aud: MARK }, { sub: [MARK] }, { scope: { a: MARK } }, { exp: MARK }, { iat: MARK }])
    assert.equal(await ask('GET', '/staff/x', [`Authorization: Bearer ${token(claims(other))}`]), 401);
  for (const other of [{ kid: MARK }, { typ: MARK }, { jku: `http://${MARK}/` }, { crit: [MARK] }, { alg: MARK }])
    assert.notEqual(await ask('GET', '/staff/x', [`Authorization: Bearer ${token(claims(), other)}`]), 500);
});

test("answers to the gateway's own questions", async () => {
  const lost = token(claims({ iss: `http://127.0.0.1:${(outside.address() as AddressInfo).port}/i`, aud: 'a' }));
  assert.equal(await ask('GET', '/lost', [`Authorization: Bearer ${lost}`]), 503);
  for (const [name, status] of [
    ['moved', 503],
    ['fails', 503],
    ['broken', 503],
    ['says-no', 401],
    ['says-yes', 200],
  ] as const)
    assert.equal(await ask('GET', `/${name}`, [`Authorization: Bearer ${MARK}-opaque`]), status, name);
});

test('WebSockets that the service or the gateway refuses', async () => {
  const handshake = [
    'Upgrade: websocket',
    'Connection: upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${base64(MARK).slice(0, 22)}==`,
  ];
  await ask('GET', '/socket', [...handshake, `Sec-WebSocket-Protocol: ${MARK}`]);
  await ask('GET', '/socket', [...handshake, `Origin: https://${MARK}.example.com`]);
  await ask('GET', '/socket', ['Upgrade: websocket', 'Connection: upgrade', `Sec-WebSocket-Version: ${MARK}`]);
});

test('HTTP/2', async () => {
  const session = http2.connect(`https://127.0.0.1:${gateway.port('secure')}`, { rejectUnauthorized: false });
  session.on('error', () => undefined);
  const secrets = { authorization: `Bearer ${MARK}`, cookie: `a=${MARK}`, 'x-api-key': MARK, 'user-agent': MARK, referer: MARK };
  const once = (head: http2.OutgoingHttpHeaders, body = '') =>
    new Promise<void>((resolve) => {
      sent += 1;
      const stream = session.request({ ':method': 'POST', 'content-type': 'application/json', ...secrets, ...head });
      let text = '';
      let type: string | undefined;
      stream.on('response', (fields) => (type = fields['content-type']));
      stream.on('data', (piece: Buffer) => (text += piece.toString()));
      stream.on('error', () => undefined);
      stream.on('close', () => {
        if (type === 'application/problem+json') refusals.push(text);
        resolve();
      });
      stream.end(body);
    });
  await once({ ':path': '/strict/things' }, JSON.stringify({ name: MARK }));
  await once({ ':path': `/strict/things?limit=${MARK}`, ':method': 'GET' });
  await once({ ':path': '/staff/x' });
  await once({ ':path': '/key/x' });
  await once({ ':path': '/strict/things', ':authority': `u:${MARK}@a` });
  await once({ ':path': '/strict/things', 'content-type': MARK }, MARK);
  await new Promise<void>((resolve) => session.close(resolve));
});

test('the door of the admin listener', async () => {
  const url = `http://127.0.0.1:${gateway.port('admin')}`;
  const wrong = await fetch(`${url}/login`, {
    method: 'POST',
    headers: { origin: url },
    body: new URLSearchParams({ token: `${MARK}-wrong` }),
  });
  refusals.push(await wrong.text());
  assert.equal(wrong.status, 401);
  const cookie = await fetch(`${url}/status.json`, { headers: { cookie: `session=${MARK}` } });
  assert.equal(cookie.status, 401);
  refusals.push(await cookie.text());
});

test('no sink has any of them', async () => {
  const records = await gateway.records(sent);
  assertClean(withoutPaths(records), 'record', others);
  const events = path.join(gateway.dir, 'events.jsonl');
  const text = () => (existsSync(events) ? readFileSync(events, 'utf8') : '');
  // The last of them.
  for (const end = performance.now() + 30_000; performance.now() < end && !text().includes('admin-token-wrong'); ) await wait(20);
  assert.match(text(), /admin-token-wrong/);
  const lines = text()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.ok(lines.length > 20, `only ${lines.length} events`);
  assertClean(withoutPaths(lines), 'events', others);
  for (const place of ['/metrics', '/status.json', '/readyz', '/']) {
    const answer = await fetch(`http://127.0.0.1:${gateway.port('admin')}${place}`, {
      headers: { authorization: `Bearer ${ADMIN}` },
    });
    assert.equal(answer.status, 200, place);
    assertClean(await answer.text(), place, others);
  }
  assertClean(gateway.stdout(), 'standard output', others);
  assertClean(gateway.stderr(), 'log', others);
});

test('no refused client is told one', () => {
  assert.ok(refusals.length > 50, String(refusals.length));
  for (const text of refusals) assertClean(text, 'a problem body', others);
});

/** A path stands in the record, and is no place for secrets unless `redact.parameters` names it: planted-secrets.test.ts. */
function withoutPaths(lines: readonly Record<string, unknown>[]): string {
  return JSON.stringify(lines.map(({ http: head, ...rest }) => ({ ...rest, http: { ...(head as object), path: '' } })));
}
