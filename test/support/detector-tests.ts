import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Requirement } from '../../src/waf/engine/fast/requirement.ts';
import { meets } from '../../src/waf/engine/fast/requirement.ts';
import type { OperatorFactory } from '../../src/waf/engine/operator.ts';
import { PASSING_CRS, STOPPED_CRS } from '../cases/detectors-attacks.ts';
import { BENIGN } from '../cases/detectors-benign.ts';
import { halfOf, samplesMissing, samplesOf } from './injection-samples.ts';
import { Random } from './random.ts';
import { slowValues } from './slow-values.ts';

/** A detector of injections, and what it is held to. */
export interface Detector {
  /** What was found, by a short name; undefined: nothing. */
  readonly detect: (value: string) => string | undefined;
  readonly triggers: Requirement;
  readonly operator: OperatorFactory;
  /** Attacks of our own. */
  readonly known: readonly string[];
  /** The labelled samples of its kind, and the least part of them that it finds. */
  readonly samples: 'sqli' | 'xss';
  readonly least: number;
}

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

/** What every detector has to show: the tests of its file. */
export function testDetector({ detect, triggers, operator, known, samples, least }: Detector): void {
  test('every attack is found', () => {
    for (const attack of known) assert.ok(detect(attack), attack);
  });

  test('nothing is found in what people, programs and browsers write', () => {
    assert.ok(BENIGN.length >= 500);
    for (const line of BENIGN) assert.equal(detect(latin1(line)), undefined, line);
  });

  test('what the Core Rule Set expects', () => {
    for (const value of STOPPED_CRS[samples]) assert.ok(detect(value), value);
    for (const value of PASSING_CRS[samples]) assert.equal(detect(value), undefined, value);
  });

  for (const half of [0, 1] as const) {
    test(`of the labelled samples, half ${half}, enough are found and few are wronged`, { skip: samplesMissing }, () => {
      const attacks = samplesOf(samples).filter((sample) => halfOf(sample) === half);
      const benign = samplesOf('benign').filter((sample) => halfOf(sample) === half);
      const found = attacks.filter((sample) => detect(sample) !== undefined).length;
      const wronged = benign.filter((sample) => detect(sample) !== undefined).length;
      assert.ok(found / attacks.length >= least, `${found} of ${attacks.length}`);
      assert.ok(wronged / benign.length <= 0.02, `${wronged} of ${benign.length}`);
    });
  }

  test('nothing is found where the triggers do not hold', { timeout: 60_000 }, () => {
    let found = 0;
    for (const value of mixed(known, 60_000)) {
      if (detect(value) === undefined) continue;
      found++;
      assert.ok(meets(value, triggers), JSON.stringify(value));
    }
    assert.ok(found > 100, `only ${found} findings were tried`);
  });

  test('an attack keeps being one with any case, and bytes at random throw nothing', () => {
    for (const attack of known) {
      assert.ok(detect(attack.replace(/(?<![\\\w])[a-z]+/gi, (word) => word.toUpperCase())) || attack.includes('\\'), attack);
    }
    const random = new Random(7);
    const next = (bound: number): number => random.below(bound);
    for (let i = 0; i < 3000; i++) {
      detect(Array.from({ length: next(40) }, () => String.fromCharCode(next(256))).join(''));
    }
  });

  test('the cost is linear: 16 times as much takes about 16 times as long', { timeout: 120_000 }, () => {
    for (const [what] of slowValues(1)) {
      const [short, long] = [8 * 1024, 128 * 1024].map((length) =>
        fastest(detect, slowValues(length).find(([name]) => name === what)?.[1] ?? ''),
      );
      // What is quadratic takes 256 times as long; the clock and other work on the machine blur the rest.
      assert.ok(long < 90 * Math.max(short, 0.05), `${what}: ${short} ms and ${long} ms`);
    }
  });

  test('the operator captures a short name, and only where captures are wanted', () => {
    const prepared = operator({ text: '', parts: [] }, { place: { file: 'x', line: 1, column: 1 }, readLines: () => [] });
    const match = { capturing: false, groups: undefined as readonly (string | undefined)[] | undefined, expand: () => '' };
    assert.ok(prepared.judge(known[0], match));
    assert.equal(match.groups, undefined);
    match.capturing = true;
    assert.ok(!prepared.judge('nothing', match));
    assert.equal(match.groups, undefined);
    assert.ok(prepared.judge(known[0], match));
    assert.match(match.groups?.[0] ?? '', /^[a-z]+:[a-z-]+$/);
  });
}

/** Pieces of attacks and of prose in any order, so that many are nearly attacks. */
function* mixed(known: readonly string[], count: number): Generator<string> {
  const random = new Random(20_261);
  const next = (bound: number): number => random.below(bound);
  const pieces = [known, BENIGN.map(latin1)].map((lines) => lines.flatMap((line) => line.split(/(?<=[^a-z0-9])|(?=[^a-z0-9])/i)));
  for (let i = 0; i < count; i++) {
    let value = '';
    for (let left = 1 + next(9); left > 0; left--)
      value += random.pick(pieces[next(8) === 0 ? 1 : 0]) + (next(3) === 0 ? ' ' : '');
    yield value;
  }
}

function fastest(detect: Detector['detect'], value: string): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    const start = performance.now();
    detect(value);
    best = Math.min(best, performance.now() - start);
  }
  return best;
}
