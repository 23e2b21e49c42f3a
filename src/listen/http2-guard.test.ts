import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Http2Guard } from './http2-guard.ts';

const times = (count: number, run: () => boolean): number => {
  for (let i = 1; i <= count; i++) if (run()) return i;
  return 0;
};

test('eight hundred frames that bring nothing are allowed at one go, and no more', () => {
  const guard = new Http2Guard();
  assert.equal(
    times(5000, () => guard.noise(1)),
    801,
  );
});

test('a hundred in each second are allowed for ever', () => {
  const guard = new Http2Guard();
  let now = performance.now();
  for (let second = 0; second < 1000; second++) {
    assert.equal(
      times(95, () => guard.noise(1)),
      0,
    );
    now += 1000;
    guard.sweep(now);
  }
  assert.equal(
    times(5000, () => guard.noise(1)),
    801,
    'and nothing is saved up',
  );
});

test('what is done for the client makes up for some', () => {
  const guard = new Http2Guard();
  for (let i = 0; i < 10_000; i++) {
    guard.useful(2);
    assert.equal(
      times(2, () => guard.noise(1)),
      0,
    );
  }
});

test('resets: so many in a row, and one more for four streams that end well', () => {
  const guard = new Http2Guard();
  assert.equal(
    times(100, () => guard.reset(20)),
    21,
  );
  const kind = new Http2Guard();
  for (let i = 0; i < 1000; i++) {
    for (let k = 0; k < 4; k++) kind.served();
    assert.equal(kind.reset(20), false);
  }
});
