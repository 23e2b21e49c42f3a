import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { tlsFiles } from '../../test/support/tls.ts';
import { createEgress, type DirectParts, type Resolve } from './direct.ts';
import { EgressError, type EgressRequest } from './egress.ts';

/** Generous: what ends by a bound ends long before it. */
const PATIENT: EgressRequest = { timeout: 20_000, limit: 1000 };

const cleanups: (() => void)[] = [];
after(() => {
  for (const clean of cleanups) clean();
});

function egress(parts: Partial<DirectParts> = {}) {
  const made = createEgress({ allow: [], ...parts });
  cleanups.push(() => made.close());
  return made;
}

/** Resolves every name to what the list says, one entry for each look-up, the last one for ever. */
function answers(...lists: string[][]): Resolve & { asked: string[] } {
  const asked: string[] = [];
  const resolve: Resolve = (name, done) => {
    const list = lists[Math.min(asked.length, lists.length - 1)];
    asked.push(name);
    const found = list.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    setImmediate(() => done(null, found));
  };
  return Object.assign(resolve, { asked });
}

async function listen(server: Server | ReturnType<typeof createTcpServer>, host = '127.0.0.1', port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  cleanups.push(() => {
    server.close();
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** A server on 127.0.0.1; gives back its host as the configuration would write it. */
async function serve(handler: RequestListener): Promise<string> {
  return `127.0.0.1:${await listen(createServer(handler))}`;
}

async function serveBytes(bytes: string, then: 'end' | 'stay' = 'end'): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => (then === 'end' ? socket.end(bytes) : socket.write(bytes)));
  });
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
  });
  return `127.0.0.1:${await listen(server)}`;
}

function call(host: string, request: Partial<EgressRequest> = {}, path = '/') {
  return egress().fetch(new URL(`http://${host}${path}`), { ...PATIENT, written: [host], ...request });
}

function fails(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  return assert.rejects(promise, (error) => {
    assert.ok(error instanceof EgressError, String(error));
    assert.match(error.message, pattern);
    return true;
  });
}

describe('an answer', () => {
  test('comes with status, joined headers and its bytes', async () => {
    const host = await serve((request, response) => {
      const { method, url, headers } = request;
      response.setHeader('x-a', ['1', '2']);
      response.setHeader('cache-control', 'max-age=5');
      const told = [method, url, headers['user-agent'], headers.accept, headers['accept-encoding'], headers.host];
      response.writeHead(203).end(told.join(' '));
    });
    const answer = await call(host, {}, '/keys?x=1');
    assert.equal(answer.status, 203);
    assert.equal(answer.headers['x-a'], '1, 2');
    assert.equal(answer.headers['cache-control'], 'max-age=5');
    assert.equal(Object.getPrototypeOf(answer.headers), null);
    assert.equal(answer.body.toString(), `GET /keys?x=1 portcullis application/json identity ${host}`);
  });

  test('to a POST, with its body and headers', async () => {
    const host = await serve((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => {
        response.end(`${request.method} ${request.headers['content-type']} ${request.headers.authorization} ${text}`);
      });
    });
    const headers = { authorization: 'Basic x', 'content-type': 'text/plain' };
    const answer = await call(host, { method: 'POST', headers, body: 'token=é' });
    assert.equal(answer.body.toString(), 'POST text/plain Basic x token=é');
  });

  test('that redirects is given back, not followed', async () => {
    let followed = 0;
    const other = await serve((_, response) => {
      followed++;
      response.end('inside');
    });
    const host = await serve((_, response) => response.writeHead(302, { location: `http://${other}/` }).end());
    const answer = await call(host, { written: [host, other] });
    assert.equal(answer.status, 302);
    assert.equal(followed, 0);
  });

  test('at the bound passes, one byte more does not, with and without a declared length', async () => {
    const host = await serve((request, response) => {
      const [, kind, size] = (request.url as string).split('/');
      if (kind === 'declared') response.setHeader('content-length', size);
      response.write(Buffer.alloc(1));
      response.end(Buffer.alloc(Number(size) - 1));
    });
    for (const kind of ['declared', 'chunked']) {
      assert.equal((await call(host, {}, `/${kind}/1000`)).body.length, 1000);
      await fails(call(host, {}, `/${kind}/1001`), /larger than 1000 bytes/);
    }
  });

  test('without end is cut off at the bound', async () => {
    let open = 0;
    const host = await serve((_, response) => {
      open++;
      const more = setInterval(() => response.write(Buffer.alloc(500)), 5);
      response.on('close', () => {
        clearInterval(more);
        open--;
      });
    });
    await fails(call(host), /larger than 1000 bytes/);
    const end = performance.now() + 10_000;
    while (open > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(open, 0);
  });

  test('that is compressed is refused, not unpacked', async () => {
    const host = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(100_000))),
    );
    await fails(call(host), /compressed/);
  });
});

