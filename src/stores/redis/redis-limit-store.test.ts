import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { KeptLog } from '../../../test/support/corridor.ts';
import { NO_REDIS, type Redis, startRedis } from '../../../test/support/redis.ts';
import { tlsFiles } from '../../../test/support/tls.ts';
import type { Bucket, Verdict } from '../limit-store.ts';
import { type RedisOptions, storeOptions } from '../options.ts';
import { type OpenRedis, openRedis } from './open.ts';

const HOUR = 3600_000;
/** Longer than any pause between two attempts, on a machine that is busy. */
const LONG = 20_000;

const bucket = (key: string, burst: number, interval = HOUR, limit = 'l'): Bucket => ({ limit, key, rate: { interval, burst } });
const allowed = (verdicts: readonly Verdict[]) => verdicts.map((verdict) => verdict.allowed);

let opened: OpenRedis[] = [];
let log = new KeptLog();

interface Opening extends Partial<RedisOptions> {
  readonly instance?: string;
  readonly certificates?: Buffer;
}

/** A gateway's end. Its time for a decision is long, unless the test is about it. */
async function open(redis: string, { instance = 'one', certificates, ...more }: Opening = {}): Promise<OpenRedis> {
  const options = { ...(storeOptions.parse(redis) as RedisOptions), timeout: 2000, ...more };
  const one = openRedis({ options, ca: certificates, instance, log });
  opened.push(one);
  await one.link.tried;
  return one;
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + LONG;
  while (!(await holds())) {
    if (performance.now() > end) assert.fail(`it did not come to this: ${what}`);
    await wait(5);
  }
}

afterEach(async () => {
  await Promise.all(opened.map(({ limits }) => limits.close()));
  opened = [];
  log = new KeptLog();
});

