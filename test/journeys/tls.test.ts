/** TLS through the whole gateway, with clients that are not ours: curl, openssl, haproxy, Node. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { type Echo, startEcho } from '../support/echo.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { startLoad } from '../support/load.ts';
import { type TlsFiles, tlsFiles } from '../support/tls.ts';

const run = promisify(execFile);

describe('TLS', () => {
  let echo: Echo;
  let files: TlsFiles;
  let gateway: Gateway;
  let ca: string;

  before(async () => {
    echo = await startEcho();
    files = await tlsFiles(['api.example', '*.apps.example']);
    ca = await readFile(files.ca, 'utf8');
    gateway = await startGateway(configuration(''));
  });
  after(async () => {
    await gateway?.stop();
    await echo?.stop();
    await files?.remove();
  });

  const configuration = (more: string, [first, second] = [files.of('api.example'), files.of('*.apps.example')]): string => `
listeners:
  public:
    address: 127.0.0.1:0
    tls:
      - { certificate: ${first.certificate}, key: ${first.key} }
      - { certificate: ${second.certificate}, key: ${second.key} }
  proxied:
    address: 127.0.0.1:0
    proxy-protocol: true
    tls: { certificate: ${first.certificate}, key: ${first.key} }
trusted-proxies: [127.0.0.1]
services: { echo: "${echo.url}" }
routes: [{ path: /**, service: echo, authentication: none }]
${more}`;

  /** What curl prints for the status, the HTTP version and the TLS version. */
  const curl = async (host: string, ...args: string[]): Promise<string> => {
    const port = gateway.port('public');
    const fixed = [
      '--silent',
      '--show-error',
      '--max-time',
      '10',
      '--cacert',
      files.ca,
      '--resolve',
      `${host}:${port}:127.0.0.1`,
    ];
    const out = ['--output', '/dev/null', '--write-out', '%{http_code} %{http_version} %{ssl_verify_result}'];
    return (await run('curl', [...fixed, ...out, ...args, `https://${host}:${port}/x`])).stdout;
  };

  const hasCurl = spawnSync('curl', ['--version']).status === 0;

  describe('curl', { skip: hasCurl ? false : 'curl is not installed' }, () => {
    const cases: [string, string, string[], string][] = [
      ['HTTP/2 by ALPN', 'api.example', [], '200 2 0'],
      ['HTTP/1.1 by ALPN', 'api.example', ['--http1.1'], '200 1.1 0'],
      ['HTTP/1.0', 'api.example', ['--http1.0'], '200 1.1 0'],
      ['without ALPN', 'api.example', ['--no-alpn'], '200 1.1 0'],
      ['TLS 1.2 only', 'api.example', ['--tlsv1.2', '--tls-max', '1.2'], '200 2 0'],
      ['TLS 1.3 only', 'api.example', ['--tlsv1.3'], '200 2 0'],
      ['a wildcard', 'shop.apps.example', [], '200 2 0'],
    ];
    for (const [name, host, args, expected] of cases) {
      test(name, async () => assert.equal(await curl(host, ...args), expected));
    }

    test('a name that no certificate covers gets the first one, which the client then refuses', async () => {
      await assert.rejects(curl('other.example'), /subject name/i);
      assert.equal((await curl('other.example', '--insecure')).slice(0, 5), '200 2');
    });

    test('TLS 1.1 is refused', async () => {
      await assert.rejects(curl('api.example', '--tlsv1.1', '--tls-max', '1.1', '--ciphers', 'ALL:@SECLEVEL=0'));
    });

    test('a PROXY header before the handshake names the client', async () => {
      const port = gateway.port('proxied');
      const path = `/proxied-${port}`;
      const target = ['--cacert', files.ca, '--resolve', `api.example:${port}:127.0.0.1`, `https://api.example:${port}${path}`];
      await run('curl', ['--silent', '--fail', '--haproxy-protocol', ...target]);
      await assert.rejects(
        run('curl', ['--silent', '--fail', ...target]),
        'a trusted proxy that sends no header is not believed',
      );
    });
  });

  test('the hybrid group is agreed on', async () => {
    const client = await shake(gateway.port('public'), { servername: 'api.example', ca });
    assert.equal((client.getEphemeralKeyInfo() as { name?: string }).name, 'X25519MLKEM768');
    client.destroy();
  });

  test('plain HTTP on a TLS port gets no answer and reaches no service', async () => {
    const before = echo.requests.length;
    const socket = connect(gateway.port('public'), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: api.example\r\n\r\n');
    const answer = await bytesOf(socket);
    assert.equal(answer.includes('HTTP/'), false);
    assert.equal(echo.requests.length, before);
  });

  test('a PROXY header and the hello in one packet: the record has the address that it says', async () => {
    const header = Buffer.from('PROXY TCP4 203.0.113.99 192.0.2.1 4711 443\r\n');
    const relay = await oneWriteRelay(gateway.port('proxied'), header);
    const client = await shake(relay.port, { servername: 'api.example', ca, ALPNProtocols: ['http/1.1'] });
    client.write('GET /by-proxy HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n');
    assert.match((await bytesOf(client)).toString(), /^HTTP\/1\.1 200 /);
    await relay.close();
    const seen = echo.requests.find(({ target }) => target === '/by-proxy');
    assert.equal(seen?.headers.find(([name]) => name.toLowerCase() === 'x-forwarded-for')?.[1], '203.0.113.99');
    const record = await recordOf(gateway, '/by-proxy');
    assert.deepEqual(record.client, { address: '203.0.113.99' });
  });

  test('a PROXY header where none is expected is no handshake', async () => {
    const socket = connect(gateway.port('public'), '127.0.0.1');
    socket.write('PROXY TCP4 203.0.113.99 192.0.2.1 4711 443\r\n');
    assert.equal((await bytesOf(socket)).includes('HTTP/'), false);
  });

  test('a client that leaves within its handshake, or before it says anything, is let go at once', async () => {
    const began = performance.now();
    const hello = connect(gateway.port('public'), '127.0.0.1');
    hello.end(Buffer.from('160301020001', 'hex'));
    await bytesOf(hello);
    for (const protocol of ['h2', 'http/1.1']) {
      const client = await shake(gateway.port('public'), { servername: 'api.example', ca, ALPNProtocols: [protocol] });
      client.end();
      await bytesOf(client);
    }
    // The time for a head is 10 s: that must not be what ends them.
    assert.ok(performance.now() - began < 5000);
  });

  test('an HTTP/1 client that has said all it has to say still gets its answer', async () => {
    const client = await shake(gateway.port('public'), { servername: 'api.example', ca, allowHalfOpen: true });
    client.end('GET /half HTTP/1.1\r\nHost: api.example\r\n\r\n');
    assert.match((await bytesOf(client)).toString(), /^HTTP\/1\.1 200 [^]*\/half/);
  });

  test('a certificate is replaced under load: no request fails, open connections live on', async () => {
    const live = { certificate: `${files.dir}/live.pem`, key: `${files.dir}/live.key` };
    const put = async (from: { certificate: string; key: string }): Promise<void> => {
      await copyFile(from.key, live.key);
      await copyFile(from.certificate, live.certificate);
    };
    await put(files.of('api.example'));
    await using replaced = await startGateway(configuration('', [live, files.of('*.apps.example')]));
    const port = replaced.port('public');
    const target = { servername: 'api.example', ca };
    const request = (n: number) => ({ path: `/load-${n}`, expect: `/load-${n}` });
    const kept = startLoad({ port, connections: 4, request, tls: target });
    const fresh = startLoad({ port, connections: 4, request, tls: target, fresh: true });
    const socket = tls.connect({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], ...target });
    const session = http2.connect(`https://api.example:${port}`, { createConnection: () => socket });
    session.on('error', () => undefined);
    await using _ends = {
      async [Symbol.asyncDispose]() {
        session.destroy();
        await Promise.all([kept.stop(), fresh.stop()]);
      },
    };
    assert.equal(await statusOver(session), 200);

    const fingerprints = new Set<string>([await certificateOf(port, target)]);
    for (const round of [1, 2, 3]) {
      await put(await files.issue('api.example', `renewed-${round}`));
      const expected = await fingerprintOfFile(live.certificate);
      await until(async () => (await certificateOf(port, target)) === expected, 'the new certificate is served');
      fingerprints.add(expected);
    }
    assert.equal(fingerprints.size, 4);

    // Something broken: what was served stays.
    await writeFile(live.key, 'nonsense');
    await until(() => replaced.stderr().includes('certificate not replaced'), 'the log says why');
    assert.equal(fingerprints.has(await certificateOf(port, target)), true);

    assert.equal(await statusOver(session), 200);
    for (const load of [kept, fresh]) {
      await load.stop();
      assert.deepEqual(load.failures, []);
      assert.ok(load.right() > 50, `${load.right()} requests`);
    }
  });

  test('a reload brings another certificate', async () => {
    await using reloaded = await startGateway(configuration(''));
    const port = reloaded.port('public');
    const target = { servername: 'api.example', ca };
    const [old, next] = [files.of('api.example'), await files.issue('api.example', 'reloaded')];
    const text = await readFile(reloaded.config, 'utf8');
    await writeFile(reloaded.config, text.replaceAll(old.certificate, next.certificate).replaceAll(old.key, next.key));
    reloaded.process.kill('SIGHUP');
    const expected = await fingerprintOfFile(next.certificate);
    await until(
      async () => (await certificateOf(port, target)) === expected,
      'the certificate of the new configuration is served',
    );
  });

  test('workers show the same development certificate and resume one another’s sessions', async () => {
    await using many = await startGateway(`
listeners: { public: { address: 127.0.0.1:0, tls: self-signed } }
services: { echo: "${echo.url}" }
routes: [{ path: /**, service: echo, authentication: none }]
workers: 2
`);
    const port = many.port('public');
    const options = { servername: 'localhost', rejectUnauthorized: false, maxVersion: 'TLSv1.2' } as const;
    const one = await shake(port, options);
    const session = one.getSession();
    const seen = new Set<string | undefined>([one.getPeerX509Certificate()?.fingerprint256]);
    // All stay open: connections then go to both workers.
    const open = [one];
    for (let i = 0; i < 12; i++) {
      const fresh = await shake(port, options);
      seen.add(fresh.getPeerX509Certificate()?.fingerprint256);
      const resumed = await shake(port, { ...options, session });
      assert.equal(resumed.isSessionReused(), true);
      open.push(fresh, resumed);
    }
    for (const socket of open) socket.destroy();
    assert.equal(seen.size, 1);
  });
});

