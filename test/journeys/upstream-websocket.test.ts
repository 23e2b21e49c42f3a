/** WebSocket from client to service: both ends are the `ws` package, or raw bytes where it is too well-behaved. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type http from 'node:http';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { type Echo, startEcho } from '../support/echo.ts';
import { type AccessRecord, type Gateway, startGateway } from '../support/gateway.ts';
import { growthWhile } from '../support/memory.ts';
import { parseResponse, rawRequest } from '../support/raw.ts';
import { type RunningService, type ServiceKind, startService } from '../support/services.ts';
import { type TlsFiles, tlsFiles } from '../support/tls.ts';

/** A service whose behaviour is the path of its sockets. Keeps what it learns of each. */
class SocketService {
  readonly #web: RunningService;
  readonly #sockets: WebSocketServer;
  /** Sockets by the query that the client gave as its name. */
  readonly byName = new Map<string, { socket: WebSocket; closed: Promise<{ code: number; reason: string; at: number }> }>();

  private constructor(web: RunningService) {
    this.#web = web;
    this.#sockets = new WebSocketServer({
      server: web.server as http.Server,
      perMessageDeflate: { threshold: 0 },
      maxPayload: 20_000_000,
      handleProtocols: (offered) => (offered.has('chat.v2') ? 'chat.v2' : false),
    });
    this.#sockets.on('connection', (socket, request) => this.#serve(socket, request.url ?? ''));
  }

  static async start(kind: ServiceKind, files: TlsFiles): Promise<SocketService> {
    const { certificate, key } = files.of('127.0.0.1');
    const tls = { cert: await readFile(certificate), key: await readFile(key) };
    return new SocketService(await startService((_, answer) => void answer.end('no socket'), { kind, tls }));
  }

  get url(): string {
    return this.#web.url;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    await this.#web.close();
  }

  named(name: string): { socket: WebSocket; closed: Promise<{ code: number; reason: string; at: number }> } {
    return this.byName.get(name) ?? assert.fail(`no socket ${name}`);
  }

  #serve(socket: WebSocket, url: string): void {
    const [path, name = ''] = url.split('?');
    const closed = new Promise<{ code: number; reason: string; at: number }>((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: String(reason), at: performance.now() }));
    });
    this.byName.set(name, { socket, closed });
    socket.on('error', () => undefined);
    if (path.endsWith('/silent')) return;
    if (path.endsWith('/greeting')) socket.send('welcome');
    socket.on('message', (data: RawData, binary) => socket.send(data as Buffer, { binary }));
  }
}

const ways = [
  { name: 'http', kind: 'http', keys: '' },
  { name: 'https', kind: 'https', keys: 'tls: { ca: CA }' },
  { name: 'auto', kind: 'https', keys: 'tls: { ca: CA }, protocol: auto' },
  { name: 'undici', kind: 'http', keys: 'client: undici' },
] as const;

let files: TlsFiles;
let gateway: Gateway;
let raw: Echo;
let h2c: RunningService;
const services = new Map<string, SocketService>();
/** What the raw service writes to a request, by path. */
const scripts = new Map<string, (socket: Socket, accept: string) => void>();

