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
const PORTS = [8443, 8080, 9443, 7101, 7102, 7103, 7104, 7105];

const ORDER_1 = /^HTTP\/2 200 [^]*\{"id":1,"customer":"alice","sku":"ABC-1","quantity":2,"status":"shipped"\}$/m;

/** What each line that can be pasted must show, by the first word of what stands above them. */
const EXPECTED: Record<string, RegExp[]> = {
  authenticate: [
    ORDER_1,
    ORDER_1,
    /^HTTP\/2 200 [^]*ratelimit-policy: "per-caller";q=100;w=3600[^]*"id":1/,
    /^HTTP\/2 401 [^]*www-authenticate: Bearer[^]*"code":"credentials-missing"/,
    /^HTTP\/2 401 [^]*error="invalid_token"[^]*"code":"token-inactive"/,
    /^HTTP\/2 401 [^]*"code":"api-key-refused"/,
    /^HTTP\/2 403 [^]*"code":"csrf"/,
  ],
  authorize: [
    /^HTTP\/2 201 [^]*"customer":"alice","sku":"ABC-1","quantity":3,"status":"open"/,
    /^HTTP\/2 403 [^]*error="insufficient_scope", scope="orders:write"[^]*"code":"forbidden"/,
    /^HTTP\/2 200 [^]*\[\{"id":1,"customer":"alice"/,
    /^HTTP\/2 403 [^]*"code":"forbidden"/,
  ],
  limit: [/^(?:200 ){10,19}(?:429 )+$/],
  validate: [
    /^HTTP\/2 422 [^]*"code":"contract-body"[^]*"errors":\[\{"in":"body","pointer":"\/quantity","rule":"maximum"\}\]/,
    /^HTTP\/2 422 [^]*"errors":\[\{"in":"body","pointer":"\/status","rule":"additionalProperties"\}\]/,
    /^HTTP\/2 400 [^]*"code":"contract-parameter"[^]*"errors":\[\{"in":"query","parameter":"status","rule":"enum"\}\]/,
    /^HTTP\/2 415 [^]*"code":"contract-media-type"/,
    /^HTTP\/2 413 [^]*"code":"body-too-large"/,
  ],
  waf: [
    /^HTTP\/2 403 [^]*"code":"forbidden"/,
    /^HTTP\/2 403 [^]*"code":"forbidden"/,
    /^\{"time":.*"decision":\{"room":"waf",.*"waf":\{.*"matched":\[\d+.*"target":"ARGS[^"]*"[^\n]*\}\n$/,
  ],
  route: [
    /^HTTP\/2 405 [^]*allow: GET, HEAD, POST, OPTIONS[^]*"code":"method-not-allowed"/,
    /^HTTP\/1\.1 101 [^]*welcome/,
    /^HTTP\/1\.1 403 [^]*"code":"origin-refused"/,
  ],
  listen: [/^HTTP\/2 400 [^]*"code":"path-ambiguous"/, /^HTTP\/1\.1 400 [^]*"code":"body-framing"/],
  upstream: [/^(?!.*(?:admin|10\.0\.0\.1)).*"x-forwarded-for":"127\.0\.0\.1"/],
  observe: [
    /^(?:\{"time":.*\}\n){5}$/,
    /^(?:\{"time":.*"event":.*\}\n){5}$/,
    /portcullis_requests_total\{route="\/orders\/\*\*".*\} \d+/,
  ],
  configuration: [
    /^METHODS [^]*\/orders\/\*\* +orders +staff \(jwt\) +64KiB +scopes? orders:write[^\n]*, waf block\n/,
    /^AUTHENTICATION\n[^]* met +contract-enforced .* GET \/orders\/\*\* [^]*\nexamples\/demo\/portcullis\.yaml: \d+ met, \d+ open, [1-9]\d* accepted/,
  ],
  identity: [/^\{"access_token":"eyJ[\w.-]+","expires_in":3600,"scope":"orders:read","token_type":"Bearer"\}$/],
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
  assert.deepEqual(
    lines.map(([room, { length }]) => `${room} ${length}`),
    Object.entries(EXPECTED).map(([room, { length }]) => `${room} ${length}`),
  );
  for (const [room, pasted] of lines) {
    await t.test(room, async () => {
      for (const [i, line] of pasted.entries()) await shows(shell, line, EXPECTED[room][i]);
    });
  }
  await t.test('the status page is where it says', async () => {
    const [, address] = /Open (http:\S+) in a browser/.exec(demo.output()) ?? assert.fail('no address');
    assert.match(await (await fetch(address)).text(), /<title>Portcullis/);
  });
  await t.test('the record tells which rule was missing, and no credential', () => readRecord(folder));
  await t.test('a change of the file is taken over, a mistake is told', () => changeFile(demo, folder));
  await t.test('a second demo says which port is taken, and leaves the first alone', () => secondDemo(folder));
  demo.process.kill('SIGINT');
  await demo.says('All stopped.');
  assert.equal(await demo.exit, 0);
});

/** A record is written a moment after its answer: who reads records asks again until they are there. */
async function shows(shell: (line: string) => Promise<string>, line: string, expected: RegExp): Promise<void> {
  let shown = await shell(line);
  for (let i = 0; i < 100 && /^(?:grep|tail) /.test(line) && !expected.test(shown); i++) {
    await wait(50);
    shown = await shell(line);
  }
  assert.match(shown, expected, `${line}\n${shown}`);
}

/** A copy, because the test changes the configuration. */
async function copyOfDemo(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'portcullis-demo-'));
  await cp(path.join(ROOT, 'examples'), path.join(folder, 'examples'), { recursive: true });
  await cp(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'));
  for (const name of ['src', 'node_modules']) await symlink(path.join(ROOT, name), path.join(folder, name));
  return folder;
}

async function readRecord(folder: string): Promise<void> {
  const record = await readFile(path.join(folder, '.demo/access.jsonl'), 'utf8');
  for (const code of ['not-owner', 'scope-missing', 'token-inactive', 'api-key-malformed', 'rate-limited', 'csrf', 'waf-score']) {
    assert.ok(record.includes(`"code":"${code}"`), `${code} is not in the record`);
  }
  for (const name of ['alice', 'bob', 'visitor', 'revoked', 'acme']) {
    const [, secret] = /(\S+)\n$/.exec(await readFile(path.join(folder, '.demo', name), 'utf8')) ?? assert.fail(name);
    assert.ok(secret.length > 30 && !record.includes(secret), `the record holds what ${name} is known by`);
  }
}

async function changeFile(demo: Demo, folder: string): Promise<void> {
  const file = path.join(folder, 'examples/demo/portcullis.yaml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('methods: [GET, POST]', 'methods: [GET]'));
  await demo.says('the configuration has been reloaded');
  assert.equal(await runIn(folder, 'curl -sk -o /dev/null -w "%{http_code}" -d x https://127.0.0.1:8443/basket'), '405');
  await writeFile(file, text.replace('balance:', 'balence:'));
  await demo.says('did you mean');
  assert.match(await runIn(folder, 'curl -sk https://127.0.0.1:8443/orders/1 -H @.demo/alice'), /"id":1/);
}

async function secondDemo(folder: string): Promise<void> {
  const file = path.join(folder, '.demo/access.jsonl');
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

/** The lines to paste, with the first word of what stands above them. */
function pasteable(output: string): [string, string[]][] {
  return [...output.matchAll(/^ {2}# (\w+).*\n((?: {2}(?!#).+\n)+)/gm)].map(([, room, lines]) => [
    room,
    lines.split('\n').flatMap((line) => (line === '' ? [] : [line.trim()])),
  ]);
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
