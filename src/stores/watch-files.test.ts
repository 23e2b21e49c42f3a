import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type FileWatch, type WatchSettings, watchFiles } from './watch-files.ts';

/** Hints of the system only: no poll within the test. */
const hints: WatchSettings = { settle: 10, poll: 3600_000 };
/** Polls only, as far as the change gives no hint in the file's own directory. */
const polls: WatchSettings = { settle: 10, poll: 20 };

describe('watched files', () => {
  let dir: string;
  let watching: FileWatch | undefined;
  let changes = 0;
  let waiting: (() => void) | undefined;

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'portcullis-watch-'));
    changes = 0;
  });
  afterEach(async () => {
    watching?.close();
    await rm(dir, { recursive: true, force: true });
  });

  const at = (name: string): string => path.join(dir, name);
  /** Waits for the change after those that were seen; the test runner's time limit is the limit. */
  const change = async (seen: number): Promise<void> => {
    while (changes <= seen) await new Promise<void>((resolve) => (waiting = resolve));
  };
  const start = async (files: string[], settings: WatchSettings): Promise<void> => {
    watching = watchFiles(
      files.map(at),
      () => {
        changes++;
        waiting?.();
      },
      settings,
    );
    await change(0);
  };

  test('are looked at once in the beginning', async () => {
    await writeFile(at('a'), '1');
    await start(['a'], hints);
    assert.equal(changes, 1);
  });

  test('change in place', async () => {
    await writeFile(at('a'), '1');
    await start(['a'], hints);
    await writeFile(at('a'), '2');
    await change(1);
  });

  test('change by rename, as editors and certbot write, again and again', async () => {
    await writeFile(at('a'), '1');
    await start(['a'], hints);
    for (const round of [1, 2, 3]) {
      const before = changes;
      await writeFile(at('a.new'), `same size ${round}`);
      await rename(at('a.new'), at('a'));
      await change(before);
    }
  });

  test('change by the turned link of a Kubernetes volume', async () => {
    for (const version of ['..1', '..2']) {
      await mkdir(at(version));
      await writeFile(at(`${version}/tls.crt`), version);
    }
    await symlink('..1', at('..data'));
    await symlink('..data/tls.crt', at('tls.crt'));
    await start(['tls.crt'], hints);
    await symlink('..2', at('..data.tmp'));
    await rename(at('..data.tmp'), at('..data'));
    await rm(at('..1'), { recursive: true });
    await change(1);
  });

  test('appear and disappear', async () => {
    await start(['a'], hints);
    await writeFile(at('a'), '1');
    await change(1);
    const before = changes;
    await rm(at('a'));
    await change(before);
  });

  test('change where the link leads, which only a look can tell', async () => {
    await mkdir(at('elsewhere'));
    await mkdir(at('here'));
    await writeFile(at('elsewhere/a'), '1');
    await symlink('../elsewhere/a', at('here/a'));
    await start(['here/a'], polls);
    await writeFile(at('elsewhere/a'), '2');
    await change(1);
  });

  test('change in a directory that was deleted and made again', async () => {
    await mkdir(at('d'));
    await writeFile(at('d/a'), '1');
    await start(['d/a'], polls);
    await rm(at('d'), { recursive: true });
    await change(1);
    let before = changes;
    await mkdir(at('d'));
    await writeFile(at('d/a'), '2');
    await change(before);
    before = changes;
    await writeFile(at('d/a'), '3');
    await change(before);
  });

  test('with an old time set back are seen all the same', async () => {
    await writeFile(at('a'), '1');
    await utimes(at('a'), 1, 1);
    await start(['a'], hints);
    await writeFile(at('a'), '2');
    await utimes(at('a'), 1, 1);
    await change(1);
  });

  test('of which nothing changed are quiet, whatever happens beside them', async () => {
    await writeFile(at('a'), '1');
    await start(['a'], { settle: 1, poll: 5 });
    for (let i = 0; i < 10; i++) {
      await writeFile(at('other'), String(i));
      await wait(5);
    }
    assert.equal(changes, 1);
  });

  test('are not looked at after the end', async () => {
    await writeFile(at('a'), '1');
    await start(['a'], { settle: 1, poll: 5 });
    watching?.close();
    await writeFile(at('a'), '2');
    await wait(50);
    assert.equal(changes, 1);
  });
});
