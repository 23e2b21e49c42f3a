import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { catalogue } from '../../src/errors/catalogue.ts';
import { type Pass, passes, type Seen, type Stop, stops } from '../cases/wire.ts';
import { checkProblem, Client, waitFor } from '../support/client.ts';
import { type Echo, fieldsOf, type SeenRequest, startEcho } from '../support/echo.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { feed, Harness } from '../support/http1-harness.ts';
import { parseResponse, parseResponses, type RawResponse, rawRequest } from '../support/raw.ts';

/**
 * The cases of `cases/wire.ts` over real sockets, with the service's and the record's view of each; then in memory, cut into pieces in
 * every way; then what takes two to show: expectations, half-closed connections, other protocols on the port.
 */

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
const PROBE = 'GET /x/probe HTTP/1.1\r\nHost: a\r\n\r\n';

let echo: Echo;
let gateway: Gateway;
let port = 0;
/** The service's end of a connection that it will upgrade, and what came on it behind the handshake. */
let switching: { socket: net.Socket; seen: () => string } | undefined;

function takeSwitch(socket: net.Socket): string {
  let text = '';
  socket.removeAllListeners('data');
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  switching = { socket, seen: () => text };
  return '';
}

/** Requests that were answered, in whatever way: as many records there must be. */
let answered = 0;
const refused: { request_id: string; code: string; status: number; why: string }[] = [];

before(async () => {
  echo = await startEcho({
    answer(seen, socket) {
      if (seen.target === '/x/switch') return takeSwitch(socket);
      const status = /^\/x\/status\/(\d+)$/.exec(seen.target)?.[1];
      return status === undefined ? undefined : `HTTP/1.1 ${status} X\r\n\r\n`;
    },
  });
  gateway = await startGateway(`
listeners:
  public: { address: 127.0.0.1:0 }
  secure: { address: 127.0.0.1:0, tls: self-signed }
services: { s: '${echo.url}' }
routes:
  - { path: /get-only, methods: [GET], service: s, authentication: none }
  - { path: /x/**, service: s, authentication: none, body: 1KiB }
  - { path: /evil.example/**, service: s, authentication: none }
  - { path: '/http:/**', service: s, authentication: none }
  - { path: /, service: s, authentication: none }
`);
  port = gateway.port('public');
});

after(async () => {
  await gateway.stop();
  await echo.stop();
});

const tokens = (answer: RawResponse, name: string): string[] => (answer.headers.get(name) ?? '').split(', ');

async function checkStop(one: Stop, client: Client): Promise<void> {
  const answers = await client.take(9);
  assert.equal(answers.length, 1, `answers: ${answers.map(({ status }) => status)}`);
  const id = checkProblem(answers[0], one.status, one.code);
  assert.ok(tokens(answers[0], 'connection').includes('close'));
  assert.ok(client.closed, 'the connection stays open');
  answered++;
  refused.push({ request_id: id, code: one.code, status: one.status, why: one.why });
  const reached = echo.requests.splice(0);
  assert.deepEqual(
    reached.map(({ raw }) => raw.toString('latin1')),
    [],
  );
}

const alias = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '-');

function checkSeen(seen: SeenRequest, wanted: Seen): void {
  assert.equal(seen.method, wanted.method ?? 'GET');
  assert.equal(seen.target, wanted.target);
  assert.equal(seen.version, 'HTTP/1.1');
  assert.equal(seen.body.toString('latin1'), wanted.body ?? '');
  for (const [name, value] of Object.entries(wanted.has ?? {})) assert.deepEqual(fieldsOf(seen, name), [value], name);
  for (const name of wanted.lacks ?? []) {
    const there = seen.headers.filter(([field]) => alias(field) === alias(name));
    assert.deepEqual(there, [], name);
  }
  for (const [name, value] of seen.headers) assert.notEqual(value, 'spoofed', name);
  for (const name of ['host', 'x-request-id', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'traceparent']) {
    assert.equal(seen.headers.filter(([field]) => alias(field) === name).length, 1, name);
  }
}

