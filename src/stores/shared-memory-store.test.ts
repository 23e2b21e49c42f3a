import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Bucket } from './limit-store.ts';
import { MemoryLimitStore } from './memory-limit-store.ts';
import { SharedMemoryHost } from './shared-memory-host.ts';
import { type LimitsAsked, machineTime } from './shared-memory-messages.ts';
import { SharedMemoryStore } from './shared-memory-store.ts';

/** Long enough for a machine that is busy. */
const PATIENT = 10_000;

const bucket = (key: string, burst: number, more: Partial<Bucket> = {}): Bucket => ({
  limit: 'l',
  key,
  rate: { interval: 1000, burst },
  ...more,
});

/** A worker whose primary answers when the test says so, through a copy as between processes. */
function worker(host: SharedMemoryHost, timeout = PATIENT) {
  const asked: LimitsAsked[] = [];
  const primary = { there: true, still: false };
  const answer = (message: LimitsAsked) => store.receive(structuredClone(host.decide(structuredClone(message))));
  const store: SharedMemoryStore = new SharedMemoryStore((message) => {
    asked.push(message);
    if (primary.there && !primary.still) setImmediate(() => answer(message));
    return primary.there;
  }, timeout);
  return { store, asked, primary, answer };
}

const makeHost = () => new SharedMemoryHost(new MemoryLimitStore({ now: () => 0 }));

describe('limits of several workers', () => {
  test('are one: what one worker took is gone for the others', async () => {
    const host = makeHost();
    const [one, other] = [worker(host), worker(host)];
    const takes = await Promise.all([one, other, one, other].map(({ store }) => store.take([bucket('k', 3)])));
    assert.deepEqual(
      takes.map(([verdict]) => verdict.allowed),
      [true, true, true, false],
    );
    assert.deepEqual(takes[3], [{ allowed: false, remaining: 0, retryAfter: 1000, reset: 3000 }]);
  });

  test('tell every worker how many buckets there are', async () => {
    const host = makeHost();
    const [one, other] = [worker(host), worker(host)];
    assert.equal(one.store.size, undefined);
    for (const key of ['a', 'b', 'a']) await one.store.take([bucket(key, 3)]);
    await other.store.take([bucket('c', 3)]);
    assert.deepEqual([one.store.size, other.store.size], [1, 3]);
    for (let i = 0; i < 16; i++) await one.store.take([bucket('a', 100)]);
    assert.equal(one.store.size, 3);
  });

  test('of one turn go in one message, each with its own buckets', async () => {
    const host = makeHost();
    const { store, asked } = worker(host);
    const [two, none, one] = await Promise.all([
      store.take([bucket('a', 1), bucket('b', 5, { coarser: ['b/48', 'b/32'] })]),
      store.take([]),
      store.take([bucket('a', 1)]),
    ]);
    assert.equal(asked.length, 1);
    assert.deepEqual(
      [two, none, one].map((verdicts) => verdicts.map(({ allowed, remaining }) => [allowed, remaining])),
      [
        [
          [true, 0],
          [true, 4],
        ],
        [],
        [[false, 0]],
      ],
    );
  });

  test('a primary that stands still: rejected in time, then at once, until it answers; what came too late is not charged', async () => {
    const host = makeHost();
    const { store, asked, primary, answer } = worker(host, 20);
    primary.still = true;
    await assert.rejects(store.take([bucket('k', 1)]), { name: 'StoreError', message: /no answer within 20 ms/ });
    assert.equal(store.up, false);
    await assert.rejects(store.take([bucket('k', 1)]), { name: 'StoreError', message: /does not answer/ });
    assert.equal(asked.length, 1);
    primary.still = false;
    answer(asked[0]);
    assert.equal(store.up, true);
    const patient = worker(host);
    assert.equal((await patient.store.take([bucket('k', 1)]))[0].allowed, true);
    assert.deepEqual(store.stats.failures, { away: 1, timeout: 1, error: 0, busy: 0 });
  });

  test('a primary that is gone: rejected', async () => {
    const { store, primary } = worker(makeHost());
    primary.there = false;
    await assert.rejects(store.take([bucket('k', 1)]), { name: 'StoreError', message: /gone/ });
  });

  test('a batch that the primary broke on does not stop those after it', async () => {
    const host = makeHost();
    const { store, asked, primary, answer } = worker(host, 200);
    primary.still = true;
    const first = store.take([bucket('a', 1)]);
    await new Promise(setImmediate);
    const second = store.take([bucket('b', 1)]);
    await new Promise(setImmediate);
    answer({ ...asked[1], deadline: machineTime() + PATIENT });
    assert.equal((await second)[0].allowed, true);
    await assert.rejects(first, { name: 'StoreError' });
    primary.still = false;
    const { store: next } = worker(host);
    assert.equal((await next.take([bucket('a', 1)]))[0].allowed, true);
  });

  test('more than can wait are refused, and do not pile up', async () => {
    const { store, asked, primary } = worker(makeHost(), 200);
    primary.still = true;
    const all = Promise.allSettled(Array.from({ length: 3000 }, () => store.take([bucket('k', 1)])));
    await all;
    assert.equal(asked.length, 1);
    assert.equal(store.stats.failures.busy, 3000 - 2048);
  });
});
