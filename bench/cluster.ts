/**
 * `npm run cluster`: one limit of 200 a second with a burst of 200 for four gateways on one Redis (or for four workers of one gateway), of
 * which clients ask twice as much, spread unevenly; for 30 seconds each, or as many as the argument says. The gateways' clocks are up to
 * 90 seconds apart. What passed must never be more than limit × time + burst, and at least 95 % of it.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { type Gateway, startGateway } from '../test/support/gateway.ts';
import { type Redis, startRedis } from '../test/support/redis.ts';
import { startService } from '../test/support/services.ts';
import { shiftedClock } from '../test/support/shifted-clock.ts';
import { type Client, startSpread } from '../test/support/spread.ts';

const RATE = 200;
const BURST = 200;
const SECONDS = Number(process.argv[2] ?? 30);
/** Requests a second to each gateway, and the seconds by which its clock is off. */
const UNEVEN: [rate: number, clock: number][] = [
  [220, 0],
  [80, 30],
  [60, -30],
  [52, 60],
];

const service = await startService((_, answer) => answer.end('ok'));
const configuration = (more: string): string => `
listeners: { plain: { address: 127.0.0.1:0 } }
services: { b: "${service.url}" }
limits: { all: { rate: ${RATE}/second, burst: ${BURST}, by: "header:x-tenant", accuracy: exact, when-store-fails: local } }
routes: [ { path: /**, service: b, authentication: none, waf: { mode: "off" }, limits: [all] } ]
${more}`;

/** True when what passed is what the limit says. */
async function judge(what: string, clients: readonly Client[], meanwhile: () => Promise<void>): Promise<boolean> {
  const load = startSpread(clients);
  await Promise.all([wait(SECONDS * 1000), meanwhile()]);
  const seconds = ((await load.stop()) - load.begun) / 1000;
  const passed = load.answers.filter(({ status }) => status === 200);
  const last = Math.max(...passed.map(({ ended }) => ended));
  const most = RATE * ((last - load.begun) / 1000) + BURST;
  const other = load.answers.filter(({ status }) => status !== 200 && status !== 429).length;
  const slow = load.answers.map(({ sent, ended }) => ended - sent).sort((a, b) => a - b);
  const part = passed.length / (RATE * seconds + BURST);
  const good = passed.length <= most && part >= 0.95;
  console.log(
    `${what}: ${passed.length} of ${load.answers.length} passed in ${seconds.toFixed(1)} s, ${(part * 100).toFixed(1)} % of the limit` +
      `${passed.length > most ? ', MORE THAN IT' : ''}; ${other} neither 200 nor 429; half within ${slow[slow.length >> 1].toFixed(1)} ms, ` +
      `99 % within ${slow[Math.floor(slow.length * 0.99)].toFixed(1)} ms`,
  );
  return good;
}

async function onRedis(): Promise<boolean[]> {
  await using redis = await startRedis();
  const gateways = await Promise.all(
    UNEVEN.map(([, clock]) => startGateway(configuration(`store: ${redis.url}\n`), shiftedClock(clock))),
  );
  await wait(2000);
  const outcomes: boolean[] = [];
  for (const [what, meanwhile] of Object.entries(OUTAGES)) {
    outcomes.push(await judge(what, clientsOf(gateways, what), () => meanwhile(redis)));
  }
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  return outcomes;
}

const OUTAGES: Record<string, (redis: Redis) => Promise<void>> = {
  'four gateways': async () => {},
  'four gateways, Redis stands still for 5 s': async (redis) => {
    await wait((SECONDS / 3) * 1000);
    redis.pause();
    await wait(5000);
    redis.resume();
  },
  'four gateways, Redis is killed and started empty after 5 s': async (redis) => {
    await wait((SECONDS / 3) * 1000);
    await redis.kill();
    await wait(5000);
    await redis.restart();
  },
};

function clientsOf(gateways: readonly Gateway[], tenant: string): Client[] {
  return gateways.map((gateway, i) => ({
    port: gateway.port('plain'),
    rate: UNEVEN[i][0],
    path: '/',
    headers: { 'x-tenant': tenant },
  }));
}

async function onWorkers(): Promise<boolean> {
  await using gateway = await startGateway(configuration('workers: 4\n'));
  const connections = [2, 8, 1, 16];
  const clients = UNEVEN.map(([rate], i) => ({ port: gateway.port('plain'), rate, path: '/', connections: connections[i] }));
  return await judge('one gateway with four workers, in memory', clients, async () => {});
}

const good = [...(await onRedis()), await onWorkers()];
await service.close();
process.exit(good.includes(false) ? 1 : 0);
