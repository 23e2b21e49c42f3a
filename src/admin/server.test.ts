import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import test, { type TestContext } from 'node:test';
import tls from 'node:tls';
import { makeSelfSigned } from '../listen/tls/self-signed.ts';
import { type Admin, type AdminParts, type AdminServerOptions, createAdmin } from './server.ts';

const silent = { info: () => {}, warn: () => {}, error: () => {} };
const loopback = { host: '127.0.0.1', port: 0 };
const TOKEN = 'a-token-of-some-length';

async function start(
  t: TestContext,
  options: Partial<AdminServerOptions> = {},
  parts: Partial<AdminParts> = {},
): Promise<{ admin: Admin; port: number }> {
  const admin = createAdmin({
    options: { address: loopback, ...options },
    health: () => ({ ready: true, reasons: [] }),
    metrics: () => 'x 1\n',
    status: () => ({}),
    log: silent,
    ...parts,
  });
  const { port } = await admin.listen();
  t.after(() => admin.close());
  return { admin, port };
}

interface Got {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

async function get(port: number, path: string, options: http.RequestOptions & { secure?: boolean } = {}): Promise<Got> {
  const secure = options.secure ? { rejectUnauthorized: false } : {};
  const request = (options.secure ? https : http)
    .request({ host: '127.0.0.1', port, path, agent: false, ...secure, ...options })
    .end();
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks = await response.toArray();
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() };
}

