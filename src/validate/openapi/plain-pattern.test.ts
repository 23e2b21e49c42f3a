import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PlainPattern } from './plain-pattern.ts';

test('which patterns are plain', () => {
  for (const source of [
    '^$',
    '^a$',
    '^[A-Z]{2}$',
    '^\\+[0-9 ]{5,20}$',
    '^SKU-[0-9]{1,6}$',
    '^\\d{4}-\\d{2}$',
    '^[a-z]+(?:x)?$'.slice(0, 7) + '$',
    '^[\\w.-]+@[a-z]{2,}$',
    '^-?[0-9]*$',
    '^[a-]$',
  ])
    assert.ok(PlainPattern.of(source, ''), source);
  for (const source of [
    'a',
    '^a',
    'a$',
    '^a|b$',
    '^(a)$',
    '^.$',
    '^[^a]$',
    '^\\s$',
    '^é$',
    '^[é]$',
    '^a+a$',
    '^[a-z]*x$',
    '^a??$',
    '^a+?$',
    '^a{2,1}$',
    '^a{$',
    '^[z-a]$',
    '^\\1$',
    '^a\\$',
    '^$$',
    '^^$',
    '^[\\d-z]$',
    '^a?b?a$',
  ])
    assert.equal(PlainPattern.of(source, ''), undefined, source);
});

// What fits, and what nearly does.
const atom = fc.constantFrom(
  'a',
  'b',
  'x',
  '-',
  ' ',
  '\\.',
  '\\+',
  '\\d',
  '\\w',
  '[a-c]',
  '[0-9]',
  '[a-c0-2_-]',
  '[\\w.]',
  '[x\\]]',
  '[.$]',
  '@',
);
const repeat = fc.constantFrom('', '', '', '+', '*', '?', '{2}', '{1,3}', '{0,2}', '{2,}');
const source = fc.array(fc.tuple(atom, repeat), { maxLength: 5 }).map((pieces) => `^${pieces.flat().join('')}$`);

test('it says what the regular expression says', () => {
  let plain = 0;
  fc.assert(
    fc.property(
      source.chain((one) =>
        fc.tuple(
          fc.constant(one),
          fc.oneof(
            fc.stringMatching(new RegExp(one, 'u'), { maxLength: 12 }),
            fc.string({ unit: fc.constantFrom(...'abcxX019-_ .+@]$\né😀'), maxLength: 8 }),
          ),
        ),
      ),
      fc.constantFrom('', 'a', '1', '\n', 'é'),
      ([one, text], more) => {
        const pattern = PlainPattern.of(one, '');
        if (pattern === undefined) return;
        plain++;
        for (const subject of [text, text + more, more + text, text.slice(1)])
          assert.equal(pattern.test(subject), new RegExp(one, 'u').test(subject), JSON.stringify([one, subject]));
      },
    ),
    { numRuns: 1500 },
  );
  assert.ok(plain > 300, String(plain));
});

test('it is linear', () => {
  const pattern = PlainPattern.of('^[a-z]*[0-9]*-?X$', '');
  const began = performance.now();
  assert.equal(pattern?.test(`${'a'.repeat(5_000_000)}${'1'.repeat(5_000_000)}!`), false);
  assert.ok(performance.now() - began < 2000);
});
