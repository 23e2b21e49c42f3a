/** openssl s_client against the gateway: what is spoken, and sessions that are taken up again, with one worker and with two. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type House, openHouse } from './house.ts';
import { missing, run } from './tools.ts';

const skip = missing('openssl', 'version');

for (const workers of [1, 2]) {
  describe(`openssl s_client, ${workers} worker${workers === 1 ? '' : 's'}`, { skip }, () => {
    let house: House;
    let folder = '';
    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'portcullis-openssl-'));
      house = await openHouse(`workers: ${workers}`);
    });
    after(async () => {
      await house?.stop();
      await rm(folder, { recursive: true, force: true });
    });

    /** One request over TLS; what s_client tells, and the answer. */
    const client = async (...args: string[]): Promise<string> => {
      const address = `localhost:${house.gateway.port('secure')}`;
      const fixed = ['s_client', '-connect', address, '-servername', 'localhost', '-CAfile', house.certificates.ca, '-ign_eof'];
      const request = 'GET /bytes/3 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
      const { stdout, stderr } = await run('openssl', [...fixed, ...args], request);
      return stdout.toString('latin1') + stderr;
    };

    for (const [option, version] of [
      ['-tls1_2', 'TLSv1.2'],
      ['-tls1_3', 'TLSv1.3'],
    ] as const) {
      test(`${version}: verified, answered, and taken up again`, async () => {
        const file = path.join(folder, `${version}.session`);
        const first = await client(option, '-verify_return_error', '-sess_out', file);
        assert.match(first, new RegExp(`^New, ${version}, Cipher is `, 'm'));
        assert.match(first, /Verify return code: 0 \(ok\)/);
        assert.match(first, /^HTTP\/1\.1 200 OK\r$/m);
        // With two workers, every other connection reaches one that has not made the session.
        for (let i = 0; i < 6; i++) {
          const again = await client(option, '-sess_in', file);
          assert.match(again, new RegExp(`^Reused, ${version}, Cipher is `, 'm'), `connection ${i + 2}`);
          assert.match(again, /^HTTP\/1\.1 200 OK\r$/m);
        }
      });
    }

    test('older versions, weak suites and renegotiation are refused', async () => {
      for (const args of [
        ['-tls1_1'],
        ['-tls1'],
        ['-tls1_2', '-cipher', 'AES128-SHA:AES256-SHA'],
        ['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA'],
      ]) {
        const shown = await client(...args, '-cipher', args[2] ?? 'ALL:@SECLEVEL=0');
        assert.match(shown, /alert protocol version|alert handshake failure/, args.join(' '));
      }
      assert.match(await client('-tls1_2'), /^Secure Renegotiation IS supported/m);
    });

    test('ALPN takes HTTP/2 where it is offered, and nothing that nobody speaks', async () => {
      assert.match(await client('-alpn', 'h2,http/1.1'), /^ALPN protocol: h2$/m);
      assert.match(await client('-alpn', 'http/1.1'), /^ALPN protocol: http\/1\.1$/m);
      assert.match(await client('-alpn', 'h3,spdy/3'), /no application protocol|alert number 120/);
      assert.match(await client(), /^No ALPN negotiated$/m);
    });
  });
}
