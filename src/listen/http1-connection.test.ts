import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AnswerSink } from '../exchange/service.ts';
import { BOUNDS, feed, FakeSocket, Harness, settle } from '../../test/support/http1-harness.ts';

const GET = 'GET /x HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n';
const CHUNKED = 'POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

const statuses = (socket: FakeSocket): number[] =>
  [...socket.text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
const codes = (harness: Harness): (string | undefined)[] => harness.records.map((x) => x.decision?.code);

/** Sweeps just before `after` milliseconds from now have passed, when nothing may happen yet, and then behind it. */
async function sweepAt(
  socket: FakeSocket,
  connection: { sweep(now: number): void },
  after: number,
  from = performance.now(),
): Promise<void> {
  const before = [socket.written.length, socket.over];
  connection.sweep(from + after - 50);
  await settle(socket);
  assert.deepEqual([socket.written.length, socket.over], before, 'fired early');
  connection.sweep(from + after + 1);
  await settle(socket);
}

describe('times', () => {
  test('a new connection without a byte', async () => {
    const harness = await Harness.make();
    const { socket, connection } = harness.open();
    await sweepAt(socket, connection, BOUNDS.headTime);
    assert.deepEqual(statuses(socket), [408]);
    assert.ok(socket.over);
    assert.deepEqual(codes(harness), ['head-timeout']);
  });

  test('a head that drips: its time runs from the opening, whatever comes', async () => {
    const harness = await Harness.make();
    const { socket, connection } = harness.open();
    const opened = performance.now();
    await feed(socket, [...'DELETE /slow?token=1 HTTP/1.1\r\nHost: a\r\nX: ']);
    await sweepAt(socket, connection, BOUNDS.headTime, opened);
    assert.deepEqual(statuses(socket), [408]);
    const [{ head }] = harness.records;
    assert.deepEqual([head.method, head.path, head.version], ['DELETE', '/slow', '1.1']);
  });

  test('the record of a timeout tells what this client sent, not what another one did', async () => {
    const harness = await Harness.make();
    const slow = harness.open();
    await feed(slow.socket, ['GET /mine HTTP/1.0\r\n']);
    await feed(harness.open().socket, ['POST /secret HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n']);
    slow.connection.sweep(performance.now() + BOUNDS.headTime);
    const { head } = harness.records[1];
    assert.deepEqual([head.method, head.path, head.version], ['GET', '/mine', '1.0']);
  });

  test('a kept connection: idle-time without a byte, head-time from the first one', async () => {
    const harness = await Harness.make({ idleTime: 5000 });
    for (const quiet of ['', '\r\n', '\r']) {
      const idle = harness.open();
      await feed(idle.socket, [GET, quiet]);
      await sweepAt(idle.socket, idle.connection, 5000);
      assert.deepEqual(statuses(idle.socket), [200]);
      assert.ok(idle.socket.over);
    }
    const begun = harness.open();
    await feed(begun.socket, [GET, 'G']);
    await sweepAt(begun.socket, begun.connection, BOUNDS.headTime);
    assert.deepEqual(statuses(begun.socket), [200, 408]);
    assert.deepEqual(codes(harness), [undefined, undefined, undefined, undefined, 'head-timeout']);
  });

  for (const [what, start] of [
    ['with a length', `${POST}hell`],
    ['in chunks', `${CHUNKED}5\r\nhell`],
    ['not begun', POST],
  ] as const) {
    test(`a body ${what}`, async () => {
      const harness = await Harness.make();
      const { socket, connection } = harness.open();
      await feed(socket, [start]);
      await sweepAt(socket, connection, BOUNDS.bodyTime);
      assert.deepEqual(statuses(socket), [408]);
      assert.deepEqual(codes(harness), ['body-timeout']);
      assert.deepEqual(harness.service.reached, []);
      assert.ok(socket.over);
    });
  }

  test('the whole request', async () => {
    const harness = await Harness.make({ requestTime: 20_000 });
    const { socket, connection } = harness.open();
    const opened = performance.now();
    await feed(socket, [POST]);
    await sweepAt(socket, connection, 20_000, opened);
    assert.deepEqual(statuses(socket), [408]);
    assert.deepEqual(codes(harness), ['request-timeout']);
  });

  test('no time runs while the service thinks, however long', async () => {
    const harness = await Harness.make();
    let answer: AnswerSink | undefined;
    harness.service.answer = (sink) => (answer = sink);
    const { socket, connection } = harness.open();
    await feed(socket, [`${POST}hello`]);
    connection.sweep(performance.now() + 1e9);
    await settle(socket);
    assert.equal(socket.over, false);
    answer?.onHead(200, [], undefined);
    answer?.onData(Buffer.from('a'));
    connection.sweep(performance.now() + 1e9);
    await settle(socket);
    assert.equal(socket.over, false);
  });

  test('the body’s time stands still while the service does not take it; the request’s does not', async () => {
    const harness = await Harness.make();
    const { socket, connection } = harness.open();
    const opened = performance.now();
    await feed(socket, [POST]);
    connection.pauseReading();
    connection.sweep(opened + BOUNDS.bodyTime + 1000);
    await settle(socket);
    assert.deepEqual(statuses(socket), []);
    await sweepAt(socket, connection, BOUNDS.requestTime, opened);
    assert.deepEqual(codes(harness), ['request-timeout']);
  });

  test('a client that does not take its answer, and one that does', async () => {
    const harness = await Harness.make();
    let answer: AnswerSink | undefined;
    harness.service.answer = (sink) => (answer = sink);
    const { socket, connection } = harness.open();
    await feed(socket, [GET]);
    answer?.onHead(200, [], undefined);
    socket.blocked = true;
    assert.equal(answer?.onData(Buffer.alloc(100_000)), false);
    socket.unblock();
    await settle(socket);
    connection.sweep(performance.now() + BOUNDS.idleTime + 1);
    assert.equal(socket.destroyed, false, 'it had taken everything');
    socket.blocked = true;
    assert.equal(answer?.onData(Buffer.alloc(100_000)), false);
    await sweepAt(socket, connection, BOUNDS.idleTime);
    assert.ok(socket.destroyed);
    assert.deepEqual(codes(harness), ['client-gone']);
    assert.equal(harness.service.cancelled, 1);
  });

  test('the end of a body does not forgive a client that takes no answer', async () => {
    const harness = await Harness.make();
    let answer: AnswerSink | undefined;
    harness.service.early = true;
    harness.service.answer = (sink) => (answer = sink);
    const { socket, connection } = harness.open();
    await feed(socket, [`${POST}hell`]);
    answer?.onHead(200, [], undefined);
    socket.blocked = true;
    assert.equal(answer?.onData(Buffer.alloc(100_000)), false);
    await feed(socket, ['o']);
    await sweepAt(socket, connection, BOUNDS.idleTime);
    assert.ok(socket.destroyed);
  });

  test('the end of the last answer is not cut off from a slow client', async () => {
    const harness = await Harness.make();
    const { socket, connection } = harness.open();
    socket.blocked = true;
    await feed(socket, ['GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n']);
    connection.sweep(performance.now() + BOUNDS.idleTime - 1000);
    assert.equal(socket.destroyed, false);
    socket.unblock();
    await settle(socket);
    assert.ok(socket.finished);
    assert.ok(socket.text.endsWith('GET /x 0'));
    await sweepAt(socket, connection, 2000);
    assert.ok(socket.destroyed);
  });
});

describe('a client that closes its half', () => {
  test('gets an answer that comes within a second, and is given up later', async () => {
    for (const start of [GET, `${POST}hello`]) {
      const harness = await Harness.make();
      let answer: AnswerSink | undefined;
      harness.service.answer = (sink) => (answer = sink);
      const { socket, connection } = harness.open();
      await feed(socket, [start]);
      socket.push(null);
      await settle(socket);
      connection.sweep(performance.now() + 900);
      answer?.onHead(200, [], 4);
      answer?.onData(Buffer.from('slow'));
      answer?.onEnd(undefined);
      await settle(socket);
      assert.ok(socket.text.endsWith('\r\n\r\nslow'));

      const late = harness.open();
      await feed(late.socket, [start]);
      late.socket.push(null);
      await settle(late.socket);
      await sweepAt(late.socket, late.connection, 1000);
      assert.ok(late.socket.destroyed);
      assert.equal(harness.service.cancelled, 1);
      assert.deepEqual(codes(harness), [undefined, 'client-gone']);
    }
  });

  test('gets a long answer to its end while it flows, and not when it stops', async () => {
    const harness = await Harness.make();
    let answer: AnswerSink | undefined;
    harness.service.answer = (sink) => (answer = sink);
    const { socket, connection } = harness.open();
    await feed(socket, [GET]);
    socket.push(null);
    await settle(socket);
    answer?.onHead(200, [], undefined);
    for (let i = 0; i < 3; i++) {
      answer?.onData(Buffer.from('piece'));
      await settle(socket);
      connection.sweep(performance.now() + 900);
      assert.equal(socket.destroyed, false);
    }
    await sweepAt(socket, connection, 1000);
    assert.ok(socket.destroyed);
    assert.ok(!socket.text.endsWith('0\r\n\r\n'));
  });

  test('a body that is there, though nobody has read it yet, is complete', async () => {
    const harness = await Harness.make();
    const { corridor } = harness;
    harness.corridor = {
      handle: (x, client) => setTimeout(() => corridor.handle(x, client), 20),
      refuse: corridor.refuse.bind(corridor),
    };
    for (const [start, status] of [
      [`${POST}hello`, 200],
      [`${CHUNKED}5\r\nhello\r\n0\r\n\r\n`, 200],
      [`${POST}hell`, 400],
      [`${CHUNKED}5\r\nhello\r\n`, 400],
    ] as const) {
      const { socket } = harness.open();
      await feed(socket, [start]);
      socket.push(null);
      while (!socket.over) await settle(socket);
      assert.deepEqual(statuses(socket), [status], start);
    }
  });
});

describe('pipelining', () => {
  test('a client that takes no answers is served no more of them', async () => {
    const harness = await Harness.make();
    const { socket, connection } = harness.open();
    socket.blocked = true;
    const many = 'GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(1000);
    for (let i = 0; i < 50; i++) {
      if (socket.isPaused() && socket.readableLength > 60_000) break;
      await feed(socket, [many]);
    }
    assert.ok(socket.writableLength < 100_000, `${socket.writableLength} bytes of answers wait`);
    assert.ok(harness.records.length < 300, `${harness.records.length} requests were served`);
    socket.unblock();
    await settle(socket);
    assert.ok(harness.records.length > 500, 'it goes on when the client reads');
    socket.blocked = true;
    await settle(socket);
    connection.sweep(performance.now() + BOUNDS.idleTime + 1);
    await settle(socket);
    assert.ok(socket.destroyed);
  });

  test('chunks of one byte that came together are one delivery', async () => {
    const harness = await Harness.make();
    const pieces: number[] = [];
    harness.service.onPiece = (piece) => pieces.push(piece.length);
    const { socket } = harness.open();
    await feed(socket, [`${CHUNKED}${'1\r\nx\r\n'.repeat(500)}3\r\nyyy\r\n0\r\n\r\n${GET}`]);
    assert.deepEqual(pieces, [503]);
    assert.equal(harness.service.reached[0].body, `${'x'.repeat(500)}yyy`);
    assert.deepEqual(statuses(socket), [200, 200]);
  });
});

describe('a defect of ours', () => {
  const boom = (): never => {
    throw new Error('boom');
  };

  /** Breaks one connection in some way; another one of the same listener must not notice. */
  async function broken(harness: Harness, breakIt: (socket: FakeSocket) => Promise<void>): Promise<void> {
    const other = harness.open();
    const { corridor } = harness;
    const { socket } = harness.open();
    await breakIt(socket);
    await settle(socket);
    assert.ok(socket.destroyed, 'the connection lives on');
    assert.deepEqual(
      harness.defects.map((error) => (error as Error).message),
      ['boom'],
    );
    harness.corridor = corridor;
    await feed(other.socket, [GET]);
    assert.deepEqual(statuses(other.socket), [200]);
  }

  test('in the corridor, for a request, a refusal, a pipelined one', async () => {
    for (const text of [GET, 'GET\r\n\r\n', `${GET}${GET}`]) {
      const harness = await Harness.make();
      const { corridor } = harness;
      let requests = text === `${GET}${GET}` ? 1 : 0;
      await broken(harness, async (socket) => {
        harness.corridor = { handle: (x, client) => (requests-- > 0 ? corridor.handle(x, client) : boom()), refuse: boom };
        await feed(socket, [text]);
        harness.corridor = corridor;
      });
    }
  });

  test('where a body is taken', async () => {
    const harness = await Harness.make();
    await broken(harness, async (socket) => {
      harness.service.onPiece = boom;
      await feed(socket, [POST, 'hello']);
      harness.service.onPiece = undefined;
    });
  });

  test('where a time is over', async () => {
    const harness = await Harness.make();
    harness.corridor = { handle: boom, refuse: boom };
    const { socket, connection } = harness.open();
    connection.sweep(performance.now() + BOUNDS.headTime);
    await settle(socket);
    assert.ok(socket.destroyed);
    assert.equal(harness.defects.length, 1);
  });

  test('where the client drains or leaves', async () => {
    for (const event of ['clientDrained', 'clientGone'] as const) {
      const watched = await Harness.make();
      let answer: AnswerSink | undefined;
      watched.service.answer = (sink) => (answer = sink);
      const { socket, connection } = watched.open();
      await feed(socket, [GET]);
      answer?.onHead(200, [], undefined);
      socket.blocked = true;
      answer?.onData(Buffer.alloc(100_000));
      connection.watcher = { clientDrained() {}, clientGone() {}, endTunnel() {}, [event]: boom };
      if (event === 'clientDrained') socket.unblock();
      else socket.destroy();
      await settle(socket);
      assert.ok(socket.destroyed);
      assert.deepEqual(
        watched.defects.map((error) => (error as Error).message),
        ['boom'],
      );
    }
  });
});

describe('the gateway leaves', () => {
  test('idle connections close, busy ones after their answer, answers under way are not cut', async () => {
    const harness = await Harness.make();
    const idle = harness.open();
    await feed(idle.socket, [GET]);
    idle.connection.drain();
    assert.ok(idle.socket.destroyed);

    const unread = harness.open();
    unread.socket.blocked = true;
    await feed(unread.socket, [GET]);
    unread.connection.drain();
    assert.equal(unread.socket.destroyed, false);
    unread.socket.unblock();
    await settle(unread.socket);
    assert.ok(unread.socket.finished);

    let answer: AnswerSink | undefined;
    harness.service.answer = (sink) => (answer = sink);
    const busy = harness.open();
    await feed(busy.socket, [GET + GET]);
    busy.connection.drain();
    answer?.onHead(200, [], 0);
    answer?.onEnd(undefined);
    await settle(busy.socket);
    assert.match(busy.socket.text, /connection: close\r\n/);
    assert.deepEqual(statuses(busy.socket), [200]);
  });

  test('a request that comes behind the last one is noted once, and nothing else is taken for one', async () => {
    const cases: [string, string, string[], number][] = [
      ['in the pipeline', GET + GET + GET, [], 1],
      ['behind the answer', GET, [GET, GET], 1],
      ['nothing', GET, [], 0],
      ['an empty line', GET, ['\r\n'], 0],
      ['from a client that closes', 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', [GET], 0],
      ['the rest of a body that nobody reads', `${POST}ab`, ['cde'], 0],
    ];
    for (const [what, before, behind, noted] of cases) {
      const harness = await Harness.make();
      harness.service.early = true;
      let answer: AnswerSink | undefined;
      harness.service.answer = (sink) => (answer = sink);
      const { socket, connection } = harness.open();
      await feed(socket, [before]);
      harness.draining = true;
      connection.drain();
      answer?.onHead(200, [], 0);
      answer?.onEnd(undefined);
      await settle(socket);
      await feed(socket, behind);
      assert.deepEqual(harness.turnedAway, Array(noted).fill('shutting-down'), what);
      assert.deepEqual([statuses(socket), harness.records.length], [[200], 1], what);
    }
  });
});

describe('a WebSocket', () => {
  const HANDSHAKE =
    'GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

  async function upgrade(harness: Harness) {
    const service = new FakeSocket();
    harness.service.answer = (answer) =>
      answer.onUpgrade(['sec-websocket-accept', 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='], service, Buffer.alloc(0));
    const { socket, connection } = harness.open();
    await feed(socket, [HANDSHAKE]);
    assert.match(socket.text, /^HTTP\/1\.1 101 /);
    return { service, socket, connection };
  }

  test('ends when nothing has passed for tunnel-idle, and what passes in either direction holds it', async () => {
    const harness = await Harness.make({ tunnelIdle: 5000 });
    const { service, socket, connection } = await upgrade(harness);
    const began = performance.now();
    connection.sweep(began + 4000);
    for (const [from, at] of [
      [socket, 4500],
      [service, 9000],
      [socket, 13_000],
    ] as const) {
      await feed(from, ['ping']);
      connection.sweep(began + at);
      connection.sweep(began + at + 4900);
      await settle(socket);
      assert.deepEqual([socket.over, service.over], [false, false], `after ${at} ms`);
    }
    connection.sweep(began + 18_001);
    await settle(socket);
    assert.deepEqual([socket.over, service.over], [true, true]);
    service.destroy();
    socket.destroy();
    await settle(socket);
    assert.deepEqual(codes(harness), ['tunnel-idle']);
    assert.deepEqual([harness.records[0].status, harness.defects.length], [101, 0]);
  });

  test('goes on while the gateway leaves, where nobody reads its messages', async () => {
    const harness = await Harness.make();
    const { service, socket, connection } = await upgrade(harness);
    connection.drain();
    connection.leaveTunnel();
    await feed(service, ['still there']);
    assert.match(socket.text, /still there$/);
    assert.deepEqual([socket.over, service.over], [false, false]);
    service.destroy();
    socket.destroy();
    await settle(socket);
    assert.deepEqual(codes(harness), [undefined]);
  });

  test('that has closed is not swept any more', async () => {
    const harness = await Harness.make({ tunnelIdle: 5000 });
    const { service, socket, connection } = await upgrade(harness);
    socket.destroy();
    service.destroy();
    await settle(socket);
    connection.sweep(performance.now() + 100_000);
    await settle(socket);
    assert.deepEqual([codes(harness), harness.defects], [[undefined], []]);
  });
});
