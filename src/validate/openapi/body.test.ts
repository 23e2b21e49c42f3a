import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { sketchSchema, type TypeSketch } from '../../../test/support/schemas.ts';
import { readBody } from '../../exchange/body/body.ts';
import { readContentType } from '../../exchange/body/content-type.ts';
import { readJson } from '../../exchange/body/json.ts';
import { DEFAULT_BOUNDS } from '../../exchange/body/parsed.ts';
import { checkBody } from './body.ts';
import type { Encoding, Json, MediaType } from './contract.ts';
import { isUnreadable, MediaTypes } from './media.ts';

const options = {
  bigNumbers: false,
  readContentType,
  parseJson: (bytes: Buffer) => {
    const { value, flags } = readJson(bytes, DEFAULT_BOUNDS);
    return flags.length === 0 ? value : undefined;
  },
};

const location = { file: '', pointer: '' };
type Encodings = Readonly<Record<string, Partial<Encoding>>>;

function media(range: string, type: TypeSketch | undefined, encodings: Encodings = {}, seen: Json[] = []): MediaType {
  const full = { contentType: undefined, style: undefined, explode: undefined, allowReserved: false };
  return {
    range,
    schema: type && sketchSchema(type, seen),
    encoding: new Map(Object.entries(encodings).map(([name, one]) => [name, { ...full, ...one }])),
    location,
  };
}

function judge(contentType: string, text: string | Buffer, type: TypeSketch, encodings?: Encodings) {
  const bytes = Buffer.from(text as string);
  const seen: Json[] = [];
  const found = checkBody(
    readBody(bytes, contentType, DEFAULT_BOUNDS),
    bytes,
    media(contentType.split(';')[0], type, encodings, seen),
    options,
  );
  const value = seen.at(-1);
  return {
    value: value === undefined ? undefined : JSON.parse(JSON.stringify(value)),
    rules: found.map((one) => `${one.pointer}:${one.rule}`),
  };
}

const FORM = 'application/x-www-form-urlencoded';
const ORDER: TypeSketch = {
  type: 'object',
  properties: {
    count: { type: 'integer' },
    name: { type: 'string' },
    tags: { type: 'array', items: { type: 'string' } },
    where: { type: 'object', properties: { x: { type: 'integer' } } },
  },
};

suite('forms', () => {
  const cases: [string, Encodings, string[], Json?][] = [
    ['count=1&name=x&tags=a&tags=b', {}, [], { count: 1, name: 'x', tags: ['a', 'b'] }],
    ['name=1', {}, [], { name: '1' }],
    ['tags=a,b', { tags: { style: 'form', explode: false } }, [], { tags: ['a', 'b'] }],
    ['tags=a|b', { tags: { style: 'pipeDelimited', explode: false } }, [], { tags: ['a', 'b'] }],
    ['tags=a+b', { tags: { style: 'spaceDelimited', explode: false } }, [], { tags: ['a', 'b'] }],
    ['where=%7B%22x%22%3A1%7D', {}, [], { where: { x: 1 } }],
    ['where[x]=1', { where: { style: 'deepObject', explode: true } }, [], { where: { x: 1 } }],
    ['other=1', {}, [], { other: '1' }],
    ['count=1x', {}, [':type']],
    ['count=1&count=2', {}, ['/count:duplicate']],
    ['other=1&other=2', {}, ['/other:duplicate']],
    ['tags=a&tags=b,c', { tags: { style: 'form', explode: false } }, ['/tags:duplicate']],
    ['where=%7B%22x%22%3A1%2C%22x%22%3A2%7D', {}, ['/where:json']],
    ['where[x]=1&where[x]=2', { where: { style: 'deepObject' } }, ['/where:duplicate']],
    ['where[x][y]=1', { where: { style: 'deepObject' } }, ['/where:style']],
    ['where[__proto__]=1', { where: { style: 'deepObject' } }, [':name']],
    ['__proto__=1', {}, [':name']],
    ['constructor=1', {}, [':name']],
    ['name=%ff', {}, [':encoding']],
  ];
  for (const [text, encodings, rules, value] of cases) {
    test(text, () => {
      const judged = judge(FORM, text, ORDER, encodings);
      assert.deepEqual(judged.rules, rules);
      if (value !== undefined) assert.deepEqual(judged.value, value);
    });
  }
});

