import type { JsonType } from './contract.ts';
import { isMapping } from './pointer.ts';

/** What a keyword's own value must be, so that a misspelt rule is an error and never a rule that does not hold. */
type Check = (value: unknown) => string | undefined;

export const JSON_TYPES: readonly JsonType[] = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'];

const must =
  (test: (value: unknown) => boolean, what: string): Check =>
  (value) =>
    test(value) ? undefined : `must be ${what}`;

const isString = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);
const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;
const isType = (value: unknown): boolean => JSON_TYPES.includes(value as JsonType);
const areNames = (value: unknown): boolean =>
  Array.isArray(value) && value.every(isString) && new Set(value).size === value.length;

const count = must(isCount, 'a whole number of at least 0');
const number = must(isNumber, 'a number');
const schema = must((value) => isMapping(value) || typeof value === 'boolean', 'a schema');
const schemas = must((value) => Array.isArray(value) && value.length > 0, 'a list of schemas that is not empty');
const named = must(isMapping, 'a mapping of names to schemas');
const text = must(isString, 'a string');
const flag = must((value) => typeof value === 'boolean', 'true or false');
const free: Check = () => undefined;

/** Keywords that both versions know alike. */
const COMMON: Readonly<Record<string, Check>> = {
  multipleOf: must((value) => isNumber(value) && (value as number) > 0, 'a number above 0'),
  maximum: number,
  minimum: number,
  maxLength: count,
  minLength: count,
  pattern: text,
  maxItems: count,
  minItems: count,
  uniqueItems: flag,
  maxProperties: count,
  minProperties: count,
  required: must(areNames, 'a list of names, each once'),
  enum: must((value) => Array.isArray(value), 'a list of values'),
  allOf: schemas,
  anyOf: schemas,
  oneOf: schemas,
  not: schema,
  items: schema,
  properties: named,
  additionalProperties: schema,
  format: text,
  title: free,
  description: free,
  default: free,
  deprecated: free,
  readOnly: flag,
  writeOnly: flag,
  example: free,
  externalDocs: free,
  xml: free,
  discriminator: must(isMapping, 'a mapping with propertyName'),
};

const V30: Readonly<Record<string, Check>> = {
  ...COMMON,
  type: must((value) => isType(value) && value !== 'null', `one of ${JSON_TYPES.slice(1).join(', ')}`),
  exclusiveMaximum: flag,
  exclusiveMinimum: flag,
  nullable: flag,
};

const V31: Readonly<Record<string, Check>> = {
  ...COMMON,
  type: must(
    (value) =>
      isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType) && new Set(value).size === value.length),
    `one of ${JSON_TYPES.join(', ')}, or a list of these`,
  ),
  exclusiveMaximum: number,
  exclusiveMinimum: number,
  const: free,
  maxContains: count,
  minContains: count,
  dependentRequired: must(
    (value) => isMapping(value) && Object.values(value).every(areNames),
    'a mapping of names to lists of names',
  ),
  if: schema,
  // oxlint-disable-next-line unicorn/no-thenable -- the keyword's name
  then: schema,
  else: schema,
  dependentSchemas: named,
  prefixItems: schemas,
  contains: schema,
  patternProperties: named,
  propertyNames: schema,
  unevaluatedItems: schema,
  unevaluatedProperties: schema,
  $ref: text,
  $dynamicRef: text,
  $id: text,
  $anchor: text,
  $dynamicAnchor: text,
  $schema: text,
  $comment: free,
  $vocabulary: free,
  $defs: free,
  definitions: free,
  examples: free,
  contentEncoding: free,
  contentMediaType: free,
  contentSchema: free,
};

/** The keywords of a version. Others are no rules, and told. */
export const keywordsOf = (version: '3.0' | '3.1'): Readonly<Record<string, Check>> => (version === '3.0' ? V30 : V31);

/** What to do about a keyword that a version does not have. */
const HINTS: Readonly<Record<string, string>> = {
  '3.1 nullable': "write type: [string, 'null']",
  '3.1 additionalItems': 'write prefixItems, and the rest as items',
  '3.1 dependencies': 'write dependentRequired or dependentSchemas',
  '3.1 $recursiveRef': 'write $dynamicRef',
  '3.1 id': 'write $id',
  '3.0 const': 'write enum with one value',
  '3.0 examples': 'write example',
};

export const hintFor = (version: '3.0' | '3.1', keyword: string): string | undefined => HINTS[`${version} ${keyword}`];
