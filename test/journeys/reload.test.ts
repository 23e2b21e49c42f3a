import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { WebSocket, WebSocketServer } from 'ws';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { startLoad } from '../support/load.ts';
import { type RunningService, startService } from '../support/services.ts';

/** One service for all: it says its name and the path, streams events, and speaks WebSocket. */
class Service {
  readonly server: http.Server;
  readonly sockets: WebSocketServer;

  constructor(name: string) {
    this.server = http.createServer((request, answer) => {
      if (request.url === '/events') this.#events(answer);
      else answer.end(`${name} ${request.url}`);
    });
    this.sockets = new WebSocketServer({ server: this.server });
    this.sockets.on('connection', (socket) => socket.on('message', (text) => socket.send(`${name} ${text}`)));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  #events(answer: http.ServerResponse): void {
    let n = 0;
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    const timer = setInterval(() => answer.write(`data: ${n++}\n\n`), 20);
    answer.on('close', () => clearInterval(timer));
  }
}

/** A message as gRPC frames it: a flag, four bytes of length, the bytes. */
function framed(text: string): Buffer {
  const message = Buffer.alloc(5 + Buffer.byteLength(text));
  message.writeUInt32BE(message.length - 5, 1);
  message.write(text, 5);
  return message;
}

/** Takes framed messages apart, however they were cut on their way. */
class Messages {
  readonly texts: string[] = [];
  readonly #each: (text: string) => void;
  #rest = Buffer.alloc(0);

  constructor(each: (text: string) => void = () => undefined) {
    this.#each = each;
  }

  take(piece: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, piece]);
    while (this.#rest.length >= 5 && this.#rest.length >= 5 + this.#rest.readUInt32BE(1)) {
      const end = 5 + this.#rest.readUInt32BE(1);
      this.texts.push(this.#rest.toString('utf8', 5, end));
      this.#rest = this.#rest.subarray(end);
      this.#each(this.texts[this.texts.length - 1]);
    }
  }
}

/** Answers each message as it comes, and tells in trailers how many there were. */
const startRpc = (): Promise<RunningService> =>
  startService(
    (request, answer) => {
      const messages = new Messages((text) => answer.write(framed(`echo ${text}`)));
      answer.writeHead(200, { 'content-type': request.headers['content-type'] });
      request.on('data', (piece: Buffer) => messages.take(piece));
      request.on('end', () => {
        answer.addTrailers({ 'grpc-status': '0', 'x-messages': String(messages.texts.length) });
        answer.end();
      });
    },
    { kind: 'h2c' },
  );

/** A call that streams both ways through the gateway, over HTTP/2. */
class RpcCall {
  readonly received = new Messages();
  trailers: http2.IncomingHttpHeaders = {};
  closed = false;
  error: Error | undefined;
  readonly #session: http2.ClientHttp2Session;
  readonly #stream: http2.ClientHttp2Stream;

  constructor(port: number) {
    this.#session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    this.#session.on('error', (error) => (this.error = error));
    const head = { ':method': 'POST', ':path': '/rpc/Echo', 'content-type': 'application/grpc', te: 'trailers' };
    this.#stream = this.#session.request(head);
    this.#stream.on('error', (error: Error) => (this.error = error));
    this.#stream.on('data', (piece: Buffer) => this.received.take(piece));
    this.#stream.on('trailers', (trailers) => (this.trailers = trailers));
    this.#stream.on('close', () => (this.closed = true));
  }

  send(text: string): void {
    this.#stream.write(framed(text));
  }

  async has(count: number): Promise<void> {
    await until(() => this.received.texts.length >= count || this.closed, `message ${count} did not come back`);
  }

  /** No more messages; resolves with all that has come when the service has ended too. */
  async end(): Promise<void> {
    this.#stream.end();
    await until(() => this.closed, 'the call does not end');
  }

  leave(): void {
    this.#session.destroy();
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 20_000; !condition(); await wait(5)) if (performance.now() > end) assert.fail(what);
}

const first = new Service('first');
const second = new Service('second');
let rpc: RunningService;
let gateway: Gateway;

function configuration(changing: string, extra = ''): string {
  return `
listeners: { plain: { address: 127.0.0.1:0 }, secure: { address: 127.0.0.1:0, tls: self-signed, bounds: { body-time: 300s } } }
services: { first: ${first.url}, second: ${second.url}, rpc: { targets: ["${rpc.url}"], protocol: h2c } }
observe: { access: access.jsonl }
routes:
  - { path: /steady/**, service: first, authentication: none }
  - { path: /events, service: first, authentication: none }
  - { path: /socket, service: first, authentication: none }
  - { path: /rpc/**, service: rpc, authentication: none }
  - { path: /changing/**, service: ${changing}, authentication: none }
${extra}`;
}

