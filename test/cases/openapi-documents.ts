/** OpenAPI documents that are broken, with every problem that must be told of them; and such that must load. */
export interface DocumentCase {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  /** `FILE:LINE:COLUMN: message (hint)`, warnings with `warning:` before the message. */
  readonly problems: readonly string[];
}

const v = (version: string, rest: string): string => `openapi: ${version}\ninfo: { title: t, version: '1' }\n${rest}`;
const empty = 'paths: {}\n';

/** A document whose one operation has this schema for its body; the schema stands from line 11, column 15 on. */
const withSchema = (version: string, schema: string): string =>
  v(
    version,
    `paths:
  /things:
    post:
      requestBody:
        required: true
        content:
          application/json:
            schema:
${schema
  .split('\n')
  .map((line) => `              ${line}`)
  .join('\n')}
`,
  );

const body = (schema: string) => ({ 'api.yaml': withSchema('3.1.0', schema) });
const body30 = (schema: string) => ({ 'api.yaml': withSchema('3.0.3', schema) });
/** A document whose one operation has this for its parameters, from line 7, column 9 on. */
const parameters = (list: string, path = '/things') => ({
  'api.yaml': v(
    '3.0.3',
    `paths:
  ${path}:
    get:
      parameters:
${list
  .split('\n')
  .map((line) => `        ${line}`)
  .join('\n')}
`,
  ),
});

