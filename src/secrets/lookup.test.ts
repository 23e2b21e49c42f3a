import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setSecret } from './changes.ts';
import { keyPlace } from './key-file.ts';
import { SecretLookup } from './lookup.ts';
import { SecretsError } from './secrets-error.ts';

let folder: string;
let directory: string;
let store: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'portcullis-lookup-'));
  directory = path.join(folder, 'run');
  mkdirSync(directory);
  store = path.join(folder, 'secrets.yaml');
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  writeFileSync(path.join(folder, name), content);
  return path.join(folder, name);
}

function look(name: string, environment: Record<string, string> = {}): string {
  using lookup = new SecretLookup({ environment, directory });
  return lookup.get(name);
}

function refused(name: string, environment: Record<string, string>, expected: RegExp): void {
  assert.throws(
    () => look(name, environment),
    (error: Error) => {
      assert.ok(error instanceof SecretsError, String(error));
      assert.match(error.message, expected);
      assert.doesNotMatch(error.message, /marker/);
      return true;
    },
  );
}

test('the environment, the file that NAME_FILE names, the folder, the store; the first that has it', async () => {
  await setSecret(store, keyPlace(store, undefined, {}), 'A', Buffer.from('of the store'));
  const get = (environment: Record<string, string>) => {
    using lookup = new SecretLookup({ environment, directory, store });
    lookup.openStore();
    return lookup.get('A');
  };
  assert.equal(get({}), 'of the store');
  file('run/A', 'of the folder\n');
  assert.equal(get({}), 'of the folder');
  assert.equal(get({ A_FILE: file('a.txt', 'of a file\r\n') }), 'of a file');
  assert.equal(get({ A: 'of the environment' }), 'of the environment');
});

test('what is there and cannot be used is refused, and nothing of it is shown', () => {
  refused('A', { A: 'marker', A_FILE: 'marker' }, /^A and A_FILE are both set/);
  refused('A', { A: '' }, /^the environment variable A is set, but empty$/);
  refused('A', { A_FILE: path.join(folder, 'nowhere') }, /^A_FILE names .*nowhere, which is not there$/);
  refused('A', { A_FILE: file('empty', '\n') }, /empty is empty$/);
  refused('A', { A_FILE: file('binary', Buffer.from('marker\xff', 'latin1')) }, /binary is not valid UTF-8$/);
  refused('A', { A_FILE: file('large', 'marker'.repeat(20_000)) }, /large is larger than 64 KiB$/);
  refused('A', { A_FILE: folder }, /is no file$/);
  refused('A', { A_FILE: '/dev/zero' }, /is no file$/);
});

test('a pipe is refused at once: nobody may ever write into it', () => {
  execFileSync('mkfifo', [path.join(directory, 'A')]);
  const began = performance.now();
  refused('A', {}, /is no file$/);
  assert.ok(performance.now() - began < 2000);
});

test('a secret that is nowhere says where it was looked for', () => {
  refused(
    'DB_PASSWORD',
    {},
    /^there is no secret DB_PASSWORD: looked in the environment \(DB_PASSWORD, DB_PASSWORD_FILE\) and in the folder .*run$/,
  );
});

test('names lead nowhere else', () => {
  for (const name of [
    '',
    '../A',
    'a/b',
    '..',
    '.',
    'a b',
    'A\0',
    '-A',
    '1A',
    'é',
    '__proto__/x',
    'A'.repeat(129),
    'A\n',
    '/etc/passwd',
  ]) {
    refused(name, { [name]: 'marker' }, /^the name of a secret begins with a letter/);
  }
  refused('PORTCULLIS_SECRETS_KEY', { PORTCULLIS_SECRETS_KEY: 'marker' }, /is the key of the store/);
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) refused(name, {}, /^there is no secret/);
});

test('a link of a mounted folder is followed', () => {
  mkdirSync(path.join(directory, '..data'));
  writeFileSync(path.join(directory, '..data', 'A'), 'linked');
  symlinkSync('..data/A', path.join(directory, 'A'));
  assert.equal(look('A'), 'linked');
});

test('it tells the files on which a secret depends, also those that are not there, and the variables that hold one', () => {
  using lookup = new SecretLookup({ environment: { A: 'x', B_FILE: file('b', 'y'), PORTCULLIS_SECRETS_KEY: 'z' }, directory });
  lookup.get('A');
  lookup.get('B');
  assert.throws(() => lookup.get('C'));
  assert.deepEqual(lookup.files, [path.join(folder, 'b'), path.join(directory, 'C')]);
  assert.deepEqual(lookup.variables, ['PORTCULLIS_SECRETS_KEY', 'A']);
});
