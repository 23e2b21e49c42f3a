import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TokenCache } from './token-cache.ts';

test('it never holds more than its bounds, and its own count of bytes is right', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ key: fc.nat(30), bytes: fc.nat(60), act: fc.constantFrom('set', 'get', 'delete') }), {
        maxLength: 300,
      }),
      (steps) => {
        const cache = new TokenCache<{ bytes: number; key: number }>({ entries: 10, bytes: 100 });
        for (const { key, bytes, act } of steps) {
          if (act === 'set') cache.set(`${key}`, { bytes, key });
          else if (act === 'get') assert.equal(cache.get(`${key}`)?.key ?? key, key);
          else cache.delete(`${key}`);
          assert.ok(cache.size <= 10 && cache.bytes <= 100, `${cache.size} entries, ${cache.bytes} bytes`);
        }
        for (let key = 0; key <= 30; key++) cache.delete(`${key}`);
        assert.deepEqual([cache.size, cache.bytes], [0, 0]);
      },
    ),
  );
});

test('what is asked for stays, what is not goes when others come', () => {
  const cache = new TokenCache<{ bytes: number }>({ entries: 10, bytes: 1000 });
  cache.set('asked for', { bytes: 1 });
  cache.set('forgotten', { bytes: 1 });
  for (let i = 0; i < 100; i++) {
    cache.set(`${i}`, { bytes: 1 });
    assert.notEqual(cache.get('asked for'), undefined, `after ${i}`);
  }
  assert.equal(cache.get('forgotten'), undefined);
  assert.notEqual(cache.get('99'), undefined);
});

test('an entry that would fill the whole is not kept', () => {
  const cache = new TokenCache<{ bytes: number }>({ entries: 10, bytes: 1000 });
  cache.set('small', { bytes: 1 });
  cache.set('large', { bytes: 501 });
  assert.equal(cache.get('large'), undefined);
  assert.notEqual(cache.get('small'), undefined);
});
