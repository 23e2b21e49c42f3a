import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { request } from '../../test/support/corridor.ts';
import type { Caller, Exchange } from '../exchange/exchange.ts';
import { keyProblem, makePart } from './keys.ts';

const keyOf = (word: string, x: Exchange, route = 'r') => makePart(word, { ipv6Prefix: 64, route }).of(x);

function called(caller: Partial<Caller>): Exchange {
  const x = request();
  x.caller = { by: 'jwt', name: 'staff', subject: undefined, scopes: [], claims: {}, ...caller };
  return x;
}

const withHeaders = (...headers: string[]) => request({ headers });

describe('a key by header', () => {
  const key = (...headers: string[]) => keyOf('header:X-Tenant', withHeaders(...headers));

  test('is the value, whatever the case of the name in the configuration', () => {
    assert.equal(key('x-tenant', 'blue'), key('x-other', '1', 'x-tenant', 'blue'));
    assert.notEqual(key('x-tenant', 'blue'), key('x-tenant', 'Blue'));
  });

  test('is one for all without the field, with an empty one and with several', () => {
    const missing = key();
    for (const headers of [
      ['x-tenant', ''],
      ['x-tenant', 'a', 'x-tenant', 'a'],
      ['x-tenant', 'a', 'x-tenant', 'b'],
      ['x-tenant', '', 'x-tenant', 'c'],
    ])
      assert.equal(key(...headers), missing);
    assert.notEqual(key('x-tenant', '='), missing);
  });

  test('is bounded, and a long value can still be no other one', () => {
    const long = (end: string) => key('x-tenant', 'v'.repeat(10_000) + end);
    assert.ok(long('a').length < 70);
    assert.notEqual(long('a'), long('b'));
    assert.notEqual(key('x-tenant', long('a')), long('a'));
  });
});

describe('a key by caller', () => {
  test('is of the method and the subject', () => {
    assert.equal(keyOf('caller', called({ subject: 'u-1' })), keyOf('caller', called({ subject: 'u-1', scopes: ['x'] })));
    assert.notEqual(keyOf('caller', called({ subject: 'u-1' })), keyOf('caller', called({ subject: 'u-2' })));
    assert.notEqual(keyOf('caller', called({ subject: 'u-1' })), keyOf('caller', called({ subject: 'u-1', name: 'partners' })));
  });

  test('holds nothing that separates the parts of a key', () => {
    for (const subject of ['a\nb', 'a\0b', 'a\r\n'.repeat(100)]) assert.ok(!keyOf('caller', called({ subject })).includes('\n'));
    assert.notEqual(keyOf('caller', called({ subject: 'a\nb' })), keyOf('caller', called({ subject: 'a\nc' })));
  });

  test('falls back to the key, and to one for all of a method', () => {
    assert.notEqual(keyOf('caller', called({ key: 'k1' })), keyOf('caller', called({ key: 'k2' })));
    assert.equal(keyOf('caller', called({})), keyOf('caller', called({})));
  });

  test('by API key is the key alone', () => {
    assert.equal(keyOf('api-key', called({ key: 'k', subject: 'a' })), keyOf('api-key', called({ key: 'k', subject: 'b' })));
    assert.notEqual(keyOf('api-key', called({ key: 'k' })), keyOf('api-key', called({ key: 'l' })));
  });
});

describe('a key by claim', () => {
  const key = (org: unknown, word = 'claim:org') => keyOf(word, called({ claims: { org } }));

  test('tells values and their types apart', () => {
    const values = ['1', 1, true, 'true', ['a'], 'a', { a: 1 }, { a: 2 }, 'object {"a":1}x'];
    assert.equal(new Set(values.map((value) => key(value))).size, values.length);
    assert.equal(key({ a: 1 }), key({ a: 1 }));
  });

  test('is one for all who have none', () => {
    for (const word of ['claim:none', 'claim:__proto__', 'claim:constructor.name', 'claim:org.deep'])
      assert.equal(key('x', word), key('y', word), word);
    assert.equal(key(null), key(undefined));
    assert.equal(key(''), key(undefined));
  });

  test('leads deeper by dots', () => assert.notEqual(key({ id: 1 }, 'claim:org.id'), key({ id: 2 }, 'claim:org.id')));
});

test('a key by route is the same for all requests, and another for another route', () => {
  assert.equal(keyOf('route', request({ path: '/x' })), keyOf('route', request({ path: '/y', method: 'POST' })));
  assert.notEqual(keyOf('route', request()), keyOf('route', request(), 's'));
});

test('what cannot stand in `by` is told', () => {
  for (const words of [['address'], ['caller', 'route'], ['header:X-A', 'header:X-B'], ['claim:https://x.example/org']])
    assert.equal(keyProblem(words), undefined);
  for (const word of ['', 'ip', 'Address', 'header:', 'header:a b', 'header:a:', 'claim:', `claim:${'x'.repeat(300)}`])
    assert.match(keyProblem([word]) ?? '', /nothing to count by/, word);
  assert.match(keyProblem(['route', 'route']) ?? '', /twice/);
});
