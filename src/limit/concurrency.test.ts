import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { FakeClient, FakeService, KeptLog, planOf, request } from '../../test/support/corridor.ts';
import { CarryStore } from '../config/carry.ts';
import type { Outcome, Refusal } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { headerValue } from '../exchange/headers.ts';
import type { Prepared, World } from '../pipeline/stage.ts';
import { Walk } from '../pipeline/walk.ts';
import { type ConcurrencyStageOptions, limitConcurrency, limitCounts } from './stage.ts';

const gate = (max: number, queue = 20, wait = 1000) => ({ max, queue, wait });

class House {
  readonly carries = new CarryStore();
  readonly carry = this.carries.open();

  async room(options: Partial<ConcurrencyStageOptions>, carry = this.carry): Promise<Prepared> {
    const world = { carry, log: new KeptLog() } as unknown as World;
    const whole = { route: undefined, service: undefined, all: undefined, identity: 'r', workers: 1, ...options };
    const room = await limitConcurrency.prepare(whole, world, { path: '/x', service: 's' });
    assert.ok(room !== undefined);
    return room;
  }

  /** Running, queued, refused by the name of the gate. */
  view(): Record<string, number[]> {
    const view: Record<string, number[]> = {};
    const families = limitCounts(this.carry).sources(() => undefined);
    for (const family of families.filter(({ name }) => name.startsWith('portcullis_concurrency'))) {
      for (const { labels, value } of family.collect()) (view[labels.concurrency] ??= []).push(value);
    }
    return view;
  }
}

/** One request that asks for its places. */
class Asker {
  readonly x: Exchange = request();
  readonly #room: Prepared;
  /** undefined: it waits. */
  outcome: { is: Outcome } | undefined;
  readonly settled: Promise<void>;

  constructor(room: Prepared) {
    this.#room = room;
    const step = room.onRequestHead?.(this.x);
    if (step === undefined || !('then' in step)) this.outcome = { is: step };
    this.settled = Promise.resolve(step).then((is) => void (this.outcome = { is }));
  }

  get state(): string {
    if (this.outcome === undefined) return 'waits';
    return this.outcome.is === undefined ? 'runs' : (this.outcome.is as Refusal).code;
  }

  get retryAfter(): string | undefined {
    const outcome = this.outcome?.is;
    return outcome?.kind === 'refusal' ? headerValue(outcome.headers ?? [], 'retry-after') : undefined;
  }

  end(): void {
    this.#room.onEnd?.(this.x);
  }
}

