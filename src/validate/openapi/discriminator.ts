import { isMapping, listOf, type Mapping, member } from './pointer.ts';
import type { Problems } from './problems.ts';
import type { Node, References } from './references.ts';

/** The rule that a `discriminator` with a `mapping` is. */
export interface Discriminator {
  readonly propertyName: string;
  /** The schema by the property's value; null: none beyond the value itself. */
  readonly chosen: Readonly<Record<string, string | null>>;
}

export interface DiscriminatorParts {
  readonly references: References;
  readonly problems: Problems;
  /** The name of the plain schema for what a reference leads to. */
  use(target: Node): string;
}

/**
 * With a mapping, the discriminator is a rule of its own: the property names one of the schemas, and that one holds. Otherwise the
 * service could take a value for another thing than the one as which it was checked.
 * @param schema the schema that has it
 * @param at the discriminator itself
 */
export function readDiscriminator(schema: Node, at: Node, parts: DiscriminatorParts): Discriminator | undefined {
  const { references, problems } = parts;
  const { propertyName, mapping } = at.value as Mapping;
  const fail = (where: Node, message: string): undefined => problems.add(where, message) as undefined;
  if (typeof propertyName !== 'string') return fail(at, '`discriminator` must have a propertyName');
  if (mapping === undefined) return undefined;
  if (!isMapping(mapping)) return fail(references.child(at, 'mapping'), '`mapping` must map values to schemas');
  const union = [...listOf(member(schema.value, 'oneOf')), ...listOf(member(schema.value, 'anyOf'))];
  const chosen = Object.create(null) as Record<string, string | null>;
  const choose = (where: Node, value: string, reference: string, hold: boolean): void => {
    const target = references.resolve(where, reference, where);
    // Without a union the mapping's schemas build on this one, and applying them would not end.
    if (target !== undefined) chosen[value] = hold ? parts.use(target) : null;
  };
  for (const reference of union.map((one) => member(one, '$ref')).filter((ref) => typeof ref === 'string'))
    choose(schema, reference.slice(reference.lastIndexOf('/') + 1), reference, true);
  for (const [value, reference] of Object.entries(mapping)) {
    const where = references.child(at, 'mapping', value);
    if (typeof reference === 'string') choose(where, value, asReference(reference), union.length > 0);
    else fail(where, 'must be the name of a schema or a reference to one');
  }
  return { propertyName, chosen };
}

/** `Dog` is a schema of the document, unless it looks like a file or a fragment. */
const asReference = (name: string): string =>
  /^[\w.-]+$/.test(name) && !/\.(?:json|ya?ml)$/i.test(name) ? `#/components/schemas/${name}` : name;
