/** Validity against a second judge, @hyperjump/json-schema, on values made by the schemas of real documents. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import '@hyperjump/json-schema/openapi-3-0';
import { registerSchema, setShouldValidateFormat, setShouldValidateSchema, validate } from '@hyperjump/json-schema/openapi-3-1';
import '@hyperjump/json-schema/formats';
import { NearValues } from '../../../test/support/near-values.ts';
import type { ApiDocument, CompiledSchema, Json } from './contract.ts';
import { loadDocument } from './load.ts';

const DOCUMENTS = [
  '@readme/oas-examples/3.0/json/star-trek.json',
  '@readme/oas-examples/3.1/json/readme.json',
  '@readme/oas-examples/3.0/json/readme-legacy.json',
  '@readme/oas-examples/3.0/json/petstore.json',
  '@readme/oas-examples/3.1/json/petstore.json',
  '@readme/oas-examples/3.0/json/schema-types.json',
  '@readme/oas-examples/3.1/json/schema-types.json',
  '@readme/oas-examples/3.1/json/train-travel.json',
  '@readme/oas-examples/3.0/json/complex-nesting.json',
  '@readme/oas-examples/3.0/json/schema-validation.json',
  '@readme/oas-examples/3.0/json/schema-enums.json',
  '@readme/oas-examples/3.0/json/schema-additional-properties.json',
  '@readme/oas-examples/3.0/json/schema-circular.json',
  '@readme/oas-examples/3.0/json/circular-request-bodies.json',
  '@readme/oas-examples/3.0/json/polymorphism.json',
  '@readme/oas-examples/3.0/json/schema-encoding-style.json',
  '@readme/oas-examples/3.0/json/form-data.json',
  '@readme/oas-examples/3.1/json/parameters-style.json',
  '@readme/oas-examples/3.0/json/discriminators.json',
  '@readme/oas-examples/3.0/json/parameters-style.json',
  '@readme/oas-examples/3.0/json/request-examples.json',
  '@readme/oas-examples/3.0/json/uspto.json',
  '@scalar/galaxy/dist/3.1.json',
];
const VALUES = 60;
const MODULES = new URL('../../../node_modules/', import.meta.url);

/** Formats that Hyperjump knows in OpenAPI 3.0, which is draft 4 to it. */
const OLD_FORMATS = new Set(['date-time', 'email', 'hostname', 'ipv4', 'ipv6', 'uri']);

/** Where the two mean to differ, and why. What only one of them knows is taken out of the document for both. */
const LEFT_OUT: Readonly<Record<string, (value: unknown, version: string) => boolean>> = {
  // Hyperjump only notes it; here it chooses the schema, as OpenAPI says.
  discriminator: () => true,
  // A rule for requests of OpenAPI, no rule of JSON Schema.
  readOnly: () => true,
  // Hyperjump takes patterns in Unicode mode only.
  pattern: (value) => !isUnicode(String(value)),
  // Formats of OpenAPI's registry, which Hyperjump does not know.
  format: (value, version) =>
    version.startsWith('3.0')
      ? !OLD_FORMATS.has(String(value))
      : /^(?:u?int\d+|float|double|byte|binary|password|char|base64url)$/.test(String(value)),
};

function isUnicode(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').unicode;
  } catch {
    return false;
  }
}

const folder = mkdtempSync(path.join(tmpdir(), 'portcullis-oracle-'));
after(() => rmSync(folder, { recursive: true, force: true }));
setShouldValidateFormat(true);
// The documents themselves are for the loader to judge: real ones have addresses that are none.
setShouldValidateSchema(false);

function without(value: unknown, version: string, inside = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => without(one, version));
  if (typeof value !== 'object' || value === null) return value;
  // Below `properties` stand names, not keywords.
  const isKeyword = (name: string) => inside !== 'properties' && Object.hasOwn(LEFT_OUT, name);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, one]) => !(isKeyword(name) && LEFT_OUT[name](one, version)))
      .map(([name, one]) => [name, without(one, version, name)]),
  );
}

/** As the reader of bodies makes values. */
function bare(value: unknown): Json {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null) return value as Json;
  return Object.assign(Object.create(null), Object.fromEntries(Object.entries(value).map(([name, one]) => [name, bare(one)])));
}

/** The schemas of all bodies and parameters, each once. Hyperjump finds nothing below a path with `#`. */
function schemasOf(document: ApiDocument): Map<string, CompiledSchema> {
  const found = new Map<string, CompiledSchema>();
  for (const { parameters, requestBody } of document.operations) {
    const media = [...(requestBody?.content ?? []), ...parameters.flatMap(({ content }) => content ?? [])];
    for (const { schema } of [...media, ...parameters])
      if (schema !== undefined && !schema.location.pointer.includes('#')) found.set(schema.location.pointer, schema);
  }
  return found;
}

let judged = 0;
const verdicts = { valid: 0, invalid: 0 };

for (const [index, name] of DOCUMENTS.entries()) {
  test(name, async () => {
    const written = JSON.parse(readFileSync(new URL(name, MODULES), 'utf8')) as { openapi: string };
    const root = without(written, written.openapi) as { openapi: string };
    const file = path.join(folder, `${index}.json`);
    writeFileSync(file, JSON.stringify(root));
    const { document, problems } = loadDocument(file);
    assert.ok(document, JSON.stringify(problems));
    const address = `https://example.com/${index}`;
    const dialect = root.openapi.startsWith('3.0') ? '3.0/schema' : '3.1/schema-base';
    registerSchema(root as never, address, `https://spec.openapis.org/oas/${dialect}`);
    const schemas = schemasOf(document);
    assert.ok(schemas.size >= 1, String(schemas.size));
    judged += schemas.size;
    const wrong: string[] = [];
    for (const [pointer, schema] of schemas) {
      const values = new NearValues(root, 7 + index);
      const judge = await validate(`${address}#${encodeURI(pointer)}`);
      for (let i = 0; i < VALUES; i += 1) {
        const value = values.make(schema.raw);
        const violations = schema.check(bare(value));
        const isValid = judge(value as never).valid;
        verdicts[isValid ? 'valid' : 'invalid'] += 1;
        if (isValid !== (violations.length === 0))
          wrong.push(JSON.stringify({ pointer, isValid, violations, value }).slice(0, 700));
      }
    }
    assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} disagreements`);
  });
}

test('both verdicts came up often, over many schemas', () => {
  assert.ok(judged > 300, String(judged));
  assert.ok(verdicts.valid > 1000 && verdicts.invalid > 1000, JSON.stringify(verdicts));
});
