/** What the suite beside this file does not ask: OpenAPI's own formats, and what formats cost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FORMATS } from './formats.ts';

const holds = (name: string, value: string | number): boolean => {
  const format = FORMATS.get(name);
  if (format?.type === 'number') return format.validate(value as number);
  return format?.validate(value as string) === true;
};

test("OpenAPI's formats", () => {
  for (const [name, good, bad] of [
    ['int32', [0, -2147483648, 2147483647], [2147483648, -2147483649, 1.5]],
    ['int64', [0, Number.MAX_SAFE_INTEGER, -(2 ** 63), 2 ** 63 - 1024], [2 ** 63, 1e19, 0.1]],
    ['uint8', [0, 255], [-1, 256]],
    ['float', [1.5, 3.4028234e38, -0], [3.5e38, 1e300]],
    ['double', [1e308], [Number.POSITIVE_INFINITY]],
    ['byte', ['', 'YQ==', 'YWI=', 'YWJj'], ['Y', 'YQ=', 'YQ', 'YQ==YQ==', 'Y-_=', 'YQ==\n']],
    ['base64url', ['', 'YQ', 'Y-_'], ['Y+/', 'a b']],
    ['char', ['a', '😀'], ['', 'ab']],
    ['binary', ['', '\0'], []],
    ['password', ['x'], []],
    [
      'uuid',
      ['2eb8aa08-aa98-11ea-b4aa-73b441d16380'],
      ['urn:uuid:2eb8aa08-aa98-11ea-b4aa-73b441d16380', '2eb8aa08aa9811eab4aa73b441d16380'],
    ],
    ['ipv6', ['::1', '1::', '::ffff:1.2.3.4'], ['fe80::1%eth0', '1:2', '12345::']],
    [
      'email',
      ['a+b@example.com', '"a b"@example.com', 'a@[127.0.0.1]', 'a@[IPv6:::1]'],
      ['a@b@c', '@a', 'a@', 'a..b@c', 'a@-b', 'a@b\n'],
    ],
    ['date', ['2024-02-29'], ['2023-02-29', '2024-13-01', '2024-1-1', '２024-01-01', '2024-01-01\n']],
  ] as [string, (string | number)[], (string | number)[]][]) {
    for (const value of good) assert.equal(holds(name, value), true, `${name} ${value}`);
    for (const value of bad) assert.equal(holds(name, value), false, `${name} ${value}`);
  }
});

test('formats are linear: a megabyte takes no time, whatever it repeats', () => {
  const units = [
    'a',
    'a.',
    'a@',
    '1',
    '1.',
    'a-',
    ':',
    '::',
    '/a',
    '%41',
    '{a}',
    '{a,',
    'P1',
    '1D',
    '~0',
    '/~1',
    'a:b@',
    '[',
    'é',
    '😀',
    'http://',
    '+',
    '1:',
  ];
  for (const [name, format] of FORMATS) {
    if (format.type === 'number') continue;
    for (const unit of units) {
      const text = unit.repeat(Math.floor(1_000_000 / unit.length));
      const start = performance.now();
      for (const tail of ['', '!', '\n', '\0']) format.validate(text + tail);
      const ms = performance.now() - start;
      assert.ok(ms < 2000, `${name}, ${unit}: ${ms} ms`);
    }
  }
});
