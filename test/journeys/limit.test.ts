/** Limits over sockets: that nothing gets past them, what a client is told, and what a reload leaves. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Evasion, evasions, LIMITS } from '../cases/limit-evasion.ts';
import { type Asker, http1Asker, http2Asker } from '../support/ask.ts';
import { checkProblem, Client, waitFor } from '../support/client.ts';
import { type Echo, startEcho } from '../support/echo.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';

const PROXY = '127.9.9.9';
const ALL_METHODS = '[GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS]';

const route = (path: string, rest: string) =>
  `  - { path: ${path}, methods: ${ALL_METHODS}, service: echo, authentication: none, ${rest} }\n`;

const limitedGateway = (service: string) => `
listeners:
  plain: { address: 127.0.0.1:0 }
  secure: { address: 127.0.0.1:0, tls: self-signed }
trusted-proxies: [${PROXY}]
admin: { address: 127.0.0.1:0 }
services:
  echo: ${service}
${LIMITS}
  burst: { rate: 20/hour, by: address }
routes:
${route('/address/**', 'limits: [clients]')}${route('/also/**', 'limits: [clients]')}${route('/tenant/**', 'limits: [tenants]')}\
${route('/pair/**', 'limits: [pairs]')}${route('/whole/**', 'limits: [{ rate: 3/hour, by: route }]')}\
${route('/other-whole/**', 'limits: [{ rate: 3/hour, by: route }]')}${route('/burst/**', 'limits: [burst]')}\
${route('/told/**', 'limits: [{ rate: 7/minute, burst: 1, by: header:x-who }]')}\
${route('/narrow/**', 'concurrency: { max: 2, queue: 1, wait: 200ms }')}`;

let echo: Echo;
let gateway: Gateway;
/** Answers under /narrow wait until the test lets them go. */
let held: (() => void)[] = [];

