import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adminOptions } from '../admin/options.ts';
import { listenerOptions } from '../listen/options.ts';
import { gatewaySchema } from './schema.ts';

// What single keys become, and what they refuse. How refusals are told is in testdata/.

const LISTENER = { address: '127.0.0.1:0' };

test('redirect-to-https', () => {
  const cases: [unknown, unknown][] = [
    [undefined, false],
    [false, false],
    [true, { host: undefined, port: undefined }],
    [8443, { host: undefined, port: 8443 }],
    ['API.example.com', { host: 'api.example.com', port: undefined }],
    ['api.example.com:8443', { host: 'api.example.com', port: 8443 }],
    ['[2001:db8::1]:443', { host: '[2001:db8::1]', port: 443 }],
  ];
  for (const [written, expected] of cases) {
    assert.deepEqual(listenerOptions.parse({ ...LISTENER, 'redirect-to-https': written })['redirect-to-https'], expected);
  }
  for (const wrong of [0, 65536, 1.5, 'https://x', 'x/y', 'x:0', 'x:65536', 'a b', '', 'x\r\ny', '.', 'yes', 'Off', null]) {
    assert.ok(!listenerOptions.safeParse({ ...LISTENER, 'redirect-to-https': wrong }).success, JSON.stringify(wrong));
  }
});

test('hsts is a year unless it says otherwise', () => {
  const year = { 'max-age': 31_536_000_000, 'include-subdomains': false, preload: false };
  const cases: [unknown, unknown][] = [
    [undefined, year],
    [true, year],
    [{}, year],
    [false, false],
    [{ 'max-age': '0s' }, { ...year, 'max-age': 0 }],
    [{ 'include-subdomains': true }, { ...year, 'include-subdomains': true }],
  ];
  for (const [written, expected] of cases) assert.deepEqual(listenerOptions.parse({ ...LISTENER, hsts: written }).hsts, expected);
});

test('the bounds are those of the manual', () => {
  assert.deepEqual(listenerOptions.parse(LISTENER).bounds, {
    'head-bytes': 16 * 1024,
    'head-count': 100,
    'target-bytes': 8 * 1024,
    'head-time': 10_000,
    'body-time': 30_000,
    'idle-time': 60_000,
    'tunnel-idle': 3_600_000,
    'request-time': 300_000,
    'requests-per-connection': 100_000,
    connections: 10_000,
    'connections-per-address': 4096,
    'h2-streams': 100,
    'h2-resets': 1000,
  });
});

test('a bound of nothing would refuse everything, and is an error', () => {
  const zero = ['head-bytes', 'target-bytes', 'head-time', 'body-time', 'idle-time', 'tunnel-idle', 'request-time'];
  for (const key of zero) {
    for (const value of [0, '0s', '0KiB']) {
      assert.ok(!listenerOptions.safeParse({ ...LISTENER, bounds: { [key]: value } }).success, `${key}: ${value}`);
    }
  }
});

test('admin', () => {
  const admin = (more: object) => adminOptions.safeParse({ address: '127.0.0.1:0', ...more });
  assert.deepEqual(admin({ hosts: ['Admin.Example.com', '[::1]'] }).data?.hosts, ['admin.example.com', '[::1]']);
  assert.ok(admin({ token: '0123456789abcdef' }).success);
  for (const token of ['0123456789abcde', '0123456789abcde ', '0123456789abcdé', 1234567890123456, '']) {
    assert.ok(!admin({ token }).success, String(token));
  }
  for (const host of ['a b', 'http://a', 'a:80', '', '*']) assert.ok(!admin({ hosts: [host] }).success, host);
});

test('trusted proxies', () => {
  const proxies = gatewaySchema.shape['trusted-proxies'];
  for (const right of ['10.0.0.0/8', '192.0.2.7', '192.0.2.7/32', '0.0.0.0/0', '2001:db8::/32', '::1', '::/0']) {
    assert.ok(proxies.safeParse([right]).success, right);
  }
  const wrong = [
    '10.0.0.1/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/-1',
    '10/8',
    '::1/64',
    '::/129',
    'localhost',
    '',
    'fe80::1%lo',
  ];
  for (const network of wrong) assert.ok(!proxies.safeParse([network]).success, network);
});

test('workers', () => {
  const { workers } = gatewaySchema.shape;
  for (const right of [1, 64, 'auto', undefined]) assert.ok(workers.safeParse(right).success, String(right));
  for (const wrong of [0, 65, 1.5, -1, 'many', '2', null]) assert.ok(!workers.safeParse(wrong).success, String(wrong));
});