before(async () => {
  files = await tlsFiles(['127.0.0.1']);
  for (const { name, kind } of ways) services.set(name, await SocketService.start(kind, files));
  raw = await startEcho({
    answer: (request, socket) => {
      const script = scripts.get(request.target);
      if (script === undefined) return undefined;
      script(socket, acceptOf(request.headers.find(([field]) => field.toLowerCase() === 'sec-websocket-key')?.[1] ?? ''));
      return '';
    },
  });
  h2c = await startService((request, answer) => void answer.writeHead(404).end(`plain ${request.method}`), { kind: 'h2c' });
  const written = ways.map(
    ({ name, keys }) => `  ${name}: { targets: ["${services.get(name)?.url}"], ${keys.replace('CA', files.ca)} }`,
  );
  const routes = ways.map(({ name }) => `  - { path: /${name}/**, service: ${name}, authentication: none }`);
  gateway = await startGateway(`
listeners:
  plain: { address: 127.0.0.1:0 }
  secure: { address: 127.0.0.1:0, tls: self-signed }
  hasty: { address: 127.0.0.1:0, tls: self-signed, bounds: { tunnel-idle: 3s } }
admin: { address: 127.0.0.1:0 }
services:
${written.join('\n')}
  raw: { targets: ["${raw.url}"], retries: { tries: 1 }, ejection: "off" }
  raw-undici: { targets: ["${raw.url}"], retries: { tries: 1 }, ejection: "off", client: undici }
  h2c: { targets: ["${h2c.url}"], protocol: h2c }
  one: { targets: ["${services.get('http')?.url}"], connections: 1, queue: { wait: 50ms } }
  short: { targets: ["${services.get('http')?.url}"], timeout: 400ms, total-time: 600ms }
routes:
${routes.join('\n')}
  - { path: /raw/**, service: raw, authentication: none }
  - { path: /undici-raw/**, service: raw-undici, authentication: none }
  - { path: /h2c/**, service: h2c, authentication: none }
  - { path: /one/**, service: one, authentication: none }
  - { path: /short/**, service: short, authentication: none }
`);
});

after(async () => {
  await gateway?.stop();
  for (const service of services.values()) await service.close();
  await raw?.stop();
  await h2c?.close();
  await files?.remove();
});

function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

let count = 0;

/** Opens a socket through the gateway; the name finds its other end at the service. */
async function open(
  path: string,
  options: { secure?: boolean; protocols?: string[] } = {},
): Promise<{ socket: WebSocket; name: string }> {
  const name = `n${count++}`;
  const base = options.secure === true ? `wss://127.0.0.1:${gateway.port('secure')}` : `ws://127.0.0.1:${gateway.port('plain')}`;
  const socket = new WebSocket(`${base}${path}?${name}`, options.protocols ?? [], {
    rejectUnauthorized: false,
    maxPayload: 20_000_000,
  });
  await once(socket, 'open');
  return { socket, name };
}

async function closed(socket: WebSocket): Promise<{ code: number; reason: string; at: number }> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return { code, reason: String(reason), at: performance.now() };
}

/** Says it and waits for the echo. */
async function exchange(socket: WebSocket, data: string | Buffer): Promise<Buffer> {
  const answered = once(socket, 'message');
  socket.send(data);
  return (await answered)[0] as Buffer;
}

async function recordOf(path: string, listener?: string): Promise<AccessRecord> {
  for (const end = performance.now() + 15_000; performance.now() < end; await wait(20)) {
    const found = (await gateway.records()).find(
      (one) => one.http.path === path && (listener === undefined || one.listener === listener),
    );
    if (found !== undefined) return found;
  }
  return assert.fail(`no record of ${path}`);
}

