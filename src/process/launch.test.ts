import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

/** A program that launches itself and says what it has become. */
const PROGRAM = `
import { launch } from ${JSON.stringify(new URL('./launch.ts', import.meta.url).href)};
launch();
const { pid, execArgv, argv, env } = process;
console.log(JSON.stringify({ pid, flags: execArgv, rest: argv.slice(2), launched: env.PORTCULLIS_LAUNCHED, kept: env.KEPT }));
`;

let dir: string;
let program: string;

before(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'portcullis-launch-'));
  program = path.join(dir, 'program.ts');
  await writeFile(program, PROGRAM);
  await writeFile(path.join(dir, 'package.json'), '{ "type": "module" }');
});

after(() => rm(dir, { recursive: true }));

interface Told {
  readonly pid: number;
  readonly flags: string[];
  readonly rest: string[];
  readonly launched: string;
  readonly kept: string;
}

async function run(env: Record<string, string> = {}): Promise<Told & { spawned: number }> {
  const environment = { ...process.env, KEPT: 'yes', PORTCULLIS_LAUNCHED: undefined, ...env };
  const child = spawn(process.execPath, ['--stack-trace-limit=7', program, 'start', '--config', 'a b.yaml'], {
    env: environment,
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const [code] = await once(child, 'close');
  assert.equal(code, 0, errors);
  return { ...(JSON.parse(output) as Told), spawned: child.pid as number };
}

test('the process begins anew in place: same id, arguments, environment and flags, and ours in addition', async () => {
  const told = await run();
  assert.equal(told.pid, told.spawned);
  assert.deepEqual(told.rest, ['start', '--config', 'a b.yaml']);
  assert.deepEqual([told.launched, told.kept], ['1', 'yes']);
  for (const flag of ['--stack-trace-limit=7', '--disable-sigusr1']) {
    assert.equal(told.flags.filter((one) => one === flag).length, 1, flag);
  }
  assert.ok(told.flags.some((flag) => flag.startsWith('--max-semi-space-size=')));
});

test('once: a process that has been launched goes on as it is', async () => {
  const told = await run({ PORTCULLIS_LAUNCHED: '1' });
  assert.deepEqual(told.flags, ['--stack-trace-limit=7']);
});
