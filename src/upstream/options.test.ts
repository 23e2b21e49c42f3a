import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { serviceOptions } from './options.ts';

const target = 'http://127.0.0.1:9001';
const secure = 'https://api.example.com';

const passes: unknown[] = [
  target,
  'https://orders.internal',
  'http://[::1]:9001',
  'HTTP://localhost:9001/',
  { targets: [target] },
  { targets: [target, { url: 'http://127.0.0.1:9002', weight: 5 }], balance: 'least-requests' },
  { targets: [{ url: target, weight: 0 }, secure] },
  { targets: [secure], protocol: 'h2', tls: { 'server-name': 'api', pins: ['A'.repeat(43) + '='] } },
  { targets: [target], protocol: 'h2c' },
  { targets: [target], health: { path: '/healthz', every: '5s' }, timeout: '3s' },
  { targets: [target], health: { status: [200, '300-399'] } },
  { targets: [target], ejection: 'off', breaker: { failures: 10 }, retries: { tries: 1 } },
  { targets: [target], breaker: { failures: '50%' } },
  { targets: [target], retries: { budget: '10%', on: ['connect', 'timeout', '503'], 'try-time': '500ms' } },
  { targets: [target], headers: { drop: ['X-Internal-*', 'cookie'], keep: ['x_user'] }, host: 'service', credentials: 'forward' },
];

const refused: [unknown, RegExp][] = [
  ['127.0.0.1:9001', /not a target/],
  ['ftp://127.0.0.1', /not a target/],
  ['http://user:word@127.0.0.1', /no user name/],
  ['http://127.0.0.1/api', /no path/],
  ['http://127.0.0.1?x', /no path, query/],
  ['http://127.0.0.1:0', /port/],
  [{ targets: [] }, /1 items/],
  [{}, /targets/],
  [{ targets: [{ url: target, weight: 0 }] }, /weight above 0/],
  [{ targets: [{ url: target, weight: -1 }] }, /weight/],
  [{ targets: [target], balanc: 'random' }, /balanc/],
  [{ targets: [target], balance: 'fair' }, /balance/],
  [{ targets: [target], protocol: 'h2' }, /needs an https target/],
  [{ targets: [target], protocol: 'auto' }, /needs an https target/],
  [{ targets: [secure], protocol: 'h2c' }, /write h2/],
  [{ targets: [target], timeout: 30 }, /not a duration/],
  [{ targets: [target], timeout: '0ms' }, /at least/],
  [{ targets: [target], connections: 0 }, /connections/],
  [{ targets: [target], health: { path: 'healthz' } }, /begins with/],
  [{ targets: [target], health: { every: '1ms' } }, /at least 100ms/],
  [{ targets: [target], health: { status: '200-' } }, /not a status/],
  [{ targets: [target], retries: { budget: '120%' } }, /not a share/],
  [{ targets: [target], retries: { budget: '' } }, /not a share/],
  [{ targets: [target], retries: { on: ['500'] } }, /on/],
  [{ targets: [target], retries: { on: ['timeout'] } }, /try-time/],
  [{ targets: [secure], tls: { certificate: 'a.pem' } }, /belong together/],
  [{ targets: [secure], tls: { pins: ['sha256/abc'] } }, /a pin is/],
  [{ targets: [target], headers: { drop: ['a b'] } }, /header name/],
];

for (const written of passes) {
  test(`passes: ${JSON.stringify(written)}`, () => {
    serviceOptions.parse(written);
  });
}

for (const [written, message] of refused) {
  test(`is refused: ${JSON.stringify(written)}`, () => {
    const result = serviceOptions.safeParse(written);
    assert.equal(result.success, false);
    assert.match(JSON.stringify(result.error?.issues), message);
  });
}

test('a URL means the same as an object with one target', () => {
  assert.deepEqual(serviceOptions.parse(target), serviceOptions.parse({ targets: [target] }));
});

test('a count and a share of failures are told apart, also at 100%', () => {
  const failures = (written: unknown) =>
    serviceOptions.parse({ targets: [target], breaker: { failures: written } }).breaker?.failures;
  assert.deepEqual([failures(1), failures('100%'), failures('5%')], [{ count: 1 }, { share: 1 }, { share: 0.05 }]);
});

test('the schema shows the defaults as a user would write them, and describes every key', () => {
  const schema = JSON.stringify(z.toJSONSchema(serviceOptions, { io: 'input' }));
  for (const shown of ['"30s"', '"64KiB"', '"20%"', '"round-robin"']) assert.ok(schema.includes(`"default":${shown}`), shown);
  const undescribed: string[] = [];
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries((node as { properties?: object }).properties ?? {})) {
      if (typeof (value as { description?: unknown }).description !== 'string') undescribed.push(`${path}.${key}`);
    }
    for (const [key, value] of Object.entries(node)) walk(value, `${path}.${key}`);
  };
  walk(JSON.parse(schema), '');
  assert.deepEqual(undescribed, []);
});

test('the example of the manual is valid, and the manual names only keys that exist', () => {
  const manual = readFileSync(new URL('../../docs/services.md', import.meta.url), 'utf8');
  const example = parse(/```yaml\n([^`]*)```/.exec(manual)?.[1] ?? '') as { services: Record<string, unknown> };
  for (const [name, service] of Object.entries(example.services)) {
    const { error } = serviceOptions.safeParse(service);
    assert.equal(error, undefined, `${name}: ${error?.message}`);
  }
  const schema = JSON.stringify(z.toJSONSchema(serviceOptions, { io: 'input' }));
  const keys = [...manual.matchAll(/`((?:[a-z]+\.)?[a-z]+(?:-[a-z]+)+)`/g)].flatMap(([, key]) => key.split('.'));
  const others = /^(?:upstream-|set-cookie|content-type|round-robin|least-requests)/;
  for (const key of keys) assert.ok(others.test(key) || schema.includes(`"${key}":`), key);
});