describe('an end', () => {
  test('comes in time, whatever does not come: the answer, its rest, the address, the handshake', async () => {
    const silent = await serve(() => {});
    const half = await serveBytes('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab', 'stay');
    const dripping = await serve((_, response) => {
      const more = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(more));
    });
    for (const host of [silent, half, dripping]) await fails(call(host, { timeout: 300 }), /no complete answer within 300 ms/);
    const unresolved = egress({ resolve: () => {} });
    await fails(unresolved.fetch(new URL('https://a.test/'), { ...PATIENT, timeout: 100 }), /a\.test: no complete answer/);
    const mute = await serveBytes('', 'stay');
    const tls = new URL(`https://${mute}/`);
    await fails(egress().fetch(tls, { ...PATIENT, timeout: 300, written: [mute] }), /no complete answer within 300 ms/);
  });

  test('is told by its reason', async () => {
    const gone = createServer();
    const port = await listen(gone);
    await new Promise((resolve) => gone.close(resolve));
    await fails(call(`127.0.0.1:${port}`), /nothing accepts connections there \(ECONNREFUSED\)/);
    await fails(call(await serveBytes('')), /closed the connection/);
    await fails(
      call(await serveBytes('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nab')),
      /closed the connection|the call failed/,
    );
    await fails(call(await serveBytes('SSH-2.0-x\r\n\r\n')), /did not answer in HTTP/);
    await fails(
      call(await serveBytes('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n', 'stay')),
      /change of protocol/,
    );
    await fails(
      call(await serveBytes('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n')),
      /did not answer in HTTP/,
    );
    const nowhere = egress({ resolve: (_, done) => done(Object.assign(new Error('x'), { code: 'ENOTFOUND' }), []) });
    await fails(nowhere.fetch(new URL('https://a.test/'), PATIENT), /a\.test: the name does not resolve/);
    await fails(egress({ resolve: answers([]) }).fetch(new URL('https://a.test/'), PATIENT), /no address/);
  });

  test('tells nothing of the path, the query, the headers or the body', async () => {
    const host = await serve((_, response) => response.socket?.destroy());
    const request = { method: 'POST' as const, headers: { authorization: 'Basic sesame' }, body: 'token=sesame' };
    await assert.rejects(call(host, request, '/sesame?sesame=1'), (error: Error) => {
      assert.ok(!error.message.includes('sesame') && error.cause === undefined, error.message);
      return true;
    });
  });
});

