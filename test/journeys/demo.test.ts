/** `npm start`: does what is printed, and ends when it is told to. Its ports are fixed; where one is taken, this is skipped. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';

const ROOT = path.resolve(import.meta.dirname, '../..');
const DEMO = 'examples/demo/demo.ts';
const PORTS = [8443, 8080, 9443, 7101, 7102, 7103, 7104];

/** What each line that can be pasted must show, by the words above it. */
const EXPECTED: Record<string, RegExp> = {
  'passes, over HTTP/2': /^\{"id":1,"sku":"ABC-1","quantity":2,"status":"shipped"\}$/m,
  'passes, with a body': /"sku":"ABC-1","quantity":3,"status":"open"/,
  'passes, without the forged identity and address': /^(?!.*(?:admin|10\.0\.0\.1)).*"x-forwarded-for":"127\.0\.0\.1"/,
  'passes: a WebSocket, for three seconds': /^HTTP\/1\.1 101 [^]*welcome/,
  'refused: the same from a foreign page': /^HTTP\/1\.1 403 [^]*"code":"origin-refused"/,
  'refused: a path with two readings': /^HTTP\/2 400 [^]*"code":"path-ambiguous"/,
  'refused: a method that the route does not have':
    /^HTTP\/2 405 [^]*allow: GET, HEAD, POST, OPTIONS[^]*"code":"method-not-allowed"/,
  'refused: two lengths (request smuggling)': /^HTTP\/1\.1 400 [^]*"code":"body-framing"/,
  'refused: a body beyond the bound': /^HTTP\/2 413 [^]*"code":"body-too-large"/,
  'what was decided, and why': /^(?:\{"time":.*\}\n){5}$/,
  'what was counted': /portcullis_requests_total\{route="\/orders\/\*\*".*\} \d+/,
  'what is protected how': /^METHODS [^]*\/orders\/\*\* +orders +none +64KiB/,
};

const missing = ['curl', 'openssl'].filter((tool) => spawnSync(tool, ['version']).error !== undefined);

test('the demo does what it prints', {
  skip: missing.length > 0 && `${missing.join(', ')} is not installed`,
  timeout: 60_000,
}, async (t) => {
  const taken = await takenPort();
  if (taken !== undefined) return t.skip(`port ${taken} is taken`);
  const folder = await copyOfDemo();
  t.after(() => rm(folder, { recursive: true }));
  const shell = (line: string) => runIn(folder, line);
  const demo = start(folder);
  t.after(() => demo.process.kill('SIGKILL'));
  await demo.says('Ctrl-C stops everything');
  const lines = pasteable(demo.output());
  assert.deepEqual(lines.map(([what]) => what).sort(), Object.keys(EXPECTED).sort());
  for (const [what, line] of lines) await t.test(what, async () => assert.match(await shell(line), EXPECTED[what], line));
  await t.test('a change of the file is taken over, a mistake is told', () => changeFile(demo, folder));
  await t.test('a second demo says which port is taken, and leaves the first alone', () => secondDemo(folder));
  demo.process.kill('SIGINT');
  await demo.says('All stopped.');
  assert.equal(await demo.exit, 0);
});

/** A copy, because the test changes the configuration. */
async function copyOfDemo(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'portcullis-demo-'));
  await cp(path.join(ROOT, 'examples'), path.join(folder, 'examples'), { recursive: true });
  await cp(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'));
  for (const name of ['src', 'node_modules']) await symlink(path.join(ROOT, name), path.join(folder, name));
  return folder;
}

async function changeFile(demo: Demo, folder: string): Promise<void> {
  const file = path.join(folder, 'examples/demo/portcullis.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('methods: [GET, POST]', 'methods: [GET]'));
  await demo.says('the configuration has been reloaded');
  assert.equal(await runIn(folder, 'curl -sk -o /dev/null -w "%{http_code}" -d x https://127.0.0.1:8443/orders'), '405');
  await writeFile(file, text.replace('balance:', 'balence:'));
  await demo.says('did you mean');
  assert.match(await runIn(folder, 'curl -sk https://127.0.0.1:8443/orders/1'), /"id":1/);
}

async function secondDemo(folder: string): Promise<void> {
  const file = path.join(folder, 'examples/demo/access.jsonl');
  const record = await readFile(file, 'utf8');
  const { status, stderr } = spawnSync(process.execPath, [DEMO], { cwd: folder, encoding: 'utf8', timeout: 20_000 });
  assert.equal(status, 1);
  assert.match(stderr, /^The demo cannot start: 127\.0\.0\.1:710\d is taken by another program\. Does the demo run already\?\n$/);
  assert.ok((await readFile(file, 'utf8')).startsWith(record));
}

interface Demo {
  readonly process: ChildProcess;
  readonly exit: Promise<number | null>;
  output(): string;
  /** Waits until this has been said. */
  says(text: string): Promise<void>;
}

function start(folder: string): Demo {
  const child = spawn(process.execPath, [DEMO], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (output += piece.toString()));
  const says = async (text: string) => {
    for (let i = 0; i < 1500 && !output.includes(text); i++) await wait(10);
    assert.ok(output.includes(text), `the demo does not say ${JSON.stringify(text)}:\n${output}`);
  };
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { process: child, exit, output: () => output, says };
}

/** The lines to paste, each with the words above it. */
function pasteable(output: string): [string, string][] {
  return [...output.matchAll(/^ {2}# (.+)\n {2}(.+)$/gm)].map((match) => [match[1], match[2]]);
}

function runIn(folder: string, line: string): Promise<string> {
  return new Promise((resolve) => {
    execFile('sh', ['-c', line], { cwd: folder, encoding: 'latin1', timeout: 20_000 }, (_, out) => resolve(out));
  });
}

async function takenPort(): Promise<number | undefined> {
  for (const port of PORTS) {
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer().once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (!free) return port;
  }
  return undefined;
}
