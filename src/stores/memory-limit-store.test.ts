import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import type { Bucket, Rate } from './limit-store.ts';
import { MemoryLimitStore } from './memory-limit-store.ts';

const HOURLY: Rate = { interval: 3_600_000, burst: 2 };

function bucket(key: string, rate: Rate = HOURLY, coarser?: string[], limit = 'a'): Bucket {
  return { limit, rate, key, coarser };
}

/** A store with a clock that the test moves. */
function storeAt(places?: number) {
  const clock = { now: 1000 };
  const store = new MemoryLimitStore({ places, now: () => clock.now });
  const passes = (...buckets: Bucket[]) => store.take(buckets).every(({ allowed }) => allowed);
  return { clock, store, passes };
}

describe('the memory store', () => {
  test('counts each key of each limit by itself', () => {
    const { passes } = storeAt();
    for (const key of ['x', 'y'])
      for (const limit of ['a', 'b']) {
        const one = bucket(key, HOURLY, undefined, limit);
        assert.deepEqual([passes(one), passes(one), passes(one)], [true, true, false]);
      }
  });

  test('keys and names that differ only where they meet are apart', () => {
    const { store, passes } = storeAt();
    const odd = ['', '\0', '\0\0', '\0\0\0', 'a', 'ab', 'abc', 'a\0', 'ā', '\ud800', 'x'.repeat(300)];
    for (const limit of ['', 'a', 'ab'])
      for (const key of odd) assert.ok(passes(bucket(key, { ...HOURLY, burst: 1 }, undefined, limit)));
    assert.equal(store.size, 3 * odd.length);
  });

  test('a bucket opens again with the clock', () => {
    const { clock, store, passes } = storeAt();
    assert.ok(passes(bucket('x')) && passes(bucket('x')));
    const [refused] = store.take([bucket('x')]);
    assert.deepEqual(refused, { allowed: false, remaining: 0, retryAfter: 3_600_000, reset: 7_200_000 });
    clock.now += 3_600_000 - 1;
    assert.ok(!passes(bucket('x')));
    clock.now += 1;
    assert.ok(passes(bucket('x')));
    assert.ok(!passes(bucket('x')));
  });

  test('of several buckets none is charged when one refuses', () => {
    const { store, passes } = storeAt();
    assert.ok(passes(bucket('tight')) && passes(bucket('tight')));
    const verdicts = store.take([bucket('wide'), bucket('tight')]);
    assert.deepEqual(
      verdicts.map(({ allowed, remaining }) => [allowed, remaining]),
      [
        [true, 2],
        [false, 0],
      ],
    );
    assert.ok(passes(bucket('wide'), bucket('other')) && passes(bucket('wide'), bucket('other')));
    assert.ok(!passes(bucket('wide')) && !passes(bucket('other')));
  });

  test('new keys together in one request stay apart, also where places are used again', () => {
    const { clock, passes } = storeAt(256);
    const single = { interval: 1000, burst: 1 };
    for (let round = 0; round < 200; round++) {
      const keys = Array.from({ length: 8 }, (_, i) => bucket(`${round}-${i}`, single));
      assert.ok(passes(...keys), `round ${round}`);
      for (const key of keys) assert.ok(!passes(key), `round ${round}: ${key.key} was not counted`);
      clock.now += 1000;
    }
  });

  test('grows with its keys, loses none, and gives their places back', () => {
    const { clock, store, passes } = storeAt();
    const once = { interval: 60_000, burst: 1 };
    for (let i = 0; i < 100_000; i++) assert.ok(passes(bucket(`k${i}`, once)));
    assert.equal(store.size, 100_000);
    for (let i = 0; i < 100_000; i++) assert.ok(!passes(bucket(`k${i}`, once)));
    clock.now += 60_000;
    for (let i = 0; i < 300_000; i++) store.take([bucket('the same')]);
    assert.ok(store.size < 5000, `${store.size} places for one key in use`);
  });

  test('a million addresses take less than 150 MB, old tables that nobody has collected included', () => {
    const { store, passes } = storeAt();
    const once = { ...HOURLY, burst: 1 };
    const address = (i: number) => bucket(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, once);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1_000_000; i++) passes(address(i));
    const megabytes = (process.memoryUsage().arrayBuffers - before) / 1e6;
    assert.equal(store.size, 1_000_000);
    assert.ok(megabytes < 150, `${megabytes} MB`);
    for (let i = 0; i < 1_000_000; i += 997) assert.ok(!passes(address(i)));
  });

  test('a wall clock that is set neither frees nor locks anybody', () => {
    mock.timers.enable({ apis: ['Date'] });
    try {
      const store = new MemoryLimitStore();
      const passes = (key: string) => store.take([bucket(key, { ...HOURLY, burst: 1 })])[0].allowed;
      mock.timers.setTime(1_800_000_000_000);
      assert.ok(passes('x'));
      mock.timers.setTime(1_900_000_000_000);
      assert.ok(!passes('x'));
      assert.ok(passes('y'));
      mock.timers.setTime(1_000_000_000_000);
      assert.ok(!passes('x') && !passes('y'));
      assert.ok(passes('z'));
    } finally {
      mock.timers.reset();
    }
  });

  test('keys that come and go for ever take no more places', () => {
    const { clock, store, passes } = storeAt();
    for (let i = 0; i < 300_000; i++) {
      clock.now += 1;
      assert.ok(passes(bucket(`k${i}`, { interval: 1000, burst: 1 })));
    }
    assert.ok(store.size < 20_000, `${store.size} places for the 1,000 keys of a second`);
  });
});

