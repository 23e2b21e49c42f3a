import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasQueryToken, readBearer, readHeader } from './credential.ts';

test('a bearer token is one scheme, one space, one token68', () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) assert.equal(readBearer(`${scheme} a.b-c_d~e+f/g==`), 'a.b-c_d~e+f/g==');
  const malformed = [
    'Bearer',
    'Bearer ',
    'Bearer  a',
    'Bearer\ta',
    'Bearer,a',
    'Bearer a b',
    'Bearer a,b',
    'Bearer "a"',
    'Bearer a=b',
    'Bearer =',
  ];
  for (const one of malformed) assert.equal(readBearer(one), null, one);
  for (const one of ['', 'Bearers a', 'Bearer-x a', 'Basic a', 'a', ' Bearer a']) assert.equal(readBearer(one), undefined, one);
  assert.equal(readBearer(`Bearer ${'a'.repeat(8192)}`)?.length, 8192);
  assert.equal(readBearer(`Bearer ${'a'.repeat(8193)}`), null);
});

test('where the methods look at the characters themselves, scheme, space and length are looked at all the same', () => {
  assert.equal(readBearer('Bearer a b', false), 'a b');
  for (const one of ['Bearer', 'Bearer\ta', `Bearer ${'a'.repeat(8193)}`]) assert.equal(readBearer(one, false), null, one);
  assert.equal(readBearer('Basic a', false), undefined);
});

test('a token in the query is found in every spelling that a service reads so', () => {
  const found = [
    'access_token',
    'access_token=',
    'a&access_token=b',
    'a=%zz&Access%5fToken=b',
    '%61ccess_token',
    'access+token',
    'access.token[]=',
    'a;access_token',
    '%20access_token',
    'access%5Btoken&access_token%5B0%5D=x',
  ];
  for (const query of found) assert.equal(hasQueryToken(query), true, query);
  const other = [
    '',
    'a=access_token',
    'access_tokens=1',
    'xaccess_token=1',
    'access=token',
    '%',
    '%%%',
    'access%00_token=1',
    'accesstoken',
    'access__token',
  ];
  for (const query of other) assert.equal(hasQueryToken(query), false, query);
});

test('looking for a token in a long query takes no time', () => {
  const began = performance.now();
  for (const unit of ['%61ccess_toke', 'access_toke', '%', '&', '=', 'a=%41&', '+'])
    hasQueryToken(`access_token${unit.repeat(8192 / unit.length)}`);
  assert.ok(performance.now() - began < 1000);
});

test('a field that is there twice is told apart from one that is not there', () => {
  const headers = ['x-api-key', 'a', 'host', 'h', 'x-api-key', ''];
  assert.equal(readHeader(headers, 'x-api-key'), 'twice');
  assert.deepEqual(readHeader(headers.slice(0, 4), 'x-api-key'), { value: 'a' });
  assert.deepEqual(readHeader(headers.slice(4), 'x-api-key'), { value: '' });
  assert.equal(readHeader(headers, 'x'), undefined);
});
