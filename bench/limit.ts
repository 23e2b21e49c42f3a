/**
 * `npm run bench:limit`: what a limit in memory costs, inside one process.
 *
 * 1. On the path of a request: the same recorded exchanges walk a route without and with a limit, in turn, and the difference of each
 *    pair counts. The service answers at once and the client takes everything, so that little else is measured.
 * 2. In the store alone: ten million decisions over a million addresses, and the memory for them.
 */
import { Exchange } from '../src/exchange/exchange.ts';
import { ForwardRules } from '../src/exchange/forward.ts';
import type { AnswerSink, Call, CallHandle, Service } from '../src/exchange/service.ts';
import { CarryStore } from '../src/config/carry.ts';
import { limitOptions } from '../src/limit/options.ts';
import { limitByAddress } from '../src/limit/stage.ts';
import type { ClientSide } from '../src/pipeline/client.ts';
import { makePlan, type RoutePlan } from '../src/pipeline/plan.ts';
import type { Prepared, World } from '../src/pipeline/stage.ts';
import { Walk } from '../src/pipeline/walk.ts';
import { routeOptions } from '../src/route/options.ts';
import { routeStage } from '../src/route/stage.ts';
import { MemoryLimitStore } from '../src/stores/memory-limit-store.ts';

const EXCHANGES = 10_000;
const ROUNDS = 60;
const TARGET_US = 2;

const HEADERS =
  'host|api.example.com|user-agent|Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0|accept|application/json|accept-language|de,en-US;q=0.7,en;q=0.3|accept-encoding|gzip, deflate, br, zstd|referer|https://app.example.com/orders|origin|https://app.example.com|cookie|session=8f14e45fceea167a; theme=dark; consent=yes|sec-fetch-dest|empty|sec-fetch-mode|cors|sec-fetch-site|same-site|x-tenant|blue'.split(
    '|',
  );
const ANSWER = 'content-type|application/json|cache-control|no-store|etag|"33a64df5"|vary|accept-encoding|x-runtime|0.004'.split(
  '|',
);
const BODY = Buffer.from('{"id":42,"state":"shipped"}');

const service: Service = {
  name: 'orders',
  call(_call: Call, answer: AnswerSink): CallHandle {
    answer.onHead(200, ANSWER.slice(), BODY.length);
    answer.onData(BODY);
    answer.onEnd(undefined);
    return { resume: () => undefined, cancel: () => undefined };
  },
};

const refused = { count: 0 };
const client: ClientSide = {
  watcher: undefined,
  respond: () => void refused.count++,
  start: () => undefined,
  write: () => true,
  end: () => undefined,
  abort: () => undefined,
  upgrade: () => {
    throw new Error('nobody upgrades here');
  },
};
const owner = {
  ended: () => undefined,
  broke: (_x: Exchange, fault: unknown) => {
    throw fault;
  },
};

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

async function planWith(rooms: readonly Prepared[]): Promise<RoutePlan> {
  const route = await routeStage.prepare(routeOptions.parse({ path: '/orders/**' }), world, { methods: ['GET'] });
  const forward = new ForwardRules({ authority: 'orders.internal', host: 'client', drop: [], keep: [] });
  return await makePlan({ path: '/orders/**', service, forward, bodyLimit: 1000 }, [route, ...rooms]);
}

function exchange(i: number): Exchange {
  const six = i % 4 === 0;
  const peerAddress = six
    ? `2001:db8:${(i & 0xffff).toString(16)}:1::${i & 0xff}`
    : `198.${18 + (i & 1)}.${(i >> 8) & 255}.${i & 255}`;
  const connection = { listener: 'public', secure: true, peerAddress, peerPort: 4711, serverName: undefined };
  const path = `/orders/${i}`;
  const host = 'api.example.com';
  const head = {
    method: 'GET',
    rawTarget: path,
    version: '1.1' as const,
    host,
    authority: host,
    path,
    query: 'a=1&b=2',
    headers: HEADERS,
  };
  return new Exchange(`${i}`, connection, head, undefined);
}

/** Microseconds of CPU so far, other threads of the process included: the collector's work is part of the price. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** Microseconds for each exchange. */
function run(plan: RoutePlan): number {
  const exchanges = Array.from({ length: EXCHANGES }, (_, i) => exchange(i));
  const begun = cpu();
  for (const x of exchanges) new Walk(x, client, plan, owner).begin();
  return (cpu() - begun) / EXCHANGES;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

async function onThePath(what: string, rooms: readonly Prepared[]): Promise<number> {
  const [without, limited] = [await planWith([]), await planWith(rooms)];
  const pairs = Array.from({ length: ROUNDS + 10 }, (_, i) => {
    // Who goes first takes turns: what one leaves behind, the other finds.
    if (i % 2 === 0) return [run(without), run(limited)];
    const second = run(limited);
    return [run(without), second];
  }).slice(10);
  const base = median(pairs.map(([one]) => one));
  const cost = median(pairs.map(([one, other]) => other - one));
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
    const begun = cpu();
    // A prime stride: each key in turn, none near the last one in memory.
    for (let i = 0; i < 100_000; i++) {
      const key = addresses[((round * 100_000 + i) * 7919) % keys];
      full.take([{ limit: 'per-address:0123456789', rate, key }]);
    }
    times.push((cpu() - begun) / 100_000);
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
