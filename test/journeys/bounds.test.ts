import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { checkProblem, Client, type ClientOptions, waitFor } from '../support/client.ts';
import { type AccessRecord, type Gateway, startGateway } from '../support/gateway.ts';

/** Every bound on what one client may take up: it fires when it is due, no earlier and at most a second later, and it is told. */

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';
const get = (path: string, ...fields: string[]): string =>
  `GET ${path} HTTP/1.1\r\n${['Host: a', ...fields].join('\r\n')}\r\n\r\n`;
const post = (path: string, ...fields: string[]): string => get(path, ...fields).replace('GET', 'POST');

/** Calls that are under way at the service, by path, and how they ended. */
const hanging = new Map<string, { response: http.ServerResponse; closed: number }>();
let uploaded = 0;

const service = http.createServer((request, response) => {
  const path = request.url ?? '';
  if (path.startsWith('/x/hang')) {
    const call = { response, closed: 0 };
    hanging.set(path, call);
    response.on('close', () => (call.closed = performance.now()));
    if (path.includes('stream')) response.write('begun');
  } else if (path.startsWith('/x/after')) setTimeout(() => response.end('late'), Number(path.slice('/x/after/'.length)));
  else if (path === '/x/big') sendBig(response);
  else if (path === '/x/slow-upload') takeSlowly(request, response);
  else request.resume().on('end', () => response.end('ok'));
});

/** 64 MB, as fast as they are taken. */
function sendBig(response: http.ServerResponse): void {
  let left = 1000;
  const more = (): void => {
    while (left > 0) {
      left -= 1;
      if (!response.write(Buffer.alloc(64_000))) break;
    }
    if (left === 0) response.end();
  };
  response.on('drain', more);
  more();
}

function takeSlowly(request: http.IncomingMessage, response: http.ServerResponse): void {
  request.on('data', (chunk: Buffer) => {
    uploaded += chunk.length;
    request.pause();
    setTimeout(() => request.resume(), 20);
  });
  request.on('end', () => response.end('ok'));
}

let gateway: Gateway;

before(async () => {
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  service.on('clientError', (_error, socket) => socket.destroy());
  gateway = await startGateway(`
listeners:
  usual: { address: 127.0.0.1:0 }
  head: { address: 127.0.0.1:0, bounds: { head-time: 1s } }
  secure-head: { address: 127.0.0.1:0, tls: self-signed, bounds: { head-time: 1s } }
  body: { address: 127.0.0.1:0, bounds: { body-time: 1s } }
  request: { address: 127.0.0.1:0, bounds: { request-time: 1500ms } }
  idle: { address: 127.0.0.1:0, bounds: { idle-time: 1s } }
  three: { address: 127.0.0.1:0, bounds: { requests-per-connection: 3 } }
  small: { address: 127.0.0.1:0, bounds: { target-bytes: 100, head-bytes: 1KiB, head-count: 10 } }
  caps: { address: 127.0.0.1:0, bounds: { connections: 8, connections-per-address: 5 } }
services: { s: { targets: ['http://127.0.0.1:${(service.address() as AddressInfo).port}'], timeout: 20s } }
routes:
  - { path: /x/**, service: s, authentication: none, body: 1KiB }
  - { path: /x/slow-upload, service: s, authentication: none, body: 100MiB }
`);
});

after(async () => {
  service.closeAllConnections();
  service.close();
  await gateway.stop();
});

const open = (t: TestContext, listener: string, options?: ClientOptions): Promise<Client> =>
  Client.open(t, gateway.port(listener), options);
