import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { hashOptions } from '../config/hash.ts';
import { loadConfiguration } from '../config/load.ts';

/** What the file asks for. */
const ENVIRONMENT = {
  ORDERS_URL: 'http://127.0.0.1:9001',
  WEIGHT: '2',
  BODY: '64KiB',
  ADMIN_TOKEN: 'a-token-that-is-long-enough',
  WORKERS: '2',
};

test('options survive the way to a worker as they are', async () => {
  const file = path.resolve(import.meta.dirname, '../config/testdata/good-full.yaml');
  const result = await loadConfiguration(file, ENVIRONMENT);
  assert.ok(result.ok, JSON.stringify(result));
  const arrived = structuredClone(result.options);
  assert.deepEqual(arrived, result.options);
  assert.equal(hashOptions(arrived), hashOptions(result.options));
});
