import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import http2 from 'node:http2';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { CatalogueCode } from '../../src/errors/catalogue.ts';
import type { WireClient, WireClientOptions } from '../../src/upstream/client/client.ts';
import { makeClient } from '../../src/upstream/client/make-client.ts';
import { PieceSource } from '../support/body-sources.ts';
import { answer, FLAG, FRAME, fields, frame, HostileH2, type Stream, u32 } from '../support/hostile-h2.ts';
import { HostileService } from '../support/hostile-service.ts';
import { tlsFiles } from '../support/tls.ts';
import { begin, clientOptions, makeCall, send } from '../support/wire-call.ts';

const h2c = (port: number, more: Partial<WireClientOptions> = {}): WireClient =>
  makeClient(clientOptions(port, { protocol: 'h2c', ...more }));
const head = (id: number, flags: number, ...list: string[]): Buffer => frame(FRAME.headers, flags, id, fields(...list));
const ok = (id: number, ...more: string[]): Buffer => head(id, FLAG.endHeaders, ':status', '200', ...more);
const data = (id: number, text: string, last = false): Buffer => frame(FRAME.data, last ? FLAG.endStream : 0, id, text);
const rst = (id: number, code: number): Buffer => frame(FRAME.rst, 0, id, u32(code));
const goaway = (last: number, code: number): Buffer => frame(FRAME.goaway, 0, 0, u32(last, code));

interface H2Case {
  readonly name: string;
  readonly reply: (stream: Stream) => (Buffer | undefined)[];
  readonly status?: number;
  readonly body?: string;
  readonly trailers?: readonly string[];
  readonly fault?: CatalogueCode;
  readonly untouched?: true;
  /** The connection serves the next call as well. */
  readonly reused: boolean;
}

const many = (count: number, size: number): string[] =>
  Array.from({ length: count }, (_, i) => [`x-${i}`, 'y'.repeat(size)]).flat();
const interim = (id: number, status: string): Buffer => head(id, FLAG.endHeaders, ':status', status);
const MALFORMED = 'upstream-malformed';

