import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { checks } from '../audit/checks.ts';
import { HEADINGS } from '../audit/model.ts';
import { run } from './program.ts';
import { width } from './table.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-cli-audit-'));
});
after(() => rm(folder, { recursive: true }));

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command in this process. `terminal`: as if somebody looked. */
async function portcullis(argv: readonly string[], terminal = false): Promise<Result> {
  const texts = { out: '', err: '' };
  const stream = (name: 'out' | 'err') =>
    ({ isTTY: terminal, write: (text: string) => ((texts[name] += text), true) }) as unknown as NodeJS.WritableStream;
  const code = await run(argv, { out: stream('out'), err: stream('err') });
  return { code, ...texts };
}

async function file(text: string, name = 'portcullis.yaml'): Promise<string> {
  await writeFile(path.join(folder, name), text, { mode: 0o644 });
  return path.join(folder, name);
}

const POOR = `listeners: { plain: { address: 127.0.0.1:8080 } }
services: { s: http://127.0.0.1:9001 }
routes:
${Array.from({ length: 9 }, (_, i) => `  - { path: /a${i}, service: s, authentication: none }`).join('\n')}
audit:
  accept:
    - { check: csrf, route: /a0, reason: Nothing of it is for browsers }
    - { check: metrics, reason: "A side car measures, see the page of the team", until: 2999-12-31 }
`;

test('open findings are shown with their place, what was found and what to change, and the exit code is 1', async () => {
  const name = await file(POOR);
  const { code, out, err } = await portcullis(['audit', '--config', name]);
  assert.equal(code, 1);
  assert.equal(err, '');
  for (const heading of HEADINGS) assert.match(out, new RegExp(`^${heading.toUpperCase()}$`, 'm'));
  const rows = out
    .split('\n')
    .flatMap((line) => /^ {2}(?:met|open|accepted|not applicable) +([a-z-]+) +API/.exec(line)?.[1] ?? []);
  assert.deepEqual(
    rows,
    checks.map(({ name }) => name),
  );
  const lines = out.split('\n');
  const at = lines.findIndex((line) => line.includes('unauthenticated-writes'));
  assert.match(lines[at], /^ {2}open {12}unauthenticated-writes {4}API2 +any \/a0 +.*portcullis\.yaml:4$/);
  assert.match(lines[at + 1], /^ {2}open +any \/a1 +.*portcullis\.yaml:5$/);
  assert.deepEqual(
    lines.slice(at + 4, at + 7).map((line) => line.trim()),
    ['anybody may POST, PUT, PATCH, DELETE', 'change: authentication: [NAME]', '… and 5 more: `--all` shows them'],
  );
  assert.match(out, /accepted until 2999-12-31: A side car measures, see the page of the team/);
  assert.match(lines.at(-2) ?? '', /portcullis\.yaml: \d+ met, \d+ open, 1 accepted, \d+ not applicable$/);
});

test('--all shows every finding', async () => {
  const { out } = await portcullis(['audit', '--config', await file(POOR), '--all']);
  for (let i = 0; i < 9; i++) assert.ok(out.includes(`any /a${i} `), `/a${i}`);
  assert.ok(!out.includes('more: `--all`'));
});

test('the table is at most 120 columns wide, and colours are for terminals', async (context) => {
  const before = process.cwd();
  process.chdir(folder);
  context.after(() => process.chdir(before));
  const long = POOR.replace('/a3', `"/${'very-long-segment/'.repeat(12)}{id}"`).replaceAll(
    '/a4',
    '/オーダー/注文/一覧/オーダー/注文/一覧/オーダー',
  );
  await file(long);
  const plain = await portcullis(['audit', '--all']);
  assert.equal(plain.err, '');
  for (const line of plain.out.split('\n')) assert.ok(width(line) <= 120, `${width(line)}: ${line}`);
  assert.equal(plain.out, stripVTControlCharacters(plain.out));
  const colored = await portcullis(['audit', '--all'], true);
  assert.equal(stripVTControlCharacters(colored.out), plain.out);
  assert.notEqual(colored.out, plain.out);
});

