import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { startGateway, type Gateway } from '../support/gateway.ts';

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts');

/** Secrets of one gateway from all four places; each holds the mark that must be seen nowhere. */
const MARK = `MARK${randomBytes(8).toString('hex')}`;
const value = (place: string) => `${MARK}-${place}-value`;
const KEY = randomBytes(32).toString('base64');

const service = http.createServer((_request, answer) => answer.end('reached'));
let folder = '';
let target = '';

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-secrets-'));
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  target = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
});
after(async () => {
  service.closeAllConnections();
  await new Promise((resolve) => service.close(resolve));
  await rm(folder, { recursive: true });
});

interface Run {
  readonly code: number;
  readonly all: string;
}

function portcullis(
  argv: readonly string[],
  options: { input?: string; env?: Record<string, string>; cwd?: string } = {},
): Promise<Run> {
  const { input = '', env = {}, cwd = folder } = options;
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [MAIN, ...argv],
      { cwd, env: { ...process.env, ...env }, timeout: 60_000 },
      (_, out, err) => resolve({ code: child.exitCode ?? -1, all: out + err }),
    );
    child.stdin?.end(input);
  });
}

async function setInStore(place: string, input: string): Promise<void> {
  const run = await portcullis(['secrets', 'set', 'FROM_STORE', '--store', place], {
    input,
    env: { PORTCULLIS_SECRETS_KEY: KEY },
  });
  assert.equal(run.code, 0, run.all);
  assert.ok(!run.all.includes(MARK));
}

async function get(
  port: number,
  headers: Record<string, string> = {},
  target = '/',
): Promise<{ headers: http.IncomingHttpHeaders; text: string; status: number }> {
  return await new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', path: target, headers, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (piece) => (text += piece));
      answer.on('end', () => resolve({ headers: answer.headers, text, status: answer.statusCode ?? 0 }));
    });
    request.on('error', reject);
  });
}

/** Asks until the answer is as wanted: a reload takes a moment. */
async function until(gateway: Gateway, field: string, wanted: string): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; await wait(50)) {
    const { headers } = await get(gateway.port('plain'));
    if (headers[field] === wanted) return;
  }
  assert.fail(`${field} never became ${wanted}\n${gateway.stderr()}`);
}

const configuration = (workers: number, more = '') => `
listeners: { plain: { address: 127.0.0.1:0 } }
services: { s: ${target} }
workers: ${workers}
secrets: { directory: ., store: ${path.join(folder, `store-${workers}.yaml`)} }
admin: { address: 127.0.0.1:0, token: secret:FROM_ENV }
observe: { access: access.jsonl }
routes:
  - path: /**
    service: s
    authentication: none
    response-headers: { x-file: secret:FROM_FILE, x-directory: secret:FROM_DIRECTORY, x-store: secret:FROM_STORE }
${more}`;

async function start(workers: number): Promise<Gateway> {
  await setInStore(path.join(folder, `store-${workers}.yaml`), value('store'));
  const file = path.join(folder, `file-${workers}.txt`);
  await writeFile(file, `${value('file')}\n`);
  return await startGateway(configuration(workers), {
    env: { FROM_ENV: value('environment'), FROM_FILE_FILE: file, PORTCULLIS_SECRETS_KEY: KEY },
    files: { FROM_DIRECTORY: value('directory') },
    timeout: 60_000,
  });
}

/** What can be seen of a process from outside. */
const outside = (pid: number) => ['environ', 'cmdline'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1')).join('\n');

function workersOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
}

