import assert from 'node:assert/strict';
import { test } from 'node:test';
import { responseTrailers } from './trailers.ts';

const passing = ['grpc-status', 'grpc-message', 'x-checksum', 'digest', 'server-timing', 'etag', 'signature'];
const stopped = [
  ...['set-cookie', 'content-type', 'content-encoding', 'content-length', 'transfer-encoding', 'location', 'cache-control'],
  ...['connection', 'te', 'trailer', 'upgrade', 'host', 'server', 'x-powered-by', 'x-request-id', 'x-accel-redirect'],
  ...['access-control-allow-origin', 'access-control-allow-credentials', 'strict-transport-security', 'www-authenticate'],
];

test('trailers that say something about the body pass', () => {
  for (const name of passing) assert.deepEqual(responseTrailers([name, '1']), [name, '1']);
  assert.deepEqual(responseTrailers(['a', '1', 'set-cookie', 'x=y', 'b', '2', 'b', '3']), ['a', '1', 'b', '2', 'b', '3']);
});

test('trailers that belong into a head, or to a connection, do not', () => {
  for (const name of stopped) assert.equal(responseTrailers([name, '1']), undefined, name);
  assert.equal(responseTrailers(['connection', 'x-hop', 'x-hop', '1']), undefined);
});
