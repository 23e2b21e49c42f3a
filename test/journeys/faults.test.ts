import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFile, readFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import tls from 'node:tls';
import { startGateway } from '../support/gateway.ts';
import { type Load, startLoad } from '../support/load.ts';
import { tlsFiles } from '../support/tls.ts';

async function startService(handler: http.RequestListener, port = 0): Promise<http.Server & { url: string; port: number }> {
  const server = http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const used = (server.address() as AddressInfo).port;
  return Object.assign(server, { port: used, url: `http://127.0.0.1:${used}` });
}

async function kill(server: http.Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

const echo: http.RequestListener = (request, answer) => answer.end(`you asked for ${request.url}`);
const numbered = (n: number) => ({ path: `/x/${n}`, expect: `you asked for /x/${n}` });

async function reach(load: Load, count: number): Promise<void> {
  const from = load.right();
  for (let i = 0; i < 1000 && load.right() < from + count; i++) await wait(10);
  assert.ok(
    load.right() >= from + count,
    `only ${load.right() - from} of ${count} answers: ${JSON.stringify(load.failures.slice(-3))}`,
  );
}

function configuration(targets: string, more = ''): string {
  return `
listeners: { plain: { address: 127.0.0.1:0 } }
services: { s: { targets: [${targets}], timeout: 1s } }
routes: [ { path: /**, service: s, authentication: none } ]
${more}`;
}

describe('services that fail under load', () => {
  test('one of two is killed and comes back: idempotent requests do not notice', async () => {
    const steady = await startService(echo);
    let shaky = await startService(echo);
    await using gateway = await startGateway(configuration(`${steady.url}, ${shaky.url}`));
    const load = startLoad({ port: gateway.port('plain'), connections: 16, request: numbered });
    await reach(load, 300);
    await kill(shaky);
    await reach(load, 500);
    shaky = await startService(echo, shaky.port);
    await reach(load, 500);
    await load.stop();
    assert.deepEqual(load.failures, []);
    await Promise.all([kill(steady), kill(shaky)]);
  });

  test('a service that hangs costs its own requests 504 within its timeout, and others nothing', async () => {
    const hanging = await startService(() => {});
    const well = await startService(echo);
    await using gateway = await startGateway(`
listeners: { plain: { address: 127.0.0.1:0 } }
services: { hanging: { targets: [${hanging.url}], timeout: 1s }, well: ${well.url} }
routes: [ { path: /hang, service: hanging, authentication: none }, { path: /x/**, service: well, authentication: none } ]`);
    const port = gateway.port('plain');
    const load = startLoad({ port, connections: 8, request: numbered });
    const began = performance.now();
    const hung = await Promise.all(Array.from({ length: 20 }, () => fetch(`http://127.0.0.1:${port}/hang`)));
    const ms = performance.now() - began;
    await load.stop();
    assert.deepEqual(
      hung.map((answer) => answer.status),
      Array.from({ length: 20 }, () => 504),
    );
    assert.ok(ms >= 990 && ms < 6000, `504 came after ${ms} ms`);
    assert.deepEqual(load.failures, []);
    assert.ok(load.right() > 200);
    await Promise.all([kill(hanging), kill(well)]);
  });

  test('a service that closes in mid-body leaves an answer that the client can tell is not whole', async () => {
    const cutting = await startService((request, answer) => {
      if (request.url === '/length') answer.writeHead(200, { 'content-length': '1000' });
      answer.write('the beginning', () => setTimeout(() => answer.socket?.destroy(), 20));
    });
    await using gateway = await startGateway(configuration(cutting.url));
    for (const path of ['/length', '/chunked']) {
      const answer = await fetch(`http://127.0.0.1:${gateway.port('plain')}${path}`);
      assert.equal(answer.status, 200);
      await assert.rejects(answer.text(), path);
    }
    const records = await gateway.records(2);
    assert.deepEqual(
      records.map((record) => record.decision?.code),
      ['upstream-closed', 'upstream-closed'],
    );
    await kill(cutting);
  });
});

describe('workers', () => {
  test('one is killed with -9 under load: only what it was serving is lost, and it is replaced', async () => {
    const service = await startService(echo);
    await using gateway = await startGateway(configuration(service.url, 'workers: 2'));
    const load = startLoad({ port: gateway.port('plain'), connections: 16, request: numbered });
    await reach(load, 300);
    const workers = () =>
      execFileSync('ps', ['-o', 'pid=', '--ppid', String(gateway.process.pid)], { encoding: 'utf8' })
        .split('\n')
        .filter(Boolean)
        .map(Number);
    const [victim] = workers();
    const killedAt = performance.now();
    process.kill(victim, 'SIGKILL');
    // One look at a time: between two of them the victim may vanish.
    const replaced = (pids: readonly number[]) => pids.length === 2 && !pids.includes(victim);
    for (let i = 0; i < 500 && !replaced(workers()); i++) await wait(20);
    await reach(load, 500);
    await load.stop();
    assert.equal(workers().length, 2, gateway.stderr());
    assert.ok(load.failures.length <= 16, `${load.failures.length} requests were lost`);
    for (const failure of load.failures) {
      assert.match(failure.what, /ECONNRESET|socket hang up|ECONNREFUSED|cut off|EPIPE/);
      assert.ok(failure.at - killedAt < 5000, 'all of them when the worker died');
    }
    await kill(service);
  });

  test('all workers share the load and stop together', async () => {
    const service = await startService(echo);
    await using gateway = await startGateway(configuration(service.url, 'workers: 2\nadmin: { address: 127.0.0.1:0 }'));
    const load = startLoad({ port: gateway.port('plain'), connections: 16, request: numbered });
    await reach(load, 500);
    await load.stop();
    assert.deepEqual(load.failures, []);
    const metrics = await (await fetch(`http://127.0.0.1:${gateway.port('admin')}/metrics`)).text();
    assert.match(
      metrics,
      new RegExp(`portcullis_requests_total\\{[^}]*status="2xx"[^}]*\\} ${load.right()}\\n`),
      'the counters of all workers are summed',
    );
    await kill(service);
  });
});

describe('certificates', () => {
  test('a certificate is replaced under load: no handshake fails, new ones get the new certificate', async () => {
    const service = await startService(echo);
    await using files = await tlsFiles(['api.example.com']);
    const { certificate, key } = files.of('api.example.com');
    const renewed = await files.issue('api.example.com', 'renewed');
    await using gateway = await startGateway(
      `
listeners: { secure: { address: 127.0.0.1:0, tls: { certificate: api.pem, key: api.key } } }
services: { s: ${service.url} }
routes: [ { path: /**, service: s, authentication: none } ]`,
      { files: { 'api.pem': await readFile(certificate), 'api.key': await readFile(key) } },
    );
    const port = gateway.port('secure');
    const ca = await readFile(files.ca, 'utf8');
    const serial = () =>
      new Promise<string>((resolve, reject) => {
        const socket = tls.connect({ port, host: '127.0.0.1', servername: 'api.example.com', ca }, () => {
          resolve(socket.getPeerCertificate().serialNumber);
          socket.destroy();
        });
        socket.once('error', reject);
      });
    const load = startLoad({ port, connections: 4, fresh: true, tls: { ca, servername: 'api.example.com' }, request: numbered });
    await reach(load, 50);
    const before = await serial();
    await copyFile(renewed.certificate, `${gateway.dir}/api.pem`);
    await copyFile(renewed.key, `${gateway.dir}/api.key`);
    let now = before;
    for (let i = 0; i < 500 && now === before; i++) {
      await wait(20);
      now = await serial();
    }
    assert.notEqual(now, before);
    await reach(load, 50);
    await load.stop();
    assert.deepEqual(load.failures, []);
    await kill(service);
  });
});

describe('leaving', () => {
  test('SIGTERM: readiness goes off, running requests end, exit 0', async () => {
    const service = await startService((request, answer) => setTimeout(() => echo(request, answer as never), 600));
    const gateway = await startGateway(configuration(service.url, 'admin: { address: 127.0.0.1:0 }'));
    const [port, admin] = [gateway.port('plain'), gateway.port('admin')];
    assert.equal((await fetch(`http://127.0.0.1:${admin}/readyz`)).status, 200);
    const running = fetch(`http://127.0.0.1:${port}/x/1`);
    await wait(100);
    const stopped = gateway.stop();
    await wait(50);
    assert.equal((await fetch(`http://127.0.0.1:${admin}/readyz`)).status, 503);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/x/2`), 'no new connection is taken');
    const answer = await running;
    assert.equal(await answer.text(), 'you asked for /x/1');
    await stopped;
    await kill(service);
  });
});
