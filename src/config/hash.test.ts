import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, hashOptions } from './hash.ts';

test('equal options have equal hashes, whatever the order of their keys', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (options) => {
      const reversed = Object.fromEntries(Object.entries(options).reverse());
      assert.equal(hashOptions(options), hashOptions(reversed));
      assert.match(hashOptions(options), /^[0-9a-f]{64}$/);
    }),
  );
});

test('different values look different', () => {
  const values: unknown[] = [
    undefined,
    null,
    true,
    'true',
    1,
    '1',
    1n.toString(),
    '',
    [],
    {},
    [[]],
    [null],
    [undefined],
    { a: 1 },
    { a: '1' },
    { a: [1] },
    { a: { b: 1 } },
    { 'a":1,"b': 1 },
    { a: 1, b: 1 },
    /a/,
    /a/i,
    new Map([['a', 1]]),
    new Set(['a']),
    Buffer.from('a'),
    Number.NaN,
  ];
  const texts = new Map<string, unknown>();
  for (const value of values.filter((one, i) => values.findIndex((other) => Object.is(other, one)) === i)) {
    const text = canonicalJson(value);
    assert.ok(!texts.has(text), `${text} stands for two values`);
    texts.set(text, value);
  }
});

test('a member that is undefined is as good as none', () => {
  assert.equal(hashOptions({ a: 1, b: undefined }), hashOptions({ a: 1 }));
});

test('a function has no hash: two of them cannot be told apart', () => {
  assert.throws(() => hashOptions({ a: () => 1 }), TypeError);
});
