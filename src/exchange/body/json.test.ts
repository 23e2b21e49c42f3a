import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { jsonPointer, readJson } from './json.ts';
import { type BodyBounds, DEFAULT_BOUNDS, type FlagCode } from './parsed.ts';

const read = (text: string | Buffer, bounds: Partial<BodyBounds> = {}) =>
  readJson(typeof text === 'string' ? Buffer.from(text) : text, { ...DEFAULT_BOUNDS, ...bounds });

/** What two readers may read differently: the code of its first flag, the place, and whether there is still a value. */
const FLAGGED: [string | Buffer, FlagCode, string, boolean, Partial<BodyBounds>?][] = [
  ['{"a":1,"a":2}', 'json-duplicate-key', '/a', true],
  ['{"a":1,"\\u0061":2}', 'json-duplicate-key', '/a', true],
  ['{"a":null,"a":2}', 'json-duplicate-key', '/a', true],
  ['[0,{"x":{"y/~":1,"z":2,"y/~":3}}]', 'json-duplicate-key', '/1/x/y~1~0', true],
  ['{"__proto__":1}', 'json-proto-key', '/__proto__', true],
  ['{"\\u005f_proto__":{"admin":true}}', 'json-proto-key', '/__proto__', true],
  ['{"\\u0061":1}', 'json-escaped-name', '/a', true],
  ['{"x":{"ad\\u006din":1}}', 'json-escaped-name', '/x/admin', true],
  ['{"a\\u002Db":1}', 'json-escaped-name', '/a-b', true],
  ['\ufeff{}', 'bom', '', true],
  ['"\\u0000"', 'nul', '', true],
  ['{"a":"\\ud800"}', 'utf8-invalid', '/a', true],
  ['"\\udc00\\ud800"', 'utf8-invalid', '', true],
  [Buffer.from([0x22, 0xff, 0x22]), 'utf8-invalid', '', false],
  [Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'utf8-invalid', '', false],
  [Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'utf8-invalid', '', false],
  [Buffer.from('{"a":1}', 'utf16le'), 'json-syntax', '/', false],
  ['{"n":1e999}', 'json-number', '/n', true],
  ['-1e999', 'json-number', '', true],
  ['1e-400', 'json-number-precision', '', true],
  ['9007199254740993', 'json-number-precision', '', true],
  ['0.1000000000000000055511151231257827', 'json-number-precision', '', true],
  [`[${'9'.repeat(101)}]`, 'json-number', '/0', false],
  ['[[[]]]', 'json-depth', '/0/0', false, { depth: 2 }],
  ['[{"a":[]}]', 'json-depth', '/0/a', false, { depth: 2 }],
  ['{"a":1,"b":{"c":1}}', 'json-keys', '/b/c', false, { keys: 2 }],
  ['[1,[2,3]]', 'json-items', '/1/1', false, { items: 3 }],
  ['{"a":"bcd"}', 'json-string', '/a', false, { string: 2 }],
  ['{"abc":1}', 'json-string', '/', false, { string: 2 }],
];

const NO_JSON = [
  '',
  ' ',
  '{',
  '[',
  '"',
  '"\\',
  '"\\"',
  '"\\u00"',
  '"\\u00zz"',
  '"\\x41"',
  '"\t"',
  '"\n"',
  "'a'",
  'tru',
  'True',
  'nul',
  'NaN',
  'Infinity',
  'undefined',
  '+1',
  '-',
  '01',
  '-01',
  '1.',
  '.5',
  '1e',
  '1e+',
  '0x10',
  '1_000',
  '1 2',
  '[1,]',
  '[,1]',
  '[1 2]',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{"a":1 "b":2}',
  '{a:1}',
  '{1:1}',
  '{null:1}',
  '[1]]',
  '{}{}',
  '// a\n1',
  '/* */1',
  '1\0',
  '\u00a01',
  '\u20281',
  '[\v1]',
  '1\ufeff',
];