describe('past its bound, the memory store', () => {
  const addresses = (count: number) =>
    Array.from({ length: count }, (_, i) =>
      bucket(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, { ...HOURLY, burst: 1 }, [`10.${i >> 16}.${(i >> 8) & 255}.0/24`]),
    );

  test('forgets nobody who is being limited', () => {
    const { passes } = storeAt(2000);
    const limited = Array.from({ length: 500 }, (_, i) => bucket(`limited ${i}`));
    for (const one of limited) assert.ok(passes(one) && passes(one) && !passes(one));
    for (const one of addresses(100_000)) passes(one);
    for (const one of limited) assert.ok(!passes(one), `${one.key} was forgotten`);
  });

  test('counts new keys in their coarser spellings, so that few of them pass', () => {
    const { store, passes } = storeAt(2000);
    const passed = addresses(100_000).filter((one) => passes(one)).length;
    assert.ok(passed >= 2000, `${passed}`);
    // Each of the 391 networks has one bucket, if not among the reserved places then among the last cells.
    assert.ok(passed <= 2000 + 256 + 391, `${passed} passed`);
    assert.ok(store.size <= 2000 + 512, `${store.size} places`);
  });

  test('counts keys without coarser spellings too', () => {
    const { passes } = storeAt(256);
    let passed = 0;
    for (let i = 0; i < 100_000; i++) passed += passes(bucket(`header ${i}`, { ...HOURLY, burst: 1 })) ? 1 : 0;
    assert.ok(passed <= 256 + 4096, `${passed} passed`);
    assert.ok(!passes(bucket('one more', { ...HOURLY, burst: 1 })));
  });

  test('the last cells of one limit are not those of another', () => {
    const { passes } = storeAt(1);
    for (let i = 0; i < 100_000; i++) passes(bucket(`${i}`, HOURLY, undefined, 'slow'));
    assert.ok(passes(bucket('0', { interval: 1, burst: 1 }, undefined, 'quick')));
  });

  test('takes new keys again when the flood is over', () => {
    const { clock, store, passes } = storeAt(2000);
    for (const one of addresses(50_000)) passes(one);
    clock.now += 2 * 3_600_000;
    const late = addresses(200);
    for (const one of late) assert.ok(passes(one));
    for (const one of late) assert.ok(!passes(one));
    assert.ok(store.size <= 2512);
  });
});