async function checkPass(one: Pass, client: Client): Promise<void> {
  const statuses = one.statuses ?? one.seen.map(() => 200);
  if (one.closes !== true) {
    await client.take(statuses.length);
    client.write(PROBE);
  }
  const wanted = one.closes === true ? statuses : [...statuses, 200];
  const answers = await client.take(one.closes === true ? 9 : wanted.length);
  assert.deepEqual(
    answers.map(({ status }) => status),
    wanted,
  );
  assert.equal(client.closed, one.closes === true);
  answered += wanted.length;
  const seen = echo.requests.splice(0);
  const wantedSeen = one.closes === true ? one.seen : [...one.seen, { target: '/x/probe' }];
  assert.deepEqual(
    seen.map(({ target }) => target),
    wantedSeen.map(({ target }) => target),
  );
  for (const [i, each] of wantedSeen.entries()) checkSeen(seen[i], each);
}

/** Writes each byte by itself; the kernel may put some of them together again. */
async function byBytes(client: Client, bytes: string): Promise<void> {
  for (const byte of bytes) {
    client.write(byte);
    await turn();
  }
}

describe('over sockets', () => {
  for (const one of stops) {
    test(`${one.threat} stops: ${one.why}`, async (t) => {
      const client = await Client.open(t, port);
      client.write(one.bytes + SMUGGLED);
      await checkStop(one, client);
    });
  }

  for (const one of passes) {
    test(`${one.threat} passes: ${one.why}`, async (t) => {
      const client = await Client.open(t, port);
      client.write(one.bytes);
      await checkPass(one, client);
    });
  }

  const every = <T extends { bytes: string }>(list: readonly T[], nth: number): T[] =>
    list.filter(({ bytes }, i) => i % nth === 0 && bytes.length < 500);
  test('byte by byte', async (t) => {
    for (const one of every(stops, 12)) {
      const client = await Client.open(t, port);
      await byBytes(client, one.bytes + SMUGGLED);
      await checkStop(one, client);
    }
    for (const one of every(passes, 12).filter(({ inOnePiece }) => inOnePiece !== true)) {
      const client = await Client.open(t, port);
      await byBytes(client, one.bytes);
      await checkPass(one, client);
    }
  });
});

