import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { refuse } from '../exchange/decision.ts';
import { Exchange } from '../exchange/exchange.ts';
import { countersOf, type MetricsSnapshot, mergeSnapshots, render } from './exposition.ts';
import { BUCKETS, Histogram } from './histogram.ts';
import { Metrics } from './metrics.ts';
import { registerProcess } from './process-metrics.ts';

const connection = { listener: 'public', secure: false, peerAddress: '127.0.0.1', peerPort: 1, serverName: undefined };
const head = {
  method: 'GET',
  rawTarget: '/',
  version: '1.1' as const,
  host: 'h',
  authority: 'h',
  path: '/',
  query: undefined,
  headers: [],
};

function exchange(changes: Partial<Exchange>, upstream: Partial<Exchange['upstream']> = {}): Exchange {
  const x = Object.assign(new Exchange('id', connection, head, undefined), changes);
  Object.assign(x.upstream, upstream);
  return x;
}

/** The value of one line of the text, or undefined. */
function value(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

function sample(): Metrics {
  const metrics = new Metrics();
  const orders = { route: '/orders/**', service: 'orders' };
  const upstream = { target: '127.0.0.1:9001', status: 200, ms: 2, tries: 1 };
  metrics.record(exchange({ ...orders, status: 200, responseBytes: 10, requestBytes: 3 }, upstream), 3);
  metrics.record(exchange({ ...orders, status: 201, responseBytes: 20 }, { ...upstream, tries: 2 }), 0.2);
  metrics.record(
    exchange(
      { ...orders, status: 504, decision: refuse('upstream-timeout', 'slow') },
      { ...upstream, status: undefined, ms: undefined },
    ),
    3000,
  );
  metrics.record(exchange({ status: 404, decision: refuse('route-not-found', 'none') }), 0.1);
  metrics.record(exchange({ ...orders, status: 0, decision: refuse('client-gone', 'left') }), 1);
  metrics.record(exchange({ ...orders, status: 500, fault: new Error('broke'), decision: refuse('internal', 'broke') }), 1);
  metrics.recordWire(refuse('request-line', 'odd'), 400, 0.1, 5, 100);
  metrics.connectionOpened('public');
  metrics.connectionOpened('public');
  metrics.connectionClosed('public');
  metrics.connectionRefused('public', 'connection-cap');
  metrics.connectionRefused('public', 'connection-cap');
  return metrics;
}

test('requests, refusals, durations, bytes, upstream calls and connections are counted', () => {
  const text = render(sample().snapshot());
  const passed = 'route="/orders/**",service="orders",status="2xx",room="",code=""';
  const expected: [string, number][] = [
    [`portcullis_requests_total{${passed}}`, 2],
    ['portcullis_requests_total{route="/orders/**",service="orders",status="5xx",room="upstream",code="upstream-timeout"}', 1],
    ['portcullis_requests_total{route="/orders/**",service="orders",status="none",room="listen",code="client-gone"}', 1],
    ['portcullis_requests_total{route="",service="",status="4xx",room="route",code="route-not-found"}', 1],
    ['portcullis_requests_total{route="",service="",status="4xx",room="listen",code="request-line"}', 1],
    ['portcullis_request_duration_seconds_bucket{route="/orders/**",service="orders",le="0.0005"}', 1],
    ['portcullis_request_duration_seconds_bucket{route="/orders/**",service="orders",le="0.005"}', 4],
    ['portcullis_request_duration_seconds_bucket{route="/orders/**",service="orders",le="+Inf"}', 5],
    ['portcullis_request_duration_seconds_count{route="/orders/**",service="orders"}', 5],
    ['portcullis_request_duration_seconds_sum{route="/orders/**",service="orders"}', 3.0052],
    ['portcullis_request_body_bytes_total{route="/orders/**",service="orders"}', 3],
    ['portcullis_response_body_bytes_total{route="/orders/**",service="orders"}', 30],
    ['portcullis_upstream_responses_total{service="orders",status="2xx"}', 2],
    ['portcullis_upstream_responses_total{service="orders",status="none"}', 1],
    ['portcullis_upstream_tries_total{service="orders"}', 4],
    ['portcullis_upstream_duration_seconds_count{service="orders"}', 2],
    ['portcullis_connections_total{listener="public"}', 2],
    ['portcullis_connections{listener="public"}', 1],
    ['portcullis_connections_refused_total{listener="public",code="connection-cap"}', 2],
    ['portcullis_faults_total', 1],
  ];
  for (const [series, count] of expected) assert.equal(value(text, series), count, series);
});

test('the bounds of buckets are inclusive and every duration falls into one', () => {
  const histogram = new Histogram();
  for (const bound of BUCKETS) histogram.observe(bound * 1000);
  histogram.observe(1e9);
  histogram.observe(Number.NaN);
  histogram.observe(-1);
  const counts = histogram.snapshot().buckets;
  assert.equal(
    counts.reduce((a, b) => a + b),
    histogram.count,
  );
  assert.equal(counts[1], 1);
  assert.equal(counts.at(-1), 1);
});

test('snapshots of several processes become one', () => {
  const one = sample().snapshot();
  const merged = mergeSnapshots([one, JSON.parse(JSON.stringify(one)) as MetricsSnapshot, countersOf(one)]);
  const text = render(merged);
  assert.equal(value(text, 'portcullis_requests_total{route="",service="",status="4xx",room="route",code="route-not-found"}'), 3);
  assert.equal(value(text, 'portcullis_request_duration_seconds_bucket{route="/orders/**",service="orders",le="0.005"}'), 12);
  assert.equal(value(text, 'portcullis_connections{listener="public"}'), 2, 'the gauge of a dead process does not count');
  assert.equal(render(mergeSnapshots([one])), render(one));
});

test('what rooms register is merged as they say', () => {
  const family = (count: number) => {
    const metrics = new Metrics();
    for (const merge of ['sum', 'max', 'min'] as const) {
      metrics.register({
        name: `x_${merge}`,
        help: 'h',
        type: 'gauge',
        merge,
        collect: () => [{ labels: { target: 'a"\\\nb' }, value: count }],
      });
    }
    return metrics.snapshot();
  };
  const text = render(mergeSnapshots([family(2), family(5)]));
  assert.equal(value(text, 'x_sum{target="a\\"\\\\\\nb"}'), 7);
  assert.equal(value(text, 'x_max{target="a\\"\\\\\\nb"}'), 5);
  assert.equal(value(text, 'x_min{target="a\\"\\\\\\nb"}'), 2);
});

test('the number of series is bounded, and nothing is lost', () => {
  const metrics = new Metrics();
  for (let i = 0; i < 5000; i++) metrics.record(exchange({ route: `/r${i % 2500}`, service: `s${i % 3}`, status: 200 }), 1);
  const families = metrics.snapshot().families;
  const requests = families.find((family) => family.name === 'portcullis_requests_total');
  assert.equal(requests?.series.length, 2001);
  assert.equal(
    requests?.series.reduce((sum, series) => sum + series.value, 0),
    5000,
  );
  assert.ok(requests?.series.some((series) => series.labels.route === 'other'));
});

test('one path pattern with several services is counted apart', () => {
  const metrics = new Metrics();
  for (const service of ['a', 'b', 'a', 'c', 'b']) metrics.record(exchange({ route: '/**', service, status: 200 }), 1);
  const text = render(metrics.snapshot());
  for (const [service, count] of [
    ['a', 2],
    ['b', 2],
    ['c', 1],
  ]) {
    assert.equal(value(text, `portcullis_request_duration_seconds_count{route="/**",service="${service}"}`), count);
  }
});

const promtool = process.env.PROMTOOL ?? 'promtool';
const hasPromtool = spawnSync(promtool, ['--version']).status === 0;

test('promtool has nothing to say against the text', {
  skip: hasPromtool ? false : 'promtool is not installed (apt-get install prometheus)',
}, () => {
  const metrics = sample();
  registerProcess(metrics);
  metrics.record(exchange({ route: '/"quoted"\\**', service: 's', status: 200 }), 1);
  const check = spawnSync(promtool, ['check', 'metrics'], { input: render(metrics.snapshot()), encoding: 'utf8' });
  assert.equal(check.stdout + check.stderr, '');
  assert.equal(check.status, 0);
});

// That it has those of other rooms too, and no other, is held by test/journeys/documents.test.ts with a whole gateway.
test('the manual has every metric', () => {
  const manual = readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8');
  const table = manual.split('\n').filter((line) => line.startsWith('| `p'));
  const written = table.flatMap((line) => line.split('|')[1].match(/\w+/g) ?? []);
  const metrics = sample();
  registerProcess(metrics);
  const counted = metrics.snapshot().families.map((family) => family.name);
  assert.deepEqual(
    counted.filter((name) => !written.includes(name)),
    [],
  );
});

test('each request is in its second, once, by its outcome', () => {
  const metrics = sample();
  assert.deepEqual(metrics.recent.snapshot(performance.now() + 1000 * 600).requests.length, 600);
  const { requests, refused, errors } = sample().recent.snapshot(performance.now() + 2000);
  const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
  assert.deepEqual([sum(requests), sum(refused), sum(errors)], [7, 4, 1]);
});
