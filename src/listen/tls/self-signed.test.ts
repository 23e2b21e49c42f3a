import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { checkPair } from './pair.ts';
import { makeSelfSigned } from './self-signed.ts';
import { openssl } from './testdata/authority.ts';

const DAY = 24 * 3600_000;

test('the development certificate is for this machine and the names given', async () => {
  const pair = checkPair(await makeSelfSigned(['API.test', '*.dev.test', '192.0.2.1', '2001:db8::1', 'localhost']));
  assert.deepEqual(pair.dns, ['localhost', 'api.test', '*.dev.test']);
  assert.deepEqual(pair.addresses, ['127.0.0.1', '0:0:0:0:0:0:0:1', '192.0.2.1', '2001:DB8:0:0:0:0:0:1']);
  assert.deepEqual(pair.warnings, []);
  assert.equal(pair.leaf.checkHost('x.dev.test'), '*.dev.test');
  assert.equal(pair.leaf.checkIP('127.0.0.1'), '127.0.0.1');
  assert.equal(pair.leaf.checkHost('example.com'), undefined);
});

test('it is valid for thirty days, also on a clock that is a little behind', async () => {
  const { leaf } = checkPair(await makeSelfSigned());
  const now = Date.now();
  assert.ok(leaf.validFromDate.getTime() < now - 30 * 60_000);
  assert.ok(Math.abs(leaf.validToDate.getTime() - leaf.validFromDate.getTime() - 30 * DAY) <= 1000);
});

test('each one has its own key and serial number', async () => {
  const [one, two] = (await Promise.all([makeSelfSigned(), makeSelfSigned()])).map(({ cert }) => new X509Certificate(cert));
  assert.notEqual(one.serialNumber, two.serialNumber);
  assert.equal(one.serialNumber.length, 32);
  assert.equal(one.publicKey.equals(two.publicKey), false);
});

test('OpenSSL finds no fault with it, whatever the lengths inside', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'portcullis-self-signed-'));
  try {
    // From 3 to 400 names: every form of a length in DER.
    for (const count of [0, 5, 20, 400]) {
      const names = Array.from({ length: count }, (_, i) => `host-${i}.test`);
      const { cert } = await makeSelfSigned(names);
      const file = path.join(directory, 'certificate.pem');
      await writeFile(file, cert);
      const verify = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', names.at(-1) ?? 'localhost'];
      const { code, output } = await openssl([...verify, '-CAfile', file, file]);
      assert.equal(code, 0, output);
      const again = await openssl(['x509', '-in', file, '-outform', 'pem']);
      assert.equal(again.output.trim(), cert.trim());
    }
  } finally {
    await rm(directory, { recursive: true });
  }
});