describe('an address that is not public', () => {
  test('is called only where it is written in the configuration, or in a network that is allowed', async () => {
    let calls = 0;
    const port = await listen(
      createServer((_, response) => {
        calls++;
        response.end('ok');
      }),
    );
    const host = `127.0.0.1:${port}`;
    const url = new URL(`http://${host}/`);
    await fails(egress().fetch(url, PATIENT), /the address is loopback, and nothing in the configuration permits it/);
    await fails(egress().fetch(url, { ...PATIENT, written: [`127.0.0.1:${port + 1}`, '127.0.0.1'] }), /permits/);
    await fails(egress({ allow: ['10.0.0.0/8'] }).fetch(url, PATIENT), /permits/);
    await fails(egress().fetch(new URL(`http://localhost:${port}/`), PATIENT), /permits/);
    assert.equal(calls, 0);
    assert.equal((await egress().fetch(url, { ...PATIENT, written: [host] })).status, 200);
    assert.equal((await egress({ allow: ['127.0.0.1'] }).fetch(url, PATIENT)).status, 200);
    const local = new URL(`http://localhost:${port}/`);
    assert.equal(
      (await egress({ resolve: answers(['127.0.0.1']) }).fetch(local, { ...PATIENT, written: [local.host] })).status,
      200,
    );
    assert.equal(calls, 3);
  });

  test('is known in every spelling of a URL', async () => {
    const spellings = [
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '127.1',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '[64:ff9b::7f00:1]',
      '①②⑦.0.0.1',
    ];
    for (const host of spellings) await fails(egress().fetch(new URL(`https://${host}/`), PATIENT), /loopback/);
    await fails(egress().fetch(new URL('https://169.254.169.254/latest/meta-data'), PATIENT), /link-local/);
    await fails(egress().fetch(new URL('https://[2002:7f00:1::]/'), PATIENT), /reserved/);
  });

  test('is refused when a name leads to it, and written names are no permission', async () => {
    for (const address of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '::1', '::ffff:10.0.0.1', 'fd00::1', '100.64.1.1']) {
      const url = new URL('https://id.example.com/');
      await fails(
        egress({ resolve: answers([address]) }).fetch(url, { ...PATIENT, written: [url.host] }),
        /id\.example\.com: the address is/,
      );
    }
    // Whoever writes the hosts file has `localhost` lead elsewhere: the permission is for this machine.
    const local = new URL('https://localhost/');
    await fails(egress({ resolve: answers(['10.0.0.1']) }).fetch(local, { ...PATIENT, written: [local.host] }), /private/);
  });

  test('of several is left out, and the others serve', async () => {
    const port = await listen(
      createServer((request, response) => response.end(request.socket.localAddress)),
      '127.0.0.2',
    );
    const resolve = answers(['10.0.0.1', '127.0.0.2', '169.254.169.254']);
    const answer = await egress({ resolve, allow: ['127.0.0.2'] }).fetch(new URL(`http://a.test:${port}/`), PATIENT);
    assert.equal(answer.body.toString(), '127.0.0.2');
  });

  test('does not slip in by a second look-up: one is made, and the connection goes there', async () => {
    const handler: RequestListener = (request, response) => response.end(request.socket.localAddress);
    const port = await listen(createServer(handler), '127.0.0.2');
    await listen(createServer(handler), '127.0.0.1', port);
    const resolve = answers(['127.0.0.2'], ['127.0.0.1']);
    const out = egress({ resolve, allow: ['127.0.0.2'] });
    const answer = await out.fetch(new URL(`http://rebind.test:${port}/`), PATIENT);
    assert.equal(answer.body.toString(), '127.0.0.2');
    assert.deepEqual(resolve.asked, ['rebind.test']);
    const others = egress({ resolve: answers(['127.0.0.1'], ['127.0.0.2']), allow: ['127.0.0.2'] });
    await fails(others.fetch(new URL(`http://rebind.test:${port}/`), PATIENT), /loopback/);
  });
});

describe('what is not called at all', () => {
  test('is told before anything is resolved', async () => {
    const resolve = answers(['1.1.1.1']);
    const out = egress({ resolve });
    await fails(out.fetch(new URL('ftp://a.test/'), PATIENT), /only https: and http:/);
    await fails(out.fetch(new URL('file:///etc/passwd'), PATIENT), /only https: and http:/);
    await fails(out.fetch(new URL('https://user:pass@a.test/'), PATIENT), /user name or password/);
    await fails(out.fetch(new URL('http://1.1.1.1/'), PATIENT), /without TLS/);
    assert.deepEqual(resolve.asked, []);
    await fails(out.fetch(new URL('http://a.test/'), PATIENT), /without TLS/);
  });
});