for (const { name } of ways) {
  for (const secure of [false, true]) {
    describe(`WebSocket over ${secure ? 'TLS' : 'plain TCP'} to a service by ${name}`, () => {
      test('messages of both kinds, compressed as the two ends agree, with the subprotocol that the service chose', async () => {
        const { socket } = await open(`/${name}/echo`, { secure, protocols: ['chat.v1', 'chat.v2'] });
        assert.equal(socket.protocol, 'chat.v2');
        assert.match(socket.extensions, /permessage-deflate/);
        assert.equal(String(await exchange(socket, 'grüezi')), 'grüezi');
        assert.deepEqual(await exchange(socket, Buffer.from([0, 1, 255])), Buffer.from([0, 1, 255]));
        assert.equal(String(await exchange(socket, '')), '');
        socket.close();
        await closed(socket);
      });

      test('pings reach the other end and are answered there, both ways', async () => {
        const { socket, name: mine } = await open(`/${name}/silent`, { secure });
        const theirs = services.get(name)?.named(mine).socket as WebSocket;
        for (const [from, to] of [
          [socket, theirs],
          [theirs, socket],
        ]) {
          const seen = once(to, 'ping');
          const answered = once(from, 'pong');
          from.ping('are you there?');
          assert.equal(String((await seen)[0]), 'are you there?');
          assert.equal(String((await answered)[0]), 'are you there?');
        }
        socket.terminate();
      });

      test('close codes and reasons reach the other end, whoever closes', async () => {
        const first = await open(`/${name}/echo`, { secure });
        first.socket.close(4001, 'enough');
        const { code, reason } = await (services.get(name) as SocketService).named(first.name).closed;
        assert.deepEqual([code, reason], [4001, 'enough']);
        const second = await open(`/${name}/echo`, { secure });
        const told = closed(second.socket);
        services.get(name)?.named(second.name).socket.close(1012, 'restarts');
        assert.deepEqual([(await told).code, (await told).reason], [1012, 'restarts']);
      });

      test('when one end is gone, the other knows soon', async () => {
        for (const go of ['terminate', 'reset', 'end'] as const) {
          const { socket, name: mine } = await open(`/${name}/echo`, { secure });
          const { closed: theirs } = (services.get(name) as SocketService).named(mine);
          const began = performance.now();
          const tcp = (socket as unknown as { _socket: Socket })._socket;
          if (go === 'terminate') socket.terminate();
          else if (go === 'end') tcp.end();
          else if (secure) tcp.destroy();
          else tcp.resetAndDestroy();
          const { code, at } = await theirs;
          assert.equal(code, 1006);
          assert.ok(at - began < 6000, `${go}: ${at - began} ms`);
        }
        const { socket, name: mine } = await open(`/${name}/echo`, { secure });
        const began = performance.now();
        const told = closed(socket);
        services.get(name)?.named(mine).socket.terminate();
        assert.equal((await told).code, 1006);
        assert.ok((await told).at - began < 6000);
      });
    });
  }
}

for (const [path, secure] of [
  ['/http/echo', false],
  ['/https/echo', true],
  ['/undici/echo', true],
] as const) {
  test(`a message of 10 MB there and back, ${path} ${secure ? 'over TLS' : 'plain'}`, async () => {
    const { socket } = await open(path, { secure });
    const message = randomBytes(10_000_000);
    assert.ok((await exchange(socket, message)).equals(message));
    socket.terminate();
  });
}

describe('back-pressure', () => {
  const MESSAGE = randomBytes(1_000_000);

  test('a client that does not read holds the service back, not the gateway’s memory', async () => {
    const { socket, name } = await open('/http/silent');
    const theirs = (services.get('http') as SocketService).named(name).socket;
    socket.pause();
    let received = 0;
    const growth = await growthWhile(gateway.process.pid, async () => {
      for (let i = 0; i < 150; i++) theirs.send(MESSAGE, { compress: false });
      await wait(1000);
    });
    assert.ok(theirs.bufferedAmount > 100_000_000, `only ${theirs.bufferedAmount} bytes wait at the service`);
    assert.ok(growth < 40, `the gateway grew by ${growth} MiB`);
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        received += data.equals(MESSAGE) ? 1 : 1000;
        if (received >= 150) resolve();
      });
    });
    socket.resume();
    await all;
    assert.equal(received, 150);
    socket.terminate();
  });

  test('a service that does not read holds the client back', async () => {
    const { socket, name } = await open('/http/silent', { secure: true });
    const theirs = (services.get('http') as SocketService).named(name).socket;
    theirs.pause();
    const growth = await growthWhile(gateway.process.pid, async () => {
      for (let i = 0; i < 150; i++) socket.send(MESSAGE, { compress: false });
      await wait(1000);
    });
    assert.ok(socket.bufferedAmount > 100_000_000, `only ${socket.bufferedAmount} bytes wait at the client`);
    assert.ok(growth < 40, `the gateway grew by ${growth} MiB`);
    socket.terminate();
    theirs.resume();
    await (services.get('http') as SocketService).named(name).closed;
  });

  test('a client that vanishes while it does not read is noticed by the service', async () => {
    const { socket, name } = await open('/http/silent');
    const { socket: theirs, closed: end } = (services.get('http') as SocketService).named(name);
    socket.pause();
    for (let i = 0; i < 50; i++) theirs.send(MESSAGE, { compress: false });
    await wait(300);
    const began = performance.now();
    socket.terminate();
    assert.ok((await end).at - began < 6000, `${(await end).at - began} ms`);
  });
});

