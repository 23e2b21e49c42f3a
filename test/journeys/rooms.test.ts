import assert from 'node:assert/strict';
import http2 from 'node:http2';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { checkText } from '../../src/config/load.ts';
import type { GatewayOptions } from '../../src/config/schema.ts';
import { Gateway } from '../../src/config/swap.ts';
import { type Outcome, refuse } from '../../src/exchange/decision.ts';
import type { Exchange } from '../../src/exchange/exchange.ts';
import { headerValue } from '../../src/exchange/headers.ts';
import { order, type Place } from '../../src/pipeline/order.ts';
import type { Message, Prepared } from '../../src/pipeline/stage.ts';

/**
 * Five rooms that exist only here: one refuses, one is asynchronous, one wants the whole body, one looks at messages, one at the
 * response. They hold the stage contract, over HTTP/1.1, HTTP/2 and WebSocket.
 */

const tick = () => new Promise<void>((resolve) => setTimeout(resolve, 5));
const asks = (x: Exchange, name: string) => headerValue(x.head.headers, name);

const refusing: Prepared = {
  onRequestHead: (x) => (asks(x, 'x-refuse') === undefined ? undefined : refuse('route-not-found', 'told to', { status: 404 })),
};

const asynchronous: Prepared = {
  async onRequestHead(x) {
    await tick();
    const word = asks(x, 'x-async');
    if (word === 'refuse') return refuse('method-not-allowed', 'told to, later', { headers: ['allow', 'GET'] });
    if (word === 'answer')
      return { kind: 'answer', status: 203, headers: ['content-type', 'text/plain'], body: 'answered by a room' };
    if (word === 'throw') throw new Error('a room broke');
    return undefined;
  },
};

const seen: string[] = [];

const wholeBody: Prepared = {
  needs: { request: { kind: 'whole', limit: 1000 } },
  onRequestBody(x): Outcome {
    seen.push(`body ${x.body?.length}`);
    if (x.body?.includes('attack')) return refuse('body-malformed', 'an attack in the body');
    if (x.body?.includes('break')) throw new Error('a room broke');
    return undefined;
  },
};

const messages: Prepared = {
  needs: { request: { kind: 'messages', limit: 1000 } },
  onMessage(_x, message: Message) {
    const text = message.data.toString();
    seen.push(`${message.direction} ${text}`);
    if (text.includes('attack')) return refuse('message-malformed', 'an attack in a message');
    return text.includes('slowly') ? tick().then(() => undefined) : undefined;
  },
};

const response: Prepared = {
  needs: { response: { kind: 'whole', limit: 1000, over: 'refuse' } },
  async onResponseHead(x) {
    await tick();
    x.response?.headers.push('x-room', 'was here');
    return undefined;
  },
  onResponseBody(x): Outcome {
    if (x.response?.body?.includes('secret')) return refuse('response-refused', 'a secret in the answer');
    if (x.response?.body?.includes('rewrite')) x.response.body = Buffer.from('rewritten, and longer than it was before');
    return undefined;
  },
  onEnd(x) {
    ended.push(x);
  },
};

const ended: Exchange[] = [];

const place = (hook: string, room: Prepared): Place => ({ hook, room: 'validate', why: 'test', prepare: async () => room });
const places = [
  ...order.slice(0, 2),
  place('r', refusing),
  place('a', asynchronous),
  place('w', wholeBody),
  place('m', messages),
  place('p', response),
  ...order.slice(2),
];

const service = http.createServer((request, answer) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    if (request.url === '/large') answer.end('x'.repeat(5000));
    else
      answer.end(
        request.url === '/echo'
          ? Buffer.concat(pieces)
          : `${request.method} ${request.url} ${request.headers['accept-encoding']}`,
      );
  });
});
const sockets = new WebSocketServer({ server: service, perMessageDeflate: true });
sockets.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(`echo ${data}`, { binary })));

const log = { info() {}, warn() {}, error() {} };
const gateway = new Gateway({ log, order: places });
let options: GatewayOptions;
let plain = 0;
let secure = 0;

