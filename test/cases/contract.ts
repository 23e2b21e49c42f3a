/**
 * Requests by the contract below, and attacks on it: what must reach the service beside what must not. Classes are those of the threat
 * model: content-type confusion, JSON with two readings, prototypes, parameter pollution, encoded variants, bombs.
 */
export const contractDocument = `openapi: 3.1.0
info: { title: Shop, version: "1" }
servers: [{ url: https://api.example.com/v1 }]
paths:
  /orders:
    get:
      operationId: listOrders
      parameters:
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 100 } }
        - { name: active, in: query, schema: { type: boolean } }
        - { name: ids, in: query, style: form, explode: false, schema: { type: array, maxItems: 3, items: { type: integer } } }
        - { name: tag, in: query, schema: { type: array, items: { type: string, maxLength: 8 } } }
        - { name: sort, in: query, schema: { type: string, enum: [up, down] } }
        - name: filter
          in: query
          style: deepObject
          explode: true
          schema: { type: object, additionalProperties: false, properties: { state: { type: string }, min: { type: integer } } }
        - { name: x-tenant, in: header, schema: { type: string, pattern: "^[a-z]{1,8}$" } }
        - { name: theme, in: cookie, schema: { type: string, enum: [dark, light] } }
      responses: { "200": { description: ok } }
    post:
      operationId: createOrder
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: "#/components/schemas/Order" } }
          application/x-www-form-urlencoded: { schema: { $ref: "#/components/schemas/Flat" } }
          multipart/form-data:
            schema:
              type: object
              required: [photo]
              additionalProperties: false
              properties:
                note: { type: string, maxLength: 10 }
                photo: { type: string, format: binary }
            encoding: { photo: { contentType: "image/png, image/jpeg" } }
      responses: { "201": { description: made } }
  /orders/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: integer, minimum: 1 } }
    get:
      responses: { "200": { description: ok } }
    delete:
      responses: { "204": { description: gone } }
  /orders/latest:
    get:
      responses: { "200": { description: ok } }
  /files/{name}.json:
    get:
      parameters:
        - { name: name, in: path, required: true, schema: { type: string, pattern: "^[a-z]+$" } }
      responses: { "200": { description: ok } }
  /notes:
    put:
      requestBody: { content: { text/plain: { schema: { type: string, maxLength: 20 } } } }
      responses: { "200": { description: ok } }
components:
  schemas:
    Order:
      type: object
      required: [item, count]
      additionalProperties: false
      properties:
        id: { type: string, readOnly: true }
        item: { type: string, minLength: 1, maxLength: 40, pattern: "^[A-Za-z ]+$" }
        count: { type: integer, minimum: 1, maximum: 99 }
        mail: { type: string, format: email }
        lines: { type: array, maxItems: 4, items: { type: object, additionalProperties: false, properties: { sku: { type: string } } } }
    Flat:
      type: object
      required: [item]
      additionalProperties: false
      properties: { item: { type: string, maxLength: 10 }, count: { type: integer } }
`;

export interface ContractCase {
  readonly name: string;
  readonly method: string;
  /** Behind `/v1`. */
  readonly target: string;
  readonly headers?: readonly string[];
  /** One character per byte. */
  readonly body?: string;
  /** undefined: it reaches the service. */
  readonly refused?: { readonly status: number; readonly code: string; readonly error?: Readonly<Record<string, string>> };
}

const JSON_TYPE = 'Content-Type: application/json';
const FORM_TYPE = 'Content-Type: application/x-www-form-urlencoded';
const ORDER = '{"item":"Tea","count":2}';

const get = (target: string, headers: readonly string[] = []): ContractCase => ({
  name: `GET ${target} ${headers.join(' ')}`,
  method: 'GET',
  target,
  headers,
});

const post = (body: string, type: string | undefined = JSON_TYPE, name = body.slice(0, 60)): ContractCase => ({
  name: `POST ${type} ${name}`,
  method: 'POST',
  target: '/orders',
  headers: type === '' ? [] : [type],
  body,
});

