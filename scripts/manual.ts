import { followed, type JsonSchema, variants } from '../src/config/schema-tree.ts';

/** A file that shows the usual parts together; a test loads it. */
export const EXAMPLE = `listeners:
  public:
    address: 127.0.0.1:8443
    tls: self-signed                  # or { certificate: tls/api.pem, key: tls/api.key }
    bounds: &bounds { head-time: 5s, connections-per-address: 256 }
  plain:
    address: 127.0.0.1:8080
    redirect-to-https: 8443
    bounds: *bounds
services:
  orders: http://127.0.0.1:9001
  stock:
    targets: [http://127.0.0.1:9002, http://127.0.0.1:9003]
    balance: least-requests
    health: { path: /healthz, every: 5s }
    timeout: 3s
routes:
  - path: /orders/**
    methods: [GET, POST]
    service: orders
    authentication: none
    body: 64KiB
  - path: /stock/{item}
    service: stock
    authentication: none
    cors: { origins: https://shop.example.com }
observe: { access: logs/access.jsonl }
admin: { address: 127.0.0.1:9443 }
workers: \${WORKERS:-1}
`;

const INTRO = `# Configuration

One file says everything. It is YAML 1.2, or JSON, which is YAML too. \`portcullis init\` writes one to begin with, \`portcullis check\`
says all that is wrong with it, each with line and column, and \`portcullis routes\` shows what it protects how. Editors that know
JSON Schema complete and check it with [portcullis.schema.json](portcullis.schema.json); for the YAML language server write on the
first line:

\`\`\`yaml
# yaml-language-server: $schema=./portcullis.schema.json
\`\`\`

This page is made from the schema by \`npm run docs\`.

## An example

\`\`\`yaml
${EXAMPLE}\`\`\`

## How values are written

- **Unknown keys are errors**, everywhere. So are keys that stand twice.
- **Sizes** are plain bytes, or a number with \`KiB\`, \`MiB\` or \`GiB\`.
- **Durations** are a number with \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`, such as \`1.5s\`.
- **Addresses** are \`HOST:PORT\` with an IP address or \`localhost\`, IPv6 in brackets: \`[::1]:8443\`.
- **File paths** are relative to the folder of the configuration file.
- **Names** (of listeners, services) begin with a letter and hold letters, digits, \`-\`, \`_\` and \`.\`; at most 64 of them.
- **The environment**: \`\${NAME}\` in a value is replaced by the variable, \`\${NAME:-default}\` by the default where it is unset or empty. An unset
  variable without default is an error. \`$\${\` stands for \`\${\` itself. What comes in is text that is not read as YAML again, and becomes a
  number or a truth value where one is needed. Inside \`{ }\` and \`[ ]\` such a value stands in quotes. Values from the environment, and those of
  keys like \`token\` and \`password\`, never appear in messages.
- **Secrets**: a value that is \`secret:NAME\` as a whole is taken from the environment, a file or the encrypted store ([secrets](secrets.md)).
- **Anchors** (\`&name\`, \`*name\`) and merge keys (\`<<: *name\`) save writing things twice.

## The file
`;

/** Puts what is referred to where it is referred to, once: inside itself it stays a reference. */
function inlined(root: JsonSchema, schema: JsonSchema): JsonSchema {
  if (schema.$ref !== undefined) return { ...followed(root, schema), description: schema.description };
  const { properties, additionalProperties, items, anyOf, oneOf } = schema;
  const each = (list: readonly JsonSchema[]) => list.map((one) => inlined(root, one));
  return {
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, one]) => [key, inlined(root, one)])),
    }),
    ...(typeof additionalProperties === 'object' && { additionalProperties: inlined(root, additionalProperties) }),
    ...(items && { items: inlined(root, items) }),
    ...(anyOf && { anyOf: each(anyOf) }),
    ...(oneOf && { oneOf: each(oneOf) }),
  };
}

