/**
 * The JSON-Schema-Test-Suite (draft 2020-12, with its optional part), as it stands beside jsonschema 4.26.0. The documents that it wants
 * to fetch are put on disk, with the address as their `$id`: this engine fetches nothing.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { CompiledSchema, Json } from './contract.ts';
import { Files } from './files.ts';
import { isMapping } from './pointer.ts';
import { Problems } from './problems.ts';
import { References } from './references.ts';
import { SchemaSet } from './schema-set.ts';

interface Group {
  readonly description: string;
  readonly schema: unknown;
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[];
}

const SUITE = path.resolve(import.meta.dirname, '../../../test/outside/json-schema-test-suite');
const suite = JSON.parse(readFileSync(path.join(SUITE, 'draft2020-12.json'), 'utf8')) as Record<string, Group[]>;
const remotes = JSON.parse(readFileSync(path.join(SUITE, 'remotes.json'), 'utf8')) as Record<string, unknown>;

const ANNOTATED = [
  'email',
  'idn-email',
  'ipv4',
  'ipv6',
  'idn-hostname',
  'hostname',
  'date',
  'date-time',
  'time',
  'json-pointer',
  'relative-json-pointer',
  'iri',
  'iri-reference',
  'uri',
  'uri-reference',
  'uri-template',
  'uuid',
  'duration',
];
const COMPATIBILITY = [
  'missing dependency',
  'missing other dependency',
  'missing both dependencies',
  'CRLF missing dependent',
  'quoted quotes missing dependent',
  'wrong type',
  'wrong type other',
  'wrong type both',
  'object with property having schema false is invalid',
  'object with both properties is invalid',
  'quoted quote',
  'quoted tab invalid under dependent schema',
  'quoted quote invalid under dependent schema',
];
const CONTEXTUAL = [
  'contains illegal char U+302E Hangul single dot tone mark',
  'invalid Punycode',
  'U-label contains "--" in the 3rd and 4th position',
  'Exceptions that are DISALLOWED, right-to-left chars',
  'Exceptions that are DISALLOWED, left-to-right chars',
  "MIDDLE DOT with no preceding 'l'",
  'MIDDLE DOT with nothing preceding',
  "MIDDLE DOT with no following 'l'",
  'MIDDLE DOT with nothing following',
  'Greek KERAIA not followed by Greek',
  'Greek KERAIA not followed by anything',
  'Hebrew GERESH not preceded by anything',
  'Hebrew GERSHAYIM not preceded by anything',
  'KATAKANA MIDDLE DOT with no Hiragana, Katakana, or Han',
  'KATAKANA MIDDLE DOT with no other characters',
];

/** What does not hold, by file, group and test (`*`: all of the group), with the reason. */
const EXCEPTIONS: readonly (readonly [file: string, group: string, test: string, reason: string])[] = [
  ...ANNOTATED.map(
    (name) =>
      [
        'format',
        '*',
        `invalid ${name} string is only an annotation by default`,
        'formats are checked here, as who writes one expects',
      ] as const,
  ),
  [
    'vocabulary',
    'schema that uses custom metaschema with with no validation vocabulary',
    'no validation: invalid number, but it still validates',
    'all schemas are read by the standard meta-schema; another one is told as a warning',
  ],
  [
    'properties',
    'properties whose names are Javascript object property names',
    '__proto__ not valid',
    'told as a warning; bodies with that name are refused when they are read',
  ],
  ...['different $id', 'different URN $id', 'nested absolute ref'].flatMap((what) =>
    ['number is invalid', 'string is valid'].map(
      (name) =>
        [
          'refRemote',
          `remote HTTP ref with ${what}`,
          name,
          'fetched by an address that is not its $id; nothing is fetched',
        ] as const,
    ),
  ),
  [
    'unevaluatedItems',
    'unevaluatedItems depends on adjacent contains',
    'contains passes, second item is not evaluated',
    'contains evaluates all items here: told as a warning',
  ],
  [
    'unevaluatedItems',
    'unevaluatedItems depends on multiple nested contains',
    '7 not evaluated, fails unevaluatedItems',
    'contains evaluates all items here: told as a warning',
  ],
  [
    'unevaluatedItems',
    'unevaluatedItems and contains interact to control item dependency relationship',
    "only a's and c's are invalid",
    'contains evaluates all items here: told as a warning',
  ],
  ['optional/cross-draft', '*', '*', 'schemas of other drafts are read as of 2020-12: told as a warning'],
  ...COMPATIBILITY.map(
    (name) =>
      ['optional/dependencies-compatibility', '*', name, 'dependencies is no keyword of 2020-12: told as a warning'] as const,
  ),
  ['optional/format/ecmascript-regex', '*', '*', 'the format regex is not checked: told as a warning'],
  [
    'optional/format/regex',
    '*',
    'a regular expression with unclosed parens is invalid',
    'the format regex is not checked: told as a warning',
  ],
  ['optional/unknownKeyword', '*', '*', '$id is found in unknown keywords too'],
  ...CONTEXTUAL.map(
    (name) => ['optional/format/idn-hostname', '*', name, 'names are judged by UTS 46, which has no contextual rules'] as const,
  ),
];

