import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import tls from 'node:tls';
import fc from 'fast-check';
import { acceptProxy, type ProxyHeader, readProxyHeader } from './proxy-protocol.ts';
import { makeSelfSigned } from './tls/self-signed.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const v2 = (command: number, family: number, body: string, length = body.length / 2): Buffer =>
  Buffer.from(`${SIGNATURE}${hex(command, 2)}${hex(family, 2)}${hex(length, 4)}${body}`, 'hex');
const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
const IPV4 = 'cb007107' + '0a000001' + 'd431' + '01bb';
const IPV6 = '20010db8000000000000000000000001' + '20010db8000000000000000000000002' + 'd431' + '01bb';
const UNIX = '2f'.repeat(216);
const client4 = { address: '203.0.113.7', port: 54321 };
const client6 = { address: '2001:db8::1', port: 54321 };

describe('PROXY headers that are read', () => {
  const cases: [string, Buffer | string, { address: string; port: number } | undefined][] = [
    ['TCP4', 'PROXY TCP4 203.0.113.7 10.0.0.1 54321 443\r\n', client4],
    ['TCP6', 'PROXY TCP6 2001:db8::1 2001:db8::2 54321 443\r\n', client6],
    ['TCP6 in another spelling', 'PROXY TCP6 2001:0DB8:0:0::1 2001:db8::2 54321 443\r\n', client6],
    ['TCP6 that is IPv4 in truth', 'PROXY TCP6 ::ffff:203.0.113.7 ::1 54321 443\r\n', client4],
    ['TCP4 with the extremes of ports', 'PROXY TCP4 203.0.113.7 10.0.0.1 0 65535\r\n', { address: '203.0.113.7', port: 0 }],
    [
      'the longest TCP6',
      `PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`,
      { address: `${'ffff:'.repeat(7)}ffff`, port: 65535 },
    ],
    ['UNKNOWN', 'PROXY UNKNOWN\r\n', undefined],
    ['the longest UNKNOWN', `PROXY UNKNOWN ${'x'.repeat(107 - 16)}\r\n`, undefined],
    ['version 2, IPv4', v2(0x21, 0x11, IPV4), client4],
    ['version 2, IPv6', v2(0x21, 0x21, IPV6), client6],
    ['version 2, Unix', v2(0x21, 0x31, UNIX), undefined],
    ['version 2, unspecified family', v2(0x21, 0x00, 'abcdef'), undefined],
    ['version 2, LOCAL', v2(0x20, 0x00, ''), undefined],
    ['version 2, LOCAL with an address that must be ignored', v2(0x20, 0x11, IPV4), undefined],
    ['version 2, LOCAL with a family that must be ignored', v2(0x20, 0xff, 'ff'), undefined],
    ['version 2, IPv4 mapped', v2(0x21, 0x21, `${'00'.repeat(10)}ffffcb007107${IPV6.slice(32)}`), client4],
    ['version 2 with TLVs', v2(0x21, 0x11, `${IPV4}02000361626304000101`), client4],
    ['version 2 with the most TLVs', v2(0x21, 0x31, `${UNIX}0407fd${'00'.repeat(2045)}`), undefined],
    ['version 2 with its checksum', withChecksum(IPV4), client4],
  ];
  for (const [name, header, source] of cases) {
    test(name, () => {
      const bytes = Buffer.from(header as string, 'latin1');
      const reading = readProxyHeader(Buffer.concat([bytes, Buffer.from('GET / HTTP/1.1\r\n')])) as ProxyHeader;
      assert.equal(reading.bytes, bytes.length, JSON.stringify(reading));
      assert.deepEqual(reading.source, source);
      assert.equal(reading.local, source === undefined);
    });
  }
  test('the destination is told too', () => {
    assert.deepEqual(read('PROXY TCP4 203.0.113.7 10.0.0.1 54321 443\r\n').destination, { address: '10.0.0.1', port: 443 });
    assert.deepEqual(read(v2(0x21, 0x21, IPV6)).destination, { address: '2001:db8::2', port: 443 });
  });
});

