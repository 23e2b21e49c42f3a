import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { conforms, nextArrival, verdictOf } from './gcra.ts';
import type { Rate } from './limit-store.ts';

/** A token bucket in exact arithmetic: time in whole microseconds, tokens in units of 1/period. */
class Model {
  readonly #count: bigint;
  readonly #period: bigint;
  readonly #most: bigint;
  #tokens: bigint;
  #time = 0n;

  constructor(count: number, periodUs: number, burst: number) {
    this.#count = BigInt(count);
    this.#period = BigInt(periodUs);
    this.#most = BigInt(burst) * this.#period;
    this.#tokens = this.#most;
  }

  take(us: number): boolean {
    const grown = this.#tokens + (BigInt(us) - this.#time) * this.#count;
    this.#time = BigInt(us);
    this.#tokens = grown > this.#most ? this.#most : grown;
    if (this.#tokens < this.#period) return false;
    this.#tokens -= this.#period;
    return true;
  }

  get remaining(): number {
    return Number(this.#tokens / this.#period);
  }
}

const PERIODS = [1000, 10_000, 1_000_000, 10_000_000, 60_000_000, 3_600_000_000];

/** A clock that ticks every 20 µs: no edge of these rates is then nearer to a tick than a double can tell, unless it is on it. */
const TICK = 20;

/** Rates of all kinds, and gaps that fall on the edges of them, and beside. */
const runs = fc
  .record({
    count: fc.integer({ min: 1, max: 1000 }),
    period: fc.constantFrom(...PERIODS),
    burst: fc.integer({ min: 1, max: 50 }),
  })
  .chain((limit) => {
    const interval = limit.period / limit.count;
    const gap = fc.oneof(
      { weight: 4, arbitrary: fc.constant(0) },
      { weight: 2, arbitrary: fc.integer({ min: 0, max: Math.ceil(3 * interval) }) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 60 }).map((n) => Math.max(0, Math.round(n * interval))) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }).map((n) => Math.max(0, n * limit.period)) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 20 }) },
    );
    return fc.record({ limit: fc.constant(limit), gaps: fc.array(gap, { minLength: 1, maxLength: 400, size: 'max' }) });
  });

describe('GCRA', () => {
  test('decides like a token bucket in exact arithmetic, and tells truly what remains and when', () => {
    fc.assert(
      fc.property(runs, ({ limit, gaps }) => {
        const rate: Rate = { interval: limit.period / limit.count / 1000, burst: limit.burst };
        const model = new Model(limit.count, limit.period, limit.burst);
        let tat = 0;
        let us = 0;
        let passed = 0;
        for (const gap of gaps) {
          us += Math.round(gap / TICK) * TICK;
          const now = us / 1000;
          const next = nextArrival(tat, now, rate);
          const allowed = conforms(next, now, rate);
          assert.equal(allowed, model.take(us), `at ${us} µs`);
          if (allowed) tat = next;
          passed += allowed ? 1 : 0;
          const verdict = verdictOf(allowed, tat, now, rate);
          assert.equal(verdict.remaining, model.remaining);
          assertTrue(verdict, tat, now, rate);
          assert.ok(passed <= limit.burst + (us * limit.count) / limit.period + 1e-6);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('lets the whole burst pass at one instant, and the steady rate on and on', () => {
    const rate = { interval: 1000 / 7, burst: 7 };
    let tat = 0;
    let passed = 0;
    // An hour at its very edge: rounding must not pile up.
    for (let second = 0; second < 3600; second++) {
      for (let i = 0; i < 8; i++) {
        const next = nextArrival(tat, second * 1000, rate);
        if (!conforms(next, second * 1000, rate)) continue;
        tat = next;
        passed++;
      }
    }
    assert.equal(passed, 3600 * 7);
  });

  test('a bucket that nobody used is full', () => {
    assert.deepEqual(verdictOf(true, 0, 5000, { interval: 100, burst: 3 }), {
      allowed: true,
      remaining: 3,
      retryAfter: 0,
      reset: 0,
    });
  });
});

/** After `retryAfter` a request passes and just before it none; after `reset` the whole burst does. */
function assertTrue(verdict: ReturnType<typeof verdictOf>, tat: number, now: number, rate: Rate): void {
  const passesAt = (time: number) => conforms(nextArrival(tat, time, rate), time, rate);
  assert.ok(verdict.retryAfter >= 0 && verdict.reset >= 0);
  assert.equal(verdict.retryAfter === 0, verdict.remaining > 0);
  assert.ok(passesAt(now + verdict.retryAfter + 1e-4));
  if (verdict.retryAfter > 1e-4) assert.ok(!passesAt(now + verdict.retryAfter - 1e-4));
  assert.equal(verdictOf(true, tat, now + verdict.reset + 1e-4, rate).remaining, rate.burst);
}
