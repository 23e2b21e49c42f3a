import type { Json, JsonType, Shape } from './contract.ts';
import { JSON_TYPES } from './keywords.ts';
import { findOpenObjects } from './open-objects.ts';
import type { PlainMapping, PlainSchema } from './plain-schema.ts';
import { isMapping, listOf, member } from './pointer.ts';

const ALL: ReadonlySet<JsonType> = new Set(JSON_TYPES);
const UNIONS = ['anyOf', 'oneOf'];

type Schemas = ReadonlyMap<string, PlainSchema>;

/** The shape of a plain schema. Made when a document loads: it walks. */
export function shapeOf(name: string, schemas: Schemas): Shape {
  return new PlainShape([{ $ref: name }], schemas);
}

/** The shape of several schemas that hold, or may hold, for one value. */
class PlainShape implements Shape {
  readonly types: ReadonlySet<JsonType>;
  readonly properties: readonly string[];
  readonly fallback: Json | undefined;
  readonly #starts: readonly PlainSchema[];
  readonly #family: readonly PlainMapping[];
  readonly #schemas: Schemas;
  readonly #members = new Map<string, Shape | undefined>();

  constructor(starts: readonly PlainSchema[], schemas: Schemas) {
    const sets = starts.map((one) => typesOf(one, schemas, new Map()));
    this.types = new Set(JSON_TYPES.filter((type) => sets.every((set) => set.has(type))));
    this.#starts = starts;
    this.#family = familyOf(starts, schemas);
    this.#schemas = schemas;
    this.properties = [...new Set(this.#family.flatMap((one) => (isMapping(one.properties) ? Object.keys(one.properties) : [])))];
    this.fallback = this.#family.find((one) => Object.hasOwn(one, 'default'))?.default as Json | undefined;
  }

  item(index: number): Shape | undefined {
    return this.#member(`[${index}]`, (one) => listOf(one.prefixItems)[index] ?? one.items);
  }

  property(name: string): Shape | undefined {
    return this.#member(`.${name}`, (one) => member(one.properties, name) ?? one.additionalProperties);
  }

  openObjects(): string[] {
    return findOpenObjects(this.#starts, this.#schemas);
  }

  #member(key: string, pick: (schema: PlainMapping) => unknown): Shape | undefined {
    if (this.#members.has(key)) return this.#members.get(key);
    const found = this.#family.map(pick).filter((one) => isMapping(one)) as PlainMapping[];
    const shape = found.length === 0 ? undefined : new PlainShape(found, this.#schemas);
    // Names come from clients: only those that the document knows are kept.
    if (key.startsWith('.') ? this.properties.includes(key.slice(1)) : key.length < 4) this.#members.set(key, shape);
    return shape;
  }
}

/** The schemas and what they apply to the same value, each once. */
function familyOf(starts: readonly PlainSchema[], schemas: Schemas): PlainMapping[] {
  const family = new Set<PlainMapping>();
  const waiting: unknown[] = [...starts];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (!isMapping(next) || family.has(next)) continue;
    family.add(next);
    if (typeof next.$ref === 'string') waiting.push(schemas.get(next.$ref));
    for (const keyword of ['allOf', ...UNIONS]) waiting.push(...listOf(next[keyword]));
  }
  return [...family];
}

type Known = Map<unknown, ReadonlySet<JsonType>>;

/** The types that a schema admits, each schema looked at once. What goes round adds nothing. */
function typesOf(schema: unknown, schemas: Schemas, known: Known): ReadonlySet<JsonType> {
  if (schema === false) return new Set();
  if (!isMapping(schema)) return ALL;
  const before = known.get(schema);
  if (before !== undefined) return before;
  known.set(schema, ALL);
  const sets: ReadonlySet<JsonType>[] = [ownTypes(schema)];
  if (typeof schema.$ref === 'string') sets.push(typesOf(schemas.get(schema.$ref), schemas, known));
  for (const one of listOf(schema.allOf)) sets.push(typesOf(one, schemas, known));
  for (const union of UNIONS) {
    if (schema[union] === undefined) continue;
    sets.push(new Set(listOf(schema[union]).flatMap((one) => [...typesOf(one, schemas, known)])));
  }
  const types = new Set(JSON_TYPES.filter((type) => sets.every((set) => set.has(type))));
  known.set(schema, types);
  return types;
}

function ownTypes(schema: PlainMapping): ReadonlySet<JsonType> {
  if (schema.type !== undefined) {
    const types = new Set([schema.type].flat() as JsonType[]);
    if (types.has('number')) types.add('integer');
    return types;
  }
  if (Array.isArray(schema.enum)) return new Set(schema.enum.flatMap(typesOfValue));
  return Object.hasOwn(schema, 'const') ? new Set(typesOfValue(schema.const)) : ALL;
}

function typesOfValue(value: unknown): JsonType[] {
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  if (typeof value === 'number') return Number.isInteger(value) ? ['integer', 'number'] : ['number'];
  return [typeof value as JsonType];
}
