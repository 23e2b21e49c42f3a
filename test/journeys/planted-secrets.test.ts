/**
 * Marked secrets in every place that a request, a service and a configuration have: none of them stands in any sink. Sinks are the access
 * record, the events, the log and standard output, metrics, the status, and what refused clients are told.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { startGateway, type Gateway } from '../support/gateway.ts';
import { assertClean, base64, MARK } from '../support/marks.ts';

/** Echoes nothing, and answers with secrets of its own. */
const service = http.createServer((request, answer) => {
  request.resume().on('end', () => {
    if (request.url?.startsWith('/broken')) return void request.socket.end(`HTTP/1.1 2x0 ${MARK}\r\nx: ${MARK}\r\n\r\n`);
    answer.writeHead(200, { 'set-cookie': `id=${MARK}`, 'x-secret': MARK, 'content-type': 'text/plain' });
    return void answer.end(MARK);
  });
});
let target = '';
before(async () => {
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  target = `127.0.0.1:${(service.address() as AddressInfo).port}`;
});
after(async () => {
  service.closeAllConnections();
  await new Promise((resolve) => service.close(resolve));
});

const TOKEN = `${MARK}-the-admin-token`;

const configuration = (workers: number) => `
listeners: { plain: { address: 127.0.0.1:0 }, secure: { address: 127.0.0.1:0, tls: self-signed } }
services: { s: "http://${target}", nobody: http://127.0.0.1:1 }
workers: ${workers}
admin: { address: 127.0.0.1:0, token: secret:ADMIN }
observe: { access: access.jsonl, events: events.jsonl, redact: { parameters: [email] } }
authentication:
  issuer: { jwt: { issuer: "http://127.0.0.1:1/i", audience: a, algorithms: [RS256] } }
  asked:
    introspection: { endpoint: "http://127.0.0.1:1/ask", audience: any, client: { id: gateway, secret: secret:CLIENT } }
limits: { few: { rate: 1/hour, by: address }, field: { rate: 1/hour, by: "header:x-customer" } }
routes:
  - { path: "/users/{email}", service: s, authentication: none, response-headers: { x-own: secret:OWN } }
  - { path: "/users/{email}/more/**", service: nobody, authentication: none }
  - { path: /few, service: s, authentication: none, limits: [few, field] }
  - { path: /jwt, service: s, authentication: [issuer] }
  - { path: /asked, service: s, authentication: [asked] }
  - { path: /read, service: s, authentication: none, validate: { types: [application/json, application/x-www-form-urlencoded] } }
  - { path: /broken, service: s, authentication: none }
  - { path: /nobody, service: nobody, authentication: none }
`;

const env = { ADMIN: TOKEN, CLIENT: `${MARK}-client`, OWN: `${MARK}-own` };

/** Header fields that carry secrets, and some that only might. */
const FIELDS = [
  `Authorization: Bearer ${MARK}`,
  `Authorization: Basic ${base64(`user:${MARK}`)}`,
  `Authorization: ${MARK}`,
  `Proxy-Authorization: Basic ${base64(MARK)}`,
  `Cookie: a=b; session=${MARK}`,
  `X-Api-Key: ${MARK}`,
  `X-Customer: ${MARK}`,
  `X-Whatever: ${MARK}`,
  `User-Agent: ${MARK}`,
  `Referer: https://u:${MARK}@example.com/?token=${MARK}`,
  `Origin: https://${MARK}.example.com`,
  `Traceparent: ${MARK}`,
  `X-Request-Id: ${MARK}`,
  `X-Forwarded-For: ${MARK}`,
  `Content-Type: ${MARK}`,
  `Content-Encoding: ${MARK}`,
  `Transfer-Encoding: ${MARK}`,
  `Content-Length: ${MARK}`,
  `Expect: ${MARK}`,
  `Upgrade: ${MARK}\r\nConnection: upgrade`,
  `${MARK}: x`,
  ` ${MARK}: x`,
  `X-Odd: \0${MARK}`,
];

const PATHS = [
  '/jwt',
  '/asked',
  '/few',
  '/read',
  '/broken',
  '/nobody',
  `/users/${MARK}`,
  `/users/${MARK}/more/x`,
  `/users/${MARK}/else`,
];

const BODIES: [type: string, body: string][] = [
  ['application/json', `{"password":"${MARK}"}`],
  ['application/json', `{"a":"${MARK}","a":"${MARK}"}`],
  ['application/json', `{"${MARK}":1,"${MARK}":2}`],
  ['application/json', `{"a":${MARK}}`],
  ['application/json', `["${MARK}`],
  ['application/x-www-form-urlencoded', `password=${MARK}&a=%zz`],
  [`text/${MARK}`, MARK],
  [`application/json; charset=${MARK}`, MARK],
  [`multipart/form-data; boundary=${MARK}`, `--${MARK}\r\n\r\n${MARK}\r\n--${MARK}--`],
];

function requests(): string[] {
  const ask = (target: string, ...fields: string[]) =>
    `GET ${target} HTTP/1.1\r\nHost: h\r\n${fields.map((field) => `${field}\r\n`).join('')}Connection: close\r\n\r\n`;
  const post = (type: string, body: string) =>
    `POST /read?token=${MARK} HTTP/1.1\r\nHost: h\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  return [
    ...PATHS.flatMap((target) => FIELDS.map((field) => ask(target, field))),
    ...PATHS.map((target) => ask(`${target}?access_token=${MARK}&a=${MARK}#${MARK}`)),
    ...PATHS.map((target) => ask(`${target}?${MARK}=${MARK}`)),
    ask(`http://user:${MARK}@h/few?x=${MARK}`),
    ask(`/users/${MARK}%2f`),
    ask(`/users/%zz${MARK}`),
    ask(`/%75sers%2f${MARK}`),
    `GET /users/${MARK} HTTP/9.9\r\n\r\n`,
    `GET /users/${MARK} ${MARK}\r\n\r\n`,
    ...BODIES.map(([type, body]) => post(type, body)),
  ];
}

