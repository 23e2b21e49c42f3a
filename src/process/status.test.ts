import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProcessStatus } from '../observe/status.ts';
import { SecretCare } from './secret-care.ts';
import type { House } from './serve.ts';
import { statusOf } from './status.ts';

const SECRET = 'hunter2-hunter2';

const state: ProcessStatus = {
  running: 1,
  services: [
    {
      name: 's',
      running: 1,
      queued: 0,
      breaker: undefined,
      targets: [
        { target: 't', address: 'a', state: 'down', reason: `no ${SECRET}`, active: 0, connections: 0, requests: 0, failures: 0 },
      ],
    },
  ],
  issuers: [{ issuer: 'i', from: `https://id/${SECRET}`, keys: 0, read: undefined, expires: undefined, failure: `no ${SECRET}` }],
  certificates: [],
};

function house(states: readonly ProcessStatus[], reasons: string[] = []): House {
  return {
    start: async () => ({}),
    reload: async () => {},
    drain: async () => {},
    abandon: () => {},
    reasons: () => reasons,
    metrics: () => [],
    status: async () => [...states],
    workers: () => ({ asked: 2, serving: states.length }),
    reopenLogs: () => {},
  };
}

test('the status of all workers, with version, start and reloads, and without secrets', async () => {
  const secrets = new SecretCare();
  secrets.take({ hidden: [{ text: SECRET, shown: 'secret:NAME' }] });
  const reloads = [{ time: 1, ok: false, reason: `${SECRET} is wrong` }];
  const status = await statusOf(house([state, state], ['draining']), reloads, secrets);
  assert.doesNotMatch(JSON.stringify(status), /hunter2/);
  assert.equal(status.reloads[0].reason, 'secret:NAME is wrong');
  assert.equal(status.services[0].targets[0].reason, 'no secret:NAME');
  assert.deepEqual(
    [status.running, status.ready, status.reasons, status.workers],
    [2, false, ['draining'], { asked: 2, serving: 2 }],
  );
  assert.match(status.version, /^\d+\.\d+\.\d+/);
  assert.ok(status.started > 0 && status.started <= status.time);
});

test('no worker at all is still a status', async () => {
  const status = await statusOf(house([], ['no worker serves']), [], new SecretCare());
  assert.deepEqual([status.services, status.ready, status.workers.serving], [[], false, 0]);
});
