import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { areAsRead, digestFiles } from './files-read.ts';
import { loadWatched } from './load-watched.ts';

let dir: string;
let file: string;
let secret: string;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'portcullis-watched-'));
  file = path.join(dir, 'portcullis.yaml');
  secret = path.join(dir, 'TOKEN');
  await writeFile(secret, 'one'.repeat(12), { mode: 0o600 });
});

afterEach(() => rm(dir, { recursive: true }));

const text = (more: string) =>
  `listeners: { l: { address: 127.0.0.1:0 } }\nservices: { s: http://127.0.0.1:1 }\nroutes: [{ path: /, service: s, authentication: none }]\n${more}`;

describe('what a configuration was made of', () => {
  test('is its file, and its secrets, from the first load on', async () => {
    await writeFile(file, text('admin: { address: 127.0.0.1:0, token: "secret:TOKEN" }\nsecrets: { directory: . }'));
    const { ok, read } = await loadWatched(file, {});
    assert.equal(ok, true);
    assert.deepEqual(read?.files, [file, secret]);
    assert.equal(await areAsRead(read), true);
    await writeFile(secret, 'two'.repeat(12));
    assert.equal(await areAsRead(read), false);
  });

  test('is known of a file with problems too', async () => {
    await writeFile(file, text('nonsense: 1'));
    const { ok, read } = await loadWatched(file, {});
    assert.deepEqual([ok, await areAsRead(read)], [false, true]);
  });

  test('changes when a file is written, comes, goes, or is opened to others; not when it only looks new', async () => {
    const digests = [await digestFiles([file, secret])];
    await writeFile(file, 'a');
    digests.push(await digestFiles([file, secret]));
    await writeFile(file, 'b');
    digests.push(await digestFiles([file, secret]));
    await chmod(secret, 0o644);
    digests.push(await digestFiles([file, secret]));
    await rm(secret);
    digests.push(await digestFiles([file, secret]));
    assert.equal(new Set(digests).size, digests.length);
    await writeFile(file, 'b');
    assert.equal(await digestFiles([file, secret]), digests.at(-1));
  });

  test('cannot be known of a pipe, which is not read for it', async () => {
    const pipe = path.join(dir, 'pipe');
    execFileSync('mkfifo', [pipe]);
    assert.equal(await digestFiles([secret, pipe]), undefined);
    assert.equal(await areAsRead(undefined), false);
  });
});
