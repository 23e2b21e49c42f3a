import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noRuleSet, readCrsPatterns, readCrsValues } from '../../../../test/support/crs-patterns.ts';
import { hasByte } from './byte-set.ts';
import { compilePattern, PatternCache } from './compile.ts';
import { parsePattern } from './parse.ts';
import { meets } from '../fast/requirement.ts';
import { requiredOf } from './required.ts';

function show(formula: ReturnType<typeof requiredOf>): string {
  switch (formula.kind) {
    case 'bytes': {
      const bytes = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => hasByte(formula.set, byte));
      return `[${String.fromCharCode(...bytes)}]`;
    }
    case 'literal':
      return formula.text;
    case 'all':
      return `(${formula.of.map(show).join(' & ')})`;
    case 'any':
      return `(${formula.of.map(show).join(' | ')})`;
    default:
      return formula.kind;
  }
}

test('what a pattern cannot match without', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'anything'],
    ['a*', 'anything'],
    ['.', 'anything'],
    ['(?:foo)?', 'anything'],
    ['(?-s).', `[${String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => byte !== 10))}]`],
    ['[^\\x00-\\xff]', 'nothing'],
    ['x[^\\x00-\\xff]|ab', 'ab'],
    ['a', '[Aa]'],
    ['<', '[<]'],
    ['(?i)FOO', 'foo'],
    ['\\xC9\\xe9', '\xc9\xe9'],
    ['foo.*bar', '(foo & bar)'],
    ['foo.bar', '(foo & bar)'],
    ['foo(bar)+', 'foobar'],
    ['(foo)+bar', 'foobar'],
    ['ex(?:ec|it)\\b', '(exec | exit)'],
    ['ab?c', '(abc | ac)'],
    ['a[bcd]e', '(abe | ace | ade)'],
    ['x(?:one.|two)y', '([Yy] & (xone | xtwo))'],
    ['ab|.', 'anything'],
    ['ab|abc|xab', 'ab'],
    ['a|b|cd', '([ABab] | cd)'],
    ['[0-9]{3}', '[0123456789]'],
    ['=[0-9]', '([=] & [0123456789])'],
    ['^ab$', 'ab'],
    ['a{3}', 'aaa'],
    ['a{0}b', '[Bb]'],
  ];
  for (const [pattern, expected] of cases) {
    const shown = show(requiredOf(parsePattern(pattern).node));
    assert.equal(
      shown
        .split(/ [&|] |[()]/)
        .sort()
        .join(),
      expected
        .split(/ [&|] |[()]/)
        .sort()
        .join(),
      `${pattern}: ${shown}`,
    );
  }
});

test('holds wherever a random pattern matches', () => {
  const piece = fc.constantFrom(
    ...[
      'a',
      'b',
      'ab',
      '[ab]',
      '[^a]',
      '.',
      '(?:ab|c)',
      '(?:a|bc?)',
      '(?i:Ab)',
      'a+',
      '(?:ab)+',
      '(?:b|c){2}',
      'c?',
      'b*',
      'a{2,5}',
    ],
    ...['\\b', '^', '$', '|', '(?:', '(', ')', ')*', ')+', ')?', '){2}', '[a-f]', '\\W', 'aaaaaaaa'],
  );
  const value = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'A', 'B', ' '), maxLength: 12 });
  let matched = 0;
  const property = fc.property(
    fc.array(piece, { maxLength: 9 }),
    fc.array(value, { minLength: 5, maxLength: 5 }),
    (pieces, values) => {
      const compiled = readPattern(pieces.join(''));
      if (compiled === undefined) return;
      const formula = requiredOf(compiled.node);
      for (const one of values) {
        if (!compiled.test(one)) continue;
        matched++;
        assert.ok(meets(one, formula), `${compiled.source} on ${JSON.stringify(one)}: ${show(formula)}`);
      }
    },
  );
  fc.assert(property, { numRuns: 5000 });
  assert.ok(matched > 1000, `only ${matched} matched`);
});

function readPattern(text: string) {
  try {
    return compilePattern(text);
  } catch {
    return undefined;
  }
}

test('holds wherever a pattern of the rule set matches, and rules out most others', { skip: noRuleSet }, () => {
  const cache = new PatternCache();
  const patterns = [...new Set(readCrsPatterns().map((each) => each.pattern))].map((text) => cache.compile(text));
  const formulas = patterns.map((pattern) => requiredOf(pattern.node));
  const values = readCrsValues().filter((value, at) => at % 199 === 0 && value.length < 500);
  let held = 0;
  for (const value of values) {
    for (const [at, pattern] of patterns.entries()) {
      const holds = meets(value, formulas[at]);
      if (holds) held++;
      else assert.equal(pattern.test(value), false, `${pattern.source.slice(0, 200)} on ${JSON.stringify(value)}`);
    }
  }
  assert.ok(held < (values.length * patterns.length) / 3, `${held} of ${values.length * patterns.length} held`);
});