describe('a service over HTTP/2', () => {
  test('gets a handshake as a plain GET, and is not taken for broken', async () => {
    for (let i = 0; i < 8; i++) {
      const bytes = await rawRequest(gateway.port('plain'), handshake(`/h2c/${i}`), { until: /plain GET/ });
      const answer = parseResponse(bytes);
      assert.deepEqual([answer.status, String(answer.body)], [404, 'plain GET']);
    }
    const metrics = await (await fetch(`http://127.0.0.1:${gateway.port('admin')}/metrics`)).text();
    assert.match(metrics, /^portcullis_target_failures_total\{service="h2c",.*\} 0$/m);
  });
});

describe('time', () => {
  test('neither timeout nor total-time ends a WebSocket, however silent', async () => {
    const { socket } = await open('/short/echo');
    await wait(1200);
    assert.equal(String(await exchange(socket, 'still here')), 'still here');
    socket.terminate();
  });
});

describe('places', () => {
  test('tunnel-idle ends what is silent, and nothing that pings', async () => {
    const base = `wss://127.0.0.1:${gateway.port('hasty')}/http`;
    const silent = new WebSocket(`${base}/silent`, { rejectUnauthorized: false });
    const pinging = new WebSocket(`${base}/echo`, { rejectUnauthorized: false });
    await Promise.all([once(silent, 'open'), once(pinging, 'open')]);
    const began = performance.now();
    const pings = setInterval(() => pinging.ping(), 100);
    const { code, at } = await closed(silent);
    assert.equal(code, 1006);
    assert.ok(at - began > 2900, `after ${at - began} ms`);
    const { decision, http } = await recordOf('/http/silent', 'hasty');
    assert.deepEqual([decision?.room, decision?.code, http.status], ['listen', 'tunnel-idle', 101]);
    assert.equal(String(await exchange(pinging, 'still here')), 'still here');
    clearInterval(pings);
    pinging.terminate();
  });

  test('a WebSocket takes one of the connections until it closes', async () => {
    const { socket } = await open('/one/echo');
    const refused = await fetch(`http://127.0.0.1:${gateway.port('plain')}/one/x`);
    assert.equal(refused.status, 503);
    assert.equal(((await refused.json()) as { code: string }).code, 'upstream-busy');
    assert.equal(refused.headers.get('retry-after'), '1');
    socket.close();
    await closed(socket);
    await wait(100);
    assert.equal((await fetch(`http://127.0.0.1:${gateway.port('plain')}/one/x`)).status, 200);
  });
});

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