async function shake(port: number, options: tls.ConnectionOptions & { allowHalfOpen?: boolean }): Promise<tls.TLSSocket> {
  const socket = tls.connect({ port, host: '127.0.0.1', ...options });
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined);
  return socket;
}

async function certificateOf(port: number, options: tls.ConnectionOptions): Promise<string> {
  const socket = await shake(port, options);
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
  socket.destroy();
  return fingerprint ?? assert.fail('no certificate');
}

async function fingerprintOfFile(path: string): Promise<string> {
  return new X509Certificate(await readFile(path)).fingerprint256;
}

async function statusOver(session: http2.ClientHttp2Session): Promise<number> {
  const stream = session.request({ ':path': '/still' });
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader];
  stream.resume();
  await once(stream, 'close');
  return headers[':status'] ?? 0;
}

/** Takes one connection, and writes `first` and the client's first bytes onward in one go. */
async function oneWriteRelay(port: number, first: Buffer): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => undefined);
    far.on('close', () => near.destroySoon());
    near.once('data', (chunk: Buffer) => {
      far.write(Buffer.concat([first, chunk]));
      near.pipe(far).pipe(near);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}

async function bytesOf(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks);
}

async function recordOf(gateway: Gateway, path: string): Promise<Record<string, unknown>> {
  let found: Record<string, unknown> | undefined;
  await until(async () => {
    found = (await gateway.records()).find(({ http }) => http.path === path);
    return found !== undefined;
  }, `a record of ${path}`);
  return found as Record<string, unknown>;
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (await condition()) return;
    await wait(10);
  }
  assert.fail(`${what}: did not happen within 10 s`);
}
