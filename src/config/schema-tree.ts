import { z } from 'zod';
import { gatewaySchema } from './schema.ts';

/** What of JSON Schema zod writes and this program reads. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly minItems?: number;
  /** `#/$defs/NAME`: what may stand inside itself is written once. */
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
}

export type Path = readonly (string | number)[];

/** The configuration's JSON Schema: what a user may write, defaults and descriptions included. */
export function configurationJsonSchema(): JsonSchema {
  return z.toJSONSchema(gatewaySchema, { io: 'input', target: 'draft-2020-12' }) as JsonSchema;
}

/** All forms that a value may take: unions taken apart. */
export function variants(schema: JsonSchema): JsonSchema[] {
  const parts = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  return parts === undefined ? [schema] : parts.flatMap(variants);
}

/** The schema itself, or the one that it refers to. */
export function followed(root: JsonSchema, schema: JsonSchema): JsonSchema {
  return schema.$ref === undefined ? schema : (root.$defs?.[schema.$ref.replace('#/$defs/', '')] ?? schema);
}

/** All forms that a value may take, references followed. */
function formsOf(root: JsonSchema, schema: JsonSchema): JsonSchema[] {
  return variants(followed(root, schema)).flatMap((form) => (form.$ref === undefined ? form : formsOf(root, form)));
}

/** All forms that the value at this path may take; none when the path leads nowhere. */
export function schemasAt(root: JsonSchema, path: Path): JsonSchema[] {
  let schemas = formsOf(root, root);
  for (const step of path) {
    schemas = schemas.flatMap((schema) => {
      const next = typeof step === 'number' ? schema.items : memberSchema(schema, step);
      return next === undefined ? [] : formsOf(root, next);
    });
  }
  return schemas;
}

/** The schema of one member of a mapping, whether its name is fixed or the user's choice. */
export function memberSchema(schema: JsonSchema, key: string): JsonSchema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** The keys that may be written in the mapping at this path. */
export function knownKeys(root: JsonSchema, path: Path): string[] {
  return schemasAt(root, path).flatMap((schema) => Object.keys(schema.properties ?? {}));
}

/** Where else a key of exactly this name belongs, written like `services.NAME.timeout`; undefined when nowhere. */
export function homeOfKey(root: JsonSchema, key: string): string | undefined {
  return homeIn(root, root, key, '', []);
}

/** `within`: the references that led here; what may stand inside itself has no other keys there. */
function homeIn(root: JsonSchema, schema: JsonSchema, key: string, at: string, within: readonly string[]): string | undefined {
  const { $ref } = schema;
  if ($ref !== undefined && !within.includes($ref)) return homeIn(root, followed(root, schema), key, at, [...within, $ref]);
  for (const variant of variants(schema)) {
    const members = Object.entries(variant.properties ?? {}).map(([name, member]): [string, JsonSchema] => [
      at === '' ? name : `${at}.${name}`,
      member,
    ]);
    if (Object.hasOwn(variant.properties ?? {}, key)) return at === '' ? key : `${at}.${key}`;
    if (typeof variant.additionalProperties === 'object') members.push([`${at}.NAME`, variant.additionalProperties]);
    if (variant.items !== undefined) members.push([`${at}[]`, variant.items]);
    for (const [place, member] of members) {
      const found = homeIn(root, member, key, place, within);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/**
 * Replaces every string that the schema calls a file path. Works on the value as it was read, in place where it can:
 * `replace` must give the same again for its own result, because an alias may lead to the same value twice.
 */
export function replacePaths(
  value: unknown,
  schema: JsonSchema,
  replace: (path: string) => string,
  root: JsonSchema = schema,
): unknown {
  const forms = formsOf(root, schema);
  if (typeof value === 'string') return isFilePath(value, forms) ? replace(value) : value;
  if (Array.isArray(value)) {
    const items = forms.flatMap((form) => form.items ?? []);
    for (let i = 0; i < value.length; i++) value[i] = replacePaths(value[i], { anyOf: items }, replace, root);
  } else if (typeof value === 'object' && value !== null) {
    const mapping = value as Record<string, unknown>;
    for (const key of Object.keys(mapping)) {
      const members = forms.flatMap((form) => memberSchema(form, key) ?? []);
      if (members.length > 0) mapping[key] = replacePaths(mapping[key], { anyOf: members }, replace, root);
    }
  }
  return value;
}

const URL_START = /^[a-z][a-z0-9+.-]*:/i;

function isFilePath(value: string, forms: readonly JsonSchema[]): boolean {
  const word = forms.some((form) => form.const === value || form.enum?.includes(value) === true);
  if (word || value === '') return false;
  if (value === 'builtin' && forms.some((form) => form.format === 'path-or-builtin')) return false;
  return forms.some(
    (form) =>
      form.format === 'path' || form.format === 'path-or-builtin' || (form.format === 'path-or-url' && !URL_START.test(value)),
  );
}
