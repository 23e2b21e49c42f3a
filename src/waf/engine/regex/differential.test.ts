/**
 * The engine against V8, on random patterns and on those of the rule set. For longer than a test run has time:
 *
 *     PATTERN_RUNS=100000 PATTERN_STEP=1 node --test src/waf/engine/regex/differential.test.ts
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noRuleSet, readCrsPatterns, readCrsValues } from '../../../../test/support/crs-patterns.ts';
import { type CompiledPattern, PatternCache } from './compile.ts';
import { isNullable, type PatternNode } from './node.ts';
import { toV8Source } from './v8-twin.ts';

const runs = Number(process.env.PATTERN_RUNS ?? 4000);
/** Each pattern of the rule set is judged on one out of so many values. */
const step = Number(process.env.PATTERN_STEP ?? 97);

const atom = fc.constantFrom(
  ...[
    'a',
    'b',
    'c',
    'ab',
    'ba',
    '.',
    '[ab]',
    '[^a]',
    '[b-c\\n]',
    '\\n',
    '\\r',
    ' ',
    '\\w',
    '\\W',
    '\\s',
    '-',
    '\\xff',
    '\\R',
    '\\N',
  ],
  ...['^', '$', '\\b', '\\B', '\\A', '\\z', '\\Z', '(?i)', '(?m)', '(?-s)', '(?i-m)'],
);
const quantifier = fc.constantFrom('', '', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{1,3}', '{2,}?', '{0,2}?');
const isAnchor = (text: string) => /^(\(\?|\^|\$|\\[bBAzZ])/.test(text) && !text.startsWith('(?:');
const { pattern: patterns } = fc.letrec<{ pattern: string; branch: string; item: string; group: string }>((tie) => ({
  pattern: fc.array(tie('branch'), { minLength: 1, maxLength: 3 }).map((branches) => branches.join('|')),
  branch: fc.array(tie('item'), { maxLength: 4 }).map((items) => items.join('')),
  item: fc
    .tuple(fc.oneof({ weight: 3, arbitrary: atom }, { weight: 1, arbitrary: tie('group') }), quantifier)
    .map(([body, count]) => (isAnchor(body) ? body : body + count)),
  group: fc
    .tuple(fc.constantFrom('(?:', '(', '(?i:', '(?m:', '(?-s:'), fc.oneof({ depthSize: 'small' }, atom, tie('pattern')))
    .map(([opener, body]) => `${opener}${body})`),
}));
const values = fc.string({
  unit: fc.constantFrom('a', 'a', 'b', 'b', 'c', 'A', 'B', '\n', '\r', ' ', '_', '-', '\xff'),
  maxLength: 14,
});

/**
 * Whether V8 prefers the same match and captures the same: in a loop, PCRE keeps what a group held in an earlier round and ends at an empty round, where
 * V8 forgets and goes back.
 */
function sameInV8(node: PatternNode): boolean {
  switch (node.kind) {
    case 'concat':
      return node.parts.every(sameInV8);
    case 'alternate':
      return node.options.every(sameInV8);
    case 'repeat':
      return !isNullable(node.body) && !holdsCapture(node.body) && sameInV8(node.body);
    case 'capture':
      return sameInV8(node.body);
    default:
      return true;
  }
}

function holdsCapture(node: PatternNode): boolean {
  return /(?<!\\)\((?!\?)/.test(toV8Source(node));
}

function agree(compiled: CompiledPattern, twin: RegExp, value: string): boolean {
  const expected = twin.exec(value);
  const about = () => `${JSON.stringify(compiled.source.slice(0, 300))} on ${JSON.stringify(value)}`;
  assert.equal(compiled.test(value), expected !== null, about());
  const bytes = Buffer.from(`b${value}a`, 'latin1');
  assert.equal(compiled.testBytes(bytes, 1, bytes.length - 1), expected !== null, `${about()}, as bytes`);
  if (expected === null) assert.equal(compiled.exec(value), undefined, about());
  else if (sameInV8(compiled.node)) assert.deepEqual(compiled.exec(value), expected.slice(0, 10), about());
  else assert.equal(compiled.exec(value)?.[0] !== undefined, true, about());
  return expected !== null;
}

test('random patterns match and capture what they do in V8', () => {
  const cache = new PatternCache();
  let matched = 0;
  let missed = 0;
  fc.assert(
    fc.property(patterns, fc.array(values, { minLength: 4, maxLength: 8 }), (pattern, list) => {
      const compiled = cache.compile(pattern);
      const twin = new RegExp(toV8Source(compiled.node), 's');
      for (const value of list) {
        if (agree(compiled, twin, value)) matched++;
        else missed++;
      }
    }),
    { numRuns: runs },
  );
  assert.ok(matched > 1000 && missed > 1000, `${matched} matched and ${missed} did not`);
});

test('a cache that is too small, and memory that others take, change no verdict', () => {
  // So little that states are dropped in nearly every value, and that many values go on without states.
  const small = new PatternCache(20_000, 1500);
  const large = new PatternCache();
  const long = fc.array(values, { minLength: 10, maxLength: 25 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(patterns, fc.array(long, { minLength: 3, maxLength: 3 }), (pattern, list) => {
      // V8 would backtrack for years here; the large cache is held to V8 by the other tests.
      const text = `(?:${pattern})[^a]{2,5}b.{3}(?:ab|.a)`;
      const [tight, roomy] = [small.compile(text), large.compile(text)];
      for (const value of list) {
        const about = `${JSON.stringify(text)} on ${JSON.stringify(value)}`;
        assert.equal(tight.test(value), roomy.test(value), about);
        assert.deepEqual(tight.exec(value), roomy.exec(value), about);
      }
    }),
    { numRuns: Math.ceil(runs / 7) },
  );
  assert.ok(small.stateMemory < 60_000, `${small.stateMemory} bytes of states`);
});

test('the rule set’s patterns match and capture what they do in V8', { skip: noRuleSet }, () => {
  const cache = new PatternCache();
  const all = readCrsValues().filter((value) => value.length < 1000);
  // Each pattern gets another part of the values, so that all of them are judged by some.
  let matched = 0;
  for (const [index, text] of [...new Set(readCrsPatterns().map((each) => each.pattern))].entries()) {
    const compiled = cache.compile(text);
    const twin = new RegExp(toV8Source(compiled.node), 's');
    for (let at = index % step; at < all.length; at += step) if (agree(compiled, twin, all[at])) matched++;
  }
  assert.ok(matched > 1000, `only ${matched} matched`);
  assert.ok(cache.stateMemory <= 40 * 1024 * 1024, `${cache.stateMemory} bytes of states`);
});
