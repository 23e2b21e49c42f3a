import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { tlsFiles } from '../../test/support/tls.ts';
import { checkText } from './load.ts';

test('certificates are read when the configuration loads', async () => {
  await using files = await tlsFiles(['a.test', 'b.test']);
  await writeFile(path.join(files.dir, 'garbage.pem'), 'not a certificate');
  const a = files.of('a.test');
  const b = files.of('b.test');
  const cases: [string, string[]][] = [
    [`{ certificate: ${a.certificate}, key: ${a.key} }`, []],
    [`[{ certificate: ${a.certificate}, key: ${a.key} }, { certificate: ${b.certificate}, key: ${b.key} }]`, []],
    [`{ certificate: ${path.basename(a.certificate)}, key: ${path.basename(a.key)} }`, []],
    [`{ certificate: ${a.certificate}, key: ${b.key} }`, ['does not belong to the certificate in']],
    [
      `[{ certificate: ${a.certificate}, key: ${a.key} }, { certificate: ${a.certificate}, key: ${b.key} }]`,
      ['does not belong to the certificate in'],
    ],
    [`{ certificate: nowhere.pem, key: ${a.key} }`, ['nowhere.pem does not exist']],
    [
      `{ certificate: garbage.pem, key: garbage.pem }`,
      ['garbage.pem is not PEM: no "-----BEGIN CERTIFICATE-----"', 'garbage.pem is not PEM: no "-----BEGIN PRIVATE KEY-----"'],
    ],
    [`{ certificate: ${a.key}, key: ${a.certificate} }`, ['are the two files swapped?', 'are the two files swapped?']],
    [`{ certificate: ., key: ${a.key} }`, ['is not a file']],
  ];
  for (const [tls, expected] of cases) {
    for (const text of [
      `listeners: { l: { address: 127.0.0.1:0, tls: ${tls} } }`,
      `${PLAIN}\nadmin: { address: 127.0.0.1:0, tls: ${tls} }`,
    ]) {
      const result = checkText(path.join(files.dir, 'portcullis.yaml'), `${text}\n${REST}`, {});
      const messages = result.ok ? [] : result.problems.map((problem) => problem.message);
      assert.equal(messages.length, expected.length, `${tls}: ${messages.join('; ')}`);
      expected.forEach((beginning, i) => assert.ok(messages[i].includes(beginning), `${messages[i]} | ${beginning}`));
    }
  }
});

test('so are those that services name', async () => {
  await using files = await tlsFiles(['a.test']);
  const a = files.of('a.test');
  const cases: [string, string[]][] = [
    [`{ ca: ${files.ca}, certificate: ${a.certificate}, key: ${a.key} }`, []],
    ['{ ca: nowhere.pem }', ['nowhere.pem does not exist']],
    [`{ ca: ${a.key} }`, ['holds a private key, but no certificate']],
    [`{ certificate: ${files.ca}, key: ${a.key} }`, ['does not belong to the certificate in']],
  ];
  for (const [tls, expected] of cases) {
    const text = `${PLAIN}\nservices: { b: { targets: ['https://127.0.0.1:9001'], tls: ${tls} } }\n${ROUTES}`;
    const result = checkText(path.join(files.dir, 'portcullis.yaml'), text, {});
    const messages = result.ok ? [] : result.problems.map((problem) => problem.message);
    assert.equal(messages.length, expected.length, `${tls}: ${messages.join('; ')}`);
    expected.forEach((beginning, i) => assert.ok(messages[i].includes(beginning), `${messages[i]} | ${beginning}`));
  }
});

const PLAIN = 'listeners: { l: { address: 127.0.0.1:0 } }';
const ROUTES = 'routes: [{ path: /**, service: b, authentication: none }]';
const REST = `services: { b: http://127.0.0.1:9001 }\n${ROUTES}`;
