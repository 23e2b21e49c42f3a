import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Family, MetricsSnapshot } from './exposition.ts';
import { type HouseStatus, makeStatus, mergeProcesses, type ProcessStatus } from './status.ts';

const target = {
  target: 'http://a:1',
  address: '192.0.2.1:1',
  state: 'up',
  reason: '',
  active: 1,
  connections: 2,
  requests: 10,
  failures: 1,
} as const;
const service = { name: 'orders', running: 1, queued: 2, breaker: 'closed', targets: [target] } as const;
const issuer = { issuer: 'https://id', from: 'https://id/jwks', keys: 2, read: 1000, expires: 9000, failure: undefined };
const certificate = { listener: 'public', names: ['a.test'], issuer: 'CN=ca', fingerprint: 'AA', expires: 5000 };
const one: ProcessStatus = { running: 3, services: [service], issuers: [issuer], certificates: [certificate] };

describe('states of several processes', () => {
  test('one stays as it is', () => {
    assert.deepEqual(mergeProcesses([one]), { ...one, events: undefined, recent: undefined });
    assert.deepEqual(mergeProcesses([]), {
      running: 0,
      services: [],
      issuers: [],
      certificates: [],
      events: undefined,
      recent: undefined,
    });
  });

  test('counts are added, and the worst is what is told', () => {
    const down = { ...target, state: 'down', reason: 'ECONNREFUSED' } as const;
    const other: ProcessStatus = {
      running: 1,
      services: [
        { ...service, breaker: 'open', targets: [down, { ...target, address: '192.0.2.2:1' }] },
        { ...service, name: 'stock' },
      ],
      issuers: [{ ...issuer, read: undefined, keys: 0, failure: 'it is away' }],
      certificates: [certificate, { ...certificate, fingerprint: 'BB', expires: 1000 }],
    };
    for (const merged of [mergeProcesses([one, other]), mergeProcesses([other, one])]) {
      assert.equal(merged.running, 4);
      const orders = merged.services.find(({ name }) => name === 'orders');
      assert.deepEqual([orders?.running, orders?.queued, orders?.breaker, orders?.targets.length], [2, 4, 'open', 2]);
      const first = orders?.targets.find(({ address }) => address === '192.0.2.1:1');
      assert.deepEqual(first, {
        ...target,
        state: 'down',
        reason: 'ECONNREFUSED',
        active: 2,
        connections: 4,
        requests: 20,
        failures: 2,
      });
      assert.deepEqual(merged.issuers, other.issuers);
      assert.deepEqual(
        merged.certificates.map((it) => it.fingerprint),
        ['BB', 'AA'],
        'what ends first stands first',
      );
    }
  });

  test('the last events of all, newest first, bounded', () => {
    const event = (second: number) => ({
      time: `2026-11-24T10:00:${String(second).padStart(2, '0')}Z`,
      room: 'route',
      code: 'x',
    });
    const list = (from: number) => Array.from({ length: 30 }, (_, i) => event(from - 2 * i));
    const { events } = mergeProcesses([one, { ...one, events: list(59) }, { ...one, events: list(58) }]);
    assert.equal(events?.length, 50);
    assert.deepEqual(events.slice(0, 3), [event(59), event(58), event(57)]);
  });
});

const house: HouseStatus = {
  version: '1.0.0',
  time: 2000,
  started: 1000,
  ready: true,
  reasons: [],
  workers: { asked: 1, serving: 1 },
  reloads: [],
};

const family = (name: string, series: [Record<string, string>, number, number[]?][]): Family => ({
  name: `portcullis_${name}`,
  help: '',
  type: 'counter',
  bounds: name.endsWith('_duration_seconds') ? [0.1, 1] : undefined,
  series: series.map(([labels, value, buckets]) => ({ labels, value, buckets })),
});