describe('PROXY headers that are refused', () => {
  const cases: [string, Buffer | string][] = [
    ['no header at all', 'GET / HTTP/1.1\r\n'],
    ['a TLS hello', Buffer.from('16030100', 'hex')],
    ['lower case', 'proxy TCP4 203.0.113.7 10.0.0.1 1 2\r\n'],
    ['lower case protocol', 'PROXY tcp4 203.0.113.7 10.0.0.1 1 2\r\n'],
    ['an unknown protocol', 'PROXY UDP4 203.0.113.7 10.0.0.1 1 2\r\n'],
    ['UNKNOWN with a tail', 'PROXY UNKNOWNX\r\n'],
    ['no protocol', 'PROXY \r\n'],
    ['two spaces', 'PROXY TCP4  203.0.113.7 10.0.0.1 1 2\r\n'],
    ['two spaces at first', 'PROXY  TCP4 203.0.113.7 10.0.0.1 1 2\r\n'],
    ['a tab', 'PROXY TCP4\t203.0.113.7 10.0.0.1 1 2\r\n'],
    ['a space at the end', 'PROXY TCP4 203.0.113.7 10.0.0.1 1 2 \r\n'],
    ['a field too many', 'PROXY TCP4 203.0.113.7 10.0.0.1 1 2 3\r\n'],
    ['a field too few', 'PROXY TCP4 203.0.113.7 10.0.0.1 1\r\n'],
    ['a bare LF', 'PROXY TCP4 203.0.113.7 10.0.0.1 1 2\n'],
    ['a bare CR', 'PROXY TCP4 203.0.113.7 10.0.0.1 1 2\rX\r\n'],
    ['an IPv6 address as TCP4', 'PROXY TCP4 ::1 10.0.0.1 1 2\r\n'],
    ['an IPv4 address as TCP6', 'PROXY TCP6 203.0.113.7 ::1 1 2\r\n'],
    ['an address with leading zeros', 'PROXY TCP4 203.0.113.007 10.0.0.1 1 2\r\n'],
    ['an address in hexadecimal', 'PROXY TCP4 0xcb007107 10.0.0.1 1 2\r\n'],
    ['a name', 'PROXY TCP4 localhost 10.0.0.1 1 2\r\n'],
    ['an address with a zone', 'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n'],
    ['a bad destination', 'PROXY TCP4 203.0.113.7 10.0.0 1 2\r\n'],
    ['a port with leading zeros', 'PROXY TCP4 203.0.113.7 10.0.0.1 080 2\r\n'],
    ['a port out of range', 'PROXY TCP4 203.0.113.7 10.0.0.1 65536 2\r\n'],
    ['a port with a sign', 'PROXY TCP4 203.0.113.7 10.0.0.1 +1 2\r\n'],
    ['a bad second port', 'PROXY TCP4 203.0.113.7 10.0.0.1 1 2x\r\n'],
    ['a line of 108 bytes', `PROXY UNKNOWN ${'x'.repeat(108 - 16)}\r\n`],
    ['a line without end', `PROXY UNKNOWN ${'x'.repeat(200)}`],
    ['version 1 in the second version', v2(0x11, 0x11, IPV4)],
    ['version 3', v2(0x31, 0x11, IPV4)],
    ['an unknown command', v2(0x22, 0x11, IPV4)],
    ['an unknown family', v2(0x21, 0x41, IPV4)],
    ['an unknown transport', v2(0x21, 0x13, IPV4)],
    ['half a family', v2(0x21, 0x10, IPV4)],
    ['a datagram', v2(0x21, 0x12, IPV4)],
    ['an address that is cut off', v2(0x21, 0x11, IPV4.slice(2))],
    ['IPv4 addresses under IPv6', v2(0x21, 0x21, IPV4)],
    ['a TLV that is cut off', v2(0x21, 0x11, `${IPV4}0200046162`)],
    ['half the head of a TLV', v2(0x21, 0x11, `${IPV4}0200`)],
    ['a header too long', v2(0x21, 0x11, IPV4, 216 + 2048 + 1)],
    ['the longest length', v2(0x20, 0x00, '', 65535)],
    ['a wrong checksum', v2(0x21, 0x11, `${IPV4}030004deadbeef`)],
    ['a short checksum', v2(0x21, 0x11, `${IPV4}030003deadbe`)],
    ['two checksums', Buffer.from(withChecksum(`${IPV4}03000400000000`))],
  ];
  for (const [name, header] of cases) {
    test(name, () => {
      const reading = readProxyHeader(Buffer.from(header as string, 'latin1'));
      assert.ok('error' in reading, JSON.stringify(reading));
    });
  }
});

test('the checksum is the one of the iSCSI standard', () => {
  // RFC 3720 appendix B.4: the sum of 32 zeros; here only as a check of this test's own table.
  assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa);
});

test('a header in pieces asks for more, never for less than there is, and ends the same', () => {
  const headers = [
    Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 54321 443\r\n'),
    Buffer.from('PROXY UNKNOWN\r\n'),
    v2(0x21, 0x21, IPV6),
    v2(0x20, 0, ''),
    withChecksum(IPV4),
  ];
  for (const header of headers) {
    for (let length = 0; length < header.length; length++) {
      const reading = readProxyHeader(header.subarray(0, length));
      assert.ok('done' in reading && !reading.done, `${length}: ${JSON.stringify(reading)}`);
      assert.ok(reading.need > length && reading.need <= header.length, `${length}: ${reading.need}`);
    }
    assert.equal(read(header).bytes, header.length);
  }
});

