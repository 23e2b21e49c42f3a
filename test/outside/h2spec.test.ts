/** h2spec (github.com/summerwind/h2spec) says whether the gateway speaks HTTP/2 and HPACK by their RFCs. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { startGateway } from '../support/gateway.ts';
import { startService } from '../support/services.ts';
import { run } from './tools.ts';

const SCRIPT = path.resolve(import.meta.dirname, '../../scripts/outside/h2spec.sh');
const NOT_INSTALLED = 3;

test('h2spec: everything that it tests, its stricter part too', async (t) => {
  // h2spec needs an answer of some length to see how it comes through narrow windows, and streams that stay open while it sends on them.
  await using service = await startService((request, answer) => {
    request.resume();
    request.on('end', () => answer.end('x'.repeat(1000)));
  });
  await using gateway = await startGateway(`
listeners: { secure: { address: 127.0.0.1:0, tls: self-signed } }
services: { s: "${service.url}" }
routes: [ { path: /**, service: s, authentication: none } ]`);
  const { code, stdout, stderr } = await run('sh', [SCRIPT, `127.0.0.1:${gateway.port('secure')}`, '--strict']);
  if (code === NOT_INSTALLED) {
    t.skip('h2spec is not installed');
    return;
  }
  const text = stdout.toString();
  const counts = /(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed/.exec(text);
  assert.notEqual(counts, null, text + stderr);
  const [tests, passed, , failed] = (counts ?? []).slice(1).map(Number);
  assert.equal(failed, 0, text.slice(text.indexOf('Failures:')));
  assert.ok(tests >= 140 && passed === tests, counts?.[0]);
  t.diagnostic(counts?.[0] ?? '');
});