const no = (one: ContractCase, status: number, code: string, error?: Record<string, string>): ContractCase => ({
  ...one,
  refused: { status, code, error },
});

const parameter = (target: string, error: Record<string, string>, headers?: readonly string[]) =>
  no(get(target, headers), 400, 'contract-parameter', error);

const part = (head: string, content: string) => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`;
const MULTIPART = 'Content-Type: multipart/form-data; boundary=b';
const photo = part('name="photo"; filename="a.png"\r\nContent-Type: image/png', '\x89PNG\xff');

export const contractCases: readonly ContractCase[] = [
  // what must pass
  get('/orders'),
  get('/orders?limit=10&active=true&ids=1,2,3&tag=a&tag=b&sort=up&filter[state]=open&filter[min]=3'),
  get('/orders?filter%5Bstate%5D=open'),
  get('/orders?tag=%C3%A9%20x&tag=a%2Cb'),
  get('/orders?%6Cimit=5'),
  get('/orders', ['X-Tenant: blue', 'Cookie: theme=dark; other=1', 'X-Undeclared: 1']),
  get('/orders/42'),
  get('/orders/%34%32'),
  get('/orders/latest'),
  get('/files/report.json'),
  { ...get('/orders/42'), name: 'HEAD is GET', method: 'HEAD' },
  { ...get('/orders/42'), name: 'DELETE', method: 'DELETE' },
  post(ORDER),
  post(ORDER, 'Content-Type: Application/JSON; charset=UTF-8'),
  post(' {"count":2 ,"item":"Tea"}\r\n'),
  post('{"item":"Tea","count":2,"mail":"a@example.com","lines":[{"sku":"x"},{}]}'),
  post('{"item":"\\u0054ea","count":2}'),
  post('item=Tea&count=2', FORM_TYPE),
  post(`${part('name="note"', 'hello')}${photo}--b--\r\n`, MULTIPART, 'a file'),
  { name: 'text', method: 'PUT', target: '/notes', headers: ['Content-Type: text/plain'], body: 'hello' },
  { name: 'an optional body that is not there', method: 'PUT', target: '/notes' },

  // operations
  no(get('/'), 400, 'contract-operation', { in: 'path', rule: 'undeclared' }),
  no(get('/orders/'), 400, 'contract-operation'),
  no(get('/Orders'), 400, 'contract-operation'),
  no(get('/orders/1/2'), 400, 'contract-operation'),
  no(get('/files/report.xml'), 400, 'contract-operation'),
  no({ ...get('/orders'), name: 'PATCH', method: 'PATCH' }, 400, 'contract-operation', { in: 'method', rule: 'undeclared' }),
  no({ ...get('/orders/latest'), name: 'DELETE latest', method: 'DELETE' }, 400, 'contract-operation'),

  // parameters
  ...['0', '101', '1e1', '0x10', '1.0', '+1', '%2B1', '%201', '01', '', 'NaN', '%D9%A1', '1%00', '99999999999999999999'].map(
    (value) => parameter(`/orders?limit=${value}`, { in: 'query', parameter: 'limit' }),
  ),
  ...['TRUE', '1', '', 'yes', 'true%20'].map((value) =>
    parameter(`/orders?active=${value}`, { parameter: 'active', rule: 'type' }),
  ),
  parameter('/orders?limit=1&limit=2', { parameter: 'limit', rule: 'duplicate' }),
  parameter('/orders?limit=1&%6cimit=200', { parameter: 'limit', rule: 'duplicate' }),
  parameter('/orders?limit=1&LIMIT=200', { parameter: 'LIMIT', rule: 'undeclared' }),
  parameter('/orders?limit[]=1', { parameter: 'limit[]', rule: 'undeclared' }),
  parameter('/orders?limit=1;limit=200', { rule: 'semicolon' }),
  parameter('/orders?debug=1', { parameter: 'debug', rule: 'undeclared' }),
  parameter('/orders?__proto__[x]=1', { rule: 'undeclared' }),
  parameter('/orders?ids=1,2,3,4', { parameter: 'ids', rule: 'maxItems' }),
  parameter('/orders?ids=1%2C2', { parameter: 'ids' }),
  parameter('/orders?ids=1,x', { parameter: 'ids', pointer: '/1', rule: 'type' }),
  parameter('/orders?ids=1&ids=2', { parameter: 'ids', rule: 'duplicate' }),
  parameter('/orders?tag=123456789', { parameter: 'tag', rule: 'maxLength' }),
  parameter('/orders?tag=%', { rule: 'encoding' }),
  parameter('/orders?tag=%c0%af', { rule: 'encoding' }),
  parameter('/orders?tag=%ff', { rule: 'encoding' }),
  parameter('/orders?sort=UP', { parameter: 'sort', rule: 'enum' }),
  parameter('/orders?filter[state]=a&filter[state]=b', { parameter: 'filter', rule: 'duplicate' }),
  parameter('/orders?filter[state]=a&filter=b', { parameter: 'filter', rule: 'style' }),
  parameter('/orders?filter[state][x]=a', { parameter: 'filter', rule: 'style' }),
  parameter('/orders?filter[__proto__]=a', { parameter: 'filter', rule: 'name' }),
  parameter('/orders?filter[constructor]=a', { parameter: 'filter', rule: 'name' }),
  parameter('/orders?filter[%5F_proto__]=a', { parameter: 'filter', rule: 'name' }),
  parameter('/orders?filter[other]=a', { parameter: 'filter', rule: 'additionalProperties' }),
  parameter('/orders?filter[min]=a', { parameter: 'filter', pointer: '/min', rule: 'type' }),
  parameter('/orders', { in: 'header', parameter: 'x-tenant' }, ['X-Tenant: BLUE']),
  parameter('/orders', { in: 'header', parameter: 'x-tenant', rule: 'duplicate' }, ['X-Tenant: blue', 'X-Tenant: red']),
  parameter('/orders', { in: 'cookie', parameter: 'theme', rule: 'enum' }, ['Cookie: theme=DARK']),
  parameter('/orders', { in: 'cookie', parameter: 'theme', rule: 'duplicate' }, ['Cookie: theme=dark; theme=light']),
  parameter('/orders/0', { in: 'path', parameter: 'id', rule: 'minimum' }),
  parameter('/orders/x', { in: 'path', parameter: 'id', rule: 'type' }),
  parameter('/orders/1e2', { in: 'path', parameter: 'id', rule: 'type' }),
  parameter('/orders/Latest', { in: 'path', parameter: 'id', rule: 'type' }),
  parameter('/files/Report.json', { in: 'path', parameter: 'name', rule: 'pattern' }),
  parameter('/files/a.b.json', { in: 'path', parameter: 'name', rule: 'pattern' }),

  // content types
  ...[
    'text/plain',
    'text/json',
    'application/jsonx',
    'application/x-json',
    'application/json5',
    'application/xml',
    'text/xml',
    'application/octet-stream',
    'application/*',
    '*/*',
    'application/vnd.api+json',
    'json',
    'x/y',
  ].map((type) => {
    const broken = type === 'json';
    return no(post(ORDER, `Content-Type: ${type}`), broken ? 400 : 415, broken ? 'content-type' : 'contract-media-type');
  }),
  ...[
    'application/json,text/plain',
    'application/json;',
    'application/json; charset',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json\t;charset=utf-8, text/plain',
    'application/json;=',
    'application/json /x',
    'application/ json',
    'application/json; a="b\\"c"',
    ' ',
  ].map((type) => no(post(ORDER, `Content-Type: ${type}`), 400, 'content-type')),
  no(post(ORDER, 'Content-Type: application/json; charset=utf-16'), 400, 'body-ambiguous'),
  no(post(ORDER, 'Content-Type: application/json; charset=utf-7'), 400, 'body-ambiguous'),
  no(post(ORDER, ''), 415, 'contract-media-type'),
  no({ ...post(ORDER), name: 'two types', headers: [JSON_TYPE, 'Content-Type: text/plain'] }, 400, 'content-type'),
  no({ ...post(ORDER), name: 'twice the same', headers: [JSON_TYPE, JSON_TYPE] }, 400, 'content-type'),
  ...['gzip', 'deflate', 'br', 'zstd', 'gzip, identity', 'x-gzip', 'GZIP'].map((coding) =>
    no(
      { ...post(ORDER), name: `coding ${coding}`, headers: [JSON_TYPE, `Content-Encoding: ${coding}`] },
      415,
      'content-encoding',
    ),
  ),
  no(
    post(
      '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
      'Content-Type: application/xml',
    ),
    415,
    'contract-media-type',
  ),
  // A body of one type that says it is of another.
  no(post('item=Tea&count=2', JSON_TYPE), 400, 'body-ambiguous'),
  no(post(ORDER, FORM_TYPE), 422, 'contract-body'),

  // presence
  no({ ...post(''), name: 'no body' }, 400, 'contract-body-presence', { in: 'body', rule: 'required' }),
  no({ ...get('/orders/42'), name: 'GET with a body', headers: [JSON_TYPE], body: '{}' }, 400, 'contract-body-presence', {
    in: 'body',
    rule: 'undeclared',
  }),

  // JSON that has more than one reading, or is too much
  ...[
    '{"item":"Tea","count":2,"count":200}',
    '{"item":"Tea","count":2,"\\u0063ount":200}',
    '{"item":"Tea","count":2,"__proto__":{"admin":true}}',
    '{"item":"Tea","count":2,"\\u005f_proto__":{}}',
    '\xef\xbb\xbf{"item":"Tea","count":2}',
    '{"item":"T\xffa","count":2}',
    '{"item":"\\ud800","count":2}',
    '{"item":"Tea\\u0000","count":2}',
    '{"item":"Tea","count":9007199254740993}',
    '{"item":"Tea","count":2}{"item":"Tea","count":200}',
    '{"item":"Tea","count":2} x',
    '{"item":"Tea","count":2,}',
    "{'item':'Tea','count':2}",
    '{"item":"Tea","count":02}',
    '{"item":"Tea","count":+2}',
    '{"item":"Tea","count":.2}',
    '{"item":"Tea","count":NaN}',
    '{"item":"Tea",/*c*/"count":2}',
    '{"item":"T\nea","count":2}',
    '{\x00"item":"Tea","count":2}',
    '\xff\xfe{\x00}\x00',
    '{',
  ].map((body) => no(post(body), 400, 'body-ambiguous')),
  no(post('{"item":"Tea","count":1e999}'), 413, 'body-beyond-bounds'),
  no(post('['.repeat(100_000), JSON_TYPE, '100,000 arrays'), 413, 'body-beyond-bounds'),
  no(post(`${'{"a":'.repeat(50_000)}1`, JSON_TYPE, '50,000 objects'), 413, 'body-beyond-bounds'),
  no(post(`{"item":"Tea","count":${'9'.repeat(5000)}}`, JSON_TYPE, 'a long number'), 413, 'body-beyond-bounds'),

  // JSON that breaks its schema
  ...(
    [
      ['{"item":"Tea","count":"2"}', '/count', 'type'],
      ['{"item":"Tea","count":2.5}', '/count', 'type'],
      ['{"item":"Tea","count":0}', '/count', 'minimum'],
      ['{"item":"Tea","count":100}', '/count', 'maximum'],
      ['{"item":"Tea","count":null}', '/count', 'type'],
      ['{"item":"Tea","count":[2]}', '/count', 'type'],
      ['{"item":"","count":2}', '/item', 'minLength'],
      ['{"item":"T3a","count":2}', '/item', 'pattern'],
      ['{"item":"Tea\\n","count":2}', '/item', 'pattern'],
      ['{"item":"Tea","count":2,"mail":"x"}', '/mail', 'format:email'],
      ['{"item":"Tea","count":2,"id":"1"}', '/id', 'readOnly'],
      ['{"item":"Tea","count":2,"lines":[{},{},{},{},{}]}', '/lines', 'maxItems'],
      ['{"item":"Tea","count":2,"lines":[{"sku":1}]}', '/lines/0/sku', 'type'],
      ['{"item":"Tea","count":2,"lines":{"0":{}}}', '/lines', 'type'],
    ] as const
  ).map(([body, pointer, rule]) => no(post(body), 422, 'contract-body', { in: 'body', pointer, rule })),
  ...[
    '{"item":"Tea","count":2,"admin":true}',
    '{"item":"Tea","count":2,"constructor":{}}',
    '{"Item":"Tea","count":2}',
    '{"item":"Tea"}',
    '{}',
    '[]',
    'null',
    '"x"',
    '7',
  ].map((body) => no(post(body), 422, 'contract-body')),
  no(post(`{"item":"${'a'.repeat(60_000)}!","count":2}`, JSON_TYPE, 'a long text'), 422, 'contract-body'),

  // forms
  no(post('item=Tea&item=Coffee', FORM_TYPE), 422, 'contract-body', { pointer: '/item', rule: 'duplicate' }),
  no(post('item=Tea&%69tem=Coffee', FORM_TYPE), 422, 'contract-body', { pointer: '/item', rule: 'duplicate' }),
  no(post('item=Tea&count=2x', FORM_TYPE), 422, 'contract-body', { pointer: '/count', rule: 'type' }),
  no(post('item=Tea&admin=1', FORM_TYPE), 422, 'contract-body'),
  no(post('item=Tea&__proto__[x]=1', FORM_TYPE), 422, 'contract-body'),
  no(post('item=Tea&item[x]=1', FORM_TYPE), 422, 'contract-body'),
  no(post('item=%ff', FORM_TYPE), 400, 'body-ambiguous'),
  no(post('item=%', FORM_TYPE), 400, 'body-ambiguous'),

  // multipart
  no(post('--b--\r\n', MULTIPART, 'no part'), 422, 'contract-body'),
  no(post(`${photo}${photo}--b--\r\n`, MULTIPART, 'a file twice'), 422, 'contract-body', {
    pointer: '/photo',
    rule: 'duplicate',
  }),
  no(post(`${photo.replace('image/png', 'image/svg+xml')}--b--\r\n`, MULTIPART, 'another type'), 422, 'contract-body', {
    pointer: '/photo',
    rule: 'contentType',
  }),
  no(post(`${photo}${part('name="note"', 'x'.repeat(11))}--b--\r\n`, MULTIPART, 'a long note'), 422, 'contract-body'),
  no(post(`${photo}${part('name="note"; filename="x"', 'x')}--b--\r\n`, MULTIPART, 'a file for a field'), 422, 'contract-body', {
    pointer: '/note',
    rule: 'file',
  }),
  no(post(`${photo}${part('name="other"', 'x')}--b--\r\n`, MULTIPART, 'another field'), 422, 'contract-body'),
  no(post(`${photo}`, MULTIPART, 'no end'), 400, 'body-ambiguous'),
  no(post(`x\r\n${photo}--b--\r\n`, MULTIPART, 'a preamble'), 400, 'body-ambiguous'),
  no(post(`${photo}--b--\r\n`.replaceAll('\r\n', '\n'), MULTIPART, 'bare line feeds'), 400, 'body-ambiguous'),
  no(post(`${photo}--b--\r\n`, 'Content-Type: multipart/form-data', 'no boundary'), 400, 'body-ambiguous'),
  no(
    post(`${photo}--b--\r\n`, 'Content-Type: multipart/form-data; boundary=b; boundary=c', 'two boundaries'),
    400,
    'content-type',
  ),
  no(post(`${photo}--b--\r\n`, 'Content-Type: multipart/mixed; boundary=b', 'another multipart'), 415, 'contract-media-type'),
];
