import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { WireClient, WireClientOptions } from '../../src/upstream/client/client.ts';
import { makeClient } from '../../src/upstream/client/make-client.ts';
import { PieceSource } from '../support/body-sources.ts';
import { HostileService } from '../support/hostile-service.ts';
import { begin, clientOptions, makeCall, Recorder, send } from '../support/wire-call.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

type Kind = 'lean' | 'undici';
interface Parts {
  readonly service: HostileService;
  readonly client: WireClient;
  readonly kind: Kind;
}

/** Runs one test for both clients; `not` names those that it does not hold for, with the reason. */
function both(
  name: string,
  run: (parts: Parts, t: TestContext) => Promise<void>,
  more: { not?: Partial<Record<Kind, string>>; options?: Partial<WireClientOptions> } = {},
): void {
  for (const kind of ['lean', 'undici'] as const) {
    const skip = more.not?.[kind] ?? false;
    test(`${kind}: ${name}`, { skip, timeout: 15_000 }, async (t) => {
      await using service = await HostileService.start();
      service.script = { pieces: [OK] };
      const client = makeClient(clientOptions(service.port, { kind, ...more.options }));
      await run({ service, client, kind }, t);
      client.close();
      service.dropConnections();
      await service.empty();
      await wait(1);
      assert.deepEqual([client.active, client.connections], [0, 0]);
    });
  }
}

const fields = (head: string): string[] =>
  head
    .split('\r\n')
    .slice(1, -2)
    .filter((line) => !line.startsWith('connection: keep-alive'));

both('a request is written as it was given', async ({ service, client }) => {
  const headers = [
    'host',
    'a.test:80',
    'accept',
    'text/html',
    'x-latin',
    'caf\xe9',
    'cookie',
    'a=b; c=d',
    'x-twice',
    '1',
    'x-twice',
    '2',
  ];
  await send(client, makeCall('/a/b%20c?q=%2f&r', { headers }));
  const { head } = service.seen[0];
  assert.ok(head.startsWith('GET /a/b%20c?q=%2f&r HTTP/1.1\r\n'));
  const expected = ['host: a.test:80', 'accept: text/html', 'x-latin: caf\xe9', 'cookie: a=b; c=d', 'x-twice: 1', 'x-twice: 2'];
  assert.deepEqual(fields(head), expected);
});

both('a body has a length, also where there is none', async ({ service, client }) => {
  await send(client, makeCall('/', { method: 'POST' }));
  await wait(2);
  await send(client, makeCall('/', { method: 'POST', body: Buffer.alloc(0) }));
  await wait(2);
  await send(client, makeCall('/', { method: 'PUT', body: Buffer.from('hello') }));
  await wait(2);
  await send(client, makeCall('/', { method: 'DELETE' }));
  assert.deepEqual(
    service.seen.map((one) => fields(one.head)[1]),
    ['content-length: 0', 'content-length: 0', 'content-length: 5', undefined],
  );
  assert.equal(service.seen[2].body, 'hello');
});

both('bodies of all sizes arrive whole, and the connection is kept', async ({ service, client }) => {
  for (const size of [1, 1000, 16_000, 16_384, 70_000, 1_000_000]) {
    const body = Buffer.alloc(size, 'abcdefghijk');
    const outcome = await send(client, makeCall('/', { method: 'POST', body }));
    assert.equal(outcome.body, 'ok');
    assert.equal(service.seen.at(-1)?.body, body.toString());
    await wait(2);
  }
  assert.equal(service.opened, 1);
});

both('streams of known and unknown length', async ({ service, client }) => {
  const known = new PieceSource(['hel', '', 'lo'], 5);
  const unknown = new PieceSource(['hel', '', 'lo']);
  const empty = new PieceSource([]);
  const nothing = new PieceSource([], 0);
  for (const body of [known, unknown, empty, nothing]) {
    assert.equal((await send(client, makeCall('/', { method: 'POST', body }))).body, 'ok');
    await wait(2);
  }
  const seen = service.seen.map((one) => [fields(one.head)[1], one.body]);
  assert.deepEqual(seen[0], ['content-length: 5', 'hello']);
  assert.deepEqual(seen[1], ['transfer-encoding: chunked', '3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n']);
  assert.deepEqual(seen[3], ['content-length: 0', '']);
  assert.equal(service.opened, 1);
});

