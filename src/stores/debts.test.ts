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
    debts.storeIsBack(0, 1, 1100);
    assert.deepEqual([debts.owed(bucket('a'), 1100), debts.owed(bucket('b'), 1100), debts.owed(bucket('a'), 1250)], [200, 0, 50]);
    assert.equal(debts.owed(bucket('a'), 1301), 0);
  });

  test('stay owed when the store goes and comes again', () => {
    const debts = new Debts();
    debts.note([bucket('a')], [full(1000)], 0);
    debts.storeIsBack(0, 1, 100);
    debts.note([bucket('b')], [full(500)], 200);
    debts.storeIsBack(0, 1, 300);
    assert.deepEqual([debts.owed(bucket('a'), 300), debts.owed(bucket('b'), 300)], [700, 400]);
  });

  test('of what was given out while others counted in the store are added there, once, and not what all gave out without it', () => {
    const share = (key: string): Bucket => bucket(key, 10, 400);
    const after = (others: number) => {
      const debts = new Debts();
      debts.note([bucket('busy')], [full(1000)], 0);
      debts.storeIsAway(100);
      for (let i = 0; i < 5; i++) debts.noteOwn([share('busy')], [full(2000)], 4, 200);
      debts.noteOwn([share('refused')], [{ ...full(2000), allowed: false }], 4, 200);
      debts.storeIsBack(others, 4, 700);
      return debts;
    };
    // Five requests of a bucket that gives one every 100 ms.
    const alone = after(600 * 4);
    assert.deepEqual(
      [alone.takeMore(bucket('busy')), alone.takeMore(bucket('busy')), alone.takeMore(bucket('refused'))],
      [500, 0, 0],
    );
    assert.equal(alone.owed(bucket('busy'), 700), 1500);
    assert.equal(after(400).takeMore(bucket('busy')), 100);
    const together = after(0);
    assert.equal(together.takeMore(bucket('busy')), 0);
    alone.putBack(bucket('busy'), 500);
    assert.equal(alone.takeMore(bucket('busy')), 500);
  });

  test('of one outage are no debts of the next', () => {
    const debts = new Debts();
    debts.storeIsAway(0);
    debts.noteOwn([bucket('k')], [full(5000)], 1, 100);
    debts.storeIsBack(1000, 1, 200);
    assert.equal(debts.takeMore(bucket('k')), 100);
    debts.note([bucket('k')], [full(5000)], 300);
    debts.storeIsAway(400);
    debts.noteOwn([bucket('k')], [full(5000)], 1, 500);
    debts.storeIsBack(1000, 1, 600);
    assert.equal(debts.takeMore(bucket('k')), 100);
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
