import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { refuse } from '../exchange/decision.ts';
import { Exchange } from '../exchange/exchange.ts';
import { humanLine, jsonLine } from './log.ts';
import { observeOptions } from './options.ts';
import { createObserve, render } from './stage.ts';

const connection = { listener: 'public', secure: false, peerAddress: '127.0.0.1', peerPort: 1, serverName: undefined };
const head = {
  method: 'GET',
  rawTarget: '/a',
  version: '1.1' as const,
  host: 'h',
  authority: 'h',
  path: '/a',
  query: undefined,
  headers: [],
};
const exchange = () => new Exchange('id', connection, head, undefined);

function quietLog() {
  const entries: string[] = [];
  const say = (message: string) => void entries.push(message);
  return { entries, info: say, warn: say, error: say };
}

test('requests and wire refusals are recorded and counted', async (t) => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'portcullis-observe-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const path = join(folder, 'access.jsonl');
  const observe = createObserve(observeOptions.parse({ access: path }), quietLog());
  observe.record(Object.assign(exchange(), { status: 200, route: '/a' }));
  const refusal = refuse('request-line', 'odd');
  observe.recordWire({
    id: 'w',
    time: Date.now(),
    began: performance.now(),
    connection,
    refusal,
    requestBytes: 3,
    responseBytes: 4,
  });
  await observe.close();
  const lines = fs
    .readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map((line) => [line.request_id, line.http.status, line.decision?.code]),
    [
      ['id', 200, undefined],
      ['w', 400, 'request-line'],
    ],
  );
  const text = render(observe.metrics.snapshot());
  assert.match(text, /^portcullis_requests_total\{route="\/a",service="",status="2xx",room="",code=""\} 1$/m);
  assert.match(text, /^portcullis_requests_total\{route="",service="",status="4xx",room="listen",code="request-line"\} 1$/m);
});

test('counters live on when the options change, lost records included', async () => {
  const log = quietLog();
  const first = createObserve(observeOptions.parse({ access: '/dev/null' }), log);
  await first.close();
  first.record(exchange());
  const second = createObserve(observeOptions.parse({ access: 'off' }), log, { metrics: first.metrics });
  second.record(exchange());
  await second.close();
  const text = render(second.metrics.snapshot());
  assert.match(text, /^portcullis_request_duration_seconds_count\{route="",service=""\} 2$/m);
  assert.equal(second.metrics, first.metrics);
});

test('a defect in the record fails no request and is logged once', async () => {
  const log = quietLog();
  const observe = createObserve(observeOptions.parse({ access: '/dev/null' }), log);
  const broken = Object.assign(exchange(), { clientAddress: undefined as unknown as string });
  observe.record(broken);
  observe.record(broken);
  await observe.close();
  assert.deepEqual(log.entries, ['an access record could not be made']);
});

test('a path that cannot be opened is a warning, not an end', async (t) => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'portcullis-observe-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const log = quietLog();
  const observe = createObserve(observeOptions.parse({ access: folder }), log);
  observe.record(exchange());
  await observe.close();
  assert.equal(log.entries[0], 'lines cannot be written');
  assert.match(render(observe.metrics.snapshot()), /^portcullis_access_log_lost_total 1$/m);
});

test('options: what may be written and what may not', () => {
  const defaults = {
    access: 'stdout',
    events: 'off',
    redact: { parameters: [], fields: [], subject: 'keep', address: 'keep' },
    rotate: { size: 100 * 1024 ** 2, keep: 5 },
  };
  assert.deepEqual(observeOptions.parse({}), defaults);
  assert.deepEqual(observeOptions.parse({ access: 'a.jsonl', rotate: false }), { ...defaults, access: 'a.jsonl', rotate: false });
  assert.deepEqual(observeOptions.parse({ rotate: { size: '1MiB' } }).rotate, { size: 1024 ** 2, keep: 5 });
  for (const wrong of [
    { access: '' },
    { access: 1 },
    { rotate: { size: '1KiB' } },
    { rotate: { keep: 0 } },
    { rotate: true },
    { acces: 'x' },
  ]) {
    assert.equal(observeOptions.safeParse(wrong).success, false, JSON.stringify(wrong));
  }
});

test('the log is one line: JSON, or text that steers no terminal', () => {
  const error = new Error('first\nsecond', { cause: Object.assign(new Error('inner'), { code: 'ENOSPC' }) });
  const parsed = JSON.parse(jsonLine('error', 'it broke', { error, level: 'forged' }));
  assert.equal(parsed.level, 'error');
  assert.equal(parsed.error.message, 'first\nsecond');
  assert.equal(parsed.error.cause.code, 'ENOSPC');
  const circle: Record<string, unknown> = {};
  circle.circle = circle;
  assert.match(jsonLine('info', 'm', { circle }), /not serialisable/);
  assert.match(humanLine('info', 'm', { circle }), /not serialisable/);
  const text = humanLine('warn', 'a\u001b[31m\u009b', { error, path: '/a b', n: 1, plain: 'x\r\ny' });
  assert.match(text, /^\d\d:\d\d:\d\d\.\d{3} warn {2}a\uFFFD\[31m\uFFFD error=Error: first \| second \| at /);
  assert.match(text, / path="\/a b" n=1 plain="x\\r\\ny"$/);
  assert.doesNotMatch(text, /[\r\n\u001b]/);
  const list = { problems: ['a.yaml:1:2: unknown key "b"', 'a.yaml:3:4: c'], numbers: [1, 2] };
  assert.match(humanLine('error', 'm', list), / m problems=a\.yaml:1:2: unknown key "b" \| a\.yaml:3:4: c numbers=\[1,2\]$/);
});