/** What came back, until the connection closed. */
function send(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    let text = '';
    socket.setTimeout(30_000, () => socket.destroy(new Error('no end of the answer')));
    socket.on('data', (piece) => (text += piece.toString('latin1')));
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? resolve(text) : reject(error)));
    socket.on('close', () => resolve(text));
    socket.write(bytes, 'latin1');
  });
}

async function admin(gateway: Gateway, target: string, token: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${gateway.port('admin')}${target}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: answer.status, text: await answer.text() };
}

for (const workers of [1, 2]) {
  describe(`planted secrets with ${workers === 1 ? 'one process' : 'several workers'}`, () => {
    let gateway: Gateway;
    let answers: string[] = [];
    before(async () => {
      gateway = await startGateway(configuration(workers), { env, timeout: 60_000 });
      const all = requests();
      answers = [];
      // Some at a time: each has a connection.
      for (let i = 0; i < all.length; i += 20) {
        answers.push(...(await Promise.all(all.slice(i, i + 20).map((one) => send(gateway.port('plain'), one)))));
      }
    });
    after(() => gateway.stop());

    test('none is told to a client that is refused', () => {
      const refused = answers.filter((answer) => answer.includes('application/problem+json'));
      assert.ok(refused.length > answers.length / 2, `${refused.length} of ${answers.length} were refused`);
      for (const answer of refused) {
        // Our own field stands in answers of its route by configuration; and who sent a doubled name is told which.
        const told = answer
          .replaceAll(`x-own: ${MARK}-own`, '')
          .replaceAll(`"pointer":"/${MARK}","rule":"json-duplicate-key"`, '');
        assertClean(told, 'a problem body');
      }
      assert.ok(
        answers.some((answer) => answer.includes(MARK)),
        'the service is reached',
      );
    });

    test('none stands in record, events, log, metrics and status', async () => {
      const records = await gateway.records(answers.length);
      assert.ok(records.length >= answers.length);
      assert.equal((await admin(gateway, '/metrics', `${MARK}-wrong-token-of-somebody`)).status, 401);
      const events = path.join(gateway.dir, 'events.jsonl');
      for (const end = performance.now() + 30_000; performance.now() < end; await wait(20)) {
        if (existsSync(events) && readFileSync(events, 'utf8').includes('admin-token-wrong')) break;
      }
      assert.match(readFileSync(events, 'utf8'), /admin-token-wrong/);
      assertClean(readFileSync(events, 'utf8'), 'events');
      assertClean(JSON.stringify(records), 'record');
      for (const place of ['/metrics', '/status.json', '/readyz']) {
        const { status, text } = await admin(gateway, place, TOKEN);
        assert.equal(status, 200, place);
        assertClean(text, place);
      }
      assertClean(gateway.stdout(), 'standard output');
      assertClean(gateway.stderr(), 'log');
    });

    test('none is shown by a reload that fails, whatever it stands in', async () => {
      for (const wrong of [
        `services: { s: "http://user:${MARK}@127.0.0.1:1" }`,
        `store: redis://:${MARK}@127.0.0.1:99999999`,
        `admin: { address: 127.0.0.1:0, token: "${MARK} with spaces" }`,
        `authentication: { a: { jwt: { issuer: "https://u:${MARK}@i", audience: a, algorithms: [RS256] } } }`,
      ]) {
        const before = gateway.stderr().length;
        const key = wrong.slice(0, wrong.indexOf(':'));
        const lines = configuration(workers).split('\n');
        const others = lines.filter((line) => !line.startsWith(`${key}:`)).join('\n');
        const block = key === 'authentication' ? others.replace(/^ {2}issuer:.*\n {2}asked:\n.*\n/m, '') : others;
        await writeFile(
          gateway.config,
          `${block}\nobserve: { access: access.jsonl }\n${wrong}\n`.replace(/^observe: .*events.*\n/m, ''),
        );
        for (const end = performance.now() + 30_000; performance.now() < end; await wait(20)) {
          if (gateway.stderr().slice(before).includes('the configuration is not changed')) break;
        }
        assert.match(gateway.stderr().slice(before), /the configuration is not changed/, wrong);
        assertClean(gateway.stderr(), `log of ${wrong}`);
      }
    });
  });
}

test('check shows no password of a URL', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'portcullis-planted-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'portcullis.yaml');
  const rest = 'listeners: { p: { address: 127.0.0.1:0 } }\nroutes: [{ path: /x, service: s, authentication: none }]\n';
  for (const url of [`http://user:${MARK}@127.0.0.1:1`, `http://user:${MARK}@`, `http://${MARK}@h/path?token=${MARK}`]) {
    await writeFile(file, `${rest}services: { s: "${url}" }\n`);
    const main = path.resolve(import.meta.dirname, '../../src/main.ts');
    const shown = await new Promise<string>((resolve) => {
      execFile(process.execPath, [main, 'check', '--config', file], { timeout: 60_000 }, (_, out, err) => resolve(out + err));
    });
    assert.match(shown, /portcullis\.yaml:3:16: /);
    assertClean(shown, 'check');
  }
});