const memory = (): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${gateway.process.pid}/status`, 'utf8'))?.[1]) / 1024;

/** Each bound fires at most a second late, which is held by a clock that is moved (src/listen); the rest is for a busy machine. */
const LATE = 5000;

/** Not early, and by this bound. The clocks of two processes are read here: 20 ms for that. */
function checkTime(began: number, ended: number, bound: number): void {
  const took = ended - began;
  assert.ok(took > bound - 20 && took < bound + LATE, `after ${Math.round(took)} ms instead of ${bound} ms`);
}

/** The records of this request, once there is one. */
async function recordsOf(id: string): Promise<AccessRecord[]> {
  for (const end = performance.now() + 15_000; ; await wait(20)) {
    const found = (await gateway.records()).filter(({ request_id }) => request_id === id);
    if (found.length > 0 || performance.now() > end) return found;
  }
}

/** The client gets this refusal at this time, the connection closes, and there is one record of it. */
async function checkTimedOut(client: Client, began: number, bound: number, code: string): Promise<void> {
  const answers = await client.take(99, bound + 2 * LATE);
  checkTime(began, client.closedAt, bound);
  const id = checkProblem(answers[answers.length - 1], 408, code);
  assert.equal(answers[answers.length - 1].headers.get('connection'), 'close');
  const own = await recordsOf(id);
  assert.equal(own.length, 1);
  assert.equal(own[0].decision?.code, code);
  assert.equal(own[0].decision?.room, 'listen');
}

/** Writes one byte every 50 ms until the other side has closed. */
async function drip(client: Client, bytes: string): Promise<void> {
  for (let i = 0; !client.closed && i < bytes.length; i++) {
    client.write(bytes[i]);
    await wait(50);
  }
}

describe('times', { concurrency: true }, () => {
  for (const [listener, options] of [
    ['head', {}],
    ['secure-head', { tls: true }],
  ] as const) {
    test(`${listener}: no bytes`, async (t) => {
      const began = performance.now();
      await checkTimedOut(await open(t, listener, options), began, 1000, 'head-timeout');
    });

    test(`${listener}: some bytes`, async (t) => {
      const began = performance.now();
      const client = await open(t, listener, options);
      client.write('GET /x HTTP/1.1\r\nHos');
      await checkTimedOut(client, began, 1000, 'head-timeout');
    });

    test(`${listener}: slowloris`, async (t) => {
      const began = performance.now();
      const client = await open(t, listener, options);
      void drip(client, `GET /x HTTP/1.1\r\nHost: a\r\n${'X: y\r\n'.repeat(20)}`);
      await checkTimedOut(client, began, 1000, 'head-timeout');
    });

    test(`${listener}: from the first byte on a kept connection`, async (t) => {
      const client = await open(t, listener, options);
      client.write(GET);
      await client.take(1);
      await wait(1500);
      assert.equal(client.closed, false, 'idle-time is another bound');
      const began = performance.now();
      void drip(client, GET);
      await checkTimedOut(client, began, 1000, 'head-timeout');
    });
  }

  for (const bytes of ['', '\x16\x03\x01\x02\x00\x01']) {
    test(`secure-head: ${bytes === '' ? 'no handshake' : 'half a handshake'}`, async (t) => {
      const began = performance.now();
      const client = await open(t, 'secure-head');
      client.write(bytes);
      await waitFor(() => client.closed);
      checkTime(began, client.closedAt, 1000);
      assert.equal(client.text, '');
    });
  }

  for (const [what, start, rest] of [
    ['nothing of it', post('/x', 'Content-Length: 100'), ''],
    ['dripping', post('/x', 'Content-Length: 100'), 'x'.repeat(100)],
    ['dripping chunks', post('/x', 'Transfer-Encoding: chunked'), '1\r\nx\r\n'.repeat(20)],
    ['expected, and never sent', post('/x', 'Content-Length: 100', 'Expect: 100-continue'), ''],
  ] as const) {
    test(`body: ${what}`, async (t) => {
      const client = await open(t, 'body');
      const began = performance.now();
      client.write(start);
      void drip(client, rest);
      await checkTimedOut(client, began, 1000, 'body-timeout');
    });
  }

  test('body: one that the service takes slowly is not the client’s fault', async (t) => {
    const client = await open(t, 'body');
    const body = 'x'.repeat(20_000_000);
    client.write(post('/x/slow-upload', `Content-Length: ${body.length}`));
    client.write(body);
    const [answer] = await client.take(1, 15_000);
    assert.equal(answer?.status, 200, answer?.body.toString());
    assert.equal(uploaded, body.length);
  });

  test('request: head and body together', async (t) => {
    const began = performance.now();
    const client = await open(t, 'request');
    await drip(client, 'POST /x HTTP/1.1');
    client.write('\r\nHost: a\r\nContent-Length: 100\r\n\r\n');
    void drip(client, 'x'.repeat(100));
    await checkTimedOut(client, began, 1500, 'request-timeout');
  });

  test('request: a head alone', async (t) => {
    const began = performance.now();
    const client = await open(t, 'request');
    client.write('GET /x HT');
    await checkTimedOut(client, began, 1500, 'head-timeout');
  });

  test('request: an answer may take longer', async (t) => {
    const client = await open(t, 'request');
    client.write(get('/x/after/2500'));
    assert.equal((await client.take(1, 5000))[0]?.status, 200);
  });

  test('idle: a connection between two requests closes without a word', async (t) => {
    const client = await open(t, 'idle');
    client.write(GET);
    await client.take(1);
    const began = performance.now();
    await waitFor(() => client.closed);
    checkTime(began, client.closedAt, 1000);
    assert.equal(client.answers.length, 1);
    assert.equal(client.error, undefined);
  });

  test('idle: a client that does not take its answer', async (t) => {
    const rss = memory();
    const socket = net.connect({ port: gateway.port('idle'), host: '127.0.0.1' });
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    socket.write(get('/x/big'));
    socket.pause();
    const stalled = async (): Promise<AccessRecord[]> =>
      (await gateway.records()).filter(({ http, listener }) => listener === 'idle' && http.path === '/x/big');
    const began = performance.now();
    while ((await stalled()).length === 0 && performance.now() - began < 2 * LATE) await wait(20);
    // The kernels of both sides fill first, which takes a moment.
    const took = performance.now() - began;
    assert.ok(took > 980 && took < 1000 + LATE, `after ${took} ms`);
    assert.ok(memory() - rss < 40, `${Math.round(memory() - rss)} MB more`);
    const [record] = await stalled();
    assert.equal(record.http.status, 200);
    assert.equal(record.decision?.code, 'client-gone');
  });
});

describe('sizes and counts', () => {
  const cases: [string, string, number, string | undefined][] = [
    ['a target that fits', get(`/x?${'q'.repeat(97)}`), 200, undefined],
    ['a target that does not', get(`/x?${'q'.repeat(98)}`), 414, 'target-too-long'],
    ['fields that fit', get('/x', `X: ${'y'.repeat(1024 - 'Host: a\r\nX: \r\n'.length)}`), 200, undefined],
    ['fields that do not', get('/x', `X: ${'y'.repeat(1025 - 'Host: a\r\nX: \r\n'.length)}`), 431, 'headers-too-large'],
    ['ten fields', get('/x', ...Array.from({ length: 9 }, () => 'X: y')), 200, undefined],
    ['eleven fields', get('/x', ...Array.from({ length: 10 }, () => 'X: y')), 431, 'headers-too-large'],
    ['a body that fits', `${post('/x', 'Content-Length: 1024')}${'x'.repeat(1024)}`, 200, undefined],
    ['a body that is declared too large', post('/x', 'Content-Length: 1025'), 413, 'body-too-large'],
    ['chunks that fit', `${post('/x', 'Transfer-Encoding: chunked')}400\r\n${'x'.repeat(1024)}\r\n0\r\n\r\n`, 200, undefined],
    [
      'chunks that do not',
      `${post('/x', 'Transfer-Encoding: chunked')}401\r\n${'x'.repeat(1025)}\r\n0\r\n\r\n`,
      413,
      'body-too-large',
    ],
  ];
  for (const [what, bytes, status, code] of cases) {
    test(what, async (t) => {
      const client = await open(t, 'small');
      client.write(bytes);
      const [answer] = await client.take(1);
      if (code === undefined) assert.equal(answer.status, status);
      else {
        const id = checkProblem(answer, status, code);
        await waitFor(() => client.closed);
        const own = await recordsOf(id);
        assert.deepEqual(
          own.map(({ decision }) => decision?.code),
          [code],
        );
      }
    });
  }

  test('a body that outgrows its bound while the service takes it', async (t) => {
    const client = await open(t, 'small');
    client.write(post('/x', 'Transfer-Encoding: chunked'));
    for (let i = 0; i < 20 && !client.closed; i++) {
      client.write(`64\r\n${'x'.repeat(100)}\r\n`);
      await wait(10);
    }
    checkProblem((await client.take(1))[0], 413, 'body-too-large');
    await waitFor(() => client.closed);
  });

  test('requests-per-connection', async (t) => {
    const client = await open(t, 'three');
    client.write(GET.repeat(5));
    const answers = await client.take(5);
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers.get('connection')]),
      [
        [200, undefined],
        [200, undefined],
        [200, 'close'],
      ],
    );
    assert.ok(client.closed);
  });
});

describe('caps', () => {
  const turnedAway = async (): Promise<AccessRecord[]> =>
    (await gateway.records()).filter(({ decision }) => decision?.code === 'connection-cap');

  /** Who was turned away since there were `before`: so many records, each of a connection that brought no request. */
  async function checkTurnedAway(before: number, count: number): Promise<AccessRecord[]> {
    let since: AccessRecord[] = [];
    for (const end = performance.now() + 15_000; since.length < count && performance.now() < end; await wait(20)) {
      since = (await turnedAway()).slice(before);
    }
    assert.equal(since.length, count);
    for (const { listener, http, decision } of since) {
      assert.deepEqual([listener, http.status, http.method, http.path, decision?.room], ['caps', 0, '', '', 'listen']);
    }
    return since;
  }

  test('from one address, the oldest without a complete head goes first', async (t) => {
    const before = (await turnedAway()).length;
    const busy = await open(t, 'caps');
    busy.write(get('/x/hang/cap'));
    await waitFor(() => hanging.has('/x/hang/cap'));
    const slow: Client[] = [];
    for (let i = 0; i < 4; i++) slow.push(await open(t, 'caps'));
    slow[0].write('GET /x');
    const other = await open(t, 'caps', { from: '127.0.0.2' });
    const next = await open(t, 'caps');
    next.write(GET);
    assert.equal((await next.take(1))[0]?.status, 200);
    assert.deepEqual(
      [busy, ...slow, other].map(({ closed }) => closed),
      [false, true, false, false, false, false],
    );
    hanging.get('/x/hang/cap')?.response.end('at last');
    assert.equal((await busy.take(1))[0]?.status, 200);
    await checkTurnedAway(before, 1);
    for (const client of [busy, ...slow, other, next]) client.socket.destroy();
  });

  test('in all, whatever the addresses', async (t) => {
    const before = (await turnedAway()).length;
    const clients: Client[] = [];
    for (let i = 0; i < 12; i++) clients.push(await open(t, 'caps', { from: `127.0.0.${10 + Math.floor(i / 3)}` }));
    clients[11].write(GET);
    assert.equal((await clients[11].take(1))[0]?.status, 200);
    await waitFor(() => clients.filter(({ closed }) => closed).length === 4);
    assert.ok(clients.slice(0, 4).every(({ closed }) => closed));
    const records = await checkTurnedAway(before, 4);
    assert.deepEqual(
      records.map(({ client }) => (client as { address: string }).address),
      ['127.0.0.10', '127.0.0.10', '127.0.0.10', '127.0.0.11'],
    );
    for (const client of clients) client.socket.destroy();
  });

  test('when all are at work, one more is closed, and none of them', async (t) => {
    await wait(50);
    const clients: Client[] = [];
    for (let i = 0; i < 5; i++) {
      clients.push(await open(t, 'caps'));
      clients[i].write(get(`/x/hang/full-${i}`));
      await waitFor(() => hanging.has(`/x/hang/full-${i}`));
    }
    const before = (await turnedAway()).length;
    const more = await open(t, 'caps');
    await waitFor(() => more.closed);
    const [{ decision }] = await checkTurnedAway(before, 1);
    assert.match(decision?.reason ?? '', /`connections-per-address`/);
    for (const [i, client] of clients.entries()) {
      hanging.get(`/x/hang/full-${i}`)?.response.end('ok');
      assert.equal((await client.take(1))[0]?.status, 200);
    }
  });
});

describe('clients that leave', { concurrency: true }, () => {
  const ways: [string, (client: Client) => void][] = [
    ['by a reset', ({ socket }) => socket.resetAndDestroy()],
    ['by closing', ({ socket }) => socket.destroy()],
    ['by closing one half', ({ socket }) => socket.end()],
  ];
  const calls: [string, (path: string) => string][] = [
    ['that hangs', (path) => get(path)],
    ['that streams', (path) => get(`${path}-stream`)],
    ['with an upload', (path) => `${post(path, 'Content-Length: 1000')}x`],
    ['with more in the pipeline', (path) => `${get(path)}${GET}`],
  ];
  for (const [how, leave] of ways) {
    for (const [what, start] of calls) {
      test(`${how}, from a call ${what}`, async (t) => {
        const path = `/x/hang/${how}/${what}`.replaceAll(' ', '-');
        const client = await open(t, 'usual');
        client.write(start(path));
        const key = what === 'that streams' ? `${path}-stream` : path;
        await waitFor(() => hanging.has(key));
        if (what === 'that streams') await waitFor(() => client.text.includes('begun'));
        const began = performance.now();
        leave(client);
        const call = hanging.get(key) as { closed: number };
        await waitFor(() => call.closed > 0, 'the service was not told');
        assert.ok(call.closed - began < 1000 + LATE);
        if (how === 'by closing one half' && what !== 'with an upload') assert.ok(call.closed - began > 900, 'too early');
      });
    }
  }

  test('a half-closed one gets an answer that comes within a second', async (t) => {
    const client = await open(t, 'usual');
    client.socket.end(get('/x/after/700'));
    const [answer] = await client.take(1);
    assert.equal(answer?.body.toString(), 'late');
    await waitFor(() => client.closed);
  });
});

test('1,900 slow and idle connections and 200 hanging calls from one address leave the others alone', async (t) => {
  const port = gateway.port('usual');
  const quiet = await slowest(t);
  const before = memory();
  const crowd: net.Socket[] = [];
  t.after(() => {
    for (const socket of crowd) socket.destroy();
  });
  const join = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = net.connect({ port, host: '127.0.0.1' });
      crowd.push(socket);
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.write(text);
        resolve();
      });
    });
  const texts = ['', 'GET /x HTTP/1.1\r\nHost: a\r\nX: ', GET, `${post('/x', 'Content-Length: 1000')}x`];
  for (let i = 0; i < 1900; i += 100) await Promise.all(Array.from({ length: 100 }, (_, k) => join(texts[k % texts.length])));
  for (let i = 0; i < 200; i += 100)
    await Promise.all(Array.from({ length: 100 }, (_, k) => join(get(`/x/hang/crowd-${i + k}`))));
  await waitFor(() => [...hanging.keys()].filter((path) => path.includes('crowd')).length === 200);

  const p99 = await slowest(t);
  assert.ok(p99 < 300 + 10 * quiet, `p99 is ${p99} ms, and was ${quiet} ms without the crowd`);
  assert.ok(memory() - before < 60, `${Math.round(memory() - before)} MB more for 2,100 connections`);
  assert.ok(memory() < 250, `${Math.round(memory())} MB`);
});

/** The 99th percentile of 500 requests on ten connections. */
async function slowest(t: TestContext): Promise<number> {
  const times: number[] = [];
  const ask = async (): Promise<void> => {
    const client = await open(t, 'usual');
    for (let i = 1; i <= 50; i++) {
      const began = performance.now();
      client.write(GET);
      assert.equal((await client.take(i)).length, i);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: 10 }, ask));
  times.sort((a, b) => a - b);
  return times[Math.floor(times.length * 0.99)];
}