for (const workers of [1, 2]) {
  describe(`secrets with ${workers === 1 ? 'one process' : 'several workers'}`, () => {
    let gateway: Gateway;
    before(async () => {
      gateway = await start(workers);
    });
    after(() => gateway.stop());

    test('are taken in from all places, and shown nowhere', async () => {
      const { headers, status } = await get(gateway.port('plain'));
      assert.equal(status, 200);
      assert.deepEqual(
        [headers['x-file'], headers['x-directory'], headers['x-store']],
        [value('file'), value('directory'), value('store')],
      );
      const metrics = await get(gateway.port('admin'), { authorization: `Bearer ${value('environment')}` }, '/metrics');
      assert.equal(metrics.status, 200);
      assert.equal((await get(gateway.port('admin'), { authorization: `Bearer ${value('file')}` }, '/metrics')).status, 401);
      await gateway.records(1);
      const seen = [
        metrics.text,
        gateway.stdout(),
        gateway.stderr(),
        await readFile(path.join(gateway.dir, 'access.jsonl'), 'utf8'),
      ];
      for (const text of seen) assert.ok(!text.includes(MARK) && !text.includes(KEY), text);
    });

    test('stand neither in arguments nor in the environment of workers', { skip: !existsSync('/proc/self/environ') }, () => {
      const pid = gateway.process.pid ?? 0;
      assert.ok(!readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(MARK));
      if (workers === 1) return;
      const pids = workersOf(pid);
      assert.equal(pids.length, workers);
      for (const worker of pids) assert.ok(!outside(worker).includes(MARK) && !outside(worker).includes(KEY));
    });

    test('that change are taken over: a file, the store', async () => {
      await writeFile(path.join(folder, `file-${workers}.txt`), value('other-file'));
      await until(gateway, 'x-file', value('other-file'));
      await writeFile(path.join(gateway.dir, 'FROM_DIRECTORY'), value('other-directory'));
      await until(gateway, 'x-directory', value('other-directory'));
      await setInStore(path.join(folder, `store-${workers}.yaml`), value('other-store'));
      await until(gateway, 'x-store', value('other-store'));
      assert.ok(!gateway.stderr().includes(MARK), gateway.stderr());
    });

    test('that come after the configuration that asks for them are taken over', async () => {
      const before = gateway.stderr().length;
      await writeFile(gateway.config, configuration(workers).replace('secret:FROM_FILE', 'secret:LATE'));
      const deadline = performance.now() + 30_000;
      while (!/there is no secret LATE/.test(gateway.stderr().slice(before)) && performance.now() < deadline) await wait(50);
      assert.match(gateway.stderr().slice(before), /the configuration is not changed.*there is no secret LATE: looked in/);
      await writeFile(path.join(gateway.dir, 'LATE'), value('late'));
      await until(gateway, 'x-file', value('late'));
      await writeFile(gateway.config, configuration(workers));
      await until(gateway, 'x-file', value('other-file'));
    });

    test('of a store that was changed by somebody else are not taken over, and the old ones stay', async () => {
      const store = path.join(folder, `store-${workers}.yaml`);
      const good = await readFile(store, 'utf8');
      const before = gateway.stderr().length;
      await writeFile(
        store,
        good.replace(/.(?=\n$)/, (last) => (last === 'A' ? 'B' : 'A')),
      );
      const deadline = performance.now() + 30_000;
      while (!/FROM_STORE/.test(gateway.stderr().slice(before)) && performance.now() < deadline) await wait(50);
      assert.match(gateway.stderr().slice(before), /the configuration is not changed.*FROM_STORE/);
      assert.equal((await get(gateway.port('plain'))).headers['x-store'], value('other-store'));
      await writeFile(store, good);
    });

    test('in the wrong places are not shown by a reload that fails', async () => {
      const before = gateway.stderr().length;
      const wrong = configuration(
        workers,
        '  - { path: secret:FROM_ENV, service: secret:FROM_FILE, authentication: none, body: secret:FROM_STORE }\n',
      );
      await writeFile(gateway.config, wrong);
      const deadline = performance.now() + 30_000;
      while (!/does not fit here/.test(gateway.stderr().slice(before)) && performance.now() < deadline) await wait(50);
      assert.match(gateway.stderr().slice(before), /the value of secret:FROM_ENV does not fit here/);
      assert.ok(!gateway.stderr().includes(MARK), gateway.stderr());
      await writeFile(gateway.config, configuration(workers));
    });
  });
}

test('check and routes show no secret', async () => {
  const file = path.join(folder, 'shown.yaml');
  const text = (path: string) =>
    `listeners: { plain: { address: 127.0.0.1:0 } }\nservices: { s: http://127.0.0.1:1 }\nroutes: [{ path: ${path}, service: s, authentication: none, headers: { x-a: secret:A } }]\n`;
  for (const [route, code] of [
    ['/x', 0],
    ['secret:A', 1],
  ] as const) {
    await writeFile(file, text(route));
    for (const argv of [['check'], ['routes'], ['routes', '--json']]) {
      const run = await portcullis([...argv, '--config', file], { env: { A: value('shown') } });
      assert.equal(run.code, code, run.all);
      assert.ok(!run.all.includes(MARK), run.all);
    }
  }
});

test('a start that fails shows no secret', async () => {
  const file = path.join(folder, 'taken.yaml');
  const taken = (service.address() as AddressInfo).port;
  await writeFile(
    file,
    `listeners: { plain: { address: secret:ADDRESS } }\nservices: { s: http://127.0.0.1:1 }\nroutes: [{ path: /, service: s, authentication: none }]\n`,
  );
  const run = await portcullis(['start', '--config', file], { env: { ADDRESS: `127.0.0.1:${taken}` } });
  assert.equal(run.code, 1);
  assert.ok(!run.all.includes(`127.0.0.1:${taken}`), run.all);
});

test('the value is taken from standard input only', async () => {
  const argument = await portcullis(['secrets', 'set', 'A', value('argument'), '--store', 'argument.yaml']);
  assert.equal(argument.code, 2);
  assert.ok(!existsSync(path.join(folder, 'argument.yaml')));
  const empty = await portcullis(['secrets', 'set', 'A', '--store', 'argument.yaml']);
  assert.match(empty.all, /the value is empty/);
  const good = await portcullis(['secrets', 'set', 'A', '--store', 'argument.yaml'], { input: value('input') });
  assert.equal(good.code, 0);
  const list = await portcullis(['secrets', 'list', '--store', 'argument.yaml', '--json']);
  assert.deepEqual(
    (JSON.parse(list.all) as { name: string }[]).map(({ name }) => name),
    ['A'],
  );
  assert.ok(![argument, good, list].slice(1).some(({ all }) => all.includes(MARK)));
});