const cases: readonly H2Case[] = [
  { name: 'an answer', reply: ({ id }) => [answer(id, 'hello', 'x-a', 'caf\xe9')], status: 200, body: 'hello', reused: true },
  {
    name: 'with a length',
    reply: ({ id }) => [answer(id, 'hello', 'content-length', '5')],
    status: 200,
    body: 'hello',
    reused: true,
  },
  {
    name: 'a head that ends the stream',
    reply: ({ id }) => [head(id, 5, ':status', '204')],
    status: 204,
    body: '',
    reused: true,
  },
  {
    name: 'with trailers',
    reply: ({ id }) => [ok(id), data(id, 'hello'), head(id, 5, 'x-sum', '1')],
    status: 200,
    body: 'hello',
    trailers: ['x-sum', '1'],
    reused: true,
  },
  {
    name: '103 before the answer',
    reply: ({ id }) => [interim(id, '103'), interim(id, '100'), answer(id, 'hello')],
    status: 200,
    body: 'hello',
    reused: true,
  },
  {
    name: '17 interim answers',
    reply: ({ id }) => [...Array<Buffer>(17).fill(interim(id, '103')), answer(id, 'hello')],
    fault: MALFORMED,
    reused: true,
  },
  { name: '101', reply: ({ id }) => [interim(id, '101')], fault: MALFORMED, reused: true },
  {
    name: 'shorter than its length',
    reply: ({ id }) => [answer(id, 'hello', 'content-length', '6')],
    status: 200,
    fault: MALFORMED,
    reused: true,
  },
  {
    name: 'longer than its length',
    reply: ({ id }) => [answer(id, 'hello', 'content-length', '4')],
    status: 200,
    fault: MALFORMED,
    reused: false,
  },
  {
    name: 'two lengths',
    reply: ({ id }) => [answer(id, 'hello', 'content-length', '5', 'content-length', '5')],
    fault: MALFORMED,
    reused: true,
  },
  { name: 'length +5', reply: ({ id }) => [answer(id, 'hello', 'content-length', '+5')], fault: MALFORMED, reused: true },
  {
    name: 'transfer-encoding',
    reply: ({ id }) => [answer(id, 'hello', 'transfer-encoding', 'chunked')],
    fault: MALFORMED,
    reused: true,
  },
  { name: 'connection', reply: ({ id }) => [answer(id, 'hello', 'connection', 'close')], fault: MALFORMED, reused: true },
  { name: 'a name in upper case', reply: ({ id }) => [answer(id, 'hello', 'X-A', 'b')], fault: MALFORMED, reused: true },
  {
    name: 'a pseudo field behind others',
    reply: ({ id }) => [head(id, 4, 'x-a', 'b', ':status', '200')],
    fault: MALFORMED,
    reused: true,
  },
  { name: 'no status', reply: ({ id }) => [head(id, 4, 'x-a', 'b')], fault: MALFORMED, reused: true },
  { name: 'status 999', reply: ({ id }) => [head(id, 4, ':status', '999')], fault: MALFORMED, reused: true },
  { name: 'status 2x0', reply: ({ id }) => [head(id, 4, ':status', '2x0')], fault: MALFORMED, reused: true },
  {
    name: 'CRLF in a value: the field is left out',
    reply: ({ id }) => [answer(id, 'hello', 'x-a', 'a\r\nset-cookie: b')],
    status: 200,
    body: 'hello',
    reused: true,
  },
  { name: '300 fields', reply: ({ id }) => [answer(id, 'hello', ...many(300, 1))], fault: MALFORMED, reused: true },
  { name: 'a head of 20 kB', reply: ({ id }) => [answer(id, 'hello', ...many(15, 1000))], fault: MALFORMED, reused: true },
  {
    name: 'reset in the body',
    reply: ({ id }) => [ok(id), data(id, 'hello'), rst(id, 2)],
    status: 200,
    body: 'hello',
    fault: 'upstream-closed',
    reused: true,
  },
  {
    name: 'reset with NO_ERROR in the body',
    reply: ({ id }) => [ok(id), data(id, 'hello'), rst(id, 0)],
    status: 200,
    body: 'hello',
    fault: 'upstream-closed',
    reused: true,
  },
  { name: 'reset before the head', reply: ({ id }) => [rst(id, 8)], fault: 'upstream-closed', reused: true },
  { name: 'refused', reply: ({ id }) => [rst(id, 7)], fault: 'upstream-closed', untouched: true, reused: true },
  { name: 'GOAWAY below the stream', reply: () => [goaway(1, 0)], fault: 'upstream-closed', untouched: true, reused: false },
  {
    name: 'GOAWAY with an error below the stream',
    reply: () => [goaway(1, 11)],
    fault: 'upstream-closed',
    untouched: true,
    reused: false,
  },
  {
    name: 'GOAWAY at the stream, then the rest',
    reply: ({ id }) => [ok(id), goaway(id, 0), data(id, 'hello', true)],
    status: 200,
    body: 'hello',
    reused: false,
  },
  {
    name: 'HTTP/1.1',
    reply: () => [Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')],
    fault: MALFORMED,
    reused: false,
  },
  {
    name: 'a push',
    reply: ({ id }) => [
      frame(
        FRAME.push,
        4,
        id,
        Buffer.concat([u32(2), fields(':method', 'GET', ':path', '/', ':scheme', 'http', ':authority', 'x')]),
      ),
    ],
    fault: MALFORMED,
    reused: false,
  },
  { name: 'data on a stream that nobody opened', reply: () => [data(99, 'evil')], fault: MALFORMED, reused: false },
  { name: 'an answer on a stream that nobody opened', reply: () => [answer(99, 'evil')], fault: MALFORMED, reused: false },
  { name: 'data without a head', reply: ({ id }) => [data(id, 'evil', true)], fault: MALFORMED, reused: false },
  {
    name: 'a frame that is too large',
    reply: ({ id }) => [ok(id), data(id, 'x'.repeat(20_000))],
    status: 200,
    fault: MALFORMED,
    reused: false,
  },
  { name: 'a window that overflows', reply: () => [frame(FRAME.window, 0, 0, u32(0x7fffffff))], fault: MALFORMED, reused: false },
  {
    name: 'a head without end',
    reply: ({ id }) => [
      head(id, 0, ':status', '200'),
      ...Array<Buffer>(20).fill(frame(FRAME.continuation, 0, id, fields('x', 'y'))),
    ],
    fault: MALFORMED,
    reused: false,
  },
  {
    name: 'the connection closes in the body',
    reply: ({ id, socket }) => [ok(id), data(id, 'hello'), void setTimeout(() => socket.end(), 10)],
    status: 200,
    body: 'hello',
    fault: 'upstream-closed',
    reused: false,
  },
  {
    name: 'the connection is reset',
    reply: ({ socket }) => [void socket.resetAndDestroy()],
    fault: 'upstream-closed',
    reused: false,
  },
];

test('answers over HTTP/2', { concurrency: 4 }, async (t) => {
  await Promise.all(cases.map((one) => t.test(one.name, () => tryCase(one))));
});

async function tryCase(one: H2Case): Promise<void> {
  await using service = await HostileH2.start();
  const client = h2c(service.port);
  assert.equal((await send(client, makeCall('/right'))).body, 'right');
  service.onStream = (stream) => Buffer.concat(one.reply(stream).filter((part) => part !== undefined));
  const outcome = await send(client, makeCall('/case'));
  assert.deepEqual(
    [outcome.status, outcome.fault?.code, outcome.fault?.untouched],
    [one.status ?? 0, one.fault, one.fault && (one.untouched ?? false)],
    JSON.stringify(outcome.fault ?? ''),
  );
  if (one.body !== undefined) assert.equal(outcome.body, one.body);
  if (one.trailers !== undefined) assert.deepEqual(outcome.trailers, one.trailers);
  assert.ok(!outcome.headers.includes('set-cookie') && !outcome.headers.some((name) => name.startsWith(':')));
  await wait(5);
  let connection = 0;
  service.onStream = (stream) => {
    connection = stream.connection;
    return answer(stream.id, 'right');
  };
  assert.equal((await send(client, makeCall('/right'))).body, 'right');
  assert.equal(connection, one.reused ? 1 : 2);
  assert.equal(client.active, 0);
  client.close();
  await service.empty();
  assert.equal(client.connections, 0);
}

async function goodService(
  onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
  settings: http2.Settings = {},
) {
  const server = http2.createServer({ settings });
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    onStream(stream, headers);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    server.close();
    for (const session of sessions) session.destroy();
  };
  return { server, sessions, port: (server.address() as AddressInfo).port, [Symbol.dispose]: close };
}

