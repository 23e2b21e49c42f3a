import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench } from './fakes.ts';
import { upstreamSources } from './metrics.ts';

function valuesOf(bench: Bench): Record<string, string> {
  const sources = upstreamSources(() => bench.upstreams.snapshot());
  const told = sources.map(({ name, collect }) => {
    const values = collect().map(({ labels, value }) => [labels.address ?? labels.outcome ?? '', value].join(' ').trim());
    return [name.replace('portcullis_', ''), values.join(', ')];
  });
  return Object.fromEntries(told) as Record<string, string>;
}

test('states, calls and failures of targets', () => {
  const targets = ['http://127.0.0.1:9001', 'http://127.0.0.1:9002'];
  const bench = new Bench({ targets, ejection: { failures: 1 }, breaker: { failures: 1 }, retries: { tries: 1 } });
  assert.deepEqual(valuesOf(bench), {
    target_up: '127.0.0.1:9001 1, 127.0.0.1:9002 1',
    target_calls: '127.0.0.1:9001 0, 127.0.0.1:9002 0',
    target_connections: '127.0.0.1:9001 0, 127.0.0.1:9002 0',
    target_failures_total: '127.0.0.1:9001 0, 127.0.0.1:9002 0',
    upstream_calls: '0',
    upstream_queue: '0',
    upstream_breaker_open: '0',
    upstream_retries_total: 'allowed 0, denied 0',
  });
  bench.send();
  bench.send();
  bench.client(9001).last.fault('upstream-closed');
  const after = valuesOf(bench);
  assert.equal(after.target_up, '127.0.0.1:9001 0, 127.0.0.1:9002 1');
  assert.equal(after.target_calls, '127.0.0.1:9001 0, 127.0.0.1:9002 1');
  assert.equal(after.target_failures_total, '127.0.0.1:9001 1, 127.0.0.1:9002 0');
  assert.equal(after.upstream_calls, '1');
  assert.equal(after.upstream_breaker_open, '1');
});

test('a target that is written twice is one series', () => {
  const bench = new Bench({ targets: ['http://127.0.0.1:9001', 'http://127.0.0.1:9001'] });
  bench.send();
  bench.send();
  assert.equal(valuesOf(bench).target_calls, '127.0.0.1:9001 2');
  assert.equal(valuesOf(bench).target_up, '127.0.0.1:9001 1');
});

test('calls that wait are counted', () => {
  const bench = new Bench({ targets: ['http://127.0.0.1:9001'], connections: 1 });
  bench.send();
  bench.send();
  assert.deepEqual([valuesOf(bench).upstream_calls, valuesOf(bench).upstream_queue], ['1', '1']);
});