describe('JSON', () => {
  for (const [text, code, place, hasValue, bounds] of FLAGGED) {
    test(`${code}: ${String(text).slice(0, 40)}`, () => {
      const reading = read(text, bounds);
      assert.equal(reading.flags[0]?.code, code);
      assert.equal(reading.flags[0].place, place);
      assert.equal(reading.value !== undefined, hasValue);
    });
  }

  test('what is not JSON is none, and the flag says where', () => {
    for (const text of NO_JSON) {
      const { value, flags } = read(text);
      assert.equal(value, undefined, text);
      assert.equal(flags.at(-1)?.code, 'json-syntax', text);
    }
    assert.deepEqual(read('{"a":[1,{"b":x}]}').flags, [{ code: 'json-syntax', place: '/a/1/b', at: 13 }]);
  });

  test('what JSON.parse reads is read the same, without prototypes and without a flag', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.constantFrom(undefined, 1, '\t\r'), (json, space) => {
        const text = JSON.stringify(json, undefined, space);
        const { value, flags } = read(text);
        const odd = /"__proto__":|\\u(?:0000|d[89a-f])|\d{16}/i.test(text);
        if (odd) return;
        assert.deepEqual(flags, []);
        assert.equal(JSON.stringify(value), JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 2000 },
    );
  });

  test('whatever the bytes: JSON.parse reads them exactly where this reader does', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '\\u00e9',
      '0',
      '-',
      '1.5',
      'e3',
      'true',
      'null',
      ' ',
      'é',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        const { value } = read(text);
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expected = undefined;
        }
        assert.equal(JSON.stringify(value), JSON.stringify(expected), text);
      }),
      { numRuns: 20_000 },
    );
  });

  test('an object has no prototype and no member that it was not sent', () => {
    const { value } = read('{"a":{},"__proto__":{"admin":true}}');
    const object = value as Record<string, object>;
    for (const one of [object, object.a]) {
      const inherited = Object.getPrototypeOf(one);
      assert.deepEqual(
        [Reflect.ownKeys(inherited), Object.getPrototypeOf(inherited), Object.isFrozen(inherited)],
        [[], null, true],
      );
      for (const name of ['constructor', 'toString', 'hasOwnProperty']) assert.equal(name in one, false);
    }
    assert.equal('admin' in object.a, false);
    assert.deepEqual(Object.keys(object), ['a', '__proto__']);
  });

  test('escapes that writers of JSON need, or write all the same, are not flagged', () => {
    for (const text of [
      '{"a\\/b\\"\\\\":1}',
      '{"\\u00e9\\ud83d\\ude00":1}',
      '{"\\u003ca\\u003e\\u0026":1}',
      '["\\u0061"]',
      '{"a":"\\u0061"}',
    ])
      assert.deepEqual(read(text).flags, [], text);
  });

  test('the value that another hides is kept for those who look at all', () => {
    assert.deepEqual(read('{"a":"<script>","a":1}').shadowed, [{ place: '/a', value: '<script>' }]);
  });

  test('numbers that a double holds are not flagged, whatever their spelling', () => {
    for (const text of [
      '0',
      '-0',
      '0.0',
      '1.0000000000000000000',
      '1e2',
      '1E+2',
      '100000000000000000000',
      '1152921504606846976',
      '0.1',
      '1.7976931348623157e308',
      '5e-324',
      '0e999',
    ]) {
      assert.deepEqual(read(text).flags, [], text);
      assert.equal(read(text).value, Number(text));
    }
  });

  test('bombs cost little: a hundred thousand levels, keys, flags', () => {
    const began = performance.now();
    for (const text of [
      '['.repeat(1_000_000),
      '{"a":'.repeat(200_000),
      `{${'"a":1,'.repeat(100_000)}"a":1}`,
      `{${Array.from({ length: 10_001 }, (_, i) => `"${i}":0`).join()}}`,
      `[${'0,'.repeat(100_001)}0]`,
      `"${'\\u0000'.repeat(100_000)}"`,
      `${'1'.repeat(1_000_000)}`,
      `1e${'0'.repeat(1_000_000)}9`,
    ]) {
      const { flags } = read(text);
      assert.ok(flags.length > 0 && flags.length <= 33, text.slice(0, 20));
    }
    assert.ok(performance.now() - began < 4000);
  });

  test('a flood of one flag hides no other', () => {
    const flood = '9007199254740993,'.repeat(1000);
    const { flags } = read(`[${flood}{"a":1,"a":2,"__proto__":3}]`);
    assert.deepEqual(
      [...new Set(flags.map(({ code }) => code))],
      ['json-number-precision', 'json-duplicate-key', 'json-proto-key'],
    );
    assert.ok(flags.length <= 34);
  });

  test('a JSON Pointer says ~ and / in its own way', () => {
    assert.equal(jsonPointer(['a/b', 0, '~', '']), '/a~1b/0/~0/');
  });
});
