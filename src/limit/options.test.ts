import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limitOptions } from './options.ts';
import { parseRate } from './rate.ts';

describe('a rate', () => {
  const good: [string, number, number][] = [
    ['5/second', 5, 1000],
    ['100/minute', 100, 60_000],
    ['1000/hour', 1000, 3_600_000],
    ['20/day', 20, 86_400_000],
    ['5/10s', 5, 10_000],
    ['1/250ms', 1, 250],
    ['3/s', 3, 1000],
    ['7/1.5h', 7, 5_400_000],
  ];
  for (const [text, count, period] of good) {
    test(`${text} is ${count} in ${period} ms`, () => assert.deepEqual(parseRate(text), { count, period, text }));
  }

  for (const text of [
    '',
    '5',
    '5/',
    '/second',
    '0/second',
    '5/0s',
    '-1/second',
    '1.5/second',
    '5/fortnight',
    '5 / second',
    '5/second ',
    '5/10',
    '1e3/second',
    '5/seconds',
    '1001/ms',
    '9999999999/day',
    '1/4000d',
    '5/constructor',
    '٥/second',
  ])
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseRate(text), undefined));
});

describe('a limit', () => {
  const bad: [unknown, RegExp][] = [
    [{ by: 'address' }, /needs a `rate`/],
    [{ by: 'caller', plans: { a: { rate: '1/hour' } } }, /needs a `rate`, or `plans` and a `default-plan`/],
    [{ by: 'caller', plans: { a: { rate: '1/hour' } }, 'default-plan': 'b' }, /there is no "b" in `plans`/],
    [{ by: 'caller', plans: {}, 'default-plan': 'constructor' }, /there is no "constructor"/],
    [{ by: 'caller', rate: '1/hour', plans: { a: { rate: '1/hour' } }, 'default-plan': 'a' }, /say both/],
    [{ rate: '1/day', burst: 100_000, by: 'address' }, /takes 100000 days/],
    [{ rate: 5, by: 'address' }, /5 is not a rate/],
    [{ rate: '5', by: 'address' }, /"5" is not a rate/],
    [{ rate: '1/hour', by: 'ip' }, /"ip" is nothing to count by/],
    [{ rate: '1/hour', by: [] }, /./],
    [{ rate: '1/hour' }, /./],
    [{ rate: '1/hour', by: 'address', burst: 0 }, /./],
    [{ rate: '1/hour', by: 'address', accuracy: 'leased' }, /only value is "exact"/],
    [{ rate: '1/hour', by: 'address', 'when-store-fails': 'pass' }, /./],
    [{ rate: '1/hour', by: 'address', limit: 1 }, /./],
  ];
  for (const [value, message] of bad) {
    test(`${JSON.stringify(value)} does not load`, () => {
      const { error } = limitOptions.safeParse(value);
      assert.match(error?.issues.map((issue) => issue.message).join('\n') ?? '', message);
    });
  }

  test('has careful defaults', () => {
    const {
      shadow,
      accuracy,
      headers,
      'when-store-fails': fails,
      'ipv6-prefix': prefix,
    } = limitOptions.parse({ rate: '1/hour', by: 'address' });
    assert.deepEqual([shadow, accuracy, headers, fails, prefix], [false, 'exact', true, 'local', 64]);
  });
});
