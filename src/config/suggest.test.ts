import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editDistance, nearest } from './suggest.ts';

const KEYS = ['address', 'tls', 'bounds', 'head-bytes', 'head-count', 'proxy-protocol', 'hsts', 'max-age'];

test('what was probably meant', () => {
  const cases: [string, string | undefined][] = [
    ['adress', 'address'],
    ['tsl', 'tls'],
    ['head-byte', 'head-bytes'],
    ['head_bytes', 'head-bytes'],
    ['Address', 'address'],
    ['maxAge', 'max-age'],
    ['addr', 'address'],
    ['prox', 'proxy-protocol'],
    ['head', undefined],
    ['add', undefined],
    ['t', undefined],
    ['', undefined],
    ['timeout', undefined],
    ['certificate', undefined],
    ['a'.repeat(100_000), undefined],
  ];
  for (const [written, expected] of cases) assert.equal(nearest(written, KEYS), expected, written.slice(0, 20));
});

test('one slip of the finger in a word of four letters or more is always found', () => {
  const word = fc.string({ unit: fc.constantFrom(...'abcdefghij-'.split('')), minLength: 4, maxLength: 30 });
  fc.assert(
    fc.property(word, fc.nat(), fc.constantFrom('drop', 'double', 'swap', 'replace'), (right, seed, slip) => {
      const at = seed % (right.length - 1);
      const wrong = {
        drop: right.slice(0, at) + right.slice(at + 1),
        double: right.slice(0, at) + right[at] + right.slice(at),
        swap: right.slice(0, at) + right[at + 1] + right[at] + right.slice(at + 2),
        replace: `${right.slice(0, at)}z${right.slice(at + 1)}`,
      }[slip];
      assert.equal(nearest(wrong, [right]), right);
    }),
  );
});

test('the distance is one: zero for equals only, the same both ways, at most the longer word', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      assert.equal(distance === 0, a === b);
      assert.equal(distance, editDistance(b, a));
      assert.ok(distance <= Math.max(a.length, b.length));
      assert.ok(distance >= Math.abs(a.length - b.length));
    }),
  );
});

test('what is suggested is never further away than a third of the longer word, or begins with what was written', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 20 }), (written) => {
      const found = nearest(written, KEYS);
      if (found === undefined || (written.length >= 4 && found.startsWith(written.toLowerCase()))) return;
      assert.ok(editDistance(written.toLowerCase(), found) <= Math.max(written.length, found.length) / 3);
    }),
  );
});
