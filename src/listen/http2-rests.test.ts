import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Http2Rests } from './http2-rests.ts';

function rests(): { rests: Http2Rests; reset: number[] } {
  const reset: number[] = [];
  return { rests: new Http2Rests((id) => reset.push(id)), reset };
}

const later = () => performance.now() + 1001;

test('a request that comes in whole is not reset', () => {
  const { rests: one, reset } = rests();
  one.add(1, 100);
  one.data(1, 60, false);
  one.data(1, 40, true);
  one.add(3, 100);
  one.end(3);
  one.sweep(later());
  assert.deepEqual(reset, []);
});

test('one that does not is reset after a second, once', () => {
  const { rests: one, reset } = rests();
  one.add(1, 100);
  one.sweep(performance.now() + 500);
  assert.deepEqual(reset, []);
  one.sweep(later());
  one.sweep(later());
  one.data(1, 200, false);
  assert.deepEqual(reset, [1]);
});

test('one that has used up its window waits for nothing', () => {
  const { rests: one, reset } = rests();
  one.add(1, 100);
  one.data(1, 99, false);
  assert.deepEqual(reset, []);
  one.data(1, 1, false);
  assert.deepEqual(reset, [1]);
});

test('there are never many', () => {
  const { rests: one, reset } = rests();
  for (let id = 1; id < 2 * 200; id += 2) one.add(id, 100);
  assert.equal(reset.length, 200 - 64);
  assert.deepEqual(reset.slice(0, 3), [1, 3, 5]);
});
