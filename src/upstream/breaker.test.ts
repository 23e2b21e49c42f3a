import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Breaker } from './breaker.ts';
import { parsed } from './fakes.ts';

function breaker(written: object): Breaker {
  const { breaker: options } = parsed({ targets: ['http://127.0.0.1:1'], breaker: written });
  assert.ok(options);
  return new Breaker(options);
}

test('opens at a count of failures within the window', () => {
  const one = breaker({ failures: 3, window: '10s' });
  assert.equal(one.failed(1000, false), false);
  one.passed(1000, false);
  assert.equal(one.failed(2000, false), false);
  assert.equal(one.failed(3000, false), true);
  assert.equal(one.admit(3001), 'refused');
});

test('failures that are older than the window do not count', () => {
  const one = breaker({ failures: 3, window: '10s' });
  one.failed(1000, false);
  one.failed(2000, false);
  assert.equal(one.failed(14_000, false), false);
  assert.equal(one.admit(14_000), 'admitted');
});

test('opens at a share of failures, but not on few calls', () => {
  const one = breaker({ failures: '50%', requests: 10 });
  for (let i = 0; i < 9; i++) assert.equal(one.failed(1000, false), false);
  assert.equal(one.failed(1000, false), true);
  const other = breaker({ failures: '50%', requests: 10 });
  for (let i = 0; i < 11; i++) other.passed(1000, false);
  for (let i = 0; i < 10; i++) assert.equal(other.failed(1000, false), false);
  assert.equal(other.failed(1000, false), true);
});

test('half open lets one trial through, and its outcome decides', () => {
  const one = breaker({ failures: 1, 'open-for': '5s' });
  one.failed(1000, false);
  assert.equal(one.state(5999), 'open');
  assert.equal(one.remaining(5999), 1);
  assert.equal(one.admit(6000), 'trial');
  assert.equal(one.admit(6000), 'refused');
  assert.equal(one.failed(6100, true), true);
  assert.equal(one.admit(11_000), 'refused');
  assert.equal(one.admit(11_100), 'trial');
  one.passed(11_200, true);
  assert.equal(one.state(11_200), 'closed');
  assert.equal(one.admit(11_200), 'admitted');
});

test('a trial that tells nothing makes way for the next', () => {
  const one = breaker({ failures: 1, 'open-for': '1s' });
  one.failed(0, false);
  assert.equal(one.admit(2000), 'trial');
  one.abandoned();
  assert.equal(one.admit(2000), 'trial');
});

test('calls from before it opened change nothing any more', () => {
  const one = breaker({ failures: 1, 'open-for': '1s' });
  one.failed(0, false);
  assert.equal(one.failed(900, false), false);
  one.passed(950, false);
  assert.equal(one.state(950), 'open');
  assert.equal(one.admit(1000), 'trial');
  one.passed(1001, false);
  assert.equal(one.state(1001), 'half-open');
});
