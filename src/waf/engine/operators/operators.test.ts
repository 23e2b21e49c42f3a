import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Match, RuleError } from '../operator.ts';
import type { Macro } from '../rule-set.ts';
import { OPERATORS, UNSUPPORTED } from './index.ts';

/** An operator with its argument, values that it matches and values that it does not. */
type Case = readonly [argument: string, matches: readonly string[], others: readonly string[]];

const CASES: Readonly<Record<string, readonly Case[]>> = {
  beginsWith: [
    ['', ['', 'TestCase'], []],
    ['abc', ['abc', 'abcdef'], ['', 'ab', 'ABC', 'xabc', 'abxc']],
    ['a\0b', ['a\0bc'], ['a', 'ab']],
  ],
  contains: [
    ['', ['', 'TestCase'], []],
    ['abc', ['abc', 'xabcx', 'ababc'], ['', 'ab', 'aBc', 'abxc']],
    ['-->', ['<!-- a -->'], ['->']],
  ],
  containsWord: [
    ['', ['', 'TestCase'], []],
    ['abc', ['abc', 'x abc y', 'x-abc.y', 'abcd abc', '\xe9abc\xe9'], ['', 'abcd', 'xabc', 'abc_', '0abc', 'ABC']],
    ['y x', ['xy y x'], ['y xy x1']],
    ['aa', ['aaa aa'], ['aaa', 'aaaa']],
  ],
  endsWith: [
    ['', ['', 'TestCase'], []],
    ['abc', ['abc', 'xyzabc'], ['', 'bc', 'ABC', 'abcx']],
  ],
  eq: [
    ['0', ['', '0', 'abc', '-0', '+', ' 0x10', '00'], ['1', '-1', '10']],
    ['10', ['10', '10abc', ' \t\n10', '+10', '010', '10.9'], ['1 0', 'a10', '- 10', '100']],
    ['-5', ['-5', ' -5 '], ['5', '--5', '+-5']],
  ],
  ge: [['5', ['5', '6', '10', '99999999999999999999999'], ['4', '-6', '', 'x9']]],
  gt: [['5', ['6', '10', '4294967301'], ['5', '4', '-6', '', '5.9']]],
  le: [['5', ['5', '4', '-6', '', 'x9'], ['6', '10', '4294967296']]],
  lt: [['5', ['4', '-6', '', '4abc'], ['5', '6', '10']]],
  ipMatch: [
    [
      '10.1.0.0/16, 192.0.2.7,2001:db8::/32 ,::1',
      ['10.1.0.0', '10.1.255.255', '192.0.2.7', '2001:db8::', '2001:DB8:ffff:ffff:ffff:ffff:ffff:ffff', '::1', '0:0:0:0:0:0:0:1'],
      ['10.0.255.255', '10.2.0.0', '192.0.2.8', '2001:db9::', '2001:db7:ffff::', '::2', '::', '', 'x', '10.1.0', '10.1.0.0.1'],
    ],
    ['10.1.2.3/8', ['10.255.0.1', '::ffff:10.0.0.1', '::FFFF:a00:1'], ['11.0.0.0', '::10.0.0.1']],
    ['0.0.0.0/0', ['1.2.3.4', '255.255.255.255'], ['::1', '2001:db8::1']],
    ['::/0', ['::', '2001:db8::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '1::', '64:ff9b::192.0.2.1'], ['1.2.3.4']],
    ['::ffff:10.0.0.0/104', ['10.9.9.9', '::ffff:10.9.9.9'], ['11.0.0.0']],
    [
      '1.2.3.4,::/1',
      ['1.2.3.4'],
      ['01.2.3.4', '1.2.3.04', '1.2.3.256', '1.2.3.', '.1.2.3', '1..2.3', '1.2.3.4 ', ' 1.2.3.4', '1.2.3.4:80', '16909060'],
    ],
    [
      '::/0',
      ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7::', '::2:3:4:5:6:7:8', '1::8', '1:2:3:4:5:6:1.2.3.4'],
      [
        '1:2:3:4:5:6:7',
        '1:2:3:4:5:6:7:8:9',
        '1:::8',
        '1::2::3',
        ':1:2:3:4:5:6:7',
        '1:2:3:4:5:6:7:',
        '12345::',
        'g::',
        '::1%eth0',
        '[::1]',
        '1:2:3:4:5:6:7:1.2.3.4',
        '::1.2.3',
        ':',
        '1:2:3:4::5:6:7:8',
      ],
    ],
  ],
  noMatch: [['', [], ['', 'a']]],
  pm: [
    ['abc', ['abc', 'xABCx', 'ababc'], ['', 'ab', 'a b c']],
    ['he she  his hers', ['ushers', 'THIS', 'the'], ['hi', 'hs']],
    ['abcd bc', ['xabcx', 'ABCD'], ['abd', 'acbd']],
    ['a|41 20 42|c |00| x|y', ['zaA bCz', 'zaa bc', 'x\0', 'X|Y'], ['abc', 'a41', 'xy']],
    ['\xe9', ['a\xe9'], ['\xc9', 'e']],
    ['( )', ['a)', '('], ['a']],
    ['', [], ['', 'a']],
  ],
  streq: [
    ['', [''], ['a']],
    ['abc', ['abc'], ['', 'ABC', 'abc ', 'ab']],
  ],
  strmatch: [['abc', ['xabcx'], ['', 'ABC']]],
  unconditionalMatch: [['', ['', 'a'], []]],
  validateByteRange: [
    ['0-255', [], ['', '\0\xff']],
    ['1-255', ['a\0', '\0'], ['', 'a\x01\xff']],
    ['32-36,38-126', ['%', 'a\nb', '\xe9'], ['', 'az~ ']],
    [' 10 , 13, 97-99', ['d', '\v'], ['abc\r\n']],
  ],
  validateUrlEncoding: [
    ['', ['%', 'a%', '%4', '%g1', '%1g', '%%41', '%41%', '%u0041', 'a%4%41'], ['', 'abc', '%41', '%fF%00', 'a+b%20', '%25%32']],
  ],
  validateUtf8Encoding: [
    [
      '',
      [
        ...['\x80', '\xc3', '\xc3(', '\xe2\x82', '\xe2(\xa1', '\xf0\x9f\x98', 'a\xff', '\xfe', '\xc3\xa9\xa9'],
        // Overlong forms, a surrogate, what lies beyond the last code point, five bytes.
        ...[
          '\xc0\xaf',
          '\xc1\xbf',
          '\xe0\x80\xaf',
          '\xf0\x80\x80\xaf',
          '\xed\xa0\x80',
          '\xf4\x90\x80\x80',
          '\xf5\x80\x80\x80',
          '\xf8\x88\x80\x80\x80',
        ],
      ],
      [
        '',
        'abc',
        'a\0b',
        '\xc3\xa9',
        '\xe2\x82\xac',
        '\xed\x9f\xbf',
        '\xee\x80\x80',
        '\xf0\x9f\x98\x80',
        '\xf4\x8f\xbf\xbf',
        '\xc2\x80',
      ],
    ],
  ],
  verifyCC: [
    [
      '\\d{16}',
      ['4111111111111111', 'card 5500005555555559.', '74111111111111111', '0000000000000000'],
      ['4111111111111112', '411111111111111', ''],
    ],
    ['\\b\\d{13,16}\\b', ['378282246310005', '4111111111111111'], ['378282246310006', '4111111111111112', '74111111111111111']],
    ['\\b(?:\\d[ -]?){13,16}\\b', ['4111 1111 1111 1111', '4111-1111-1111-1111'], ['4111 1111 1111 1112', '4111.1111.1111.1111']],
  ],
  verifyCPF: [
    [
      '\\d{3}\\.?\\d{3}\\.?\\d{3}-?\\d{2}',
      ['529.982.247-25', '52998224725', 'x152998224725'],
      ['529.982.247-26', '111.111.111-11', ''],
    ],
  ],
  verifySSN: [
    [
      '\\d{3}-?\\d{2}-?\\d{4}',
      ['078-05-1121', '219099998'],
      ['000-12-3456', '666-12-3456', '740-12-3456', '123-00-4567', '219-09-0000', '111-11-1111', '123456789', ''],
    ],
  ],
  verifySVNR: [['\\d{4} ?\\d{6}', ['1237 010180', '1237010180'], ['1238 010180', '123701018', '']]],
  within: [
    ['', [''], ['a']],
    ['GET POST HEAD', ['GET', 'POST', 'T P', ''], ['get', 'PUT', 'GET POST HEAD X']],
  ],
};

const FILES: Readonly<Record<string, readonly string[]>> = {
  'words.data': ['union select', 'etc/passwd', '|41|'],
  'nets.data': ['10.0.0.0/8', '2001:db8::/32'],
};
const world = {
  place: { file: 'rules.conf', line: 1, column: 1 },
  readLines(name: string): readonly string[] {
    const lines = FILES[name];
    if (lines === undefined) throw new RuleError(`the file ${name} cannot be read`);
    return lines;
  },
};

function textMacro(text: string): Macro {
  return { text, parts: [text] };
}

/** As a rule would say it with `%{tx.x}`, where `match` expands it. */
const REFERENCE: Macro = { text: '%{tx.x}', parts: [{ variable: 'TX', name: 'x' }] };

function matchOf(expanded = ''): Match {
  return { capturing: false, groups: undefined, expand: () => expanded };
}

function make(name: string, argument: Macro) {
  const operator = OPERATORS.get(name.toLowerCase());
  assert.ok(operator, name);
  return operator.make(argument, world);
}

for (const [name, cases] of Object.entries(CASES)) {
  test(`@${name}`, () => {
    for (const [argument, matches, others] of cases) {
      const operator = make(name, textMacro(argument));
      for (const value of matches) assert.ok(operator.judge(value, matchOf()), JSON.stringify([argument, value]));
      for (const value of others) assert.ok(!operator.judge(value, matchOf()), JSON.stringify([argument, value]));
    }
  });
}

const EXPANDING = [
  'beginsWith',
  'contains',
  'containsWord',
  'endsWith',
  'eq',
  'ge',
  'gt',
  'le',
  'lt',
  'streq',
  'strmatch',
  'within',
];

test('an argument with references means what it says in the transaction', () => {
  for (const name of EXPANDING) {
    for (const [argument, matches, others] of CASES[name]) {
      const operator = make(name, REFERENCE);
      for (const value of matches) assert.ok(operator.judge(value, matchOf(argument)), `${name} ${argument} ${value}`);
      for (const value of others) assert.ok(!operator.judge(value, matchOf(argument)), `${name} ${argument} ${value}`);
    }
  }
});

test('operators that are made ready when rules load take no references', () => {
  for (const name of ['pm', 'pmFromFile', 'ipMatch', 'ipMatchFromFile', 'validateByteRange']) {
    assert.throws(() => make(name, REFERENCE), RuleError, name);
  }
});

test('arguments that are wrong are refused', () => {
  for (const argument of ['', 'a', '1-', '-1', '256', '1-256', '5-4', '1 2', '1,,2', '0x41']) {
    assert.throws(() => make('validateByteRange', textMacro(argument)), RuleError, argument);
  }
  for (const argument of ['a', '1.2.3', '1.2.3.4/33', '1.2.3.4/', '1.2.3.4/x', '::1/129', '1.2.3.4/-1', '10.0.0.0/8 ::1', '/8']) {
    assert.throws(() => make('ipMatch', textMacro(argument)), RuleError, argument);
  }
  assert.throws(() => make('pmFromFile', textMacro('missing.data')), RuleError);
});

test('a pattern that could read a whole value for each candidate is refused', () => {
  for (const pattern of ['\\d+', '(?:\\d[ -]*){13,16}', '\\d{13}(?:.*x)?', '\\d{300}']) {
    assert.throws(() => make('verifyCC', textMacro(pattern)), RuleError, pattern);
  }
});

test('phrases and networks come from files', () => {
  for (const name of ['pmFromFile', 'pmf']) {
    const phrases = make(name, textMacro('words.data'));
    for (const value of ['1 UNION SELECT 2', '/etc/passwd', 'a|41|']) assert.ok(phrases.judge(value, matchOf()), value);
    for (const value of ['union', 'select', 'A', '']) assert.ok(!phrases.judge(value, matchOf()), value);
  }
  for (const name of ['ipMatchFromFile', 'ipMatchF']) {
    const networks = make(name, textMacro('nets.data'));
    assert.ok(networks.judge('10.2.3.4', matchOf()));
    assert.ok(!networks.judge('11.2.3.4', matchOf()));
  }
});

test('@pm captures the phrase that it found, and only where captures are wanted', () => {
  const operator = make('pm', textMacro('Select union'));
  const match = matchOf();
  assert.ok(operator.judge('a SELECT', match));
  assert.equal(match.groups, undefined);
  match.capturing = true;
  assert.ok(!operator.judge('nothing', match));
  assert.equal(match.groups, undefined);
  assert.ok(operator.judge('a SELECT', match));
  assert.deepEqual(match.groups, ['Select']);
});

test('every operator has cases, and what is not supported has a reason', () => {
  const elsewhere = ['pmf', 'pmFromFile', 'ipMatchF', 'ipMatchFromFile', 'rx', 'rxGlobal', 'detectSQLi', 'detectXSS'];
  for (const { name } of OPERATORS.values()) assert.ok(name in CASES || elsewhere.includes(name), name);
  for (const name of UNSUPPORTED.keys()) assert.ok(!OPERATORS.has(name), name);
});
