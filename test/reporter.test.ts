import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

// The report of `npm test`: whoever reads its last lines knows what failed.

const REPORTER = path.resolve(import.meta.dirname, '../scripts/test-reporter.ts');
const IMPORTS = "import assert from 'node:assert/strict'; import { suite, test } from 'node:test';\n";

/** Runs these files in a folder of their own, and gives back what is printed. */
async function report(files: Readonly<Record<string, string>>): Promise<{ readonly code: number; readonly out: string }> {
  const cwd = await mkdtemp(path.join(tmpdir(), 'portcullis-report-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(cwd, name), IMPORTS + text);
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const argv = ['--test', `--test-reporter=${REPORTER}`, ...Object.keys(files)];
    return await new Promise((resolve) => {
      const child = execFile(process.execPath, argv, { cwd, env, timeout: 120_000 }, (_error, out) => {
        resolve({ code: child.exitCode ?? -1, out });
      });
    });
  } finally {
    await rm(cwd, { recursive: true });
  }
}

const FAILING = `
suite('outer', () => {
  test('goes wrong', () => { console.error('a last word'); assert.equal('one', 'two'); });
  test('goes well', () => {});
  test('is left out', { skip: 'no tool for it' }, () => {});
});
suite('all of it', { skip: 'not here' }, () => { test('never seen', () => {}); });
test('has a cause', () => { throw new Error('what happened', { cause: new Error('why it happened') }); });
test('takes long', { timeout: 50 }, () => new Promise(() => setTimeout(() => {}, 200)));
test('is known to fail', { todo: true }, () => { throw new Error('some day'); });
`;

test('failures stand at the end in full, and skipped tests with their reasons', async () => {
  const { code, out } = await report({ 'bad.test.mjs': FAILING, 'good.test.mjs': "test('fine', () => console.log('chatter'));" });
  assert.equal(code, 1);
  assert.match(out, /^FAIL bad\.test\.mjs \(6 tests, 3 failed, [\d.]+ s\)$/m);
  assert.match(out, /^ok {3}good\.test\.mjs \(1 test, [\d.]+ s\)$/m);
  assert.match(out, /skipped: outer › is left out: no tool for it\n/);
  assert.match(out, /skipped: all of it: not here\n/);

  const failures = out.slice(out.indexOf('\nFailing tests\n'));
  assert.match(failures, /✖ outer › goes wrong\n {2}at bad\.test\.mjs:4\n[^✖]*'one' !== 'two'[^✖]*bad\.test\.mjs:4:/);
  assert.match(failures, /✖ has a cause\n[^✖]*Error: what happened\n[^✖]*cause: Error: why it happened/);
  assert.match(failures, /✖ takes long\n[^✖]*timed out after 50ms/);
  assert.match(failures, /output of bad\.test\.mjs:\n {4}a last word\n/);
  assert.doesNotMatch(failures, /chatter|some day|subtest failed/);
  const counts = ['tests 7', 'suites 2', 'pass 2', 'fail 2', 'cancelled 1', 'skipped 1', 'todo 1'];
  assert.ok(out.includes(`\n${counts.map((line) => `# ${line}\n`).join('')}# duration_ms `), out.slice(-400));
});

test('a file that dies is a failure, with what it was at and what it said', async () => {
  const dying =
    "test('hangs', () => new Promise(() => setTimeout(() => { console.error('I give up'); process.exit(3); }, 100)));";
  const { code, out } = await report({ 'dying.test.mjs': dying, 'broken.test.mjs': "throw new Error('at once');" });
  assert.equal(code, 1);
  assert.match(out, /✖ dying\.test\.mjs\n[^✖]*ended with \{ code: 3, signal: null \}\n {4}not finished: hangs\n[^✖]*I give up/);
  assert.match(out, /✖ broken\.test\.mjs\n[^✖]*Error: at once/);
  assert.match(out, /\nFailed\n(?:✖ (?:dying|broken)\.test\.mjs .*\n){2}/);
});

test('the last 60 lines name every failure, also when these are many', async () => {
  const many = (name: string) => `for (let i = 0; i < 70; i++) test('${name} ' + i, () => { throw new Error('x'); });`;
  const { out } = await report({
    'many.test.mjs': many('this'),
    'more.test.mjs': many('that'),
    'one.test.mjs': many('one').replace('70', '1'),
  });
  const last = out.trimEnd().split('\n').slice(-60).join('\n');
  for (const name of ['one 0', 'this 0', 'this 69', 'that 0', 'that 69']) assert.match(last, new RegExp(`\\b${name}\\b`));
  assert.match(last, /# fail 141\n/);
});

test('nothing is said of what passes but a line for each file', async () => {
  const { code, out } = await report({ 'good.test.mjs': "suite('a', () => test('b', () => console.error('c')));" });
  assert.equal(code, 0);
  assert.match(out, /^ok {3}good\.test\.mjs \(1 test, [\d.]+ s\)\n\nSlowest files\n +[\d.]+ s {2}good\.test\.mjs\n\n# tests 1\n/);
});

test('what fails for one and the same reason has it once', async () => {
  const hook =
    "suite('s', () => { before(() => { throw new Error('no service'); }); for (let i = 0; i < 9; i++) test('t' + i, () => {}); });";
  const { out } = await report({ 'hook.test.mjs': `import { before } from 'node:test';\n${hook}` });
  assert.equal(out.split('Error: no service').length - 1, 1);
  assert.equal(out.split('did not finish before its parent').length - 1, 1);
  assert.match(out, /✖ s › t8\n {2}at hook\.test\.mjs:\d+\n {4}as s › t0\n/);
  assert.match(out, /\nFailed\n(?:✖ s › t\d .*\n){9}✖ s .*\n\n# tests 9\n/);
});
