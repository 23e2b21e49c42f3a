import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { MOST_FIELDS, type QueryReading, readQuery, textOf } from './query.ts';

const pairs = ({ fields }: QueryReading) => fields.map(({ name, value }) => [name, value]);
const flags = ({ badEscape, badUtf8, duplicate, semicolon, truncated }: QueryReading) =>
  Object.entries({ badEscape, badUtf8, duplicate, semicolon, truncated }).flatMap(([name, set]) => (set ? [name] : []));

/** Query, fields as byte strings, flags. */
const cases: [string | undefined, string[][], string[]][] = [
  [undefined, [], []],
  ['', [], []],
  [
    'a=1&b=2',
    [
      ['a', '1'],
      ['b', '2'],
    ],
    [],
  ],
  ['a', [['a', '']], []],
  ['a=', [['a', '']], []],
  ['=a', [['', 'a']], []],
  ['=', [['', '']], []],
  ['&&a&&', [['a', '']], []],
  ['a=b=c==', [['a', 'b=c==']], []],
  ['a+b=c+d', [['a b', 'c d']], []],
  ['a%2Bb=%26%3d%25', [['a+b', '&=%']], []],
  ['%61=%e4%bd%a0', [['a', '\xe4\xbd\xa0']], []],
  ['a=%2541', [['a', '%41']], []],
  ['a=%', [['a', '%']], ['badEscape']],
  ['a=%4', [['a', '%4']], ['badEscape']],
  ['a=%zz%41', [['a', '%zzA']], ['badEscape']],
  ['%=%%41', [['%', '%A']], ['badEscape']],
  ['a=%u0041', [['a', '%u0041']], ['badEscape']],
  [
    'a=%4G&b=%G4',
    [
      ['a', '%4G'],
      ['b', '%G4'],
    ],
    ['badEscape'],
  ],
  ['a=%ff', [['a', '\xff']], ['badUtf8']],
  ['%c0%af=1', [['\xc0\xaf', '1']], ['badUtf8']],
  ['a=%ed%a0%80', [['a', '\xed\xa0\x80']], ['badUtf8']],
  ['a=%00%0d%0a', [['a', '\0\r\n']], []],
  [
    'a=1&a=2',
    [
      ['a', '1'],
      ['a', '2'],
    ],
    ['duplicate'],
  ],
  [
    'a=1&%61=2',
    [
      ['a', '1'],
      ['a', '2'],
    ],
    ['duplicate'],
  ],
  [
    'a=1&A=2&a[]=3',
    [
      ['a', '1'],
      ['A', '2'],
      ['a[]', '3'],
    ],
    [],
  ],
  ['a=1;b=2', [['a', '1;b=2']], ['semicolon']],
  ['a=%3B', [['a', ';']], []],
  [
    '__proto__=1&constructor=2',
    [
      ['__proto__', '1'],
      ['constructor', '2'],
    ],
    [],
  ],
];

suite('a query has one reading', () => {
  for (const [query, fields, flagged] of cases) {
    test(String(query), () => {
      const reading = readQuery(query);
      assert.deepEqual(pairs(reading), fields);
      assert.deepEqual(flags(reading), flagged);
    });
  }
});

const piece = fc.constantFrom('a', 'b', '&', '=', '+', '%', '%2', '%61', '%C3%A9', '%FF', ';', '[', ']', '%26', '%3d', 'id', '.');
const query = fc.array(piece, { maxLength: 40 }).map((list) => list.join(''));

test('it reads what the URL standard reads, wherever the bytes are UTF-8', () => {
  fc.assert(
    fc.property(query, (text) => {
      const reading = readQuery(text);
      if (reading.badUtf8) return;
      const decoded = reading.fields.map(({ name, value }) => [textOf(name), textOf(value)]);
      assert.deepEqual(decoded, [...new URLSearchParams(`&${text}`)]);
    }),
    { numRuns: 2000 },
  );
});

test('what URLSearchParams writes is read without a flag but the one for duplicates', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 8 }).map((value) => value.toWellFormed());
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 30 }), (list) => {
      const reading = readQuery(new URLSearchParams(list).toString());
      assert.deepEqual(
        reading.fields.map(({ name, value }) => [textOf(name), textOf(value)]),
        list,
      );
      const duplicate = new Set(list.map(([name]) => name)).size < list.length;
      assert.deepEqual(flags(reading), duplicate ? ['duplicate'] : []);
    }),
  );
});

test('flags are what a plain look says', () => {
  fc.assert(
    fc.property(query, (text) => {
      const reading = readQuery(text);
      assert.equal(reading.badEscape, /%(?![0-9a-fA-F]{2})/.test(text));
      assert.equal(reading.semicolon, text.includes(';'));
      const bytes = reading.fields.flatMap(({ name, value }) => [name, value]);
      assert.equal(
        reading.badUtf8,
        bytes.some((one) => textOf(one) === undefined),
      );
      assert.equal(reading.duplicate, new Set(reading.fields.map(({ name }) => name)).size < reading.fields.length);
    }),
    { numRuns: 2000 },
  );
});

test('it is bounded in fields, and linear in length', () => {
  assert.equal(readQuery('a&'.repeat(MOST_FIELDS)).truncated, false);
  const many = readQuery('a&'.repeat(MOST_FIELDS + 1));
  assert.deepEqual([many.truncated, many.fields.length], [true, MOST_FIELDS]);
  for (const unit of ['a&', '%', '%41', '+', '&', '=', ';', '%C3', 'a=%&', '1&']) {
    const began = performance.now();
    readQuery(unit.repeat(500_000));
    assert.ok(performance.now() - began < 2000, unit);
  }
});
