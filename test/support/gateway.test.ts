import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test from 'node:test';
import { startEcho } from './echo.ts';
import { startGateway } from './gateway.ts';
import { parseResponse, rawRequest } from './raw.ts';

test('a gateway starts, serves, records and stops', async () => {
  await using echo = await startEcho();
  const gateway = await startGateway(
    `
listeners: { plain: { address: 127.0.0.1:0 }, second: { address: 127.0.0.1:0 } }
services: { echo: '\${SERVICE}' }
routes: [{ path: /**, service: echo, authentication: none }]
`,
    { env: { SERVICE: echo.url } },
  );
  try {
    assert.notEqual(gateway.port('plain'), gateway.port('second'));
    const request = 'GET /a?b=c HTTP/1.1\r\nHost: api.example.test\r\nConnection: close\r\n\r\n';
    const answer = parseResponse(await rawRequest(gateway.port('plain'), request));
    assert.equal(answer.status, 200);
    assert.equal(echo.requests[0].target, '/a?b=c');
    const [record] = await gateway.records(1);
    assert.equal(record.http.path, '/a');
    assert.equal(record.http.status, 200);
    assert.throws(() => gateway.port('third'), /names no listener third/);
  } finally {
    await gateway.stop();
  }
  assert.equal(gateway.process.exitCode, 0);
  assert.ok(!existsSync(gateway.dir));
  await gateway.stop();
});

test('a gateway that cannot start says why', async () => {
  await assert.rejects(startGateway('listeners: {}\nnonsense: true\n'), /did not become ready[\s\S]*nonsense/);
});