async function reloaded(times: number): Promise<void> {
  const count = () => gateway.stderr().split('has been reloaded').length - 1;
  for (let i = 0; i < 1000 && count() < times; i++) await wait(10);
  assert.ok(count() >= times, gateway.stderr());
}

async function text(path: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${gateway.port('plain')}${path}`);
  return `${answer.status} ${await answer.text()}`;
}

async function residentMegabytes(): Promise<number> {
  const status = await readFile(`/proc/${gateway.process.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

before(async () => {
  await Promise.all([first.listen(), second.listen()]);
  rpc = await startRpc();
  gateway = await startGateway(configuration('first'));
});

after(async () => {
  await gateway?.stop();
  await Promise.all([first.close(), second.close(), rpc?.close()]);
});

describe('reload', () => {
  test('a changed file is taken over by itself, without a signal', async () => {
    assert.equal(await text('/changing/a'), '200 first /changing/a');
    await writeFile(gateway.config, configuration('second'));
    await reloaded(1);
    assert.equal(await text('/changing/a'), '200 second /changing/a');
  });

  test('a bad file changes nothing, and the log says where it is wrong', async () => {
    await writeFile(gateway.config, configuration('nobody', 'nonsense: true'));
    gateway.process.kill('SIGHUP');
    for (let i = 0; i < 500 && !gateway.stderr().includes('is not changed'); i++) await wait(10);
    assert.match(gateway.stderr(), /portcullis\.yaml:\d+:\d+.*nonsense/);
    assert.match(gateway.stderr(), /nobody/);
    assert.equal(await text('/changing/a'), '200 second /changing/a');
  });

  test('fifty reloads under load: no request is lost, streams on unchanged routes live on, memory stays', async (t) => {
    await writeFile(gateway.config, configuration('first'));
    await reloaded(2);
    const port = gateway.port('plain');
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
    await new Promise((resolve) => socket.once('open', resolve));
    const echoes: string[] = [];
    socket.on('message', (data) => echoes.push(String(data)));
    let closed = false;
    socket.on('close', () => (closed = true));
    let events = '';
    const stream = http.get({ port, host: '127.0.0.1', path: '/events' }, (answer) =>
      answer.on('data', (piece) => (events += piece)),
    );
    let streamEnded = false;
    stream.on('close', () => (streamEnded = true));
    const call = new RpcCall(gateway.port('secure'));
    t.after(() => {
      socket.terminate();
      stream.destroy();
      call.leave();
    });
    const steady = startLoad({ port, connections: 8, request: (n) => ({ path: `/steady/${n}`, expect: `first /steady/${n}` }) });
    const changing = startLoad({ port, connections: 8, request: (n) => ({ path: `/changing/${n}`, expect: ` /changing/${n}` }) });
    t.after(() => Promise.all([steady.stop(), changing.stop()]));
    const memory: number[] = [];
    for (let i = 0; i < 50; i++) {
      await writeFile(gateway.config, configuration(i % 2 === 0 ? 'second' : 'first', `trusted-proxies: [10.0.0.${i}]\n`));
      gateway.process.kill('SIGHUP');
      await reloaded(3 + i);
      socket.send(String(i));
      call.send(`message ${i}`);
      await call.has(i + 1);
      memory.push(await residentMegabytes());
    }
    await wait(100);
    await Promise.all([steady.stop(), changing.stop()]);
    assert.deepEqual(steady.failures, []);
    assert.deepEqual(changing.failures, []);
    assert.ok(steady.right() > 500 && changing.right() > 500, `${steady.right()} and ${changing.right()} requests were answered`);
    assert.deepEqual(
      echoes,
      Array.from({ length: 50 }, (_, i) => `first ${i}`),
    );
    assert.equal(closed, false);
    assert.equal(streamEnded, false);
    assert.equal(call.closed, false);
    await call.end();
    assert.deepEqual(
      call.received.texts,
      Array.from({ length: 50 }, (_, i) => `echo message ${i}`),
      'no message is lost or doubled',
    );
    const { 'grpc-status': status, 'x-messages': messages } = call.trailers;
    assert.deepEqual([status, messages, call.error], ['0', '50', undefined]);
    const numbers = [...events.matchAll(/data: (\d+)/g)].map((match) => Number(match[1]));
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i),
      'no event is lost or doubled',
    );
    const [early, late] = [Math.max(...memory.slice(5, 15)), Math.min(...memory.slice(-10))];
    assert.ok(late < early + 30, `memory grew from ${early} to ${late} MB`);
  });
});