const folder = mkdtempSync(path.join(tmpdir(), 'portcullis-suite-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, value: unknown): string => {
  const file = path.join(folder, name);
  writeFileSync(file, JSON.stringify(value));
  return file;
};

const remoteFiles = Object.entries(remotes).map(([address, value], index) =>
  write(`remote-${index}.json`, isMapping(value) && value.$id === undefined ? { $id: address, ...value } : value),
);
const require = createRequire(import.meta.url);
const META = [
  'schema',
  ...['core', 'applicator', 'unevaluated', 'content', 'format-annotation', 'meta-data', 'validation'].map((one) => `meta/${one}`),
];
const metaFiles = META.map((name) => require.resolve(`ajv/dist/refs/json-schema-2020-12/${name}.json`));

function compile(schema: unknown): CompiledSchema | string {
  const problems = new Problems();
  const file = write('schema.json', schema);
  const files = new Files(file, problems);
  const references = new References(files, problems, true);
  for (const other of [...remoteFiles, ...metaFiles]) references.open(other);
  const schemas = new SchemaSet('3.1', references, problems, false);
  const node = references.open(file);
  if (node === undefined) return 'cannot be read';
  const compiled = schemas.add(node);
  schemas.finish();
  if (problems.broken)
    return problems
      .list(files)
      .map(({ message }) => message)
      .join('; ');
  schemas.complete(true);
  return compiled;
}

/** As the reader of bodies makes values. */
function bare(value: unknown): Json {
  if (Array.isArray(value)) return value.map(bare);
  if (!isMapping(value)) return value as Json;
  return Object.assign(Object.create(null), Object.fromEntries(Object.entries(value).map(([name, one]) => [name, bare(one)])));
}

const used = new Set<number>();

function exceptionFor(file: string, group: string, name: string): boolean {
  const index = EXCEPTIONS.findIndex(([f, g, t]) => f === file && (g === '*' || g === group) && (t === '*' || t === name));
  if (index !== -1) used.add(index);
  return index !== -1;
}

for (const [file, groups] of Object.entries(suite)) {
  test(`draft 2020-12: ${file}`, () => {
    const wrong: string[] = [];
    for (const { description, schema, tests } of groups) {
      const compiled = compile(schema);
      for (const one of tests) {
        const agrees = typeof compiled !== 'string' && (compiled.check(bare(one.data)).length === 0) === one.valid;
        const excepted = exceptionFor(file, description, one.description);
        const why = typeof compiled === 'string' ? compiled : '';
        if (agrees === excepted)
          wrong.push(`${excepted ? 'excepted, but agrees: ' : ''}${description} / ${one.description} ${why}`);
      }
    }
    assert.deepEqual(wrong, []);
  });
}

test('every exception is one', () => {
  assert.deepEqual(
    EXCEPTIONS.filter((_, index) => !used.has(index)),
    [],
  );
});
