import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { certificateFolder, TestCa } from '../../../test/support/client-certificates.ts';
import { readAuthorities } from './authorities.ts';
import type { PairError } from './pair.ts';
import { readRevocationList } from './revocation.ts';

const run = promisify(execFile);

describe('the files of client authorities', { timeout: 120_000 }, () => {
  let folder: Awaited<ReturnType<typeof certificateFolder>>;
  let root: TestCa;
  let middle: TestCa;
  let crl: string;

  before(async () => {
    folder = await certificateFolder();
    root = await TestCa.root(folder.dir, 'root');
    middle = await root.below('middle');
    crl = await root.crl(folder.file('root.crl'));
  });

  after(() => folder[Symbol.asyncDispose]());

  const read = (ca: string, ...lists: string[]) =>
    readAuthorities({ ca, crl: lists.length === 0 ? undefined : lists, mode: 'required', depth: undefined });

  const write = async (name: string, ...parts: string[]): Promise<string> => {
    await writeFile(folder.file(name), parts.join(''));
    return folder.file(name);
  };
  const text = (file: string): Promise<string> => readFile(file, 'latin1');

  it('a bundle and several lists are read whole', async () => {
    const bundle = await write('bundle.pem', await text(middle.certificate), await text(root.certificate));
    const lists = await write('lists.crl', await text(crl), await text(await middle.crl(folder.file('middle.crl'))));
    const { list, revocation, ca, crl: crls, warnings } = read(bundle, lists);
    assert.deepEqual(
      list.map(({ name, root: top }) => [name, top]),
      [
        ['CN=middle', false],
        ['CN=root', true],
      ],
    );
    assert.equal(revocation?.size, 2);
    // OpenSSL would read the first of several in one text.
    assert.deepEqual([ca.length, crls?.length], [2, 2]);
    assert.deepEqual(warnings, []);
  });

  it('a list in DER is read too', async () => {
    await run('openssl', ['crl', '-in', crl, '-outform', 'der', '-out', folder.file('root.der')]);
    assert.equal(read(root.certificate, folder.file('root.der')).revocation?.size, 1);
  });

  it('the list of an authority that is not there is taken, with a warning', async () => {
    const { warnings } = read(root.certificate, await middle.crl(folder.file('middle.crl')));
    assert.match(warnings.join(), /middle\.crl is by CN=middle, which is not in `ca`/);
  });

  it('the digest is that of the content', async () => {
    const first = read(root.certificate, crl).digest;
    assert.equal(read(root.certificate, crl).digest, first);
    await root.revoke(await root.issue('gone'));
    assert.notEqual(read(root.certificate, await root.crl(folder.file('next.crl'))).digest, first);
  });

  const refused: readonly (readonly [string, () => Promise<() => unknown>, 'ca' | 'crl', RegExp])[] = [
    ['no such file', async () => () => read(folder.file('nowhere.pem')), 'ca', /nowhere\.pem does not exist/],
    ['a key', async () => () => read(root.key), 'ca', /holds a private key, but no certificate/],
    [
      'a certificate that is no authority',
      async () => {
        const { certificate } = await root.issue('leaf');
        return () => read(certificate);
      },
      'ca',
      /not one of an authority \(no CA:TRUE\): CN=leaf/,
    ],
    [
      'an authority without the root above it',
      async () => () => read(middle.certificate),
      'ca',
      /CN=middle, but not the root above it/,
    ],
    [
      'half of a bundle',
      async () => {
        const half = await write('half.pem', await text(root.certificate), (await text(middle.certificate)).slice(0, 300));
        return () => read(half);
      },
      'ca',
      /half\.pem is cut off/,
    ],
    [
      'an empty list',
      async () => (await write('empty.crl'), () => read(root.certificate, folder.file('empty.crl'))),
      'crl',
      /is empty/,
    ],
    ['no list', async () => () => read(root.certificate, root.certificate), 'crl', /holds no revocation list/],
    [
      'half of the lists',
      async () => {
        const half = await write('half.crl', await text(crl), (await text(crl)).slice(0, 200));
        return () => read(root.certificate, half);
      },
      'crl',
      /half\.crl is cut off/,
    ],
    [
      'the list of another authority with the same name',
      async () => {
        const twin = await TestCa.root(`${folder.dir}/twin`, 'root');
        const list = await twin.crl(folder.file('twin.crl'));
        return () => read(root.certificate, list);
      },
      'crl',
      /twin\.crl was not signed by CN=root/,
    ],
    [
      'a list that was changed',
      async () => {
        const der = Buffer.from((await text(crl)).replace(/-----.*-----/g, ''), 'base64');
        der[der.indexOf('root', 0, 'latin1') + 4 + 20] ^= 1;
        await writeFile(folder.file('changed.crl'), der);
        return () => read(root.certificate, folder.file('changed.crl'));
      },
      'crl',
      /changed\.crl/,
    ],
  ];
  for (const [what, make, member, message] of refused) {
    it(`refused: ${what}`, async () => {
      const attempt = await make();
      assert.throws(attempt, (error: PairError) => {
        assert.equal(error.name, 'PairError');
        assert.equal(error.member, member);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('whatever bytes of a list are changed, it is refused, or its signature does not fit', async () => {
    const der = Buffer.from((await text(crl)).replace(/-----.*-----/g, ''), 'base64');
    for (let at = 0; at < der.length; at++) {
      const changed = Buffer.from(der);
      changed[at] ^= 0x10;
      await writeFile(folder.file('fuzz.crl'), changed);
      let warnings: readonly string[] = [];
      try {
        warnings = read(root.certificate, folder.file('fuzz.crl')).warnings;
      } catch (error) {
        assert.equal((error as Error).name, 'PairError', `byte ${at}`);
        continue;
      }
      // The name of its issuer was changed: then nobody can tell.
      assert.equal(warnings.length, 1, `byte ${at}`);
    }
  });
});

describe('signatures of lists', { timeout: 120_000 }, () => {
  const kinds: readonly (readonly [string, string[], string[]])[] = [
    ['RSA', ['-newkey', 'rsa:2048'], []],
    ['RSASSA-PSS by an RSA key', ['-newkey', 'rsa:2048'], ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32']],
    ['an RSA-PSS key', ['-newkey', 'rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048'], []],
    ['P-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384'], ['-md', 'sha384']],
    ['Ed25519', ['-newkey', 'ed25519'], []],
  ];
  for (const [kind, request, how] of kinds) {
    it(`of ${kind}`, async () => {
      await using folder = await certificateFolder();
      const ca = await TestCa.root(folder.dir, 'ca');
      const extensions = ['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
      const config = ['-config', ca.file('openssl.cnf'), '-subj', '/CN=ca', '-keyout', ca.key, '-out', ca.certificate];
      await run('openssl', ['req', '-x509', '-nodes', '-days', '30', ...request, ...extensions, ...config]);
      await ca.crl(folder.file('crl'), undefined, how);
      const options = { ca: ca.certificate, crl: [folder.file('crl')], mode: 'required', depth: undefined } as const;
      assert.equal(readAuthorities(options).revocation?.size, 1);
      const other = await TestCa.root(`${folder.dir}/other`, 'ca');
      await copyFile(other.certificate, ca.certificate);
      assert.throws(() => readAuthorities(options), /was not signed by CN=ca/);
    });
  }

  it('with SHA-1 it is refused', async () => {
    await using folder = await certificateFolder();
    const ca = await TestCa.root(folder.dir, 'ca');
    await ca.crl(folder.file('crl'), undefined, ['-md', 'sha1']);
    const options = { ca: ca.certificate, crl: [folder.file('crl')], mode: 'required', depth: undefined } as const;
    assert.throws(() => readAuthorities(options), /signature algorithm that is weak or unknown/);
  });

  it('a list without nextUpdate, and a delta list, are refused', async () => {
    await using folder = await certificateFolder();
    const ca = await TestCa.root(folder.dir, 'ca');
    const der = Buffer.from((await readFile(await ca.crl(folder.file('crl')), 'latin1')).replace(/-----.*-----/g, ''), 'base64');
    const at = der.lastIndexOf('Z', der.indexOf(Buffer.from([0xa0]), 60), 'latin1');
    const without = Buffer.from(der);
    // Its tag is no longer one of a time.
    without[at - 14] = 0x04;
    assert.throws(() => readRevocationList(without), /no nextUpdate/);
    const delta = Buffer.from(der);
    const number = delta.indexOf(Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x14]));
    delta[number + 4] = 27;
    assert.throws(() => readRevocationList(delta), /delta lists are not supported/);
  });
});
