import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { hashOptions } from './hash.ts';
import { loadApart, type LoadReply } from './load-apart.ts';
import { loadWatched } from './load-watched.ts';

const TEXT = `
listeners: { l: { address: 127.0.0.1:0 } }
services: { s: { targets: [http://127.0.0.1:1], timeout: 3s } }
trusted-proxies: [10.0.0.0/8]
routes: [{ path: "/a/{id}", service: s, authentication: none, limits: [{ rate: 5/second, by: address }] }]
`;
const MARK = 'mark-of-a-secret-4711';
const here = (name: string) => new URL(name, import.meta.url).href;

let dir: string;
let file: string;
/** A pipe that nobody writes to holds a load up. */
let endless: string;

before(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'portcullis-apart-'));
  file = path.join(dir, 'portcullis.yaml');
  await writeFile(file, TEXT);
  endless = path.join(dir, 'endless');
  execFileSync('mkfifo', [endless]);
});

after(() => rm(dir, { recursive: true }));

const childrenOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

async function until<T>(what: string, find: () => T | undefined | false): Promise<T> {
  for (const end = performance.now() + 30_000; ; await wait(2)) {
    const found = find();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) assert.fail(`it did not come to this: ${what}`);
  }
}

describe('a configuration that is loaded apart', () => {
  test('is the same as one that is loaded here', async () => {
    const [apart, own] = [await loadApart(file, {}), await loadWatched(file, {})];
    assert.ok(apart.ok && own.ok);
    assert.equal(hashOptions(apart.options), hashOptions(own.options));
    assert.deepEqual(apart, own);
  });

  test('has its problems too', async () => {
    const wrong = path.join(dir, 'wrong.yaml');
    await writeFile(wrong, `${TEXT}nonsense: true\n`);
    const apart = await loadApart(wrong, {});
    assert.ok(!apart.ok);
    assert.deepEqual(apart, await loadWatched(wrong, {}));
  });

  test('takes its environment from what it is given', async () => {
    const written = path.join(dir, 'environment.yaml');
    await writeFile(written, TEXT.replace('http://127.0.0.1:1', '"${SERVICE}"'));
    const apart = await loadApart(written, { SERVICE: 'http://127.0.0.1:7' });
    assert.ok(apart.ok && JSON.stringify(apart.options.services).includes('127.0.0.1:7'));
    assert.equal((await loadApart(written, {})).ok, false);
  });

  test('may be one that only this process can read', {
    skip: existsSync('/proc/self/fd') ? false : 'there is no /proc',
  }, async () => {
    const program = `
      const { loadApart } = await import(${JSON.stringify(here('./load-apart.ts'))});
      const result = await loadApart('/dev/stdin', {});
      console.log(result.ok);`;
    const stdin = openSync(file, 'r');
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: [stdin, 'pipe', 'inherit'] });
    closeSync(stdin);
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (piece: string) => (output += piece));
    await once(child, 'close');
    assert.equal(output.trim(), 'true');
  });
});

describe('the process that loads', { skip: existsSync('/proc/self/task') ? false : 'there is no /proc' }, () => {
  test('is gone when it is done, shows no secret, and nobody can signal a debugger into it', async () => {
    const loading = loadApart(file, { SECRET: MARK, PORTCULLIS_SECRETS_KEY: MARK });
    const [pid] = childrenOf(process.pid);
    const seen = await until('its program runs', () => {
      const texts = ['environ', 'cmdline'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1'));
      return texts[1].includes('load-child') ? texts.join('\n') : undefined;
    });
    assert.ok(!seen.includes(MARK));
    assert.match(seen, /--disable-sigusr1/);
    assert.equal((await loading).ok, true);
    assert.deepEqual(childrenOf(process.pid), []);
  });

  test('that dies over a file is an answer: the file is not tried on the process that serves', async () => {
    const program = `
      const { loadApart } = await import(${JSON.stringify(here('./load-apart.ts'))});
      const result = await loadApart(${JSON.stringify(endless)}, {});
      console.log(JSON.stringify(result.problems?.map((one) => one.message)));`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    parent.stdout.setEncoding('utf8').on('data', (piece: string) => (output += piece));
    const pipe = await until('the file is read', () => heldBy(endless));
    const closed = once(parent, 'close');
    for (const child of childrenOf(parent.pid ?? 0)) process.kill(child, 'SIGKILL');
    await closed;
    closeSync(pipe);
    assert.match(output, /cannot be checked/);
  });

  test('ends with who asked, whatever it is at, and whatever signals come', async () => {
    const child = fork(path.join(import.meta.dirname, 'load-child.ts'), [], {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await ready(child);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) child.kill(signal);
    child.send({ file: endless, environment: {} });
    const pipe = await until('the file is read', () => heldBy(endless));
    await wait(100);
    assert.deepEqual([child.exitCode, child.signalCode], [null, null]);
    const ended = once(child, 'exit');
    child.disconnect();
    await ended;
    closeSync(pipe);
  });
});

async function ready(child: ChildProcess): Promise<void> {
  const [reply] = (await once(child, 'message')) as [LoadReply];
  assert.equal(reply.kind, 'ready');
}

/** The writing end of a pipe, once somebody reads it: from then on the reader waits for what never comes. */
function heldBy(pipe: string): number | undefined {
  try {
    return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENXIO');
    return undefined;
  }
}