both('a small body goes out with its head', async ({ service, client }) => {
  const sizes: number[] = [];
  service.onRequest = (_, socket, held) => {
    sizes.push(held.length);
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    return true;
  };
  await send(client, makeCall('/', { method: 'POST', body: Buffer.from('hello') }));
  await send(client, makeCall('/', { method: 'POST', body: new PieceSource(['hello'], 5) }), true);
  assert.deepEqual(sizes, [5, 5]);
});

both('a body that breaks is never finished', async ({ service, client }) => {
  const first = begin(client, makeCall('/', { method: 'POST', body: new PieceSource(['hel'], undefined, 'broken') }));
  const second = begin(client, makeCall('/', { method: 'POST', body: new PieceSource(['hel'], 5, 'broken') }));
  await wait(60);
  await service.empty();
  assert.deepEqual([first.ended, second.ended, service.seen.length], [false, false, 0]);
  assert.equal((await send(client, makeCall('/right/x'))).body, 'right x');
});

both('a body of another length than declared is never finished', async ({ service, client }) => {
  const long = await send(
    client,
    makeCall('/', { method: 'POST', body: new PieceSource(['hello', ' GET /evil HTTP/1.1\r\n\r\n'], 5, 'open') }),
  );
  const short = await send(client, makeCall('/', { method: 'POST', body: new PieceSource(['hel'], 5) }));
  // The service may have answered what looked complete to it.
  assert.ok(long.fault !== undefined || long.body === 'ok');
  assert.ok(short.fault !== undefined);
  await wait(5);
  assert.ok(!service.seen.some((one) => one.head.includes('evil') || one.body.includes('evil')));
  assert.equal((await send(client, makeCall('/right/x'))).body, 'right x');
});

both('an answer before the end of the body ends the call and the connection', async ({ service, client }) => {
  service.onRequest = (head, socket) => {
    if (!head.startsWith('POST')) return false;
    socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno');
    return true;
  };
  const source = new PieceSource(['hello'], 10, 'open');
  const outcome = await send(client, makeCall('/', { method: 'POST', body: source }));
  assert.deepEqual([outcome.status, outcome.body, outcome.fault], [413, 'no', undefined]);
  await service.empty();
  assert.equal((await send(client, makeCall('/right/x'))).body, 'right x');
});

both('a service that does not read holds the source back', async ({ service, client }) => {
  service.onRequest = (_, socket) => socket.pause() !== undefined;
  const source = new PieceSource(Array<Buffer>(4000).fill(Buffer.alloc(65_536)), 4000 * 65_536);
  const recorder = begin(client, makeCall('/', { method: 'POST', body: source }));
  // The first pause may be a short one, until the buffers between are full: then no more is given.
  let given = -1;
  while (source.pauses === 0 || source.given !== given) {
    given = source.given;
    await wait(100);
  }
  assert.ok(given < 400, `${given} pieces were given`);
  recorder.handle?.cancel();
});

both('a receiver that does not read holds the service back', async ({ service, client }) => {
  let socket: net.Socket | undefined;
  const size = 64 * 1024 * 1024;
  service.onRequest = (head, its) => {
    if (!head.startsWith('GET /large')) return false;
    socket = its;
    its.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    its.write(Buffer.alloc(size));
    return true;
  };
  const recorder = new Recorder();
  recorder.flowing = false;
  const handle = client.send(makeCall('/large'), recorder, false);
  while (recorder.bytes === 0) await wait(5);
  await wait(100);
  const held = recorder.bytes;
  await wait(100);
  assert.ok(recorder.bytes === held && held < 1024 * 1024, `${recorder.bytes} bytes came after the pause`);
  assert.ok((socket?.writableLength ?? 0) > size / 2);
  recorder.flowing = true;
  handle.resume();
  assert.equal((await recorder.outcome).body.length, size);
});

both('a paused answer goes on when it is resumed, again and again', async ({ service, client }) => {
  const body = 'abcdefghij'.repeat(50_000);
  service.script = {
    pieces: [`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`, ...body.match(/.{1,5000}/g)!],
    pause: 0,
  };
  const recorder = new Recorder();
  recorder.flowing = false;
  const handle = client.send(makeCall('/'), recorder, false);
  recorder.onChunk = () => setImmediate(() => handle.resume());
  assert.equal((await recorder.outcome).body, body);
  await wait(2);
  assert.equal((await send(client, makeCall('/right/x'))).headers[1], '1');
});

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: x\r\n\r\n';

