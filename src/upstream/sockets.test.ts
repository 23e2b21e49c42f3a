import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net';
import { test } from 'node:test';
import type { HeaderList } from '../exchange/headers.ts';
import type { AnswerSink, Call, UpstreamFault, UpstreamTrace } from '../exchange/service.ts';
import { makeClient } from './client/make-client.ts';
import { call, FakeCarry, FakeLog, parsed, type WrittenService } from './fakes.ts';
import { createUpstreams, type UpstreamsOfConfiguration } from './upstreams.ts';

/** Services that die, hang and close, over real sockets and the real client. */

class Collected implements AnswerSink {
  status = 0;
  body = '';
  fault: UpstreamFault | undefined;
  readonly trace: UpstreamTrace = { target: undefined, status: undefined, ms: undefined, tries: 0 };
  readonly #done: () => void;

  constructor(done: () => void) {
    this.#done = done;
  }

  onHead(status: number, _headers: HeaderList): void {
    this.status = status;
  }

  onData(chunk: Buffer): boolean {
    this.body += chunk.toString('latin1');
    return true;
  }

  onEnd(): void {
    this.#done();
  }

  onFault(fault: UpstreamFault): void {
    this.fault = fault;
    this.#done();
  }

  onUpgrade(): void {
    this.#done();
  }
}

/** What is open in a test, closed at its end. */
class Scene implements AsyncDisposable {
  readonly carry = new FakeCarry();
  readonly #servers: (Server | TcpServer)[] = [];
  readonly #sockets = new Set<Socket>();

  async listen(server: Server | TcpServer): Promise<string> {
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#servers.push(server);
    return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  }

