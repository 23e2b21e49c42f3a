import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import tls from 'node:tls';
import { KeptLog } from '../../test/support/corridor.ts';
import { startService, type RunningService } from '../../test/support/services.ts';
import { type TlsFiles, tlsFiles } from '../../test/support/tls.ts';
import { order, type Place } from '../pipeline/order.ts';
import { checkText } from './load.ts';
import type { GatewayOptions } from './schema.ts';
import { Gateway, type GatewayParts } from './swap.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
/** For what must not happen: long enough for it to have happened. */
const moment = () => new Promise<void>((resolve) => setTimeout(resolve, 50));

let service: RunningService;
let files: TlsFiles;
let dir: string;
/** Answers that the service owes: it gives none to `/hang`. */
const hanging: http.ServerResponse[] = [];
let gateway: Gateway;
let log: KeptLog;

before(async () => {
  service = await startService((request, answer) => {
    if (request.url?.startsWith('/hang')) hanging.push(answer);
    else answer.end(`service ${request.url}`);
  });
  service.server.on('upgrade', (request: http.IncomingMessage, socket: net.Socket) => {
    const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
    assert.equal(request.headers['sec-websocket-key'], KEY);
    socket.write(`HTTP/1.1 101 ok\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`);
  });
  files = await tlsFiles(['a.test', 'b.test']);
});

after(async () => {
  await service.close();
  await files.remove();
});

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'portcullis-swap-'));
});

afterEach(async () => {
  for (const answer of hanging.splice(0)) answer.destroy();
  await gateway.drain();
  await rm(dir, { recursive: true });
});

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

interface Written {
  readonly listeners: string;
  readonly observe?: string;
  readonly routes?: string;
}

function options({ listeners, observe = '{ access: access.jsonl }', routes = '' }: Written): GatewayOptions {
  const text = `
listeners: ${listeners}
services: { s: ${service.url} }
observe: ${observe}
routes:
  - { path: /**, service: s, authentication: none }
${routes}`;
  const result = checkText(path.join(dir, 'portcullis.yaml'), text, {});
  assert.ok(result.ok, JSON.stringify(result));
  return result.options;
}

async function start(written: Written, parts: Partial<GatewayParts> = {}): Promise<void> {
  log = new KeptLog();
  gateway = new Gateway({ log, drainMs: 200, ...parts });
  await gateway.start(options(written));
}

const portOf = (name: string) => gateway.addresses()[name].port;