const finding = z.strictObject({
  status: z.enum(['met', 'open', 'accepted']),
  kind: z.enum(['route', 'listener', 'service', 'authentication', 'limit', 'section']),
  name: z.string(),
  methods: z.array(z.string()).optional(),
  hosts: z.array(z.string()).optional(),
  line: z.int().min(1),
  column: z.int().min(1),
  message: z.string().min(1),
  fix: z.string().optional(),
  reason: z.string().optional(),
  until: z.string().optional(),
});
const report = z.strictObject({
  version: z.literal(1),
  file: z.string(),
  summary: z.strictObject({ met: z.int(), open: z.int(), accepted: z.int(), not_applicable: z.int() }),
  checks: z.array(
    z.strictObject({
      name: z.string(),
      title: z.string(),
      heading: z.enum(HEADINGS),
      owasp: z.array(z.string().regex(/^API(?:[1-9]|10)$/)).min(1),
      status: z.enum(['met', 'open', 'accepted', 'not applicable']),
      why: z.string(),
      applies: z.string(),
      findings: z.array(finding),
    }),
  ),
});

test('--json has every check and finding, in a form that stays', async () => {
  const { code, out } = await portcullis(['audit', '--config', await file(POOR), '--json']);
  assert.equal(code, 1);
  const value = report.parse(JSON.parse(out));
  assert.deepEqual(
    value.checks.map(({ name }) => name),
    checks.map(({ name }) => name),
  );
  const writes = value.checks.find(({ name }) => name === 'unauthenticated-writes') ?? assert.fail();
  assert.equal(writes.findings.length, 9);
  assert.deepEqual(writes.findings[8], {
    status: 'open',
    kind: 'route',
    name: '/a8',
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    hosts: [],
    line: 12,
    column: 46,
    message: 'anybody may POST, PUT, PATCH, DELETE',
    fix: 'authentication: [NAME]',
  });
});

test('when everything that is open is accepted, the exit code is 0', async () => {
  const name = await file(POOR);
  const open = report.parse(JSON.parse((await portcullis(['audit', '--config', name, '--json'])).out));
  const entries = open.checks
    .filter((check) => check.status === 'open' && check.name !== 'exceptions')
    .map(({ name: check, findings }) => {
      const routes = findings.filter(({ status, kind }) => status === 'open' && kind === 'route').map((one) => one.name);
      return `    - { check: ${check}, ${routes.length === 0 ? '' : `route: [${routes.join(', ')}], `}reason: For this test alone }`;
    });
  const text = POOR.replace('    - { check: csrf, route: /a0, reason: Nothing of it is for browsers }\n', '');
  const { code, out } = await portcullis(['audit', '--config', await file(`${text}${entries.join('\n')}\n`)]);
  assert.match(out, / 0 open, /);
  assert.equal(code, 0);
});

test('a configuration that does not load is told as `check` tells it', async () => {
  const name = await file(POOR.replace('service: s,', 'service: t,'));
  const [audited, checked] = [await portcullis(['audit', '-c', name]), await portcullis(['check', '-c', name])];
  assert.equal(audited.code, 1);
  assert.match(audited.err, /portcullis\.yaml:4:\d+: there is no service "t"/);
  assert.deepEqual(audited, checked);
});

test('wrong usage is 2, and the help tells of exceptions and exit codes', async () => {
  assert.equal((await portcullis(['audit', '--nonsense'])).code, 2);
  assert.equal((await portcullis(['audit', 'word'])).code, 2);
  const { code, out } = await portcullis(['audit', '--help']);
  assert.equal(code, 0);
  assert.match(out, /accept:[^]*Exit codes: 0 nothing is open, 1 something is[^]*2 wrong usage/);
});

test('nothing in a configuration steers the terminal of who audits it', async () => {
  const steer = String.raw`"It is \e[31mred\u202e and more"`;
  const name = await file(POOR.replace('"A side car measures, see the page of the team"', steer));
  const { out } = await portcullis(['audit', '-c', name, '--all']);
  assert.match(out, /It is \ufffd\[31mred\ufffd and more/);
  assert.ok(!out.includes('\u001b') && !out.includes('\u202e'));
});

test('no secret is shown, wherever it stands', async () => {
  const secret = 'sesame-open-and-shut';
  const text = `${POOR.split('audit:')[0]}admin: { address: 127.0.0.1:9443, token: ${secret} }
store: redis://:${secret}x@127.0.0.1
authentication:
  a: { introspection: { endpoint: https://id.example.com/i, audience: x, client: { id: g, secret: ${secret}y } } }
`;
  for (const words of [['--all'], ['--json']]) {
    const { out, code } = await portcullis(['audit', '-c', await file(text), ...words]);
    assert.equal(code, 1);
    assert.match(out, /stands in the file in the clear/);
    assert.ok(!out.includes(secret), words.join());
  }
});
