import { type CoerceOptions, coerce } from './coerce.ts';
import type { Json, Operation, Parameter, SchemaViolation, Violation } from './contract.ts';
import { MAX_VIOLATIONS } from './contract.ts';
import {
  type Decode,
  type Form,
  ObjectBuilder,
  pathPieces,
  queryReadings,
  readArray,
  readObject,
  readScalar,
  Unreadable,
} from './styles.ts';
import { formDecode, percentDecode, reachesPrototype, textOfBytes } from './text.ts';

/** One field of a query as its one reader gives it: name and value decoded, as byte strings, and the value as it came. */
export interface QueryField {
  readonly name: string;
  readonly value: string;
  readonly raw: string;
}

/** A query as its one reader gives it. */
export interface Query {
  readonly fields: readonly QueryField[];
  readonly badEscape: boolean;
  readonly badUtf8: boolean;
  readonly semicolon: boolean;
  readonly truncated: boolean;
}

/** How values are read, and by whom those that are JSON. */
export interface ReadOptions extends CoerceOptions {
  /** The strict reader of JSON; undefined: not JSON, more than one reading, or beyond a bound. */
  parseJson(bytes: Buffer): Json | undefined;
}

/** What a value could be: the first that its schema takes counts. */
type Candidates = readonly (Json | Unreadable)[];

const NO_FIELDS: readonly QueryField[] = [];

/** The parameters of one operation: reads each by its style and holds it against its schema. */
export class Parameters {
  readonly #path: readonly Parameter[];
  readonly #query: QueryParameters;
  readonly #headers: readonly Parameter[];
  readonly #cookies: readonly Parameter[];
  readonly #options: ReadOptions;

  constructor(operation: Operation, options: ReadOptions) {
    const of = (place: Parameter['in']) => operation.parameters.filter((one) => one.in === place);
    this.#path = of('path');
    this.#query = new QueryParameters(of('query'), options);
    this.#headers = of('header');
    this.#cookies = of('cookie');
    this.#options = options;
  }