test('heads with too many fields do not end the process (nodejs/node#39951)', async () => {
  const script = path.join(import.meta.dirname, '../support/h2-large-heads.ts');
  const child = spawn(process.execPath, [script, '60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  assert.deepEqual([code, signal, text], [0, null, '60 refused\n']);
});

test('requests over HTTP/2: fields, bodies, trailers', async () => {
  const seen: { headers: http2.IncomingHttpHeaders; body: string; trailers: http2.IncomingHttpHeaders | undefined }[] = [];
  using service = await goodService((stream, headers) => {
    let body = '';
    let trailers: http2.IncomingHttpHeaders | undefined;
    stream.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    stream.on('trailers', (list) => (trailers = list));
    stream.on('end', () => {
      seen.push({ headers, body, trailers });
      stream.respond({ ':status': 200 });
      stream.end('ok');
    });
  });
  const client = h2c(service.port);
  const more = ['host', 'a.test:81', 'x-a', '1', 'te', 'trailers', 'connection', 'x', 'x-latin', 'caf\xe9'];
  const large = Buffer.alloc(600_000, 'abc');
  assert.equal((await send(client, makeCall('/p?q=1', { headers: more }))).body, 'ok');
  assert.equal((await send(client, makeCall('/', { method: 'POST', body: large }))).body, 'ok');
  assert.equal((await send(client, makeCall('/', { method: 'POST', body: new PieceSource(['hel', 'lo'], 5) }))).body, 'ok');
  assert.equal((await send(client, makeCall('/', { method: 'POST', body: new PieceSource(['hel', 'lo']) }))).body, 'ok');
  assert.equal(
    (await send(client, makeCall('/', { method: 'POST', body: new PieceSource(Array<Buffer>(50).fill(large)) }))).body,
    'ok',
  );
  const [first, whole, known, unknown, long] = seen;
  assert.deepEqual(
    [first.headers[':authority'], first.headers[':path'], first.headers['x-a'], first.headers.te],
    ['a.test:81', '/p?q=1', '1', 'trailers'],
  );
  assert.deepEqual([first.headers.host, first.headers.connection], [undefined, undefined]);
  assert.deepEqual([whole.body.length, whole.headers['content-length']], [600_000, '600000']);
  assert.deepEqual(
    [known.body, known.headers['content-length'], unknown.body, unknown.headers['content-length']],
    ['hello', '5', 'hello', undefined],
  );
  assert.equal(long.body.length, 30_000_000);
  assert.equal(service.sessions.size, 1);
  client.close();
});

test('HTTP/2: a body that breaks is reset, one of another length is not finished', async () => {
  const ends: string[] = [];
  using service = await goodService((stream, headers) => {
    stream.on('end', () => ends.push(`end ${stream.rstCode}`));
    stream.on('aborted', () => ends.push(`aborted ${headers[':path']}`));
    stream.resume();
  });
  const client = h2c(service.port);
  const broken = begin(client, makeCall('/broken', { method: 'POST', body: new PieceSource(['hel'], undefined, 'broken') }));
  const long = await send(client, makeCall('/long', { method: 'POST', body: new PieceSource(['hello', ' world'], 5, 'open') }));
  const short = await send(client, makeCall('/short', { method: 'POST', body: new PieceSource(['hel'], 5) }));
  await wait(30);
  assert.deepEqual([broken.ended, long.fault?.code, short.fault?.code], [false, 'internal', 'internal']);
  assert.deepEqual(ends.filter((one) => one.startsWith('aborted')).sort(), [
    'aborted /broken',
    'aborted /long',
    'aborted /short',
  ]);
  client.close();
});

test('HTTP/2: an answer before the end of the body ends the call', async () => {
  using service = await goodService((stream) => {
    stream.respond({ ':status': 413 });
    stream.end('no');
  });
  const client = h2c(service.port);
  const outcome = await send(client, makeCall('/', { method: 'POST', body: new PieceSource(['hello'], 10, 'open') }));
  assert.deepEqual([outcome.status, outcome.body, outcome.fault], [413, 'no', undefined]);
  assert.equal(client.active, 0);
  client.close();
});

test('HTTP/2: back-pressure both ways, and cancelling one of many', async () => {
  let written = 0;
  using service = await goodService((stream, headers) => {
    if (headers[':method'] === 'POST') return;
    stream.respond({ ':status': 200 });
    if (headers[':path'] === '/small') return void stream.end('small');
    const more = (): void => {
      while (!stream.destroyed && stream.write(Buffer.alloc(65_536))) written += 65_536;
    };
    stream.on('drain', more);
    more();
  });
  const client = h2c(service.port);
  const recorder = begin(client, makeCall('/large'));
  recorder.flowing = false;
  const source = new PieceSource(Array<Buffer>(400).fill(Buffer.alloc(65_536)));
  const upload = begin(client, makeCall('/', { method: 'POST', body: source }));
  await recorder.head;
  await wait(60);
  const before = [recorder.bytes, written, source.given];
  // Others go on while these two stand still.
  assert.equal((await send(client, makeCall('/small'))).body, 'small');
  await wait(60);
  assert.deepEqual([recorder.bytes, written, source.given], before);
  assert.ok(recorder.bytes <= 1024 * 1024 && written <= 2 * 1024 * 1024 && source.given < 50);
  recorder.flowing = true;
  recorder.handle?.resume();
  while (recorder.bytes < 3 * 1024 * 1024) await wait(2);
  recorder.handle?.cancel();
  upload.handle?.cancel();
  assert.equal((await send(client, makeCall('/small'))).body, 'small');
  assert.equal(client.active, 0);
  client.close();
});

test('HTTP/2: streams share a connection up to what the service allows', async () => {
  const waiting: http2.ServerHttp2Stream[] = [];
  using service = await goodService((stream) => waiting.push(stream), { maxConcurrentStreams: 4 });
  const client = h2c(service.port, { maxConnections: 2 });
  const first = begin(client, makeCall('/'));
  while (waiting.length === 0) await wait(2);
  const others = Array.from({ length: 7 }, () => begin(client, makeCall('/')));
  while (waiting.length < 8) await wait(2);
  assert.deepEqual([client.connections, client.active], [2, 8]);
  for (const stream of waiting) {
    stream.respond({ ':status': 200 });
    stream.end('x');
  }
  for (const one of [first, ...others]) assert.equal((await one.outcome).body, 'x');
  client.close();
});

test('HTTP/2: a dead service, connect and idle time, close', async () => {
  await using silent = await HostileService.start();
  const slow = makeClient(
    clientOptions(silent.port, {
      protocol: 'h2',
      connectTimeout: 300,
      tls: { serverName: undefined, ca: undefined, certificate: undefined, key: undefined, verify: true, pins: [] },
    }),
  );
  const began = performance.now();
  const source = new PieceSource(['x']);
  const late = await send(slow, makeCall('/', { method: 'POST', body: source }));
  const took = performance.now() - began;
  assert.deepEqual([late.fault?.code, late.fault?.untouched, source.started], ['upstream-connect', true, false]);
  assert.ok(took >= 299 && took < 8000, `${took} ms`);
  await using service = await HostileH2.start();
  const client = h2c(service.port, { idleTimeout: 300 });
  await send(client, makeCall('/'));
  await service.empty();
  assert.equal(client.connections, 0);
  client.close();
  assert.equal((await send(client, makeCall('/'))).fault?.untouched, true);
});

test('auto: ALPN decides, upgrades go over HTTP/1.1', async () => {
  await using files = await tlsFiles(['service.test']);
  const { certificate, key } = files.of('service.test');
  const pem = { cert: readFileSync(certificate), key: readFileSync(key) };
  const ca = readFileSync(files.ca, 'latin1');
  const tls = { serverName: 'service.test', ca, certificate: undefined, key: undefined, verify: true, pins: [] };
  const server = http2.createSecureServer({ ...pem, allowHTTP1: true }, (request, response) => response.end(request.httpVersion));
  server.on('upgrade', (_, socket) =>
    socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = makeClient(clientOptions((server.address() as AddressInfo).port, { protocol: 'auto', tls }));
  const answers = await Promise.all([1, 2, 3].map(() => send(client, makeCall('/'))));
  assert.deepEqual(
    answers.map((one) => one.body),
    ['2.0', '2.0', '2.0'],
  );
  assert.equal(client.connections, 1);
  const upgraded = await send(client, makeCall('/', { upgrade: true }));
  assert.equal(upgraded.status, 101);
  upgraded.socket?.destroy();
  client.close();
  server.close();
  await using old = await HostileService.start(pem);
  const plain = makeClient(clientOptions(old.port, { protocol: 'auto', tls }));
  const both = await Promise.all([send(plain, makeCall('/right/a')), send(plain, makeCall('/right/b'))]);
  assert.deepEqual(
    both.map((one) => one.body),
    ['right a', 'right b'],
  );
  plain.close();
});
