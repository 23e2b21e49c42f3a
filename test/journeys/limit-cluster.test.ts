/**
 * One limit for several gateways and for several workers: clients spread unevenly get together what the limit says, no more, and next to
 * no less, whatever happens to the store. The longer version with figures is `npm run cluster`.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { NO_REDIS, type Redis, startRedis } from '../support/redis.ts';
import { type RunningService, startService } from '../support/services.ts';
import { shiftedClock } from '../support/shifted-clock.ts';
import { type Answered, type Spread, startSpread } from '../support/spread.ts';

const RATE = 40;
/** Two seconds' worth: a machine that stands still for less loses nothing of the limit. */
const BURST = 80;
/** Requests a second to each of four gateways: all are above their share, and one has most. */
const UNEVEN = [60, 16, 14, 13];
/** Seconds by which the gateways' clocks are apart. */
const CLOCKS = [0, 30, -30, 60];

let service: RunningService;
before(async () => {
  service = await startService((_, answer) => answer.end('ok'));
});
after(() => service.close());

function get(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        answer.on('end', () => resolve(text)).on('error', reject);
      })
      .on('error', reject);
  });
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > end) assert.fail(`it did not come to this: ${what}`);
    await wait(20);
  }
}

const passed = (answers: readonly Answered[], path: string) =>
  answers.filter(({ client, status }) => client.path === path && status === 200);

/** No more than the limit says until the last answer, and 95 % of what it says for the time in which requests were sent. */
function assertLimit(spread: Spread, path: string, ended: number, least = 0.95): void {
  const count = passed(spread.answers, path).length;
  const last = Math.max(...spread.answers.map((answer) => answer.ended));
  const most = (RATE * (last - spread.begun)) / 1000 + BURST;
  const expected = (RATE * (ended - spread.begun)) / 1000 + BURST;
  assert.ok(count <= most, `${path}: ${count} passed, ${most.toFixed(1)} is the limit`);
  assert.ok(count >= least * expected, `${path}: ${count} passed of ${expected.toFixed(1)}`);
}

