import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { CarryStore } from '../config/carry.ts';
import type { BodySource } from '../exchange/body-source.ts';
import { Exchange } from '../exchange/exchange.ts';
import type { Prepared, World } from '../pipeline/stage.ts';
import { validateOptions } from './options.ts';
import { validateStage } from './stage.ts';

const DOCUMENT = `openapi: 3.1.0
info: { title: x, version: "1" }
paths:
  /a:
    get: { responses: { "200": { description: ok } } }
  /b:
    get: { responses: { "200": { description: ok } } }
    post:
      requestBody: { content: { application/json: { schema: { type: object, required: [x] } } } }
      responses: { "200": { description: ok } }
`;

let folder = '';
let file = '';
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'portcullis-contract-'));
  file = path.join(folder, 'x.yaml');
  await writeFile(file, DOCUMENT);
});
after(() => rm(folder, { recursive: true }));

const store = new CarryStore();
const world = () => ({ carry: store.open() }) as unknown as World;

async function room(methods: string[], pattern = '/**', more: object = {}, from: World = world()): Promise<Prepared> {
  const options = validateOptions.parse({ openapi: file, ...more });
  const prepared = await validateStage.prepare(options, from, { path: pattern, methods, service: 's', bodyLimit: 1000 });
  assert.ok(prepared);
  return prepared;
}

function request(method: string, target: string, length?: number): Exchange {
  const connection = { listener: 'l', secure: false, peerAddress: '127.0.0.1', peerPort: 1, serverName: undefined };
  const headers = ['content-type', 'application/json'];
  const head = {
    method,
    rawTarget: target,
    version: '1.1',
    host: 'a',
    authority: 'a',
    path: target,
    query: undefined,
    headers,
  } as const;
  const source = { length, received: 0, broken: undefined, limit: 0 } as unknown as BodySource;
  return new Exchange('id', connection, { ...head, headers }, source);
}

const code = (step: unknown) => (step as { code?: string } | undefined)?.code;

test('bodies are read whole only where an operation that the route serves takes one', async () => {
  assert.deepEqual((await room(['GET'])).needs, {});
  assert.deepEqual((await room(['GET', 'POST'], '/a')).needs, {});
  assert.deepEqual((await room(['GET', 'POST'])).needs, { request: { kind: 'whole', limit: 1000 } });
  assert.deepEqual((await room(['POST'], '/b')).needs, { request: { kind: 'whole', limit: 1000 } });
});

test('a body that nobody reads and nobody declares is refused by the head, whatever its length', async () => {
  const unread = await room(['GET']);
  assert.equal(code(unread.onRequestHead?.(request('GET', '/a', undefined))), 'contract-body-presence');
  assert.equal(code(unread.onRequestHead?.(request('GET', '/a', 7))), 'contract-body-presence');
  assert.equal(code(unread.onRequestHead?.(request('GET', '/a', 0))), undefined);
});

test('where bodies are read, one without a length may turn out to be empty', async () => {
  const reading = await room(['GET', 'POST']);
  const x = request('GET', '/b', undefined);
  assert.equal(code(reading.onRequestHead?.(x)), undefined);
  x.body = Buffer.alloc(0);
  assert.equal(code(reading.onRequestBody?.(x)), undefined);
  x.body = Buffer.from('{}');
  assert.equal(code(reading.onRequestBody?.(x)), 'contract-body-presence');
});

test('report: the first refusal is told in the record, and nothing is refused', async () => {
  const reporting = await room(['GET', 'POST'], '/**', { mode: 'report' });
  const x = request('POST', '/b', 2);
  assert.equal(reporting.onRequestHead?.(x), undefined);
  x.body = Buffer.from('{}');
  assert.equal(reporting.onRequestBody?.(x), undefined);
  const note = JSON.parse(JSON.stringify(x.notes?.get('validate')));
  assert.equal(note.would_refuse, 'contract-body');
  assert.equal(note.status, 422);
  const other = request('PATCH', '/b', 2);
  assert.equal(reporting.onRequestHead?.(other), undefined);
  other.body = Buffer.from('{}');
  assert.equal(reporting.onRequestBody?.(other), undefined);
  assert.equal(JSON.parse(JSON.stringify(other.notes?.get('validate'))).would_refuse, 'contract-operation');
});

test('base stands for the paths of the servers', async () => {
  const based = await room(['GET'], '/**', { base: '/v2' });
  assert.equal(code(based.onRequestHead?.(request('GET', '/v2/a', 0))), undefined);
  assert.equal(code(based.onRequestHead?.(request('GET', '/a', 0))), 'contract-operation');
  for (const base of ['v2', '/v2/{x}', '/a//b', '/a/../b'])
    assert.equal(validateOptions.safeParse({ openapi: 'x', base }).success, false, base);
  assert.equal(validateOptions.safeParse({ base: '/v2' }).success, false);
});

test('a document is compiled once for all routes and reloads, until its content changes', async () => {
  const first = { carry: store.open() };
  const one = await cached(first);
  assert.equal(await cached(first), one);
  const next = { carry: store.open() };
  assert.equal(await cached(next), one);
  await writeFile(file, DOCUMENT.replaceAll('/a:', '/c:'));
  assert.notEqual(await cached({ carry: store.open() }), one);
  await writeFile(file, DOCUMENT);
});

async function cached({ carry }: { carry: World['carry'] }) {
  const { contractOf } = await import('./documents.ts');
  return await contractOf(file, validateOptions.parse({ openapi: file }), carry);
}

test('a readOnly property is refused, or held against its schema like any other', async () => {
  const document = path.join(folder, 'read-only.yaml');
  const schema = '{ type: object, required: [id], properties: { id: { type: integer, readOnly: true } } }';
  await writeFile(
    document,
    `openapi: 3.0.3
info: { title: x, version: "1" }
paths: { /a: { post: { requestBody: { content: { application/json: { schema: ${schema} } } }, responses: {} } } }
`,
  );
  const from = world();
  const judge = async (how: object, body: string) => {
    const one = await room(['POST'], '/**', { openapi: document, ...how }, from);
    const x = request('POST', '/a', body.length);
    const head = one.onRequestHead?.(x);
    x.body = Buffer.from(body);
    return code(head) ?? code(one.onRequestBody?.(x));
  };
  const results = [
    await judge({}, '{"id":1}'),
    await judge({ 'read-only': 'refuse' }, '{"id":1}'),
    await judge({ 'read-only': 'ignore' }, '{"id":1}'),
    await judge({ 'read-only': 'ignore' }, '{"id":"x"}'),
    // What the service gives is asked of nobody, one way or the other.
    await judge({ 'read-only': 'ignore' }, '{}'),
  ];
  assert.deepEqual(results, ['contract-body', 'contract-body', undefined, 'contract-body', undefined]);
  assert.equal(validateOptions.safeParse({ 'read-only': 'ignore' }).success, false);
});
