/** The bench judges others, so it is judged here: what it takes for right, and how it counts. */
import assert from 'node:assert/strict';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { findWrongAnswer, startCheckService } from '../bench/answers.ts';
import { readOptions } from '../bench/args.ts';
import { FIREWALL_WORKS, findUnblocked, withLastValue } from '../bench/firewall.ts';
import { firewallCosts, formatCosts, judgeFirewall } from '../bench/firewall-report.ts';
import { findUnrefused } from '../bench/guarded.ts';
import type { Measurement } from '../bench/measure.ts';
import { formatTable, judgeTargets, judgeWorkers, median, summarize } from '../bench/report.ts';
import { ANSWER, bodyOf, proseBody } from '../bench/workload.ts';

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
    startMs: undefined,
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

test('what a firewall adds is the difference within rounds, and one wrong round of either side leaves nothing', () => {
  const round = (number: number, speed: number, more: Partial<Measurement> = {}) => [
    measurement('nginx', number, 10 * speed),
    measurement('nginx-waf', number, 2010 * speed, { memory: 160 }),
    measurement('portcullis', number, 20 * speed),
    measurement('portcullis-waf', number, 40 * speed, { memory: 190, startMs: 1200, ...more }),
  ];
  const [nginx, ours] = firewallCosts([...round(1, 1), ...round(2, 2), ...round(3, 3)]);
  assert.deepEqual([nginx.gateway, nginx.off, nginx.on, nginx.added, nginx.timesAdded], ['nginx-waf', 20, 4020, 4000, undefined]);
  assert.deepEqual([ours.off, ours.on, ours.added, ours.timesAdded, ours.timesWhole], [40, 80, 40, 100, 50.25]);
  assert.deepEqual([nginx.memory, ours.memory, nginx.startMs, ours.startMs], [60, 90, undefined, 1200]);
  assert.match(formatCosts([ours]), /get\s+portcullis-waf\s+40\.0\s+80\.0\s+40\.0\s+100\.0\s+50\.3\s+90\s+1200/);
  const spoilt = firewallCosts([...round(1, 1), ...round(2, 2, { wrong: 'an attack got 200' })]);
  assert.deepEqual(
    spoilt.map(({ gateway }) => gateway),
    ['nginx-waf'],
  );
  // Nothing to compare with: said what it adds, and no ratio.
  const [alone] = firewallCosts(round(1, 1).slice(2));
  assert.deepEqual([alone.added, alone.timesAdded, alone.timesWhole], [20, undefined, undefined]);
});

test('the firewall meets its targets up to their bounds, and prose is not judged by ratios', () => {
  const judge = (work: 'get' | 'post' | 'prose', on: number, memory: number, startMs: number) => {
    const all = [
      ...[measurement('nginx', 1, 0.001, { work }), measurement('nginx-waf', 1, 4000, { work })],
      ...[measurement('portcullis', 1, 20, { work }), measurement('portcullis-waf', 1, on, { work, memory, startMs })],
    ];
    return judgeFirewall(firewallCosts(all)).map(({ isMet }) => isMet);
  };
  assert.deepEqual(judge('get', 69, 200, 1499), [true, true, true, true]);
  assert.deepEqual(judge('get', 71, 201, 1500), [false, true, false, false]);
  assert.deepEqual(judge('get', 115, 200, 1000), [false, false, true, true]);
  assert.deepEqual(judge('post', 73, 200, 1000), [false, false, true, true]);
  assert.deepEqual(judge('prose', 4000, 200, 1000), [true, true]);
});

test('the word waf names all that the comparison of firewalls needs', () => {
  const chosen = readOptions(['--only', 'waf']);
  assert.ok(chosen !== 'help');
  assert.deepEqual([chosen.protocols, chosen.works], [['http'], FIREWALL_WORKS]);
  assert.deepEqual(chosen.gateways, ['nginx', 'nginx-waf', 'portcullis', 'portcullis-waf', 'portcullis-builtin']);
});

test('an attack stands in the last value of what the load sends, and prose in all of them', () => {
  for (const work of ['post', 'prose'] as const) {
    const body = withLastValue(bodyOf(work) ?? '', "' or 1=1 -- ");
    assert.match(body, /"' or 1=1 -- "\}\]\}$/);
    assert.equal(JSON.parse(body).items.length, 8);
  }
  const values: unknown[] = [];
  JSON.parse(proseBody(), (_, value: unknown) => (typeof value === 'object' ? value : values.push(value)));
  assert.equal(values.length, 42);
  for (const value of values) assert.match(String(value), /^\w+(?: \w+){2,5}(?:[,;.]| -) \w+(?: \w+){2,5}[.!? ]/);
});

test('a firewall that lets one of the attacks pass is found out, on every work', async () => {
  let asked = 0;
  let refusals = 0;
  const seen: string[] = [];
  const gateway = http.createServer((request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => seen.push(text));
    seen.push(request.url ?? '');
    request.on('end', () => response.writeHead(asked++ < refusals ? 403 : 200).end());
  });
  await new Promise<void>((resolve) => {
    gateway.listen(0, '127.0.0.1', resolve);
  });
  const { port } = gateway.address() as AddressInfo;
  try {
    for (const work of FIREWALL_WORKS) {
      const found: boolean[] = [];
      for (const upTo of [0, 1, 2, 3, 4]) {
        [asked, refusals] = [0, upTo];
        found.push((await findUnblocked(work, port)) !== undefined);
      }
      assert.deepEqual(found, [true, true, true, true, false], work);
      assert.match(decodeURIComponent(seen.join('')), /\/etc\/passwd/, work);
      seen.length = 0;
    }
  } finally {
    gateway.closeAllConnections();
    gateway.close();
  }
});