  upstreams(written: WrittenService, lookup?: () => Promise<string[]>): UpstreamsOfConfiguration {
    const made = createUpstreams({ s: parsed(written) }, this.carry, new FakeLog(), makeClient, { lookup });
    this.carry.swap();
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.carry.swap();
    this.carry.swap();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

function send(upstreams: UpstreamsOfConfiguration, one: Call = call()): Promise<Collected> {
  return new Promise((resolve) => {
    const answer: Collected = new Collected(() => resolve(answer));
    upstreams.service('s')?.call(one, answer, answer.trace);
  });
}

/** An HTTP service that answers with its name. */
function named(name: string): Server {
  return createServer((request, response) => {
    request.resume();
    request.on('end', () => response.end(name));
  });
}

/** Bytes in, whatever out. */
function raw(serve: (socket: Socket, times: number) => void): TcpServer {
  let times = 0;
  return createTcpServer((socket) => socket.on('data', () => serve(socket, ++times)));
}

test('a service that is killed under load costs no request that may be sent again', async () => {
  await using scene = new Scene();
  const dying = named('a');
  const targets = [await scene.listen(dying), await scene.listen(named('b'))];
  const upstreams = scene.upstreams({ targets });
  const seen: Record<string, number> = {};
  const worker = async (): Promise<void> => {
    for (let i = 0; i < 25; i++) {
      const answer = await send(upstreams, call(i % 2 === 0 ? 'GET' : 'PUT', i % 2 === 0 ? undefined : Buffer.from('x')));
      assert.deepEqual([answer.status, answer.fault], [200, undefined]);
      seen[answer.body] = (seen[answer.body] ?? 0) + 1;
      if (i === 10) {
        dying.close();
        dying.closeAllConnections();
      }
    }
  };
  // Within the least budget: every one of these may be the one that was under way.
  await Promise.all(Array.from({ length: 8 }, worker));
  assert.equal(seen.a + seen.b, 200);
  assert.ok(seen.a >= 40, `a ${seen.a}`);
});

test('a service that hangs is given up after `timeout`, and not before', async () => {
  await using scene = new Scene();
  const upstreams = scene.upstreams({ targets: [await scene.listen(raw(() => {}))], timeout: '300ms' });
  const began = performance.now();
  const answer = await send(upstreams);
  const took = performance.now() - began;
  assert.equal(answer.fault?.code, 'upstream-timeout');
  // That it is at most a second late is shown on a clock that no other program slows down.
  assert.ok(took >= 300, `${took} ms`);
});

test('a service that falls silent in its body is given up as well', async () => {
  await using scene = new Scene();
  const silent = raw((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc'));
  const answer = await send(scene.upstreams({ targets: [await scene.listen(silent)], timeout: '300ms' }));
  assert.deepEqual([answer.status, answer.body, answer.fault?.code], [200, 'abc', 'upstream-timeout']);
});

test('a service that closes without an answer: GET is tried again, POST is not', async () => {
  await using scene = new Scene();
  const closing = raw((socket, times) => {
    if (times % 2 === 1) socket.destroy();
    else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
  });
  const upstreams = scene.upstreams({ targets: [await scene.listen(closing)] });
  const get = await send(upstreams);
  assert.deepEqual([get.status, get.body, get.trace.tries], [200, 'ok', 2]);
  const post = await send(upstreams, call('POST', Buffer.from('x')));
  assert.deepEqual([post.fault?.code, post.trace.tries], ['upstream-closed', 1]);
});

test('a service that closes in its body: the caller hears of it and nothing is sent again', async () => {
  await using scene = new Scene();
  let requests = 0;
  const breaking = raw((socket) => {
    requests++;
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc');
  });
  const answer = await send(scene.upstreams({ targets: [await scene.listen(breaking)] }));
  assert.deepEqual([answer.status, answer.body, answer.fault?.code, requests], [200, 'abc', 'upstream-closed', 1]);
});

test('kept connections that the service closes under us are replaced without a failure', async () => {
  await using scene = new Scene();
  // Reads the second request on each connection and closes: the race of keep-alive, made certain.
  const server = createTcpServer((socket) => {
    let count = 0;
    socket.on('data', () => (++count === 1 ? socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok') : socket.destroy()));
  });
  const upstreams = scene.upstreams({ targets: [await scene.listen(server)], retries: { tries: 1 } });
  for (let i = 0; i < 6; i++) {
    const answer = await send(upstreams);
    assert.deepEqual([answer.status, answer.fault], [200, undefined]);
  }
  assert.equal(upstreams.snapshot()[0].endpoints[0].failures, 0);
});

test('nobody listens: 502, and with a second target nobody notices', async () => {
  await using scene = new Scene();
  const gone = named('gone');
  const nobody = await scene.listen(gone);
  await new Promise((resolve) => gone.close(resolve));
  const alone = await send(scene.upstreams(nobody));
  assert.equal(alone.fault?.code, 'upstream-connect');
  const upstreams = scene.upstreams({ targets: [nobody, await scene.listen(named('b'))] });
  for (let i = 0; i < 6; i++) {
    const answer = await send(upstreams, call('POST', Buffer.from('x')));
    assert.deepEqual([answer.status, answer.body], [200, 'b']);
  }
});

test('a name is resolved, and its target gets the Host that the service asks for', async () => {
  await using scene = new Scene();
  const echo = createServer((request, response) => response.end(request.headers.host));
  const { port } = new URL(await scene.listen(echo));
  const upstreams = scene.upstreams({ targets: [`http://orders.test:${port}`], host: 'service' }, async () => ['127.0.0.1']);
  await upstreams.ready();
  const answer = await send(upstreams);
  assert.deepEqual([answer.status, answer.body, answer.trace.target], [200, `orders.test:${port}`, `127.0.0.1:${port}`]);
});

test('a target that fails its checks gets nothing, and gets calls again when it is well', async () => {
  await using scene = new Scene();
  let well = false;
  let told: () => void = () => {};
  const moody = createServer((request, response) => {
    response.statusCode = request.url === '/healthz' && !well ? 503 : 200;
    response.end(request.url === '/healthz' ? '' : 'moody', () => told());
  });
  const targets = [await scene.listen(moody), await scene.listen(named('b'))];
  const upstreams = scene.upstreams({ targets, health: { path: '/healthz', every: '100ms', 'healthy-after': 1 } });
  await upstreams.ready();
  for (let i = 0; i < 4; i++) assert.equal((await send(upstreams)).body, 'b');
  well = true;
  await new Promise<void>((resolve) => {
    told = () => {
      if (upstreams.snapshot()[0].endpoints[0].state === 'up') resolve();
    };
  });
  const bodies = new Set([(await send(upstreams)).body, (await send(upstreams)).body]);
  assert.deepEqual(bodies, new Set(['b', 'moody']));
});

test('beyond `connections` no further socket is opened', async () => {
  await using scene = new Scene();
  let open = 0;
  let most = 0;
  const server = named('a');
  server.on('connection', (socket) => {
    most = Math.max(most, ++open);
    socket.once('close', () => open--);
  });
  const upstreams = scene.upstreams({ targets: [await scene.listen(server)], connections: 4, queue: { wait: '10s' } });
  const answers = await Promise.all(Array.from({ length: 200 }, () => send(upstreams)));
  assert.ok(answers.every((answer) => answer.status === 200));
  assert.equal(most, 4);
});