test('whatever comes, the reading is bounded and does not throw', () => {
  const start = fc.constantFrom(Buffer.alloc(0), Buffer.from('PROXY TCP'), Buffer.from(`${SIGNATURE}2111`, 'hex'));
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 3000 }), (head, tail) => {
      const bytes = Buffer.concat([head, tail]);
      const reading = readProxyHeader(bytes);
      if ('error' in reading) return;
      if (reading.done) assert.ok(reading.bytes <= bytes.length);
      else assert.ok(reading.need > bytes.length && reading.need <= 16 + 216 + 2048);
    }),
    { numRuns: 500 },
  );
});

describe('a socket with a PROXY header', () => {
  test('goes on as plain bytes, in any pieces', async () => {
    const header = 'PROXY TCP4 203.0.113.7 10.0.0.1 54321 443\r\n';
    for (const pieces of [
      [`${header}hello`],
      [header, 'hello'],
      Array.from(`${header}hello`),
      ['PROXY', ` ${header.slice(6)}he`, 'llo'],
    ]) {
      await using server = await listen((socket) => {
        acceptProxy(socket, 5000, (reading) => {
          let text = '';
          socket.on('data', (chunk) => {
            text += chunk.toString();
            if (text.length === 5) socket.end(`${text} ${reading.source?.address}`);
          });
        });
      });
      assert.equal(await talk(server.port, pieces), 'hello 203.0.113.7');
    }
  });

  test('keeps bytes and end that came with the header', async () => {
    await using server = await listen((socket) => {
      acceptProxy(socket, 5000, () => {
        let text = '';
        socket.on('data', (chunk) => (text += chunk.toString()));
        socket.on('end', () => socket.end(`got ${text}`));
      });
    }, true);
    const socket = connect(server.port, '127.0.0.1');
    socket.end('PROXY UNKNOWN\r\nlast words');
    assert.equal(await textOf(socket), 'got last words');
  });

  test('goes on as TLS when the hello came in the same packet', async () => {
    const { cert, key } = await makeSelfSigned();
    const secure = tls.createServer({ cert, key }, (socket) => socket.end('over TLS'));
    secure.on('tlsClientError', (error) => assert.fail(error));
    const headers: ProxyHeader[] = [];
    await using server = await listen((socket) => {
      acceptProxy(socket, 5000, (header) => {
        headers.push(header);
        secure.emit('connection', socket);
      });
    });
    for (const joined of [true, false]) {
      await using front = await listen((near) => {
        const far = connect(server.port, '127.0.0.1').setNoDelay(true);
        far.on('close', () => near.destroySoon());
        if (!joined) far.write(v2(0x21, 0x11, IPV4));
        near.once('data', (hello: Buffer) => {
          far.write(joined ? Buffer.concat([v2(0x21, 0x11, IPV4), hello]) : hello);
          near.pipe(far).pipe(near);
        });
      });
      const client = tls.connect({ port: front.port, host: '127.0.0.1', ca: cert, servername: 'localhost' });
      assert.equal(await textOf(client), 'over TLS');
    }
    assert.deepEqual(
      headers.map(({ source }) => source),
      [client4, client4],
    );
  });

  test('is destroyed when it has none', async () => {
    for (const opening of ['GET / HTTP/1.1\r\n\r\n', 'PROXY TCP4 nonsense\r\n', `PROXY UNKNOWN ${'x'.repeat(200)}`]) {
      const refused: string[] = [];
      await using server = await listen((socket) => {
        acceptProxy(
          socket,
          5000,
          () => assert.fail('must not be handed over'),
          (reason) => refused.push(reason),
        );
      });
      assert.equal(await talk(server.port, [opening]), '');
      assert.equal(refused.length, 1);
    }
  });

  test('is destroyed when it does not come in time, also when it trickles', async () => {
    for (const opening of [[], ['PROXY '], ['\r\n\r\n']]) {
      const refused: string[] = [];
      await using server = await listen((socket) => {
        acceptProxy(
          socket,
          50,
          () => assert.fail('must not be handed over'),
          (reason) => refused.push(reason),
        );
      });
      assert.equal(await talk(server.port, opening), '');
      assert.deepEqual(refused, ['PROXY header did not come in time']);
    }
  });

  test('that leaves early leaves nothing behind', async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await listen((socket) => {
      socket.on('close', () => closed.resolve());
      acceptProxy(
        socket,
        60_000,
        () => assert.fail('must not be handed over'),
        () => assert.fail('nobody is left to refuse'),
      );
    }, true);
    const socket = connect(server.port, '127.0.0.1');
    socket.end('PROXY TCP4');
    socket.resume();
    await closed.promise;
  });
});

const haproxy = spawnSync('haproxy', ['-v']).status === 0;

