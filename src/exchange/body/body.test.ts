import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readBody, refuseFlagged } from './body.ts';
import { DEFAULT_BOUNDS, type FlagCode } from './parsed.ts';

const read = (type: string | undefined, text: string | Buffer, bounds = DEFAULT_BOUNDS) =>
  readBody(Buffer.from(text as string), type, bounds);

/** Content-Type, body, what it is read as, its first flag. */
const BODIES: [string | undefined, string | Buffer, string, FlagCode?][] = [
  ['application/json', '{"a":1}', 'json'],
  ['APPLICATION/JSON; charset=UTF-8', '{"a":1}', 'json'],
  ['application/json; charset="utf-8"', '1', 'json'],
  ['application/problem+json', '{}', 'json'],
  ['text/json', '{}', 'json'],
  ['application/json; charset=utf-16', '{}', 'bytes', 'charset'],
  ['application/json; charset=utf-7', '{}', 'bytes', 'charset'],
  ['application/json; charset=ibm037', '{}', 'bytes', 'charset'],
  ['application/json; charset=iso-8859-1', '{}', 'bytes', 'charset'],
  ['application/json', Buffer.from('{"a":"é"}', 'latin1'), 'json', 'utf8-invalid'],
  ['application/x-www-form-urlencoded', 'a=1&a=2&b=%C3%A9+x', 'form'],
  ['application/x-www-form-urlencoded', 'a=%zz', 'form', 'form-encoding'],
  ['application/x-www-form-urlencoded', 'a=%ff', 'form', 'utf8-invalid'],
  ['application/x-www-form-urlencoded', Buffer.from('a=%C3\xa9', 'latin1'), 'form', 'utf8-invalid'],
  ['application/x-www-form-urlencoded', '?a=1', 'form', 'form-encoding'],
  ['application/x-www-form-urlencoded', '\ufeffa=1', 'form', 'bom'],
  ['application/x-www-form-urlencoded', 'a=1;b=2', 'form', 'form-semicolon'],
  ['application/x-www-form-urlencoded', 'a=1%00', 'form', 'nul'],
  ['application/x-www-form-urlencoded', 'a=1%3Bb?=é', 'form'],
  ['application/json; charset=us-ascii', '{"a":"b"}', 'json'],
  ['application/json; charset=us-ascii', '{"a":"é"}', 'bytes', 'charset'],
  ["application/json; charset*=utf-8''utf-7", '{}', 'bytes'],
  ['application/x-www-form-urlencoded; charset=utf-16', 'a=1', 'bytes', 'charset'],
  ['multipart/form-data; boundary=b', '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n', 'multipart'],
  ['multipart/form-data', '--b--', 'multipart', 'multipart-boundary'],
  ['text/plain', 'é', 'text'],
  ['text/plain', Buffer.from([0xff]), 'text', 'utf8-invalid'],
  ['text/plain; charset=latin1', 'e', 'bytes', 'charset'],
  ['application/octet-stream', Buffer.from([0xff]), 'bytes'],
  ['image/png', 'x', 'bytes'],
  [undefined, '{"a":1}', 'bytes'],
  ['nothing that can be read', '{"a":1}', 'bytes'],
  ['application/json', '', 'none'],
];

describe('a body is read by its type', () => {
  for (const [type, text, kind, code] of BODIES) {
    test(`${type}: ${String(text).slice(0, 30)}`, () => {
      const body = read(type, text);
      assert.equal(body.kind, kind);
      assert.equal(body.flags[0]?.code, code);
    });
  }
});

test('a strict caller refuses on a flag: the client learns place and rule, never a value', () => {
  const doubled = refuseFlagged(read('application/json', '{"a":{"b":"secret","b":2}}'));
  assert.deepEqual(
    [doubled?.status, doubled?.code, doubled?.members],
    [400, 'body-ambiguous', { errors: [{ pointer: '/a/b', rule: 'json-duplicate-key' }] }],
  );
  const deep = refuseFlagged(read('application/json', '['.repeat(65)));
  assert.deepEqual([deep?.status, deep?.code], [413, 'body-beyond-bounds']);
  const many = refuseFlagged(read('application/x-www-form-urlencoded', 'a&'.repeat(11), { ...DEFAULT_BOUNDS, keys: 10 }));
  assert.deepEqual([many?.status, many?.code], [413, 'body-beyond-bounds']);
  assert.equal(refuseFlagged(read('application/json', '{"a":1}')), undefined);
  const big = read('application/json', '9007199254740993');
  assert.equal(refuseFlagged(big)?.status, 400);
  assert.equal(refuseFlagged(big, new Set<FlagCode>(['json-number-precision'])), undefined);
  const hidden = read('application/json', `[${'9007199254740993,'.repeat(1000)}{"a":1,"a":2}]`);
  assert.equal(refuseFlagged(hidden, new Set<FlagCode>(['json-number-precision']))?.code, 'body-ambiguous');
});
