import { findCircles } from './circles.ts';
import type { Json, Location } from './contract.ts';
import { Dialect } from './dialect.ts';
import { readDiscriminator } from './discriminator.ts';
import { FORMATS } from './formats.ts';
import { hintFor, keywordsOf } from './keywords.ts';
import { PatternError, type Patterns } from './patterns.ts';
import {
  asUnion,
  bare,
  CHARGED,
  LIST,
  NAMED,
  ONE,
  PLAIN,
  type PlainMapping,
  type PlainOwner,
  type PlainSchema,
} from './plain-schema.ts';
import { isMapping, type Mapping, member, parsePointer } from './pointer.ts';
import type { Problems } from './problems.ts';
import { ReadOnly } from './read-only.ts';
import type { Node, References } from './references.ts';
import { NO_SCOPE, type Scope } from './scope.ts';

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
  readonly #dialect: Dialect;
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
    this.#dialect = new Dialect(references, problems);
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

  /** What is known only when all schemas are there: what the compiler cannot do as the standard says it. */
  finish(): void {
    if (this.usesUnevaluated) this.#conditions.forEach(asUnion);
    findCircles(this.#owners, ({ location }) =>
      this.#problems.add(location, 'this schema applies itself to the same value again, without end'),
    );
    if (!this.#contains) return;
    for (const at of this.#unevaluatedItems)
      this.#problems.warn(at, '`unevaluatedItems` takes all items for evaluated where `contains` holds for the same list', {
        at: 'key',
      });
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
      this.#dialect.warnSiblings(node, value);
      return plain;
    }
    for (const keyword of Object.keys(value)) this.#keyword(node, value, keyword, meaning, plain);
    if (this.#version === '3.0') this.#dialect.translate(node, value, plain);
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

  #discriminator(node: Node, at: Node, meaning: Meaning, plain: PlainMapping): void {
    const use = (target: Node): string => {
      const name = this.#use(target, meaning);
      this.chosen.add(name);
      return name;
    };
    const rule = readDiscriminator(node, at, { references: this.#references, problems: this.#problems, use });
    if (rule !== undefined) plain.discriminator = rule;
  }
}
