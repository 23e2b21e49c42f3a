import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inheritsNothing } from '../../test/support/inherits.ts';
import { readJsonObject } from './strict-json.ts';

const read = (text: string) => readJsonObject(Buffer.from(text));

test('an object comes out as it is, inheriting nothing at any level', () => {
  const value = read(' {"a":{"b":[{"c":1e3},[{}],null,"x:y\\":{"]},"d":"\\u00e9\\\\","e:":true}\n');
  assert.equal(JSON.stringify(value), '{"a":{"b":[{"c":1000},[{}],null,"x:y\\":{"]},"d":"é\\\\","e:":true}');
  const { a } = value as { a: { b: [object, [object]] } };
  const levels = [value, a, a.b[0], a.b[1][0]];
  for (const one of levels) assert.ok(inheritsNothing(one));
});

test('what has two readings, or is no object, is none', () => {
  const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;
  const bad = [
    '',
    ' ',
    'null',
    '1',
    '"a"',
    '[]',
    '[{}]',
    'true',
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"a":{"b":1,"b":2}}',
    '{"a":[[{"b":1,"c":2,"b":3}]]}',
    '{"a":1,"b":2,"a":{"x":1,"y":2}}',
    '{"__proto__":{"admin":true}}',
    '{"a":[{"__proto__":1}]}',
    '{"\\u005f_proto__":1}',
    '{"a":1}{"b":1}',
    '{"a":1} x',
    '{"a":1,}',
    "{'a':1}",
    '{a:1}',
    '{"a":01}',
    '{"a":NaN}',
    '{"a":1/**/}',
    '{"a":"\t"}',
    '{"a":"\\x41"}',
    '{"a"',
    '{"a":"',
    '{"a":"\\',
    '\ufeff{"a":1}',
    '{"a":1}\0',
    deep(33),
    deep(5000),
    `{"a":${'['.repeat(20_000)}`,
  ];
  for (const text of bad) assert.equal(read(text), undefined, text.slice(0, 80));
  assert.notEqual(read(deep(32)), undefined);
});

test('bytes that are not UTF-8 are refused, not replaced', () => {
  for (const bytes of [[0xff], [0xc3], [0xc0, 0xa2], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
    assert.equal(readJsonObject(Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bytes), Buffer.from('"}')])), undefined);
  }
  assert.equal(readJsonObject(Buffer.from('{"a":1}', 'utf16le')), undefined);
});

test('members that are called like those of Object.prototype are members like others', () => {
  const value = read('{"constructor":1,"toString":2,"hasOwnProperty":3,"prototype":{"a":1}}');
  assert.equal(JSON.stringify(value), '{"constructor":1,"toString":2,"hasOwnProperty":3,"prototype":{"a":1}}');
});

test('every object that JSON.stringify writes is read back; doubled anywhere, it is refused', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (object) => {
      const text = JSON.stringify(object);
      const value = read(text);
      if (text.includes('"__proto__":')) return;
      assert.equal(JSON.stringify(value), text);
      for (const name of Object.keys(object)) {
        const doubled = `{${JSON.stringify(name)}:0,${text.slice(1)}`;
        assert.equal(read(doubled), undefined);
        assert.equal(read(`{"outer":[${doubled}]}`), undefined);
      }
    }),
    { numRuns: 300 },
  );
});
