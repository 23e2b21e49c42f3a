/**
 * `npm run bench:limit-redis`: what a decision about a limit costs that is not made in this process, in microseconds of CPU.
 *
 * 1. In Redis (Debian's `redis-server`, started for it): the room `limit` with one limit by header, once on the store and once on a room
 *    that passes everything, in turn; the difference of each pair counts. Apart from it, what the store itself uses.
 * 2. In the memory of the primary process: a worker and its primary, both together.
 *
 * How many requests wait at the same time decides: their commands and messages go together. One at a time is the worst that can be.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { CarryStore } from '../src/config/carry.ts';
import { Exchange } from '../src/exchange/exchange.ts';
import { limitOptions } from '../src/limit/options.ts';
import { limitByAddress } from '../src/limit/stage.ts';
import type { Prepared, World } from '../src/pipeline/stage.ts';
import type { Stores } from '../src/stores/limit-store.ts';
import { MemoryLimitStore } from '../src/stores/memory-limit-store.ts';
import { type RedisOptions, storeOptions } from '../src/stores/options.ts';
import { SharedMemoryHost } from '../src/stores/shared-memory-host.ts';
import type { LimitsAsked, LimitsDecided } from '../src/stores/shared-memory-messages.ts';
import { SharedMemoryStore } from '../src/stores/shared-memory-store.ts';
import { createStores } from '../src/stores/stores.ts';

import { startRedis } from '../test/support/redis.ts';
import { costOf, FLOOR_MESSAGES, redisFloor } from './limit-floor.ts';

const DECISIONS = 4000;
const ROUNDS = 15;
const AT_ONCE = [1, 4, 16, 64];
const REDIS_TARGET_US = 40;
const WORKERS_TARGET_US = 60;

const log = { info: () => undefined, warn: console.warn, error: console.error };

function exchange(i: number): Exchange {
  const connection = { listener: 'public', secure: true, peerAddress: '198.51.100.7', peerPort: 4711, serverName: undefined };
  const host = 'api.example.com';
  const headers = ['host', host, 'accept', 'application/json', 'user-agent', 'bench', 'x-tenant', `tenant ${i % 1000}`];
  const head = {
    method: 'GET',
    rawTarget: '/',
    version: '1.1' as const,
    host,
    authority: host,
    path: '/',
    query: undefined,
    headers,
  };
  return new Exchange(`${i}`, connection, head as never, undefined);
}

async function roomOn(stores: Stores): Promise<Prepared> {
  const world = { carry: new CarryStore().open(), stores, log } as unknown as World;
  const limit = limitOptions.parse({ rate: '999999999/hour', by: 'header:x-tenant', 'when-store-fails': 'closed' });
  const room = await limitByAddress.prepare({ limits: [{ limit }], route: '/**', methods: [] }, world, { path: '/**' });
  if (room === undefined) throw new Error('the limit is not here');
  return room;
}

/** Waits for a turn of the event loop, as everything does that is read from a socket. */
const nothing: Prepared = {
  onRequestHead: () => new Promise((resolve) => setImmediate(() => resolve(undefined))),
};

const cpu = (usage = process.cpuUsage()): number => usage.user + usage.system;

