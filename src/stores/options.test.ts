import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkText } from '../config/load.ts';
import { type StoreOptions, storeOptions } from './options.ts';

const USUAL = {
  host: '127.0.0.1',
  port: 6379,
  tls: false,
  username: undefined,
  password: undefined,
  database: 0,
  ca: undefined,
  timeout: 50,
  prefix: 'portcullis',
  instances: 1,
};

const right: [unknown, StoreOptions][] = [
  ['memory', 'memory'],
  ['redis://127.0.0.1', USUAL],
  ['redis://127.0.0.1:6399/', { ...USUAL, port: 6399 }],
  ['redis://127.0.0.1/7', { ...USUAL, database: 7 }],
  ['rediss://Redis.Example:6380', { ...USUAL, host: 'redis.example', port: 6380, tls: true }],
  ['redis://[::1]:6399', { ...USUAL, host: '::1', port: 6399 }],
  ['redis://u%40x:p%2F%3A%25@127.0.0.1', { ...USUAL, username: 'u@x', password: 'p/:%' }],
  ['redis://:p@127.0.0.1', { ...USUAL, password: 'p' }],
  [
    { redis: 'redis://127.0.0.1', username: 'u', password: 'p' },
    { ...USUAL, username: 'u', password: 'p' },
  ],
  [
    { redis: 'redis://u@127.0.0.1', password: 'p' },
    { ...USUAL, username: 'u', password: 'p' },
  ],
  [
    { redis: 'rediss://127.0.0.1', ca: '/ca.pem', timeout: '1s', prefix: 'a.b', instances: 4 },
    { ...USUAL, tls: true, ca: '/ca.pem', timeout: 1000, prefix: 'a.b', instances: 4 },
  ],
];

/** What must be refused, and a word of the reason. Every one holds hunter2, and no reason may. */
const wrong: [string, RegExp][] = [
  ['redsi://u:hunter2@127.0.0.1', /not a store/],
  ['http://u:hunter2@127.0.0.1', /not a store/],
  ['redis://u:hunter2@', /not a store/],
  ['redis://u:hunter2@127.0.0.1:66666', /not a store/],
  ['redis://u:hunter2@127.0.0.1:0', /port 0/],
  ['redis://u:hun/ter2@127.0.0.1', /not a store/],
  ['redis://u:hunter2@127.0.0.1/x', /number of the database/],
  ['redis://u:hunter2@127.0.0.1/1/2', /number of the database/],
  ['redis://127.0.0.1/0?password=hunter2', /no \\"\?\\"/],
  ['redis://u:hunter2%@127.0.0.1', /%25/],
  ['{ redis: "redis://u:hunter2@127.0.0.1", password: hunter2 }', /password stands in `redis` too/],
  ['{ redis: "redis://127.0.0.1", password: hunter2, timeout: 0ms }', /from 1ms/],
  ['{ redis: "redis://127.0.0.1", password: hunter2, timeout: 1h }', /from 1ms/],
  ['{ redis: "redis://127.0.0.1", password: hunter2, prefix: "a b" }', /a prefix holds/],
  ['{ redis: "redis://127.0.0.1", password: hunter2, prefix: "{a}" }', /a prefix holds/],
  ['{ redis: "redis://127.0.0.1", password: hunter2, ca: ca.pem }', /rediss:/],
  ['{ redis: "redis://127.0.0.1", db-password: hunter2 }', /unknown key/],
  ['{ redis: "redis://u:hunter2@127.0.0.1:x" }', /not the address of a store/],
  ['{ password: hunter2 }', /missing key \\"redis\\"/],
];

describe('store', () => {
  for (const [written, expected] of right) {
    test(`${JSON.stringify(written)} is understood`, () => assert.deepEqual(storeOptions.parse(written), expected));
  }

  const rest =
    'listeners: { a: { address: 127.0.0.1:1 } }\nservices: { b: http://127.0.0.1:2 }\nroutes: [ { path: /, service: b, authentication: none } ]';
  const check = (store: string, environment = {}) => checkText('own.yaml', `store: ${store}\n${rest}\n`, environment);

  for (const [written, reason] of wrong) {
    test(`${written} is refused at its place, and no password is told`, () => {
      const result = check(written);
      assert.ok(!result.ok);
      assert.match(JSON.stringify(result.problems), reason);
      for (const { line } of result.problems) assert.equal(line, 1);
      // A piece of it is too much as well.
      assert.doesNotMatch(JSON.stringify(result.problems), /hunter2|hun\/|ter2/);
    });
  }

  test('a password comes from the environment', () => {
    const result = check('{ redis: "redis://127.0.0.1", password: "${STORE_PASSWORD}" }', { STORE_PASSWORD: 'hunter2' });
    assert.ok(result.ok);
    assert.deepEqual(result.options.store, { ...USUAL, password: 'hunter2' });
    const url = check('redis://:${STORE_PASSWORD}@127.0.0.1', { STORE_PASSWORD: 'hunter2' });
    assert.ok(url.ok);
    assert.deepEqual(url.options.store, { ...USUAL, password: 'hunter2' });
  });
});
