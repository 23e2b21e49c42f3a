import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Debts } from './debts.ts';
import type { Bucket, Verdict } from './limit-store.ts';
import { MemoryLimitStore } from './memory-limit-store.ts';

const bucket = (key: string, burst = 4, interval = 100): Bucket => ({ limit: 'l', key, rate: { interval, burst } });
const full = (reset: number): Verdict => ({ allowed: true, remaining: 0, retryAfter: 0, reset });

describe('debts', () => {
  test('run down as time passes, and are those of limit and key', () => {
    const debts = new Debts();
    debts.note([bucket('a'), bucket('b')], [full(300), full(100)], 1000);
    assert.deepEqual(
      [1000, 1200, 9000].map((now) => [debts.of(bucket('a'), now), debts.of(bucket('b'), now)]),
      [
        [300, 100],
        [100, 0],
        [0, 0],
      ],
    );
    assert.equal(debts.of({ ...bucket('a'), limit: 'other' }, 1000), 0);
  });

  test('are not paid while nobody could hear of what others took, for a second at most', () => {
    const debts = new Debts();
    debts.note([bucket('busy'), bucket('idle')], [full(300), full(0)], 1000);
    debts.storeIsAway(1200);
    assert.deepEqual([debts.of(bucket('busy'), 1200), debts.of(bucket('idle'), 1200)], [300, 0]);
    assert.equal(debts.of(bucket('busy'), 1400), 100);
    debts.storeIsAway(9000);
    assert.equal(debts.of(bucket('busy'), 9000), 0);
    // What this process took meanwhile, it knows.
    debts.note([bucket('busy')], [full(50)], 9100);
    assert.equal(debts.of(bucket('busy'), 9120), 30);
  });

  test('are owed to a store that is back, until they have run down, and to none that was not away', () => {
    const debts = new Debts();
    debts.note([bucket('a')], [full(300)], 1000);
    assert.equal(debts.owed(bucket('a'), 1000), 0);
    debts.storeIsBack(1100);
    assert.deepEqual([debts.owed(bucket('a'), 1100), debts.owed(bucket('b'), 1100), debts.owed(bucket('a'), 1250)], [200, 0, 50]);
    assert.equal(debts.owed(bucket('a'), 1301), 0);
  });

  test('stay owed when the store goes and comes again', () => {
    const debts = new Debts();
    debts.note([bucket('a')], [full(1000)], 0);
    debts.storeIsBack(100);
    debts.note([bucket('b')], [full(500)], 200);
    debts.storeIsBack(300);
    assert.deepEqual([debts.owed(bucket('a'), 300), debts.owed(bucket('b'), 300)], [700, 400]);
  });

  test('are bounded: the last are remembered, however many keys there are', () => {
    const debts = new Debts();
    for (let i = 0; i < 100_000; i++) debts.note([bucket(`${i}`)], [full(1000)], 0);
    assert.deepEqual([debts.of(bucket('0'), 0), debts.of(bucket('99999'), 0), debts.of(bucket('85000'), 0)], [0, 1000, 1000]);
  });

  test('of a whole bucket say how full a share of it is', () => {
    const local = new MemoryLimitStore({ now: () => 0 });
    // Of four instances: a quarter of the rate, a quarter of the burst of 40.
    const share = { ...bucket('k', 10, 400), debt: 3000 };
    const [verdict] = local.take([share]);
    assert.deepEqual([verdict.allowed, verdict.remaining, verdict.reset], [true, 1, 3400]);
    assert.equal(local.take([{ ...share, debt: 100_000 }])[0].allowed, false);
    assert.equal(local.take([bucket('k', 10, 400)])[0].remaining, 0);
  });
});
