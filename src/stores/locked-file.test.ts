import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createFile, LockedFileError, replaceFile, withFileLock } from './locked-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-locked-'));
});
afterEach(() => rm(folder, { recursive: true }));

const at = (name: string) => path.join(folder, name);
const modeOf = async (name: string) => (await stat(at(name))).mode & 0o777;

describe('replacing a file', () => {
  test('leaves nothing else behind, and a new file is for its owner alone', async () => {
    await replaceFile(at('a'), 'one');
    assert.equal(await modeOf('a'), 0o600);
    await replaceFile(at('a'), 'two');
    assert.equal(await readFile(at('a'), 'utf8'), 'two');
    assert.deepEqual(await readdir(folder), ['a']);
  });

  test('keeps what the group may do, and takes from others what they may', async () => {
    await writeFile(at('a'), 'one');
    for (const [before, after] of [
      [0o640, 0o640],
      [0o660, 0o660],
      [0o644, 0o640],
      [0o400, 0o600],
      [0o777, 0o660],
    ]) {
      await chmod(at('a'), before);
      await replaceFile(at('a'), 'two');
      assert.equal(await modeOf('a'), after, before.toString(8));
    }
  });

  test('gives it back to its owner and group, where this account may', async (t) => {
    await writeFile(at('a'), 'one');
    await chmod(at('a'), 0o640);
    const others = { uid: 12_345, gid: 54_321 };
    const may = await chown(at('a'), others.uid, others.gid).then(
      () => true,
      () => false,
    );
    if (!may) return t.skip('only root may give files to others');
    assert.equal(await replaceFile(at('a'), 'two'), true);
    const { uid, gid } = await stat(at('a'));
    assert.deepEqual({ uid, gid }, others);
    assert.equal(await modeOf('a'), 0o640);
  });

  test('goes through a symbolic link', async () => {
    await writeFile(at('real'), 'one');
    await symlink('real', at('link'));
    await replaceFile(at('link'), 'two');
    assert.equal(await readlink(at('link')), 'real');
    assert.equal(await readFile(at('real'), 'utf8'), 'two');
  });

  test('that cannot be leaves the old one, and no temporary file', async () => {
    await assert.rejects(replaceFile(at('no/such/folder'), 'x'), { code: 'ENOENT' });
    await assert.rejects(replaceFile(folder, 'x'));
    assert.deepEqual(await readdir(folder), []);
    assert.deepEqual(
      (await readdir(path.dirname(folder))).filter((name) => name.startsWith(`${path.basename(folder)}.`)),
      [],
    );
  });
});

test('a file is created once', async () => {
  const made = await Promise.all(Array.from({ length: 10 }, (_, i) => createFile(at('a'), `${i}`)));
  assert.equal(made.filter(Boolean).length, 1);
  assert.equal(await readFile(at('a'), 'utf8'), `${made.indexOf(true)}`);
  assert.equal(await modeOf('a'), 0o600);
});

describe('a lock', () => {
  test('lets one in at a time', async () => {
    let inside = 0;
    let most = 0;
    const work = () =>
      withFileLock(at('a'), async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
      });
    await Promise.all(Array.from({ length: 8 }, work));
    assert.equal(most, 1);
    assert.deepEqual(await readdir(folder), []);
  });

  test('is given back by who fails', async () => {
    await assert.rejects(
      withFileLock(at('a'), () => Promise.reject(new Error('no'))),
      /no/,
    );
    assert.equal(await withFileLock(at('a'), async () => 1), 1);
  });

  test('of a process that died is broken, by one only', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    await writeFile(at('a.lock'), `${child.pid} ${hostname()} 0011223344\n`);
    let inside = 0;
    const work = () =>
      withFileLock(at('a'), async () => {
        assert.equal(++inside, 1);
        await new Promise((resolve) => setTimeout(resolve, 2));
        inside--;
      });
    await Promise.all(Array.from({ length: 8 }, work));
    assert.deepEqual(await readdir(folder), []);
  });

  test('of a process that lives, of another machine, or half written is waited for', async () => {
    for (const holder of [`${process.pid} ${hostname()} 00\n`, '1 another-host 00\n', '', `999999999 ${hostname()}`]) {
      await writeFile(at('a.lock'), holder);
      let done = false;
      const working = withFileLock(at('a'), async () => (done = true));
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(done, false, holder);
      assert.equal(await readFile(at('a.lock'), 'utf8'), holder);
      await rm(at('a.lock'));
      assert.equal(await working, true);
    }
  });

  test('that is never given back ends in words for people', async (t) => {
    await writeFile(at('a.lock'), '1 another-host 00\n');
    let now = 0;
    t.mock.method(performance, 'now', () => (now += 6000));
    await assert.rejects(
      withFileLock(at('a'), async () => 1),
      (error: Error) =>
        error instanceof LockedFileError && /process 1 on another-host holds the lock .*a\.lock: wait/.test(error.message),
    );
  });
});
