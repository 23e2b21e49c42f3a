import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type RunningService, startService } from '../support/services.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');

let service: RunningService;

before(async () => {
  service = await startService((request, answer) => answer.end(`service ${request.url}`));
});

after(() => service.close());

interface Written {
  readonly listeners?: string;
  readonly route?: string;
  readonly more?: string;
}

function configuration({ listeners = '{ plain: { address: 127.0.0.1:0 } }', route = '/**', more = '' }: Written = {}): string {
  return `
listeners: ${listeners}
services: { s: ${service.url} }
observe: { access: access.jsonl }
routes: [ { path: ${route}, service: s, authentication: none } ]
${more}`;
}

/** The status over a new connection, or the error's code. */
function ask(port: number, target = '/x'): Promise<string> {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: target, agent: false }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(String(answer.statusCode)));
    });
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 15_000;
  while (!(await holds())) {
    if (performance.now() > end) assert.fail(`it did not come to this: ${what}`);
    await wait(20);
  }
}

const logged = (gateway: Gateway, text: string, times = 1) =>
  until(`${text} ${times} times`, () => gateway.stderr().split(text).length > times);

function workersOf(gateway: Gateway): number[] {
  try {
    const output = execFileSync('ps', ['-o', 'pid=', '--ppid', String(gateway.process.pid)], { encoding: 'utf8' });
    return output.split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

const lives = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function taken(): Promise<{ port: number } & AsyncDisposable> {
  const server = net.createServer((socket) => socket.resume().on('error', () => {})).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

for (const workers of [1, 2]) {
  describe(`${workers} ${workers === 1 ? 'process' : 'workers'}`, () => {
    test('an admin address that is taken: it does not start, and ends with 1', async () => {
      await using other = await taken();
      const dir = await mkdtemp(path.join(tmpdir(), 'portcullis-test-'));
      const file = path.join(dir, 'portcullis.yaml');
      await writeFile(file, configuration({ more: `workers: ${workers}\nadmin: { address: 127.0.0.1:${other.port} }` }));
      const child = spawn(process.execPath, [MAIN, 'start', '--config', file], { stdio: ['ignore', 'pipe', 'pipe'] });
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      let output = '';
      child.stderr.on('data', (text) => (output += text));
      const [code, signal] = await once(child, 'exit');
      clearTimeout(timer);
      await rm(dir, { recursive: true });
      assert.deepEqual([code, signal], [1, null], output);
      assert.match(output, /EADDRINUSE/);
    });

    test('an admin address that is taken, in a reload: nothing changes, and what follows is taken over', async () => {
      await using other = await taken();
      const admin = (port: number) => `workers: ${workers}\nadmin: { address: 127.0.0.1:${port} }`;
      await using gateway = await startGateway(configuration({ more: admin(0) }));
      const port = gateway.port('plain');
      await writeFile(gateway.config, configuration({ route: '/new', more: admin(other.port) }));
      await logged(gateway, 'the configuration is not changed');
      assert.deepEqual([await ask(port, '/x'), await ask(gateway.port('admin'), '/healthz')], ['200', '200']);
      await writeFile(gateway.config, configuration({ route: '/new', more: admin(0) }));
      await logged(gateway, 'has been reloaded');
      assert.deepEqual([await ask(port, '/x'), await ask(port, '/new')], ['404', '200']);
      await writeFile(gateway.config, configuration({ more: admin(0) }));
      await logged(gateway, 'has been reloaded', 2);
      assert.deepEqual([await ask(port, '/x'), await ask(gateway.port('admin'), '/healthz')], ['200', '200']);
    });

    test('SIGUSR1 opens no debugger', async () => {
      await using gateway = await startGateway(configuration({ more: `workers: ${workers}` }));
      const pids = [gateway.process.pid as number, ...workersOf(gateway)];
      assert.equal(pids.length, workers === 1 ? 1 : 3);
      for (const pid of pids) process.kill(pid, 'SIGUSR1');
      await wait(300);
      assert.equal(await ask(gateway.port('plain')), '200');
      assert.ok(pids.every(lives));
      assert.doesNotMatch(gateway.stderr(), /[Dd]ebugger/);
      for (const pid of pids) {
        const flags = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
        assert.ok(flags.includes('--disable-sigusr1'), flags.join(' '));
      }
    });

    test('a storm of SIGHUP loses no request, and SIGTERM twice is once', async () => {
      const gateway = await startGateway(configuration({ more: `workers: ${workers}` }));
      const port = gateway.port('plain');
      for (let i = 0; i < 50; i++) {
        gateway.process.kill('SIGHUP');
        if (i % 5 === 0) assert.equal(await ask(port), '200');
      }
      await logged(gateway, 'has been reloaded');
      assert.equal(await ask(port), '200');
      gateway.process.kill('SIGHUP');
      gateway.process.kill('SIGTERM');
      gateway.process.kill('SIGTERM');
      await gateway.stop();
    });
  });
}

describe('before it serves', () => {
  test('SIGHUP and SIGUSR2 do not end it, and SIGTERM does, well', async () => {
    // A service that takes connections and says nothing: its first health check holds up the start.
    await using silent = await taken();
    const dir = await mkdtemp(path.join(tmpdir(), 'portcullis-test-'));
    const file = path.join(dir, 'portcullis.yaml');
    await writeFile(
      file,
      `
listeners: { plain: { address: 127.0.0.1:0 } }
services: { s: { targets: [http://127.0.0.1:${silent.port}], health: { path: /, every: 30s, timeout: 20s } } }
observe: { access: access.jsonl }
routes: [ { path: /**, service: s, authentication: none } ]`,
    );
    const child = spawn(process.execPath, [MAIN, 'start', '--config', file], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    await until('it is about to start', () => existsSync(path.join(dir, 'access.jsonl')));
    for (const signal of ['SIGHUP', 'SIGUSR2'] as const) child.kill(signal);
    await wait(100);
    assert.deepEqual([child.exitCode, child.signalCode, output], [null, null, '']);
    const began = performance.now();
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    await rm(dir, { recursive: true });
    assert.equal(code, 0);
    assert.ok(performance.now() - began < 5000);
  });
});

describe('workers', () => {
  test('leave when the primary is killed with -9', async () => {
    const gateway = await startGateway(configuration({ more: 'workers: 2' }));
    const pids = workersOf(gateway);
    assert.equal(pids.length, 2);
    for (let i = 0; i < 4; i++) assert.equal(await ask(gateway.port('plain')), '200');
    gateway.process.kill('SIGKILL');
    await until('no worker is left', () => !pids.some(lives));
    assert.equal((await gateway.records()).length, 4, 'and write down first what they still have');
    await gateway.stop().catch(() => {});
  });

  test('a connection that a worker was given just before it died is closed: its client does not wait for ever', async () => {
    await using gateway = await startGateway(configuration({ more: 'workers: 2' }));
    const [victim] = workersOf(gateway);
    process.kill(victim, 'SIGSTOP');
    const answers = Array.from({ length: 6 }, () => ask(gateway.port('plain')));
    let over = 0;
    for (const answer of answers) void answer.then(() => over++);
    await until('the other worker has answered the others', () => over === 5);
    process.kill(victim, 'SIGKILL');
    assert.deepEqual((await Promise.all(answers)).sort(), [...Array(5).fill('200'), 'ECONNRESET']);
  });

  test('a worker that is replaced after a reload has the new configuration; ports that the system chose stay', async () => {
    const both = '{ a: { address: 127.0.0.1:0 }, b: { address: 127.0.0.1:0 } }';
    await using gateway = await startGateway(configuration({ listeners: both, more: 'workers: 2' }));
    const b = gateway.port('b');
    const listeners = '{ b: { address: 127.0.0.1:0 } }';
    await writeFile(gateway.config, configuration({ listeners, route: '/new', more: 'workers: 2' }));
    await logged(gateway, 'has been reloaded');
    const old = workersOf(gateway);
    for (const pid of old) process.kill(pid, 'SIGKILL');
    await until('two new workers', () => workersOf(gateway).filter((pid) => !old.includes(pid)).length === 2);
    await until('they serve', async () => (await ask(b, '/new')) === '200');
    for (let i = 0; i < 6; i++) assert.deepEqual([await ask(b, '/new'), await ask(b, '/x')], ['200', '404']);
  });
});

test('a WebSocket whose client leaves while the gateway does is waited for and recorded', async (t) => {
  const left = Promise.withResolvers<void>();
  const upgraded = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () =>
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
          'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
      ),
    );
    // What it says last, nobody reads any more.
    socket.on('end', () => socket.end('and good bye', () => left.resolve()));
  });
  upgraded.listen(0, '127.0.0.1');
  await once(upgraded, 'listening');
  t.after(() => upgraded.close());
  const { port } = upgraded.address() as AddressInfo;
  await using gateway = await startGateway(`
listeners: { plain: { address: 127.0.0.1:0 } }
services: { s: http://127.0.0.1:${port} }
routes: [ { path: /**, service: s, authentication: none } ]`);
  const client = net.connect(gateway.port('plain'), '127.0.0.1');
  client.write(
    'GET /left HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  await once(client, 'data');
  gateway.process.kill('SIGTERM');
  // Later than the beginning of the end, so that nothing but the rest of the tunnel is still to be waited for.
  await wait(500);
  client.resetAndDestroy();
  await left.promise;
  const [code] = (await once(gateway.process, 'exit')) as [number | null];
  assert.equal(code, 0, gateway.stderr());
  const records = await gateway.records(1);
  assert.deepEqual(
    records.map(({ http: { path: target, status } }) => [target, status]),
    [['/left', 101]],
  );
});
