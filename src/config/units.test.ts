import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAddress, isLoopback, parseAddress, parseDuration, parseSize, tls } from './units.ts';

test('sizes', () => {
  const cases: [string | number, number | undefined][] = [
    [0, 0],
    [13107200, 13107200],
    ['512', 512],
    ['512B', 512],
    ['16KiB', 16384],
    ['1MiB', 1048576],
    ['2GiB', 2147483648],
    ['1KB', undefined],
    ['1kib', undefined],
    ['1.5MiB', undefined],
    ['-1', undefined],
    [-1, undefined],
    [1.5, undefined],
    ['1e3', undefined],
    ['', undefined],
    ['KiB', undefined],
    [' 1KiB', undefined],
    ['0x10', undefined],
    ['999999999999999GiB', undefined],
    [Number.NaN, undefined],
    [Number.POSITIVE_INFINITY, undefined],
  ];
  for (const [text, expected] of cases) assert.equal(parseSize(text), expected, String(text));
});

test('durations', () => {
  const cases: [string, number | undefined][] = [
    ['0s', 0],
    ['250ms', 250],
    ['1.5s', 1500],
    ['0.001s', 1],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['365d', 31_536_000_000],
    ['30', undefined],
    ['1min', undefined],
    ['1 s', undefined],
    ['-1s', undefined],
    ['1.2345s', undefined],
    ['.5s', undefined],
    ['1s1', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) assert.equal(parseDuration(text), expected, text);
});

test('what is written in a unit comes back as so many of it', () => {
  const units = { '': 1, B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.constantFrom(...Object.entries(units)), (count, [unit, bytes]) => {
      assert.equal(parseSize(`${count}${unit}`), count * bytes);
    }),
  );
  const spans = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.constantFrom(...Object.entries(spans)), (count, [unit, ms]) => {
      assert.equal(parseDuration(`${count}${unit}`), count * ms);
    }),
  );
});

test('whatever the text, what comes out is a whole number that can be counted with, or nothing', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0123456789.-+eE KMGiBmshd'.split('')), maxLength: 24 });
  fc.assert(
    fc.property(text, (written) => {
      for (const value of [parseSize(written), parseDuration(written)]) {
        assert.ok(value === undefined || (Number.isSafeInteger(value) && value >= 0), written);
      }
    }),
  );
});

test('addresses', () => {
  const cases: [string, { host: string; port: number } | undefined][] = [
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    ['0.0.0.0:0', { host: '0.0.0.0', port: 0 }],
    ['[::1]:8443', { host: '::1', port: 8443 }],
    ['[::]:65535', { host: '::', port: 65535 }],
    ['LocalHost:80', { host: 'localhost', port: 80 }],
    ['::1:8080', undefined],
    ['[::1%lo]:80', undefined],
    ['[127.0.0.1]:80', undefined],
    ['127.1:80', undefined],
    ['0177.0.0.1:80', undefined],
    ['example.com:80', undefined],
    ['127.0.0.1', undefined],
    ['127.0.0.1:', undefined],
    ['127.0.0.1:65536', undefined],
    ['127.0.0.1:+80', undefined],
    ['127.0.0.1:8080 ', undefined],
    [':8080', undefined],
    ['8080', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) {
    const parsed = parseAddress(text);
    assert.deepEqual(parsed, expected, text);
    if (parsed !== undefined) assert.equal(formatAddress(parsed), text.toLowerCase());
  }
});

test('loopback', () => {
  const inside = ['127.0.0.1', '127.255.0.3', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', 'localhost'];
  const outside = ['0.0.0.0', '::', '128.0.0.1', '10.0.0.1', '::2', '::ffff:10.0.0.1', 'fe80::1', '192.168.127.1'];
  for (const host of inside) assert.ok(isLoopback(host), host);
  for (const host of outside) assert.ok(!isLoopback(host), host);
});

test('the forms of tls', () => {
  const pair = { certificate: '/a.pem', key: '/a.key' };
  const cases: [unknown, unknown][] = [
    [undefined, 'none'],
    ['none', 'none'],
    ['self-signed', 'self-signed'],
    [pair, [pair]],
    [
      [pair, pair],
      [pair, pair],
    ],
  ];
  for (const [written, expected] of cases) assert.deepEqual(tls().parse(written), expected);
  for (const wrong of ['off', true, [], {}, { certificate: '/a.pem' }, { ...pair, more: 1 }, { ...pair, key: '' }]) {
    assert.ok(!tls().safeParse(wrong).success, JSON.stringify(wrong));
  }
});
