import assert from 'node:assert/strict';
import net from 'node:net';
import { before, describe, it } from 'node:test';
import tls from 'node:tls';
import { Random } from '../../../test/support/random.ts';
import { readServerName } from './client-hello.ts';

/** The first bytes that Node's own client sends. */
async function helloOf(options: tls.ConnectionOptions): Promise<Buffer> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const hello = new Promise<Buffer>((resolve) =>
    server.once('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (bytes: Buffer) => {
        socket.destroy();
        resolve(bytes);
      });
    }),
  );
  const client = tls.connect({ host: '127.0.0.1', port, ...options });
  client.on('error', () => undefined);
  const bytes = await hello;
  client.destroy();
  server.close();
  return bytes;
}

/** The same hello in records of so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 5; at < hello.length; at += size) {
    const piece = hello.subarray(at, at + size);
    pieces.push(Buffer.of(22, 3, 1, piece.length >> 8, piece.length & 0xff), piece);
  }
  return Buffer.concat(pieces);
}

describe('the server name of a hello', () => {
  let named: Buffer;
  let nameless: Buffer;

  before(async () => {
    named = await helloOf({ servername: 'a.example.test', ALPNProtocols: ['h2'] });
    nameless = await helloOf({ servername: '' });
  });

  it('is found, whole and in records of any size', () => {
    assert.deepEqual(readServerName(named), { done: true, serverName: 'a.example.test' });
    for (const size of [1, 2, 3, 4, 7, 64, 500]) {
      assert.deepEqual(readServerName(inRecords(named, size)), { done: true, serverName: 'a.example.test' }, `${size}`);
    }
  });

  it('is found where something else follows at once', () => {
    const followed = Buffer.concat([named, Buffer.of(20, 3, 3, 0, 1, 1)]);
    assert.deepEqual(readServerName(followed), { done: true, serverName: 'a.example.test' });
    assert.deepEqual(readServerName(Buffer.concat([inRecords(named, 50).subarray(0, 110), Buffer.of(20, 3, 3)])), {
      done: true,
      serverName: undefined,
    });
  });

  it('is waited for as long as bytes are missing', () => {
    for (let length = 0; length < named.length; length++) {
      assert.deepEqual(readServerName(named.subarray(0, length)), { done: false }, `${length} bytes`);
    }
  });

  it('is none where there is none, or where this is no hello', () => {
    const none = { done: true, serverName: undefined };
    assert.deepEqual(readServerName(nameless), none);
    assert.deepEqual(readServerName(Buffer.from('GET / HTTP/1.1\r\n\r\n')), none);
    assert.deepEqual(readServerName(Buffer.from([22, 3, 1, 0, 0, 1, 2, 3])), none);
    assert.deepEqual(readServerName(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])), none);
    assert.deepEqual(readServerName(Buffer.from([22, 3, 1, 0, 4, 1, 255, 255, 255])), none, 'a hello of 16 MiB');
    assert.deepEqual(readServerName(Buffer.from([0x15, 3, 1, 0, 2, 2, 40])), none);
  });

  it('never throws and never waits for ever, whatever bytes are changed', () => {
    const random = new Random(7);
    for (let round = 0; round < 20_000; round++) {
      const bytes = Buffer.from(named);
      for (let i = 0; i < 3; i++) bytes[random.below(bytes.length)] = random.below(256);
      readServerName(bytes);
    }
    const long = Buffer.concat(
      Array.from({ length: 4 }, () => Buffer.concat([Buffer.of(22, 3, 1, 0x40, 0), Buffer.alloc(16384, 1)])),
    );
    assert.equal(readServerName(long).done, true);
  });
});