before(async () => {
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  const text = `
listeners: { plain: { address: 127.0.0.1:0 }, secure: { address: 127.0.0.1:0, tls: self-signed } }
services: { s: http://127.0.0.1:${(service.address() as AddressInfo).port} }
observe: { access: 'off' }
routes: [ { path: /**, service: s, authentication: none } ]`;
  const result = checkText('test.yaml', text, {});
  assert.ok(result.ok, JSON.stringify(result));
  options = result.options;
  await gateway.start(options);
  const addresses = gateway.addresses();
  plain = addresses.plain.port;
  secure = addresses.secure.port;
});

after(async () => {
  await gateway.drain();
  sockets.close();
  service.closeAllConnections();
  await new Promise((resolve) => service.close(resolve));
});

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}
type Ask = (path: string, options?: { method?: string; headers?: Record<string, string>; body?: string }) => Promise<Answer>;

const overHttp1: Ask = (path, { method = 'GET', headers = {}, body } = {}) =>
  new Promise((resolve, reject) => {
    const request = http.request({ port: plain, host: '127.0.0.1', path, method, headers }, (answer) => {
      let text = '';
      answer.on('data', (piece) => (text += piece));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
    });
    request.on('error', reject);
    request.end(body);
  });

const overHttp2: Ask = (path, { method = 'GET', headers = {}, body } = {}) =>
  new Promise((resolve, reject) => {
    const session = http2.connect(`https://localhost:${secure}`, { rejectUnauthorized: false });
    session.on('error', reject);
    const stream = session.request({ ':path': path, ':method': method, ...headers }, { endStream: body === undefined });
    let text = '';
    let head: http2.IncomingHttpHeaders = {};
    stream.on('error', reject);
    stream.on('response', (fields) => (head = fields));
    stream.on('data', (piece) => (text += piece));
    stream.on('end', () => {
      session.close();
      resolve({ status: Number(head[':status']), headers: head, body: text });
    });
    if (body !== undefined) stream.end(body);
  });

for (const [protocol, ask] of [
  ['HTTP/1.1', overHttp1],
  ['HTTP/2', overHttp2],
] as const) {
  describe(`the stage contract over ${protocol}`, () => {
    test('a request that every room lets pass reaches the service, and the response room adds to its answer', async () => {
      const answer = await ask('/fine', { headers: { 'accept-encoding': 'gzip' } });
      assert.equal(answer.status, 200);
      assert.equal(answer.body, 'GET /fine identity', 'identity is asked for where a room reads the response');
      assert.equal(answer.headers['x-room'], 'was here');
    });

    test('a refusal ends the walk, and later rooms do not run', async () => {
      seen.length = 0;
      const answer = await ask('/echo', { method: 'POST', body: 'x', headers: { 'x-refuse': '1' } });
      assert.equal(answer.status, 404);
      assert.equal(JSON.parse(answer.body).code, 'route-not-found');
      assert.deepEqual(seen, []);
    });

    test('an asynchronous refusal, answer and fault', async () => {
      const refused = await ask('/x', { headers: { 'x-async': 'refuse' } });
      assert.equal(refused.status, 405);
      assert.equal(refused.headers.allow, 'GET');
      const answered = await ask('/x', { headers: { 'x-async': 'answer' } });
      assert.deepEqual([answered.status, answered.body], [203, 'answered by a room']);
      const broken = await ask('/x', { headers: { 'x-async': 'throw' } });
      assert.equal(broken.status, 500);
      assert.ok(!broken.body.includes('broke'), 'the fault stays inside');
    });

    test('the whole body is there, also when it is empty, and goes on unchanged', async () => {
      seen.length = 0;
      assert.equal((await ask('/echo', { method: 'POST', body: 'hello' })).body, 'hello');
      assert.equal((await ask('/fine')).status, 200);
      assert.deepEqual(seen, ['body 5', 'body 0']);
    });

    test('a body that a room refuses, one that is too large, and a fault in a body hook', async () => {
      assert.equal((await ask('/echo', { method: 'POST', body: 'an attack' })).status, 400);
      assert.equal((await ask('/echo', { method: 'POST', body: 'x'.repeat(1001) })).status, 413);
      assert.equal((await ask('/echo', { method: 'POST', body: 'break' })).status, 500);
      assert.equal((await ask('/echo', { method: 'POST', body: 'zip', headers: { 'content-encoding': 'gzip' } })).status, 415);
    });

    test('a response that a room refuses, rewrites, or finds too large', async () => {
      assert.equal((await ask('/echo', { method: 'POST', body: 'a secret' })).status, 502);
      assert.equal((await ask('/echo', { method: 'POST', body: 'rewrite' })).body, 'rewritten, and longer than it was before');
      assert.equal((await ask('/large')).status, 502);
    });

    test('the end hook runs once for every exchange, however it ended', async () => {
      ended.length = 0;
      await ask('/fine');
      await ask('/x', { headers: { 'x-refuse': '1' } });
      await ask('/x', { headers: { 'x-async': 'throw' } });
      assert.deepEqual(
        ended.map((x) => x.status),
        [200, 404, 500],
      );
    });
  });
}

