import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

const MAIN = path.resolve(import.meta.dirname, '../main.ts');

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

let folder = '';
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-cli-'));
});
after(() => rm(folder, { recursive: true }));

function portcullis(...argv: string[]): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...argv], { cwd: folder, timeout: 60_000 }, (_, out, err) => {
      resolve({ code: child.exitCode ?? -1, out, err });
    });
  });
}

async function file(name: string, text: string): Promise<string> {
  await writeFile(path.join(folder, name), text);
  return name;
}

const GOOD = `listeners: { plain: { address: 127.0.0.1:0 } }
services: { orders: http://127.0.0.1:9001, stock: http://127.0.0.1:9002 }
routes:
  - { path: /orders/**, service: orders, authentication: none, methods: [GET, POST], body: 64KiB }
  - path: /stock/{item}
    host: ['*.example.com']
    headers: { x-version: '2' }
    service: stock
    authentication: none
    cors: { origins: https://shop.example.com, credentials: true }
    waf: { mode: "off" }
`;

test('check says ok in one line on standard output, and exits 0', async () => {
  const result = await portcullis('check', '--config', await file('good.yaml', GOOD));
  assert.deepEqual(result, { code: 0, out: 'good.yaml: ok (1 listener, 2 services, 2 routes, 2 open)\n', err: '' });
});

test('check tells every problem on standard error, in order, and exits 1', async () => {
  const text = GOOD.replace('address:', 'adress:').replace('service: stock', 'service: stok').replace('64KiB', '64KB');
  const result = await portcullis('check', '-c', await file('bad.yaml', text));
  assert.equal(result.code, 1);
  assert.equal(result.out, '');
  const lines = result.err.split('\n').filter((line) => /^bad\.yaml:\d+:\d+: /.test(line));
  assert.deepEqual(lines, [
    'bad.yaml:1:23: unknown key "adress" (did you mean "address"?)',
    'bad.yaml:4:92: "64KB" is not a size: write bytes, or a number with KiB, MiB or GiB',
    'bad.yaml:8:14: there is no service "stok" (did you mean "stock"?)',
  ]);
  assert.ok(result.err.includes('    8 |     service: stok\n      |              ^\n'), result.err);
});

test('check without a file, and start with a bad one', async () => {
  assert.deepEqual(await portcullis('check'), {
    code: 1,
    out: '',
    err: 'portcullis.yaml:1:1: cannot be read: no such file (`portcullis init` writes one)\n',
  });
  const start = await portcullis('start', '--config', await file('worse.yaml', 'listeners: {}\n'));
  assert.equal(start.code, 1);
  assert.equal(start.out, '');
  assert.match(start.err, /worse\.yaml:1:12: at least one listener is needed/);
});

test('routes prints a table of what is protected how', async () => {
  const result = await portcullis('routes', '--config', await file('good.yaml', GOOD));
  assert.equal(result.code, 0);
  assert.equal(
    result.out,
    `METHODS   HOST           PATH           SERVICE  AUTHENTICATION  BODY   ALSO
GET,POST  any            /orders/**     orders   none            64KiB
standard  *.example.com  /stock/{item}  stock    none            1MiB   if x-version=2, cors https://shop.example.com with credentials, waf off
`,
  );
});

test('routes says by which methods callers are found out', async () => {
  const text = `listeners: { plain: { address: 127.0.0.1:0 } }
services: { orders: http://127.0.0.1:9001 }
authentication:
  staff: { jwt: { issuer: https://id.example.com, audience: orders, algorithms: [RS256] } }
  others: { jwt: { issuer: https://other.example.com, audience: orders, algorithms: [ES256] } }
routes: [{ path: /orders/**, service: orders, authentication: [staff, others] }]
`;
  const name = await file('methods.yaml', text);
  const table = await portcullis('routes', '--config', name);
  assert.match(table.out, / staff \(jwt\), others \(jwt\) /);
  const rows = JSON.parse((await portcullis('routes', '--json', '--config', name)).out) as { kinds: unknown }[];
  assert.deepEqual(rows[0].kinds, ['jwt', 'jwt']);
});