describe('what takes two to show', () => {
  test('HEAD has no body, refused or not', async (t) => {
    const client = await Client.open(t, port);
    client.write(
      'HEAD /x HTTP/1.1\r\nHost: a\r\n\r\nHEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\nHEAD /x HTTP/1.1\r\nHost: a@b\r\n\r\n',
    );
    while (!client.closed) await turn();
    const heads = client.text.split('\r\n\r\n');
    assert.deepEqual(
      heads.map((text) => text.slice(0, 12)),
      ['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 400', ''],
    );
    assert.match(heads[1], /content-length: [1-9]/);
    answered += 3;
    assert.equal(echo.requests.splice(0).length, 1);
  });

  test('100 Continue comes when the body is wanted, and only then', async (t) => {
    const client = await Client.open(t, port);
    client.write('POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
    while (!client.text.includes('\r\n\r\n')) await turn();
    assert.equal(client.text, 'HTTP/1.1 100 Continue\r\n\r\n');
    client.write('hello' + PROBE);
    assert.deepEqual(
      (await client.take(2)).map(({ status }) => status),
      [200, 200],
    );
    assert.deepEqual(
      echo.requests.splice(0).map(({ body }) => body.toString()),
      ['hello', ''],
    );
    answered += 2;
  });

  test('without 100 Continue where the body is refused; what comes then is never a request', async (t) => {
    const client = await Client.open(t, port);
    client.write('POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n');
    assert.deepEqual(
      (await client.take(1)).map(({ status }) => status),
      [413],
    );
    client.write(SMUGGLED);
    assert.deepEqual(
      (await client.take(2, 1000)).map(({ status }) => status),
      [413],
    );
    assert.equal(client.text.includes('100 Continue'), false);
    assert.deepEqual(echo.requests.splice(0), []);
    answered++;
  });

  test('curl: expectation, upload, refused upload', async () => {
    const run = promisify(execFile);
    const curl = async (...more: string[]): Promise<string> =>
      (await run('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code}', ...more])).stdout;
    const url = `http://127.0.0.1:${port}/x`;
    assert.equal(await curl('-H', 'Expect: 100-continue', '-d', 'hello', url), '200');
    assert.equal(await curl('-H', 'Transfer-Encoding: chunked', '-d', 'hello', url), '200');
    assert.equal(await curl('--http1.0', '-d', 'hello', url), '200');
    assert.equal(await curl('-d', 'x'.repeat(2000), url), '413');
    assert.equal(await curl('-I', url), '200');
    assert.deepEqual(
      echo.requests.splice(0).map(({ body }) => body.toString()),
      ['hello', 'hello', 'hello', ''],
    );
    answered += 5;
  });

  test('a client that writes 8 MB before it looks for the answer still finds the 413', async (t) => {
    const socket = net.connect({ port, host: '127.0.0.1' }).pause();
    t.after(() => socket.destroy());
    socket.write('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n');
    for (let i = 0; i < 125; i++) if (!socket.write(Buffer.alloc(64_000))) await once(socket, 'drain');
    const pieces: Buffer[] = [];
    for await (const piece of socket) pieces.push(piece as Buffer);
    checkProblem(parseResponse(Buffer.concat(pieces)), 413, 'body-too-large');
    answered++;
  });

  test('five requests and the end: five answers, in order', async (t) => {
    const client = await Client.open(t, port);
    const paths = ['/x/1', '/x/2', '/nowhere', '/x/4', '/x/5'];
    client.socket.end(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    const answers = await client.take(9);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 404, 200, 200],
    );
    assert.deepEqual(
      echo.requests.splice(0).map(({ target }) => target),
      ['/x/1', '/x/2', '/x/4', '/x/5'],
    );
    assert.ok(client.closed);
    answered += 5;
  });

  test('a body, and the end in its middle', async (t) => {
    const client = await Client.open(t, port);
    client.socket.end('POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhello');
    checkProblem((await client.take(9))[0], 400, 'body-malformed');
    assert.deepEqual(echo.requests.splice(0), []);
    answered++;
  });

  test('the end in the middle of a head', async (t) => {
    const client = await Client.open(t, port);
    client.socket.end('GET /x HTTP/1.1\r\nHos');
    checkProblem((await client.take(9))[0], 400, 'request-line');
    answered++;
  });

  test('a connection that closes without a byte leaves no record', async (t) => {
    const client = await Client.open(t, port);
    client.socket.end();
    while (!client.closed) await turn();
    assert.equal(client.text, '');
  });

  test('bytes behind a handshake wait for the 101', async (t) => {
    const client = await Client.open(t, port);
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    client.write(
      `GET /x/switch HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n${key}\r\nbehind`,
    );
    await waitFor(() => switching !== undefined);
    const { socket, seen } = switching as { socket: net.Socket; seen: () => string };
    await wait(50);
    assert.equal(seen(), '', 'bytes came before the 101');
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello',
    );
    await waitFor(() => seen() === 'behind' && client.text.endsWith('hello'));
    assert.match(client.text, /^HTTP\/1\.1 101 /);
    client.socket.destroy();
    await once(socket, 'close');
    echo.requests.splice(0);
    answered++;
  });

  test('plain HTTP on a TLS port is closed', async (t) => {
    const client = await Client.open(t, gateway.port('secure'));
    client.write(PROBE);
    await client.take(1);
    assert.ok(client.closed);
    assert.deepEqual(echo.requests.splice(0), []);
  });

  test('TLS on a plain port is closed, and told in the record', async () => {
    await assert.rejects(rawRequest(port, PROBE, { tls: true }));
    answered++;
  });

  test('the same over TLS: a request, a refusal', async () => {
    const secure = gateway.port('secure');
    const answers = parseResponses(
      await rawRequest(secure, [`GET https://a/x HTTP/1.1\r\nHost: a\r\n\r\n`, 'GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n'], {
        tls: true,
      }),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 400],
    );
    assert.deepEqual(fieldsOf(echo.requests.splice(0)[0], 'x-forwarded-proto'), ['https']);
    answered += 2;
  });

  test('storms of connections that say nothing, half, or nonsense (41)', async () => {
    const texts = [
      '',
      '\r\n',
      'GET',
      'GET /x HTTP/1.1\r\nHost: a\r\n',
      'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\nx',
    ];
    const files = (): number => readdirSync(`/proc/${gateway.process.pid}/fd`).length;
    const before = files();
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 100 }, async (_, i) => {
          const socket = net.connect({ port, host: '127.0.0.1' });
          socket.on('error', () => undefined);
          await once(socket, 'connect');
          socket.write(texts[i % texts.length]);
          if (i % 2 === 0) await turn();
          socket.resetAndDestroy();
        }),
      );
    }
    await waitFor(() => files() <= before + 20);
    assert.equal(gateway.stderr(), '');
  });
});

