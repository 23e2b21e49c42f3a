/** The bench judges others, so it is judged here: what it takes for right, and how it counts. */
import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { findWrongAnswer, startCheckService } from '../bench/answers.ts';
import { readOptions } from '../bench/args.ts';
import { findUnrefused } from '../bench/guarded.ts';
import type { Measurement } from '../bench/measure.ts';
import { formatTable, judgeTargets, judgeWorkers, median, summarize } from '../bench/report.ts';
import { ANSWER } from '../bench/workload.ts';

const measurement = (gateway: string, round: number, cpu: number, more: Partial<Measurement> = {}): Measurement => ({
  ...{
    gateway,
    round,
    cpu,
    protocol: 'http',
    work: 'get',
    rps: 1000,
    p50: 1,
    p99: 2,
    memory: 100,
    shares: [],
    disturbed: 0,
    wrong: undefined,
  },
  ...more,
});

test('options: names choose within their kind, nonsense is refused', () => {
  const chosen = readOptions(['--only', 'post,portcullis,h2,nginx', '--rounds', '5']);
  assert.ok(chosen !== 'help');
  assert.deepEqual(
    [chosen.protocols, chosen.works, chosen.gateways, chosen.rounds],
    [['h2'], ['post'], ['nginx', 'portcullis'], 5],
  );
  assert.throws(() => readOptions(['--only', 'apache']), /apache is none of/);
  assert.throws(() => readOptions(['--rounds', '0']), /--rounds/);
  assert.throws(() => readOptions(['--no-such']));
});

test('medians over rounds, ratios within rounds', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  // The machine was half as fast in the second round: the ratio does not care.
  const rows = summarize([
    ...[measurement('undici', 1, 40), measurement('portcullis', 1, 20)],
    ...[measurement('undici', 2, 80), measurement('portcullis', 2, 40)],
    ...[measurement('undici', 3, 41), measurement('portcullis', 3, 41)],
  ]);
  const [undici, portcullis] = rows;
  assert.deepEqual([undici.cpu, undici.toUndici, undici.toNginx], [41, 1, undefined]);
  assert.deepEqual([portcullis.cpu, portcullis.toUndici], [40, 0.5]);
  assert.match(formatTable(rows), /http\s+get\s+portcullis\s+1000\s+40\.0\s+0\.50/);
});

test('one wrong round makes the row wrong, and a wrong row meets no target', () => {
  const rows = summarize([measurement('portcullis', 1, 20), measurement('portcullis', 2, 20, { wrong: 'no answers' })]);
  assert.match(formatTable(rows), /WRONG: no answers/);
  assert.deepEqual(judgeTargets(rows), []);
});

test('targets are met up to their bound and missed beyond', () => {
  const judge = (cpu: number, memory: number): boolean[] =>
    judgeTargets(summarize([measurement('undici', 1, 40), measurement('portcullis', 1, cpu, { memory })])).map(
      ({ isMet }) => isMet,
    );
  assert.deepEqual(judge(40, 130), [true, true]);
  assert.deepEqual(judge(41, 131), [false, false]);
  const guarded = (cpu: number): boolean[] =>
    judgeTargets(
      summarize([measurement('undici', 1, 40, { work: 'guarded' }), measurement('portcullis', 1, cpu, { work: 'guarded' })]),
    ).map(({ isMet }) => isMet);
  assert.deepEqual([guarded(80), guarded(81)], [[true], [false]]);
  const workers = (cpu: number, shares: number[]): boolean[] =>
    judgeWorkers(summarize([measurement('portcullis', 1, 40), measurement('portcullis ×2', 1, cpu, { shares })])).map(
      ({ isMet }) => isMet,
    );
  assert.deepEqual(workers(48, [0.41, 0.59]), [true, true]);
  assert.deepEqual(workers(49, [0.39, 0.61]), [false, false]);
});

test('a gateway that answers wrongly is found out', async () => {
  const check = await startCheckService();
  /** A gateway that forwards checks as `change` says and answers everything else by itself. */
  const gateway = http.createServer((request, response) => {
    if (!request.url?.startsWith('/bench-check')) {
      response.end(mode === 'other answer' ? '{}' : ANSWER);
      return;
    }
    const path = mode === 'other target' ? request.url.replaceAll('%20', '+') : request.url;
    const headers = { ...request.headers };
    if (mode === 'lost field') delete headers['x-bench'];
    if (mode === 'lost body') delete headers['content-length'];
    const method = mode === 'other method' ? 'PUT' : request.method;
    const forward = http.request({ port: check.port, host: '127.0.0.1', method, path, headers, agent: false }, (answer) => {
      answer.pipe(response);
    });
    if (mode === 'lost body') forward.end();
    else request.pipe(forward);
  });
  let mode = '';
  await new Promise<void>((resolve) => {
    gateway.listen(0, '127.0.0.1', resolve);
  });
  const { port } = gateway.address() as AddressInfo;
  try {
    assert.equal(await findWrongAnswer('http', port), undefined);
    for (mode of ['other answer', 'other target', 'lost field', 'lost body', 'other method']) {
      assert.notEqual(await findWrongAnswer('http', port), undefined, mode);
    }
  } finally {
    gateway.closeAllConnections();
    gateway.close();
    check.close();
  }
});

test('a gateway that lets pass what it must refuse is found out, rule by rule', async () => {
  let asked = 0;
  /** Refuses the first requests of the run as it must, and none after these. */
  const answers = [
    [401, 'token-missing'],
    [401, 'token-signature'],
    [401, 'token-expired'],
    [422, 'contract-body'],
    [200, ''],
    [429, ''],
  ] as const;
  let right = 0;
  const gateway = http.createServer((request, response) => {
    const [status, code] = asked < right ? answers[asked] : ([200, ''] as const);
    asked++;
    request.resume().on('end', () => response.writeHead(status).end(`{"code":"${code}"}`));
  });
  await new Promise<void>((resolve) => {
    gateway.listen(0, '127.0.0.1', resolve);
  });
  const { port } = gateway.address() as AddressInfo;
  try {
    const found: string[] = [];
    for (const upTo of [0, 1, 2, 3, 4, 6]) {
      [asked, right] = [0, upTo];
      found.push(((await findUnrefused(port)) ?? 'nothing').split(' got')[0]);
    }
    const what = ['no token', 'a forged token', 'an expired token', 'a body beside the contract', 'a request over the limit'];
    assert.deepEqual(found, [...what, 'nothing']);
  } finally {
    gateway.closeAllConnections();
    gateway.close();
  }
});
