import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_BOUNDS } from '../exchange/body/parsed.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { RequestBody } from './body-facts.ts';
import type { BodyProcessor, BodyReading } from './engine/transaction/facts.ts';

const TYPES = {
  JSON: 'application/json',
  URLENCODED: 'application/x-www-form-urlencoded',
  MULTIPART: 'multipart/form-data; boundary=b',
};

function read(
  processor: BodyProcessor,
  text: string,
  type = TYPES[processor as keyof typeof TYPES] ?? 'x/y',
  most?: number,
): BodyReading {
  const x = { body: Buffer.from(text, 'utf8'), head: { headers: ['content-type', type] } } as unknown as Exchange;
  return new RequestBody(x, DEFAULT_BOUNDS, most).read(processor);
}

const pairs = ({ arguments: { names, values } }: BodyReading) => names.map((name, i) => `${name}=${values[i]}`);

test('JSON: values by their path, items under the name of their array, everything as its text', () => {
  const body = read('JSON', '{"a":{"b":[1,"x",{"c":true}]},"d":null,"é":"ü","":[[]],"e":{}}');
  assert.deepEqual(pairs(body), ['json.a.b=1', 'json.a.b=x', 'json.a.b.c=true', 'json.d=', 'json.\xc3\xa9=\xc3\xbc']);
  assert.deepEqual(pairs(read('JSON', '"alone"')), ['json=alone']);
  assert.deepEqual(pairs(read('JSON', '[1.50,-0]')).length, 2);
});

test('a form, and what is read as one because a rule says so', () => {
  assert.deepEqual(pairs(read('URLENCODED', 'a=1&b=%41+c&a=2')), ['a=1', 'b=A c', 'a=2']);
  assert.deepEqual(pairs(read('URLENCODED', 'a=1', 'text/plain')), ['a=1']);
  assert.deepEqual(pairs(read('JSON', '{"a":1}', 'text/plain')), ['json.a=1']);
});

test('multipart: fields are arguments, files are not, heads of parts are told', () => {
  const text =
    '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' +
    '--b\r\nContent-Disposition: form-data; name="f"; filename="x.txt"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n';
  const body = read('MULTIPART', text);
  assert.deepEqual(pairs(body), ['a=1']);
  assert.deepEqual([body.files?.fields, body.files?.names, body.files?.sizes], [['f'], ['x.txt'], [5]]);
  assert.equal(body.files?.partHeaders.values.length, 3);
  assert.deepEqual([body.error, body.multipart], [undefined, []]);
});

test('XML: texts and attributes, no arguments', () => {
  const body = read('XML', '<a b="1"><c>2</c>&lt;3</a>');
  assert.deepEqual([body.xml?.texts.join(), body.xml?.attributes, pairs(body)], ['2,<3', ['1'], []]);
});

test('what cannot be read, or can be read in two ways, is an error', () => {
  for (const [processor, text] of [
    ['JSON', '{"a":'],
    ['JSON', '{"a":1,"a":2}'],
    ['XML', '<a>'],
    ['XML', '<!DOCTYPE a><a/>'],
    ['URLENCODED', 'a=%z'],
  ] as const)
    assert.ok(read(processor, text).error, `${processor} ${text}`);
  const { error, multipart = [] } = read('MULTIPART', 'x--b\r\n');
  assert.ok(error !== undefined || multipart.length > 0);
});

test('arguments beyond the limit are not looked at, and the body counts as unread', () => {
  const json = JSON.stringify(Array.from({ length: 11 }, (_, i) => i));
  const form = Array.from({ length: 11 }, (_, i) => `a${i}=${i}`).join('&');
  for (const [processor, text] of [
    ['JSON', json],
    ['URLENCODED', form],
  ] as const) {
    assert.equal(read(processor, text, undefined, 11).error, undefined);
    const cut = read(processor, text, undefined, 10);
    assert.deepEqual([cut.arguments.names.length, cut.arguments.values.length, cut.error], [10, 10, 'more than 10 arguments']);
  }
});

test('an empty body says nothing, whatever its type says', () => {
  for (const processor of ['JSON', 'URLENCODED', 'MULTIPART', 'XML', 'RAW'] as const)
    assert.deepEqual(pairs(read(processor, '')), []);
});