/** Lets promises settle; no clock is involved. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('concurrency', () => {
  test('lets so many run, has so many wait in order, and refuses the next with 503', async () => {
    const house = new House();
    const room = await house.room({ route: gate(2, 2) });
    const asked = Array.from({ length: 5 }, () => new Asker(room));
    assert.deepEqual(
      asked.map(({ state }) => state),
      ['runs', 'runs', 'waits', 'waits', 'concurrency-exceeded'],
    );
    const refusal = asked[4].outcome?.is as Refusal;
    assert.equal(refusal.status, 503);
    assert.equal(asked[4].retryAfter, '1');
    assert.match(refusal.reason, /route \/x/);
    asked[4].end();
    asked[1].end();
    await asked[2].settled;
    assert.deepEqual([asked[2].state, asked[3].state], ['runs', 'waits']);
    assert.deepEqual(house.view(), { 'route /x': [2, 1, 1] });
    for (const one of [asked[0], asked[2], asked[3]]) one.end();
    assert.deepEqual(house.view(), { 'route /x': [0, 0, 1] });
  });

  test('gives a place back once, however often the end is told', async () => {
    const house = new House();
    const room = await house.room({ all: gate(2, 0) });
    const [one, two] = [new Asker(room), new Asker(room)];
    for (let i = 0; i < 3; i++) one.end();
    assert.deepEqual([new Asker(room).state, new Asker(room).state], ['runs', 'concurrency-exceeded']);
    two.end();
    assert.deepEqual(house.view(), { 'all requests': [1, 0, 1] });
  });

  test('who leaves while he waits takes no place', async () => {
    const house = new House();
    const room = await house.room({ route: gate(1) });
    const [first, second, third] = [new Asker(room), new Asker(room), new Asker(room)];
    second.end();
    first.end();
    await third.settled;
    assert.equal(third.state, 'runs');
    third.end();
    await second.settled;
    assert.deepEqual(house.view(), { 'route /x': [0, 0, 0] });
  });

  test('who waits too long is refused, and the place goes to the next', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const house = new House();
      const room = await house.room({ service: gate(1, 5, 2500) });
      const [first, second] = [new Asker(room), new Asker(room)];
      mock.timers.tick(2000);
      const third = new Asker(room);
      mock.timers.tick(500);
      await second.settled;
      assert.deepEqual([second.state, third.state], ['concurrency-exceeded', 'waits']);
      assert.equal(second.retryAfter, '3');
      second.end();
      first.end();
      await third.settled;
      assert.equal(third.state, 'runs');
      mock.timers.tick(10_000);
      third.end();
      assert.deepEqual(house.view(), { 'service s': [0, 0, 1] });
    } finally {
      mock.timers.reset();
    }
  });

  test('who waits for a service holds no place of all', async () => {
    const house = new House();
    const busy = await house.room({ service: gate(1), all: gate(3) });
    const [first, second, third] = [new Asker(busy), new Asker(busy), new Asker(busy)];
    assert.deepEqual([first.state, second.state, third.state], ['runs', 'waits', 'waits']);
    assert.deepEqual(house.view(), { 'service s': [1, 2, 0], 'all requests': [1, 0, 0] });
    first.end();
    await second.settled;
    assert.deepEqual(house.view(), { 'service s': [1, 1, 0], 'all requests': [1, 0, 0] });
    for (const one of [second, third]) one.end();
    assert.deepEqual(house.view(), { 'service s': [0, 0, 0], 'all requests': [0, 0, 0] });
  });

  test('what was taken before a wider gate refused is given back', async () => {
    const house = new House();
    const room = await house.room({ route: gate(5), all: gate(1, 0) });
    const [first, second] = [new Asker(room), new Asker(room)];
    assert.equal(second.state, 'concurrency-exceeded');
    second.end();
    assert.deepEqual(house.view(), { 'route /x': [1, 0, 0], 'all requests': [1, 0, 1] });
    first.end();
    assert.deepEqual(house.view(), { 'route /x': [0, 0, 0], 'all requests': [0, 0, 1] });
  });

  test('is one for all routes of a service, and goes on over a reload that leaves it', async () => {
    const house = new House();
    const one = await house.room({ service: gate(1, 0), identity: 'one' });
    const first = new Asker(one);
    const next = house.carries.open();
    const two = await house.room({ service: gate(1, 0), identity: 'two' }, next);
    house.carry.release();
    assert.equal(new Asker(two).state, 'concurrency-exceeded');
    first.end();
    assert.equal(new Asker(two).state, 'runs');
  });

  test('is shared by workers, at least one for each', async () => {
    const room = await new House().room({ all: gate(8, 0), workers: 4 });
    assert.deepEqual(
      [new Asker(room), new Asker(room), new Asker(room)].map(({ state }) => state),
      ['runs', 'runs', 'concurrency-exceeded'],
    );
    const least = await new House().room({ all: gate(1, 0), workers: 4 });
    assert.equal(new Asker(least).state, 'runs');
  });
});

describe('on its walk an exchange gives its place back', () => {
  async function walk(room: Prepared, rooms: readonly Prepared[] = []) {
    const [service, client] = [new FakeService(), new FakeClient()];
    const plan = await planOf(service, [room, ...rooms]);
    const faults: unknown[] = [];
    const owner = { ended: () => undefined, broke: (_x: Exchange, fault: unknown) => void faults.push(fault) };
    const x = request();
    new Walk(x, client, plan, owner).begin();
    return { service, client, x, faults };
  }

  const ways: [string, (one: Awaited<ReturnType<typeof walk>>) => void][] = [
    [
      'when the answer is complete',
      ({ service: { answer } }) => {
        answer.onHead(200, [], 0);
        answer.onEnd(undefined);
      },
    ],
    [
      'when the service fails',
      ({ service: { answer } }) => answer.onFault({ code: 'upstream-closed', reason: '', untouched: false }),
    ],
    ['when the client leaves', ({ client }) => client.watcher?.clientGone()],
    [
      'when the service fails and the client leaves',
      ({ service: { answer }, client }) => {
        answer.onFault({ code: 'upstream-closed', reason: '', untouched: false });
        client.watcher?.clientGone();
      },
    ],
    [
      'when the client leaves amid the answer',
      ({ service: { answer }, client }) => {
        answer.onHead(200, [], 10);
        client.watcher?.clientGone();
        answer.onEnd(undefined);
      },
    ],
    [
      'when the client cannot be answered',
      ({ service: { answer }, client }) => {
        client.breaksAt = 'start';
        answer.onHead(200, [], 0);
        answer.onEnd(undefined);
      },
    ],
  ];
  for (const [when, happens] of ways) {
    test(when, async () => {
      const house = new House();
      const room = await house.room({ route: gate(1) });
      const one = await walk(room);
      assert.deepEqual(house.view(), { 'route /x': [1, 0, 0] });
      happens(one);
      assert.deepEqual(house.view(), { 'route /x': [0, 0, 0] });
    });
  }

  test('when a later room refuses, breaks, or breaks at the end', async () => {
    const house = new House();
    const room = await house.room({ route: gate(1) });
    const breaks = () => {
      throw new Error('a defect');
    };
    for (const later of [
      { onRequestHead: breaks },
      { onRequestHead: () => Promise.reject(new Error('late')) },
      { onRequestHead: breaks, onEnd: breaks },
    ]) {
      const { x } = await walk(room, [later]);
      await settle();
      assert.equal(x.decision?.code, 'internal');
      assert.deepEqual(house.view(), { 'route /x': [0, 0, 0] });
    }
  });

  test('when the client leaves while it waits for one, and nothing goes to the service', async () => {
    const house = new House();
    const room = await house.room({ route: gate(1) });
    const first = await walk(room);
    const second = await walk(room);
    assert.equal(second.service.calls.length, 0);
    second.client.watcher?.clientGone();
    first.client.watcher?.clientGone();
    await settle();
    assert.equal(second.service.calls.length, 0);
    assert.deepEqual(house.view(), { 'route /x': [0, 0, 0] });
  });

  test('and the one that waited goes on', async () => {
    const house = new House();
    const room = await house.room({ route: gate(1) });
    const first = await walk(room);
    const second = await walk(room);
    first.client.watcher?.clientGone();
    await settle();
    assert.equal(second.service.calls.length, 1);
  });
});
