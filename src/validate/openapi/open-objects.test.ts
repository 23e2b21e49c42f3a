import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findOpenObjects } from './open-objects.ts';
import type { PlainSchema } from './plain-schema.ts';

const object = (more: object) => ({ type: 'object', ...more });
const closed = { additionalProperties: false };

const cases: [what: string, schema: PlainSchema, found: string[], others?: Record<string, PlainSchema>][] = [
  ['nothing but an object', object({}), ['']],
  ['closed', object(closed), []],
  ['closed by what is left', object({ unevaluatedProperties: false }), []],
  ['all others declared by a schema', object({ additionalProperties: { type: 'string' } }), []],
  ['all others by a schema that allows anything', object({ additionalProperties: {} }), ['']],
  ['all others allowed', object({ additionalProperties: true }), ['']],
  ['an object by its properties alone', { properties: { a: true } }, ['']],
  ['one of several types', { type: ['object', 'null'] }, ['']],
  ['no object', { type: ['string', 'array'] }, []],
  ['anything', true, []],
  ['a member', object({ ...closed, properties: { a: object({}) } }), ['.a']],
  ['items', { items: object({}), prefixItems: [object({ ...closed, properties: { b: object({}) } })] }, ['[]', '[].b']],
  ['a member by any name', object({ additionalProperties: object({}) }), ['.*']],
  ['members by a pattern', object({ ...closed, patternProperties: { '^x': object({}) } }), ['.*']],
  ['an open branch of a union', { oneOf: [object(closed), object({})] }, ['']],
  [
    'the whole closes its parts',
    object({ unevaluatedProperties: false, allOf: [object({ properties: { a: object({}) } })] }),
    ['.a'],
  ],
  ['a part closes the whole', object({ allOf: [closed] }), []],
  ['a reference', { $ref: 'a' }, ['.b'], { a: object({ ...closed, properties: { b: { $ref: 'open' } } }), open: object({}) }],
  ['a reference beside rules', object({ $ref: 'a' }), [], { a: closed }],
  ['itself', { $ref: 'a' }, [''], { a: object({ properties: { next: { $ref: 'a' } } }) }],
  [
    'closed as a part and open as a member',
    object({ unevaluatedProperties: false, allOf: [{ $ref: 'a' }], properties: { own: { $ref: 'a' } } }),
    ['.own'],
    { a: object({}) },
  ],
];

for (const [what, schema, found, others = {}] of cases) {
  test(`open objects: ${what}`, () => {
    assert.deepEqual(findOpenObjects([schema], new Map(Object.entries(others))), found);
  });
}

test('a chain of references as long as a document can have costs no stack', () => {
  const length = 50_000;
  const schemas = new Map<string, PlainSchema>([[`s${length}`, object({})]]);
  for (let i = 0; i < length; i++) schemas.set(`s${i}`, { ...object(closed), properties: { next: { $ref: `s${i + 1}` } } });
  const [found] = findOpenObjects([{ $ref: 's0' }], schemas);
  assert.equal(found.length, length * '.next'.length);
});
