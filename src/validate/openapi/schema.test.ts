import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { CompiledSchema, Json, LoadOptions } from './contract.ts';
import { loadDocument } from './load.ts';
import { isMapping } from './pointer.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'portcullis-schema-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Document extends LoadOptions {
  readonly version?: '3.0.3' | '3.1.0';
  readonly schemas?: Readonly<Record<string, unknown>>;
  readonly warnings?: readonly RegExp[];
}

/** The schema as the body of a document's one operation. */
function compile(schema: unknown, { version = '3.1.0', schemas = {}, warnings = [], ...options }: Document = {}): CompiledSchema {
  const file = path.join(folder, 'api.json');
  const paths = { '/': { post: { requestBody: { content: { 'application/json': { schema } } } } } };
  writeFileSync(file, JSON.stringify({ openapi: version, info: { title: 't' }, paths, components: { schemas } }));
  const { document, problems } = loadDocument(file, options);
  assert.equal(problems.length, warnings.length, JSON.stringify(problems));
  warnings.forEach((warning, index) => assert.match(problems[index].message, warning));
  return document?.operations[0].requestBody?.content[0].schema as CompiledSchema;
}

/** As the reader of bodies makes values: without prototypes. */
function bare(value: unknown): Json {
  if (Array.isArray(value)) return value.map(bare);
  if (!isMapping(value)) return value as Json;
  const copy = Object.create(null) as Record<string, Json>;
  for (const [name, inner] of Object.entries(value)) copy[name] = bare(inner);
  return copy;
}

const broken = (schema: CompiledSchema, value: unknown): string[] =>
  schema.check(bare(value)).map(({ pointer, rule }) => `${pointer} ${rule}`);

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });

test('a violation names the place and the rule, and never a value', () => {
  const secret = 'hunter2-secret';
  const schema = compile({
    type: 'object',
    additionalProperties: false,
    required: ['a/b', 'toString'],
    properties: {
      'a/b': { type: 'array', items: { type: 'string', format: 'uuid' } },
      toString: { type: 'string', maxLength: 3, pattern: '^[a-z]+$' },
      kind: { enum: ['x', { deep: [1] }] },
      one: { const: 1 },
      list: { type: 'array', uniqueItems: true, maxItems: 3 },
      step: { type: 'number', multipleOf: 0.01 },
    },
    propertyNames: { maxLength: 20 },
  });
  const good = { 'a/b': [], toString: 'abc' };
  for (const [value, expected] of [
    [good, []],
    [secret, [' type']],
    [{ toString: secret }, ['/a~1b required']],
    [{ 'a/b': [] }, ['/toString required']],
    [{ ...good, [secret]: 1 }, [`/${secret} additionalProperties`]],
    [{ ...good, constructor: 1 }, ['/constructor additionalProperties']],
    [{ ...good, ['n'.repeat(1000)]: 1 }, [`/${'n'.repeat(254)}… propertyNames`]],
    [{ ...good, 'a/b': [secret] }, ['/a~1b/0 format:uuid']],
    [{ ...good, toString: secret }, ['/toString maxLength']],
    [{ ...good, toString: 'A' }, ['/toString pattern']],
    [{ ...good, kind: { deep: [1] } }, []],
    [{ ...good, kind: { deep: [2] } }, ['/kind enum']],
    [{ ...good, kind: secret }, ['/kind enum']],
    [{ ...good, one: '1' }, ['/one const']],
    [
      {
        ...good,
        list: [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
      },
      ['/list uniqueItems'],
    ],
    [{ ...good, list: [1, '1', true, { a: 1 }] }, ['/list maxItems']],
    [{ ...good, list: [1, '1', true] }, []],
    [{ ...good, step: 0.07 }, []],
    [{ ...good, step: 0.075 }, ['/step multipleOf']],
  ] as [unknown, string[]][]) {
    const found = schema.check(bare(value)).filter(({ rule }) => expected.length !== 1 || expected[0].endsWith(` ${rule}`));
    assert.deepEqual(
      found.map(({ pointer, rule }) => `${pointer} ${rule}`),
      expected,
      JSON.stringify(value),
    );
    assert.equal(
      found.some((one) => JSON.stringify({ ...one, pointer: '' }).includes(secret)),
      false,
    );
  }
  const [{ schema: where }] = schema.check(bare({ ...good, one: 2 }));
  assert.equal(
    where,
    `${path.join(folder, 'api.json')}#/paths/~1/post/requestBody/content/application~1json/schema/properties/one/const`,
  );
});

test('a union tells of itself first, then what its branches missed', () => {
  const schema = compile({ properties: { a: { anyOf: [{ type: 'string' }, { type: 'object', required: ['b'] }] } } });
  assert.deepEqual(broken(schema, { a: {} }), ['/a anyOf', '/a/b required', '/a type']);
  const wide = compile({ oneOf: Array.from({ length: 50 }, (_, i) => ({ required: [`p${i}`] })) });
  assert.equal(wide.check(bare({})).length, 20);
});

test('readOnly: refused when sent, never required; ignored where the option says so', () => {
  const schemas = {
    Base: {
      type: 'object',
      required: ['id', 'name'],
      properties: { id: { type: 'integer', readOnly: true }, name: { type: 'string' } },
    },
    Stamp: { type: 'string', readOnly: true },
    Thing: {
      allOf: [
        ref('Base'),
        { required: ['id', 'at', 'size'], properties: { at: ref('Stamp'), size: { allOf: [{ type: 'integer' }] } } },
      ],
    },
  };
  for (const version of ['3.0.3', '3.1.0'] as const) {
    const schema = compile(
      { type: 'object', properties: { things: { type: 'array', items: ref('Thing') } } },
      { version, schemas },
    );
    assert.deepEqual(broken(schema, { things: [{ name: 'a', size: 1 }] }), []);
    assert.deepEqual(broken(schema, { things: [{ name: 'a', size: 1, id: 1 }] }), ['/things/0/id readOnly']);
    assert.deepEqual(broken(schema, { things: [{ name: 'a', size: 1, at: 'x' }] }), ['/things/0/at readOnly']);
    assert.deepEqual(broken(schema, { things: [{ name: 'a' }] }), ['/things/0/size required']);
    const lax = compile(ref('Thing'), { version, schemas, readOnly: 'ignore' });
    assert.deepEqual(broken(lax, { name: 'a', size: 1, id: 1 }), []);
    assert.deepEqual(broken(lax, { name: 'a', size: 1, id: 'x' }), ['/id type']);
  }
});

test('OpenAPI 3.0: nullable and exclusive bounds as it means them', () => {
  const version = '3.0.3';
  const schema = compile(
    {
      properties: {
        a: { type: 'string', nullable: true },
        b: { type: 'integer', minimum: 1, exclusiveMinimum: true, maximum: 3, exclusiveMaximum: false },
        c: { type: 'string', nullable: true, enum: ['x'] },
        d: { nullable: true, allOf: [{ type: 'string' }] },
        e: { ...ref('S'), nullable: true },
      },
    },
    { version, schemas: { S: { type: 'string' } }, warnings: [/`nullable` means nothing/, /beside a \$ref is not read/] },
  );
  for (const [value, expected] of [
    [{ a: null, b: 2 }, []],
    [{ b: 3 }, []],
    [{ b: 1 }, ['/b exclusiveMinimum']],
    [{ b: 4 }, ['/b maximum']],
    [{ c: null }, ['/c enum']],
    [{ d: null }, ['/d type']],
    [{ e: null }, ['/e type']],
  ] as const) {
    assert.deepEqual(broken(schema, value), expected, JSON.stringify(value));
  }
});

test('OpenAPI 3.1: a $ref and what stands beside it hold both', () => {
  const schema = compile({ ...ref('S'), maxLength: 3 }, { schemas: { S: { type: ['string', 'null'] } } });
  assert.deepEqual(
    [broken(schema, 'abc'), broken(schema, 'abcd'), broken(schema, null), broken(schema, 1)],
    [[], [' maxLength'], [], [' type']],
  );
});

test('discriminator: with a mapping, the named schema is the one that must hold', () => {
  const kind = { type: 'string' };
  const schemas = {
    Cat: { type: 'object', required: ['kind', 'lives'], properties: { kind, lives: { type: 'integer' } } },
    Dog: { type: 'object', required: ['kind'], properties: { kind, lives: { type: 'string' } } },
  };
  for (const version of ['3.0.3', '3.1.0'] as const) {
    const pet = {
      anyOf: [ref('Cat'), ref('Dog')],
      discriminator: { propertyName: 'kind', mapping: { cat: 'Cat', dog: '#/components/schemas/Dog' } },
    };
    const schema = compile({ type: 'array', items: pet }, { version, schemas });
    assert.deepEqual(broken(schema, [{ kind: 'cat', lives: 9 }, { kind: 'dog' }, { kind: 'Dog' }]), []);
    assert.deepEqual(broken(schema, [{ kind: 'cat', lives: 'nine' }])[0], '/0/lives type');
    assert.deepEqual(broken(schema, [{ kind: 'cow', lives: 9 }]), ['/0/kind discriminator']);
    assert.deepEqual(broken(schema, [{ kind: 'constructor', lives: 9 }]), ['/0/kind discriminator']);
  }
  const parent = { type: 'object', properties: { kind }, discriminator: { propertyName: 'kind', mapping: { child: 'Child' } } };
  const inherited = compile(ref('Child'), {
    schemas: { Parent: parent, Child: { allOf: [ref('Parent'), { required: ['a'] }] } },
  });
  assert.deepEqual(
    [broken(inherited, { kind: 'child', a: 1 }), broken(inherited, { kind: 'x', a: 1 })],
    [[], ['/kind discriminator']],
  );
});

test('what was evaluated is known by own names only, and by the branch that held', () => {
  const open = compile({ anyOf: [{ properties: { a: true } }, { required: ['z'] }], unevaluatedProperties: false });
  assert.deepEqual(broken(open, { a: 1 }), []);
  for (const name of ['constructor', 'toString', 'valueOf', 'hasOwnProperty'])
    assert.deepEqual(broken(open, { a: 1, [name]: 1 }), [`/${name} unevaluatedProperties`]);
  const conditional = compile({
    if: { properties: { a: { const: 1 } }, required: ['a'] },
    then: { properties: { b: true } },
    unevaluatedProperties: false,
  });
  assert.deepEqual(broken(conditional, { a: 1, b: 1 }), []);
  assert.deepEqual(broken(conditional, { a: 2 }), ['/a unevaluatedProperties']);
});

test('the shape says what a parameter may be, through what a schema builds on', () => {
  const schemas = {
    Id: { type: ['integer', 'null'] },
    Node: { type: 'object', properties: { next: ref('Node'), id: ref('Id') } },
  };
  const { shape } = compile(
    {
      allOf: [
        { anyOf: [ref('Node'), { type: 'array', prefixItems: [{ const: 'a' }], items: { enum: [1, 2.5, true] } }] },
        { type: ['object', 'array', 'string'] },
      ],
      default: 'd',
    },
    { schemas },
  );
  assert.deepEqual([...shape.types], ['array', 'object']);
  assert.deepEqual(shape.properties, ['next', 'id']);
  assert.deepEqual([...(shape.property('next')?.property('next')?.property('id')?.types ?? [])], ['null', 'integer']);
  assert.deepEqual([...(shape.item(0)?.types ?? [])], ['string']);
  assert.deepEqual([...(shape.item(1)?.types ?? [])], ['boolean', 'integer', 'number']);
  assert.equal(shape.property('constructor'), undefined);
  assert.equal(shape.fallback, 'd');
});

/** The best of three, in ms: a bound that a busy machine does not break. */
function timed(run: () => void): number {
  const times = Array.from({ length: 3 }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return Math.min(...times);
}

test('no value makes a check more than linear in it', () => {
  const many = 100_000;
  const numbers = Array.from({ length: many }, (_, i) => i);
  const objects = numbers.slice(0, many / 4).map((i) => bare({ i, j: { k: i } }));
  const tree = {
    type: 'object',
    anyOf: [
      { required: ['x'], properties: { n: ref('T') } },
      { required: ['y'], properties: { n: ref('T') } },
      { required: ['z'], properties: { n: ref('T') } },
    ],
  };
  let deep: Json = 'a'.repeat(500_000);
  for (let i = 0; i < 60; i++) deep = bare({ x: 1, y: 1, n: deep });
  const cases: [name: string, schema: CompiledSchema, value: Json, expected: string[]][] = [
    ['uniqueItems, numbers', compile({ uniqueItems: true }), numbers, []],
    ['uniqueItems, the last one twice', compile({ uniqueItems: true }), [...numbers, many - 1], [' uniqueItems']],
    ['uniqueItems, objects', compile({ uniqueItems: true }), objects, []],
    [
      'contains that never holds',
      compile({ contains: ref('S') }, { schemas: { S: { type: 'string', maxLength: 3 } } }),
      numbers,
      [' contains'],
    ],
    [
      'contains that often holds',
      compile({ contains: ref('S'), minContains: many + 1 }, { schemas: { S: { type: 'integer' } } }),
      numbers,
      [' contains'],
    ],
    [
      'a union of references for each item',
      compile(
        { items: { oneOf: [ref('S'), ref('I'), ref('B')] } },
        { schemas: { S: { type: 'string', minLength: 1 }, I: { type: 'integer', minimum: 0 }, B: { type: 'boolean' } } },
      ),
      numbers,
      [],
    ],
    ['a pattern that makes others go back', compile({ pattern: '^(a+)+$' }), `${'a'.repeat(500_000)}!`, [' pattern']],
    ['a format that makes others go back', compile({ format: 'email' }), `${'a.'.repeat(250_000)}@`, [' format:email']],
    ['a tree whose branches each look at all below', compile(ref('T'), { schemas: { T: tree } }), deep, [' complexity']],
    [
      'the same below allOf',
      compile(ref('A0'), {
        schemas: Object.fromEntries(
          Array.from({ length: 40 }, (_, i) => [
            `A${i}`,
            i === 39 ? { type: 'string' } : { allOf: [ref(`A${i + 1}`), ref(`A${i + 1}`)] },
          ]),
        ),
      }),
      'a',
      [' complexity'],
    ],
  ];
  for (const [name, schema, value, expected] of cases) {
    let found: string[] = [];
    const ms = timed(() => {
      found = schema.check(value).map(({ pointer, rule }) => `${pointer} ${rule}`);
    });
    assert.deepEqual(found.slice(0, 1), expected, name);
    assert.ok(ms < 1500, `${name}: ${ms} ms`);
  }
});

test('large unions on large bodies are within the bound', () => {
  const kind = (name: string) => ({
    type: 'object',
    additionalProperties: false,
    required: ['kind'],
    properties: {
      kind: { const: name },
      a: { type: 'string' },
      b: { type: 'integer' },
      c: { type: 'array', items: { type: 'string' } },
    },
  });
  const names = Array.from({ length: 30 }, (_, i) => `Kind${i}`);
  const schemas = Object.fromEntries(names.map((name) => [name, kind(name)]));
  const schema = compile({ type: 'array', items: { oneOf: names.map(ref) } }, { schemas });
  const items = Array.from({ length: 2500 }, (_, i) => bare({ kind: names[i % 30], a: 'text', b: i, c: ['x', 'y'] }));
  assert.deepEqual(schema.check(items), []);
});

test('nesting as deep as bodies may be is checked, and what the stack does not hold is refused', () => {
  const schema = compile(ref('L'), {
    schemas: { L: { type: 'object', properties: { next: ref('L') }, additionalProperties: false } },
  });
  const nested = (depth: number, inner: Json): Json => {
    let value = inner;
    for (let i = 0; i < depth; i++) value = Object.assign(Object.create(null), { next: value });
    return value;
  };
  assert.deepEqual(broken2(schema, nested(500, bare({}))), []);
  assert.deepEqual(broken2(schema, nested(500, bare({ x: 1 }))), [`${'/next'.repeat(51)}… additionalProperties`]);
  assert.deepEqual(broken2(schema, nested(200_000, bare({}))), [' complexity']);
});

const broken2 = (schema: CompiledSchema, value: Json): string[] =>
  schema.check(value).map(({ pointer, rule }) => `${pointer} ${rule}`);
