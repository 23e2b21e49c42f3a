import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decode, splitToken } from './token.ts';

test('a token has three parts, none of them empty', () => {
  assert.deepEqual(splitToken('a.bc.d'), { header: 'a', payload: 'bc', signature: 'd' });
  for (const one of ['', '.', '..', 'a', 'a.b', 'a.b.', 'a..c', '.b.c', 'a.b.c.', 'a.b.c.d', 'a.b.c.d.e', '...', 'a.b..'])
    assert.equal(splitToken(one), undefined, one);
});

test('base64url counts in the one form that its own writer makes', () => {
  const character = fc.constantFrom(...'AQgwEZaz09-_+/=. \t\n\0\xe9\xff,%'.split(''));
  const right = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64url'));
  const near = fc
    .tuple(right, fc.nat(60), character, fc.boolean())
    .map(([text, at, other, replaces]) => text.slice(0, at) + other + text.slice(replaces ? at + 1 : at));
  const mixed = fc.array(character, { minLength: 1, maxLength: 12 }).map((list) => list.join(''));
  fc.assert(
    fc.property(fc.oneof(right, near, mixed), (text) => {
      const canonical = /^[\w-]+$/.test(text) && Buffer.from(text, 'base64url').toString('base64url') === text;
      const bytes = decode(text);
      assert.equal(bytes !== undefined, canonical);
      if (bytes !== undefined) assert.deepEqual(bytes, Buffer.from(text, 'base64url'));
    }),
    { numRuns: 3000 },
  );
});
