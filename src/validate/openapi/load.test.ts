import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { BROKEN_DOCUMENTS } from '../../../test/cases/openapi-documents.ts';
import type { DocumentProblem, LoadOptions } from './contract.ts';
import { loadDocument } from './load.ts';

const top = mkdtempSync(path.join(tmpdir(), 'portcullis-openapi-'));
after(() => rmSync(top, { recursive: true, force: true }));
let folders = 0;

function write(files: Readonly<Record<string, string>>): string {
  const folder = path.join(top, String(folders++));
  mkdirSync(path.join(folder, 'sub'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return path.join(folder, 'api.yaml');
}

function line(problem: DocumentProblem, folder: string): string {
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
  const severity = problem.severity === 'warning' ? 'warning: ' : '';
  return `${problem.file}:${problem.line}:${problem.column}: ${severity}${problem.message}${hint}`.replaceAll(`${folder}/`, '');
}

function load(files: Readonly<Record<string, string>>, options: LoadOptions = {}) {
  const file = write(files);
  const loaded = loadDocument(file, options);
  return { ...loaded, lines: loaded.problems.map((one) => line(one, path.dirname(file))) };
}

for (const { name, files, problems } of BROKEN_DOCUMENTS) {
  test(`a broken document is told with its place: ${name}`, () => {
    const { document, lines } = load(files);
    assert.deepEqual(lines, problems);
    assert.equal(document, undefined);
  });
}

const info = "info: { title: t, version: '1' }";

test('a document is read over files, references, servers and lists that add up', () => {
  const { document, files, lines } = load({
    'api.yaml': `openapi: 3.0.3
${info}
servers:
  - { url: 'https://{host}/{base}/', variables: { host: { default: a }, base: { default: v1, enum: [v1, 'v2'] } } }
  - { url: /plain }
security: [{ key: [] }, {}]
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Key }
    bearer: { type: http, scheme: Bearer, bearerFormat: JWT }
  parameters: { Id: { name: id, in: path, required: true, schema: { type: integer } } }
paths:
  /things/{id}:
    parameters:
      - { $ref: '#/components/parameters/Id' }
      - { name: X-A, in: header, schema: { type: string } }
      - { name: Authorization, in: header, schema: { type: string } }
    get:
      operationId: one
      deprecated: true
      servers: [{ url: '..' }]
      security: []
      parameters:
        - { name: x-a, in: header, required: true, schema: { type: boolean } }
        - { name: f, in: query, style: deepObject, explode: true, schema: { type: object } }
        - { name: g, in: query, content: { application/json: { schema: { type: object } } } }
    put:
      security: [{ bearer: [], key: [] }]
      requestBody: { $ref: 'sub/bodies.yaml#/~1odd~0name' }
  /other: { $ref: 'sub/path%20item.yaml' }
`,
    'sub/bodies.yaml': `/odd~name:
  required: true
  content:
    Application/JSON; charset=utf-8: { schema: { $ref: '../thing.json' } }
    image/*: {}
    multipart/form-data: { encoding: { a: { contentType: 'image/PNG, image/*', headers: {} }, b: { style: form, explode: false } } }
`,
    'sub/path item.yaml': `post: { requestBody: { content: { text/plain: { schema: { $ref: '#/x-text' } } } } }
x-text: { type: string }
`,
    'thing.json': '{ "type": "object", "properties": { "parts": { "type": "array", "items": { "$ref": "#" } } } }',
  });
  assert.deepEqual(lines, []);
  assert.deepEqual(files.map((file) => path.relative(top, file).replace(/^\d+\//, '')).toSorted(), [
    'api.yaml',
    'sub/bodies.yaml',
    'sub/path item.yaml',
    'thing.json',
  ]);
  const [get, put, post] = document?.operations ?? [];
  assert.deepEqual([get.method, get.pathTemplate, get.operationId, get.deprecated], ['GET', '/things/{id}', 'one', true]);
  assert.deepEqual([get.basePaths, put.basePaths], [[''], ['/v1', '/v2', '/plain']]);
  assert.deepEqual(
    get.parameters.map((one) => [
      one.name,
      one.in,
      one.required,
      one.style,
      one.explode,
      [...(one.schema?.shape.types ?? [])].join(),
    ]),
    [
      ['id', 'path', true, 'simple', false, 'integer'],
      ['x-a', 'header', true, 'simple', false, 'boolean'],
      ['f', 'query', false, 'deepObject', true, 'object'],
      ['g', 'query', false, 'form', true, ''],
    ],
  );
  assert.equal(get.parameters[3].content?.range, 'application/json');
  assert.deepEqual(get.security, []);
  assert.deepEqual(put.security, [
    new Map([
      ['bearer', []],
      ['key', []],
    ]),
  ]);
  assert.deepEqual(post.security, [new Map([['key', []]]), new Map()]);
  assert.deepEqual(
    put.requestBody?.content.map(({ range }) => range),
    ['application/json; charset=utf-8', 'image/*', 'multipart/form-data'],
  );
  assert.deepEqual(
    [...(put.requestBody?.content[2].encoding ?? [])],
    [
      ['a', { contentType: ['image/png', 'image/*'], style: undefined, explode: undefined, allowReserved: false }],
      ['b', { contentType: undefined, style: 'form', explode: false, allowReserved: false }],
    ],
  );
  assert.deepEqual(document?.securitySchemes.get('key')?.parameter, 'X-Key');
  assert.deepEqual(document?.securitySchemes.get('bearer')?.scheme, 'bearer');
  const thing = put.requestBody?.content[0].schema;
  assert.deepEqual(
    thing?.check({ parts: [{ parts: [{ parts: 3 }] }] } as never).map(({ pointer, rule }) => [pointer, rule]),
    [['/parts/0/parts/0/parts', 'type']],
  );
  assert.match(thing?.check(3)[0].schema ?? '', /thing\.json#\/type$/);
  assert.deepEqual(post.requestBody?.content[0].schema?.check(3).length, 1);
});

test('a security scheme of a type that nobody knows is told, and keeps nothing from loading', () => {
  const text = `openapi: 3.0.3
${info}
security: [{ odd: [] }]
components: { securitySchemes: { odd: { type: http2 } } }
paths: { /a: { get: { responses: {} } } }
`;
  const { document, problems } = load({ 'api.yaml': text });
  assert.deepEqual(
    problems.map(({ severity, line, message }) => [severity, line, message.slice(0, 29)]),
    [['warning', 4, '`type` should be one of apiKe']],
  );
  assert.equal(document?.securitySchemes.get('odd')?.type, undefined);
  assert.equal(document?.operations[0].security[0].has('odd'), true);
});

test('a document that is only looked at has operations and shapes, and checks no value', () => {
  const body = 'requestBody: { content: { application/json: { schema: { type: object } } } }';
  const { document } = load(
    { 'api.yaml': `openapi: 3.0.3\n${info}\npaths: { /a: { post: { ${body}, responses: {} } } }\n` },
    { compile: false },
  );
  const schema = document?.operations[0].requestBody?.content[0].schema ?? assert.fail('there is no schema');
  assert.deepEqual([...schema.shape.types], ['object']);
  assert.deepEqual(schema.shape.openObjects(), ['']);
  assert.throws(() => schema.check({}), /not compiled/);
});

test('files are watched that could not be read, so that a mended one is seen', () => {
  const { files, document } = load({ 'api.yaml': `openapi: 3.0.3\n${info}\npaths: { /a: { $ref: gone.yaml } }\n` });
  assert.equal(document, undefined);
  assert.deepEqual(
    files.map((file) => path.basename(file)),
    ['api.yaml', 'gone.yaml'],
  );
});

/** Documents that people have written: descriptions of real services, and samples of all that OpenAPI can say. */
const MODULES = path.resolve(import.meta.dirname, '../../../node_modules');
const EXAMPLES = ['3.0/json', '3.0/yaml', '3.1/json', '3.1/yaml'].flatMap((folder) =>
  readdirSync(path.join(MODULES, '@readme/oas-examples', folder))
    .filter((name) => /\.(?:json|yaml)$/.test(name))
    .map((name) => `@readme/oas-examples/${folder}/${name}`),
);
/** Those among them that are broken, and what of them is. */
const WRONG: Readonly<Record<string, RegExp>> = {
  'response-http-behavior': /there is no security scheme/,
  'schema-validation-local': /`exclusiveM\w+` must be a number/,
  'schema-validation-top-level': /`exclusiveM\w+` must be a number|has no `paths`/,
  webhooks: /has no `paths`/,
};

test('real documents load', () => {
  let operations = 0;
  for (const file of [...EXAMPLES, '@scalar/galaxy/dist/3.1.yaml', '@scalar/galaxy/dist/3.1.json']) {
    const { document, problems } = loadDocument(path.join(MODULES, file));
    const expected = WRONG[path.parse(file).name];
    const wrong = problems.filter(({ severity, message }) => severity === 'error' && expected?.test(message) !== true);
    assert.deepEqual(wrong, [], file);
    assert.equal(document === undefined, expected !== undefined, file);
    operations += document?.operations.length ?? 0;
  }
  assert.ok(operations > 800, `${operations} operations`);
});
