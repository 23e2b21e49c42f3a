/**
 * `npm run bench:limit`: what a limit in memory costs, inside one process.
 *
 * 1. On the path of a request: the same recorded exchanges walk a route without and with a limit, in turn, and the difference of each
 *    pair counts. The service answers at once and the client takes everything, so that little else is measured.
 * 2. In the store alone: ten million decisions over a million addresses, and the memory for them.
 */
import { CarryStore } from '../src/config/carry.ts';
import type { Exchange } from '../src/exchange/exchange.ts';
import { limitOptions } from '../src/limit/options.ts';
import { limitByAddress } from '../src/limit/stage.ts';
import type { RoutePlan } from '../src/pipeline/plan.ts';
import type { Prepared, World } from '../src/pipeline/stage.ts';
import { MemoryLimitStore } from '../src/stores/memory-limit-store.ts';
import { cpuOf, exchange, median, pairs, planWith, refused, walkAll } from './recorded.ts';

const EXCHANGES = 10_000;
const ROUNDS = 60;
const TARGET_US = 2;

const store = new MemoryLimitStore();
const world = {
  carry: new CarryStore().open(),
  stores: { limits: store, local: store, instances: () => 1 },
} as unknown as World;

/** One limit that refuses nothing, as a route has it. */
async function limitBy(by: string | string[], rate: string): Promise<Prepared> {
  const limit = limitOptions.parse({ rate, by });
  const room = await limitByAddress.prepare({ limits: [{ limit }], route: '/orders/**', methods: [] }, world, {
    path: '/orders/**',
  });
  if (room === undefined) throw new Error('the limit is not here');
  return room;
}

/** A request of the tenant from an address of its own, every fourth by IPv6. */
function from(i: number): Exchange {
  const six = `2001:db8:${(i & 0xffff).toString(16)}:1::${i & 0xff}`;
  const four = `198.${18 + (i & 1)}.${(i >> 8) & 255}.${i & 255}`;
  return exchange(i, 'x-tenant', 'blue', i % 4 === 0 ? six : four);
}

/** Microseconds for each exchange. */
function run(plan: RoutePlan): number {
  const exchanges = Array.from({ length: EXCHANGES }, (_, i) => from(i));
  return cpuOf(EXCHANGES, () => walkAll(plan, exchanges));
}

async function onThePath(what: string, rooms: readonly Prepared[]): Promise<number> {
  const [without, limited] = [await planWith([]), await planWith(rooms)];
  const measured = pairs(
    ROUNDS,
    () => run(without),
    () => run(limited),
  );
  const base = median(measured.map(([one]) => one));
  const cost = median(measured.map(([one, other]) => other - one));
  console.log(`${what.padEnd(44)} ${cost.toFixed(2).padStart(6)} µs beyond ${base.toFixed(2)} µs without`);
  if (refused.count > 0) throw new Error(`${refused.count} requests were refused: that is not what was to be measured`);
  return cost;
}

function inTheStore(): void {
  const [keys, decisions] = [1_000_000, 10_000_000];
  const addresses = Array.from({ length: keys }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  const rate = { interval: 3_600_000, burst: 20 };
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const full = new MemoryLimitStore();
  const times: number[] = [];
  for (let round = 0; round < decisions / 100_000; round++) {
    const decide = () => {
      // A prime stride: each key in turn, none near the last one in memory.
      for (let i = 0; i < 100_000; i++) {
        const key = addresses[((round * 100_000 + i) * 7919) % keys];
        full.take([{ limit: 'per-address:0123456789', rate, key }]);
      }
    };
    times.push(cpuOf(100_000, decide));
  }
  globalThis.gc?.();
  const megabytes = (process.memoryUsage().rss - before) / 1e6;
  console.log(
    `${decisions / 1e6} million decisions over ${keys / 1e6} million keys: median ${median(times).toFixed(2)} µs, worst 100,000 ${Math.max(...times).toFixed(2)} µs each`,
  );
  console.log(`${full.size} buckets kept, ${megabytes.toFixed(0)} MB resident more than before`);
}

const address = await onThePath('a limit by address', [await limitBy('address', '1000/minute')]);
await onThePath('a limit by header', [await limitBy('header:x-tenant', '999999999/hour')]);
await onThePath('a limit by address and header', [await limitBy(['address', 'header:x-tenant'], '1000/minute')]);
const three: [string, string][] = [
  ['address', '1000/minute'],
  ['header:x-tenant', '999999999/hour'],
  ['route', '999999999/hour'],
];
const limits = three.map(([by, rate]) => ({ limit: limitOptions.parse({ rate, by }) }));
const together = await limitByAddress.prepare({ limits, route: '/orders/**', methods: [] }, world, { path: '/orders/**' });
await onThePath('three limits at once', together === undefined ? [] : [together]);
inTheStore();
console.log(`one limit in memory: ${address.toFixed(2)} µs, target ${TARGET_US} µs`);
