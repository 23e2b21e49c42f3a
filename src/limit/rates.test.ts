import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KeptLog, request } from '../../test/support/corridor.ts';
import { CarryStore } from '../config/carry.ts';
import type { Outcome, Refusal } from '../exchange/decision.ts';
import type { Caller, Exchange } from '../exchange/exchange.ts';
import { headerValue, headerValues } from '../exchange/headers.ts';
import type { World } from '../pipeline/stage.ts';
import { type Bucket, type LimitStore, StoreError, type Verdict } from '../stores/limit-store.ts';
import { MemoryLimitStore } from '../stores/memory-limit-store.ts';
import { limitOptions, routeLimits } from './options.ts';
import { limitByAddress, limitByCaller, limitCounts } from './stage.ts';

/** A store of which the test says how it is. */
class ShakyStore implements LimitStore {
  readonly #inside: LimitStore;
  state: 'well' | 'throws' | 'rejects' | 'broken' | 'slow' = 'well';

  constructor(inside: LimitStore) {
    this.#inside = inside;
  }

  take(buckets: readonly Bucket[]): readonly Verdict[] | Promise<readonly Verdict[]> {
    if (this.state === 'throws') throw new StoreError('away');
    if (this.state === 'rejects') return Promise.reject(new StoreError('away'));
    if (this.state === 'broken') throw new TypeError('a defect');
    const verdicts = this.#inside.take(buckets);
    return this.state === 'slow' ? Promise.resolve(verdicts) : verdicts;
  }
}

class House {
  readonly clock = { now: 10_000 };
  readonly store = new ShakyStore(new MemoryLimitStore({ now: () => this.clock.now }));
  readonly local = new MemoryLimitStore({ now: () => this.clock.now });
  readonly log = new KeptLog();
  readonly #carries = new CarryStore();
  readonly carry = this.#carries.open();
  instances = 1;

