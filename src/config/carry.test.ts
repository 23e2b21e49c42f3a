import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CarryStore } from './carry.ts';

test('what two configurations ask for under one key is one object, and lives until both have let go', () => {
  const store = new CarryStore();
  const disposed: object[] = [];
  const [first, second] = [store.open(), store.open()];
  const make = () => ({ made: true });
  const one = first.take('a', make, (value) => void disposed.push(value));
  assert.equal(first.take('a', make), one, 'asked again by the same');
  assert.equal(
    second.take('a', () => assert.fail('made twice')),
    one,
  );
  first.release();
  first.release();
  assert.deepEqual([disposed, store.size], [[], 1]);
  second.release();
  assert.deepEqual([disposed, store.size], [[one], 0]);
  const third = store.open();
  assert.notEqual(third.take('a', make), one, 'after that it is made anew');
  assert.notEqual(third.take('b', make), third.take('a', make), 'another key is another object');
});

test('what cannot be made is not held', () => {
  const store = new CarryStore();
  const hold = store.open();
  assert.throws(
    () =>
      hold.take('a', () => {
        throw new Error('no');
      }),
    /no/,
  );
  assert.equal(store.size, 0);
  assert.deepEqual(
    hold.take('a', () => ({ n: 1 })),
    { n: 1 },
  );
});

test('all is let go, also when one thing cannot be disposed of; the error is told', () => {
  const store = new CarryStore();
  const hold = store.open();
  const disposed: string[] = [];
  const dispose = (name: string) => () => {
    disposed.push(name);
    if (name === 'b') throw new Error('b cannot go');
  };
  for (const name of ['a', 'b', 'c']) hold.take(name, () => ({}), dispose(name));
  assert.throws(() => hold.release(), /b cannot go/);
  assert.deepEqual([disposed, store.size], [['a', 'b', 'c'], 0]);
  hold.release();
  assert.equal(disposed.length, 3);
});

test('a configuration that has let go takes nothing more: nobody would ever give it back', () => {
  const store = new CarryStore();
  const hold = store.open();
  hold.release();
  assert.throws(() => hold.take('a', () => ({})), /has been released/);
  assert.equal(store.size, 0);
});
