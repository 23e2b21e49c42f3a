import { Random } from './random.ts';

/**
 * Values that follow a schema more or less: mostly as it says, here and there not, so that both verdicts come up and for many reasons.
 * Nothing of the gateway has a hand in them.
 */

export type Raw = Readonly<Record<string, unknown>>;

const TEXTS = [
  '',
  'a',
  'x y',
  'A-1',
  '0',
  '12',
  'true',
  'é\u{1f600}',
  'longer text with words in it',
  '2026-11-24',
  '2026-02-30',
  '2026-11-24T10:00:00Z',
  '2026-11-24T10:00:00.5+01:00',
  '2026-11-24 10:00:00',
  'a@example.com',
  'a@',
  'https://example.com/a?b#c',
  '/relative',
  'not a uri',
  'de305d54-75b4-431b-adb2-eb6b9e546014',
  '127.0.0.1',
  '::1',
  'example.com',
  '#ff00aa',
  'x'.repeat(300),
];
const NUMBERS = [0, 1, -1, 2, 10, 100, 1000, 0.5, -0.1, 1.01, 2_147_483_647, 2_147_483_648, 1e15, 1e21];
const NAMES = ['a', 'id', 'name', 'extra', 'constructor', 'toString'];

export class NearValues {
  readonly #root: unknown;
  readonly #random: Random;
  /** How often a rule is not followed. */
  readonly #wild: number;

  constructor(root: unknown, seed: number, wild = 0.06) {
    this.#root = root;
    this.#random = new Random(seed);
    this.#wild = wild;
  }

  make(written: unknown, depth = 0): unknown {
    const random = this.#random;
    if (depth > 7 || random.chance(this.#wild) || typeof written !== 'object' || written === null) return this.#any(depth);
    const schema = this.#resolve(written as Raw);
    if (schema.const !== undefined) return schema.const;
    if (Array.isArray(schema.enum)) return random.pick<unknown>(schema.enum);
    if (Array.isArray(schema.allOf)) return this.#merge(schema, schema.allOf as unknown[], depth);
    const choices = (schema.oneOf ?? schema.anyOf) as unknown[] | undefined;
    if (Array.isArray(choices) && choices.length > 0) return this.#merge(schema, [random.pick(choices)], depth);
    return this.#typed(schema, depth);
  }

  #resolve(written: Raw): Raw {
    let one: unknown = written;
    for (let i = 0; i < 20 && typeof (one as Raw | undefined)?.$ref === 'string'; i += 1) {
      let found: unknown = this.#root;
      for (const part of String((one as Raw).$ref)
        .split('/')
        .slice(1))
        found = (found as Raw | undefined)?.[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')];
      one = found;
    }
    return typeof one === 'object' && one !== null ? (one as Raw) : {};
  }

  /** What the schema says itself and what the others say, in one object where they are objects. */
  #merge(schema: Raw, others: readonly unknown[], depth: number): unknown {
    const { allOf: _a, oneOf: _o, anyOf: _y, ...own } = schema;
    const values = others.map((one) => this.make(one, depth + 1));
    if (own.properties !== undefined || own.type !== undefined) values.push(this.#typed(own, depth));
    const isObject = (one: unknown) => typeof one === 'object' && one !== null && !Array.isArray(one);
    return values.every(isObject) ? Object.assign({}, ...(values as object[])) : values.at(-1);
  }

  #typed(schema: Raw, depth: number): unknown {
    const type: unknown = Array.isArray(schema.type) ? this.#random.pick(schema.type) : schema.type;
    if (schema.nullable === true && this.#random.chance(0.1)) return null;
    if (type === 'string') return this.#text(schema);
    if (type === 'integer') return Math.trunc(this.#number(schema));
    if (type === 'number') return this.#number(schema);
    if (type === 'boolean') return this.#random.chance(0.5);
    if (type === 'null') return null;
    if (type === 'array') return this.#array(schema, depth);
    if (type === 'object' || schema.properties !== undefined) return this.#object(schema, depth);
    return this.#any(depth);
  }

  #text(schema: Raw): string {
    const { minLength, maxLength } = schema;
    if (this.#random.chance(0.3) && typeof maxLength === 'number')
      return 'm'.repeat(Math.min(maxLength + this.#random.below(2), 5000));
    if (this.#random.chance(0.3) && typeof minLength === 'number')
      return 'n'.repeat(Math.max(0, minLength - this.#random.below(2)));
    return this.#random.pick(TEXTS);
  }

  #number(schema: Raw): number {
    const bounds = [schema.minimum, schema.maximum, schema.exclusiveMinimum, schema.exclusiveMaximum].filter(
      (one): one is number => typeof one === 'number',
    );
    if (bounds.length > 0 && this.#random.chance(0.6)) return this.#random.pick(bounds) + this.#random.below(3) - 1;
    return this.#random.pick(NUMBERS);
  }

  #array(schema: Raw, depth: number): unknown[] {
    const least = typeof schema.minItems === 'number' && schema.minItems < 20 ? schema.minItems : 0;
    const length = Math.max(0, least + this.#random.below(4) - (this.#random.chance(this.#wild) ? 1 : 0));
    return Array.from({ length }, () => this.make(schema.items ?? {}, depth + 1));
  }

  #object(schema: Raw, depth: number): Record<string, unknown> {
    const made: Record<string, unknown> = {};
    const required = new Set((schema.required as string[] | undefined) ?? []);
    const properties = (schema.properties as Raw | undefined) ?? {};
    for (const name of new Set([...required, ...Object.keys(properties)])) {
      const wanted = required.has(name) ? 1 - this.#wild / 2 : depth > 3 ? 0.1 : 0.6;
      if (name !== '__proto__' && this.#random.chance(wanted)) made[name] = this.make(properties[name] ?? {}, depth + 1);
    }
    if (typeof schema.additionalProperties === 'object')
      for (const name of NAMES.filter(() => this.#random.chance(0.2)))
        made[name] ??= this.make(schema.additionalProperties, depth + 1);
    if (this.#random.chance(this.#wild)) made[this.#random.pick(NAMES)] = this.#any(depth);
    return made;
  }

  #any(depth: number): unknown {
    const kind = this.#random.below(depth > 6 ? 4 : 6);
    if (kind === 0) return null;
    if (kind === 1) return this.#random.chance(0.5);
    if (kind === 2) return this.#random.pick(NUMBERS);
    if (kind === 3) return this.#random.pick(TEXTS);
    if (kind === 4) return Array.from({ length: this.#random.below(3) }, () => this.#any(depth + 2));
    return Object.fromEntries(NAMES.filter(() => this.#random.chance(0.3)).map((name) => [name, this.#any(depth + 2)]));
  }
}