describe('limits in Redis', { skip: NO_REDIS }, () => {
  let redis: Redis;
  before(async () => {
    redis = await startRedis();
  });
  afterEach(async () => {
    redis.resume();
    await redis.command('FLUSHALL');
  });
  after(() => redis.stop());

  const keys = async (pattern: string) => (await redis.command(`KEYS ${pattern}`)).match(/^\{.*/gm)?.toSorted() ?? [];

  test('are the same for all who share it', async () => {
    const [one, other] = [await open(redis.url), await open(redis.url, { instance: 'other' })];
    const verdicts: Verdict[] = [];
    for (const { limits } of [one, other, one, other]) verdicts.push((await limits.take([bucket('k', 3)]))[0]);
    assert.deepEqual(allowed(verdicts), [true, true, true, false]);
    assert.deepEqual(
      verdicts.map(({ remaining }) => remaining),
      [2, 1, 0, 0],
    );
    const [, , last, refused] = verdicts;
    for (const { retryAfter, reset } of [last, refused]) {
      assert.ok(retryAfter > HOUR - LONG && retryAfter <= HOUR, `${retryAfter}`);
      assert.ok(reset > 3 * HOUR - LONG && reset <= 3 * HOUR, `${reset}`);
    }
  });

  test('are decided all at once: when one refuses, none is charged, and each says what it would have said', async () => {
    const { limits } = await open(redis.url);
    const all = [bucket('a', 5), bucket('b', 1), bucket('c', 5, HOUR, 'other')];
    assert.deepEqual(allowed(await limits.take(all)), [true, true, true]);
    const refused = await limits.take(all);
    assert.deepEqual(allowed(refused), [true, false, true]);
    assert.deepEqual(
      refused.map(({ remaining }) => remaining),
      [4, 0, 4],
    );
    assert.equal((await limits.take([bucket('a', 5)]))[0].remaining, 3);
  });

  test('count what GCRA counts, whatever order requests come in', async () => {
    const { limits } = await open(redis.url);
    const request = fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }).map((list) => [...new Set(list)]);
    let run = 0;
    const property = fc.asyncProperty(
      fc.array(request, { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 4 }),
      async (requests, bursts) => {
        run++;
        const left = [...bursts];
        for (const wanted of requests) {
          const passes = wanted.every((n) => left[n] > 0);
          const verdicts = await limits.take(wanted.map((n) => bucket(`${run} ${n}`, bursts[n])));
          const expected = wanted.map((n) => left[n] > 0);
          if (passes) for (const n of wanted) left[n]--;
          assert.deepEqual(allowed(verdicts), expected);
          assert.deepEqual(
            verdicts.map(({ remaining }) => remaining),
            wanted.map((n) => left[n]),
          );
        }
      },
    );
    await fc.assert(property, { numRuns: 50 });
  });

  test('are refilled by the time of the store, and a full bucket leaves nothing behind', async () => {
    const { limits } = await open(redis.url);
    const one = bucket('k', 2, 100);
    assert.deepEqual(allowed([...(await limits.take([one])), ...(await limits.take([one]))]), [true, true]);
    assert.equal((await keys('*l:*')).length, 1);
    await until('a request passes again', async () => (await limits.take([one]))[0].allowed);
    await until('the key is gone', async () => (await keys('*l:*')).length === 0);
  });

  test('no rate is passed that is no whole number of microseconds', async () => {
    const { limits } = await open(redis.url);
    const fast = bucket('k', 1, 1000 / 7_000);
    const [{ reset }] = await limits.take([fast]);
    assert.equal(reset, 0.143);
  });

  test('an interval of centuries and a burst of a billion are counted', async () => {
    const { limits } = await open(redis.url);
    const slow = bucket('k', 1_000_000_000, HOUR * 24 * 365);
    const [first, second] = [...(await limits.take([slow])), ...(await limits.take([slow]))];
    assert.deepEqual(allowed([first, second]), [true, true]);
    assert.ok(second.reset > first.reset);
  });

  test('keys say nothing of what was counted, are bounded, and lie in one slot of a cluster', async () => {
    const { limits } = await open(redis.url, { prefix: 'mine' });
    await limits.take([bucket('Bearer hunter2', 2), bucket('x'.repeat(100_000), 2), bucket('"\r\n*', 2)]);
    const found = await keys('*');
    assert.equal(found.filter((key) => key.includes(':l:')).length, 3);
    for (const key of found) assert.match(key, /^\{mine\}:(?:instances|together|l:[\w-]{22})\r?$/);
  });

  test('a script that the store has forgotten is brought again', async () => {
    const { limits } = await open(redis.url);
    await limits.take([bucket('k', 3)]);
    await redis.command('SCRIPT FLUSH');
    const all = await Promise.all(Array.from({ length: 3 }, () => limits.take([bucket('k', 3)])));
    assert.deepEqual(allowed(all.flat()), [true, true, false]);
    assert.equal(log.text, '');
  });

  test('a store that stands still: rejected in time, then at once; afterwards nothing was charged that nobody waited for', async () => {
    const { limits, link, stats } = await open(redis.url, { timeout: 50 });
    assert.equal((await limits.take([bucket('k', 10)]))[0].remaining, 9);
    redis.pause();
    const before = performance.now();
    const late = await Promise.allSettled(Array.from({ length: 5 }, () => limits.take([bucket('k', 10)])));
    assert.ok(performance.now() - before >= 49);
    for (const one of late) assert.ok(one.status === 'rejected' && one.reason.name === 'StoreError');
    assert.equal(link.up, false);
    await assert.rejects(limits.take([bucket('k', 10)]), { name: 'StoreError', message: /away/ });
    assert.deepEqual(stats.failures, { away: 1, timeout: 5, error: 0, busy: 0 });
    // What time it is at the store is known as well as a busy machine lets it be known.
    await wait(250);
    redis.resume();
    await until('the store is back', () => link.up);
    // Retried, as a busy machine may be late once more; what was late on its way back has been taken.
    let again = 0;
    await until('a decision', async () => {
      const verdicts = await limits.take([bucket('k', 10)]).catch(() => undefined);
      if (verdicts === undefined) again++;
      else assert.ok(verdicts[0].remaining <= 8 && verdicts[0].remaining >= 8 - again, `${verdicts[0].remaining} are left`);
      return verdicts !== undefined;
    });
    assert.ok(again < 5, 'too late to tell');
    assert.match(log.text, /the store is away.*\n[^]*the store is back/);
  });

  test('while it is away, one sign of life is sent and no more, however many ask', async () => {
    const { limits, link, stats } = await open(redis.url, { timeout: 50 });
    await redis.command('CONFIG RESETSTAT');
    redis.pause();
    const load = setInterval(() => void limits.take([bucket('k', 10)]).catch(() => {}), 1);
    await until('the store is away', () => !link.up);
    await wait(1000);
    clearInterval(load);
    const { timeout } = stats.failures;
    redis.resume();
    await until('the store is back', () => link.up);
    const calls = async (name: string) =>
      Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(await redis.command('INFO commandstats'))?.[1] ?? 0);
    assert.ok((await calls('evalsha')) <= timeout, 'decisions were sent to a store that was away');
    // One while it was away, one or a few to see that it is quick again.
    assert.ok((await calls('eval')) <= 6);
    assert.ok(stats.failures.away > 100);
  });

  test('a store that was killed and is empty: what is owed is told to it', async () => {
    const { limits, link } = await open(redis.url);
    for (let i = 0; i < 4; i++) await limits.take([bucket('k', 5)]);
    await redis.kill();
    await until('the store is away', () => !link.up);
    await assert.rejects(limits.take([bucket('k', 5)]), { name: 'StoreError' });
    await redis.restart();
    await until('the store is back', () => link.up);
    assert.equal((await limits.take([bucket('k', 5)]))[0].remaining, 0);
    assert.equal((await limits.take([bucket('k', 5)]))[0].allowed, false);
    assert.equal((await limits.take([bucket('other', 5)]))[0].remaining, 4);
  });

  test('what one gave out by itself while others counted here is taken from all', async () => {
    const { limits, debts } = await open(redis.url);
    debts.storeIsAway();
    for (let i = 0; i < 3; i++)
      debts.noteOwn([bucket('k', 2, 4 * HOUR)], [{ allowed: true, remaining: 0, retryAfter: 0, reset: HOUR }], 4);
    debts.storeIsBack(LONG * HOUR, 4);
    // One is known anyway, three more are told; with this one that is all.
    assert.equal((await limits.take([bucket('k', 5)]))[0].remaining, 0);
    const [refused] = await limits.take([bucket('k', 5)]);
    assert.equal(refused.allowed, false);
    debts.putBack(bucket('k', 5), HOUR);
    // What is told to a bucket that has nothing left is remembered too.
    const [owing] = await limits.take([bucket('k', 5)]);
    assert.deepEqual([owing.allowed, Math.round(owing.reset / HOUR)], [false, 6]);
    assert.equal(Math.round((await limits.take([bucket('k', 5)]))[0].reset / HOUR), 6);
  });

  test('a store that takes no writes is away until it does', async () => {
    const { limits, link, stats } = await open(redis.url);
    await redis.command('CONFIG SET maxmemory 1');
    await assert.rejects(limits.take([bucket('k', 5)]), { name: 'StoreError', message: /OOM/ });
    assert.equal(link.up, false);
    assert.equal(stats.failures.error, 1);
    await redis.command('CONFIG SET maxmemory 0');
    await until('the store is back', () => link.up);
    assert.equal((await limits.take([bucket('k', 5)]))[0].remaining, 4);
  });

  test("a gateway's clock does not matter, and the store's may be set", async () => {
    const { limits, link, stats } = await open(redis.url);
    // As if the store's clock had been put forward by a minute since we looked last, or back.
    for (const ahead of [-60_000_000, 60_000_000]) {
      link.sync(link.storeTime(0) + ahead, 0);
      const [verdict] = await limits.take([bucket(`k${ahead}`, 5)]);
      assert.equal(verdict.remaining, 4);
    }
    assert.equal(stats.decisions, 2);
    assert.equal(link.up, true);
  });

  test('a bucket that a clock put back has left far in the future is not shut for longer than it takes to fill', async () => {
    const { limits } = await open(redis.url);
    const one = bucket('k', 3, 50);
    await limits.take([one]);
    const [key] = await keys('*l:*');
    await redis.command(`SET ${key} ${(Date.now() + HOUR) * 1000}`);
    const [refused] = await limits.take([one]);
    assert.deepEqual([refused.allowed, refused.reset], [false, 150]);
    await until('a request passes again', async () => (await limits.take([one]))[0].allowed);
    await until('the key is gone', async () => (await keys('*l:*')).length === 0);
  });

  test('instances know how many they are; one that leaves is taken out at once, one that died after a while', async () => {
    const one = await open(redis.url, { instance: 'one' });
    assert.equal(one.link.instances(), 1);
    const two = await open(redis.url, { instance: 'two' });
    const worker = await open(redis.url, { instance: 'two' });
    await until('all know it', () => [one, two, worker].every(({ link }) => link.instances() === 2));
    await redis.command(`ZADD {portcullis}:instances ${(Date.now() - 3000) * 1000} dead ${(Date.now() + HOUR) * 1000} future`);
    await until('the dead one is counted', () => one.link.instances() === 3);
    await two.limits.close();
    await worker.limits.close();
    await until('it is gone', async () => /^\$3\r\none/m.test(await redis.command('ZRANGE {portcullis}:instances 0 -1')));
  });

  test('a store that is away at the start: how many share it is what the configuration says', async () => {
    const { limits, link } = await open('redis://127.0.0.1:1', { instances: 4 });
    assert.deepEqual([link.up, link.instances()], [false, 4]);
    await assert.rejects(limits.take([bucket('k', 1)]), { name: 'StoreError', message: /ECONNREFUSED/ });
  });

  test('closing leaves no decision waiting', async () => {
    const { limits } = await open(redis.url);
    redis.pause();
    const waiting = limits.take([bucket('k', 1)]);
    await limits.close();
    await assert.rejects(waiting, { name: 'StoreError', message: /not used any more/ });
    await assert.rejects(limits.take([bucket('k', 1)]), { name: 'StoreError' });
  });
});

