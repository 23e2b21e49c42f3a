import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { basename } from 'node:path';
import { after, describe, test } from 'node:test';
import tls from 'node:tls';
import type { CertificateFiles } from '../../config/units.ts';
import { createTlsStore, TlsLoadError, type TlsOption, type TlsSettings, type TlsStore } from './contexts.ts';
import { makeSelfSigned } from './self-signed.ts';
import { makeAuthority, openssl, TestLog } from './testdata/authority.ts';

const HOUR = 3600_000;
const DAY = 24 * HOUR;

/** An echo server behind a store. */
class Server {
  readonly store: TlsStore;
  readonly server: tls.Server;
  readonly log: TestLog;

  private constructor(store: TlsStore, log: TestLog) {
    this.store = store;
    this.log = log;
    this.server = tls.createServer(store.options(), (socket) => socket.on('error', () => undefined).pipe(socket));
    this.server.on('tlsClientError', () => undefined);
    store.attach(this.server);
  }

  static async start(option: TlsOption, settings?: Partial<TlsSettings>): Promise<Server> {
    const log = new TestLog();
    const server = new Server(await createTlsStore(option, log, { listener: 'test', ...settings }), log);
    server.server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
    return server;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** A handshake by Node's OpenSSL; undefined when it fails. */
  async shake(options: tls.ConnectionOptions = {}): Promise<tls.TLSSocket | undefined> {
    const socket = tls.connect({ port: this.port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    socket.on('error', () => undefined);
    return new Promise((resolve) => {
      socket.once('secureConnect', () => resolve(socket));
      socket.once('close', () => resolve(undefined));
    });
  }

  /** Names of the certificate that a client gets who asks for this name. */
  async namesFor(servername: string | undefined, options: tls.ConnectionOptions = {}): Promise<string | undefined> {
    const socket = await this.shake({ servername, ...options });
    const names = socket?.getPeerX509Certificate()?.subjectAltName;
    socket?.destroy();
    return names?.replaceAll('DNS:', '');
  }

  /** A handshake by the system's openssl command, which ends with the end of its input. */
  async client(...args: string[]): Promise<{ ok: boolean; output: string }> {
    const { output } = await openssl(['s_client', '-connect', `127.0.0.1:${this.port}`, ...args]);
    return { ok: /Cipher is (?!\(NONE\))/.test(output), output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.store.close();
    this.server.close();
    await once(this.server, 'close');
  }
}

describe('TLS', async () => {
  const authority = await makeAuthority();
  after(() => authority[Symbol.asyncDispose]());
  const first = await authority.issue('first', ['first.example', 'www.first.example']);
  const wild = await authority.issue('wild', ['*.wild.example', 'wild.example'], { chain: true });
  const exact = await authority.issue('exact', ['exact.wild.example']);
  const rsa = await authority.issue('rsa', ['rsa.example'], { kind: 'rsa', chain: true });
  const all = [first, wild, exact, rsa];

  describe('protocols and suites', async () => {
    const server = await Server.start(all);
    after(() => server[Symbol.asyncDispose]());
    const weak = ['-cipher', 'ALL:@SECLEVEL=0'];

    const accepted: [string, string[], RegExp][] = [
      ['TLS 1.3', ['-tls1_3'], /TLSv1.3, Cipher is TLS_AES_128_GCM_SHA256/],
      ['TLS 1.2 with ECDSA', ['-tls1_2'], /TLSv1.2, Cipher is ECDHE-ECDSA-AES128-GCM-SHA256/],
      ['TLS 1.2 with RSA', ['-tls1_2', '-servername', 'rsa.example'], /TLSv1.2, Cipher is ECDHE-RSA-AES128-GCM-SHA256/],
      ['AES-256', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384'], /Cipher is ECDHE-ECDSA-AES256-GCM-SHA384/],
      [
        'ChaCha20 for who has it first',
        ['-tls1_2', '-cipher', 'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256'],
        /Cipher is ECDHE-ECDSA-CHACHA20-POLY1305/,
      ],
      [
        'ours first otherwise',
        ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256'],
        /Cipher is ECDHE-ECDSA-AES128-GCM-SHA256/,
      ],
      ['X25519', ['-groups', 'X25519'], /Server Temp Key: X25519/],
      ['P-256', ['-groups', 'P-256'], /Server Temp Key: ECDH, prime256v1/],
      ['P-384', ['-groups', 'P-384'], /Server Temp Key: ECDH, secp384r1/],
    ];
    for (const [name, args, expected] of accepted) {
      test(`accepts ${name}`, async () => {
        const { ok, output } = await server.client(...args);
        assert.ok(ok, output);
        assert.match(output, expected);
      });
    }

    const refused: [string, string[]][] = [
      ['TLS 1.1', ['-tls1_1', ...weak]],
      ['TLS 1.0', ['-tls1', ...weak]],
      ['CBC', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0']],
      [
        'RSA without forward secrecy',
        ['-tls1_2', '-servername', 'rsa.example', '-cipher', 'AES128-GCM-SHA256:AES256-SHA:@SECLEVEL=0'],
      ],
      [
        'finite-field Diffie-Hellman',
        ['-tls1_2', '-servername', 'rsa.example', '-cipher', 'DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0'],
      ],
      ['suites without certificate', ['-tls1_2', '-cipher', 'aNULL:@SECLEVEL=0']],
      ['suites without encryption', ['-tls1_2', '-cipher', 'eNULL:@SECLEVEL=0']],
      ['AES-CCM', ['-tls1_3', '-ciphersuites', 'TLS_AES_128_CCM_SHA256']],
      ['signatures with SHA-1', ['-tls1_2', '-sigalgs', 'ECDSA+SHA1:RSA+SHA1', '-cipher', 'ALL:@SECLEVEL=0']],
      ['other curves', ['-groups', 'secp521r1']],
    ];
    for (const [name, args] of refused) {
      test(`refuses ${name}`, async () => {
        const { ok, output } = await server.client(...args);
        assert.equal(ok, false, output);
        // The alert comes from us: the client itself was willing.
        assert.match(output, /alert|unexpected eof/i);
      });
    }

    test('refuses renegotiation, which a bare Node server grants the same client', async () => {
      const [cert, key] = await Promise.all([readFile(first.certificate), readFile(first.key)]);
      const bare = tls
        .createServer({ cert, key }, (socket) => socket.on('error', () => undefined).resume())
        .listen(0, '127.0.0.1');
      await once(bare, 'listening');
      const renegotiate = async (port: number): Promise<boolean> => {
        const { output } = await openssl(['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_2'], 'R\n');
        assert.match(output, /RENEGOTIATING/);
        return !output.includes('no renegotiation');
      };
      assert.equal(await renegotiate(server.port), false);
      assert.equal(await renegotiate((bare.address() as AddressInfo).port), true);
      bare.close();
      await once(bare, 'close');
    });

    test('agrees on the hybrid group, and says so on the wire', async () => {
      const recorded = await recordHandshake(server.port, { ecdhCurve: 'X25519MLKEM768:X25519' });
      // ServerHello: key_share (51), group 0x11ec, a share of 1120 bytes (ML-KEM ciphertext and X25519 key).
      assert.ok(recorded.includes(Buffer.from('0033046411ec0460', 'hex')));
      const classic = await recordHandshake(server.port, { ecdhCurve: 'X25519' });
      assert.ok(classic.includes(Buffer.from('00330024001d0020', 'hex')));
    });

    test('takes the hybrid group also from a client that would rather have another', async () => {
      const socket = await server.shake({ ecdhCurve: 'X25519:X25519MLKEM768' });
      assert.ok(socket);
      assert.equal((socket.getEphemeralKeyInfo() as { name?: string }).name, 'X25519MLKEM768');
      socket.destroy();
    });

    const alpn: [string[] | undefined, string | false | undefined][] = [
      [['h2', 'http/1.1'], 'h2'],
      [['http/1.1', 'h2'], 'h2'],
      [['http/1.1'], 'http/1.1'],
      [['http/1.0'], 'http/1.0'],
      [['spdy/3', 'http/1.1'], 'http/1.1'],
      [undefined, false],
      // RFC 7301: no protocol in common is a fatal alert, not a guess.
      [['spdy/3'], undefined],
      [['acme-tls/1'], undefined],
    ];
    for (const [offered, expected] of alpn) {
      test(`of ${offered?.join() ?? 'no protocols'} takes ${String(expected)}`, async () => {
        for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
          const socket = await server.shake({ ALPNProtocols: offered, servername: 'wild.example', maxVersion });
          assert.equal(socket?.alpnProtocol, expected);
          socket?.destroy();
        }
      });
    }
  });

  describe('server names', async () => {
    const server = await Server.start(all);
    after(() => server[Symbol.asyncDispose]());
    const cases: [string | undefined, string][] = [
      ['first.example', 'first.example, www.first.example'],
      ['wild.example', '*.wild.example, wild.example'],
      ['any.wild.example', '*.wild.example, wild.example'],
      ['ANY.Wild.Example', '*.wild.example, wild.example'],
      ['exact.wild.example', 'exact.wild.example'],
      ['two.labels.wild.example', 'first.example, www.first.example'],
      ['unknown.example', 'first.example, www.first.example'],
      [undefined, 'first.example, www.first.example'],
    ];
    for (const [name, expected] of cases) {
      test(`${name ?? 'none'} gets ${expected}`, async () => {
        assert.equal(await server.namesFor(name), expected);
        assert.equal(await server.namesFor(name, { maxVersion: 'TLSv1.2' }), expected);
      });
    }

    test('chains come with their certificate, and an outside client can verify them', async () => {
      for (const name of ['first.example', 'a.wild.example', 'rsa.example']) {
        const { output } = await server.client('-CAfile', authority.ca, '-servername', name, '-verify_hostname', name);
        assert.match(output, /Verify return code: 0 \(ok\)/);
      }
    });

    test('no name breaks it', async () => {
      for (const name of ['a'.repeat(255), 'x..y', '..', '%00', 'bücher.example', '*.wild.example', '__proto__', ' ', '[::1]']) {
        const socket = await server.shake({ servername: name });
        socket?.destroy();
      }
      assert.equal(await server.namesFor('exact.wild.example'), 'exact.wild.example');
    });

    test('an error in the choice does not reach the process', () => {
      const { SNICallback } = server.store.options();
      const answers: unknown[] = [];
      for (const name of [undefined, null, 1, {}]) {
        SNICallback?.(name as unknown as string, (error, context) => answers.push(error, context));
      }
      assert.deepEqual(answers, Array(4).fill([null, undefined]).flat());
      assert.equal(server.log.entries.filter(({ level }) => level === 'error').length, 4);
    });
  });

  describe('of one name both kinds of certificate are offered, each with its own chain', async () => {
    const ecdsa = await authority.issue('both-ecdsa', ['both.example', '*.both.example']);
    const old = await authority.issue('both-rsa', ['*.both.example', 'both.example'], { kind: 'rsa', chain: true });
    const cases: [string, string][] = [
      ['ecdsa_secp256r1_sha256', 'ec'],
      ['rsa_pss_rsae_sha256', 'rsa'],
      ['RSA+SHA256', 'rsa'],
      ['rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256', 'ec'],
    ];
    // Whatever the order, and whatever the kind of the server's own context.
    for (const option of [
      [ecdsa, old],
      [old, ecdsa],
      [first, old, ecdsa],
      [rsa, ecdsa, old],
    ]) {
      const order = option.map(({ certificate }) => basename(certificate)).join();
      for (const [sigalgs, kind] of cases) {
        test(`${order}: ${sigalgs} gets ${kind}`, async () => {
          await using server = await Server.start(option);
          for (const servername of ['both.example', 'x.both.example']) {
            for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
              // TLS 1.3 has no PKCS #1 v1.5 for handshakes.
              if (maxVersion === 'TLSv1.3' && sigalgs.startsWith('RSA+')) continue;
              const socket = await server.shake({
                servername,
                sigalgs,
                maxVersion,
                ca: authority.root,
                rejectUnauthorized: true,
              });
              assert.ok(socket, `${servername} ${maxVersion}`);
              assert.equal(socket.getPeerX509Certificate()?.publicKey.asymmetricKeyType, kind);
              socket.destroy();
            }
          }
          assert.deepEqual(server.log.entries, []);
        });
      }
    }

    test('also to clients that give no name', async () => {
      await using server = await Server.start([ecdsa, old]);
      for (const [sigalgs, kind] of cases.slice(0, 2)) {
        const socket = await server.shake({ sigalgs });
        assert.equal(socket?.getPeerX509Certificate()?.publicKey.asymmetricKeyType, kind);
        socket?.destroy();
      }
    });

    test('never that of another name, only because its kind fits', async () => {
      // Node once left the certificate of the server's own context in place where the kinds differ (nodejs/node#54235).
      for (const [option, servername, sigalgs] of [
        [[first, rsa], 'rsa.example', 'ecdsa_secp256r1_sha256'],
        [[rsa, first], 'first.example', 'rsa_pss_rsae_sha256'],
      ] as const) {
        await using server = await Server.start(option);
        assert.equal(await server.namesFor(servername, { sigalgs }), undefined);
        assert.match((await server.namesFor(servername)) ?? '', servername === 'rsa.example' ? /rsa\.example/ : /first\.example/);
      }
    });
  });

  describe('sessions', () => {
    const secret = Buffer.alloc(32, 7);
    const start = (settings: Partial<TlsSettings>): Promise<Server> =>
      Server.start([first, wild], { ticketSecret: secret, ...settings });

    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      test(`${version}: resume with another worker, not with another gateway, listener or after a day`, async () => {
        const options = { servername: 'a.wild.example', minVersion: version, maxVersion: version };
        await using one = await start({});
        const session = await sessionOf(one, options);
        const others: [Partial<TlsSettings>, boolean][] = [
          [{}, true],
          [{ ticketSecret: Buffer.alloc(32, 8) }, false],
          [{ listener: 'other' }, false],
          [{ clock: { now: () => Date.now() + DAY } }, false],
        ];
        for (const [settings, expected] of others) {
          await using other = await start(settings);
          const socket = await other.shake({ ...options, session });
          assert.equal(socket?.isSessionReused(), expected, JSON.stringify(settings));
          socket?.destroy();
        }
      });
    }

    test('resume after a certificate was replaced', async () => {
      const options = { servername: 'first.example', maxVersion: 'TLSv1.2' } as const;
      await using server = await start({});
      const session = await sessionOf(server, options);
      await server.store.reload([wild, first]);
      const socket = await server.shake({ ...options, session });
      assert.equal(socket?.isSessionReused(), true);
      socket?.destroy();
    });
  });

  describe('replacement', () => {
    const copy = async (name: string, from: CertificateFiles): Promise<CertificateFiles> => {
      const files = { certificate: authority.file(`${name}.pem`), key: authority.file(`${name}.key`) };
      await copyFile(from.certificate, files.certificate);
      await copyFile(from.key, files.key);
      return files;
    };

    test('new handshakes get the new one, open connections live on', async () => {
      const files = await copy('replaced', first);
      await using server = await Server.start([files, wild]);
      const open = (await server.shake({ servername: 'first.example' })) as tls.TLSSocket;
      const nameless = (await server.shake()) as tls.TLSSocket;
      await copy('replaced', await authority.issue('renewed', ['first.example', 'new.example']));
      assert.equal(await server.namesFor('first.example'), 'first.example, www.first.example');
      await server.store.refresh();
      for (const name of ['first.example', 'new.example', undefined, 'unknown.example']) {
        assert.equal(await server.namesFor(name), 'first.example, new.example');
      }
      assert.equal(await server.namesFor('wild.example'), '*.wild.example, wild.example');
      for (const socket of [open, nameless]) {
        socket.write('still here');
        assert.equal(String((await once(socket, 'data'))[0]), 'still here');
        socket.destroy();
      }
      assert.deepEqual(server.store.certificates()[0].names, ['first.example', 'new.example']);
      assert.deepEqual(
        server.log.entries.map(({ level, message }) => [level, message]),
        [['info', 'certificate replaced']],
      );
    });

    test('handshakes that go on meanwhile all succeed', async () => {
      const files = await copy('busy', first);
      await using server = await Server.start([files]);
      const versions = [first, await authority.issue('busy-other', ['first.example'])];
      let ended = false;
      const shaking = (async () => {
        let count = 0;
        for (; !ended; count++) {
          const socket = await server.shake({ servername: count % 2 === 0 ? 'first.example' : undefined });
          assert.ok(socket, `handshake ${count} failed`);
          socket.destroy();
        }
        return count;
      })();
      for (let round = 0; round < 20; round++) {
        await copy('busy', versions[round % 2]);
        await server.store.refresh();
      }
      ended = true;
      assert.ok((await shaking) > 0);
    });

    test('what cannot be used leaves the old one, only of that pair, and the log says why', async () => {
      const [one, two] = [await copy('kept', first), await copy('changed', wild)];
      await using server = await Server.start([one, two]);
      await writeFile(one.key, 'nonsense');
      await copy('changed', exact);
      await server.store.refresh();
      assert.equal(await server.namesFor('first.example'), 'first.example, www.first.example');
      assert.equal(await server.namesFor('exact.wild.example'), 'exact.wild.example');
      const [error, info] = server.log.entries;
      assert.match(error.message, /not replaced, the old one stays: .*kept\.key is not PEM/);
      assert.equal(info.message, 'certificate replaced');
      // A certificate that has come before its key: nothing changes until the key is there.
      const renewed = await authority.issue('pair-renewed', ['first.example', 'whole.example']);
      await copyFile(first.key, one.key);
      await copyFile(renewed.certificate, one.certificate);
      await server.store.refresh();
      assert.equal(await server.namesFor('first.example'), 'first.example, www.first.example');
      await copyFile(renewed.key, one.key);
      await server.store.refresh();
      assert.equal(await server.namesFor('first.example'), 'first.example, whole.example');
    });

    test('of the configuration is all or nothing', async () => {
      await using server = await Server.start([first]);
      const absent = { certificate: authority.file('absent.pem'), key: first.key };
      await assert.rejects(server.store.reload([wild, absent, { ...first, key: wild.key }]), (error: TlsLoadError) => {
        assert.ok(error instanceof TlsLoadError);
        assert.deepEqual(
          error.problems.map(({ index, member }) => [index, member]),
          [
            [1, 'certificate'],
            [2, 'key'],
          ],
        );
        return true;
      });
      assert.equal(await server.namesFor('wild.example'), 'first.example, www.first.example');
      await server.store.reload([wild]);
      assert.equal(await server.namesFor('wild.example'), '*.wild.example, wild.example');
    });

    test('follows the files without being told', async () => {
      const files = await copy('watched', first);
      await using server = await Server.start([files]);
      server.store.watch({ settle: 20, poll: 3600_000 });
      const renewed = await authority.issue('watched-new', ['first.example', 'watched.example']);
      // As certificate managers do it: written beside, then renamed, one after the other.
      for (const kind of ['key', 'certificate'] as const) {
        await copyFile(renewed[kind], `${files[kind]}.new`);
        await rename(`${files[kind]}.new`, files[kind]);
      }
      await server.log.until(({ message }) => message === 'certificate replaced');
      assert.equal(await server.namesFor('first.example'), 'first.example, watched.example');
    });

    test('that came between the start and the first look is found', async () => {
      const files = await copy('early', first);
      await using server = await Server.start([files]);
      await copy('early', await authority.issue('early-new', ['early.example']));
      server.store.watch({ settle: 20, poll: 3600_000 });
      await server.log.until(({ message }) => message === 'certificate replaced');
    });
  });

  describe('warnings', () => {
    const at = (days: number): Partial<TlsSettings> => ({ clock: { now: () => Date.now() + days * DAY } });
    const cases: [string, number, RegExp | undefined][] = [
      ['a month ahead', 0, undefined],
      ['two weeks ahead', 15, undefined],
      ['a week ahead', 23, /expires on \d{4}-\d\d-\d\d, in 6 days/],
      ['afterwards', 33, /expired on \d{4}-\d\d-\d\d, 4 days ago/],
      ['beforehand', -1, /is not valid before/],
    ];
    for (const [name, days, expected] of cases) {
      test(`of expiry ${name}`, async () => {
        await using server = await Server.start([first], at(days));
        const [entry] = server.log.entries;
        if (expected === undefined) assert.equal(entry, undefined);
        else assert.match(entry.message, expected);
        assert.equal(server.log.entries.length, expected === undefined ? 0 : 1);
        await server.store.reload([first]);
        assert.equal(server.log.entries.length, expected === undefined ? 0 : 1, 'said once, not at each reload');
      });
    }

    test('of a certificate that no client ever gets', async () => {
      const second = await authority.issue('second', ['first.example']);
      await using server = await Server.start([first, second]);
      assert.match(server.log.entries[0].message, /no client gets this certificate/);
      assert.equal(server.log.entries[0].fields?.certificate, second.certificate);
    });
  });

  test('the state tells what is served', async () => {
    await using server = await Server.start([wild]);
    const [info] = server.store.certificates();
    const leaf = new X509Certificate(await readFile(wild.certificate));
    assert.deepEqual(info, {
      names: ['*.wild.example', 'wild.example'],
      notAfter: leaf.validToDate,
      issuer: 'CN=Test intermediate',
      fingerprint: leaf.fingerprint256,
      files: wild,
    });
  });

  test('self-signed: the same in all workers when handed in, kept over reloads', async () => {
    const pem = await makeSelfSigned();
    await using one = await Server.start('self-signed', { selfSigned: pem });
    await using two = await Server.start('self-signed', { selfSigned: pem });
    await using alone = await Server.start('self-signed');
    const fingerprint = ({ store }: Server): string => store.certificates()[0].fingerprint;
    assert.equal(fingerprint(one), fingerprint(two));
    assert.notEqual(fingerprint(one), fingerprint(alone));
    const before = fingerprint(alone);
    await alone.store.reload('self-signed');
    assert.equal(fingerprint(alone), before);
    for (const servername of ['localhost', undefined]) {
      const socket = await one.shake({
        ca: pem.cert,
        rejectUnauthorized: true,
        servername,
        checkServerIdentity: () => undefined,
      });
      assert.equal(socket?.authorized, true);
      socket?.destroy();
    }
  });

  test('what cannot be used does not start', async () => {
    const start = (option: TlsOption): Promise<unknown> => createTlsStore(option, new TestLog());
    await assert.rejects(start([{ ...first, key: authority.file('absent') }]), TlsLoadError);
    await assert.rejects(start([]), TlsLoadError);
  });

  test('a client that never shakes hands is dropped', async () => {
    await using server = await Server.start([first], { handshakeTimeout: 100 });
    server.server.on('tlsClientError', (_error, dropped) => dropped.destroy());
    const socket = connect(server.port, '127.0.0.1');
    socket.write(Buffer.from('160301', 'hex'));
    socket.resume();
    await once(socket, 'close');
  });
});

/** A session that can be resumed. In TLS 1.3 it comes after the handshake, with the server's first bytes. */
async function sessionOf(server: Server, options: tls.ConnectionOptions): Promise<Buffer> {
  const socket = (await server.shake(options)) as tls.TLSSocket;
  const session = new Promise<Buffer>((resolve) => socket.on('session', resolve));
  socket.write('x');
  await once(socket, 'data');
  const buffer = options.maxVersion === 'TLSv1.3' ? await session : (socket.getSession() as Buffer);
  socket.destroy();
  return buffer;
}

/** What the server sent in a handshake. */
async function recordHandshake(port: number, options: tls.ConnectionOptions): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const relay = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    far.on('data', (chunk: Buffer) => chunks.push(chunk));
    far.on('error', () => undefined);
    near.on('error', () => undefined);
    near.on('close', () => far.destroy());
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const client = tls.connect({ port: (relay.address() as AddressInfo).port, rejectUnauthorized: false, ...options });
  await once(client, 'secureConnect');
  client.destroy();
  relay.close();
  await once(relay, 'close');
  return Buffer.concat(chunks);
}
