import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeRecent, TrafficRing } from './recent-traffic.ts';

test('each second has its own count, and the one under way is not told yet', () => {
  const ring = new TrafficRing(5_400);
  for (const [at, outcome] of [
    [5_900, 'passed'],
    [5_999, 'refused'],
    [6_000, 'failed'],
    [8_100, 'passed'],
    [9_000, 'passed'],
  ] as const)
    ring.count(at, outcome);
  assert.deepEqual(ring.snapshot(9_999), { requests: [2, 1, 0, 1], refused: [1, 0, 0, 0], errors: [0, 1, 0, 0] });
  assert.deepEqual(ring.snapshot(10_000).requests, [2, 1, 0, 1, 1]);
});

test('a process that has just begun has no past', () => {
  assert.deepEqual(new TrafficRing(1_000).snapshot(1_500), { requests: [], refused: [], errors: [] });
});

test('ten minutes are kept, whether requests come or not', () => {
  const ring = new TrafficRing(0);
  for (let second = 0; second < 2000; second++) ring.count(second * 1000, 'passed');
  assert.deepEqual(
    ring.snapshot(1_999_000).requests,
    Array.from({ length: 600 }, () => 1),
  );
  const quiet = ring.snapshot(2_004_000).requests;
  assert.deepEqual([quiet.length, quiet.slice(-6)], [600, [1, 1, 0, 0, 0, 0]]);
  assert.deepEqual(
    ring.snapshot(9_999_000).requests,
    Array.from({ length: 600 }, () => 0),
  );
  ring.count(9_999_500, 'refused');
  assert.deepEqual(ring.snapshot(10_000_000).refused.slice(-2), [0, 1]);
});

test('a clock that stands still, or goes back, loses nothing', () => {
  const ring = new TrafficRing(10_000);
  ring.count(12_000, 'passed');
  ring.count(11_000, 'passed');
  assert.deepEqual(ring.snapshot(13_000).requests, [0, 0, 2]);
});

test('processes are added from their common end', () => {
  const long = { requests: [1, 2, 3], refused: [0, 1, 0], errors: [0, 0, 1] };
  const short = { requests: [10], refused: [5], errors: [0] };
  assert.deepEqual(mergeRecent([long, short]), { requests: [1, 2, 13], refused: [0, 1, 5], errors: [0, 0, 1] });
  assert.deepEqual(mergeRecent([{ requests: [], refused: [], errors: [] }]), { requests: [], refused: [], errors: [] });
  assert.equal(mergeRecent([]), undefined);
});
