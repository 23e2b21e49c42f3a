import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isIdempotent, LEAST_RETRIES, pauseBefore, RetryBudget } from './retry.ts';

test('never more retries within the window than the share of the calls and the few that are always allowed', () => {
  const step = fc.record({
    wait: fc.integer({ min: 0, max: 3000 }),
    calls: fc.integer({ min: 0, max: 60 }),
    wanted: fc.integer({ min: 0, max: 60 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(0, 0.1, 0.2, 1), (steps, share) => {
      const budget = new RetryBudget(share);
      const calls: number[] = [];
      const retries: number[] = [];
      let now = 5000;
      for (const { wait, calls: fresh, wanted } of steps) {
        now += wait;
        for (let i = 0; i < fresh; i++) {
          budget.deposit(now);
          calls.push(now);
        }
        const before = retries.length;
        for (let i = 0; i < wanted; i++) if (budget.take(now)) retries.push(now);
        // Calls grow old and take nothing back: what counts is the moment in which a retry was given.
        if (retries.length === before) continue;
        // The slots are one second wide: what is nine seconds old is surely still counted.
        const recentRetries = retries.filter((at) => at > now - 9000).length;
        const recentCalls = calls.filter((at) => at > now - 10_000).length;
        assert.ok(recentRetries <= share * recentCalls + LEAST_RETRIES, `${recentRetries} retries for ${recentCalls} calls`);
      }
    }),
  );
});

test('what the budget allows is really given', () => {
  const budget = new RetryBudget(0.2);
  for (let i = 0; i < 100; i++) budget.deposit(1000);
  const given = Array.from({ length: 50 }, () => budget.take(1500)).filter(Boolean).length;
  assert.equal(given, 20 + LEAST_RETRIES);
  assert.deepEqual([budget.allowed, budget.denied], [30, 20]);
});

test('old calls and old retries are forgotten', () => {
  const budget = new RetryBudget(0.5);
  for (let i = 0; i < 100; i++) budget.deposit(1000);
  for (let i = 0; i < 60; i++) assert.equal(budget.take(1000), true);
  assert.equal(budget.take(1000), false);
  assert.equal(budget.take(20_000), true);
  const given = Array.from({ length: 50 }, () => budget.take(20_000)).filter(Boolean).length;
  assert.equal(given, LEAST_RETRIES - 1);
});

test('only methods whose repetition changes nothing are repeated', () => {
  assert.deepEqual(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'].map(isIdempotent), [true, true, true, true, true]);
  assert.deepEqual(['POST', 'PATCH', 'CONNECT', 'get', ''].map(isIdempotent), [false, false, false, false, false]);
});

test('the pause grows and is bounded', () => {
  assert.deepEqual(
    [1, 2, 3, 10].map((tries) => pauseBefore(tries, () => 0)),
    [25, 50, 100, 1000],
  );
  assert.equal(
    pauseBefore(1, () => 0.5),
    37.5,
  );
});