/** What comes back for these bytes until the connection ends. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  socket.write(bytes);
  return Buffer.concat(await socket.toArray()).toString();
}

test('health, readiness and metrics', async (t) => {
  const health = { ready: true, reasons: [] as string[] };
  const { port } = await start(t, {}, { health: () => health });
  assert.deepEqual(
    [await get(port, '/healthz')].map((it) => [it.status, it.body]),
    [[200, 'ok\n']],
  );
  assert.deepEqual(
    [await get(port, '/readyz?x')].map((it) => [it.status, it.body]),
    [[200, 'ready\n']],
  );
  Object.assign(health, { ready: false, reasons: ['draining', 'no\r\nworker'] });
  const not = await get(port, '/readyz');
  assert.deepEqual([not.status, not.body], [503, 'not ready: draining\nnot ready: no worker\n']);
  assert.equal((await get(port, '/healthz')).status, 200, 'alive even when not ready');

  const metrics = await get(port, '/metrics');
  assert.deepEqual([metrics.status, metrics.body], [200, 'x 1\n']);
  assert.equal(metrics.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(metrics.headers['cache-control'], 'no-store');
  assert.equal(metrics.headers['x-content-type-options'], 'nosniff');
  assert.equal(metrics.headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'");

  const only = await get(port, '/metrics', { method: 'HEAD' });
  assert.deepEqual([only.status, only.headers['content-length'], only.body], [200, '4', '']);
});

test('only what is there, only reading', async (t) => {
  const { port } = await start(t);
  for (const path of [
    '/login',
    '/logout',
    '/index.html',
    '/page',
    '/page/',
    '/page/../page/page.css',
    '/page/index.html',
    '/page/tsconfig.json',
    '/healthz/',
    '/Healthz',
    '//metrics',
    '/metrics/../healthz',
    '/%6detrics',
  ]) {
    assert.equal((await get(port, path)).status, 404, path);
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH']) {
    const got = await get(port, '/metrics', { method });
    assert.deepEqual([got.status, got.headers.allow], [405, 'GET, HEAD'], method);
    assert.equal(got.headers['content-type'], 'application/problem+json');
    assert.deepEqual(JSON.parse(got.body), { type: 'about:blank', title: 'Method not allowed', status: 405 });
  }
});

test('Host: the address, localhost and the configured names, with any port; nothing else', async (t) => {
  const { port } = await start(t, { hosts: ['Admin.example.com'] });
  for (const host of [
    '127.0.0.1',
    `127.0.0.1:${port}`,
    'localhost',
    'LOCALHOST:8000',
    'admin.example.com',
    'ADMIN.example.com:443',
  ]) {
    assert.equal((await get(port, '/metrics', { headers: { host } })).status, 200, host);
  }
  const strangers = [
    'evil.example.com',
    'localhost.evil.com',
    'localhost.',
    '127.0.0.1.nip.io',
    '[::1]',
    '10.0.0.1',
    'localhost:',
    'localhost:x',
    'a@localhost',
    'localhost/x',
    '0x7f.1',
  ];
  for (const host of strangers) {
    const got = await get(port, '/metrics', { headers: { host } });
    assert.equal(got.status, 421, host);
    assert.doesNotMatch(got.body, /x 1/);
  }
  for (const head of [
    'GET /metrics HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\nHost: localhost\r\n\r\n',
    'GET /metrics HTTP/1.1\r\nConnection: close\r\nHost:\r\n\r\n',
    'GET /metrics HTTP/1.0\r\n\r\n',
  ]) {
    assert.match(await raw(port, head), /^HTTP\/1\.1 421 /, head);
  }
});

test('a listener on ::1 is called [::1]', async (t) => {
  const { port } = await start(t, { address: { host: '::1', port: 0 } });
  assert.equal((await get(port, '/healthz', { host: '::1' })).status, 200);
  assert.equal((await get(port, '/healthz', { host: '::1', headers: { host: '127.0.0.1' } })).status, 421);
});

test('a web page of another origin is refused', async (t) => {
  const { port } = await start(t);
  for (const [site, status] of [
    ['cross-site', 403],
    ['same-site', 403],
    ['odd', 403],
    ['none', 200],
    ['same-origin', 200],
  ] as const) {
    assert.equal((await get(port, '/metrics', { headers: { 'sec-fetch-site': site } })).status, status, site);
  }
});

test('off loopback TLS and a token are needed', async () => {
  const pair = await makeSelfSigned();
  const make = (options: AdminServerOptions) => () =>
    createAdmin({ options, health: () => ({ ready: true, reasons: [] }), metrics: () => '', status: () => ({}), log: silent });
  for (const host of ['0.0.0.0', '::', '192.0.2.1']) {
    const address = { host, port: 0 };
    assert.throws(make({ address }), /needs TLS and a token/);
    assert.throws(make({ address, token: TOKEN }), /needs TLS and a token/);
    assert.throws(make({ address, tls: pair }), /needs TLS and a token/);
    assert.doesNotThrow(make({ address, tls: pair, token: TOKEN }));
  }
});

test('over TLS with a token, on all addresses', async (t) => {
  const { port, admin } = await start(t, { address: { host: '0.0.0.0', port: 0 }, tls: await makeSelfSigned(), token: TOKEN });
  const ask = (headers: http.OutgoingHttpHeaders) => get(port, '/metrics', { secure: true, headers });
  for (const authorization of [`Bearer ${TOKEN}`, `bearer  ${TOKEN}`]) assert.equal((await ask({ authorization })).status, 200);
  for (const path of ['/healthz', '/readyz', '/metrics', '/nothing']) {
    const got = await get(port, path, { secure: true });
    assert.deepEqual([got.status, got.headers['www-authenticate']], [401, 'Bearer realm="portcullis admin"'], path);
  }
  const wrong = [
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(1)}`,
    'Bearer ',
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer ${TOKEN} ${TOKEN}`,
    `Bearer ${TOKEN}, Bearer x`,
  ];
  for (const authorization of wrong) {
    const got = await ask({ authorization });
    assert.equal(got.status, 401, authorization);
    assert.match(got.headers['www-authenticate'] ?? '', /invalid_token/);
  }
  assert.equal((await ask({ authorization: `Bearer ${TOKEN}`, host: 'evil.example.com' })).status, 421);
  assert.equal((await ask({ authorization: `Bearer ${TOKEN}`, host: '0.0.0.0' })).status, 200);

  const serial = async () => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  const before = await serial();
  admin.setCertificate(await makeSelfSigned());
  assert.notEqual(await serial(), before);
});

test('plain HTTP to the TLS port, old TLS and odd bytes get no answer', async (t) => {
  const { port } = await start(t, { tls: await makeSelfSigned() });
  assert.equal(await raw(port, 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n').catch(() => ''), '');
  const socket = tls.connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    minVersion: 'TLSv1.1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  });
  const [error] = await once(socket, 'error').catch((caught) => [caught]);
  assert.match(error.code, /ALERT_PROTOCOL_VERSION/, 'it is the server that refuses');
});

test('the head is bounded and smuggled lengths are refused', async (t) => {
  const { port } = await start(t);
  const head = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n';
  assert.match(await raw(port, `${head}X: ${'a'.repeat(9000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
  assert.match(await raw(port, `${head}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`), /^HTTP\/1\.1 400 /);
  assert.match(await raw(port, `${head}Content-Length: 4\r\n\r\nGET `), /^HTTP\/1\.1 200 [\s\S]*connection: close/i);
});

test('connections are bounded', async (t) => {
  const { port } = await start(t);
  const sockets = Array.from({ length: 80 }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
  let closed = 0;
  await new Promise<void>((resolve) => {
    for (const socket of sockets) {
      socket.resume().on('close', () => {
        if (++closed === 16) resolve();
      });
    }
  });
  for (const socket of sockets) socket.destroy();
  assert.equal(closed, 16);
});

test('a worker that fails or hangs makes 503, not a crash or a wait', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const errors: string[] = [];
  const { port } = await start(
    t,
    {},
    {
      health: () => {
        throw new Error('broke');
      },
      metrics: () => new Promise(() => queueMicrotask(() => t.mock.timers.tick(5000))),
      log: { ...silent, error: (message) => errors.push(message) },
    },
  );
  for (const path of ['/readyz', '/metrics']) {
    const got = await get(port, path);
    assert.equal(got.status, 503);
    assert.doesNotMatch(got.body, /broke/);
  }
  assert.equal(errors.length, 2);
  t.mock.timers.reset();
});

test('close ends kept connections, and a port that is taken is told', async (t) => {
  const { admin, port } = await start(t);
  const agent = new http.Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  assert.equal((await get(port, '/healthz', { agent })).status, 200);
  const other = createAdmin({
    options: { address: { host: '127.0.0.1', port } },
    health: () => ({ ready: true, reasons: [] }),
    metrics: () => '',
    status: () => ({}),
    log: silent,
  });
  await assert.rejects(other.listen(), { code: 'EADDRINUSE' });
  await admin.close();
  await assert.rejects(get(port, '/healthz'), { code: 'ECONNREFUSED' });
});
