import type { Json, Location } from './contract.ts';
import { FORMATS } from './formats.ts';
import { hintFor, keywordsOf } from './keywords.ts';
import { PatternError, type Patterns } from './patterns.ts';
import { isMapping, listOf, type Mapping, member, parsePointer } from './pointer.ts';
import type { Problems } from './problems.ts';
import { ReadOnly } from './read-only.ts';
import type { Node, References, Resource } from './references.ts';

/** A schema as the compiler takes it: plain 2020-12, every `$ref` the name of another of these. */
export type PlainSchema = boolean | PlainMapping;
export type PlainMapping = { [keyword: string]: unknown };

/** Schemas of one document. Generated ones run to some thousands; more is a way to exhaust memory. */
const MAX_SCHEMAS = 50_000;

/**
 * What a schema means apart from its text. The same place of a document is normalised once for each meaning, so that nothing of this is
 * left to be decided when a request is checked.
 */
interface Meaning {
  /** Where `$dynamicRef` leads: the outermost resource that was entered decides (2020-12, 8.2.3.2), and that is known beforehand. */
  readonly scope: Scope;
  /** Names that `required` may not ask for, because a request does not send them. */
  readonly unasked: ReadonlySet<string>;
  /** The schema that this one is part of. */
  readonly owner: PlainOwner;
  /** Whether it is applied to the owner's own value, not to a part of it. */
  readonly inPlace: boolean;
}

interface PlainOwner {
  readonly name: string;
  readonly location: Location;
  /** Schemas that are applied to the same value, and all that are referred to. */
  readonly inPlace: Set<string>;
  readonly all: Set<string>;
}

/** The dynamic anchors that are in force. */
class Scope {
  readonly anchors: ReadonlyMap<string, Location>;
  readonly key: string;

  constructor(anchors: ReadonlyMap<string, Location>) {
    this.anchors = anchors;
    this.key = [...anchors].map(([name, { file, pointer }]) => `${name}=${file}#${pointer}`).join(' ');
  }

  enter({ dynamicAnchors, root }: Resource): Scope {
    const fresh = [...dynamicAnchors].filter(([name]) => !this.anchors.has(name));
    if (fresh.length === 0) return this;
    return new Scope(
      new Map([...this.anchors, ...fresh.map(([name, pointer]) => [name, { file: root.file, pointer }] as const)]),
    );
  }
}

const NO_SCOPE = new Scope(new Map());

