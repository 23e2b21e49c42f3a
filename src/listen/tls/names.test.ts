import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { certificateNames, NameTable } from './names.ts';
import { makeAuthority } from './testdata/authority.ts';

describe('which certificate stands for a server name', () => {
  const table = new NameTable<string>();
  for (const name of [
    'example.com',
    '*.example.com',
    'api.example.com',
    '*.b.example.com',
    'localhost',
    'xn--bcher-kva.example',
  ]) {
    assert.ok(table.set(name, name));
  }
  const cases: [string, string | undefined][] = [
    ['example.com', 'example.com'],
    ['EXAMPLE.com', 'example.com'],
    ['example.com.', 'example.com'],
    ['api.example.com', 'api.example.com'],
    ['other.example.com', '*.example.com'],
    ['OTHER.EXAMPLE.COM.', '*.example.com'],
    ['a.b.example.com', '*.b.example.com'],
    ['b.example.com', '*.example.com'],
    ['localhost', 'localhost'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    // A wildcard covers one label: not none, not two, not an empty one.
    ['x.other.example.com', undefined],
    ['.example.com', undefined],
    ['*.example.com', '*.example.com'],
    ['notexample.com', undefined],
    ['example.com.evil.test', undefined],
    ['example.com..', undefined],
    ['bücher.example', undefined],
    ['', undefined],
    ['.', undefined],
    ['__proto__', undefined],
    ['constructor', undefined],
    ['\0', undefined],
    ['a'.repeat(70_000), undefined],
  ];
  for (const [name, expected] of cases) {
    test(JSON.stringify(name.slice(0, 40)), () => assert.equal(table.find(name), expected));
  }
  test('no name throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (name) => table.find(name) === undefined || name !== ''));
  });
});

test('names that no client can ask for are left out', () => {
  const table = new NameTable<number>();
  for (const name of [
    '',
    '*',
    '*.',
    '*.*.example.com',
    'a.*.example.com',
    'w*.example.com',
    'bücher.example',
    'a b',
    'a..b',
    '10.0.0.1/8',
  ]) {
    assert.equal(table.set(name, 1), false, name);
  }
});

describe('the names of a certificate', async () => {
  const authority = await makeAuthority();
  after(() => authority[Symbol.asyncDispose]());
  const cases: [string, string[], string, { dns: string[]; addresses: string[] }][] = [
    [
      'from subjectAltName',
      ['B.example', '*.a.example', '10.0.0.1', '::1'],
      'cn.example',
      {
        dns: ['b.example', '*.a.example'],
        addresses: ['10.0.0.1', '0:0:0:0:0:0:0:1'],
      },
    ],
    ['from CN where there is no other', [], 'Old.example', { dns: ['old.example'], addresses: [] }],
    ['not from a CN that is no host', [], 'Somebody at home', { dns: [], addresses: [] }],
    ['not from CN beside an address', ['10.0.0.1'], 'old.example', { dns: [], addresses: ['10.0.0.1'] }],
  ];
  for (const [name, names, commonName, expected] of cases) {
    test(name, async () => {
      const { certificate } = await authority.issue('names', names, { commonName });
      assert.deepEqual(certificateNames(new X509Certificate(await readFile(certificate))), expected);
    });
  }

  test('not from the inside of another one', async () => {
    const { certificate } = await authority.issue('names', ['good.example'], {});
    const leaf = new X509Certificate(await readFile(certificate));
    // What Node prints for a certificate with a comma in a name (CVE-2021-44532).
    const tricky = 'URI:"http://a, DNS:evil.example", DNS:good.example, DNS:"quoted.example, DNS:evil2.example", email:x@y';
    Object.defineProperty(leaf, 'subjectAltName', { value: tricky });
    assert.deepEqual(certificateNames(leaf), { dns: ['good.example'], addresses: [] });
  });
});
