import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeFolder } from './make-folder.ts';

function base(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'portcullis-folder-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('makes what is missing, with its mode, and leaves what is there', async (t) => {
  const folder = base(t);
  const deep = path.join(folder, 'a', 'b', 'c');
  await Promise.all([makeFolder(deep, 0o750), makeFolder(deep, 0o750), makeFolder(path.join(folder, 'a', 'x'), 0o750)]);
  for (const one of [deep, path.dirname(deep), path.join(folder, 'a', 'x')]) assert.equal(statSync(one).mode & 0o777, 0o750);
  await makeFolder(deep, 0o700);
  await makeFolder('/', 0o700);
  assert.equal(statSync(deep).mode & 0o777, 0o750);
});

test('says so where a file is in the way', async (t) => {
  const file = path.join(base(t), 'file');
  writeFileSync(file, '');
  await assert.rejects(makeFolder(path.join(file, 'a', 'b'), 0o750), { code: 'ENOTDIR' });
});

// Node's own recursive mkdir would try for ever, at the cost of a processor.
test('gives up below /proc', { skip: existsSync('/proc/self') ? false : 'there is no /proc', timeout: 30_000 }, async () => {
  await assert.rejects(makeFolder('/proc/no-such-thing', 0o750), { code: 'ENOENT' });
  await assert.rejects(makeFolder('/proc/no-such-thing/a/b', 0o750), { code: 'ENOENT' });
});
