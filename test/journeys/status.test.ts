/** What `/status.json` says of a gateway with two workers, over traffic, a reload, and a file that is wrong. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Status } from '../../src/observe/status.ts';
import { startEcho } from '../support/echo.ts';
import { startGateway } from '../support/gateway.ts';
import { rawRequest } from '../support/raw.ts';
import { tlsFiles } from '../support/tls.ts';

test('the status of two workers', async () => {
  await using files = await tlsFiles(['a.test']);
  await using echo = await startEcho();
  const { certificate, key } = files.of('a.test');
  const text = (limit: string) => `
listeners:
  public: { address: 127.0.0.1:0 }
  secure: { address: 127.0.0.1:0, tls: { certificate: ${certificate}, key: ${key} } }
services: { orders: ${echo.url} }
authentication: { staff: { jwt: { issuer: "http://127.0.0.1:1", audience: a, jwks: "http://127.0.0.1:1/jwks", algorithms: [RS256] } } }
limits: { few: { rate: ${limit}, by: route } }
routes:
  - { path: /orders/**, service: orders, authentication: none, limits: [few] }
  - { path: /staff/**, service: orders, authentication: [staff] }
admin: { address: 127.0.0.1:0 }
workers: 2
`;
  await using gateway = await startGateway(text('10/hour'));
  const status = async () => (await (await fetch(`http://127.0.0.1:${gateway.port('admin')}/status.json`)).json()) as Status;
  const until = async (so: (now: Status) => boolean): Promise<Status> => {
    const end = performance.now() + 20_000;
    for (;;) {
      const now = await status();
      if (so(now)) return now;
      if (performance.now() > end) assert.fail(JSON.stringify(now));
      await wait(50);
    }
  };
  const ask = (path: string) =>
    rawRequest(gateway.port('public'), `GET ${path} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n`);

  const idle = await status();
  assert.deepEqual([idle.ready, idle.workers, idle.traffic.requests], [true, { asked: 2, serving: 2 }, 0]);
  assert.deepEqual(
    idle.certificates.map((one) => [one.listener, one.names]),
    [['secure', ['a.test']]],
    'both workers have it, and it is one',
  );
  assert.deepEqual(
    idle.issuers.map((one) => [one.issuer, one.keys]),
    [['http://127.0.0.1:1', 0]],
  );
  assert.deepEqual(idle.reloads, []);

  for (let i = 0; i < 14; i++) await ask('/orders/1');
  await ask('/staff/1');
  const busy = await until((now) => now.traffic.requests === 15);
  assert.deepEqual(busy.limits, [{ limit: 'few', verdicts: { passed: 10, refused: 4 } }]);
  assert.deepEqual(
    busy.refusals.map((one) => [one.room, one.count]),
    [
      ['limit', 4],
      ['authenticate', 1],
    ],
  );
  const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
  const told = await until((now) => sum(now.recent.requests) === 15);
  assert.deepEqual([sum(told.recent.refused), sum(told.recent.errors)], [5, 0], 'both workers, second by second');
  assert.deepEqual([busy.services[0].calls, busy.services[0].targets.length], [10, 1]);
  assert.equal(busy.listeners.find((one) => one.listener === 'public')?.accepted, 15);

  await writeFile(gateway.config, `${text('20/hour')}\nobserve: { access: access.jsonl }\n`);
  const reloaded = await until((now) => now.reloads.length === 1);
  assert.equal(reloaded.reloads[0].ok, true);
  assert.equal(reloaded.traffic.requests, 15, 'counters outlive a reload');
  assert.equal(sum(reloaded.recent.requests), 15, 'and so does what was lately');
  await writeFile(gateway.config, 'listeners: {');
  const wrong = await until((now) => now.reloads.length === 2);
  assert.equal(wrong.reloads[0].ok, false);
  assert.match(wrong.reloads[0].reason ?? '', /portcullis\.yaml:\d+:\d+: /);
});
