import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exchange } from '../exchange/exchange.ts';
import type { World } from '../pipeline/stage.ts';
import { validateOptions } from './options.ts';
import { validateStage } from './stage.ts';

const world = {} as World;
const connection = { listener: 'l', secure: false, peerAddress: '127.0.0.1', peerPort: 1, serverName: undefined };

async function room(options: unknown) {
  return await validateStage.prepare(validateOptions.parse(options), world, {
    path: '/',
    methods: ['POST'],
    service: 's',
    bodyLimit: 1000,
  });
}

function exchange(headers: string[], body: string): Exchange {
  const head = {
    method: 'POST',
    rawTarget: '/',
    version: '1.1' as const,
    host: 'a',
    authority: 'a',
    path: '/',
    query: undefined,
    headers,
  };
  const source = { length: body.length, limit: 0, received: 0, broken: undefined, start: () => {} };
  const x = new Exchange('id', connection, head, body === '' ? undefined : (source as unknown as Exchange['source']));
  x.body = Buffer.from(body);
  return x;
}

async function judge(options: unknown, headers: string[], body: string) {
  const prepared = await room(options);
  const x = exchange(headers, body);
  const outcome = prepared?.onRequestHead?.(x) ?? prepared?.onRequestBody?.(x);
  return { code: outcome !== undefined && 'code' in outcome ? outcome.code : undefined, x };
}

const JSON_TYPE = ['content-type', 'application/json'];

test('types: what is not listed gets 415, before the body is read', async () => {
  const types = { types: ['application/json', 'image/*'] };
  for (const [headers, code] of [
    [JSON_TYPE, undefined],
    [['content-type', 'application/json; charset=utf-8'], undefined],
    [['content-type', 'image/png'], undefined],
    [['content-type', 'imagex/png'], 'media-type'],
    [['content-type', 'text/plain'], 'media-type'],
    [['content-type', 'application/json; charset=utf-8; charset=utf-7'], 'content-type'],
    [['content-type', 'application/json, text/plain'], 'content-type'],
    [[], 'media-type'],
  ] as [string[], string | undefined][]) {
    assert.equal((await judge(types, headers, '{}')).code, code, String(headers));
  }
  assert.equal((await judge(types, [], '')).code, undefined);
});

test('a body with two readings, or beyond its bounds, is refused without a contract too', async () => {
  assert.equal((await judge({}, JSON_TYPE, '{"a":1,"a":2}')).code, 'body-ambiguous');
  assert.equal((await judge({ json: { depth: 2 } }, JSON_TYPE, '[[[]]]')).code, 'body-beyond-bounds');
  assert.equal((await judge({ json: { depth: 3 } }, JSON_TYPE, '[[[]]]')).code, undefined);
  assert.equal((await judge({}, JSON_TYPE, '9007199254740993')).code, 'body-ambiguous');
  assert.equal((await judge({ json: { 'big-numbers': 'pass' } }, JSON_TYPE, '9007199254740993')).code, undefined);
});

test('report: nothing is refused, and the record says what would have been', async () => {
  const { code, x } = await judge({ mode: 'report', types: ['text/plain'] }, JSON_TYPE, '{"a":1,"a":2}');
  assert.equal(code, undefined);
  assert.deepEqual(JSON.parse(JSON.stringify(x.notes?.get('validate'))), { would_refuse: 'media-type', status: 415 });
  assert.equal(await room({ mode: 'off' }), undefined);
});

test('options: media types are written in one way, and not beside a contract', () => {
  for (const types of [['*/*'], ['json'], ['Application/JSON'], ['text/html; charset=utf-8'], []]) {
    assert.equal(validateOptions.safeParse({ types }).success, false, String(types));
  }
  assert.equal(validateOptions.safeParse({ types: ['text/plain'], openapi: 'a.yaml' }).success, false);
});
