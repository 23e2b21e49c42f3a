import type { Json, Location } from './contract.ts';
import { listOf } from './pointer.ts';

/** A schema as the compiler takes it: plain 2020-12, every `$ref` the name of another of these. */
export type PlainSchema = boolean | PlainMapping;
export type PlainMapping = { [keyword: string]: unknown };

/** A schema with a name, and those that it leads to. */
export interface PlainOwner {
  readonly name: string;
  readonly location: Location;
  /** Schemas that are applied to the same value, and all that are referred to. */
  readonly inPlace: Set<string>;
  readonly all: Set<string>;
}

/** Keywords whose value is one schema, a list, or a mapping of them; and whether they look at the value itself. */
export const ONE: Readonly<Record<string, boolean>> = {
  not: true,
  if: true,
  // oxlint-disable-next-line unicorn/no-thenable -- the keyword's name
  then: true,
  else: true,
  items: false,
  contains: false,
  additionalProperties: false,
  propertyNames: false,
  unevaluatedItems: false,
  unevaluatedProperties: false,
};
export const LIST: Readonly<Record<string, boolean>> = { allOf: true, anyOf: true, oneOf: true, prefixItems: false };
export const NAMED: Readonly<Record<string, boolean>> = { dependentSchemas: true, properties: false, patternProperties: false };
/** Rules that are taken over as they are. */
export const PLAIN = new Set([
  'type',
  'multipleOf',
  'maximum',
  'minimum',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'maxItems',
  'minItems',
  'uniqueItems',
  'maxContains',
  'minContains',
  'maxProperties',
  'minProperties',
  'dependentRequired',
  'default',
]);
/** Rules whose cost grows with the value: they are charged. */
export const CHARGED = [
  'items',
  'contains',
  'uniqueItems',
  'prefixItems',
  'additionalProperties',
  'patternProperties',
  'propertyNames',
  'unevaluatedProperties',
  'unevaluatedItems',
  'minProperties',
  'maxProperties',
  'pattern',
  'format',
  'minLength',
  'maxLength',
  'enum',
  'const',
];

/**
 * Ajv takes what `if` looked at for evaluated also where it failed, and leaves `if` out where no `then` follows. As a union of both
 * cases it says the same of validity, and the right thing of what was evaluated.
 */
export function asUnion(plain: PlainMapping): void {
  const { if: condition, then: consequence = true, else: alternative = true } = plain;
  delete plain.if;
  delete plain.then;
  delete plain.else;
  const cases = [{ allOf: [condition, consequence] }, { allOf: [{ not: condition }, alternative] }];
  plain.allOf = [...listOf(plain.allOf), { anyOf: cases }];
}

/** The value with objects as the reader of bodies makes them: without a prototype. */
export function bare(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(bare);
  const copy = Object.create(null) as Record<string, Json>;
  for (const [name, inner] of Object.entries(value)) copy[name] = bare(inner as Json);
  return copy;
}
