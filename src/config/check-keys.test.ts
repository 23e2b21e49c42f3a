import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { run } from '../cli/program.ts';
import { checkText } from './load.ts';
import { problemLine } from './problem.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-check-keys-'));
  for (const file of ['keys.yaml', 'other.yaml']) {
    const sink = { out: new PassThrough().resume(), err: new PassThrough().resume() };
    assert.equal(await run(['keys', 'create', '--keys', path.join(folder, file), '--id', 'alice'], sink), 0);
  }
});
after(() => rm(folder, { recursive: true }));

function problems(method: string): string[] {
  const text = `listeners: { plain: { address: 127.0.0.1:0 } }
services: { echo: http://127.0.0.1:9 }
authentication:
  partners: { api-key: ${method} }
routes: [{ path: /**, service: echo, authentication: [partners] }]
`;
  const result = checkText(path.join(folder, 'portcullis.yaml'), text, {});
  return result.ok ? [] : result.problems.map((problem) => problemLine(problem).replaceAll(`${folder}/`, ''));
}

test('keys that are right load', () => {
  assert.deepEqual(problems('{ keys: keys.yaml }'), []);
  assert.deepEqual(problems('{ header: apikey, keys: keys.yaml, hash-key: keys.yaml.key }'), []);
});

test('what is wrong with the files of keys is told where they are named, and where it stands in them', async () => {
  const cases: [string, RegExp][] = [
    ['{ keys: none.yaml }', /^portcullis\.yaml:4:32: none\.yaml:1:1: there is no such file \(`portcullis keys create/],
    ['{ keys: broken.yaml, hash-key: keys.yaml.key }', /^portcullis\.yaml:4:32: broken\.yaml:2:7: keys: the keys are a list/],
    ['{ keys: keys.yaml, hash-key: none.key }', /^portcullis\.yaml:4:53: none\.key is missing: /],
    [
      '{ keys: keys.yaml, hash-key: other.yaml.key }',
      /^portcullis\.yaml:4:32: keys\.yaml:1:1: its keys were hashed with another/,
    ],
    [
      '{ keys: keys.yaml, hash-key: open.key }',
      /^portcullis\.yaml:4:53: open\.key is open to others \(mode 0644\): run `chmod 600/,
    ],
  ];
  await writeFile(path.join(folder, 'broken.yaml'), '# mine\nkeys: none\n');
  await writeFile(path.join(folder, 'open.key'), 'x');
  await chmod(path.join(folder, 'open.key'), 0o644);
  for (const [method, expected] of cases) {
    const [first, ...others] = problems(method);
    assert.match(first ?? '', expected);
    assert.deepEqual(others, []);
  }
});

test('options of the method are checked before its files', () => {
  assert.match(problems('{ keys: keys.yaml, header: Authorization }').join(), /authorization has another meaning/);
  assert.match(problems('{ key: keys.yaml }').join(), /unknown key "key" \(did you mean "keys"\?\)/);
});
