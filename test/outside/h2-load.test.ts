/** Many requests at a time over HTTP/2, each with its own answer: Node's client, and h2load (nghttp2). */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http2 from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type RunningService, startService } from '../support/services.ts';
import { missing, run } from './tools.ts';

/** What the service answers to a path: from a few bytes to more than a window. */
function bodyOf(path: string): Buffer {
  const seed = createHash('sha256').update(path).digest();
  const size = [10, 1000, 20_000, 100_000][seed[0] & 3];
  return Buffer.alloc(size, seed);
}

let service: RunningService;
let gateway: Gateway;

before(async () => {
  service = await startService((request, answer) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => answer.end(request.method === 'POST' ? Buffer.concat(pieces) : bodyOf(request.url ?? '')));
  });
  gateway = await startGateway(`
listeners: { secure: { address: 127.0.0.1:0, tls: self-signed } }
services: { s: "${service.url}" }
observe: { access: "off" }
routes: [ { path: /**, service: s, authentication: none } ]`);
});

after(async () => {
  await gateway?.stop();
  await service?.close();
});

function ask(session: http2.ClientHttp2Session, path: string, body?: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ':method': body === undefined ? 'GET' : 'POST' });
    const pieces: Buffer[] = [];
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('end', () => resolve(Buffer.concat(pieces)));
    stream.on('error', reject);
    stream.end(body);
  });
}

/** `count` requests, 100 at a time on one connection. */
async function load(count: number, one: (session: http2.ClientHttp2Session, n: number) => Promise<void>): Promise<void> {
  const session = http2.connect(`https://127.0.0.1:${gateway.port('secure')}`, { rejectUnauthorized: false });
  let n = 0;
  const worker = async (): Promise<void> => {
    while (n < count) await one(session, n++);
  };
  try {
    await Promise.all(Array.from({ length: 100 }, worker));
  } finally {
    session.destroy();
  }
}

describe('Node', () => {
  test('3,000 answers, 100 at a time, each the right one', async () => {
    await load(3000, async (session, n) => {
      const path = `/answer/${n}`;
      assert.ok((await ask(session, path)).equals(bodyOf(path)), path);
    });
  });

  test('1,000 bodies go and come back, 100 at a time', async () => {
    await load(1000, async (session, n) => {
      const body = bodyOf(`/body/${n}`);
      assert.ok((await ask(session, `/echo/${n}`, body)).equals(body), `body ${n}`);
    });
  });
});

describe('h2load', { skip: missing('h2load', '--version') }, () => {
  test('10 connections, 100 streams each, 10,000 requests', async () => {
    const url = `https://127.0.0.1:${gateway.port('secure')}/answer/1`;
    const { code, stdout, stderr } = await run('h2load', ['-n', '10000', '-c', '10', '-m', '100', url]);
    const text = stdout.toString();
    assert.equal(code, 0, stderr);
    assert.match(text, /10000 total, 10000 started, 10000 done, 10000 succeeded, 0 failed, 0 errored, 0 timeout/);
    assert.match(text, new RegExp(`\\(${10_000 * bodyOf('/answer/1').length}\\) data`));
  });
});