function multipart(...parts: [head: string, content: string | Buffer][]): Buffer {
  const pieces = parts.flatMap(([head, content]) => [
    Buffer.from(`--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(content as string),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from('--b--\r\n')]);
}

suite('multipart', () => {
  const MULTIPART = 'multipart/form-data; boundary=b';
  const type: TypeSketch = {
    type: 'object',
    properties: { ...ORDER.properties, photo: { type: 'string' }, files: { type: 'array', items: { type: 'string' } } },
    raw: {
      properties: {
        name: { type: 'string' },
        photo: { type: 'string', format: 'binary' },
        files: { type: 'array', items: { type: 'string', format: 'binary' } },
      },
    },
  };
  const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0x00]);
  const cases: [string, Buffer, Encodings, string[], Json?][] = [
    ['fields', multipart(['name="count"', '1'], ['name="name"', 'é']), {}, [], { count: 1, name: 'é' }],
    ['a list', multipart(['name="tags"', 'a'], ['name="tags"', 'b']), {}, [], { tags: ['a', 'b'] }],
    ['a JSON part', multipart(['name="where"\r\nContent-Type: application/json', '{"x":1}']), {}, [], { where: { x: 1 } }],
    ['JSON without a type', multipart(['name="where"', '{"x":1}']), {}, [], { where: { x: 1 } }],
    ['a file', multipart(['name="photo"; filename="a.png"\r\nContent-Type: image/png', PNG]), {}, []],
    ['two files', multipart(['name="files"; filename="a"', PNG], ['name="files"; filename="b"', PNG]), {}, []],
    [
      'a type that is listed',
      multipart(['name="photo"; filename="a.png"\r\nContent-Type: image/png', PNG]),
      { photo: { contentType: ['image/*'] } },
      [],
    ],
    [
      'a type that is not',
      multipart(['name="photo"; filename="a.svg"\r\nContent-Type: image/svg+xml', '<svg/>']),
      { photo: { contentType: ['image/png'] } },
      ['/photo:contentType'],
    ],
    [
      'a file without a type, where one is listed',
      multipart(['name="photo"; filename="a.png"', PNG]),
      { photo: { contentType: ['image/png'] } },
      ['/photo:contentType'],
    ],
    ['a file for a field', multipart(['name="name"; filename="x"', 'x']), {}, ['/name:file']],
    ['a field twice', multipart(['name="name"', 'x'], ['name="name"', 'y']), {}, ['/name:duplicate']],
    ['a field that is no UTF-8', multipart(['name="name"', PNG]), {}, ['/name:encoding']],
    ['JSON with two readings', multipart(['name="where"', '{"x":1,"x":2}']), {}, ['/where:json']],
    ['a wrong type in JSON', multipart(['name="where"', '{"x":"1"}']), {}, [':type']],
    ['a prototype', multipart(['name="__proto__"', 'x']), {}, [':name']],
  ];
  for (const [name, body, encodings, rules, value] of cases) {
    test(name, () => {
      const judged = judge(MULTIPART, body, type, encodings);
      assert.deepEqual(judged.rules, rules);
      if (value !== undefined) assert.deepEqual(judged.value, value);
    });
  }
});

test('text and bytes are one value', () => {
  assert.deepEqual(judge('text/plain', '12', { type: 'integer' }).value, 12);
  assert.deepEqual(judge('text/plain', 'x', { type: 'integer' }).rules, [':type']);
  assert.equal(judge('application/octet-stream', Buffer.from([0xff, 0xfe]), { type: 'string' }).value.length, 2);
});

test('the most exact media type speaks, wherever it stands', () => {
  const ranges = ['*/*', 'application/*', 'application/json', 'application/json; version=2', 'image/*'].map((range) =>
    media(range, undefined),
  );
  for (const order of [ranges, ranges.toReversed()]) {
    const types = new MediaTypes(order);
    const find = (text: string) => types.find(readContentType(text) ?? assert.fail(text))?.range;
    assert.equal(find('application/json'), 'application/json');
    assert.equal(find('APPLICATION/JSON; charset=utf-8'), 'application/json');
    assert.equal(find('application/json; version=2'), 'application/json; version=2');
    assert.equal(find('application/xml'), 'application/*');
    assert.equal(find('image/png'), 'image/*');
    assert.equal(find('imagex/png'), '*/*');
  }
  assert.equal(
    new MediaTypes([media('application/json', undefined)]).find(readContentType('application/jsonx') ?? assert.fail()),
    undefined,
  );
});

test('a structure of a type that nobody reads is no way around its schema', () => {
  assert.equal(isUnreadable(media('application/xml', { type: 'object' })), true);
  assert.equal(isUnreadable(media('application/vnd.x', { type: 'array' })), true);
  assert.equal(isUnreadable(media('application/xml', { type: 'string' })), false);
  assert.equal(isUnreadable(media('application/xml', undefined)), false);
  assert.equal(isUnreadable(media('application/hal+json', { type: 'object' })), false);
});