/** The status and text of one answer over a new connection, or the error's code. */
function ask(port: number, target = '/x', how: { secure?: boolean; agent?: http.Agent } = {}): Promise<string> {
  return new Promise((resolve) => {
    const request = { host: '127.0.0.1', port, path: target, agent: how.agent ?? false, rejectUnauthorized: false };
    const sent = (how.secure === true ? https : http).get(request, (answer) => {
      let text = '';
      answer.on('data', (piece) => (text += piece));
      answer.on('end', () => resolve(`${answer.statusCode} ${text}`));
      answer.on('error', () => resolve('cut off'));
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** The name on the certificate that is shown. */
function shown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject?.CN?.toString() ?? 'self-signed');
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** Opens a WebSocket and waits for its 101. */
async function upgraded(port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const head = `GET /ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${KEY}\r\n\r\n`;
  socket.write(head);
  const answer = await new Promise<Buffer>((resolve) => socket.once('data', resolve));
  assert.match(String(answer), /^HTTP\/1.1 101 /);
  return socket;
}

async function hung(count: number): Promise<void> {
  while (hanging.length < count) await turn();
}

/** A port that somebody else has. */
async function taken(): Promise<{ port: number; free(): Promise<void> }> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, free: () => new Promise((resolve) => server.close(() => resolve())) };
}

async function freePort(): Promise<number> {
  const other = await taken();
  await other.free();
  return other.port;
}

function records(name = 'access.jsonl'): { listener: string; http: { path: string; status: number } }[] {
  const file = path.join(dir, name);
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Whether this process has a file of that name open. */
function isOpen(name: string): boolean {
  const open = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return open.includes(path.join(dir, name));
}

const AB = '{ a: { address: 127.0.0.1:0 }, b: { address: 127.0.0.1:0 } }';

describe('a start that fails', () => {
  test('closes what it has opened', async () => {
    const other = await taken();
    const a = await freePort();
    const listeners = `{ a: { address: 127.0.0.1:${a} }, b: { address: 127.0.0.1:${other.port} } }`;
    await assert.rejects(start({ listeners }), /listener b cannot be opened: .*EADDRINUSE/);
    assert.equal(await ask(a), 'ECONNREFUSED');
    await moment();
    assert.equal(isOpen('access.jsonl'), false);
    await other.free();
  });
});

describe('a reload that fails changes nothing', () => {
  test('a port that somebody else has: no listener that is kept has changed, none is new', async () => {
    await start({ listeners: AB });
    const other = await taken();
    const c = await freePort();
    const listeners = `{ a: { address: 127.0.0.1:0, tls: self-signed }, c: { address: 127.0.0.1:${c} }, d: { address: 127.0.0.1:${other.port} } }`;
    await assert.rejects(gateway.reload(options({ listeners, observe: '{ access: other.jsonl }' })), /listener d/);
    assert.equal(await ask(portOf('a')), '200 service /x');
    assert.equal(await ask(portOf('b')), '200 service /x');
    assert.equal(await ask(c), 'ECONNREFUSED');
    await moment();
    assert.deepEqual([isOpen('access.jsonl'), isOpen('other.jsonl')], [true, false]);
    await other.free();
    await gateway.reload(options({ listeners }));
    assert.equal(await ask(portOf('a'), '/x', { secure: true }), '200 service /x');
  });

  test('a certificate that vanished after the check: listeners before it have not changed', async () => {
    const { certificate, key } = files.of('a.test');
    const b = await files.issue('c.test', 'vanishing');
    await start({
      listeners: `{ a: { address: 127.0.0.1:0, tls: { certificate: ${certificate}, key: ${key} } }, b: { address: 127.0.0.1:0 } }`,
    });
    const listeners = `{ a: { address: 127.0.0.1:0 }, b: { address: 127.0.0.1:0, tls: { certificate: ${b.certificate}, key: ${b.key} } } }`;
    const next = options({ listeners });
    await rm(b.key);
    await assert.rejects(gateway.reload(next), /vanishing\.key does not exist/);
    assert.equal(await shown(portOf('a')), 'a.test');
    assert.equal(await ask(portOf('b')), '200 service /x');
  });

  test('a room that cannot be prepared: the new access record is not opened for long', async () => {
    let fails = false;
    const place: Place = {
      hook: 'failing',
      room: 'limit',
      why: 't',
      async prepare() {
        if (fails) throw new Error('no store');
        return undefined;
      },
    };
    await start({ listeners: AB }, { order: [...order, place] });
    fails = true;
    await assert.rejects(gateway.reload(options({ listeners: AB, observe: '{ access: other.jsonl }' })), /no store/);
    assert.equal(await ask(portOf('a')), '200 service /x');
    await moment();
    assert.deepEqual([isOpen('access.jsonl'), isOpen('other.jsonl')], [true, false]);
  });

  test('it does not wait for connections that were made meanwhile', async () => {
    await start({ listeners: AB });
    const other = await taken();
    const c = await freePort();
    const held: net.Socket[] = [];
    const timer = setInterval(() => held.push(net.connect(c, '127.0.0.1').on('error', () => {})), 1);
    const listeners = `{ c: { address: 127.0.0.1:${c}, bounds: { head-time: 60s } }, d: { address: 127.0.0.1:${other.port} } }`;
    await assert.rejects(gateway.reload(options({ listeners })), /listener d/);
    clearInterval(timer);
    for (const socket of held) socket.destroy();
    await other.free();
  });
});

describe('a reload that works', () => {
  test('TLS comes and goes on one address, and connections that are open stay as they are', async () => {
    await start({ listeners: '{ a: { address: 127.0.0.1:0 } }' });
    const port = portOf('a');
    const [plain, secure] = [new http.Agent({ keepAlive: true }), new https.Agent({ keepAlive: true })];
    assert.equal(await ask(port, '/1', { agent: plain }), '200 service /1');
    await gateway.reload(options({ listeners: '{ a: { address: 127.0.0.1:0, tls: self-signed } }' }));
    assert.equal(await ask(port, '/2', { agent: plain }), '200 service /2');
    assert.equal(await ask(port, '/3', { agent: secure, secure: true }), '200 service /3');
    assert.notEqual(await ask(port, '/4'), '200 service /4', 'a new connection has to speak TLS');
    await gateway.reload(options({ listeners: '{ a: { address: 127.0.0.1:0 } }' }));
    assert.equal(await ask(port, '/5', { agent: secure, secure: true }), '200 service /5');
    assert.equal(await ask(port, '/6'), '200 service /6');
    assert.equal(gateway.addresses().a.port, port);
    plain.destroy();
    secure.destroy();
  });

  test('a self-signed certificate stays the same whatever else changes: people have accepted it', async () => {
    const fingerprint = (port: number) =>
      new Promise<string>((resolve) => {
        const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
          resolve(socket.getPeerCertificate().fingerprint256);
          socket.destroy();
        });
      });
    await start({ listeners: '{ a: { address: 127.0.0.1:0, tls: self-signed } }' });
    const before = await fingerprint(portOf('a'));
    await gateway.reload(options({ listeners: '{ a: { address: 127.0.0.1:0, tls: self-signed, bounds: { head-time: 5s } } }' }));
    assert.equal(await fingerprint(portOf('a')), before);
  });

  test('other certificates on the same address, and the same ones read again', async () => {
    const [a, b] = [files.of('a.test'), files.of('b.test')];
    const listener = ({ certificate, key }: typeof a) =>
      `{ a: { address: 127.0.0.1:0, tls: { certificate: ${certificate}, key: ${key} } } }`;
    await start({ listeners: listener(a) });
    assert.equal(await shown(portOf('a')), 'a.test');
    await gateway.reload(options({ listeners: listener(b) }));
    assert.equal(await shown(portOf('a')), 'b.test');
    await gateway.reload(options({ listeners: listener(b) }));
    assert.equal(await shown(portOf('a')), 'b.test');
  });

  test('a listener gets another name on its address', async () => {
    const port = await freePort();
    await start({ listeners: `{ old: { address: 127.0.0.1:${port} } }` });
    assert.equal(await ask(port, '/1'), '200 service /1');
    await gateway.reload(options({ listeners: `{ new: { address: 127.0.0.1:${port} } }` }));
    assert.equal(await ask(port, '/2'), '200 service /2');
    assert.deepEqual(Object.keys(gateway.addresses()), ['new']);
    await gateway.drain();
    assert.deepEqual(
      records().map((record) => record.listener),
      ['old', 'new'],
    );
  });

  test('a listener moves, another goes: what runs on them ends in peace', async () => {
    await start({ listeners: AB });
    const [a, b] = [portOf('a'), portOf('b')];
    const running = ask(b, '/hang/1');
    await hung(1);
    const c = await freePort();
    await gateway.reload(options({ listeners: `{ a: { address: 127.0.0.1:${c} } }` }));
    assert.deepEqual([await ask(a), await ask(b), await ask(c)], ['ECONNREFUSED', 'ECONNREFUSED', '200 service /x']);
    hanging[0].end('at last');
    assert.equal(await running, '200 at last');
  });

  test('no record is lost while the access record moves', async () => {
    await start({ listeners: AB });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    let stop = false;
    let asked = 0;
    const worker = async () => {
      while (!stop) assert.match(await ask(portOf('a'), `/${asked++}`, { agent }), /^200 /);
    };
    const workers = Array.from({ length: 4 }, worker);
    for (let i = 0; i < 10; i++) {
      const rotate = i % 2 === 0 ? 'false' : '{ size: 1MiB }';
      await gateway.reload(options({ listeners: AB, observe: `{ access: ${i % 3}.jsonl, rotate: ${rotate} }` }));
      await moment();
    }
    stop = true;
    await Promise.all(workers);
    agent.destroy();
    await gateway.drain();
    const all = ['access.jsonl', '0.jsonl', '1.jsonl', '2.jsonl'].flatMap((name) => records(name));
    assert.equal(all.length, asked);
    assert.equal(new Set(all.map((record) => record.http.path)).size, asked);
  });

  test('the rooms of a configuration close when its last request has ended, not before', async () => {
    const closed: number[] = [];
    let made = 0;
    const place: Place = {
      hook: 'counting',
      room: 'limit',
      why: 't',
      async prepare() {
        const n = made++;
        return { close: async () => void closed.push(n) };
      },
    };
    await start({ listeners: AB }, { order: [...order, place] });
    const running = ask(portOf('a'), '/hang/1');
    await hung(1);
    for (let i = 0; i < 3; i++) await gateway.reload(options({ listeners: AB }));
    await turn();
    assert.deepEqual(closed, [1, 2]);
    hanging[0].end('done');
    assert.equal(await running, '200 done');
    await turn();
    assert.deepEqual(closed, [1, 2, 0]);
    await gateway.drain();
    assert.deepEqual(closed, [1, 2, 0, 3]);
  });
});

describe('leaving', () => {
  test('what does not end within the bound is cut off: a WebSocket, a hanging call, one on a listener that has gone', async () => {
    await start({
      listeners: `{ a: { address: 127.0.0.1:0 }, b: { address: 127.0.0.1:0 }, c: { address: 127.0.0.1:0, tls: self-signed } }`,
    });
    const socket = await upgraded(portOf('a'));
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const old = await upgraded(portOf('b'));
    const oldClosed = new Promise<void>((resolve) => old.once('close', () => resolve()));
    const cut = [ask(portOf('a'), '/hang/1'), ask(portOf('b'), '/hang/2'), ask(portOf('c'), '/hang/3', { secure: true })];
    await hung(3);
    await gateway.reload(
      options({ listeners: '{ a: { address: 127.0.0.1:0 }, c: { address: 127.0.0.1:0, tls: self-signed } }' }),
    );
    const began = performance.now();
    await gateway.drain();
    const ms = performance.now() - began;
    assert.ok(ms >= 190 && ms < 2400, `drained in ${ms} ms`);
    assert.deepEqual(await Promise.all(cut), ['ECONNRESET', 'ECONNRESET', 'ECONNRESET']);
    await Promise.all([closed, oldClosed]);
    assert.deepEqual(
      records()
        .map((record) => `${record.http.path} ${record.http.status}`)
        .sort(),
      ['/hang/1 0', '/hang/2 0', '/hang/3 0', '/ws 101', '/ws 101'],
      'and all of it stands in the record',
    );
  });

  test('twice is once', async () => {
    await start({ listeners: AB });
    await Promise.all([gateway.drain(), gateway.drain()]);
    await gateway.drain();
    assert.equal(gateway.ready, false);
  });

  test('before anything has started', async () => {
    gateway = new Gateway({ log: new KeptLog() });
    await gateway.drain();
    await assert.rejects(gateway.start(options({ listeners: AB })), /leaving/);
  });

  test('while a reload runs: that one fails and leaves nothing open', async () => {
    const gate = Promise.withResolvers<void>();
    let waits = false;
    const place: Place = {
      hook: 'slow',
      room: 'limit',
      why: 't',
      async prepare() {
        if (waits) await gate.promise;
        return undefined;
      },
    };
    await start({ listeners: AB }, { order: [...order, place] });
    waits = true;
    const c = await freePort();
    const reloading = gateway.reload(
      options({ listeners: `{ c: { address: 127.0.0.1:${c} } }`, observe: '{ access: other.jsonl }' }),
    );
    const failed = assert.rejects(reloading, /leaving/);
    await gateway.drain();
    gate.resolve();
    await failed;
    assert.equal(await ask(c), 'ECONNREFUSED');
    await moment();
    assert.deepEqual([isOpen('access.jsonl'), isOpen('other.jsonl')], [false, false]);
  });
});
