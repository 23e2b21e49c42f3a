import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { missingForCrs } from '../../../../test/conformance/crs.ts';
import { Random } from '../../../../test/support/random.ts';
import { SHAPES, slowRequest, unitsOf } from '../../../../test/support/slow-inputs.ts';
import { CRS_RULES, programOf, run } from '../../../../test/support/waf-twin.ts';
import { Engine } from '../engine.ts';
import type { Program } from '../program/program.ts';
import { PersistentCollections } from '../transaction/persistent.ts';
import { makeFast } from './fast-program.ts';
import { FastRunner } from './run-fast.ts';

/**
 * The worst inputs that `npm run fuzz:slow` found: whole requests against the Core Rule Set. Bounds are for a machine that does ten other
 * things; the search has the real one. What holds on any machine is that a byte of a long input costs no more than one of a short.
 */
const SHORT = 16 * 1024;
const LONG = 128_000;
const MOST_MICROSECONDS_PER_BYTE = 40;
const MOST_GROWTH = 6;

const shape = (name: string) => SHAPES.findIndex(([one]) => one === name);

/** Every literal of every rule, in no order: everything has to be looked at. */
function everything(program: Program, length: number): string {
  const random = new Random(5);
  const units = unitsOf(program);
  let text = '';
  while (text.length < length) text += random.pick(units);
  return text.slice(0, length);
}

const repeated = (unit: string) => (_: Program, length: number) => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);

const WORST: readonly (readonly [name: string, shape: string, text: (program: Program, length: number) => string])[] = [
  ['all literals in one value', 'JSON, one value', everything],
  ['all literals in many values', 'JSON, values of 600', everything],
  ['all literals in a form', 'form, one value', everything],
  ['other kinds of bytes in each value', 'JSON, other words each', repeated('it is prose ')],
  ['other kinds of bytes in each value, all of it twice', 'JSON, other words twice', repeated('it is prose ')],
  ['nested comments and quotes', 'JSON, one value', repeated('/*\'"--')],
  ['entities and escapes', 'JSON, one value', repeated('&#x27;%2527\\u0027')],
  ['tags without an end', 'JSON, one value', repeated('<a b=')],
  ['almost SQL', 'JSON, one value', repeated("1' or select ")],
  ['attributes', 'XML, attributes', repeated('onload=x ')],
  ['parts', 'multipart, as it is', repeated('--xx\r\nContent-Disposition: form-data; name="a"\r\n\r\n')],
];

suite('inputs that cost the most', { skip: missingForCrs() }, () => {
  const program = missingForCrs() === undefined ? programOf({ rules: CRS_RULES }, { paranoia: 1, threshold: 10_000 }) : undefined;
  const engine = program && new Engine(program, new PersistentCollections(), 'DetectionOnly', new FastRunner(makeFast(program)));

  for (const [name, where, text] of WORST) {
    test(name, () => {
      assert.ok(engine !== undefined && program !== undefined && shape(where) >= 0);
      const short = perByte(engine, shape(where), text(program, SHORT));
      const long = perByte(engine, shape(where), text(program, LONG));
      assert.ok(long < MOST_MICROSECONDS_PER_BYTE, `${long} µs a byte`);
      // Below this it is the cost of any request.
      assert.ok(long < Math.max(0.2, MOST_GROWTH * short), `${short} µs a byte of ${SHORT}, ${long} of ${LONG}`);
    });
  }
});

/** The best of three in µs; another beginning each time, so that nothing remembered stands in for the work. */
function perByte(engine: Engine, at: number, text: string): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const { told, bytes } = slowRequest({ text: `${i}${text}`, shape: at });
    const start = performance.now();
    run(engine, told);
    best = Math.min(best, ((performance.now() - start) * 1000) / bytes);
  }
  return best;
}
