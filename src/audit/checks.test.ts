import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type AuditCase, auditCases } from '../../test/cases/audit.ts';
import { TestCa } from '../../test/support/client-certificates.ts';
import { createHashKey, readHashKey } from '../authenticate/api-key/hash-key.ts';
import { hashedWith } from '../authenticate/api-key/key-store.ts';
import { checkWithSource } from '../config/load.ts';
import { problemLine } from '../config/problem.ts';
import { setSecret } from '../secrets/changes.ts';
import { keyPlace } from '../secrets/key-file.ts';
import { audit, type CheckResult } from './audit.ts';
import { checks } from './checks.ts';

const DAY = 86_400_000;
const ENVIRONMENT = {
  CLIENT_SECRET: 'sesame-open',
  STORE_PASSWORD: 'sesame-open',
  ADMIN_TOKEN: '0123456789abcdefghijklmnopqrstuv',
};
/** Sections that a case may leave out, because it is not about them. */
const SECTIONS = {
  listeners: '{ plain: { address: 127.0.0.1:8080 } }',
  services: '{ s: http://127.0.0.1:9001 }',
  routes: '[{ path: /x, methods: [GET], service: s, authentication: none }]',
};
/** Modes of the files of all cases, as they should be. */
const MODES = { 'portcullis.yaml': 0o644, 'tls/api.key': 0o600, 'keys.yaml': 0o640, 'there.jsonl': 0o640 };

let folder = '';
const at = (name: string) => path.join(folder, name);

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-audit-'));
  await Promise.all(['tls', 'openapi', 'folder'].map((name) => mkdir(at(name))));
  await makeCertificates();
  await makeKeys('keys.yaml', { id: 'partner', expires: '2099-12-31' }, { id: 'gone', revoked: '2026-01-01' });
  await makeKeys('endless.yaml', { id: 'partner', expires: '2099-12-31' }, { id: 'for-ever' });
  await setSecret(at('secrets.yaml'), keyPlace(at('secrets.yaml'), undefined, {}), 'OTHER', Buffer.from('value'));
  await writeFile(at('openapi/closed.yaml'), CLOSED);
  await writeFile(at('openapi/loose.yaml'), LOOSE);
  await writeFile(at('openapi/parts.json'), JSON.stringify({ Address: { type: 'object', properties: { street: {} } } }));
  await Promise.all(['there.jsonl', 'portcullis.yaml'].map((name) => writeFile(at(name), '')));
});
after(() => rm(folder, { recursive: true, force: true }));

async function makeCertificates(): Promise<void> {
  const ca = await TestCa.root(folder, 'root');
  const options = { san: 'DNS:api.example.com', purpose: 'serverAuth,clientAuth', to: (30 * DAY) / 1000 };
  const { certificate, key } = await ca.issue('api', options);
  await copyFile(certificate, at('tls/api.pem'));
  await copyFile(key, at('tls/api.key'));
  await copyFile(ca.certificate, at('tls/ca.pem'));
  await copyFile(ca.key, at('tls/ca.key'));
  await ca.crl(at('tls/ca.crl'));
}

async function makeKeys(name: string, ...entries: readonly Readonly<Record<string, string>>[]): Promise<void> {
  await createHashKey(at(`${name}.key`));
  const keys = entries.map((entry) => ({ hash: randomBytes(32).toString('base64url'), created: '2026-01-01', ...entry }));
  await writeFile(at(name), JSON.stringify({ 'hashed-with': hashedWith(readHashKey(at(`${name}.key`))), keys }));
}

/** What the references of the contract lead to is closed; the whole closes its parts. */
const CLOSED = `openapi: 3.1.0
info: { title: Orders, version: 1.0.0 }
servers: [{ url: https://api.example.com/ }]
paths:
  /orders:
    get: { responses: { '200': { description: ok } } }
    post:
      requestBody: { $ref: '#/components/requestBodies/New' }
      responses: { '201': { description: ok } }
components:
  requestBodies:
    New: { content: { application/json: { schema: { $ref: '#/components/schemas/Order' } } } }
  schemas:
    Order:
      type: object
      unevaluatedProperties: false
      allOf: [{ $ref: '#/components/schemas/Base' }]
      properties:
        labels: { type: object, additionalProperties: { type: string } }
        next: { $ref: '#/components/schemas/Order' }
    Base: { type: object, properties: { sku: { type: string } } }
`;

const LOOSE = `openapi: 3.0.3
info: { title: Orders, version: 1.0.0 }
paths:
  /orders:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              properties:
                lines: { type: array, items: { type: object, properties: { sku: { type: string } } } }
                address: { $ref: 'parts.json#/Address' }
      responses: { '201': { description: ok } }
  /old:
    post: { deprecated: true, responses: { '201': { description: ok } } }
`;

function complete(text: string): string {
  const missing = Object.entries(SECTIONS).filter(([name]) => !text.split('\n').some((line) => line.startsWith(`${name}:`)));
  return [text, ...missing.map(([name, value]) => `${name}: ${value}`), ''].join('\n');
}

async function run(one: AuditCase): Promise<{ result: CheckResult; text: string }> {
  const text = complete(one.text);
  for (const [name, mode] of Object.entries({ ...MODES, ...one.modes })) await chmod(at(name), mode);
  const { result, source } = checkWithSource(at('portcullis.yaml'), text, ENVIRONMENT);
  assert.deepEqual(result.ok ? [] : result.problems.map(problemLine), [], text);
  assert.ok(result.ok && source !== undefined);
  const report = audit({ options: result.options, source }, Date.now() + (one.days ?? 0) * DAY);
  return { result: report.checks.find(({ name }) => name === one.check) ?? assert.fail(`there is no ${one.check}`), text };
}

/** The lines of the text that bear this mark. */
function marked(text: string, mark: string): number[] {
  return text.split('\n').flatMap((line, i) => (line.includes(`# ${mark}`) ? [i + 1] : []));
}

for (const [index, one] of auditCases.entries()) {
  test(`${one.check} is ${one.status} (${index + 1})`, async () => {
    const { result, text } = await run(one);
    assert.equal(result.status, one.status, JSON.stringify(result.findings));
    for (const status of ['met', 'open'] as const) {
      const lines = result.findings.filter((finding) => finding.status === status).map(({ line }) => line);
      if (!text.includes(`# ${status}`)) continue;
      assert.deepEqual(
        [...new Set(lines)].toSorted((a, b) => a - b),
        marked(text, status),
        text,
      );
    }
    if (one.status === 'not applicable') assert.deepEqual(result.findings, []);
    else assert.ok(text.includes(`# ${one.status}`), 'the case says where');
    const { says } = one;
    if (says !== undefined)
      assert.ok(
        result.findings.some(({ message }) => says.test(message)),
        JSON.stringify(result.findings),
      );
  });
}

test('every check has a case where it is met and one where it is open', () => {
  const there = new Set(auditCases.map(({ status, check }) => `${status} ${check}`));
  const wanted = checks.flatMap(({ name }) => [`met ${name}`, `open ${name}`]);
  assert.deepEqual(
    wanted.filter((one) => !there.has(one)),
    [],
  );
  assert.deepEqual(
    auditCases.filter(({ check }) => !checks.some(({ name }) => name === check)),
    [],
  );
});