  /**
   * @param names of the template's parameters, and `raw` their texts in the canonical path, in the same order
   * @param headers flat list of names in lower case and values
   */
  check(names: readonly string[], raw: readonly string[], query: Query, headers: readonly string[]): Violation[] {
    const found: Violation[] = [];
    for (const parameter of this.#path) {
      const text = raw[names.indexOf(parameter.name)];
      if (text === undefined) add(found, parameter, 'required');
      else judge(found, parameter, pathCandidates(parameter, text, this.#options));
    }
    this.#query.check(query, found);
    for (const parameter of this.#headers) this.#header(parameter, headers, found);
    if (this.#cookies.length > 0) this.#cookieHeader(headers, found);
    return found;
  }

  #header(parameter: Parameter, headers: readonly string[], found: Violation[]): void {
    const values: string[] = [];
    for (let i = 0; i < headers.length; i += 2) if (headers[i] === parameter.name) values.push(headers[i + 1]);
    if (values.length === 0) {
      if (parameter.required) add(found, parameter, 'required');
    } else if (values.length > 1 && !formsOf(parameter).includes('array')) add(found, parameter, 'duplicate');
    else judge(found, parameter, headerCandidates(parameter, values.join(','), this.#options));
  }

  #cookieHeader(headers: readonly string[], found: Violation[]): void {
    const at = headers.findIndex((name, i) => i % 2 === 0 && name === 'cookie');
    const cookies = at < 0 ? [] : readCookies(headers[at + 1]);
    for (const parameter of this.#cookies) {
      const free = isFreeStanding(parameter);
      const values = cookies.filter(({ name }) =>
        free ? parameter.schema?.shape.properties.includes(name) : name === parameter.name,
      );
      if (values.length === 0) {
        if (parameter.required) add(found, parameter, 'required');
      } else if (free) judge(found, parameter, [readFreeStanding(parameter, values.map(decodedField), this.#options)]);
      else if (values.length > 1 && !formsOf(parameter).includes('array')) add(found, parameter, 'duplicate');
      else judgeValues(found, parameter, values, percentDecode, this.#options);
    }
  }
}

/** As the reader of a query gives its fields: what cannot be decoded is no UTF-8 either. */
function decodedField(field: QueryField): QueryField {
  const text = percentDecode(field.raw);
  return { ...field, value: text === undefined ? '\xff' : bytesOf(text) };
}

function readCookies(header: string): QueryField[] {
  return header.split(';').flatMap((piece) => {
    const equals = piece.indexOf('=');
    if (equals < 0) return [];
    const raw = piece.slice(equals + 1).trim();
    return [{ name: piece.slice(0, equals).trim(), value: raw, raw }];
  });
}

// ---- query

/** Where the fields of a query belong. */
class QueryParameters {
  readonly #parameters: readonly Parameter[];
  readonly #options: ReadOptions;
  /** Names that are those of a parameter, or of a property of an exploded object. */
  readonly #byName = new Map<string, number>();
  /** Exploded objects that take names which nothing else declares. */
  readonly #open: number;
  /** How the names of each deepObject begin. */
  readonly #deep: readonly (string | undefined)[];
  readonly #mayHoldSemicolon: boolean;

  constructor(parameters: readonly Parameter[], options: ReadOptions) {
    this.#parameters = parameters;
    this.#options = options;
    for (const [index, parameter] of parameters.entries()) {
      if (!isFreeStanding(parameter)) continue;
      for (const name of parameter.schema?.shape.properties ?? []) this.#byName.set(bytesOf(name), index);
    }
    for (const [index, parameter] of parameters.entries()) {
      if (!isFreeStanding(parameter)) this.#byName.set(bytesOf(parameter.name), index);
    }
    this.#deep = parameters.map((one) =>
      one.style === 'deepObject' && one.content === undefined ? `${bytesOf(one.name)}[` : undefined,
    );
    this.#open = parameters.findIndex((one) => isFreeStanding(one) && takesOthers(one));
    this.#mayHoldSemicolon = parameters.some((one) => one.allowReserved);
  }

  check(query: Query, found: Violation[]): void {
    if (query.badEscape || query.badUtf8) addAny(found, 'encoding');
    if (query.truncated) addAny(found, 'maxItems');
    if (query.semicolon && !this.#mayHoldSemicolon) addAny(found, 'semicolon');
    if (found.length > 0 && (query.badEscape || query.badUtf8)) return;
    const groups: (QueryField[] | undefined)[] = [];
    for (const field of query.fields) {
      const index = this.#indexOf(field.name);
      if (index < 0) addAny(found, 'undeclared', field.name);
      else (groups[index] ??= []).push(field);
    }
    for (let i = 0; i < this.#parameters.length; i += 1) this.#judge(this.#parameters[i], groups[i] ?? NO_FIELDS, found);
  }

  #indexOf(name: string): number {
    const index = this.#byName.get(name);
    if (index !== undefined) return index;
    const deep = this.#deep.findIndex((begin) => begin !== undefined && name.startsWith(begin));
    return deep >= 0 ? deep : this.#open;
  }

  #judge(parameter: Parameter, fields: readonly QueryField[], found: Violation[]): void {
    if (fields.length === 0) {
      if (parameter.required) add(found, parameter, 'required');
    } else if (parameter.style === 'deepObject' && parameter.content === undefined)
      judge(found, parameter, [readDeepObject(parameter, fields, this.#options)]);
    else if (isFreeStanding(parameter)) judge(found, parameter, [readFreeStanding(parameter, fields, this.#options)]);
    else judgeValues(found, parameter, fields, formDecode, this.#options);
  }
}

/** An object whose properties are fields of their own: `style: form, explode: true`. */
function isFreeStanding({ style, explode, schema, content }: Parameter): boolean {
  return content === undefined && style === 'form' && explode && schema !== undefined && isObjectOnly(schema.shape.types);
}

const isObjectOnly = (types: ReadonlySet<string>) => types.has('object') && !types.has('string') && !types.has('array');

/** True where the object's schema says by itself that other names may come. */
function takesOthers({ schema }: Parameter): boolean {
  const others = (schema?.raw as { additionalProperties?: unknown } | undefined)?.additionalProperties;
  return others === true || (typeof others === 'object' && others !== null);
}

function readFreeStanding(parameter: Parameter, fields: readonly QueryField[], options: ReadOptions): Json | Unreadable {
  const builder = new GroupedObject(parameter, options);
  for (const field of fields) {
    const problem = builder.add(field.name, field);
    if (problem !== undefined) return problem;
  }
  return builder.object;
}

/** `filter[name]=value`: one level and no more, for of what is deeper every reader makes something else. */
function readDeepObject(parameter: Parameter, fields: readonly QueryField[], options: ReadOptions): Json | Unreadable {
  const builder = new GroupedObject(parameter, options);
  const begin = bytesOf(parameter.name).length + 1;
  for (const field of fields) {
    const key = field.name.slice(begin, -1);
    // `filter` beside `filter[name]`, `filter[]`, `filter[a][b]`, `filter[a` and `filter[a]b`
    if (!field.name.endsWith(']') || field.name.length <= begin || /[[\]]/.test(key)) return new Unreadable('style');
    const problem = builder.add(key, field);
    if (problem !== undefined) return problem;
  }
  return builder.object;
}

/** An object of fields, where a name comes twice only if its property is a list. */
class GroupedObject {
  readonly #builder: ObjectBuilder;
  readonly #parameter: Parameter;
  readonly #options: ReadOptions;

  constructor(parameter: Parameter, options: ReadOptions) {
    this.#parameter = parameter;
    this.#options = options;
    this.#builder = new ObjectBuilder(parameter.schema?.shape, options);
  }

  get object(): Json {
    return this.#builder.object;
  }

  add(rawName: string, field: QueryField): Unreadable | undefined {
    const name = textOfBytes(rawName);
    const text = textOfBytes(field.value);
    if (name === undefined || text === undefined) return new Unreadable('encoding');
    const shape = this.#parameter.schema?.shape.property(name);
    const types = shape?.types;
    if (types === undefined || !types.has('array') || types.has('string')) return this.#builder.add(name, text);
    if (reachesPrototype(name)) return new Unreadable('name');
    const items = (this.#builder.object[name] ??= []) as Json[];
    items.push(coerce(text, shape?.item(items.length), this.#options));
    return undefined;
  }
}

// ---- one value

/** What the schema of a parameter may be meant for, the likelier first. */
function formsOf({ schema, content }: Parameter): readonly Form[] {
  if (schema === undefined || content !== undefined) return ['scalar'];
  const { types } = schema.shape;
  const forms: Form[] = [];
  if (['string', 'integer', 'number', 'boolean', 'null'].some((type) => types.has(type as 'string'))) forms.push('scalar');
  if (types.has('array')) forms.push('array');
  if (types.has('object') && !types.has('string')) forms.push('object');
  return forms;
}

function pathCandidates(parameter: Parameter, raw: string, options: ReadOptions): Candidates {
  if (parameter.content !== undefined) return [contentValue(parameter, percentDecode(raw), options)];
  const { name, style, explode } = parameter;
  return formsOf(parameter).flatMap((form) => {
    const pieces = pathPieces(raw, name, style, explode, form);
    return pieces === undefined ? [new Unreadable('style')] : valuesOf(parameter, form, pieces, explode, percentDecode, options);
  });
}

function headerCandidates(parameter: Parameter, value: string, options: ReadOptions): Candidates {
  if (parameter.content !== undefined) return [contentValue(parameter, textOfBytes(value), options)];
  return formsOf(parameter).flatMap((form) => {
    const pieces = form === 'scalar' ? [value] : value.split(',').map((piece) => piece.trim());
    return valuesOf(parameter, form, pieces, parameter.explode, textOfBytes, options);
  });
}

/** A parameter that may come as several fields of one name: in a query, and in the cookie header. */
function judgeValues(
  found: Violation[],
  parameter: Parameter,
  fields: readonly QueryField[],
  decode: Decode,
  options: ReadOptions,
): void {
  const [{ raw }] = fields;
  const many = fields.length > 1;
  if (parameter.content !== undefined) {
    if (many) add(found, parameter, 'duplicate');
    else judge(found, parameter, [contentValue(parameter, decode(raw), options)]);
    return;
  }
  if (!many && raw === '' && parameter.allowEmptyValue) return;
  const forms = formsOf(parameter);
  const listed = forms.includes('array') && parameter.explode;
  if (many && !listed) add(found, parameter, 'duplicate');
  else if (many) judge(found, parameter, valuesOf(parameter, 'array', fields.map(rawOf), true, decode, options));
  else if (forms[0] !== 'scalar' || !holds(parameter, readScalar(raw, decode, parameter.schema?.shape, options))) {
    const candidates = forms.flatMap((form) => singleCandidates(parameter, form, raw, decode, options));
    judge(found, parameter, candidates);
  }
}

const rawOf = (field: QueryField) => field.raw;

function singleCandidates(parameter: Parameter, form: Form, raw: string, decode: Decode, options: ReadOptions): Candidates {
  if (form === 'scalar' || (form === 'array' && parameter.explode))
    return valuesOf(parameter, form, [raw], parameter.explode, decode, options);
  const readings = queryReadings(raw, parameter.style, decode);
  if (readings === undefined) return [new Unreadable('encoding')];
  const values = readings.map((pieces) => valuesOf(parameter, form, pieces, parameter.explode, asIs, options)[0]);
  // Both readings have to hold: the one that does not speaks for both.
  return [values.find((value) => !holds(parameter, value)) ?? values[0]];
}

const asIs: Decode = (text) => text;

function holds({ schema }: Parameter, value: Json | Unreadable): boolean {
  return !(value instanceof Unreadable) && (schema === undefined || schema.check(value).length === 0);
}

/** The values that pieces stand for. A text that looks like a number may be a text where texts are meant too. */
function valuesOf(
  parameter: Parameter,
  form: Form,
  pieces: readonly string[],
  exploded: boolean,
  decode: Decode,
  options: ReadOptions,
): Candidates {
  const shape = parameter.schema?.shape;
  if (form === 'array') return [readArray(pieces, decode, shape, options)];
  if (form === 'object') return [readObject(pieces, exploded, decode, shape, options)];
  const value = readScalar(pieces[0], decode, shape, options);
  if (typeof value === 'string' || value instanceof Unreadable || shape?.types.has('string') !== true) return [value];
  return [value, readScalar(pieces[0], decode, undefined, options)];
}

function contentValue(parameter: Parameter, text: string | undefined, options: ReadOptions): Json | Unreadable {
  if (text === undefined) return new Unreadable('encoding');
  const range = parameter.content?.range.split(';')[0].trim() ?? '';
  if (range !== 'application/json' && !range.endsWith('+json')) return text;
  const value = options.parseJson(Buffer.from(text, 'utf8'));
  return value === undefined ? new Unreadable('json') : value;
}

/** Adds what the value breaks, unless one of the candidates breaks nothing. */
function judge(found: Violation[], parameter: Parameter, candidates: Candidates): void {
  const schema = parameter.content === undefined ? parameter.schema : parameter.content.schema;
  let first: readonly SchemaViolation[] | undefined;
  for (const value of candidates) {
    const broken = value instanceof Unreadable ? [{ pointer: '', rule: value.rule }] : (schema?.check(value) ?? []);
    if (broken.length === 0) return;
    first ??= broken;
  }
  for (const { pointer, rule, schema: where } of first ?? [{ pointer: '', rule: 'style' } as SchemaViolation])
    if (found.length < MAX_VIOLATIONS) found.push({ in: parameter.in, parameter: parameter.name, pointer, rule, schema: where });
}

function add(found: Violation[], parameter: Parameter, rule: string): void {
  if (found.length < MAX_VIOLATIONS) found.push({ in: parameter.in, parameter: parameter.name, pointer: '', rule });
}

/** A violation by a field that nothing declares. Its name comes from the client: a place, and bounded. */
function addAny(found: Violation[], rule: string, name?: string): void {
  if (found.length >= MAX_VIOLATIONS) return;
  const parameter = name === undefined ? undefined : Buffer.from(name.slice(0, LONGEST_NAME), 'latin1').toString('utf8');
  found.push({ in: 'query', parameter, pointer: '', rule });
}

const LONGEST_NAME = 64;

/** A name as queries are read: one character per byte. */
function bytesOf(name: string): string {
  return Buffer.from(name, 'utf8').toString('latin1');
}