function handshake(path: string, more = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: x.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n${more}\r\n`;
}

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';

describe('handshakes', () => {
  test('the service gets a whole handshake, and nothing else of the connection', async () => {
    scripts.set('/raw/seen', (socket, accept) => socket.end(`${SWITCH}Sec-WebSocket-Accept: ${accept}\r\n\r\n`));
    const answer = parseResponse(
      await rawRequest(gateway.port('plain'), handshake('/raw/seen', 'Sec-WebSocket-Extensions: permessage-deflate\r\n')),
    );
    assert.equal(answer.status, 101);
    assert.equal(answer.headers.get('sec-websocket-accept'), acceptOf(KEY));
    assert.equal(answer.headers.get('connection')?.toLowerCase(), 'upgrade');
    const seen = raw.requests.findLast((one) => one.target === '/raw/seen');
    const fields = seen?.headers.map(([field, value]) => `${field.toLowerCase()}: ${value}`) ?? [];
    for (const field of [
      'connection: upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      `sec-websocket-key: ${KEY}`,
      'sec-websocket-extensions: permessage-deflate',
    ])
      assert.equal(fields.filter((one) => one === field).length, 1, `${field} in ${fields}`);
    assert.ok(!fields.some((one) => /^(content-length|transfer-encoding)/.test(one)));
  });

  test('bytes directly behind the handshake are not lost, in either direction', async () => {
    for (const secure of [false, true]) {
      const got: Buffer[] = [];
      const path = `/raw/early/${secure}`;
      scripts.set(path, (socket, accept) => {
        // With the 101 in one write, and before anything came from the client.
        socket.write(
          Buffer.concat([
            Buffer.from(`${SWITCH}Sec-WebSocket-Accept: ${accept}\r\n\r\n`),
            Buffer.from([0x81, 2, 0x68, 0x69, 0x81, 1, 0x21]),
          ]),
        );
        socket.removeAllListeners('data');
        socket.on('data', (bytes: Buffer) => {
          got.push(bytes);
          if (Buffer.concat(got).length === 14) socket.write(Buffer.from([0x88, 0]));
        });
      });
      const frames = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61, 0x81, 0x81, 0, 0, 0, 0, 0x62]);
      const bytes = Buffer.concat([Buffer.from(handshake(path)), frames]);
      const received = await rawRequest(gateway.port(secure ? 'secure' : 'plain'), bytes, {
        tls: secure ? { ALPNProtocols: ['http/1.1'] } : false,
        until: (all) => all.subarray(-2).equals(Buffer.from([0x88, 0])),
      });
      const end = received.indexOf('\r\n\r\n') + 4;
      assert.deepEqual([...received.subarray(end)], [0x81, 2, 0x68, 0x69, 0x81, 1, 0x21, 0x88, 0]);
      assert.deepEqual([...Buffer.concat(got)], [...frames]);
      const { http: told } = await recordOf(path);
      assert.deepEqual([told.request_bytes, told.response_bytes], [frames.length, 9]);
    }
  });

  for (const [status, head, body] of [
    [401, 'WWW-Authenticate: Bearer\r\nContent-Type: text/plain\r\n', 'who are you?'],
    [426, 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n', 'another version'],
    [200, 'Content-Type: text/plain\r\n', 'no socket here'],
    [302, 'Location: /elsewhere\r\n', ''],
    [503, 'Retry-After: 7\r\n', 'later'],
  ] as const) {
    for (const prefix of ['/raw', '/undici-raw']) {
      test(`an answer ${status} passes on as it is (${prefix}), and the connection goes on`, async () => {
        const path = `${prefix}/answer/${status}`;
        scripts.set(path, (socket) =>
          socket.write(`HTTP/1.1 ${status} Word\r\n${head}Content-Length: ${body.length}\r\n\r\n${body}`),
        );
        const next = `GET ${prefix}/next HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\n\r\n`;
        const bytes = await rawRequest(gateway.port('plain'), [handshake(path), next], { pause: 60 });
        const text = bytes.toString('latin1');
        const first = parseResponse(bytes.subarray(0, text.indexOf('HTTP/1.1', 10)));
        assert.deepEqual([first.status, String(first.body)], [status, body]);
        if (status === 401) assert.equal(first.headers.get('www-authenticate'), 'Bearer');
        if (status === 302) assert.equal(first.headers.get('location'), '/elsewhere');
        if (status === 503) assert.equal(first.headers.get('retry-after'), '7');
        if (status === 426) assert.equal(first.headers.get('sec-websocket-version'), '13');
        assert.match(text, /"target":"\/(undici-)?raw\/next"/);
      });
    }
  }

  for (const [name, head] of [
    ['without Sec-WebSocket-Accept', ''],
    ['with a wrong Sec-WebSocket-Accept', `Sec-WebSocket-Accept: ${acceptOf('another key')}\r\n`],
    ['to another protocol', 'Upgrade: h2c\r\nSec-WebSocket-Accept: RIGHT\r\n'],
  ] as const) {
    for (const prefix of ['/raw', '/undici-raw']) {
      test(`101 ${name} is 502, and the service's connection ends (${prefix})`, async () => {
        const path = `${prefix}/bad/${name.replaceAll(' ', '-')}`;
        let ended: Promise<unknown> | undefined;
        scripts.set(path, (socket, accept) => {
          ended = once(socket, 'close');
          const answer = name === 'to another protocol' ? 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n' : SWITCH;
          socket.write(`${answer}${head.replace('RIGHT', accept)}\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`);
        });
        const answer = parseResponse(await rawRequest(gateway.port('plain'), handshake(path), { until: /upstream-malformed/ }));
        assert.equal(answer.status, 502);
        assert.doesNotMatch(String(answer.body), /evil/);
        await ended;
        const record = await recordOf(path);
        assert.equal(record.decision?.code, 'upstream-malformed');
      });
    }
  }

  for (const prefix of ['/raw', '/undici-raw']) {
    test(`101 that nobody asked for is 502 (${prefix})`, async () => {
      const path = `${prefix}/unsolicited`;
      scripts.set(path, (socket) => socket.write(`${SWITCH}Sec-WebSocket-Accept: ${acceptOf(KEY)}\r\n\r\n`));
      for (const upgrade of ['', 'Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n']) {
        const bytes = `GET ${path} HTTP/1.1\r\nHost: x.test\r\n${upgrade}\r\n`;
        const answer = parseResponse(await rawRequest(gateway.port('plain'), bytes, { until: /upstream-malformed/ }));
        assert.equal(answer.status, 502);
      }
    });
  }

  test('an upgrade to something else than WebSocket is ignored', async () => {
    for (const upgrade of ['h2c', 'TLS/1.0', 'websocket2', 'connect-udp']) {
      const bytes = `GET /raw/plain HTTP/1.1\r\nHost: x.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${upgrade}\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`;
      const answer = parseResponse(await rawRequest(gateway.port('plain'), bytes, { until: /"body":""}/ }));
      assert.equal(answer.status, 200);
      const seen = JSON.parse(String(answer.body)) as { headers: [string, string][] };
      const names = seen.headers.map(([field]) => field.toLowerCase());
      for (const hop of ['upgrade', 'http2-settings', 'connection']) assert.ok(!names.includes(hop), hop);
    }
  });
});

test('the record tells bytes, times and status of a WebSocket when it is over', async () => {
  const { socket } = await open('/http/recorded');
  await exchange(socket, randomBytes(5000));
  await wait(300);
  assert.equal(
    (await gateway.records()).find((one) => one.http.path === '/http/recorded'),
    undefined,
    'not before it is over',
  );
  socket.close();
  await closed(socket);
  const record = await recordOf('/http/recorded');
  const { status, request_bytes, response_bytes } = record.http as {
    status: number;
    request_bytes: number;
    response_bytes: number;
  };
  assert.equal(status, 101);
  assert.ok(request_bytes > 5000 && request_bytes < 5300, `${request_bytes}`);
  assert.ok(response_bytes > 5000 && response_bytes < 5300, `${response_bytes}`);
  const { target, status: theirs, ms } = record.upstream as { target: string; status: number; ms: number };
  assert.deepEqual([`http://${target}`, theirs], [services.get('http')?.url, 101]);
  assert.ok((record.ms as number) - ms > 250, `${ms} of ${record.ms as number}`);
  assert.equal(record.decision, undefined);
});