/** Microseconds of CPU for each request, `atOnce` of them at the same time. */
async function run(room: Prepared, atOnce: number): Promise<number> {
  const exchanges = Array.from({ length: DECISIONS }, (_, i) => exchange(i));
  const begun = cpu();
  const walk = async (): Promise<void> => {
    for (let x = exchanges.pop(); x !== undefined; x = exchanges.pop()) {
      const end = await room.onRequestHead?.(x);
      if (end !== undefined) throw new Error(`not passed: ${JSON.stringify(end)}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, walk));
  return (cpu() - begun) / DECISIONS;
}

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const shown = (us: number): string => `${us.toFixed(1)} µs`;

async function benchRedis(): Promise<boolean> {
  await using redis = await startRedis();
  const carry = new CarryStore().open();
  // The time for a decision is not what is measured here.
  const options: RedisOptions = { ...(storeOptions.parse(redis.url) as RedisOptions), timeout: 2000 };
  const stores = await createStores(options, { carry, log, instance: 'bench', workers: 1 });
  const room = await roomOn(stores);
  const storeCpu = async (): Promise<number> => {
    const info = await redis.command('INFO cpu');
    const of = (name: string) => Number(new RegExp(`used_cpu_${name}:([\\d.]+)`).exec(info)?.[1]) * 1e6;
    return of('user') + of('sys');
  };
  let good = true;
  const floor = await redisFloor(redis.port);
  const parts = `a socket alone ${shown(floor.socket)}, PING by the client ${shown(floor.ping)}, our script by the client ${shown(floor.script)}`;
  console.log(`Redis, the floor, 1 at once: ${parts}`);
  for (const atOnce of AT_ONCE) {
    const costs: number[] = [];
    await run(room, atOnce);
    const before = await storeCpu();
    for (let i = 0; i < ROUNDS; i++) costs.push((await run(room, atOnce)) - (await run(nothing, atOnce)));
    const store = ((await storeCpu()) - before) / ROUNDS / DECISIONS;
    const cost = median(costs);
    good &&= cost <= REDIS_TARGET_US;
    console.log(`Redis, ${atOnce} at once: ${shown(cost)} (target ${REDIS_TARGET_US}); the store itself ${shown(store)}`);
  }
  carry.release();
  return good;
}

/** The other process of the second part: a worker that decides as often as it is told. */
async function work(): Promise<void> {
  const limits = new SharedMemoryStore((message) => process.send?.(message) ?? false, 2000);
  const room = await roomOn({ limits, local: limits, instances: () => 1 });
  const echo = (i: number): Promise<unknown> =>
    new Promise((resolve) => {
      echoed = resolve;
      process.send?.({ echo: i });
    });
  let echoed: (value?: unknown) => void = () => undefined;
  process.on('message', (message: LimitsDecided | { atOnce: number } | { echo: number } | 'floor') => {
    if (message === 'floor') return void costOf(echo).then((us) => process.send?.({ us }));
    if ('echo' in message) return echoed();
    if ('packed' in message) return limits.receive(message);
    const { atOnce } = message;
    void run(room, atOnce)
      .then(async (us) => us - (await run(nothing, atOnce)))
      .then((us) => process.send?.({ us }));
  });
}

async function benchWorkers(): Promise<boolean> {
  const host = new SharedMemoryHost(new MemoryLimitStore());
  const worker = fork(import.meta.filename, ['worker'], { serialization: 'advanced' });
  const done: ((us: number) => void)[] = [];
  worker.on('message', (message: LimitsAsked | { us: number } | { echo: number }) => {
    if ('echo' in message) worker.send(message);
    else if ('packed' in message) worker.send(host.decide(message));
    else done.shift()?.(message.us);
  });
  await once(worker, 'spawn');
  const asked = async (message: 'floor' | { atOnce: number }, count: number): Promise<number> => {
    const begun = cpu();
    const theirs = await new Promise<number>((resolve) => {
      done.push(resolve);
      worker.send(message);
    });
    return theirs + (cpu() - begun) / count;
  };
  const both = (atOnce: number): Promise<number> => asked({ atOnce }, DECISIONS);
  console.log(
    `workers, the floor, 1 at once: a message of one number there and back ${shown(await asked('floor', FLOOR_MESSAGES))}`,
  );
  let good = true;
  for (const atOnce of AT_ONCE) {
    await both(atOnce);
    const costs: number[] = [];
    for (let i = 0; i < ROUNDS; i++) costs.push(await both(atOnce));
    const cost = median(costs);
    good &&= cost <= WORKERS_TARGET_US;
    console.log(`workers, ${atOnce} at once: ${shown(cost)} of worker and primary together (target ${WORKERS_TARGET_US})`);
  }
  worker.disconnect();
  return good;
}

if (process.argv[2] === 'worker') await work();
else {
  const good = [await benchRedis(), await benchWorkers()];
  process.exit(good.includes(false) ? 1 : 0);
}
