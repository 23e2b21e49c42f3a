import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PatternError, Patterns } from './patterns.ts';

const patterns = new Patterns();

test('patterns mean what they mean in ECMAScript, without an anchor', () => {
  const texts = [
    '',
    'a',
    'aa',
    'b',
    'A',
    '0',
    '٣',
    '5-5',
    ' ',
    '\u00a0',
    '\u2003',
    '\ufeff',
    '\n',
    '\r',
    '\u2028',
    'a\nb',
    'é',
    'λ',
    '😀',
    '😀😀',
    '{foo}',
    'a{1',
    '[',
    ']',
    '-',
    '.',
    '\\',
    '/',
    '_',
    '\b',
    'a b',
    'x:y',
    '\0',
    '\u0001',
    'ab12',
    'ÿ',
  ];
  const sources = [
    'a',
    '^a$',
    '^$',
    '^.$',
    '^..$',
    '.',
    '^[^]$',
    '[]',
    '^\\s$',
    '^\\S$',
    '^[\\s]$',
    '^[\\S]$',
    '^[^\\s]$',
    '^[\\s\\S]$',
    '^\\d$',
    '^\\w+$',
    '^\\W$',
    '^\\u{1f600}$',
    '^\\ud83d\\ude00$',
    '^\\u00e9$',
    '^\\xe9$',
    '^\\p{L}$',
    '^\\p{Lu}$',
    '^\\p{Script=Greek}$',
    '^\\P{L}$',
    '^\\p{Letter}+$',
    '^[\\p{L}\\d]+$',
    '^\\{foo\\}$',
    '^[a-z]{1,3}$',
    '^(?:a|b)$',
    '^(?<n>a)$',
    '^\\/$',
    '^[\\-.]$',
    '^[\\b]$',
    '^[[\\]]$',
    '^\\0$',
    '^\\cA$',
    'a\\b',
    '^a|b$',
    '^a*?$',
    '^[^a-z\\n]+$',
  ];
  for (const source of sources) {
    const compiled = patterns.compile(source);
    const original = new RegExp(source, 'u');
    for (const text of texts) assert.equal(compiled.test(text), original.test(text), `${source} on ${JSON.stringify(text)}`);
  }
  // What only the notation without `u` allows, and people write.
  for (const [source, text] of [
    ['^{foo}$', '{foo}'],
    ['^[\\w-.]$', '-'],
    ['^\\-\\_\\@$', '-_@'],
    ['a{1', 'a{1'],
    ['^]$', ']'],
  ]) {
    assert.ok(patterns.compile(source).test(text), source);
  }
});

test('one character very often is counted, by code points', () => {
  for (const source of ['^[^\\s]{2,3000}$', '^.{2,3000}$', '^\\w{2,3000}$', '^a{2000}$', '^a{1500,}$']) {
    const original = new RegExp(source, 'u');
    for (const length of [0, 1, 2, 1499, 1500, 2000, 3000, 3001])
      assert.equal(patterns.compile(source).test('a'.repeat(length)), original.test('a'.repeat(length)), `${source} ${length}`);
  }
  assert.equal(patterns.compile('^.{2,3000}$').test('😀'.repeat(3000)), true);
  assert.equal(patterns.compile('^.{2,3000}$').test('😀'.repeat(3001)), false);
});

test('what cannot be linear, or is no pattern, is an error', () => {
  for (const source of [
    '(?=a)',
    '(?!a)',
    '(?<=a)',
    '(?<!a)',
    '(a)\\1',
    '\\k<n>',
    'a{2000}b',
    '(ab){2000}',
    '^[^a]{2000}b{2000}$',
    '(',
    ')',
    '[',
    '[b-a]',
    'a**',
    '*',
    '\\',
    '\\q',
    '\\u12',
    '\\x1',
    'a{2,1}',
    '\\p{What}',
    '((a{100}){100}){100}',
  ])
    assert.throws(() => patterns.compile(source), PatternError, source);
});

test('patterns have names of their own, also where they say the same to another engine', () => {
  assert.notEqual(String(patterns.compile('^x$')), String(patterns.compile('^y$')));
  assert.equal(patterns.compile('^x$'), patterns.compile('^x$'));
});

test('no pattern and no text take long', () => {
  for (const source of ['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '(.*)*x', '^([a-z]+)*[0-9]$', '^(\\w+\\s?)*$', '(a{0,30}){0,30}$']) {
    const compiled = patterns.compile(source);
    const start = performance.now();
    compiled.test(`${'a'.repeat(100_000)}!`);
    assert.ok(performance.now() - start < 2000, source);
  }
});

test('whatever is a pattern of both reads alike', () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '.',
    '\\d',
    '\\w',
    '\\s',
    '\\S',
    '[ab]',
    '[^a\\d]',
    '[\\s-]',
    '(a|b)',
    '(?:ab)',
    '\\.',
    '\\u0061',
    'é',
    '😀',
    '^',
    '$',
    '|',
  );
  const repeat = fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,3}', '{2,}');
  const source = fc
    .array(
      fc.tuple(piece, repeat).map(([one, times]) => (/^[\^$|]$/.test(one) ? one : one + times)),
      { maxLength: 6 },
    )
    .map((all) => all.join(''));
  const text = fc
    .array(fc.constantFrom('a', 'b', '1', ' ', '\n', '.', 'é', '😀', '-', '\u00a0'), { maxLength: 8 })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(source, fc.array(text, { minLength: 5, maxLength: 5 }), (pattern, texts) => {
      let original: RegExp;
      try {
        original = new RegExp(pattern, 'u');
      } catch {
        return;
      }
      const compiled = patterns.compile(pattern);
      for (const one of texts) assert.equal(compiled.test(one), original.test(one), `${pattern} on ${JSON.stringify(one)}`);
    }),
    { numRuns: 500 },
  );
});
