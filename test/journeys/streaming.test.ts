import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, type Hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, waitFor } from '../support/client.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';

/** Large bodies, with one side slow: what is held of them is bounded, and nothing of them is lost. And answers that break off. */

const MB = 1_000_000;
const SIZE = 200 * MB;
/** How much more memory a transfer may take: the buffers of two sockets, and what the collector has not looked at yet. */
const MOST_MB = 60;
/** And at its fastest, when the collector has to keep up with hundreds of megabytes a second. */
const MOST_FLOWING_MB = 120;
const PIECE = Buffer.alloc(100_000, 'portcullis ');

let gateway: Gateway;
/** The upload of which the service takes nothing until it is told to. */
let held: http.IncomingMessage | undefined;
const letGo = (): http.IncomingMessage | undefined => held?.resume();

const service = http.createServer((request, response) => {
  if (request.url === '/x/length') {
    response.setHeader('content-length', SIZE);
    pump(response, SIZE);
  } else if (request.url === '/x/chunks') pump(response, SIZE);
  else takeUpload(request, response);
});

function pump(to: NodeJS.WritableStream, size: number): void {
  let left = size;
  const more = (): void => {
    while (left > 0) {
      left -= PIECE.length;
      if (!to.write(PIECE)) return;
    }
    to.end();
  };
  to.on('drain', more);
  more();
}

function takeUpload(request: http.IncomingMessage, response: http.ServerResponse): void {
  const hash = createHash('sha1');
  request.once('resume', () => request.on('data', (chunk: Buffer) => hash.update(chunk)));
  request.on('end', () => response.end(hash.digest('hex')));
  held = request;
}