/** The manual page of the whole configuration. */
export function configurationManual(root: JsonSchema): string {
  const schema = inlined(root, root);
  const sections = Object.entries(schema.properties ?? {})
    .map(([key, member]) => sectionOf(key, member, 2))
    .filter((text) => text !== undefined);
  return `${[INTRO, tableOf(schema), ...sections].join('\n').trimEnd()}\n`;
}

/** The section for a key that holds a mapping, with sections for the mappings inside; undefined for a plain value. */
function sectionOf(path: string, schema: JsonSchema, level: number): string | undefined {
  const found = mappingIn(schema, path);
  if (found === undefined) return undefined;
  const inner = Object.entries(found.mapping.properties ?? {})
    .map(([key, member]) => sectionOf(`${found.path}.${key}`, member, Math.min(level + 1, 4)))
    .filter((text) => text !== undefined);
  const description = schema.description === undefined ? '' : `${schema.description}\n\n`;
  return [`${'#'.repeat(level)} \`${found.path}\`\n\n${description}${tableOf(found.mapping)}`, ...inner].join('\n');
}

/** The mapping that a value is, or of which it is a list or a collection by name. */
function mappingIn(schema: JsonSchema, path: string): { mapping: JsonSchema; path: string } | undefined {
  for (const form of variants(schema)) {
    if (form.properties !== undefined) return { mapping: form, path };
    if (typeof form.additionalProperties === 'object') {
      const inside = mappingIn(form.additionalProperties, `${path}.NAME`);
      if (inside !== undefined) return inside;
    }
    const inside = form.items === undefined ? undefined : mappingIn(form.items, `${path}[]`);
    if (inside !== undefined) return inside;
  }
  return undefined;
}

function tableOf(mapping: JsonSchema): string {
  const rows = Object.entries(mapping.properties ?? {}).map(([key, member]) => {
    const needed = mapping.required?.includes(key) === true;
    return `| \`${key}\` | ${escapeCell(typeOf(member))} | ${escapeCell(defaultOf(member, needed))} | ${escapeCell(member.description ?? '')} |`;
  });
  return ['| key | value | default | |', '| --- | --- | --- | --- |', ...rows, ''].join('\n');
}

function defaultOf(schema: JsonSchema, needed: boolean): string {
  if (needed) return '**required**';
  if (schema.default === undefined) return '';
  const text = typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default);
  return text === '{}' ? '' : `\`${text.replaceAll('","', '", "')}\``;
}

/** What may be written, in a few words. */
function typeOf(schema: JsonSchema): string {
  if (schema.format === 'size' || schema.format === 'duration') return schema.format;
  const names = variants(schema).map(typeName);
  return [...new Set(names)].join(' or ');
}

function typeName(schema: JsonSchema): string {
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  if (schema.format === 'path') return 'file path';
  if (schema.format === 'path-or-url') return 'URL or file path';
  if (['size', 'duration', 'address', 'network'].includes(schema.format ?? '')) return schema.format ?? '';
  if (schema.properties !== undefined || schema.$ref !== undefined) return 'mapping';
  if (typeof schema.additionalProperties === 'object') return `names, each with ${article(typeOf(schema.additionalProperties))}`;
  if (schema.items !== undefined) return `list of ${plural(typeOf(schema.items))}`;
  return numberName(schema) ?? (schema.type === 'boolean' ? '`true`, `false`' : 'text');
}

function numberName(schema: JsonSchema): string | undefined {
  const types = [schema.type ?? []].flat();
  if (!types.includes('integer') && !types.includes('number')) return undefined;
  if (types.includes('string')) return 'number or text';
  const { minimum, maximum } = schema;
  const bounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  return bounded ? `number from ${minimum ?? 0} to ${maximum}` : 'number';
}

/** A word as the user writes it. */
const code = (value: unknown) => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
const article = (text: string) => (text.startsWith('`') ? text : `a ${text}`);
const plural = (text: string) => (/^[a-z ]+$/.test(text) && text !== 'text' ? `${text}s`.replace(/ or /, 's or ') : text);
const escapeCell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