describe('TLS', () => {
  test('is verified, by name and authority, with the authorities of the configuration besides', async () => {
    await using files = await tlsFiles(['id.test', 'other.test', '127.0.0.1']);
    const ca = readFileSync(files.ca, 'utf8');
    const start = (name: string) => {
      const { certificate, key } = files.of(name);
      const pair = { cert: readFileSync(certificate), key: readFileSync(key) };
      return listen(createTlsServer(pair, (_, response) => response.end('ok')) as unknown as Server);
    };
    const port = await start('id.test');
    const url = new URL(`https://id.test:${port}/`);
    const parts = { resolve: answers(['127.0.0.1']), allow: ['127.0.0.1'] };
    assert.equal((await egress({ ...parts, ca: [ca] }).fetch(url, PATIENT)).body.toString(), 'ok');
    await fails(egress(parts).fetch(url, PATIENT), /certificate cannot be verified/);
    const wrong = new URL(`https://wrong.test:${port}/`);
    await fails(egress({ ...parts, ca: [ca] }).fetch(wrong, PATIENT), /certificate is for another name/);
    const byAddress = `127.0.0.1:${await start('127.0.0.1')}`;
    const direct = egress({ ca: [ca] }).fetch(new URL(`https://${byAddress}/`), { ...PATIENT, written: [byAddress] });
    assert.equal((await direct).body.toString(), 'ok');
    await fails(
      egress({ ca: [ca] }).fetch(new URL(`https://127.0.0.1:${port}/`), { ...PATIENT, written: [`127.0.0.1:${port}`] }),
      /another name/,
    );
    const plain = await serve((_, response) => response.end());
    await fails(egress().fetch(new URL(`https://${plain}/`), { ...PATIENT, written: [plain] }), /does not speak TLS/);
  });

  test('is verified although the environment says that it need not be', async () => {
    await using files = await tlsFiles(['id.test']);
    const { certificate, key } = files.of('id.test');
    const pair = { cert: readFileSync(certificate), key: readFileSync(key) };
    const port = await listen(createTlsServer(pair, (_, response) => response.end('ok')) as unknown as Server);
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      const out = egress({ resolve: answers(['127.0.0.1']), allow: ['127.0.0.1'] });
      await fails(out.fetch(new URL(`https://id.test:${port}/`), PATIENT), /certificate cannot be verified/);
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });
});

describe('a kept connection', () => {
  test('serves the next call, and one that turns out to be closed is replaced', async () => {
    let opened = 0;
    let answered = 0;
    const server = createServer((request, response) => {
      answered++;
      if (request.url === '/cut' && answered === 2) request.socket.destroy();
      else response.end('ok');
    });
    server.on('connection', () => opened++);
    const host = `127.0.0.1:${await listen(server)}`;
    const out = egress();
    const request = { ...PATIENT, written: [host] };
    await out.fetch(new URL(`http://${host}/`), request);
    await new Promise((resolve) => setImmediate(resolve));
    // The second arrives on the kept connection, is cut, and is made once more on a new one.
    assert.equal((await out.fetch(new URL(`http://${host}/cut`), request)).status, 200);
    assert.deepEqual([opened, answered], [2, 3]);
  });

  test('is no reason to send twice what is not repeatable', async () => {
    let answered = 0;
    const host = await serve((request, response) => {
      answered++;
      if (answered === 2) request.socket.destroy();
      else response.end('ok');
    });
    const out = egress();
    const request = { ...PATIENT, method: 'POST' as const, body: 'x', written: [host] };
    await out.fetch(new URL(`http://${host}/`), request);
    await new Promise((resolve) => setImmediate(resolve));
    await fails(out.fetch(new URL(`http://${host}/`), request), /closed the connection/);
    assert.equal(answered, 2);
  });
});