before(async () => {
  echo = await startEcho({
    answer: ({ target }, socket) => {
      if (!target.startsWith('/narrow')) return undefined;
      held.push(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
      return '';
    },
  });
  gateway = await startGateway(limitedGateway(echo.url));
});
after(async () => {
  await gateway?.stop();
  await echo?.stop();
});

let hosts = 0;
/** An address of this machine that nobody has come from yet. */
const newAddress = () => `127.1.${++hosts >> 8}.${hosts & 255}`;

function bytesOf(request: string): string {
  return `${request}${/^host:/im.test(request) ? '' : '\r\nHost: api.test'}\r\n\r\n`;
}

/** Sends them one after the other over one connection, or one for each where the server closes. */
async function statusesOf(t: TestContext, requests: readonly string[], from: string): Promise<number[]> {
  const statuses: number[] = [];
  for (const request of requests) {
    const client = await Client.open(t, gateway.port('plain'), { from });
    client.write(bytesOf(request));
    // Only the head: an answer to HEAD has no more.
    await waitFor(() => client.text.includes('\r\n\r\n') || client.closed, `no answer to ${request.slice(0, 100)}`, 10_000);
    statuses.push(Number(/^HTTP\/1\.1 (\d+)/.exec(client.text)?.[1]));
    client.socket.destroy();
  }
  return statuses;
}

async function evade(t: TestContext, one: Evasion): Promise<void> {
  const from = one.proxied === true ? PROXY : newAddress();
  const seen = echo.requests.length;
  const statuses = await statusesOf(t, one.requests, from);
  assert.equal(echo.requests.length - seen, one.reach ?? 3, `the service saw ${statuses.join(' ')}`);
  const passed = statuses.filter((status) => status === 200).length;
  assert.equal(passed, one.reach ?? 3, statuses.join(' '));
  for (const status of statuses) assert.ok(status === 200 || status === 429, statuses.join(' '));
  for (const { request, elsewhere } of one.passes)
    assert.deepEqual(await statusesOf(t, [request], elsewhere === true ? newAddress() : from), [200], request.slice(0, 100));
}

describe('a limit is not got past by', () => {
  for (const one of evasions) test(one.name, (t) => evade(t, one));

  test('pipelining', async (t) => {
    const client = await Client.open(t, gateway.port('plain'), { from: newAddress() });
    client.write(Array.from({ length: 60 }, (_, i) => bytesOf(`GET /burst/${i} HTTP/1.1`)).join(''));
    const answers = await client.take(60, 20_000);
    assert.deepEqual(tally(answers.map(({ status }) => status)), { 200: 20, 429: 40 });
  });

  test('many connections at once', async (t) => {
    const from = newAddress();
    const clients = await Promise.all(Array.from({ length: 60 }, () => Client.open(t, gateway.port('plain'), { from })));
    for (const client of clients) client.write(bytesOf('GET /burst/a HTTP/1.1'));
    const answers = await Promise.all(clients.map((client) => client.take(1, 20_000)));
    assert.deepEqual(tally(answers.map(([{ status }]) => status)), { 200: 20, 429: 40 });
  });

  test('streams of HTTP/2, and both versions together', async () => {
    // Both come from 127.0.0.1, which no other test of this limit does.
    const [one, two] = [http2Asker(gateway.port('secure')), http1Asker(gateway.port('secure'), { tls: true, fresh: true })];
    const ask = async (asker: Asker, i: number) => (await asker.ask({ path: `/burst/${i}` })).status;
    try {
      const asked = Array.from({ length: 60 }, (_, i) => ask(i % 3 === 0 ? two : one, i));
      assert.deepEqual(tally(await Promise.all(asked)), { 200: 20, 429: 40 });
    } finally {
      one.close();
      two.close();
    }
  });
});

function tally(statuses: readonly number[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describe('a client that is over a limit', () => {
  test('gets a problem, and in fields what is left and when', async (t) => {
    const client = await Client.open(t, gateway.port('plain'));
    client.write(bytesOf('GET /told/a HTTP/1.1\r\nx-who: told').repeat(2));
    const [passed, refused] = await client.take(2, 10_000);
    const who = checkProblem(refused, 429, 'rate-limited');
    assert.equal(passed.headers.get('ratelimit'), '"7/minute";r=0;t=9');
    for (const { headers } of [passed, refused]) assert.equal(headers.get('ratelimit-policy'), '"7/minute";q=7;w=60');
    assert.equal(refused.headers.get('retry-after'), '9');
    assert.equal(refused.headers.get('ratelimit'), '"7/minute";r=0;t=9');
    const find = async () => (await gateway.records()).find(({ request_id }) => request_id === who);
    let record = await find();
    for (const end = performance.now() + 5000; record === undefined && performance.now() < end; record = await find())
      await wait(20);
    assert.equal(record?.decision?.room, 'limit');
    assert.match(record?.decision?.reason ?? '', /7\/minute by header:x-who/);
    assert.doesNotMatch(JSON.stringify(record), /told"/);
  });

  test('keeps its connection: the body of a refused request is not taken for the next one', async (t) => {
    const client = await Client.open(t, gateway.port('plain'), { from: newAddress() });
    const body = 'GET /told/evil HTTP/1.1\r\nx-a: b';
    const post = `POST /told/a HTTP/1.1\r\nx-who: body\r\nContent-Length: ${body.length}\r\n`;
    client.write(bytesOf('GET /told/a HTTP/1.1\r\nx-who: body'));
    client.write(`${post}Host: api.test\r\n\r\n${body}`);
    await client.take(2, 10_000);
    client.write(bytesOf('GET /address/next HTTP/1.1'));
    const answers = await client.take(3, client.closed ? 0 : 2000);
    assert.deepEqual(
      answers.slice(0, 2).map(({ status }) => status),
      [200, 429],
    );
    assert.ok(answers.length === 2 || answers[2].status === 200, client.text);
    assert.ok(!echo.requests.some(({ target }) => target.includes('evil')));
  });
});

const metrics = async () => await (await fetch(`http://127.0.0.1:${gateway.port('admin')}/metrics`)).text();

test('metrics have the decisions by name, and the buckets', async () => {
  const text = await metrics();
  assert.match(text, /^portcullis_limit_decisions_total\{limit="clients",verdict="passed"\} \d+$/m);
  assert.match(text, /^portcullis_limit_decisions_total\{limit="clients",verdict="refused"\} \d+$/m);
  assert.match(
    text,
    /^portcullis_limit_decisions_total\{limit="\/told\/\*\* 7\/minute by header:x-who",verdict="refused"\} \d+$/m,
  );
  assert.match(text, /^portcullis_limit_buckets \d+$/m);
  assert.match(text, /^portcullis_concurrency_running\{concurrency="route \/narrow\/\*\*"\} 0$/m);
});

describe('concurrency', () => {
  test('lets two run and one wait; clients that leave make room', async (t) => {
    const open = async () => {
      const client = await Client.open(t, gateway.port('plain'));
      client.write(bytesOf('GET /narrow/a HTTP/1.1'));
      return client;
    };
    const running = [await open(), await open()];
    await waitFor(() => held.length === 2, 'two are not with the service', 10_000);
    const waiting = await open();
    // It waits for 200 ms, which may be over before the next one asks: then that one waits in its place.
    const late = await open();
    const first = await Promise.race([waiting, late].map((client) => client.take(1, 10_000)));
    checkProblem(first[0], 503, 'concurrency-exceeded');
    assert.equal(first[0].headers.get('retry-after'), '1');
    await Promise.all([waiting, late].map((client) => client.take(1, 10_000)));
    assert.equal(held.length, 2);
    for (const client of running) client.socket.resetAndDestroy();
    const free = /portcullis_concurrency_running\{concurrency="route \/narrow\/\*\*"\} 0/;
    for (const end = performance.now() + 10_000; !free.test(await metrics()); await wait(20))
      if (performance.now() > end) assert.fail('the places of those that left are not free');
    const next = [await open(), await open()];
    await waitFor(() => held.length === 4, 'those that came later are not with the service', 10_000);
    for (const answer of held) answer();
    held = [];
    for (const client of next) assert.equal((await client.take(1, 10_000))[0].status, 200);
  });
});

describe('a reload', () => {
  const config = (service: string, limit: string, other = '') => `
listeners: { plain: { address: 127.0.0.1:0 } }
admin: { address: 127.0.0.1:0 }
services: { echo: ${service} }
limits: { clients: ${limit} }
routes: [{ path: /**, service: echo, authentication: none, limits: [clients] ${other} }]
`;

  test('leaves a limit that it does not change, and begins anew with one that it does', async () => {
    await using own = await startGateway(config(echo.url, '{ rate: 3/hour, by: address }'));
    const ask = async () => (await fetch(`http://127.0.0.1:${own.port('plain')}/`)).status;
    const reload = async (text: string) => {
      const observe = /\nobserve: .*\n/.exec(await readFile(own.config, 'utf8'))?.[0] ?? '';
      const before = reloads(own);
      await writeFile(own.config, text + observe);
      own.process.kill('SIGHUP');
      for (const end = performance.now() + 10_000; reloads(own) === before; await wait(20))
        if (performance.now() > end) assert.fail(`no reload:\n${own.stderr()}`);
    };
    assert.deepEqual([await ask(), await ask()], [200, 200]);
    await reload(config(echo.url, '{ rate: 3/hour, by: address, headers: false }', ', body: 1KiB'));
    assert.deepEqual([await ask(), await ask()], [200, 429]);
    await reload(config(echo.url, '{ rate: 3/hour, by: address }'));
    assert.equal(await ask(), 429);
    await reload(config(echo.url, '{ rate: 4/hour, by: address }'));
    assert.deepEqual([await ask(), await ask(), await ask(), await ask(), await ask()], [200, 200, 200, 200, 429]);
  });
});

const reloads = (own: Gateway) => own.stderr().split('reloaded').length;

test('a limit that needs a caller does not load on an open route, and the place is told', async () => {
  const text = `listeners: { plain: { address: 127.0.0.1:0 } }
services: { echo: ${echo.url} }
limits: { who: { rate: 3/hour, by: [address, caller] } }
routes: [{ path: /**, service: echo, authentication: none, limits: [who] }]
`;
  await assert.rejects(startGateway(text), /portcullis\.yaml:4:\d+: a limit by caller needs a caller/);
});
