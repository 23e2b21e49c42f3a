/** What the documents say by way of tables and examples is what the gateway does. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { http1Asker } from '../support/ask.ts';
import { Client, waitFor } from '../support/client.ts';
import { startGateway } from '../support/gateway.ts';
import { startService } from '../support/services.ts';

const DOCS = path.resolve(import.meta.dirname, '../../docs');

function keysText(): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256', use: 'sig' }] });
}

/** The table of docs/observability.md: names of metrics, each with its type and its labels. */
async function metricsInManual(): Promise<Map<string, { type: string; labels: string }>> {
  const text = await readFile(path.join(DOCS, 'observability.md'), 'utf8');
  const rows = text.split('\n').filter((line) => /^\| `(?:portcullis|process)_/.test(line));
  return new Map(
    rows.flatMap((row) => {
      const [, names, type, labels] = row.split('|').map((cell) => cell.trim());
      return [...names.matchAll(/`(\w+)`/g)].map(([, name]): [string, { type: string; labels: string }] => [
        name,
        { type, labels },
      ]);
    }),
  );
}

test('docs/observability.md tells of every metric, its type and its labels, and of no other', async (t) => {
  await using service = await startService((_request, answer) => answer.end('ok'));
  await using gateway = await startGateway(
    `
listeners:
  plain: { address: 127.0.0.1:0 }
  secure: { address: 127.0.0.1:0, tls: self-signed }
  one: { address: 127.0.0.1:0, bounds: { connections: 1 } }
services:
  all: { targets: ["${service.url}"], health: { every: 1s }, breaker: {} }
authentication:
  staff: { jwt: { issuer: https://id.example.com, audience: a, jwks: keys.json, algorithms: [RS256] } }
  other: { introspection: { endpoint: "http://127.0.0.1:1/", audience: any, client: { id: a, secret: a-secret-of-the-client } } }
routes:
  - { path: /staff, service: all, authentication: [staff, other] }
  - { path: /**, service: all, authentication: none, limits: [{ rate: 1000/second, by: address }], concurrency: { max: 9 } }
# Nobody is there: what is measured of a store is measured all the same.
store: redis://127.0.0.1:1
admin: { address: 127.0.0.1:0 }
`,
    { files: { 'keys.json': keysText() } },
  );
  const secure = http1Asker(gateway.port('secure'), { tls: true });
  assert.equal((await secure.ask({ path: '/staff' })).status, 401);
  secure.close();
  const asker = http1Asker(gateway.port('plain'));
  const admin = http1Asker(gateway.port('admin'));
  assert.equal((await asker.ask({ path: '/' })).status, 200);
  // The second one pushes the first one out.
  const first = await Client.open(t, gateway.port('one'));
  await Client.open(t, gateway.port('one'));
  await waitFor(() => first.closed, 'nobody was turned away');
  await gateway.records(3);
  const exposition = (await admin.ask({ path: '/metrics' })).body.toString();
  asker.close();
  admin.close();

  const manual = await metricsInManual();
  const exposed = [...exposition.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({ name, type }));
  assert.deepEqual([...manual.keys()].sort(), exposed.map(({ name }) => name).sort());
  for (const { name, type } of exposed) {
    const { type: told, labels: toldLabels } = manual.get(name) ?? { type: '', labels: '' };
    if (name.startsWith('portcullis_')) assert.equal(told, type, name);
    const line = new RegExp(`^${name}(?:_bucket)?\\{([^}]*)\\}`, 'm').exec(exposition)?.[1] ?? '';
    const labels = [...line.matchAll(/(\w+)="/g)].map(([, label]) => label).filter((label) => label !== 'le');
    assert.deepEqual([...toldLabels.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort(), labels.sort(), name);
  }
});

test('the example of docs/routing.md for response headers does what is written beside it', async () => {
  const text = await readFile(path.join(DOCS, 'routing.md'), 'utf8');
  const example = /```yaml\nresponse-headers:\n([^`]+)```/.exec(text)?.[1] ?? assert.fail('there is no example');
  await using service = await startService((_request, answer) => {
    answer.setHeader('server', 'shop/1');
    answer.setHeader('x-powered-by', 'shop');
    answer.setHeader('referrer-policy', 'origin');
    answer.setHeader('content-security-policy', 'sandbox');
    answer.end('ok');
  });
  await using gateway = await startGateway(`
listeners: { plain: { address: 127.0.0.1:0 } }
services: { shop: "${service.url}" }
routes:
  - path: /**
    service: shop
    authentication: none
    response-headers:
${example.replace(/^/gm, '    ')}
  - { path: /usual, service: shop, authentication: none }
`);
  const asker = http1Asker(gateway.port('plain'));
  const own = (await asker.ask({ path: '/' })).headers;
  const usual = (await asker.ask({ path: '/usual' })).headers;
  asker.close();
  const names = ['content-security-policy', 'referrer-policy', 'server', 'cache-control', 'x-powered-by'];
  assert.deepEqual(
    names.map((name) => own[name]),
    ["default-src 'self'", undefined, 'shop/1', 'no-store', undefined],
  );
  assert.deepEqual(
    names.map((name) => usual[name]),
    ['sandbox', 'origin', undefined, undefined, undefined],
  );
});

test('SECURITY.md names the bounds that hold by default', async () => {
  const { listenerOptions } = await import('../../src/listen/options.ts');
  const { bounds } = listenerOptions.parse({ address: '127.0.0.1:0' });
  const text = await readFile(path.join(DOCS, '../SECURITY.md'), 'utf8');
  const told = [
    `head ${bounds['head-bytes'] / 1024} KiB and ${bounds['head-count']} fields`,
    `target ${bounds['target-bytes'] / 1024} KiB`,
    `${bounds['head-time'] / 1000} s for the head`,
    `${bounds['body-time'] / 1000} s for the body`,
    `${bounds['idle-time'] / 1000} s idle`,
    `${bounds['request-time'] / 1000} s for`,
    `${bounds.connections.toLocaleString('en')} connections`,
    `${bounds['connections-per-address'].toLocaleString('en')} from one address`,
    `${bounds['h2-streams']} streams`,
    `${bounds['h2-resets'].toLocaleString('en')} resets`,
  ];
  for (const words of told) assert.ok(text.includes(words), `SECURITY.md does not say "${words}"`);
});