  /** Both places of the room on one route, as one walk. */
  async route(limits: unknown, { named = {}, methods = ['jwt'], route = 'r', carry = this.#carries.open() } = {}) {
    const written = routeLimits.parse(limits);
    const file: Record<string, unknown> = named;
    const list = written.map((one) =>
      typeof one === 'string' ? { name: one, limit: limitOptions.parse(file[one]) } : { limit: one },
    );
    const stores = { limits: this.store, local: this.local, instances: () => this.instances };
    const world = { carry, log: this.log, stores } as unknown as World;
    const options = { limits: list, route, methods };
    const rooms = [
      await limitByAddress.prepare(options, world, { path: '/x' }),
      await limitByCaller.prepare(options, world, { path: '/x' }),
    ];
    return async (x: Exchange = request()): Promise<Outcome> => {
      for (const room of rooms) {
        const outcome = await room?.onRequestHead?.(x);
        if (outcome !== undefined) return outcome;
      }
      x.response = { status: 200, headers: ['ratelimit', '"theirs";r=9', 'x-a', '1'], length: 0, body: undefined };
      for (const room of rooms) await room?.onResponseHead?.(x);
      return undefined;
    };
  }

  decisions(): Record<string, number> {
    const [decisions] = limitCounts(this.carry).sources(() => 0);
    return Object.fromEntries(decisions.collect().map(({ labels, value }) => [`${labels.limit} ${labels.verdict}`, value]));
  }
}

function caller(parts: Partial<Caller>): Exchange {
  const x = request();
  x.caller = { by: 'jwt', name: 'staff', subject: 'u', scopes: [], claims: {}, ...parts };
  return x;
}

const isRefusal = (outcome: Outcome): outcome is Refusal => outcome?.kind === 'refusal';
const codeOf = (outcome: Outcome) => (isRefusal(outcome) ? outcome.code : 'passed');

async function codes(walk: (x?: Exchange) => Promise<Outcome>, times: number, make: () => Exchange = request): Promise<string[]> {
  const list: string[] = [];
  for (let i = 0; i < times; i++) list.push(codeOf(await walk(make())));
  return list;
}

describe('a limit', () => {
  test('lets the burst pass and answers the next with 429 and when to come again', async () => {
    const house = new House();
    const walk = await house.route([{ rate: '60/minute', burst: 2, by: 'address' }]);
    assert.deepEqual(await codes(walk, 3), ['passed', 'passed', 'rate-limited']);
    const refusal = (await walk()) as Refusal;
    assert.equal(refusal.status, 429);
    assert.equal(headerValue(refusal.headers ?? [], 'retry-after'), '1');
    assert.match(refusal.reason, /60\/minute by address/);
    house.clock.now += 1000;
    assert.deepEqual(await codes(walk, 2), ['passed', 'rate-limited']);
  });

  test('rounds Retry-After up, so that who obeys it passes', async () => {
    const house = new House();
    const walk = await house.route([{ rate: '7/minute', burst: 1, by: 'address' }]);
    await walk();
    const seconds = Number(headerValue(((await walk()) as Refusal).headers ?? [], 'retry-after'));
    assert.equal(seconds, 9);
    house.clock.now += 8000;
    assert.equal(codeOf(await walk()), 'rate-limited');
    house.clock.now += 1000;
    assert.equal(codeOf(await walk()), 'passed');
  });

  test('says in each answer how it stands, and the service cannot say otherwise', async () => {
    const house = new House();
    const walk = await house.route(['main'], { named: { main: { rate: '100/minute', burst: 3, by: 'address' } } });
    const x = request();
    await walk(x);
    const headers = x.response?.headers ?? [];
    assert.deepEqual(headerValues(headers, 'ratelimit'), ['"main";r=2;t=1']);
    assert.deepEqual(headerValues(headers, 'ratelimit-policy'), ['"main";q=100;w=60']);
    assert.equal(headerValue(headers, 'x-a'), '1');
  });

  test('with `headers: false` says nothing, and what the service says of its own stays', async () => {
    const walk = await new House().route([{ rate: '1/hour', by: 'address', headers: false }]);
    const x = request();
    await walk(x);
    assert.deepEqual(headerValues(x.response?.headers ?? [], 'ratelimit'), ['"theirs";r=9']);
    const refusal = (await walk()) as Refusal;
    assert.deepEqual(refusal.headers, ['retry-after', '3600']);
  });

  test("that is named is one for all routes, an unnamed one is its own route's", async () => {
    const house = new House();
    const named = { shared: { rate: '1/hour', by: 'address' } };
    const one = await house.route(['shared'], { named, route: 'one' });
    const two = await house.route(['shared'], { named, route: 'two' });
    assert.deepEqual([await codes(one, 1), await codes(two, 1)], [['passed'], ['rate-limited']]);
    const own = [{ rate: '1/hour', by: 'address' }];
    const three = await house.route(own, { route: 'three' });
    const four = await house.route(own, { route: 'four' });
    assert.deepEqual([await codes(three, 2), await codes(four, 1)], [['passed', 'rate-limited'], ['passed']]);
  });

  test('by route counts each route by itself, also when it is named', async () => {
    const house = new House();
    const named = { each: { rate: '1/hour', by: 'route' } };
    const one = await house.route(['each'], { named, route: 'one' });
    const two = await house.route(['each'], { named, route: 'two' });
    assert.deepEqual([await codes(one, 2), await codes(two, 1)], [['passed', 'rate-limited'], ['passed']]);
  });

  test('by a combination counts each combination', async () => {
    const walk = await new House().route([{ rate: '1/hour', by: ['header:a', 'header:b'] }]);
    const ask = (a: string, b: string) => walk(request({ headers: ['a', a, 'b', b] })).then(codeOf);
    assert.deepEqual([await ask('1', '2'), await ask('2', '1'), await ask('1', '1')], ['passed', 'passed', 'passed']);
    assert.equal(await ask('1', '2'), 'rate-limited');
  });

  test('outlives a reload that leaves what it counts, and begins anew when that changes', async () => {
    const house = new House();
    const limit = { rate: '1/hour', by: 'address' };
    const load = async (changes: object, route = 'r') =>
      (await codes(await house.route([{ ...limit, ...changes }], { route }), 1))[0];
    assert.equal(await load({}), 'passed');
    for (const same of [{}, { headers: false }, { 'when-store-fails': 'closed' }, { burst: undefined }])
      assert.equal(await load(same), 'rate-limited', JSON.stringify(same));
    for (const other of [{ rate: '2/hour' }, { burst: 2 }, { by: 'route' }, { 'ipv6-prefix': 48 }])
      assert.equal(await load(other), 'passed', JSON.stringify(other));
    assert.equal(await load({}, 'another route'), 'passed');
  });

  test('that stands twice on a route is one', async () => {
    const walk = await new House().route([
      { rate: '2/hour', by: 'address' },
      { rate: '2/hour', by: 'address' },
    ]);
    assert.deepEqual(await codes(walk, 3), ['passed', 'passed', 'rate-limited']);
  });
});

describe('several limits', () => {
  test('charge none when one refuses, and the strictest speaks', async () => {
    const house = new House();
    const named = {
      wide: { rate: '3/hour', by: 'address' },
      narrow: { rate: '1/minute', by: 'header:h' },
      tight: { rate: '1/hour', by: 'header:h' },
    };
    const walk = await house.route(['wide', 'narrow', 'tight'], { named });
    const from = (h: string) => walk(request({ headers: ['h', h] }));
    assert.equal(codeOf(await from('a')), 'passed');
    for (let i = 0; i < 10; i++) {
      const refusal = (await from('a')) as Refusal;
      assert.equal(headerValue(refusal.headers ?? [], 'retry-after'), '3600');
      assert.match(refusal.reason, /the limit tight /);
      assert.match(
        headerValue(refusal.headers ?? [], 'ratelimit') ?? '',
        /^"tight";r=0;t=3600, "narrow";r=0;t=60, "wide";r=2;t=\d+$/,
      );
    }
    // Of the three an hour one is used, whatever `tight` refused.
    assert.deepEqual(
      [codeOf(await from('b')), codeOf(await from('c')), codeOf(await from('d'))],
      ['passed', 'passed', 'rate-limited'],
    );
  });

  test('of both places are told together, the one with least left first', async () => {
    const house = new House();
    const walk = await house.route([
      { rate: '100/minute', by: 'address' },
      { rate: '10/minute', by: 'caller' },
    ]);
    const x = caller({});
    await walk(x);
    assert.deepEqual(headerValues(x.response?.headers ?? [], 'ratelimit'), ['"10/minute";r=9;t=6, "100/minute";r=99;t=1']);
    for (let i = 0; i < 9; i++) await walk(caller({}));
    const refusal = (await walk(caller({}))) as Refusal;
    assert.match(headerValue(refusal.headers ?? [], 'ratelimit') ?? '', /^"10\/minute";r=0;t=6, "100\/minute";r=89/);
  });
});

describe('plans', () => {
  const plans = { free: { rate: '1/hour' }, pro: { rate: '10/hour', burst: 3 } };

  test('give each caller the limit of his', async () => {
    const walk = await new House().route([{ rate: '2/hour', by: 'caller', plans }]);
    const passes = async (plan: string | undefined, subject: string) =>
      (await codes(walk, 12, () => caller({ plan, subject }))).filter((code) => code === 'passed').length;
    assert.equal(await passes('free', 'a'), 1);
    assert.equal(await passes('pro', 'b'), 3);
    for (const plan of [undefined, 'other', 'constructor', '__proto__', '']) assert.equal(await passes(plan, `c ${plan}`), 2);
  });

  test('may name the one that callers without have', async () => {
    const walk = await new House().route([{ by: 'caller', plans, 'default-plan': 'free' }]);
    assert.deepEqual(await codes(walk, 2, () => caller({})), ['passed', 'rate-limited']);
    assert.deepEqual(await codes(walk, 1, () => caller({ plan: 'free' })), ['rate-limited']);
  });
});

describe('a limit in shadow', () => {
  test('counts and notes what it would refuse, and refuses nothing', async () => {
    const house = new House();
    const named = { trial: { rate: '1/hour', by: 'address', shadow: true } };
    const walk = await house.route(['trial'], { named });
    const x = request();
    assert.deepEqual([codeOf(await walk()), codeOf(await walk(x))], ['passed', 'passed']);
    assert.deepEqual(x.notes?.get('limit'), { shadow: ['trial'] });
    assert.equal(headerValue(x.response?.headers ?? [], 'ratelimit'), '"theirs";r=9');
    assert.deepEqual(house.decisions(), { 'trial passed': 1, 'trial shadow': 1 });
  });

  test('does not keep the others from counting', async () => {
    const walk = await new House().route([
      { rate: '1/hour', by: 'address', shadow: true },
      { rate: '3/hour', by: 'address' },
    ]);
    assert.deepEqual(await codes(walk, 4), ['passed', 'passed', 'passed', 'rate-limited']);
  });

  test('is not waited for, and a store that fails it ends nothing', async () => {
    const house = new House();
    const walk = await house.route([{ rate: '1/hour', by: 'address', shadow: true }]);
    for (const state of ['throws', 'rejects', 'slow'] as const) {
      house.store.state = state;
      assert.equal(codeOf(await walk()), 'passed');
    }
  });
});

describe('while the store is away', () => {
  for (const state of ['throws', 'rejects'] as const) {
    test(`and it ${state}, \`closed\` refuses with 503`, async () => {
      const house = new House();
      const walk = await house.route([{ rate: '5/hour', by: 'address', 'when-store-fails': 'closed' }]);
      house.store.state = state;
      const refusal = (await walk()) as Refusal;
      assert.deepEqual([refusal.code, refusal.status], ['limit-store-failed', 503]);
      assert.equal(headerValue(refusal.headers ?? [], 'retry-after'), '1');
    });

    test(`and it ${state}, \`open\` passes uncounted`, async () => {
      const house = new House();
      const walk = await house.route([{ rate: '1/hour', by: 'address', 'when-store-fails': 'open' }]);
      house.store.state = state;
      assert.deepEqual(await codes(walk, 3), ['passed', 'passed', 'passed']);
      house.store.state = 'well';
      assert.deepEqual(await codes(walk, 2), ['passed', 'rate-limited']);
    });

    test(`and it ${state}, \`local\` gives out the share of one gateway`, async () => {
      const house = new House();
      house.instances = 4;
      const walk = await house.route([{ rate: '60/minute', burst: 8, by: 'address' }]);
      house.store.state = state;
      assert.deepEqual(await codes(walk, 3), ['passed', 'passed', 'rate-limited']);
      house.clock.now += 3999;
      assert.equal(codeOf(await walk()), 'rate-limited');
      house.clock.now += 1;
      assert.deepEqual(await codes(walk, 2), ['passed', 'rate-limited']);
    });
  }

  test('one closed limit decides, before anything is charged here', async () => {
    const house = new House();
    const walk = await house.route([
      { rate: '1/hour', by: 'address' },
      { rate: '5/hour', by: 'route', 'when-store-fails': 'closed' },
    ]);
    house.store.state = 'throws';
    assert.deepEqual(
      await codes(walk, 3),
      Array.from({ length: 3 }, () => 'limit-store-failed'),
    );
    assert.equal(house.local.size, 0);
  });

  test('a share is never less than one', async () => {
    const house = new House();
    house.instances = 50;
    const walk = await house.route([{ rate: '2/hour', by: 'address' }]);
    house.store.state = 'throws';
    assert.deepEqual(await codes(walk, 2), ['passed', 'rate-limited']);
  });

  test('the log says so once, and once when it is over', async () => {
    const house = new House();
    const walk = await house.route([{ rate: '1000/second', by: 'address', 'when-store-fails': 'open' }]);
    house.store.state = 'throws';
    await codes(walk, 20);
    assert.equal(house.log.lines.length, 1, house.log.text);
    assert.equal(house.log.lines[0].level, 'warn');
  });

  test('a defect is none of this: it is a fault, and nothing passes', async () => {
    const house = new House();
    const walk = await house.route([{ rate: '5/hour', by: 'address', 'when-store-fails': 'open' }]);
    house.store.state = 'broken';
    await assert.rejects(walk(), TypeError);
  });

  test('is counted by what was done', async () => {
    const house = new House();
    const named = {
      a: { rate: '1/hour', by: 'address' },
      b: { rate: '1/hour', by: 'address', 'when-store-fails': 'open' },
      c: { rate: '1/hour', by: 'address', 'when-store-fails': 'closed' },
    };
    const [ab, c] = [await house.route(['a', 'b'], { named }), await house.route(['c'], { named })];
    house.store.state = 'rejects';
    await codes(ab, 2);
    await codes(c, 1);
    assert.deepEqual(house.decisions(), { 'a passed': 1, 'a refused': 1, 'a local': 2, 'b open': 2, 'c closed': 1 });
  });
});

test('answers of a store that waits are the same', async () => {
  const house = new House();
  house.store.state = 'slow';
  const walk = await house.route([{ rate: '2/hour', by: 'address' }]);
  assert.deepEqual(await codes(walk, 3), ['passed', 'passed', 'rate-limited']);
});

describe('a limit that needs a caller', () => {
  const refused: [unknown, string[], RegExp][] = [
    [{ rate: '1/hour', by: 'caller' }, [], /by caller needs a caller/],
    [{ rate: '1/hour', by: ['address', 'claim:org'] }, [], /by claim:org needs a caller/],
    [{ rate: '1/hour', by: 'address', plans: { a: { rate: '2/hour' } } }, [], /`plans` needs a caller/],
    [{ rate: '1/hour', by: 'api-key' }, ['jwt'], /no method of this route takes one/],
  ];
  for (const [limit, methods, message] of refused) {
    test(`does not load on a route with ${methods.join() || 'none'}: ${JSON.stringify(limit)}`, async () => {
      await assert.rejects(new House().route([limit], { methods }), message);
    });
  }

  test('loads where there is one', async () => {
    await new House().route([{ rate: '1/hour', by: ['api-key', 'caller', 'address'] }], { methods: ['jwt', 'api-key'] });
  });
});