both('an upgrade hands the socket over, with what came behind the head', async ({ service, client }) => {
  service.onRequest = (head, socket, held) => {
    assert.match(head, /\r\nconnection: upgrade\r\nupgrade: websocket\r\n/);
    assert.equal(held.length, 0, 'nothing may be sent before 101');
    socket.write(`${SWITCH}first `);
    socket.on('data', (bytes) => socket.write(`echo ${bytes.toString()}`));
    return true;
  };
  const outcome = await send(client, makeCall('/ws', { upgrade: true, headers: ['host', 'a', 'sec-websocket-key', 'k'] }));
  assert.deepEqual([outcome.status, outcome.headers], [101, ['sec-websocket-accept', 'x']]);
  const { socket } = outcome;
  assert.ok(socket !== undefined);
  let text = outcome.rest;
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
  socket.write('hello');
  while (!text.endsWith('hello')) await wait(2);
  assert.equal(text, 'first echo hello');
  await wait(1);
  assert.deepEqual([client.active], [0]);
  // Large data with a slow reader: pausing works on the socket that was handed over.
  let bytes = 0;
  socket.removeAllListeners('data').pause();
  socket.write('x'.repeat(300_000));
  await wait(30);
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length)).resume();
  while (bytes < 300_000) await wait(2);
  const closed = once(socket, 'close');
  service.dropConnections();
  await closed;
});

both('a call that is cancelled ends its connection, and only that', async ({ service, client }) => {
  service.script = { pieces: ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello'] };
  const waiting = begin(client, makeCall('/'));
  const kept = begin(client, makeCall('/'));
  await Promise.all([waiting.head, kept.head]);
  waiting.handle?.cancel();
  waiting.handle?.cancel();
  const early = begin(client, makeCall('/'));
  early.handle?.cancel();
  while (service.open > 1) await wait(2);
  assert.equal(kept.ended, false);
  service.dropConnections();
  assert.equal((await kept.outcome).fault?.code, 'upstream-closed');
  assert.deepEqual([waiting.ended, early.ended], [false, false]);
});

both('a handle of a call that is over touches no other', async ({ service, client }) => {
  const over = begin(client, makeCall('/right/x'));
  await over.outcome;
  await wait(2);
  service.onRequest = (_, socket) => {
    over.handle?.cancel();
    over.handle?.resume();
    socket.write(OK);
    return true;
  };
  assert.equal((await send(client, makeCall('/'))).body, 'ok');
  assert.equal(service.opened, 1);
});

both('a kept connection that dies before the answer is stale, a new one is not', async ({ service, client }) => {
  await send(client, makeCall('/right/x'));
  await wait(2);
  service.script = { pieces: [''], then: 'close' };
  const stale = await send(client, makeCall('/'));
  assert.deepEqual([stale.fault?.code, stale.fault?.stale, stale.fault?.untouched], ['upstream-closed', true, false]);
  const fresh = await send(client, makeCall('/'), true);
  assert.deepEqual([fresh.fault?.code, fresh.fault?.stale ?? false, fresh.fault?.untouched], ['upstream-closed', false, false]);
});

both('a fresh call has a connection of its own', async ({ service, client }) => {
  await send(client, makeCall('/right/x'));
  await wait(2);
  const outcome = await send(client, makeCall('/right/x'), true);
  assert.deepEqual([outcome.body, outcome.headers[1], service.opened], ['right x', '2', 2]);
});

both('a kept connection that the service closes leaves the pool', async ({ service, client }) => {
  await send(client, makeCall('/right/x'));
  await wait(2);
  service.dropConnections();
  await service.empty();
  await wait(5);
  assert.equal((await send(client, makeCall('/right/x'))).headers[1], '2');
});

both('nobody listens: untouched, also with a body that was not started', async ({ kind }) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  const client = makeClient(clientOptions(port, { kind }));
  const source = new PieceSource(['hello'], 5);
  const outcome = await send(client, makeCall('/', { method: 'POST', body: source }));
  assert.deepEqual([outcome.fault?.code, outcome.fault?.untouched, source.started], ['upstream-connect', true, false]);
  client.close();
});