/** Keywords whose value is one schema, a list, or a mapping of them; and whether they look at the value itself. */
const ONE: Readonly<Record<string, boolean>> = {
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
const LIST: Readonly<Record<string, boolean>> = { allOf: true, anyOf: true, oneOf: true, prefixItems: false };
const NAMED: Readonly<Record<string, boolean>> = { dependentSchemas: true, properties: false, patternProperties: false };
/** Rules that are taken over as they are. */
const PLAIN = new Set([
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
const CHARGED = [
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
 * Turns the schemas of a document into plain ones: references resolved, OpenAPI 3.0's dialect translated, `$dynamicRef` decided,
 * `readOnly` made a rule. All that can be wrong with a schema is found here.
 */
export class Normalizer {
  readonly schemas = new Map<string, PlainSchema>();
  /** Where a plain schema comes from. */
  readonly origins = new WeakMap<object, Location>();
  usesUnevaluated = false;
  readonly #owners = new Map<string, PlainOwner>();
  /** Schemas that a discriminator leads to. */
  readonly chosen = new Set<string>();
  readonly #names = new Map<string, string>();
  readonly #waiting: (() => void)[] = [];
  readonly #references: References;
  readonly #problems: Problems;
  readonly #patterns: Patterns;
  readonly #version: '3.0' | '3.1';
  readonly #readOnly: ReadOnly;
  readonly #refuseReadOnly: boolean;
  readonly #unevaluatedItems: Location[] = [];
  #contains = false;
  readonly #conditions: PlainMapping[] = [];
  #full = false;

  constructor(version: '3.0' | '3.1', references: References, problems: Problems, patterns: Patterns, refuseReadOnly: boolean) {
    this.#version = version;
    this.#references = references;
    this.#problems = problems;
    this.#patterns = patterns;
    this.#refuseReadOnly = refuseReadOnly;
    this.#readOnly = new ReadOnly(references, version);
  }

  /** The name of the plain schema for what stands at the node, with all that it refers to. */
  add(node: Node): string {
    const name = this.#name(node, NO_SCOPE, this.#readOnly.names(node));
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) next();
    return name;
  }

  /** Names of all schemas that one leads to, itself included. */
  closure(name: string): Set<string> {
    const closure = new Set([name]);
    for (const one of closure) for (const next of this.#owners.get(one)?.all ?? []) closure.add(next);
    return closure;
  }

  /** Tells of schemas that apply themselves to the same value again: no value ever gets through. */
  #findCircles(): void {
    const done = new Set<string>();
    for (const start of this.#owners.keys()) if (!done.has(start)) this.#findCircle(start, done);
  }

  /** What is known only when all schemas are there: what the compiler cannot do as the standard says it. */
  finish(): void {
    if (this.usesUnevaluated) this.#conditions.forEach(asUnion);
    this.#findCircles();
    if (!this.#contains) return;
    for (const at of this.#unevaluatedItems)
      this.#problems.warn(at, '`unevaluatedItems` takes all items for evaluated where `contains` holds for the same list', {
        at: 'key',
      });
  }

  #findCircle(start: string, done: Set<string>): void {
    const open = new Set<string>();
    const steps: { readonly name: string; readonly next: Iterator<string> }[] = [];
    const enter = (name: string) => {
      open.add(name);
      steps.push({ name, next: (this.#owners.get(name)?.inPlace ?? new Set<string>()).values() });
    };
    enter(start);
    for (let step = steps.at(-1); step !== undefined; step = steps.at(-1)) {
      const following = step.next.next();
      if (following.done === true) {
        steps.pop();
        open.delete(step.name);
        done.add(step.name);
      } else if (open.has(following.value)) this.#tellCircle(following.value);
      else if (!done.has(following.value)) enter(following.value);
    }
  }

  #tellCircle(name: string): void {
    const location = this.#owners.get(name)?.location;
    if (location !== undefined) this.#problems.add(location, 'this schema applies itself to the same value again, without end');
  }

  #name(node: Node, outer: Scope, unasked: ReadonlySet<string>): string {
    const scope = outer.enter(node.resource);
    const key = `${node.file}#${node.pointer} ${scope.key} ${[...unasked].sort().join('\0')}`;
    let name = this.#names.get(key);
    if (name === undefined) {
      name = `s${this.#names.size}`;
      this.#names.set(key, name);
      const owner: PlainOwner = { name, location: node, inPlace: new Set(), all: new Set() };
      this.#owners.set(name, owner);
      if (this.#names.size > MAX_SCHEMAS) this.#refuseMore(node);
      else this.#waiting.push(() => this.#fill(node, { scope, unasked, owner, inPlace: true }));
    }
    return name;
  }

  #fill(node: Node, meaning: Meaning): void {
    const plain = this.#schema(node, meaning);
    if (typeof plain === 'object') plain.visit = true;
    this.schemas.set(meaning.owner.name, plain);
  }

  #refuseMore(node: Node): void {
    if (!this.#full) this.#problems.add(node, `the document has more than ${MAX_SCHEMAS} schemas`);
    this.#full = true;
  }

  #schema(node: Node, outer: Meaning): PlainSchema {
    const { value } = node;
    if (typeof value === 'boolean') return value;
    if (!isMapping(value)) {
      this.#problems.add(node, 'must be a schema');
      return true;
    }
    const meaning = { ...outer, scope: outer.scope.enter(node.resource) };
    const plain: PlainMapping = {};
    this.origins.set(plain, { file: node.file, pointer: node.pointer });
    if (this.#version === '3.0' && typeof value.$ref === 'string') {
      this.#refer(node, value.$ref, meaning, plain);
      this.#warnSiblings(node, value);
      return plain;
    }
    for (const keyword of Object.keys(value)) this.#keyword(node, value, keyword, meaning, plain);
    if (this.#version === '3.0') this.#translate(node, value, plain);
    else if (plain.if !== undefined) this.#conditions.push(plain);
    if (CHARGED.some((keyword) => keyword in plain)) plain.charge = true;
    return plain;
  }

  #keyword(node: Node, schema: Mapping, keyword: string, meaning: Meaning, plain: PlainMapping): void {
    const at = this.#references.child(node, keyword);
    const known = keywordsOf(this.#version);
    if (!Object.hasOwn(known, keyword)) return this.#unknown(at, keyword);
    const wrong = known[keyword](schema[keyword]);
    if (wrong !== undefined) return this.#problems.add(at, `\`${keyword}\` ${wrong}`);
    if (PLAIN.has(keyword)) plain[keyword] = schema[keyword];
    else if (Object.hasOwn(ONE, keyword)) this.#one(at, keyword, meaning, plain);
    else if (Object.hasOwn(LIST, keyword))
      plain[keyword] = (schema[keyword] as unknown[]).map((_, index) =>
        this.#part(this.#references.child(at, index), LIST[keyword], meaning),
      );
    else if (Object.hasOwn(NAMED, keyword)) this.#named(at, keyword, meaning, plain);
    else this.#special(node, at, keyword, meaning, plain);
  }

  #unknown(at: Node, keyword: string): void {
    if (keyword.startsWith('x-')) return;
    const hint = hintFor(this.#version, keyword);
    const message = `\`${keyword}\` is no keyword of schemas in OpenAPI ${this.#version}: it is not checked`;
    this.#problems.add(at, message, { severity: 'warning', at: 'key', ...(hint === undefined ? {} : { hint }) });
  }

  #special(node: Node, at: Node, keyword: string, meaning: Meaning, plain: PlainMapping): void {
    const value = at.value;
    if (keyword === '$ref') this.#refer(node, value as string, meaning, plain);
    else if (keyword === '$dynamicRef') this.#referDynamically(node, value as string, meaning, plain);
    else if (keyword === 'required') plain.required = (value as string[]).filter((name) => !meaning.unasked.has(name));
    else if (keyword === 'enum') plain.enum = (value as Json[]).map(bare);
    else if (keyword === 'const') plain.const = bare(value as Json);
    else if (keyword === 'pattern') this.#pattern(at, value as string, () => (plain.pattern = value));
    else if (keyword === 'format') this.#format(at, value as string, plain);
    else if (keyword === 'discriminator') this.#discriminator(node, at, meaning, plain);
    else if (
      keyword === '$schema' &&
      !/^https:\/\/(?:json-schema\.org\/draft\/2020-12|spec\.openapis\.org\/oas\/3\.1)\//.test(String(value))
    )
      this.#problems.add(at, 'the schema is read as one of draft 2020-12', { severity: 'warning' });
  }

  #one(at: Node, keyword: string, meaning: Meaning, plain: PlainMapping): void {
    if (typeof at.value === 'boolean' && this.#version === '3.0' && keyword !== 'additionalProperties')
      return this.#problems.add(at, `\`${keyword}\` must be a schema`);
    if (keyword.startsWith('unevaluated')) this.usesUnevaluated = true;
    if (keyword === 'unevaluatedItems') this.#unevaluatedItems.push(at);
    if (keyword === 'contains') this.#contains = true;
    const part = this.#part(at, ONE[keyword], meaning);
    // What fails in `contains` is gathered item by item in a way that is quadratic; below a double `not` nothing is gathered.
    plain[keyword] = keyword === 'contains' && typeof part !== 'boolean' ? { not: { not: part } } : part;
  }

  /** A schema inside another. Applied to a part of the value, it starts with what that part may leave out. */
  #part(node: Node, inPlace: boolean, meaning: Meaning): PlainSchema {
    if (inPlace) return this.#schema(node, meaning);
    return this.#schema(node, { ...meaning, inPlace: false, unasked: this.#readOnly.names(node) });
  }

  #named(at: Node, keyword: string, meaning: Meaning, plain: PlainMapping): void {
    const parts = Object.create(null) as PlainMapping;
    for (const name of Object.keys(at.value as Mapping)) {
      const node = this.#references.child(at, name);
      if (name === '__proto__')
        this.#problems.add(node, 'no rule can be kept for a member of the name __proto__', { severity: 'warning' });
      else if (keyword === 'properties' && this.#refuseReadOnly && this.#readOnly.is(node)) {
        parts[name] = { readOnly: true };
        this.origins.set(parts[name] as object, { file: node.file, pointer: node.pointer });
      } else if (keyword === 'patternProperties')
        this.#pattern(node, name, () => (parts[name] = this.#part(node, false, meaning)), 'key');
      else parts[name] = this.#part(node, NAMED[keyword], meaning);
    }
    plain[keyword] = parts;
  }

  #pattern(at: Location, source: string, take: () => void, where?: 'key'): void {
    try {
      this.#patterns.compile(source);
      take();
    } catch (error) {
      if (!(error instanceof PatternError)) throw error;
      this.#problems.add(at, `the pattern ${error.message}`, where === undefined ? {} : { at: where });
    }
  }

  #format(at: Location, format: string, plain: PlainMapping): void {
    if (FORMATS.has(format)) plain.format = format;
    else this.#problems.add(at, `the format ${JSON.stringify(format)} is not known: it is not checked`, { severity: 'warning' });
  }

  #refer(node: Node, reference: string, meaning: Meaning, plain: PlainMapping): void {
    const target = this.#references.resolve(node, reference);
    if (target !== undefined) plain.$ref = this.#use(target, meaning);
  }

  #referDynamically(node: Node, reference: string, meaning: Meaning, plain: PlainMapping): void {
    const at = this.#references.child(node, '$dynamicRef');
    const target = this.#references.resolve(node, reference, at);
    if (target === undefined) return;
    const anchor = reference.slice(reference.indexOf('#') + 1);
    const outermost = member(target.value, '$dynamicAnchor') === anchor ? meaning.scope.anchors.get(anchor) : undefined;
    const file = outermost && this.#references.open(outermost.file);
    const chosen = file && outermost ? this.#references.child(file, ...(parsePointer(outermost.pointer) ?? [])) : target;
    const name = this.#use(chosen, meaning);
    if (plain.$ref === undefined) plain.$ref = name;
    else plain.allOf = [...((plain.allOf as unknown[]) ?? []), { $ref: name }];
  }

  /** The name of a schema that another refers to. */
  #use(target: Node, { scope, unasked, owner, inPlace }: Meaning): string {
    const name = this.#name(target, scope, unasked);
    owner.all.add(name);
    if (inPlace) owner.inPlace.add(name);
    return name;
  }

  #warnSiblings(node: Node, value: Mapping): void {
    const rules = Object.keys(value).filter(
      (name) => !/^(?:\$ref|title|description|summary|example|externalDocs|deprecated|default|xml|x-.*)$/.test(name),
    );
    for (const name of rules) {
      const message = `\`${name}\` beside a $ref is not read in OpenAPI 3.0`;
      this.#problems.add(this.#references.child(node, name), message, {
        severity: 'warning',
        at: 'key',
        hint: 'put both into allOf',
      });
    }
  }

  /** OpenAPI 3.0's own: `nullable`, and exclusive bounds that are marks on the others. */
  #translate(node: Node, value: Mapping, plain: PlainMapping): void {
    for (const [mark, bound] of [
      ['exclusiveMaximum', 'maximum'],
      ['exclusiveMinimum', 'minimum'],
    ]) {
      const exclusive = plain[mark];
      delete plain[mark];
      if (exclusive !== true || plain[bound] === undefined) continue;
      plain[mark] = plain[bound];
      delete plain[bound];
    }
    if (value.nullable !== true) return;
    if (typeof plain.type === 'string') plain.type = [plain.type, 'null'];
    else {
      const message = '`nullable` means nothing where the same schema has no `type`';
      this.#problems.add(this.#references.child(node, 'nullable'), message, { severity: 'warning', at: 'key' });
    }
  }

  /**
   * With a mapping, the discriminator is a rule of its own: the property names one of the schemas, and that one holds. Otherwise the
   * service could take a value for another thing than the one as which it was checked.
   */
  #discriminator(node: Node, at: Node, meaning: Meaning, plain: PlainMapping): void {
    const { propertyName, mapping } = at.value as Mapping;
    if (typeof propertyName !== 'string') return this.#problems.add(at, '`discriminator` must have a propertyName');
    if (mapping === undefined) return;
    if (!isMapping(mapping))
      return this.#problems.add(this.#references.child(at, 'mapping'), '`mapping` must map values to schemas');
    const union = [...listOf(member(node.value, 'oneOf')), ...listOf(member(node.value, 'anyOf'))];
    const chosen = Object.create(null) as Record<string, string | null>;
    for (const reference of union.map((schema) => member(schema, '$ref')).filter((ref) => typeof ref === 'string'))
      this.#choose(node, reference.slice(reference.lastIndexOf('/') + 1), reference, meaning, chosen);
    for (const [value, reference] of Object.entries(mapping)) {
      const location = this.#references.child(at, 'mapping', value);
      if (typeof reference !== 'string') this.#problems.add(location, 'must be the name of a schema or a reference to one');
      else this.#choose(location, value, asReference(reference), meaning, chosen, union.length > 0);
    }
    plain.discriminator = { propertyName, chosen };
  }

  #choose(
    at: Node,
    value: string,
    reference: string,
    meaning: Meaning,
    chosen: Record<string, string | null>,
    hold = true,
  ): void {
    const target = this.#references.resolve(at, reference, at);
    // Without a union the mapping's schemas build on this one, and applying them would not end.
    if (target === undefined) return;
    chosen[value] = hold ? this.#use(target, meaning) : null;
    if (chosen[value] !== null) this.chosen.add(chosen[value]);
  }
}

/**
 * Ajv takes what `if` looked at for evaluated also where it failed, and leaves `if` out where no `then` follows. As a union of both
 * cases it says the same of validity, and the right thing of what was evaluated.
 */
function asUnion(plain: PlainMapping): void {
  const { if: condition, then: consequence = true, else: alternative = true } = plain;
  delete plain.if;
  delete plain.then;
  delete plain.else;
  const cases = [{ allOf: [condition, consequence] }, { allOf: [{ not: condition }, alternative] }];
  plain.allOf = [...listOf(plain.allOf), { anyOf: cases }];
}

/** `Dog` is a schema of the document, unless it looks like a file or a fragment. */
const asReference = (name: string): string =>
  /^[\w.-]+$/.test(name) && !/\.(?:json|ya?ml)$/i.test(name) ? `#/components/schemas/${name}` : name;

/** The value with objects as the reader of bodies makes them: without a prototype. */
function bare(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(bare);
  const copy = Object.create(null) as Record<string, Json>;
  for (const [name, inner] of Object.entries(value)) copy[name] = bare(inner as Json);
  return copy;
}