test('routes --json says the same for programs', async () => {
  const result = await portcullis('routes', '--json', '--config', await file('good.yaml', GOOD));
  assert.deepEqual(JSON.parse(result.out)[0], {
    methods: ['GET', 'POST'],
    hosts: [],
    path: '/orders/**',
    conditions: [],
    service: 'orders',
    authentication: ['none'],
    kinds: [],
    body: 65536,
    protection: [],
  });
  const bad = await portcullis('routes', '--config', 'missing.yaml');
  assert.deepEqual([bad.code, bad.out], [1, '']);
});

test('routes shows where the check of origins is off or has exceptions', async () => {
  const text = `${GOOD.replace('body: 64KiB', 'csrf: off')}    csrf: { origins: 'https://app.example.com' }\n`;
  const { out } = await portcullis('routes', '--config', await file('csrf.yaml', text));
  const [, first, second] = out.split('\n');
  assert.match(first, /1MiB  csrf off$/);
  assert.match(second, /with credentials, csrf origins https:\/\/app\.example\.com, waf off$/);
});

test('init writes a file that passes its check, and overwrites nothing unasked', async () => {
  const first = await portcullis('init');
  assert.equal(first.code, 0);
  assert.match(first.out, /^wrote portcullis\.yaml/);
  assert.match((await portcullis('check')).out, /^portcullis\.yaml: ok /);

  await file('portcullis.yaml', 'mine');
  const second = await portcullis('init');
  assert.deepEqual([second.code, second.out], [1, '']);
  assert.match(second.err, /portcullis\.yaml exists already/);
  assert.equal(await readFile(path.join(folder, 'portcullis.yaml'), 'utf8'), 'mine');

  assert.equal((await portcullis('init', '--force')).code, 0);
  assert.equal((await portcullis('init', 'no/such/folder.yaml')).code, 1);
  assert.equal((await portcullis('init', 'other.yaml')).code, 0);
  assert.equal((await portcullis('check', '--config', 'other.yaml')).code, 0);
});

test('what init comments out works when it is taken in', async () => {
  assert.equal((await portcullis('init', 'template.yaml')).code, 0);
  const text = await readFile(path.join(folder, 'template.yaml'), 'utf8');
  // Prose begins with a capital letter or a quoted word.
  const all = text.replace(/^( *)# ((?:[a-z]|- | ).*)$/gm, '$1$2');
  for (const key of ['authentication:', '  staff:', '  partners:', '  per-caller:', '    authorize:', 'observe:', '  local:']) {
    assert.ok(
      all.split('\n').some((line) => line.startsWith(key)),
      key,
    );
  }
  await file('all.yaml', all);
  const keysMissing = await portcullis('check', '--config', 'all.yaml');
  assert.deepEqual(keysMissing.err.match(/^\S+\.yaml:\d+:\d+: .+/gm)?.length, 1, keysMissing.err);
  assert.match(keysMissing.err, /`portcullis keys create --keys \S+ --id NAME` makes it/);
  assert.equal((await portcullis('keys', 'create', '--keys', 'keys.yaml', '--id', 'acme')).code, 0);
  const checked = await portcullis('check', '--config', 'all.yaml');
  assert.deepEqual([checked.code, checked.err], [0, '']);
  assert.match((await portcullis('routes', '--config', 'all.yaml')).out, /staff \(jwt\), partners \(api-key\)/);
});

test('help and version go to standard output, wrong usage to standard error with code 2', async () => {
  const version = await portcullis('--version');
  assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
  for (const argv of [['--help'], ['help'], ['help', 'check'], ['check', '--help']]) {
    const help = await portcullis(...argv);
    assert.deepEqual([help.code, help.err], [0, ''], argv.join(' '));
    assert.match(help.out, /Usage: portcullis/);
  }
  assert.match((await portcullis('--help')).out, /Examples:/);
  for (const argv of [[], ['chek'], ['check', '--nope'], ['check', '--config'], ['check', 'surplus'], ['--nope']]) {
    const wrong = await portcullis(...argv);
    assert.deepEqual([wrong.code, wrong.out], [2, ''], argv.join(' '));
    assert.notEqual(wrong.err, '');
  }
  assert.match((await portcullis('chek')).err, /Did you mean check\?/);
});
