import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, suite, test } from 'node:test';
import { loadConfiguration } from '../config/load.ts';
import { run } from './program.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-import-'));
  await writeFile(path.join(folder, 'api.yaml'), DOCUMENT);
});
after(() => rm(folder, { recursive: true }));

const DOCUMENT = `openapi: 3.1.0
info: { title: "Shop\\nof things", version: "1" }
servers: [{ url: https://api.example.com/v1 }]
security: [{ tokens: [orders:read] }]
paths:
  /orders:
    get: { responses: { "200": { description: ok } } }
    post: { security: [{ tokens: [orders:write] }, { key: [] }], responses: { "200": { description: ok } } }
  /orders/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
    get: { responses: { "200": { description: ok } } }
    delete: { responses: { "200": { description: ok } } }
  /files/{name}.json:
    parameters: [{ name: name, in: path, required: true, schema: { type: string } }]
    get: { security: [], responses: { "200": { description: ok } } }
  /either:
    get: { security: [{ key: [] }, {}], responses: { "200": { description: ok } } }
  /basic:
    get: { security: [{ basic: [] }], responses: { "200": { description: ok } } }
components:
  securitySchemes:
    tokens: { type: oauth2, flows: { clientCredentials: { tokenUrl: https://id.example.com/token, scopes: { orders:read: r, orders:write: w } } } }
    key: { type: apiKey, in: header, name: X-Api-Key }
    basic: { type: http, scheme: basic }
`;

async function portcullis(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await run(argv, { out, err });
  return { code, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

const at = (name: string) => path.join(folder, name);

suite('portcullis import openapi', () => {
  test('what it writes loads, with a route for each path and its protection', async () => {
    const { code, out, err } = await portcullis(
      'import',
      'openapi',
      at('api.yaml'),
      '--service',
      'shop',
      '--out',
      at('gateway.yaml'),
    );
    assert.equal(err, '');
    assert.equal(code, 0);
    assert.match(out, /6 routes, 2 of them open/);
    const result = await loadConfiguration(at('gateway.yaml'));
    assert.ok(result.ok, JSON.stringify(result));
    const routes = result.options.routes.map(({ path: one, methods, authentication, authorize, service, validate }) => {
      assert.equal(service, 'shop');
      assert.equal(validate?.openapi, at('api.yaml'));
      return [one, methods.join(' '), authentication, authorize];
    });
    assert.deepEqual(routes, [
      ['/v1/orders', 'GET', ['tokens'], { scopes: ['orders:read'] }],
      [
        '/v1/orders',
        'POST',
        ['tokens', 'key'],
        { 'any-of': [{ callers: ['tokens'], scopes: ['orders:write'] }, { callers: ['key'] }] },
      ],
      ['/v1/orders/{id}', 'GET DELETE', ['tokens'], { scopes: ['orders:read'] }],
      ['/v1/files/*', 'GET', 'none', undefined],
      ['/v1/either', 'GET', 'none', undefined],
      ['/v1/basic', 'GET', ['basic'], undefined],
    ]);
    const text = await readFile(at('gateway.yaml'), 'utf8');
    assert.match(text, /TODO: the issuer/);
    assert.match(text, /TODO: the document says HTTP basic/);
    assert.match(text, /TODO: the document lets callers without a credential pass/);
  });

  test('nothing is replaced without --force', async () => {
    await writeFile(at('mine.yaml'), 'mine');
    const refused = await portcullis('import', 'openapi', at('api.yaml'), '--out', at('mine.yaml'));
    assert.equal(refused.code, 1);
    assert.match(refused.err, /exists already/);
    assert.equal(await readFile(at('mine.yaml'), 'utf8'), 'mine');
    assert.equal((await portcullis('import', 'openapi', at('api.yaml'), '--out', at('mine.yaml'), '--force')).code, 0);
  });

  test('without --out it goes to standard output', async () => {
    const { code, out } = await portcullis('import', 'openapi', at('api.yaml'));
    assert.equal(code, 0);
    assert.match(out, /^# Made from .*\(Shop of things\)/);
  });

  test('a document that is wrong, or not there, is told', async () => {
    await writeFile(
      at('broken.yaml'),
      'openapi: 3.1.0\ninfo: { title: x, version: "1" }\npaths:\n  /a:\n    get: { parameters: 7 }\n',
    );
    const broken = await portcullis('import', 'openapi', at('broken.yaml'));
    assert.equal(broken.code, 1);
    assert.match(broken.err, /broken\.yaml:5:\d+: /);
    assert.equal((await portcullis('import', 'openapi', at('absent.yaml'))).code, 1);
    assert.equal((await portcullis('import', 'openapi', at('api.yaml'), '--service', 'a b')).code, 2);
  });
});

suite('portcullis check with documents', () => {
  async function check(routes: string, ...flags: string[]) {
    const text = `listeners: { local: { address: "127.0.0.1:0" } }
services: { shop: "http://127.0.0.1:9001" }
authentication: { staff: { jwt: { issuer: "https://id.example.com", audience: x, algorithms: [RS256] } } }
routes:
${routes}`;
    await writeFile(at('check.yaml'), text);
    return await portcullis('check', '--config', at('check.yaml'), ...flags);
  }

  test('a route that asks less than its document is a warning with its place', async () => {
    const open =
      '  - { path: /v1/orders, methods: [GET], service: shop, authentication: none, validate: { openapi: api.yaml } }\n';
    const { code, out, err } = await check(open);
    assert.equal(code, 0, err);
    assert.match(out, /ok/);
    assert.match(
      err,
      /check\.yaml:5:\d+: warning: the route is open, but GET \/orders has the security tokens orders:read \(.*api\.yaml:7:\d+\)/,
    );
    assert.equal((await check(open, '--strict')).code, 1);
  });

  test('scopes and methods that are missing', async () => {
    const route = (more: string, route = '/v1/orders/{id}') =>
      `  - { path: "${route}", methods: [GET], service: shop, authentication: [staff], validate: { openapi: api.yaml }${more} }\n`;
    assert.match((await check(route(''))).err, /warning: `authorize` does not ask for the scope "orders:read"/);
    assert.equal((await check(route(', authorize: { scopes: [orders:read] }'), '--strict')).err, '');
    assert.equal((await check(route(', authorize: { any-of: [{ scopes: [orders:read] }] }'), '--strict')).err, '');
    assert.match((await check(route('', '/v1/basic'))).err, /warning: none of these methods takes what the document asks for/);
    assert.match((await check(route('', '/v2/orders'))).err, /warning: the document declares nothing that this route serves/);
    assert.equal((await check(route('', '/v1/files/*'), '--strict')).err, '');
  });

  test('a document that does not load is an error with its own place', async () => {
    await writeFile(
      at('wrong.yaml'),
      'openapi: 3.1.0\ninfo: { title: x, version: "1" }\npaths:\n  /a:\n    get: { parameters: 7 }\n',
    );
    const { code, err } = await check(
      '  - { path: /a, service: shop, authentication: none, validate: { openapi: wrong.yaml } }\n',
    );
    assert.equal(code, 1);
    assert.match(err, /wrong\.yaml:5:\d+: /);
  });
});
