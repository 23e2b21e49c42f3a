import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BENIGN } from '../../../../test/cases/detectors-benign.ts';
import { SQL_ATTACKS, PASSING_CRS, STOPPED_CRS } from '../../../../test/cases/detectors-attacks.ts';
import { halfOf, samplesMissing, samplesOf } from '../../../../test/support/injection-samples.ts';
import { Random } from '../../../../test/support/random.ts';
import { slowValues } from '../../../../test/support/slow-values.ts';
import { meets } from '../detect-sqli/triggers.ts';
import { detectSQLi } from '../operators/detect-sqli.ts';
import { detectSqli, sqliTriggers } from './detect-sqli.ts';

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

test('every attack is found', () => {
  for (const attack of SQL_ATTACKS) assert.ok(detectSqli(attack), attack);
});

test('nothing is found in what people, programs and browsers write', () => {
  assert.ok(BENIGN.length >= 500);
  for (const line of BENIGN) assert.equal(detectSqli(latin1(line)), undefined, line);
});

test('what the Core Rule Set expects', () => {
  for (const value of STOPPED_CRS.sqli) assert.ok(detectSqli(value), value);
  for (const value of PASSING_CRS.sqli) assert.equal(detectSqli(value), undefined, value);
});

for (const half of [0, 1] as const) {
  test(`of the labelled samples, half ${half}, enough are found and few are wronged`, { skip: samplesMissing }, () => {
    const attacks = samplesOf('sqli').filter((sample) => halfOf(sample) === half);
    const benign = samplesOf('benign').filter((sample) => halfOf(sample) === half);
    const found = attacks.filter((sample) => detectSqli(sample) !== undefined).length;
    const wronged = benign.filter((sample) => detectSqli(sample) !== undefined).length;
    assert.ok(found / attacks.length >= 0.99, `${found} of ${attacks.length}`);
    assert.ok(wronged / benign.length <= 0.02, `${wronged} of ${benign.length}`);
  });
}

test('nothing is found where the triggers do not hold', { timeout: 60_000 }, () => {
  let found = 0;
  for (const value of mixed(60_000)) {
    if (detectSqli(value) === undefined) continue;
    found++;
    assert.ok(meets(value, sqliTriggers), JSON.stringify(value));
  }
  assert.ok(found > 100, `only ${found} findings were tried`);
});

/** Pieces of attacks and of prose in any order, so that many are nearly attacks. */
function* mixed(count: number): Generator<string> {
  const random = new Random(20_261);
  const next = (bound: number): number => random.below(bound);
  const pieces = [SQL_ATTACKS, BENIGN.map(latin1)].map((lines) =>
    lines.flatMap((line) => line.split(/(?<=[^a-z0-9])|(?=[^a-z0-9])/i)),
  );
  for (let i = 0; i < count; i++) {
    let value = '';
    for (let left = 1 + next(9); left > 0; left--)
      value += random.pick(pieces[next(8) === 0 ? 1 : 0]) + (next(3) === 0 ? ' ' : '');
    yield value;
  }
}

test('an attack keeps being one with any case, and bytes at random throw nothing', () => {
  for (const attack of SQL_ATTACKS) {
    assert.ok(detectSqli(attack.replace(/(?<![\\\w])[a-z]+/gi, (word) => word.toUpperCase())) || attack.includes('\\'), attack);
  }
  const random = new Random(7);
  const next = (bound: number): number => random.below(bound);
  for (let i = 0; i < 3000; i++) {
    detectSqli(Array.from({ length: next(40) }, () => String.fromCharCode(next(256))).join(''));
  }
});

test('the cost is linear: 16 times as much takes about 16 times as long', { timeout: 120_000 }, () => {
  for (const [what] of slowValues(1)) {
    const [short, long] = [8 * 1024, 128 * 1024].map((length) =>
      fastest(slowValues(length).find(([name]) => name === what)?.[1] ?? ''),
    );
    // What is quadratic takes 256 times as long; the clock and other work on the machine blur the rest.
    assert.ok(long < 90 * Math.max(short, 0.05), `${what}: ${short} ms and ${long} ms`);
  }
});

function fastest(value: string): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    detectSqli(value);
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

test('the operator captures a short name, and only where captures are wanted', () => {
  const operator = detectSQLi({ text: '', parts: [] }, { place: { file: 'x', line: 1, column: 1 }, readLines: () => [] });
  const match = { capturing: false, groups: undefined as readonly (string | undefined)[] | undefined, expand: () => '' };
  assert.ok(operator.judge(SQL_ATTACKS[0], match));
  assert.equal(match.groups, undefined);
  match.capturing = true;
  assert.ok(!operator.judge('nothing', match));
  assert.equal(match.groups, undefined);
  assert.ok(operator.judge(SQL_ATTACKS[0], match));
  assert.match(match.groups?.[0] ?? '', /^[a-z]+:[a-z-]+$/);
});
