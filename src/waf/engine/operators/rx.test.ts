import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Match, type OperatorWorld, RuleError } from '../operator.ts';
import { PatternCache } from '../regex/compile.ts';
import type { Macro } from '../rule-set.ts';
import { PatternOperator, rx } from './rx.ts';
import { rxGlobal } from './rx-global.ts';

const world: OperatorWorld = { place: { file: 'x.conf', line: 1, column: 1 }, readLines: () => [] };
const plain = (text: string): Macro => ({ text, parts: [text] });
const asked = (capturing: boolean): Match => ({ capturing, groups: undefined, expand: (macro) => macro.text });

test('@rx matches anywhere and captures only when it is asked to', () => {
  const operator = rx(plain('(?i)(sel)ect|(x)'), world);
  const silent = asked(false);
  assert.equal(operator.judge('; SELECT 1', silent), true);
  assert.equal(silent.groups, undefined);
  const match = asked(true);
  assert.equal(operator.judge('no', match), false);
  assert.equal(match.groups, undefined);
  assert.equal(operator.judge('; SELECT 1', match), true);
  assert.deepEqual(match.groups, ['SELECT', 'SEL', undefined]);
});

test('@rxGlobal captures all matches, as far as ten texts', () => {
  const match = asked(true);
  assert.equal(rxGlobal(plain('a(.)'), world).judge('ab ac xx ad', match), true);
  assert.deepEqual(match.groups, ['ab', 'b', 'ac', 'c', 'ad', 'd']);
  assert.equal(rxGlobal(plain('x*'), world).judge('xx y', match), true);
  assert.deepEqual(match.groups, ['xx', '', '', '']);
  assert.equal(rxGlobal(plain('.'), world).judge('0123456789abcdef', match), true);
  assert.deepEqual(match.groups, [...'0123456789']);
  assert.equal(rxGlobal(plain('\\bx'), world).judge('xxx x', match), true);
  assert.deepEqual(match.groups, ['x', 'x']);
  assert.equal(rxGlobal(plain('q'), world).judge('xxx', match), false);
});

test('equal patterns of one set share one object', () => {
  const shared = { ...world, patterns: new PatternCache() };
  const [one, other] = [rx(plain('a+b'), shared), rx(plain('a+b'), shared)];
  assert.ok(one instanceof PatternOperator && other instanceof PatternOperator);
  assert.equal(one.pattern, other.pattern);
});

test('what cannot be matched is refused with its place', () => {
  const macro: Macro = { text: '^%{tx.x}$', parts: ['^', { variable: 'TX', name: 'x' }, '$'] };
  assert.throws(
    () => rx(macro, world),
    (error) => error instanceof RuleError && /macro/.test(error.message) && error.hint !== undefined,
  );
  assert.throws(
    () => rx(plain('ab(?=c)'), world),
    (error) => error instanceof RuleError && /byte 2/.test(error.message),
  );
  assert.throws(() => rxGlobal(plain('(a)\\1'), world), RuleError);
});