describe('the status', () => {
  const routes = (list: [string, number][]): MetricsSnapshot => ({
    families: [
      family(
        'requests_total',
        list.flatMap(([route, count]): [Record<string, string>, number][] => [
          [{ route, service: 's', status: '2xx', room: '', code: '' }, count],
          [{ route, service: 's', status: '5xx', room: '', code: '' }, 2],
          [{ route, service: 's', status: '4xx', room: 'limit', code: 'limited' }, 3],
          [{ route, service: 's', status: '5xx', room: 'upstream', code: 'upstream-timeout' }, 1],
        ]),
      ),
      family(
        'request_duration_seconds',
        list.map(([route, count]) => [{ route, service: 's' }, 1, [count, 6, 0]]),
      ),
    ],
  });

  test('of an idle gateway says that there is nothing', () => {
    const status = makeStatus(house, { families: [] }, mergeProcesses([]));
    assert.deepEqual(status.traffic, { requests: 0, refused: 0, errors: 0, faults: 0, lost: 0, bounds: [], buckets: [] });
    assert.deepEqual([status.routes, status.refusals, status.limits, status.store], [[], [], [], undefined]);
    assert.doesNotThrow(() => JSON.stringify(status));
  });

  test('tells the last minutes of all that serve requests; who serves none has no part in it', () => {
    const recent = { requests: [1, 2], refused: [0, 1], errors: [0, 0] };
    const status = makeStatus(house, { families: [] }, mergeProcesses([one, { ...one, recent }, { ...one, recent }]));
    assert.deepEqual(status.recent, { requests: [2, 4], refused: [0, 2], errors: [0, 0] });
    assert.deepEqual(makeStatus(house, { families: [] }, mergeProcesses([one])).recent.requests, []);
  });

  test('adds routes up and keeps refusals apart from errors', () => {
    const status = makeStatus(
      house,
      routes([
        ['/a', 10],
        ['/b', 20],
      ]),
      mergeProcesses([one]),
    );
    assert.deepEqual(status.traffic, {
      requests: 42,
      refused: 8,
      errors: 4,
      faults: 0,
      lost: 0,
      bounds: [0.1, 1],
      buckets: [30, 12, 0],
    });
    assert.deepEqual(status.routes[0], { route: '/b', service: 's', requests: 26, refused: 4, errors: 2, buckets: [20, 6, 0] });
    assert.deepEqual(status.refusals, [
      { room: 'limit', code: 'limited', count: 6 },
      { room: 'upstream', code: 'upstream-timeout', count: 2 },
    ]);
  });

  test('is bounded, whatever the number of routes, and total counts are of all', () => {
    const status = makeStatus(house, routes(Array.from({ length: 1000 }, (_, i) => [`/${i}`, i])), mergeProcesses([]));
    assert.deepEqual([status.routes.length, status.hiddenRoutes, status.routes[0].route], [200, 800, '/999']);
    assert.equal(status.traffic.refused, 4000);
    assert.ok(JSON.stringify(status).length < 100_000);
  });

  test('puts together what metrics and states say of services, limits, places, listeners and the store', () => {
    const metrics: MetricsSnapshot = {
      families: [
        family('upstream_responses_total', [
          [{ service: 'orders', status: '2xx' }, 5],
          [{ service: 'orders', status: '5xx' }, 1],
          [{ service: 'orders', status: 'none' }, 2],
          [{ service: 'other', status: '5xx' }, 9],
        ]),
        family('upstream_duration_seconds', [[{ service: 'orders' }, 1, [5, 1, 0]]]),
        family('limit_decisions_total', [
          [{ limit: 'a', verdict: 'passed' }, 7],
          [{ limit: 'b', verdict: 'passed' }, 1],
          [{ limit: 'a', verdict: 'refused' }, 2],
        ]),
        family('concurrency_running', [[{ concurrency: 'all requests' }, 4]]),
        family('concurrency_refused_total', [[{ concurrency: 'all requests' }, 6]]),
        family('connections', [[{ listener: 'public' }, 3]]),
        family('connections_total', [[{ listener: 'public' }, 30]]),
        family('connections_refused_total', [
          [{ listener: 'public', code: 'x' }, 1],
          [{ listener: 'public', code: 'y' }, 1],
        ]),
        family('store_up', [[{ store: 'redis' }, 0]]),
      ],
    };
    const status = makeStatus(house, metrics, mergeProcesses([one]));
    assert.deepEqual(status.services, [{ ...service, calls: 8, errors: 3, buckets: [5, 1, 0] }]);
    assert.deepEqual(status.limits, [
      { limit: 'a', verdicts: { passed: 7, refused: 2 } },
      { limit: 'b', verdicts: { passed: 1 } },
    ]);
    assert.deepEqual(status.places, [{ concurrency: 'all requests', running: 4, queued: 0, refused: 6 }]);
    assert.deepEqual(status.listeners, [{ listener: 'public', open: 3, accepted: 30, turnedAway: 2 }]);
    assert.deepEqual(status.store, { name: 'redis', up: false });
  });
});
