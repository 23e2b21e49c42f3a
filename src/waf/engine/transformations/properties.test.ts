import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Transformation } from '../transformation.ts';
import { TRANSFORMATIONS } from './index.ts';
import { RewriteTransformation } from './rewrite.ts';

const ALL = new Set(TRANSFORMATIONS.values());
const RUNS = { numRuns: 1500 };

/** Pieces that mean something to some transformation, among bytes that are anything. */
const PIECES = [
  ...'%+&#;\\/*-."\'^,( \t\n\0\xa0=u',
  ...['%41', '%u0041', '%uff1c', '&lt', '&#x41;', '&#65', '\\x41', '\\u0041', '\\101', '\\41 ', '/*', '*/', '--', '<!--', '-->'],
  ...['../', './', '..\\', '0x41', 'QUJD', '\xc3\xa9', '\xe2\x80\x99', '\xf0\x9f\x98\x80', '\xc0\xaf', '  ', 'Ab1'],
];
const anyByte = fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte));
const values = fc.array(fc.oneof(fc.constantFrom(...PIECES), anyByte), { maxLength: 24 }).map((pieces) => pieces.join(''));

function without(value: string, table: Uint8Array): string {
  return [...value].filter((byte) => table[byte.charCodeAt(0)] === 0).join('');
}

function isByteString(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 255) return false;
  return true;
}

function introduced(transformation: Transformation, value: string): number[] {
  const before = new Set(value);
  const after = new Set(transformation.apply(value));
  return [...after].filter((byte) => !before.has(byte)).map((byte) => byte.charCodeAt(0));
}

for (const transformation of ALL) {
  const { name, triggers, introduces } = transformation;

  if (triggers !== undefined) {
    test(`t:${name} changes nothing without a byte that triggers it`, () => {
      const untouched = (value: string) => {
        const left = without(value, triggers);
        return transformation.apply(left) === left;
      };
      fc.assert(fc.property(values, untouched), RUNS);
    });
  }

  test(`t:${name} introduces only what it says`, () => {
    const onlyAllowed = (value: string) => {
      assert.ok(isByteString(transformation.apply(value)));
      return introduces === undefined || introduced(transformation, value).every((byte) => introduces[byte] === 1);
    };
    fc.assert(fc.property(values, onlyAllowed), RUNS);
  });
}

test('values that are passed over are those that rewriting leaves alone', () => {
  const agree = (value: string) => {
    for (const transformation of ALL) {
      if (transformation instanceof RewriteTransformation)
        assert.equal(transformation.apply(value), rewritten(transformation, value));
    }
  };
  fc.assert(fc.property(values, agree), { numRuns: 3000 });
});

/** What a transformation makes of a value without looking first whether it has to. */
function rewritten({ rewrite }: RewriteTransformation, value: string): string {
  const bytes = Buffer.from(`<<${value}>>`, 'latin1');
  const end = rewrite(bytes, 2, 2 + value.length);
  assert.equal(bytes.toString('latin1', 0, 2), '<<');
  assert.equal(bytes.toString('latin1', 2 + value.length), '>>');
  return bytes.toString('latin1', 2, end);
}

test('every byte that is said to trigger does so in some value', () => {
  for (const transformation of ALL) {
    for (let byte = 0; byte < 256; byte++) {
      if (transformation.triggers?.[byte] !== 1) continue;
      const text = String.fromCharCode(byte);
      const changed = AROUND.some((before) => AROUND.some((behind) => changes(transformation, before + text + behind)));
      assert.ok(changed, `${transformation.name}: ${byte}`);
    }
  }
});

/** What a byte may need beside it. */
const AROUND = ['', ' ', '41', '/', '*', '-', '#65', '0', 'x41', '\x80\x80\x80'];

function changes(transformation: Transformation, value: string): boolean {
  return transformation.apply(value) !== value;
}

test('results do not depend on what was transformed before, nor on how a string is put together', () => {
  const stable = (first: string, second: string) => {
    for (const transformation of ALL) {
      const fresh = transformation.apply(second);
      const other = transformation.apply(first);
      assert.equal(transformation.apply(`x${second}`.slice(1)), fresh, transformation.name);
      assert.equal(transformation.apply(first), other, transformation.name);
    }
  };
  fc.assert(fc.property(values, values, stable), { numRuns: 300 });
});

/** What could make a decoder go back again and again. */
const HEAVY = [
  '../',
  'a/../',
  'a/',
  '/',
  './',
  '&',
  '&#',
  '&#x',
  '&#1',
  '&a',
  '%',
  '%u',
  '\\',
  '\\1',
  '\\u',
  '/*',
  '/**/',
  '<!--',
  '--',
  '0x',
  '0x4',
  ' ',
  'A',
  '\xc3',
  '\xf0\x90',
  '\xc0\xaf',
  '=',
  '"',
];

test('cost grows with the length of a value and not with its square', () => {
  const size = 1 << 17;
  for (const piece of HEAVY) {
    for (const shape of [piece.repeat(size / piece.length), 'a/'.repeat(size / 4) + piece.repeat(size / 2 / piece.length)]) {
      for (const transformation of ALL) {
        const before = process.cpuUsage();
        transformation.apply(shape);
        const { user, system } = process.cpuUsage(before);
        // 128 KiB take some hundred microseconds; a square would take seconds.
        assert.ok(user + system < 500_000, `${transformation.name} on ${JSON.stringify(piece)}: ${user + system} µs`);
      }
    }
  }
});
