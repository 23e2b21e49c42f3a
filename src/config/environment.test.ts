import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { interpolate } from './environment.ts';

const ENVIRONMENT = { A: 'one', EMPTY: '', NESTED: '${A}', DOLLARS: '$& $1 $$' };

test('references to the environment', () => {
  const cases: [string, string][] = [
    ['${A}', 'one'],
    ['x${A}y${A}z', 'xoneyonez'],
    ['${EMPTY}', ''],
    ['${NOPE:-two}', 'two'],
    ['${EMPTY:-two}', 'two'],
    ['${A:-two}', 'one'],
    ['${NOPE:-}', ''],
    ['${NOPE:-http://x:80/}', 'http://x:80/'],
    ['$${A}', '${A}'],
    ['$$${A}', '$${A}'],
    ['$A $ {A} $', '$A $ {A} $'],
    ['^/x$', '^/x$'],
    ['${NESTED}', '${A}'],
    ['${DOLLARS}', '$& $1 $$'],
  ];
  for (const [text, expected] of cases) {
    const result = interpolate(text, ENVIRONMENT);
    assert.equal(result.text, expected, text);
    assert.deepEqual(result.unresolved, [], text);
  }
});

test('what cannot be replaced, and where it stands', () => {
  const cases: [string, number, RegExp][] = [
    ['a ${NOPE}', 2, /NOPE is not set/],
    ['${}', 0, /malformed/],
    ['${A B}', 0, /malformed/],
    ['${1A}', 0, /malformed/],
    ['${A', 0, /malformed/],
    ['${A:?x}', 0, /malformed/],
    ['${toString}', 0, /toString is not set/],
  ];
  for (const [text, index, message] of cases) {
    const result = interpolate(text, ENVIRONMENT);
    assert.equal(result.unresolved.length, 1, text);
    assert.equal(result.unresolved[0].index, index, text);
    assert.match(result.unresolved[0].message, message, text);
    assert.equal(result.text, text);
  }
});

test('only what came from the environment counts as its value', () => {
  assert.deepEqual(interpolate('${A} ${NOPE:-two}', ENVIRONMENT).values, [{ name: 'A', value: 'one' }]);
});

test('text without a reference stays as it is', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!text.includes('${'));
      assert.equal(interpolate(text, ENVIRONMENT).text, text);
    }),
  );
});
