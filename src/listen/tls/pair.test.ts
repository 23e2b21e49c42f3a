import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { after, describe, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import { type PairError, readPair } from './pair.ts';
import { makeAuthority, openssl } from './testdata/authority.ts';

describe('a certificate and its key', async () => {
  const authority = await makeAuthority();
  after(() => authority[Symbol.asyncDispose]());
  const { file } = authority;
  const good = await authority.issue('good', ['good.example', '10.0.0.1']);
  const other = await authority.issue('other', ['other.example']);
  const rsa = await authority.issue('rsa', ['good.example'], { kind: 'rsa', chain: true });
  const short = await authority.issue('short', ['short.example'], { kind: 'short' });
  const text = (path: string): Promise<string> => readFile(path, 'latin1');
  const put = async (name: string, content: string | Buffer, mode = 0o600): Promise<string> => {
    await writeFile(file(name), content, { mode });
    await chmod(file(name), mode);
    return file(name);
  };
  const made = async (name: string, ...args: string[]): Promise<string> => {
    const { code, output } = await openssl([...args, '-out', file(name)]);
    assert.equal(code, 0, output);
    return file(name);
  };
  await mkdir(file('directory'));
  execFileSync('mkfifo', [file('pipe')]);

  const accepted: [string, { certificate: string; key: string }, { kind: string; chain?: number }][] = [
    ['ECDSA', good, { kind: 'ec' }],
    ['RSA with its chain', rsa, { kind: 'rsa', chain: 2 }],
    ['both in one file', await both(), { kind: 'ec' }],
    [
      'a key in the old form',
      { ...rsa, key: await made('old.key', 'rsa', '-in', rsa.key, '-traditional') },
      { kind: 'rsa', chain: 2 },
    ],
    ['an EC key in the old form', { ...good, key: await put('ec.key', await oldEcKey()) }, { kind: 'ec' }],
    [
      'words around the PEM',
      { ...good, certificate: await put('words.pem', `hello\n${await text(good.certificate)}\nbye`) },
      { kind: 'ec' },
    ],
  ];
  for (const [name, files, { kind, chain = 1 }] of accepted) {
    test(`is accepted: ${name}`, async () => {
      const pair = await readPair(files);
      assert.equal(pair.kind, kind);
      assert.equal(pair.pem.cert.split('BEGIN CERTIFICATE').length - 1, chain);
      assert.deepEqual(pair.dns, ['good.example']);
      assert.deepEqual(pair.warnings, []);
    });
  }

  const refused: [string, { certificate: string; key: string }, PairError['member'], RegExp][] = [
    ['no such certificate', { ...good, certificate: file('absent.pem') }, 'certificate', /absent\.pem does not exist/],
    ['no such key', { ...good, key: file('absent.key') }, 'key', /absent\.key does not exist/],
    ['no such directory', { ...good, key: `${good.key}/x` }, 'key', /does not exist/],
    ['a directory', { ...good, certificate: file('directory') }, 'certificate', /is not a file/],
    ['a named pipe, which would never end', { ...good, certificate: file('pipe') }, 'certificate', /is not a file/],
    ['an empty certificate', { ...good, certificate: await put('empty', '') }, 'certificate', /is empty/],
    ['an empty key', { ...good, key: await put('empty', '') }, 'key', /is empty/],
    ['swapped files', { certificate: good.key, key: good.certificate }, 'certificate', /swapped/],
    ['a certificate as key', { ...good, key: good.certificate }, 'key', /swapped/],
    [
      'DER',
      { ...good, certificate: await made('der', 'x509', '-in', good.certificate, '-outform', 'der') },
      'certificate',
      /is not PEM/,
    ],
    ['a key in DER', { ...good, key: await made('derkey', 'pkey', '-in', good.key, '-outform', 'der') }, 'key', /is not PEM/],
    [
      'a certificate cut off',
      { ...good, certificate: await put('cut.pem', (await text(good.certificate)).slice(0, 300)) },
      'certificate',
      /cut off/,
    ],
    [
      'a certificate damaged',
      { ...good, certificate: await put('bad.pem', damaged(await text(good.certificate))) },
      'certificate',
      /damaged/,
    ],
    ['a key damaged', { ...good, key: await put('bad.key', damaged(await text(good.key))) }, 'key', /damaged/],
    [
      'a key with a passphrase',
      { ...good, key: await made('secret.key', 'pkcs8', '-topk8', '-in', good.key, '-passout', 'pass:x') },
      'key',
      /passphrase/,
    ],
    ['the key of another', { ...good, key: other.key }, 'key', /does not belong to the certificate in .*good\.pem/],
    [
      'a chain in the wrong order',
      { ...good, certificate: await put('order.pem', (await text(file('root.pem'))) + (await text(good.certificate))) },
      'key',
      /must come first/,
    ],
    ['a key too short', short, 'certificate', /key too small/],
    [
      'a huge file',
      { ...good, certificate: await put('huge', Buffer.alloc(1024 * 1024 + 1)) },
      'certificate',
      /larger than 1 MiB/,
    ],
  ];
  for (const [name, files, member, message] of refused) {
    test(`is refused: ${name}`, async () => {
      await assert.rejects(readPair(files), (error: PairError) => {
        assert.equal(error.name, 'PairError');
        assert.equal(error.member, member);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  const odd: [string, { certificate: string; key: string }, RegExp][] = [
    [
      'a key that all can read',
      { ...good, key: await put('open.key', await text(good.key), 0o644) },
      /open\.key can be read by every user/,
    ],
    [
      'a chain that does not hang together',
      { ...good, certificate: await put('loose.pem', (await text(good.certificate)) + (await text(other.certificate))) },
      /certificate 2 of the file did not issue/,
    ],
    ['no names', await authority.issue('nameless', [], { commonName: 'Some body' }), /names no host/],
  ];
  for (const [name, files, warning] of odd) {
    test(`is accepted with a warning: ${name}`, async () => {
      const { warnings } = await readPair(files);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0], warning);
    });
  }

  test('no message quotes a key', async () => {
    const secret = (await text(good.key)).split('\n')[1];
    const key = await put('quoted.key', `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`);
    await assert.rejects(readPair({ ...good, key }), (error: Error) => !error.message.includes(secret.slice(0, 8)));
  });

  async function both(): Promise<{ certificate: string; key: string }> {
    const path = await put('both.pem', (await text(good.certificate)) + (await text(good.key)));
    return { certificate: path, key: path };
  }

  /** As `openssl ecparam -genkey` writes it: parameters first. */
  async function oldEcKey(): Promise<string> {
    const parameters = await openssl(['ecparam', '-name', 'prime256v1']);
    const key = await openssl(['ec', '-in', good.key]);
    return parameters.output + key.output.slice(key.output.indexOf('-----BEGIN'));
  }
});

/** Valid base64 of something else. */
function damaged(pem: string): string {
  const lines = pem.split('\n');
  lines[1] = 'A'.repeat(lines[1].length);
  return lines.join('\n');
}