describe('a store with a password', { skip: NO_REDIS }, () => {
  let redis: Redis;
  before(async () => {
    redis = await startRedis({ arguments: ['--requirepass', 'hunter2'] });
  });
  after(() => redis.stop());

  test('the right one opens it', async () => {
    const { limits } = await open(redis.url, { password: 'hunter2' });
    assert.equal((await limits.take([bucket('k', 1)]))[0].allowed, true);
  });

  test('a user who may do no more than the manual says is enough', async () => {
    const manual = await readFile(new URL('../../../docs/limits.md', import.meta.url), 'utf8');
    const user = /^ACL SETUSER .*$/m.exec(manual)?.[0] ?? assert.fail('the manual names no user');
    assert.match(await redis.command(`AUTH hunter2\r\n${user}`), /^\+OK\r\n\+OK\r\n/);
    const { limits, link } = await open(redis.url, { username: 'gateway', password: 'a-long-password' });
    assert.equal(link.up, true, log.text);
    assert.equal((await limits.take([bucket('a', 1), bucket('b', 1)]))[0].allowed, true);
    await redis.command('AUTH hunter2\r\nSCRIPT FLUSH');
    assert.equal((await limits.take([bucket('c', 1)]))[0].allowed, true);
    await limits.close();
    await until('it has left', async () =>
      (await redis.command('AUTH hunter2\r\nZRANGE {portcullis}:instances 0 -1')).startsWith('+OK\r\n*0'),
    );
  });

  for (const password of [undefined, 'hunter3']) {
    test(`${password ?? 'none'} does not, and the log tells why and no password`, async () => {
      const { link } = await open(redis.url, { password });
      assert.equal(link.up, false);
      assert.match(log.text, /NOAUTH|WRONGPASS/);
      assert.doesNotMatch(log.text, /hunter/);
    });
  }
});

describe('a store with TLS', { skip: NO_REDIS }, () => {
  test('is believed with the right certificate, and no other', async () => {
    await using files = await tlsFiles(['127.0.0.1', 'elsewhere.example']);
    for (const name of ['127.0.0.1', 'elsewhere.example']) {
      const { certificate, key } = files.of(name);
      const tls = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', files.ca];
      await using redis = await startRedis({ arguments: [...tls, '--tls-auth-clients', 'no'], tls: true });
      const url = `rediss://127.0.0.1:${redis.tlsPort}`;
      const right = await open(url, { certificates: await readFile(files.ca) });
      assert.equal(right.link.up, name === '127.0.0.1', log.text);
      const unknown = await open(url);
      assert.equal(unknown.link.up, false);
    }
  });
});