/** Answers that break off, as bytes, and how the service ends its connection behind them. */
const broken: Record<string, { bytes: string; reset?: boolean }> = {
  '/x/broken/length': { bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart' },
  '/x/broken/length-reset': { bytes: 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart', reset: true },
  '/x/broken/chunks': { bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n' },
  '/x/broken/in-a-chunk': { bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\npart' },
  '/x/broken/malformed': { bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nzz\r\n' },
  '/x/broken/close-reset': { bytes: 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npart', reset: true },
};
const breaking = net.createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('data', (head: Buffer) => {
    const { bytes, reset } = broken[/^GET (\S+)/.exec(head.toString())?.[1] ?? ''];
    socket.write(bytes);
    // The answer's beginning has to be with the client first, or it may as well get a 502.
    setTimeout(() => (reset ? socket.resetAndDestroy() : socket.end()), 50);
  });
});

const portOf = (server: net.Server): number => (server.address() as AddressInfo).port;

before(async () => {
  for (const server of [service, breaking]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  gateway = await startGateway(`
listeners:
  plain: { address: 127.0.0.1:0 }
  secure: { address: 127.0.0.1:0, tls: self-signed }
services: { s: 'http://127.0.0.1:${portOf(service)}', b: 'http://127.0.0.1:${portOf(breaking)}' }
routes:
  - { path: /x/**, service: s, authentication: none, body: 300MiB }
  - { path: /x/broken/**, service: b, authentication: none }
`);
});

after(async () => {
  await gateway.stop();
  service.closeAllConnections();
  service.close();
  breaking.close();
});

const memory = (): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${gateway.process.pid}/status`, 'utf8'))?.[1]) / 1024;

/** Watches the gateway's memory; gives back the most that it was. */
function watchMemory(): () => number {
  let most = memory();
  const timer = setInterval(() => (most = Math.max(most, memory())), 20);
  return () => {
    clearInterval(timer);
    return most;
  };
}

let expected: string;
function expectedHash(): string {
  const hash = createHash('sha1');
  for (let i = 0; i < SIZE; i += PIECE.length) hash.update(PIECE);
  return (expected ??= hash.digest('hex'));
}

function ask(listener: string, path: string, options: http.RequestOptions = {}): http.ClientRequest {
  const all = { port: gateway.port(listener), host: '127.0.0.1', path, agent: false, ...options };
  return listener === 'secure' ? https.request({ ...all, rejectUnauthorized: false }) : http.request(all);
}

async function digest(stream: AsyncIterable<Buffer>, hash: Hash): Promise<string> {
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest('hex');
}

/** Lets the transfer stand still, sees that nothing more moves, and that it did not just fill the memory. */
async function standStill(moved: () => number): Promise<void> {
  let before = -1;
  await waitFor(
    () => {
      const now = moved();
      const still = now === before;
      before = now;
      return still && now > 0;
    },
    'it does not come to a stop',
    10_000,
  );
  await wait(300);
}

for (const listener of ['plain', 'secure']) {
  describe(`200 MB over ${listener}`, () => {
    for (const path of ['/x/length', '/x/chunks']) {
      test(`down ${path}, to a client that waits`, async () => {
        const before = memory();
        const most = watchMemory();
        const request = ask(listener, path).end();
        const response = await new Promise<http.IncomingMessage>((resolve, reject) =>
          request.on('response', resolve).on('error', reject),
        );
        await wait(400);
        const waiting = memory();
        const hash = await digest(response, createHash('sha1'));
        assert.equal(hash, expectedHash());
        assert.ok(waiting - before < MOST_MB, `${Math.round(waiting - before)} MB more while the client waits`);
        assert.ok(most() - before < MOST_FLOWING_MB, `${Math.round(most() - before)} MB more`);
      });
    }

    for (const headers of [{ 'content-length': SIZE }, {}]) {
      test(`up, ${'content-length' in headers ? 'with a length' : 'in chunks'}, to a service that waits`, async () => {
        const before = memory();
        const most = watchMemory();
        held = undefined;
        const request = ask(listener, '/x/up', { method: 'POST', headers });
        const answer = new Promise<http.IncomingMessage>((resolve, reject) =>
          request.on('response', resolve).on('error', reject),
        );
        pump(request, SIZE);
        await waitFor(() => held !== undefined);
        await standStill(() => request.socket?.bytesWritten ?? 0);
        assert.ok(memory() - before < MOST_MB, `${Math.round(memory() - before)} MB more while the service waits`);
        letGo();
        const response = await answer;
        const pieces: Buffer[] = [];
        for await (const piece of response) pieces.push(piece as Buffer);
        assert.equal(Buffer.concat(pieces).toString(), expectedHash());
        assert.ok(most() - before < MOST_FLOWING_MB, `${Math.round(most() - before)} MB more`);
      });
    }
  });
}

describe('an answer that breaks off is seen to be incomplete', { concurrency: true }, () => {
  for (const path of Object.keys(broken)) {
    for (const tls of [false, true]) {
      for (const version of ['1.1', '1.0']) {
        test(`${path}, HTTP/${version}${tls ? ' over TLS' : ''}`, async (t) => {
          const client = await Client.open(t, gateway.port(tls ? 'secure' : 'plain'), { tls });
          client.write(`GET ${path} HTTP/${version}\r\nHost: a\r\n\r\n`);
          await waitFor(() => client.closed);
          const framed = /content-length:|transfer-encoding:/.test(client.text);
          if (framed)
            assert.ok(
              client.answers.every(({ complete }) => !complete),
              client.text,
            );
          // Without a length the end of the connection is the end of the answer. Node takes any end of TLS for a good one: see below.
          else if (!tls) assert.ok(client.text === '' || client.error !== undefined, client.text);
        });
      }
    }
  }

  for (const path of ['/x/broken/chunks', '/x/broken/close-reset']) {
    for (const listener of ['plain', 'secure']) {
      test(`${path}, to curl with HTTP/1.0 over ${listener}`, async () => {
        const url = `${listener === 'plain' ? 'http' : 'https'}://127.0.0.1:${gateway.port(listener)}${path}`;
        const failed = await promisify(execFile)('curl', ['-sSk', '--http1.0', url]).catch(
          (error: Error & { code: number; stdout: string }) => error,
        );
        assert.equal((failed as { code?: number }).code, 56);
        assert.equal(failed.stdout, 'part');
      });
    }
  }
});
