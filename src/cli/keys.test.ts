import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, beforeEach, describe, test } from 'node:test';
import { run } from './program.ts';

const MAIN = path.resolve(import.meta.dirname, '../main.ts');
const KEY = /^pcl_[0-9A-Za-z]{36}\n$/;

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let parent = '';
let folder = '';
let count = 0;
before(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'portcullis-keys-cli-'));
});
beforeEach(async () => {
  folder = path.join(parent, `${count++}`);
  await mkdir(folder);
  process.chdir(folder);
});
after(() => {
  process.chdir(import.meta.dirname);
  return rm(parent, { recursive: true });
});

async function keys(...argv: string[]): Promise<Result> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await run(['keys', ...argv], { out, err });
  return { code, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

/** The same in a process of its own. */
function keysApart(...argv: string[]): Promise<Result> {
  return new Promise((resolve) => {
    const options = { cwd: folder, timeout: 120_000 };
    const child = execFile(process.execPath, [MAIN, 'keys', ...argv], options, (_, out, err) => {
      resolve({ code: child.exitCode ?? -1, out, err });
    });
  });
}

const create = (id: string, ...more: string[]) => keys('create', '--keys', 'keys.yaml', '--id', id, ...more);
const read = (name = 'keys.yaml') => readFile(path.join(folder, name), 'utf8');
const modeOf = async (name: string) => (await stat(path.join(folder, name))).mode & 0o777;

interface Row {
  readonly id: string;
  readonly state: string;
  readonly [member: string]: unknown;
}

async function listed(): Promise<Row[]> {
  const { code, out, err } = await keys('list', '--keys', 'keys.yaml', '--json');
  assert.deepEqual([code, err], [0, '']);
  return JSON.parse(out) as Row[];
}

test('create prints the key and nothing else on standard output, and keeps it nowhere', async () => {
  const first = await create('alice');
  assert.equal(first.code, 0);
  assert.match(first.out, KEY);
  assert.match(first.err, /^made keys\.yaml\.key, .*\nissued a key to alice, it does not expire; .*\n$/);
  const second = await create('bob', '--scopes', 'orders:read, orders:write,orders:read', '--roles', 'r', '--plan', 'free');
  assert.match(second.out, KEY);
  assert.doesNotMatch(second.err, /made/);
  assert.notEqual(first.out, second.out);
  assert.deepEqual((await readdir(folder)).toSorted(), ['keys.yaml', 'keys.yaml.key']);
  for (const name of ['keys.yaml', 'keys.yaml.key']) {
    assert.equal(await modeOf(name), 0o600);
    const text = await read(name);
    for (const { out, err } of [first, second]) {
      assert.ok(!err.includes(out.trim()));
      for (let i = 4; i < 30; i++) assert.ok(!text.includes(out.slice(i, i + 8)), 'a part of the key');
    }
  }
  const [, bob] = await listed();
  assert.deepEqual([bob.scopes, bob.roles, bob.plan], [['orders:read', 'orders:write'], ['r'], 'free']);
});

test('list shows whose keys there are and how they stand, and never a key or a hash', async () => {
  const made = await create('alice', '--plan', 'pro', '--scopes', 'a,b', '--expires', '2999-01-31');
  await create('bob');
  await create('carol');
  await keys('revoke', '--keys', 'keys.yaml', '--id', 'bob');
  await keys('rotate', '--keys', 'keys.yaml', '--id', 'carol', '--grace', '1h');
  const text = await read();
  const past = text.replace('2999-01-31T00:00:00.000Z', '2001-01-31T00:00:00.000Z');
  const table = await keys('list', '--keys', 'keys.yaml');
  assert.deepEqual([table.code, table.err], [0, '']);
  const today = (await listed())[0].created as string;
  const lines = table.out.split('\n').map((line) => line.split(/ {2,}/));
  assert.deepEqual(lines[0], ['ID', 'STATE', 'CREATED', 'ROTATED', 'EXPIRES', 'OLD KEY UNTIL', 'PLAN', 'SCOPES']);
  assert.deepEqual(lines[1], ['alice', 'active', today.slice(0, 10), '2999-01-31', 'pro', 'a,b']);
  assert.deepEqual(lines[2].slice(0, 2), ['bob', 'revoked']);
  assert.deepEqual(lines[3].slice(0, 2), ['carol', 'active']);
  await writeFile(path.join(folder, 'keys.yaml'), past);
  const rows = await listed();
  assert.deepEqual(
    rows.map(({ id, state }) => [id, state]),
    [
      ['alice', 'expired'],
      ['bob', 'revoked'],
      ['carol', 'active'],
    ],
  );
  assert.ok(Date.parse(rows[2].old_key_until as string) > Date.now());
  const json = JSON.stringify(rows);
  for (const hash of text.matchAll(/"hash":"([^"]+)"/g)) assert.ok(!json.includes(hash[1]) && !table.out.includes(hash[1]));
  assert.ok(!json.includes(made.out.trim()));
});

test('rotate and revoke say what becomes of the old key; what people wrote stays', async () => {
  const first = await create('alice', '--scopes', 'a', '--expires', '90d');
  await writeFile(path.join(folder, 'keys.yaml'), (await read()).replace('  - {', '  # ask Ada\n  - {'));
  const rotated = await keys('rotate', '--keys', 'keys.yaml', '--id', 'alice', '--grace', '1h');
  assert.match(rotated.out, KEY);
  assert.notEqual(rotated.out, first.out);
  assert.match(rotated.err, /^issued a new key to alice, the old key works until \d{4}-/);
  assert.match((await keys('rotate', '--keys', 'keys.yaml', '--id', 'alice')).err, /the old key stops now/);
  assert.ok((await read()).includes('\n  # ask Ada\n  - {"id":"alice"'));
  const [row] = await listed();
  assert.deepEqual(row.scopes, ['a']);
  assert.ok(Date.parse(row.expires as string) > Date.now());

  const revoked = await keys('revoke', '--keys', 'keys.yaml', '--id', 'alice');
  assert.deepEqual([revoked.code, revoked.out, revoked.err], [0, '', 'revoked the key of alice\n']);
  const again = await keys('revoke', '--keys', 'keys.yaml', '--id', 'alice');
  assert.deepEqual([again.code, again.out], [0, '']);
  assert.match(again.err, /^the key of alice was revoked already, on \d{4}-/);
  for (const command of ['create', 'rotate']) {
    const refused = await keys(command, '--keys', 'keys.yaml', '--id', 'alice');
    assert.deepEqual([refused.code, refused.out], [1, '']);
    assert.match(refused.err, /^portcullis: keys\.yaml: alice was revoked: /);
  }
});

test('many processes at once lose nothing', async () => {
  const createApart = (id: string) => keysApart('create', '--keys', 'keys.yaml', '--id', id);
  const ids = Array.from({ length: 12 }, (_, i) => `user-${i}`);
  const made = await Promise.all(ids.map((id) => createApart(id)));
  for (const { code, out, err } of made) {
    assert.equal(code, 0, err);
    assert.match(out, KEY);
  }
  assert.equal(made.filter(({ err }) => err.includes('made keys.yaml.key')).length, 1);
  assert.deepEqual((await listed()).map(({ id }) => id).toSorted(), ids.toSorted());
  const changed = await Promise.all([
    ...ids.slice(0, 4).map((id) => keysApart('revoke', '--keys', 'keys.yaml', '--id', id)),
    ...ids.slice(4, 8).map((id) => keysApart('rotate', '--keys', 'keys.yaml', '--id', id)),
    ...[1, 2, 3].map(() => createApart('one-of-three')),
  ]);
  // One and the same id goes to one of them.
  assert.deepEqual(
    changed.map(({ code }) => code).toSorted((a, b) => a - b),
    [...Array<number>(9).fill(0), 1, 1],
  );
  const rows = await listed();
  assert.equal(rows.length, 13);
  assert.equal(rows.filter(({ state }) => state === 'revoked').length, 4);
  assert.equal(rows.filter(({ rotated }) => rotated !== undefined).length, 4);
  assert.deepEqual((await readdir(folder)).toSorted(), ['keys.yaml', 'keys.yaml.key']);
});

describe('what goes wrong is told on standard error, and changes nothing', () => {
  const usage: [string, string[], RegExp][] = [
    ['no command', [], /Usage: portcullis keys/],
    ['another command', ['destroy'], /unknown command 'destroy'/],
    ['no file', ['create', '--id', 'a'], /--keys <file>/],
    ['no id', ['create', '--keys', 'keys.yaml'], /--id <name>/],
    ['an option of another command', ['create', '--keys', 'keys.yaml', '--id', 'a', '--grace', '1h'], /unknown option '--grace'/],
    ['something behind', ['create', '--keys', 'keys.yaml', '--id', 'a', 'b'], /too many arguments/],
  ];
  for (const [name, argv, expected] of usage) {
    test(name, async () => {
      const { code, out, err } = await keys(...argv);
      assert.deepEqual([code, out], [2, '']);
      assert.match(err, expected);
      assert.deepEqual(await readdir(folder), []);
    });
  }

  const values: [string, string[], RegExp][] = [
    ['--id', ['__proto__'], /an id is letters/],
    ['--id', ['../x'], /an id is letters/],
    ['--id', [''], /an id is letters/],
    ['--id', ['a'.repeat(65)], /an id is letters/],
    ['--scopes', ['a,,b'], /--scopes "": a scope is/],
    ['--scopes', ['a"b'], /a scope is/],
    ['--roles', ['é'], /a role is/],
    ['--plan', ['fr ee'], /a plan is/],
    ['--expires', ['tomorrow'], /write a time such as 90d/],
    ['--expires', ['2001-01-01'], /is past/],
    ['--expires', ['2027-02-30'], /write a time/],
    ['--expires', ['0d'], /write a time/],
    ['--expires', ['9999999d'], /is too far/],
  ];
  test('values that are none', async () => {
    for (const [option, [value], expected] of values) {
      const base = ['create', '--keys', 'keys.yaml', '--id', 'alice'];
      const { code, out, err } = await keys(...base, option, value);
      assert.deepEqual([code, out], [2, ''], `${option} ${value}\n${err}`);
      assert.match(err, expected);
      assert.match(err, /^portcullis: --/);
    }
    assert.deepEqual(await readdir(folder), []);
  });

  test('an id that is there, or is not', async () => {
    await create('alice');
    const text = await read();
    const twice = await create('alice');
    assert.deepEqual([twice.code, twice.out], [1, '']);
    assert.match(twice.err, /^portcullis: keys\.yaml: alice has a key already: .*rotate/);
    for (const command of ['rotate', 'revoke']) {
      const { code, out, err } = await keys(command, '--keys', 'keys.yaml', '--id', 'alicia');
      assert.deepEqual(
        [code, out, err],
        [1, '', 'portcullis: keys.yaml: there is no key with the id alicia (did you mean "alice"?)\n'],
      );
    }
    assert.equal(await read(), text);
  });

  test('files that are not there, or are others', async () => {
    for (const argv of [['list'], ['revoke', '--id', 'a'], ['rotate', '--id', 'a']]) {
      const { code, out, err } = await keys(...argv, '--keys', 'none.yaml');
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, /^portcullis: none\.yaml:1:1: there is no such file/);
    }
    const folderless = await keys('create', '--keys', 'no/keys.yaml', '--id', 'a');
    assert.deepEqual([folderless.code, folderless.out], [1, '']);
    assert.equal(folderless.err, 'portcullis: no/keys.yaml cannot be written: there is no such folder\n');
    const other = 'listeners: {}\n';
    await writeFile(path.join(folder, 'keys.yaml'), other);
    const { code, out, err } = await create('alice');
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /^portcullis: keys\.yaml:1:1: /);
    assert.equal(await read(), other);
    assert.deepEqual(await readdir(folder), ['keys.yaml']);
  });

  test('a hash key that is lost, open to others, or another', async () => {
    await create('alice');
    const text = await read();
    const refused = async (expected: RegExp) => {
      const { code, out, err } = await create('bob');
      assert.deepEqual([code, out], [1, '']);
      assert.match(err, expected);
      assert.equal(await read(), text);
    };
    await chmod(path.join(folder, 'keys.yaml.key'), 0o644);
    await refused(/keys\.yaml\.key is open to others \(mode 0644\): run `chmod 600 keys\.yaml\.key`/);
    await rm(path.join(folder, 'keys.yaml.key'));
    await refused(/keys\.yaml\.key is missing: .*issue all keys anew/);
    await keys('create', '--keys', 'other.yaml', '--id', 'carol', '--hash-key', 'keys.yaml.key');
    await refused(/keys\.yaml:1:1: its keys were hashed with another hash key/);
  });
});

test('help says what the commands do, with examples and the pattern for secret scanners', async () => {
  const { code, out } = await keys('create', '--help');
  assert.equal(code, 0);
  for (const part of ['Usage: portcullis keys create', 'Examples:', '--expires <when>', 'pcl_[0-9A-Za-z]{36}']) {
    assert.ok(out.includes(part), part);
  }
});