export const BROKEN_DOCUMENTS: readonly DocumentCase[] = [
  { name: 'no file', files: {}, problems: ['api.yaml:1:1: api.yaml does not exist'] },
  {
    name: 'empty',
    files: { 'api.yaml': '' },
    problems: ['api.yaml:1:1: this is no OpenAPI document: `openapi` is missing (write openapi: 3.0.3 or 3.1.0)'],
  },
  {
    name: 'Swagger',
    files: { 'api.yaml': "swagger: '2.0'\n" },
    problems: ['api.yaml:1:1: OpenAPI 2.0 is not supported (write openapi: 3.0.3 or 3.1.0)'],
  },
  {
    name: 'a later version',
    files: { 'api.yaml': v('3.2.0', empty) },
    problems: ['api.yaml:1:10: OpenAPI 3.2.0 is not supported (write openapi: 3.0.3 or 3.1.0)'],
  },
  {
    name: 'no YAML',
    files: { 'api.yaml': v('3.1.0', 'paths: {}\n a: [b\n') },
    problems: [
      'api.yaml:4:1: all mapping items must start at the same column',
      'api.yaml:5:1: flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  },
  {
    name: 'a key twice',
    files: { 'api.yaml': v('3.1.0', 'paths: {}\npaths: {}\n') },
    problems: ['api.yaml:4:1: map keys must be unique'],
  },
  {
    name: 'JSON with a key twice',
    files: { 'api.yaml': '{"openapi":"3.1.0","info":{"title":"t"},\n"paths":{},"paths":{}}' },
    problems: ['api.yaml:2:12: "paths" is written twice'],
  },
  {
    name: 'aliases without end',
    files: {
      'api.yaml': `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
        .split('')
        .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[i]}`).join()}]`)
        .join('\n')}\n`,
    },
    problems: ['api.yaml:1:1: excessive alias count indicates a resource exhaustion attack'],
  },
  {
    name: 'too deep',
    files: { 'api.yaml': `{"openapi":"3.1.0","x":${'['.repeat(300)}${']'.repeat(300)}}` },
    problems: ['api.yaml:1:1: nested more than 200 deep'],
  },
  {
    name: 'no paths, no info',
    files: { 'api.yaml': 'openapi: 3.0.3\n' },
    problems: [
      'api.yaml:1:1: the document has no `paths`: every request would be refused',
      'api.yaml:1:1: the document must have `info` with a title',
    ],
  },
  {
    name: 'a path without its slash',
    files: { 'api.yaml': v('3.0.3', 'paths:\n  things:\n    get: {}\n') },
    problems: ['api.yaml:4:3: the path "things" must begin with a slash'],
  },
  {
    name: 'a misspelt member',
    files: { 'api.yaml': v('3.0.3', 'paths:\n  /things:\n    post:\n      requestBdy: {}\n') },
    problems: ['api.yaml:6:7: an operation has no `requestBdy` (did you mean requestBody?)'],
  },
  {
    name: 'a scheme that is not there',
    files: { 'api.yaml': v('3.0.3', 'security:\n  - key: []\npaths:\n  /things:\n    get: {}\n') },
    problems: ['api.yaml:4:5: there is no security scheme "key"'],
  },
  {
    name: 'a server without its default',
    files: { 'api.yaml': v('3.0.3', 'servers:\n  - url: https://a/{v}\npaths:\n  /things:\n    get: {}\n') },
    problems: ['api.yaml:4:10: the server has {v}, but no default for this variable'],
  },

  {
    name: 'parameters',
    files: parameters(
      '- { in: query, schema: {} }\n- { name: a, in: body, schema: {} }\n- { name: b, in: query, style: simple, schema: {} }\n- { name: c, in: query, requird: true, schema: {} }',
    ),
    problems: [
      'api.yaml:7:11: a parameter must have `name`',
      'api.yaml:8:26: `in` must be one of path, query, header, cookie',
      'api.yaml:9:40: `style` of a query parameter must be one of form, spaceDelimited, pipeDelimited, deepObject',
      'api.yaml:10:33: a parameter has no `requird` (did you mean required?)',
    ],
  },
  {
    name: 'a parameter twice',
    files: parameters('- { name: a, in: header, schema: {} }\n- { name: A, in: header, schema: {} }'),
    problems: ['api.yaml:8:11: the header parameter "a" stands twice in the list'],
  },
  {
    name: 'schema and content',
    files: parameters('- name: a\n  in: query\n  schema: {}\n  content: { text/plain: {} }'),
    problems: ['api.yaml:10:11: a parameter has `schema` or `content`, not both'],
  },
  {
    name: 'path parameters',
    files: parameters('- { name: id, in: path, schema: {} }', '/things/{id}/{part}'),
    problems: [
      'api.yaml:5:5: the path has {part}, but no path parameter of that name is declared',
      'api.yaml:7:11: the path parameter "id" must say `required: true`',
    ],
  },

  {
    name: 'keywords with the wrong value',
    files: body('type: strnig\nminLength: "3"\nrequired: id\nallOf: []\nproperties: [a]\nenum: x'),
    problems: [
      'api.yaml:11:21: `type` must be one of null, boolean, integer, number, string, array, object, or a list of these',
      'api.yaml:12:26: `minLength` must be a whole number of at least 0',
      'api.yaml:13:25: `required` must be a list of names, each once',
      'api.yaml:14:15: `allOf` must be a list of schemas that is not empty',
      'api.yaml:15:15: `properties` must be a mapping of names to schemas',
      'api.yaml:16:21: `enum` must be a list of values',
    ],
  },
  {
    name: 'keywords that are none',
    files: { 'api.yaml': withSchema('3.1.0', 'type: string\nmaxLenght: 3\nnullable: true\nx-own: 1\nformat: wat\npattern: "["') },
    problems: [
      'api.yaml:12:15: warning: `maxLenght` is no keyword of schemas in OpenAPI 3.1: it is not checked',
      "api.yaml:13:15: warning: `nullable` is no keyword of schemas in OpenAPI 3.1: it is not checked (write type: [string, 'null'])",
      'api.yaml:15:23: warning: the format "wat" is not known: it is not checked',
      'api.yaml:16:24: the pattern has a `[` without its `]`',
    ],
  },
  {
    name: 'the other version',
    files: body30("type: [string, 'null']\nexclusiveMinimum: 3\nconst: a\nitems: true"),
    problems: [
      'api.yaml:11:15: `type` must be one of boolean, integer, number, string, array, object',
      'api.yaml:12:33: `exclusiveMinimum` must be true or false',
      'api.yaml:13:15: warning: `const` is no keyword of schemas in OpenAPI 3.0: it is not checked (write enum with one value)',
      'api.yaml:14:22: `items` must be a schema',
    ],
  },
  {
    name: 'patterns',
    files: body(
      "patternProperties:\n  '^(?!a)': {}\nproperties:\n  a: { pattern: '(a+' }\n  b: { pattern: '(a)\\1' }\n  c: { pattern: 'a{2000}b' }",
    ),
    problems: [
      'api.yaml:12:17: the pattern looks around, which cannot be done in linear time: say it by another keyword, such as `not`',
      'api.yaml:14:31: the pattern is not a regular expression: missing closing )',
      'api.yaml:15:31: the pattern refers back, which cannot be done in linear time',
      'api.yaml:16:31: the pattern repeats more than 1000 times, which only `^x{n,m}$` may: bound the length by maxLength',
    ],
  },
  {
    name: 'references',
    files: {
      ...body(
        "properties:\n  a: { $ref: '#/components/schemas/A' }\n  b: { $ref: 'other.yaml#/B' }\n  c: { $ref: 'missing.yaml' }\n  d: { $ref: 'https://example.com/d.yaml' }\n  e: { $ref: /etc/passwd }\n  f: { $ref: 'file:///etc/passwd' }\n  g: { $ref: '#anchor' }\n  h: { $ref: '#/%zz' }",
      ),
      'other.yaml': 'A: {}\n',
    },
    problems: [
      'api.yaml:12:28: "#/components/schemas/A" leads nowhere: there is no "/components/schemas/A" in api.yaml',
      'api.yaml:13:28: "other.yaml#/B" leads nowhere: there is no "/B" in other.yaml',
      'api.yaml:14:28: missing.yaml does not exist',
      'api.yaml:15:28: "https://example.com/d.yaml" is not a file (references lead to files beside the document; nothing is fetched)',
      'api.yaml:16:28: "/etc/passwd" is not relative to the file (references lead to files beside the document; nothing is fetched)',
      'api.yaml:17:28: "file:///etc/passwd" is not relative to the file (references lead to files beside the document; nothing is fetched)',
      'api.yaml:18:28: "#anchor" leads nowhere: there is no "anchor" in api.yaml',
      'api.yaml:19:28: "#/%zz" has a broken percent-encoding',
    ],
  },
  {
    name: 'a problem in another file',
    files: {
      ...body("$ref: 'sub/one.yaml#/One'"),
      'sub/one.yaml': "One:\n  properties:\n    two: { $ref: '../two.json' }\n",
      'two.json': '{\n  "type": "what"\n}',
    },
    problems: ['two.json:2:11: `type` must be one of null, boolean, integer, number, string, array, object, or a list of these'],
  },
  {
    name: 'JSON that is none',
    files: { ...body("$ref: 'two.json'"), 'two.json': '{\n  "type": \n}' },
    problems: ['two.json:3:1: not JSON: a value must stand here'],
  },
  {
    name: 'a schema that is itself',
    files: {
      ...body("allOf: [{ $ref: '#/components/schemas/A' }]"),
      'api.yaml': `${body("allOf: [{ $ref: '#/components/schemas/A' }]")['api.yaml']}components:\n  schemas:\n    A: { anyOf: [{ $ref: '#/components/schemas/B' }] }\n    B: { $ref: '#/components/schemas/A' }\n`,
    },
    problems: ['api.yaml:14:5: this schema applies itself to the same value again, without end'],
  },
  {
    name: 'references in a circle',
    files: {
      'api.yaml': v(
        '3.0.3',
        "paths:\n  /things:\n    get:\n      parameters: [{ $ref: '#/components/parameters/A' }]\ncomponents:\n  parameters:\n    A: { $ref: '#/components/parameters/A' }\n",
      ),
    },
    problems: ['api.yaml:6:20: the reference leads to itself'],
  },
];
