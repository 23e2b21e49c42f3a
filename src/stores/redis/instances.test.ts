import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Instances } from './instances.ts';

test('more instances are believed at once, fewer after as long as one may be silent', () => {
  const instances = new Instances(2, 5000);
  assert.equal(instances.count, 2);
  instances.told(4, 0);
  assert.equal(instances.count, 4);
  instances.told(1, 1000);
  instances.told(1, 6000);
  assert.equal(instances.count, 4);
  instances.told(2, 6001);
  assert.equal(instances.count, 2);
});

test('a store that comes back empty does not make them few', () => {
  const instances = new Instances(1, 5000);
  instances.told(4, 0);
  instances.told(1, 1000);
  instances.away();
  instances.told(1, 100_000);
  assert.equal(instances.count, 4);
  instances.told(3, 104_000);
  instances.told(4, 105_000);
  instances.told(3, 106_000);
  assert.equal(instances.count, 4);
  instances.told(0, 200_000);
  assert.equal(instances.count, 1);
});
