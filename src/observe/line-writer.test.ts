import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Log } from '../pipeline/stage.ts';
import { LineWriter, type LineWriterOptions } from './line-writer.ts';

function directory(t: TestContext): string {
  const path = fs.mkdtempSync(join(tmpdir(), 'portcullis-lines-'));
  t.after(() => fs.rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A log that remembers. */
function memoryLog(): Log & { entries: [string, string, Record<string, unknown>][] } {
  const entries: [string, string, Record<string, unknown>][] = [];
  const say = (level: string) => (message: string, fields?: Record<string, unknown>) =>
    void entries.push([level, message, fields ?? {}]);
  return { entries, info: say('info'), warn: say('warn'), error: say('error') };
}

function writer(t: TestContext, options: LineWriterOptions, log: Log = memoryLog()): LineWriter {
  const made = new LineWriter(options, log);
  t.after(() => made.close(0));
  return made;
}

async function until(condition: () => boolean, what: string, ms = 5000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function read(path: string): string {
  return fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : '';
}

/** A process that runs `body` with `LineWriter` and `log` at hand. */
function child(
  t: TestContext,
  body: string,
  stdio: ('pipe' | 'ignore' | 'inherit' | number)[] = ['ignore', 'pipe', 'inherit'],
): ChildProcess {
  const source = `import { LineWriter } from ${JSON.stringify(new URL('./line-writer.ts', import.meta.url).href)};
    const log = { info() {}, warn() {}, error() {} };\n${body}`;
  const made = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio });
  t.after(() => made.kill('SIGKILL'));
  return made;
}

test('a line is in the file soon, without another one behind it, in directories that are made', async (t) => {
  const path = join(directory(t), 'logs', 'deep', 'access.jsonl');
  const lines = writer(t, { target: path });
  await until(() => fs.existsSync(path), 'the file is there');
  lines.write('one ≥');
  // Within 200 ms, a busy machine apart.
  await until(() => read(path) !== '', 'the line is there', 3000);
  assert.equal(read(path), 'one ≥\n');
  assert.equal(fs.statSync(path).mode & 0o007, 0, 'records are not for everyone');
});

test('close writes everything that is in memory, in order', async (t) => {
  const path = join(directory(t), 'access.jsonl');
  const lines = writer(t, { target: path });
  const expected = Array.from({ length: 20_000 }, (_, i) => `line ${i}`);
  for (const line of expected) lines.write(line);
  await lines.close();
  assert.deepEqual(read(path).trimEnd().split('\n'), expected);
  lines.write('too late');
  assert.equal(lines.lost, 1);
});

test('half a line that a crash left is not glued to the next', async (t) => {
  const path = join(directory(t), 'access.jsonl');
  fs.writeFileSync(path, '{"whole":1}\n{"hal');
  const lines = writer(t, { target: path });
  lines.write('{"next":1}');
  await lines.close();
  assert.equal(read(path), '{"whole":1}\n{"hal\n{"next":1}\n');
});

test('several processes that open a file with half a line end it once', async (t) => {
  const path = join(directory(t), 'access.jsonl');
  fs.writeFileSync(path, '{"hal');
  const writers = Array.from({ length: 4 }, () => writer(t, { target: path }));
  for (const one of writers) one.write('{"next":1}');
  await Promise.all(writers.map((one) => one.close()));
  assert.equal(read(path), `{"hal\n${'{"next":1}\n'.repeat(4)}`);
});

test('a full disk: nothing throws, what fits waits, the rest is counted, one warning, and it recovers', async (t) => {
  const path = join(directory(t), 'access.jsonl');
  fs.symlinkSync('/dev/full', path);
  const log = memoryLog();
  const lines = writer(t, { target: path, bufferLimit: 10_000, flushMs: 5, retryMs: 10 }, log);
  for (let i = 0; i < 200; i++) lines.write(String(i).padStart(99, '0'));
  assert.equal(lines.lost, 100);
  await until(() => log.entries.length > 0, 'a warning');
  for (let i = 0; i < 50; i++) {
    lines.write('more than fits'.padStart(99));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal(lines.lost, 150);
  assert.deepEqual(
    log.entries.map(([level, , fields]) => [level, fields.error]),
    [['warn', 'ENOSPC']],
  );

  fs.unlinkSync(path);
  await until(() => read(path).split('\n').length === 101, 'the hundred lines that waited');
  await until(() => log.entries.length === 2, 'word of the recovery');
  assert.deepEqual(log.entries[1][0], 'info');
  assert.equal(log.entries[1][2].lost, 150);
  lines.write('after');
  await lines.close();
  assert.deepEqual(read(path).split('\n').slice(-3), ['99'.padStart(99, '0'), 'after', '']);
});

test('a disk that is full in the middle of a line leaves no line torn for good', async (t) => {
  const path = join(directory(t), 'access.jsonl');
  // 8 KiB are allowed for a file; then the file is moved away, as an operator who makes room would.
  const body = `const w = new LineWriter({ target: ${JSON.stringify(path)}, flushMs: 5, retryMs: 10 }, log);
    for (let i = 0; i < 100; i++) w.write(JSON.stringify({ i, text: 'x'.repeat(190) }));
    const timer = setInterval(() => {}, 1000);
    process.on('SIGTERM', async () => { clearInterval(timer); await w.close(); console.log('lost', w.lost); });`;
  const source = `import { LineWriter } from ${JSON.stringify(new URL('./line-writer.ts', import.meta.url).href)};
    const log = { info() {}, warn() {}, error() {} };\n${body}`;
  const script = `trap '' XFSZ; ulimit -f 8; exec "$0" --input-type=module -e "$1"`;
  const made = spawn('bash', ['-c', script, process.execPath, source], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => made.kill('SIGKILL'));
  let parts = '';
  for (let n = 0; n < 2; n++) {
    await until(() => fs.existsSync(path) && fs.statSync(path).size === 8192, 'the file is full');
    parts += `${read(path)}\n`;
    fs.renameSync(path, `${path}.${n}`);
  }
  await until(() => read(path).includes('"i":99,'), 'the last line');
  made.kill('SIGTERM');
  const [output] = await once(made.stdout as NodeJS.ReadableStream, 'data');
  assert.equal(String(output), 'lost 0\n');
  parts += read(path);
  const whole = parts
    .split('\n')
    .filter((line) => line.endsWith('"}'))
    .map((line) => JSON.parse(line).i);
  assert.deepEqual(
    [...new Set(whole)],
    Array.from({ length: 100 }, (_, i) => i),
  );
  assert.equal(whole.length, 100);
});

test('a FIFO that nobody reads takes no thread and no line; a reader that comes later gets them', async (t) => {
  const path = join(directory(t), 'fifo');
  execFileSync('mkfifo', [path]);
  const log = memoryLog();
  const lines = writer(t, { target: path, flushMs: 5, retryMs: 10 }, log);
  for (let i = 0; i < 100; i++) lines.write(`line ${i}`);
  await until(() => log.entries.some(([, , fields]) => fields.error === 'ENXIO'), 'a warning');
  // All four threads of the pool are free when four file operations get through.
  await Promise.all(Array.from({ length: 8 }, () => fs.promises.stat(path)));

  const cat = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => cat.kill('SIGKILL'));
  let got = '';
  cat.stdout.setEncoding('utf8').on('data', (text: string) => (got += text));
  await until(() => got.includes('line 99\n'), 'the lines arrive');
  assert.equal(got.split('\n').length, 101);
  assert.equal(lines.lost, 0);
});

test('a pipe that is read too slowly costs lines, whole ones, and nothing else', async (t) => {
  const path = join(directory(t), 'fifo');
  execFileSync('mkfifo', [path]);
  const reader = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  t.after(() => fs.closeSync(reader));
  const log = memoryLog();
  const lines = writer(t, { target: path, flushMs: 1, bufferLimit: 200_000 }, log);
  const line = (i: number) => `{"i":${i},"text":"${'y'.repeat(200)}"}`;
  for (let i = 0; i < 5000; i++) {
    lines.write(line(i));
    if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(lines.lost > 1000, String(lines.lost));
  await until(() => log.entries.some(([, , fields]) => fields.error === 'EAGAIN'), 'a warning');
  let got = '';
  const buffer = Buffer.alloc(65536);
  const drain = () => {
    try {
      got += buffer.toString('utf8', 0, fs.readSync(reader, buffer));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  };
  const count = 5000 - lines.lost;
  await until(() => (drain(), got.split('\n').length > count), 'all that was not lost');
  const numbers = got
    .trimEnd()
    .split('\n')
    .map((text) => JSON.parse(text).i as number);
  assert.equal(numbers.length, count);
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
});

test('close gives up in time on a target that does not take it, and counts what it threw away', async (t) => {
  const path = join(directory(t), 'fifo');
  execFileSync('mkfifo', [path]);
  const lines = writer(t, { target: path });
  for (let i = 0; i < 10; i++) lines.write('nobody reads this');
  const began = performance.now();
  await lines.close(100);
  assert.ok(performance.now() - began < 5000);
  assert.equal(lines.lost, 10);
});

test('two processes write and rotate one file: no line is lost, doubled or mixed', async (t) => {
  const path = join(directory(t), 'access.jsonl');
  const lineCount = 20_000;
  const body = (who: string) => `
    const w = new LineWriter({ target: ${JSON.stringify(path)}, rotate: { size: 300_000, keep: 1000 }, flushMs: 1 }, log);
    let i = 0;
    const step = () => {
      for (let n = 0; n < 100; n++) w.write(JSON.stringify({ who: '${who}', i: i++, text: 'z'.repeat(100 + i % 200) }));
      if (i < ${lineCount}) setImmediate(step);
      else w.close(20_000).then(() => console.log(w.lost));
    };
    step();`;
  const children = ['a', 'b'].map((who) => child(t, body(who)));
  const lost = await Promise.all(
    children.map(async (one) => String((await once(one.stdout as NodeJS.ReadableStream, 'data'))[0])),
  );
  assert.deepEqual(lost, ['0\n', '0\n']);
  const folder = join(path, '..');
  const files = fs.readdirSync(folder).sort((a, b) => Number(a.split('.')[2] ?? 0) - Number(b.split('.')[2] ?? 0));
  // A process writes on while the other one rotates, so that at this speed files become larger than asked for.
  assert.ok(files.length > 3, files.join(' '));
  assert.deepEqual(files, ['access.jsonl', ...Array.from({ length: files.length - 1 }, (_, i) => `access.jsonl.${i + 1}`)]);
  const seen = new Set<string>();
  for (const file of files) {
    for (const line of read(join(folder, file)).split('\n').slice(0, -1)) {
      const { who, i } = JSON.parse(line);
      assert.ok(!seen.has(`${who}${i}`));
      seen.add(`${who}${i}`);
    }
  }
  assert.equal(seen.size, 2 * lineCount);
});

test('rotation keeps as many files as it is told', async (t) => {
  const path = join(directory(t), 'access.jsonl');
  const lines = writer(t, { target: path, rotate: { size: 1000, keep: 2 }, flushMs: 1 });
  for (let i = 0; i < 6; i++) {
    lines.write(`${i}`.repeat(1000));
    await until(() => read(path).startsWith(String(i)), `line ${i}`);
  }
  assert.deepEqual(fs.readdirSync(join(path, '..')).sort(), ['access.jsonl', 'access.jsonl.1', 'access.jsonl.2']);
  assert.equal(read(`${path}.2`)[0], '3');
});

test('a lock that a killed process left is taken away after a while', async (t) => {
  const path = join(directory(t), 'access.jsonl');
  fs.writeFileSync(path, `${'x'.repeat(2000)}\n`);
  fs.mkdirSync(`${path}.lock`);
  const old = new Date(Date.now() - 60_000);
  fs.utimesSync(`${path}.lock`, old, old);
  const lines = writer(t, { target: path, rotate: { size: 1000, keep: 2 }, flushMs: 1 });
  let count = 0;
  await until(() => (lines.write(`line ${count++}`), fs.existsSync(`${path}.1`)), 'the rotation');
  await lines.close();
  assert.ok(!fs.existsSync(`${path}.lock`));
  const all = (read(`${path}.1`) + read(path)).trimEnd().split('\n').slice(1);
  assert.deepEqual(
    all,
    Array.from({ length: count }, (_, i) => `line ${i}`),
  );
});

test('a file that cannot be rotated is still written', async (t) => {
  const path = join(directory(t), 'access.jsonl');
  fs.mkdirSync(join(`${path}.1`, 'in the way'), { recursive: true });
  const log = memoryLog();
  const lines = writer(t, { target: path, rotate: { size: 10, keep: 1 }, flushMs: 1 }, log);
  for (let i = 0; i < 5; i++) {
    lines.write(`line number ${i}`);
    await until(() => read(path).includes(`number ${i}`), `line ${i}`);
  }
  assert.equal(log.entries.length, 1);
  assert.match(log.entries[0][1], /cannot be rotated/);
});

test('reopen writes to the new file after a rename; and a rename or removal is noticed without it', async (t) => {
  const path = join(directory(t), 'access.jsonl');
  const lines = writer(t, { target: path, flushMs: 1 });
  lines.write('one');
  await until(() => read(path) === 'one\n', 'one');
  fs.renameSync(path, `${path}.old`);
  lines.reopen();
  await until(() => fs.existsSync(path), 'the new file, without a line');
  lines.write('two');
  await until(() => read(path) === 'two\n', 'two');
  fs.renameSync(path, `${path}.older`);
  lines.write('three');
  await until(() => read(path) === 'three\n', 'three');
  fs.unlinkSync(path);
  lines.write('four');
  await until(() => read(path) === 'four\n', 'four');
  assert.equal(read(`${path}.old`) + read(`${path}.older`), 'one\ntwo\n');
});

test('standard output: all lines, beside what others print, also when the process ends at once', async (t) => {
  const one = child(
    t,
    `const w = new LineWriter({ target: 1 }, log); console.log('ready');
    for (let i = 0; i < 5000; i++) w.write('line ' + i); await w.close(); process.exit(0);`,
  );
  let got = '';
  (one.stdout as NodeJS.ReadableStream).setEncoding('utf8').on('data', (text: string) => (got += text));
  await once(one, 'close');
  assert.equal(got.split('\n').length, 5002);
  assert.match(got, /^ready\nline 0\n/);

  const last = child(
    t,
    `const w = new LineWriter({ target: 1 }, log); process.on('exit', () => w.flushSync());
    w.write('last words'); process.exit(1);`,
  );
  got = '';
  (last.stdout as NodeJS.ReadableStream).setEncoding('utf8').on('data', (text: string) => (got += text));
  await once(last, 'close');
  assert.equal(got, 'last words\n');
});

test('standard output into a file keeps what others print there', async (t) => {
  const path = join(directory(t), 'out');
  const fd = fs.openSync(path, 'w');
  t.after(() => fs.closeSync(fd));
  const one = child(
    t,
    `const w = new LineWriter({ target: 1, flushMs: 1 }, log); w.write('a'); console.log('ready');
    await new Promise((resolve) => setTimeout(resolve, 50)); console.log('reloaded'); w.write('b'); await w.close();`,
    ['ignore', fd, 'inherit'],
  );
  await once(one, 'close');
  assert.deepEqual(read(path).split('\n').sort(), ['', 'a', 'b', 'ready', 'reloaded']);
});

test('the reader of standard output leaves: the process lives and counts', async (t) => {
  const one = child(
    t,
    `const w = new LineWriter({ target: 1, bufferLimit: 1000, flushMs: 1, retryMs: 5 }, log);
    const timer = setInterval(() => { w.write('x'.repeat(99)); if (w.lost > 20) { clearInterval(timer); w.close(10).then(() => process.exit(7)); } }, 1);`,
  );
  await once(one.stdout as NodeJS.ReadableStream, 'data');
  one.stdout?.destroy();
  assert.deepEqual(await once(one, 'close'), [7, null]);
});

test('two processes share one pipe: lines up to 4 KiB never mix', async (t) => {
  const path = join(directory(t), 'fifo');
  execFileSync('mkfifo', [path]);
  const body = (who: string) => `const w = new LineWriter({ target: 1, shared: true, flushMs: 1 }, log);
    for (let i = 0; i < 3000; i++) w.write(JSON.stringify({ who: '${who}', i, text: '${who}'.repeat(100 + i % 500) }));
    await w.close(20_000);`;
  const cat = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => cat.kill('SIGKILL'));
  let got = '';
  cat.stdout.setEncoding('utf8').on('data', (text: string) => (got += text));
  const fd = fs.openSync(path, 'w');
  const ended = once(cat, 'close');
  for (const who of ['a', 'b']) child(t, body(who), ['ignore', fd, 'inherit']);
  fs.closeSync(fd);
  await ended;
  const seen = new Set(
    got
      .trimEnd()
      .split('\n')
      .map((line) => {
        const { who, i, text } = JSON.parse(line);
        assert.match(text, who === 'a' ? /^a+$/ : /^b+$/);
        return `${who}${i}`;
      }),
  );
  assert.equal(seen.size, 6000);
});
