import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { KeptLog } from '../../test/support/corridor.ts';
import { loadWatched } from '../config/load-watched.ts';
import type { GatewayOptions } from '../config/schema.ts';
import { Reloader } from './reloader.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

let dir: string;
let file: string;
let log: KeptLog;
let swapped: string[];
let loads: number;
/** What the next swaps do besides noting it. */
let swap: (options: GatewayOptions) => Promise<void>;

beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'portcullis-reloader-'));
  file = path.join(dir, 'portcullis.yaml');
  log = new KeptLog();
  swapped = [];
  loads = 0;
  swap = async () => {};
});

afterEach(() => rm(dir, { recursive: true }));

async function write(route: string): Promise<void> {
  const routes = `[{ path: ${route}, service: s, authentication: none }]`;
  await writeFile(file, `listeners: { l: { address: 127.0.0.1:0 } }\nservices: { s: http://127.0.0.1:1 }\nroutes: ${routes}`);
}

async function reloader(): Promise<Reloader> {
  await write('/a');
  const result = await loadWatched(file, {});
  assert.ok(result.ok);
  const take = async (options: GatewayOptions) => {
    swapped.push(options.routes[0].path);
    await swap(options);
  };
  return new Reloader(file, log, result, take, (name) => {
    loads++;
    return loadWatched(name, {});
  });
}

describe('a reload', () => {
  test('takes a changed file over, and leaves alone what says the same', async () => {
    const one = await reloader();
    await one.begin();
    await one.fileChanged();
    assert.deepEqual(swapped, []);
    await write('/b');
    await one.fileChanged();
    await one.fileChanged();
    assert.deepEqual(swapped, ['/b']);
    assert.match(log.text, /^info the configuration has been reloaded [^\n]*$/);
  });

  test('that an operator asks for is done, also when the file says the same', async () => {
    const one = await reloader();
    await one.begin();
    await one.reload();
    assert.deepEqual(swapped, ['/a']);
  });

  test('runs alone, and once more for all that was asked meanwhile', async () => {
    const one = await reloader();
    const gate = Promise.withResolvers<void>();
    let running = 0;
    swap = async () => {
      assert.equal(++running, 1);
      await gate.promise;
      running--;
    };
    await one.begin();
    const first = one.reload();
    while (swapped.length === 0) await turn();
    const all = Array.from({ length: 100 }, () => one.reload());
    gate.resolve();
    await Promise.all([first, ...all]);
    assert.equal(swapped.length, 2);
  });

  test('waits until it may begin, and ends when it has to', async () => {
    const one = await reloader();
    await one.reload();
    await one.reload();
    assert.deepEqual(swapped, []);
    await one.begin();
    assert.deepEqual(swapped, ['/a']);
    one.stop();
    await one.reload();
    assert.deepEqual(swapped, ['/a']);
  });
});

describe('a look at files that are as they were', () => {
  test('loads nothing, as often as it happens', async () => {
    const one = await reloader();
    await one.begin();
    await one.fileChanged();
    await write('/a');
    await one.fileChanged();
    assert.equal(loads, 0);
    await write('/b');
    await one.fileChanged();
    await one.fileChanged();
    assert.deepEqual([loads, swapped], [1, ['/b']]);
  });

  test('loads when an operator asks', async () => {
    const one = await reloader();
    await one.begin();
    await one.reload();
    await one.reload();
    assert.deepEqual([loads, swapped], [2, ['/a', '/a']]);
  });

  test('loads after anything that failed: what was in the way need not stand in the file', async () => {
    const one = await reloader();
    await one.begin();
    swap = () => Promise.reject(new Error('the port is taken'));
    await write('/b');
    await one.fileChanged();
    swap = async () => {};
    await one.fileChanged();
    assert.deepEqual(swapped, ['/b', '/b']);
  });

  test('finds a change that came after the look and before or during the load', async () => {
    await write('/a');
    const result = await loadWatched(file, {});
    assert.ok(result.ok);
    let change: (() => Promise<void>) | undefined = () => write('/c');
    const take = async (options: GatewayOptions) => void swapped.push(options.routes[0].path);
    const one = new Reloader(file, log, result, take, async (name) => {
      const loaded = await loadWatched(name, {});
      await change?.();
      change = undefined;
      return loaded;
    });
    await one.begin();
    await write('/b');
    await one.fileChanged();
    await one.fileChanged();
    assert.deepEqual(swapped, ['/b', '/c']);
  });
});

describe('a reload that fails', () => {
  test('is told with all that is wrong, and the next one works', async () => {
    const one = await reloader();
    await one.begin();
    await writeFile(file, 'nonsense: true\nroutes: 7');
    await one.fileChanged();
    assert.match(log.text, /is not changed.*portcullis\.yaml:1:1.*nonsense/);
    await rm(file);
    await one.fileChanged();
    assert.equal(log.lines.length, 2);
    await write('/b');
    await one.fileChanged();
    assert.deepEqual(swapped, ['/b']);
  });

  test('for something outside of the file is tried again when an operator asks; the file before is no change', async () => {
    const one = await reloader();
    await one.begin();
    swap = () => Promise.reject(new Error('the port is taken'));
    await write('/b');
    await one.fileChanged();
    assert.match(log.text, /is not changed.*the port is taken/);
    await write('/a');
    await one.fileChanged();
    assert.deepEqual(swapped, ['/b']);
    swap = async () => {};
    await write('/b');
    await one.reload();
    assert.deepEqual(swapped, ['/b', '/b']);
  });

  test('in a way that nobody thought of does not end all later ones', async () => {
    const one = await reloader();
    await one.begin();
    for (const thrown of [undefined, null, 'text']) {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors
      swap = () => Promise.reject(thrown);
      await one.reload();
    }
    swap = async () => {};
    await one.reload();
    assert.equal(log.lines.length, 4);
    assert.match(log.text, /has been reloaded/);
  });
});

test('what came of the last ten attempts is remembered, the newest first', async () => {
  const one = await reloader();
  await one.begin();
  assert.equal(one.past.length, 0);
  await write('/b');
  await one.fileChanged();
  await writeFile(file, 'listeners: {');
  await one.fileChanged();
  swap = async () => {
    throw new Error('x'.repeat(5000));
  };
  await write('/c');
  await one.fileChanged();
  assert.deepEqual(
    one.past.map((it) => it.ok),
    [false, false, true],
  );
  assert.equal(one.past[0].reason, `${'x'.repeat(2000)}…`);
  assert.match(one.past[1].reason ?? '', /portcullis\.yaml:1:/);
  assert.equal(one.past[2].reason, undefined);
  for (let i = 0; i < 10; i++) await one.fileChanged();
  assert.equal(one.past.length, 10);
});
