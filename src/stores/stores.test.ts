import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { KeptLog } from '../../test/support/corridor.ts';
import { CarryStore } from '../config/carry.ts';
import type { Bucket } from './limit-store.ts';
import { storeOptions } from './options.ts';
import { SharedMemoryStore } from './shared-memory-store.ts';
import { createStores, type OpenStores, type StoreParts } from './stores.ts';

const HOUR = 3600_000;
const bucket = (burst: number, interval = HOUR): Bucket => ({ limit: 'l', key: 'k', rate: { interval, burst } });

let carry: CarryStore;
let log: KeptLog;
let held: { release(): void }[];

beforeEach(() => {
  carry = new CarryStore();
  log = new KeptLog();
  held = [];
});
afterEach(() => {
  for (const one of held) one.release();
  assert.equal(carry.size, 0);
});

/** The stores of one more configuration. */
async function open(store: unknown, more: Partial<StoreParts> = {}): Promise<OpenStores> {
  const hold = carry.open();
  held.push(hold);
  return await createStores(storeOptions.parse(store), { carry: hold, log, instance: 'one', workers: 1, ...more });
}

async function remaining(stores: OpenStores, burst = 5): Promise<number> {
  return (await stores.limits.take([bucket(burst)]))[0].remaining;
}

describe('stores', () => {
  test('in memory are the same for the next configuration, and go with the last one', async () => {
    const first = await open('memory');
    assert.equal(await remaining(first), 4);
    const next = await open('memory');
    held.shift()?.release();
    assert.equal(await remaining(next), 3);
    assert.deepEqual([next.instances(), next.snapshot().up, next.local], [1, true, next.limits]);
  });

  test('that cannot be reached do not keep a gateway from its start, and count here', async () => {
    const stores = await open('redis://127.0.0.1:1');
    await assert.rejects(remaining(stores), { name: 'StoreError' });
    assert.equal((await stores.local.take([bucket(5)]))[0].remaining, 4);
    const { up, instances, stats } = stores.snapshot();
    assert.deepEqual([up, instances, stats?.failures.away], [false, 1, 1]);
    assert.match(log.text, /the store is away.*ECONNREFUSED/);
  });

  test('in Redis outlive a reload that leaves their options as they are', async () => {
    const url = 'redis://127.0.0.1:1';
    const [one, same, other] = [await open(url), await open({ redis: url }), await open({ redis: url, timeout: '60ms' })];
    assert.equal(one.limits, same.limits);
    assert.notEqual(one.limits, other.limits);
  });

  test('with certificates that cannot be read are an error of the configuration, which is told', async () => {
    await assert.rejects(
      open({ redis: 'rediss://127.0.0.1:1', ca: '/nowhere/ca.pem' }),
      /^Error: store: \/nowhere\/ca\.pem cannot be read/,
    );
  });

  test('of a worker are those of the primary; where that is away, its share goes on where it left off', async () => {
    const primary = new SharedMemoryStore(() => true, 20);
    primary.debts.note([bucket(8)], [{ allowed: true, remaining: 2, retryAfter: 0, reset: 6 * HOUR }]);
    const stores = await open('memory', { primary, workers: 4 });
    assert.equal(stores.limits, primary);
    await assert.rejects(remaining(stores, 8), { name: 'StoreError' });
    assert.deepEqual([stores.instances(), stores.snapshot().up], [4, false]);
    // A quarter of the rate and of the burst; three quarters of it are gone.
    const share = bucket(2, 4 * HOUR);
    assert.equal((await stores.local.take([share]))[0].allowed, false);
    assert.equal((await stores.local.take([{ ...share, key: 'other' }]))[0].allowed, true);
  });

  test('of a worker with Redis fall back to the primary, and without it to the worker', async () => {
    const primary = new SharedMemoryStore(() => false, 20);
    const stores = await open('redis://127.0.0.1:1', { primary });
    assert.equal((await stores.local.take([bucket(5)]))[0].remaining, 4);
    assert.equal((await stores.local.take([bucket(5)]))[0].remaining, 3);
  });
});