both(
  'at the cap calls are refused at once, and go on when one is over',
  async ({ service, client }) => {
    service.script = { pieces: [] };
    const running = [begin(client, makeCall('/')), begin(client, makeCall('/'))];
    const third = await send(client, makeCall('/right/x'));
    assert.deepEqual([third.fault?.code, third.fault?.untouched, client.active], ['upstream-busy', true, 2]);
    running[0].handle?.cancel();
    await wait(10);
    assert.equal((await send(client, makeCall('/right/x'))).body, 'right x');
    running[1].handle?.cancel();
  },
  { options: { maxConnections: 2 } },
);

both('closing is graceful', async ({ service, client }) => {
  await send(client, makeCall('/right/idle'));
  service.script = { pieces: ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe', 'llo'], pause: 60 };
  const running = begin(client, makeCall('/'));
  await running.head;
  client.close();
  const late = await send(client, makeCall('/right/x'));
  assert.deepEqual([late.fault?.code, late.fault?.untouched], ['upstream-closed', true]);
  assert.equal((await running.outcome).body, 'hello');
  await service.empty();
});

both(
  'an idle connection is closed after its time',
  async ({ service, client }) => {
    await send(client, makeCall('/right/x'));
    const began = performance.now();
    await service.empty();
    const took = performance.now() - began;
    assert.ok(took > 100 && took < 8000, `closed after ${took} ms`);
  },
  { options: { idleTimeout: 700 } },
);

both('a header list that breaks its promise is not sent', async ({ service, client }) => {
  for (const [name, value] of [
    ['x', 'a\r\ny: b'],
    ['x', 'a\nb'],
    ['x', 'a\0'],
    ['x', '\u010a'],
    ['x\r\ny', 'b'],
    ['x', 'a\rb'],
  ]) {
    const outcome = await send(client, makeCall('/', { headers: ['host', 'a', name, value] }));
    assert.deepEqual([outcome.fault?.code, outcome.fault?.untouched], ['internal', true]);
  }
  for (const target of ['/a b', '/a\r\nx: y', '/\u0120x']) {
    assert.equal((await send(client, makeCall(target))).fault?.code, 'internal');
  }
  assert.equal(service.opened, 0);
});

test('lean: the connection that was used last is used first, and the oldest is dropped first', async () => {
  await using service = await HostileService.start();
  const client = makeClient(clientOptions(service.port));
  const [one, two] = [begin(client, makeCall('/right/1')), begin(client, makeCall('/right/2'))];
  await Promise.all([one.outcome, two.outcome]);
  const lastUsed = (await send(client, makeCall('/right/x'))).headers[1];
  for (let i = 0; i < 3; i++) assert.equal((await send(client, makeCall('/right/x'))).headers[1], lastUsed);
  assert.equal(client.connections, 2);
  assert.equal(client.dropIdle?.(), true);
  assert.equal((await send(client, makeCall('/right/x'))).headers[1], lastUsed);
  assert.deepEqual([client.dropIdle?.(), client.dropIdle?.()], [true, false]);
});

test('lean: a source that throws ends its own call only', async () => {
  await using service = await HostileService.start();
  const client = makeClient(clientOptions(service.port));
  await send(client, makeCall('/right/x'));
  const source = new PieceSource([]);
  source.start = () => {
    throw new Error('a defect');
  };
  const outcomes = [send(client, makeCall('/', { method: 'POST', body: source })), send(client, makeCall('/right/y'))];
  assert.deepEqual(
    (await Promise.all(outcomes)).map((one) => one.fault?.code ?? one.body),
    ['internal', 'right y'],
  );
  client.close();
});

test('lean: a receiver that throws ends its own call only', async () => {
  await using service = await HostileService.start();
  const client = makeClient(clientOptions(service.port));
  const recorder = new Recorder();
  recorder.onChunk = () => {
    throw new Error('a defect');
  };
  client.send(makeCall('/right/x'), recorder, false);
  assert.equal((await recorder.outcome).fault?.code, 'internal');
  assert.equal((await send(client, makeCall('/right/y'))).body, 'right y');
  client.close();
});

both('what a service sent to an idle connection is not read as the next answer', async ({ service, client }) => {
  // The next call is made when the bytes are there, but nobody has read them yet.
  let evil: net.Socket | undefined;
  service.onRequest = (head, socket) => {
    if (!head.startsWith('GET /right')) evil = socket;
    return false;
  };
  for (let i = 0; i < 20; i++) {
    await send(client, makeCall('/'));
    await wait(2);
    evil?.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    await turn();
    assert.equal((await send(client, makeCall('/right/x'))).body, 'right x');
    service.dropConnections();
    await wait(2);
  }
});