describe('the records', () => {
  test('one for each answer, with room and code', async () => {
    // Uploads that were broken off in the storm have a record each, though nobody was left to take an answer.
    const all = (await gateway.records(answered)).filter(({ decision }) => decision?.code !== 'client-gone');
    // HTTP on the port of TLS gets no answer; what became of it is recorded all the same.
    const records = all.filter(({ decision }) => decision?.code !== 'handshake-failed');
    assert.equal(all.length - records.length, 1);
    assert.equal(records.length, answered);
    const byId = Map.groupBy(records, ({ request_id }) => request_id);
    assert.ok(refused.length > 400);
    for (const { request_id, code, status, why } of refused) {
      const found = byId.get(request_id) ?? [];
      assert.equal(found.length, 1, why);
      assert.equal(found[0].http.status, status, why);
      assert.equal(found[0].decision?.code, code, why);
      assert.equal(found[0].decision?.room, catalogue[code as keyof typeof catalogue].room, why);
    }
    for (const { http, decision } of records) assert.equal(decision === undefined, http.status === 101 || http.status < 400);
  });

  test('a target that was refused stands in its record without its query', async () => {
    const records = await gateway.records();
    const paths = records.filter(({ decision }) => decision?.code === 'path-ambiguous').map(({ http }) => http.path);
    assert.ok(paths.includes('/x/..%2fy'));
    assert.ok(records.every(({ http }) => !String(http.path).includes('?')));
  });
});

// ---- cut into pieces

interface Reading {
  readonly answers: string;
  readonly closed: boolean;
  readonly reached: unknown;
  readonly decisions: unknown;
}

const WITHOUT = /(?:date|x-request-id): [^\r]*\r\n|"request_id":"[^"]*"/g;

async function readInPieces(pieces: readonly string[]): Promise<Reading> {
  const harness = await Harness.make();
  const { socket } = harness.open();
  await feed(socket, pieces);
  const reading = {
    answers: socket.text.replace(WITHOUT, '').replaceAll('HTTP/1.1 100 Continue\r\n\r\n', ''),
    closed: socket.over,
    reached: harness.service.reached.map(({ method, target, body, headers }) => [
      method,
      target,
      body,
      headers.filter((_, i) => headers[i - (i % 2)].length < 9),
    ]),
    decisions: harness.records.map((x) => [x.head.method, x.head.version, x.decision?.code, x.status]),
  };
  assert.deepEqual(harness.defects, []);
  socket.destroy();
  return reading;
}

describe('cut into pieces', () => {
  const short = [
    ...stops.map(({ bytes, why }) => ({ bytes: bytes + SMUGGLED, why })),
    ...passes.filter(({ inOnePiece }) => inOnePiece !== true),
  ];
  const cases = short.filter(({ bytes }) => bytes.length < 600);
  test(`byte by byte (${cases.length} cases)`, async () => {
    for (const { bytes, why } of cases) assert.deepEqual(await readInPieces([...bytes]), await readInPieces([bytes]), why);
  });
  test('in two, at every position', async () => {
    for (const { bytes, why } of cases.filter((_, i) => i % 5 === 0)) {
      const whole = await readInPieces([bytes]);
      for (let at = 1; at < bytes.length; at++) {
        assert.deepEqual(await readInPieces([bytes.slice(0, at), bytes.slice(at)]), whole, `${why}, cut at ${at}`);
      }
    }
  });
});
