import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { makeBalancer } from './choose.ts';

interface Counted {
  name: number;
  weight: number;
  active: number;
  picked: number;
}

const counted = (weight: number, name: number, active = 0): Counted => ({ name, weight, active, picked: 0 });

/** The same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 8 });

for (const word of ['round-robin', 'least-requests'] as const) {
  test(`${word}: on a quiet service each full round has exactly the shares of the weights`, () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 4 }), fc.integer(), (list, rounds, seed) => {
        const candidates = list.map((weight, name) => counted(weight, name));
        const balancer = makeBalancer<Counted>(word, seeded(seed));
        balancer.reset(candidates);
        const equal = list.every((weight) => weight === list[0]);
        const unit = equal ? 1 : 0;
        const round = equal ? list.length : list.reduce((sum, weight) => sum + weight, 0);
        for (let i = 0; i < round * rounds; i++) balancer.pick().picked++;
        for (const one of candidates) assert.equal(one.picked, rounds * (unit || one.weight));
      }),
    );
  });
}

test('round-robin: a heavy target is not called in one burst', () => {
  const balancer = makeBalancer<Counted>('round-robin', () => 0);
  balancer.reset([counted(5, 0), counted(1, 1), counted(1, 2)]);
  const order = Array.from({ length: 7 }, () => balancer.pick().name);
  assert.deepEqual(order, [0, 0, 1, 0, 2, 0, 0]);
});

test('random: the shares come near the weights', () => {
  fc.assert(
    fc.property(weights, fc.integer({ min: 1 }), (list, seed) => {
      const candidates = list.map((weight, name) => counted(weight, name));
      const balancer = makeBalancer<Counted>('random', seeded(seed));
      balancer.reset(candidates);
      const total = list.reduce((sum, weight) => sum + weight, 0);
      const picks = 4000;
      for (let i = 0; i < picks; i++) balancer.pick().picked++;
      for (const one of candidates) {
        const expected = (picks * one.weight) / total;
        // Six standard deviations: a wrong share would be far beyond, chance never is.
        assert.ok(Math.abs(one.picked - expected) < 6 * Math.sqrt(expected), `${one.picked} instead of ${expected}`);
      }
    }),
    { numRuns: 50 },
  );
});

for (const word of ['least-requests', 'random'] as const) {
  test(`${word}: calls that do not end pile up by weight, not more`, () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 1 }), (list, seed) => {
        const candidates = list.map((weight, name) => counted(weight, name));
        const balancer = makeBalancer<Counted>(word, seeded(seed));
        balancer.reset(candidates);
        const total = list.reduce((sum, weight) => sum + weight, 0);
        for (let i = 0; i < total * 20; i++) balancer.pick().active++;
        const loads = candidates.map((one) => one.active / one.weight);
        const spread = Math.max(...loads) - Math.min(...loads);
        // Looking at all keeps everyone within one call for its weight; two choices come near.
        assert.ok(spread <= (word === 'least-requests' ? 1 : 12), `spread ${spread}`);
      }),
      { numRuns: 50 },
    );
  });
}

test('least-requests: the target with fewer calls gets the next one', () => {
  const balancer = makeBalancer<Counted>('least-requests', () => 0);
  const list = [counted(1, 0, 3), counted(1, 1, 2), counted(1, 2, 4)];
  balancer.reset(list);
  assert.equal(balancer.pick().name, 1);
  list[1].active = 9;
  assert.equal(balancer.pick().name, 0);
});