describe('haproxy', { skip: haproxy ? false : 'haproxy is not installed' }, () => {
  const options: [string, 4 | 6, string, number][] = [
    ['send-proxy', 4, 'PROXY TCP4 127.0.0.1 127.0.0.1 ', 0],
    ['send-proxy', 6, 'PROXY TCP6 ::1 ::1 ', 0],
    ['send-proxy-v2', 4, '\r\n\r\n\0\r\nQUIT\n\x21\x11', 28],
    ['send-proxy-v2', 6, '\r\n\r\n\0\r\nQUIT\n\x21\x21', 52],
    ['send-proxy-v2 proxy-v2-options crc32c', 4, '\r\n\r\n\0\r\nQUIT\n\x21\x11', 35],
    ['send-proxy-v2 proxy-v2-options crc32c', 6, '\r\n\r\n\0\r\nQUIT\n\x21\x21', 59],
  ];
  for (const [option, family, start, length] of options) {
    test(`${option} over IPv${family} names the client`, async () => {
      const host = family === 4 ? '127.0.0.1' : '::1';
      // Looking whether haproxy is up makes connections too: ours is found by its port.
      const headers = new Map<number | undefined, ProxyHeader>();
      await using server = await listen((socket) => {
        socket.on('error', () => undefined);
        socket.once('readable', () => {
          const bytes = socket.read() as Buffer | null;
          if (bytes === null) return;
          assert.ok(bytes.toString('latin1').startsWith(start), bytes.toString('latin1'));
          socket.unshift(bytes);
          const accepted = (header: ProxyHeader): void => {
            headers.set(header.source?.port, header);
            socket.pipe(socket);
          };
          acceptProxy(socket, 5000, accepted, (reason) => assert.fail(reason));
        });
      });
      await using proxy = await startHaproxy(server.port, option, host);
      const socket = connect(proxy.port, host);
      await once(socket, 'connect');
      const port = socket.localPort as number;
      socket.end('through');
      assert.equal(await textOf(socket), 'through');
      const header = headers.get(port);
      assert.deepEqual(header?.source, { address: host, port });
      assert.deepEqual(header.destination, { address: host, port: proxy.port });
      if (length > 0) assert.equal(header.bytes, length);
    });
  }

  test('checks of its health are LOCAL', async () => {
    const checked = Promise.withResolvers<ProxyHeader>();
    await using server = await listen((socket) => {
      socket.on('error', () => undefined);
      const accepted = (header: ProxyHeader): void => {
        if (header.local) checked.resolve(header);
        socket.destroy();
      };
      acceptProxy(socket, 5000, accepted, (reason) => checked.reject(new Error(reason)));
    });
    await using _proxy = await startHaproxy(server.port, 'send-proxy-v2 check check-send-proxy inter 50ms', '127.0.0.1');
    assert.equal((await checked.promise).source, undefined);
  });
});

function read(header: Buffer | string): ProxyHeader {
  return readProxyHeader(Buffer.from(header as string, 'latin1')) as ProxyHeader;
}

/** A version 2 header for IPv4 whose last TLV is a right checksum. */
function withChecksum(body: string): Buffer {
  const header = v2(0x21, 0x11, `${body}03000400000000`);
  header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

/** By table, unlike the code that it checks. */
function crc32c(bytes: Buffer): number {
  const table = Array.from({ length: 256 }, (_, i) => {
    let entry = i;
    for (let bit = 0; bit < 8; bit++) entry = entry & 1 ? (entry >>> 1) ^ 0x82f63b78 : entry >>> 1;
    return entry >>> 0;
  });
  let crc = ~0;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff];
  return ~crc >>> 0;
}

async function listen(onSocket: (socket: Socket) => void, allowHalfOpen = false) {
  const server: Server = createServer({ allowHalfOpen }, onSocket).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

/** Sends the pieces one packet after the other and gives what comes back until the end. */
async function talk(port: number, pieces: string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  const text = textOf(socket);
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise(setImmediate);
  }
  return text;
}

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function startHaproxy(backend: number, option: string, host: string) {
  const directory = await mkdtemp(path.join(tmpdir(), 'portcullis-haproxy-'));
  const port = await freePort(host);
  const file = path.join(directory, 'haproxy.cfg');
  const bind = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  await writeFile(
    file,
    `defaults
  mode tcp
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen front
  bind ${bind}
  unique-id-format "%{+X}o%ci%cp"
  server back 127.0.0.1:${backend} ${option}
`,
  );
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
  await answering(port, host, child);
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await rm(directory, { recursive: true });
    },
  };
}

/** Waits until something listens there, without sending it anything. */
async function answering(port: number, host: string, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    const socket = connect(port, host);
    const up = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('haproxy did not start');
}
