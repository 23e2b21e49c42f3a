import type { PlainMapping, PlainSchema } from './plain-schema.ts';
import { isMapping, listOf, type Mapping } from './pointer.ts';

type Schemas = ReadonlyMap<string, PlainSchema>;

/** Keywords whose schemas are applied to the same value. */
const PARTS = ['allOf', 'anyOf', 'oneOf'];

/** Objects that take members which nobody declared, by where they are in the value. */
export function findOpenObjects(starts: readonly PlainSchema[], schemas: Schemas): string[] {
  const finder = new Finder(schemas);
  for (const start of starts) finder.add(start, '', false);
  return finder.find();
}

interface Waiting {
  readonly schema: PlainMapping;
  readonly place: string;
  /** What it is a part of takes no other members. */
  readonly closed: boolean;
}

class Finder {
  readonly #schemas: Schemas;
  readonly #waiting: Waiting[] = [];
  /** Each schema is looked at once: one that holds itself comes to an end, and many that share parts stay quick. */
  readonly #seen = new Map<PlainMapping, Set<boolean>>();

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  add(schema: unknown, place: string, closed: boolean): void {
    if (!isMapping(schema)) return;
    const before = this.#seen.get(schema) ?? new Set();
    // What was looked at as open has told more already.
    if (before.has(closed) || before.has(false)) return;
    this.#seen.set(schema, before.add(closed));
    this.#waiting.push({ schema, place, closed });
  }

  /** A list, not recursion: references lead as deep as there are schemas. */
  find(): string[] {
    const found = new Set<string>();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const { schema, place } = next;
      const closed = next.closed || this.#closes(schema) || this.#partsOf(schema, ['allOf']).some((part) => this.#closes(part));
      if (isObject(schema) && !closed) found.add(place);
      for (const part of this.#partsOf(schema, PARTS)) this.add(part, place, closed);
      this.#addInner(schema, place);
    }
    return [...found];
  }

  #addInner({ properties, patternProperties, additionalProperties, items, prefixItems }: Mapping, place: string): void {
    for (const [name, inner] of membersOf(properties)) this.add(inner, `${place}.${name}`, false);
    for (const [, inner] of membersOf(patternProperties)) this.add(inner, `${place}.*`, false);
    this.add(additionalProperties, `${place}.*`, false);
    for (const inner of [items, ...listOf(prefixItems)]) this.add(inner, `${place}[]`, false);
  }

  #partsOf(schema: Mapping, keywords: readonly string[]): unknown[] {
    const target = typeof schema.$ref === 'string' ? [this.#schemas.get(schema.$ref)] : [];
    return [...target, ...keywords.flatMap((keyword) => listOf(schema[keyword]))];
  }

  /** No other members, or all others by a schema, which declares them. References that go round are an error of the document. */
  #closes(schema: unknown): boolean {
    for (let at = schema; isMapping(at); at = typeof at.$ref === 'string' ? this.#schemas.get(at.$ref) : undefined) {
      const { additionalProperties: others, unevaluatedProperties: rest } = at;
      if (others === false || rest === false || declares(others) || declares(rest)) return true;
    }
    return false;
  }
}

const membersOf = (value: unknown): [string, unknown][] => (isMapping(value) ? Object.entries(value) : []);

const declares = (schema: unknown) => isMapping(schema) && Object.keys(schema).length > 0;

function isObject({ type, properties }: Mapping): boolean {
  return [type].flat().includes('object') || properties !== undefined;
}