function statuses(answers: readonly Answered[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describe('four gateways on one Redis, their clocks far apart', { skip: NO_REDIS }, () => {
  let redis: Redis;
  let gateways: Gateway[] = [];
  let tenant = 0;

  before(async () => {
    redis = await startRedis();
    const limit = (fails: string) =>
      `{ rate: ${RATE}/second, burst: ${BURST}, by: "header:x-tenant", accuracy: exact, when-store-fails: ${fails} }`;
    const configuration = `
listeners: { plain: { address: 127.0.0.1:0 } }
admin: { address: 127.0.0.1:0 }
services: { s: ${service.url} }
limits: { local: ${limit('local')}, open: ${limit('open')}, closed: ${limit('closed')} }
store: { redis: "${redis.url}", timeout: 200ms }
routes:
  - { path: /local, service: s, authentication: none, limits: [local] }
  - { path: /open, service: s, authentication: none, limits: [open] }
  - { path: /closed, service: s, authentication: none, limits: [closed] }
`;
    gateways = await Promise.all(CLOCKS.map((seconds) => startGateway(configuration, shiftedClock(seconds))));
    await known(4);
  });
  after(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await redis.stop();
  });

  /** All gateways are connected and know how many they are. */
  async function known(count: number): Promise<void> {
    for (const gateway of gateways) {
      await until(`the store is up and has ${count} instances`, async () => {
        const metrics = await get(gateway.port('admin'), '/metrics');
        const says = (name: string, value: number) => metrics.includes(`portcullis_store_${name}{store="redis"} ${value}\n`);
        return says('up', 1) && says('instances', count);
      });
    }
  }

  /** A new tenant for each test: nobody has used its buckets. */
  function spread(...paths: string[]): Spread {
    const headers = { 'x-tenant': `tenant ${++tenant}` };
    const clients = paths.flatMap((path) =>
      gateways.map((gateway, i) => ({ port: gateway.port('plain'), rate: UNEVEN[i], path, headers })),
    );
    return startSpread(clients);
  }

  test('get together what the limit says', async () => {
    const load = spread('/local');
    await wait(4000);
    const ended = await load.stop();
    assertLimit(load, '/local', ended);
    assert.deepEqual(Object.keys(statuses(load.answers)), ['200', '429']);
    for (const [i, gateway] of gateways.entries()) {
      const port = gateway.port('plain');
      assert.ok(load.answers.some(({ client, status }) => client.port === port && status === 200));
      const [{ time }] = await gateway.records(1);
      const apart = (Date.parse(`${time}`) - Date.now()) / 1000 - CLOCKS[i];
      assert.ok(apart > -25 && apart < 1, `the clock of ${i} is ${apart} s from where it should be`);
    }
  });

  for (const [what, goes, comes] of [
    ['paused', () => redis.pause(), () => redis.resume()],
    ['killed, and started empty', () => redis.kill(), () => redis.restart()],
  ] as const) {
    test(`when it is ${what}: each limit does what it says, and nobody gets a second burst`, async () => {
      const load = spread('/local', '/open', '/closed');
      await wait(2000);
      await goes();
      const gone = performance.now();
      await wait(2500);
      const back = performance.now();
      await comes();
      await wait(2500);
      const ended = await load.stop();
      const { answers } = load;
      // Each counts its share: all the limit together, and it goes over to the store again.
      assertLimit(load, '/local', ended, 0.9);
      // What comes well within the outage; before that, answers may wait for the store to be given up.
      const meanwhile = answers.filter(({ sent }) => sent > gone + 700 && sent < back - 1000);
      const at = (path: string) => statuses(meanwhile.filter(({ client }) => client.path === path));
      assert.deepEqual(Object.keys(at('/local')), ['200', '429']);
      assert.deepEqual(Object.keys(at('/open')), ['200']);
      assert.deepEqual(Object.keys(at('/closed')), ['503']);
      for (const { client, headers } of meanwhile) {
        if (client.path === '/closed') assert.match(headers['retry-after'] ?? '', /^[1-9]\d*$/);
      }
      // An open limit counts nothing while the store is away, and again what it says as soon as it is back.
      const uncounted = passed(meanwhile, '/open').length;
      const open = passed(answers, '/open').length;
      const outage = answers.filter(({ client, sent }) => client.path === '/open' && sent > gone - 300 && sent < back + 2000);
      assert.ok(uncounted > RATE);
      assert.ok(open <= (RATE * (ended - load.begun)) / 1000 + BURST + statuses(outage)[200], `${open} passed`);
      const closed = passed(answers, '/closed').length;
      assert.ok(closed <= (RATE * (ended - load.begun)) / 1000 + BURST, `${closed} passed`);
      for (const path of ['/local', '/open', '/closed']) {
        assert.ok(
          passed(answers, path).some(({ sent }) => sent > back),
          `nothing passed on ${path} after the store was back`,
        );
      }
      await known(4);
    });
  }
});

describe('a gateway whose Redis is away', () => {
  test('starts, counts by itself, and says so', async () => {
    const configuration = `
listeners: { plain: { address: 127.0.0.1:0 } }
admin: { address: 127.0.0.1:0 }
services: { s: ${service.url} }
limits: { all: { rate: 2/hour, burst: 2, by: "header:x-tenant", accuracy: exact, when-store-fails: local } }
store: redis://user:hunter2@127.0.0.1:1
routes: [ { path: /**, service: s, authentication: none, limits: [all] } ]
`;
    await using gateway = await startGateway(configuration);
    const port = gateway.port('plain');
    const codes: number[] = [];
    for (let i = 0; i < 3; i++) codes.push((await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-tenant': 'a' } })).status);
    assert.deepEqual(codes, [200, 200, 429]);
    const metrics = await get(gateway.port('admin'), '/metrics');
    assert.match(metrics, /^portcullis_store_up\{store="redis"\} 0$/m);
    assert.match(metrics, /^portcullis_store_failures_total\{store="redis",reason="away"\} 3$/m);
    assert.match(gateway.stderr(), /the store is away.*ECONNREFUSED/);
    assert.doesNotMatch(gateway.stderr() + gateway.stdout(), /hunter2/);
  });
});

function workersOf(gateway: Gateway): number[] {
  const output = execFileSync('ps', ['-o', 'pid=', '--ppid', String(gateway.process.pid)], { encoding: 'utf8' });
  return output.split('\n').filter(Boolean).map(Number);
}

describe('one gateway with four workers, limits in memory', () => {
  test('gives what the limit says, over a reload and the death of a worker', async () => {
    const configuration = (more = '') => `
listeners: { plain: { address: 127.0.0.1:0 } }
admin: { address: 127.0.0.1:0 }
services: { s: ${service.url} }
limits: { all: { rate: ${RATE}/second, burst: ${BURST}, by: "header:x-tenant" } }
routes: [ { path: /**, service: s, authentication: none, limits: [all]${more} } ]
workers: 4
observe: { access: access.jsonl }
`;
    await using gateway = await startGateway(configuration());
    const port = gateway.port('plain');
    const headers = { 'x-tenant': 'a' };
    // Few connections with much on them and many with little: connections go round among the workers.
    const load = startSpread([
      { port, path: '/', headers, rate: 60, connections: 2 },
      { port, path: '/', headers, rate: 30, connections: 16 },
      { port, path: '/', headers, rate: 13, connections: 1 },
    ]);
    await wait(1000);
    const [victim] = workersOf(gateway);
    process.kill(victim, 'SIGKILL');
    await until('another worker serves', () => {
      const pids = workersOf(gateway);
      return pids.length === 4 && !pids.includes(victim);
    });
    await writeFile(gateway.config, configuration(', body: 1KiB'));
    await until('the configuration is reloaded', () => gateway.stderr().includes('has been reloaded'));
    await wait(2500);
    const ended = await load.stop();
    assertLimit(load, '/', ended);
    const metrics = await get(gateway.port('admin'), '/metrics');
    assert.match(metrics, /^portcullis_store_decisions_total\{store="memory"\} \d+$/m);
  });
});