describe('the stage contract over WebSocket', () => {
  const open = () =>
    new Promise<WebSocket>((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${plain}/socket`);
      socket.once('open', () => resolve(socket));
      socket.once('error', reject);
    });
  const next = (socket: WebSocket) => new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))));
  const closed = (socket: WebSocket) => new Promise<number>((resolve) => socket.once('close', resolve));

  test('messages of both directions are shown, and pass', async () => {
    seen.length = 0;
    const socket = await open();
    socket.send('hello');
    assert.equal(await next(socket), 'echo hello');
    assert.deepEqual(
      seen,
      ['body 0', 'in hello', 'out echo hello'],
      'rooms judge the empty body of the handshake, then its messages',
    );
    socket.close(4000, 'done');
    assert.equal(await closed(socket), 4000);
  });

  test('compression is not negotiated where messages are read', async () => {
    const socket = await open();
    assert.equal(socket.extensions, '');
    socket.close();
    await closed(socket);
  });

  test('order holds while a room thinks', async () => {
    const socket = await open();
    const got: string[] = [];
    const all = new Promise<void>((resolve) =>
      socket.on('message', (data) => {
        got.push(String(data));
        if (got.length === 3) resolve();
      }),
    );
    for (const text of ['slowly one', 'two', 'three']) socket.send(text);
    await all;
    assert.deepEqual(got, ['echo slowly one', 'echo two', 'echo three']);
    socket.close();
    await closed(socket);
  });

  test('a refused message closes with 1008 and never reaches the service', async () => {
    seen.length = 0;
    ended.length = 0;
    const socket = await open();
    socket.send('an attack');
    assert.equal(await closed(socket), 1008);
    assert.deepEqual(seen, ['body 0', 'in an attack']);
    while (!ended.some((x) => x.decision !== undefined)) await tick();
    assert.equal(ended.find((x) => x.decision !== undefined)?.decision?.code, 'message-malformed');
  });

  test('a message beyond the bound closes with 1009', async () => {
    const socket = await open();
    socket.send('x'.repeat(1001));
    assert.equal(await closed(socket), 1009);
  });

  test('a handshake that a room refuses gets its status', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${plain}/socket`, { headers: { 'x-refuse': '1' } });
    const status = await new Promise((resolve) =>
      socket.once('unexpected-response', (_request, answer) => resolve(answer.statusCode)),
    );
    assert.equal(status, 404);
    socket.on('error', () => {});
    socket.terminate();
  });

  test('the gateway that leaves says so with 1001, and does not wait for it', async () => {
    const own = new Gateway({ log, order: places, drainMs: 20_000 });
    await own.start(options);
    const socket = new WebSocket(`ws://127.0.0.1:${own.addresses().plain.port}/socket`);
    await new Promise((resolve) => socket.once('open', resolve));
    ended.length = 0;
    const began = performance.now();
    const [code] = await Promise.all([closed(socket), own.drain()]);
    assert.equal(code, 1001);
    assert.ok(performance.now() - began < 15_000);
    assert.deepEqual(
      ended.map((x) => [x.status, x.decision?.code]),
      [[101, 'shutting-down']],
    );
  });
});
