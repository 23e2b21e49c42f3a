import fc from 'fast-check';

/**
 * Requests that an OpenAPI document allows, made from its text alone: nothing of the gateway has a hand in them. Documents in one file.
 */

export type Raw = Readonly<Record<string, unknown>>;

export interface MadeRequest {
  readonly method: string;
  /** Percent-encoded, with what stands before it. */
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: readonly string[];
  readonly type: string | undefined;
  readonly body: string | undefined;
  /** The value of a JSON body, for who wants to break it. */
  readonly json: unknown;
}

export interface MadeOperation {
  readonly name: string;
  readonly method: string;
  readonly template: string;
  readonly parameters: readonly Raw[];
  readonly bodySchema: Raw | undefined;
  readonly bodyRequired: boolean;
  readonly requests: fc.Arbitrary<MadeRequest>;
}

/** The document says something that the generator cannot make. */
class Unsupported extends Error {}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'];

export class RequestMaker {
  readonly #root: Raw;
  readonly #before: string;
  readonly operations: readonly MadeOperation[];
  /** What could not be made, and why. */
  readonly left: readonly string[];

  constructor(root: Raw, before: string) {
    this.#root = root;
    this.#before = before;
    const operations: MadeOperation[] = [];
    const left: string[] = [];
    for (const [template, item] of Object.entries(root.paths as Record<string, Raw>)) {
      for (const method of METHODS.filter((one) => item[one] !== undefined)) {
        const name = `${method.toUpperCase()} ${template}`;
        try {
          operations.push(this.#operation(name, method, template, item));
        } catch (error) {
          if (!(error instanceof Unsupported)) throw error;
          left.push(`${name}: ${error.message}`);
        }
      }
    }
    this.operations = operations;
    this.left = left;
  }

  resolve(value: unknown): Raw {
    let one = value as Raw;
    for (let i = 0; i < 20 && typeof one?.$ref === 'string'; i += 1) {
      let found: unknown = this.#root;
      for (const part of one.$ref.split('/').slice(1))
        found = (found as Raw | undefined)?.[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')];
      one = found as Raw;
    }
    return one;
  }

  #operation(name: string, method: string, template: string, item: Raw): MadeOperation {
    const operation = item[method] as Raw;
    const parameters = new Map<string, Raw>();
    for (const one of [...((item.parameters as unknown[]) ?? []), ...((operation.parameters as unknown[]) ?? [])]) {
      const parameter = this.resolve(one);
      if (parameter.in === 'header' && /^(?:accept|content-type|authorization)$/i.test(String(parameter.name))) continue;
      parameters.set(`${parameter.in} ${parameter.name}`, parameter);
    }
    const list = [...parameters.values()];
    const body = operation.requestBody === undefined ? undefined : this.resolve(operation.requestBody);
    const [type, media] = bodyOf(body);
    const made = fc.record({
      values: fc.tuple(...list.map((parameter) => this.#parameter(parameter))),
      body:
        body === undefined || (['GET', 'HEAD'].includes(method.toUpperCase()) && body.required !== true)
          ? fc.constant(undefined)
          : this.#body(type, media as Raw),
    });
    const requests = made.map(({ values, body: content }): MadeRequest => {
      const pieces = values.filter((one) => one !== undefined);
      const headers = pieces.flatMap(({ headers: own }) => own);
      const cookies = pieces.flatMap(({ cookies: own }) => own);
      if (cookies.length > 0) headers.push('cookie', cookies.join('; '));
      let path = this.#before + template;
      for (const [index, parameter] of list.entries())
        if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, values[index]?.path ?? '');
      const query = pieces.flatMap(({ query: own }) => own);
      return {
        method: method.toUpperCase(),
        path,
        query,
        headers,
        type: content === undefined ? undefined : type,
        body: content?.text,
        json: content?.json,
      };
    });
    const bodySchema = type === 'application/json' && media?.schema !== undefined ? this.resolve(media.schema) : undefined;
    return {
      name,
      method: method.toUpperCase(),
      template,
      parameters: list,
      bodySchema,
      bodyRequired: body?.required === true,
      requests,
    };
  }

  #parameter(parameter: Raw): fc.Arbitrary<MadeParameter | undefined> {
    const content = parameter.content as Record<string, Raw> | undefined;
    const schema = parameter.schema ?? Object.values(content ?? {})[0]?.schema ?? {};
    const values = this.value(schema, 0, parameter.in === 'path').filter(isThere);
    const made = values.map((value) =>
      content === undefined ? encode(parameter, value) : encodeText(parameter, JSON.stringify(value)),
    );
    return parameter.required === true ? made : fc.option(made, { nil: undefined });
  }

  #body(type: string, media: Raw): fc.Arbitrary<{ text: string; json: unknown }> {
    const schema = media.schema ?? {};
    const values = this.value(schema, 0);
    if (type === 'application/json') return values.map((json) => ({ text: JSON.stringify(json), json }));
    if (type === 'application/x-www-form-urlencoded') return values.map((value) => ({ text: form(value), json: undefined }));
    throw new Unsupported(`a body of ${type}`);
  }

  // ---- values of schemas

  value(written: unknown, depth: number, inPath = false): fc.Arbitrary<unknown> {
    if (typeof written === 'boolean') return fc.constantFrom('x', 1, true);
    const schema = this.resolve(written);
    if (schema === undefined) throw new Unsupported('a reference that leads nowhere');
    if (depth > 6) throw new Unsupported('a schema without an end');
    for (const word of [
      'not',
      'if',
      'patternProperties',
      'dependentSchemas',
      'unevaluatedProperties',
      'multipleOf',
      'prefixItems',
    ])
      if (schema[word] !== undefined) throw new Unsupported(`the keyword ${word}`);
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (Array.isArray(schema.enum)) return this.#enum(schema, inPath);
    if (schema.allOf !== undefined) return this.value(this.#merged(schema), depth, inPath);
    const choices = (schema.oneOf ?? schema.anyOf) as unknown[] | undefined;
    if (choices !== undefined) return this.#choice(schema, choices, depth);
    return this.#typed(schema, depth, inPath);
  }

  #enum(schema: Raw, inPath: boolean): fc.Arbitrary<unknown> {
    const values = (schema.enum as unknown[]).filter((one) => typeOf(schema, one) && !(inPath && one === ''));
    if (values.length === 0) throw new Unsupported('an enum of nothing');
    return fc.constantFrom(...values);
  }

  /** Only the first, and only where the others cannot hold as well. */
  #choice(schema: Raw, choices: readonly unknown[], depth: number): fc.Arbitrary<unknown> {
    const types = choices.map((one) => String(this.resolve(one).type));
    const distinct =
      new Set(types.map((type) => (type === 'integer' ? 'number' : type))).size === types.length && !types.includes('undefined');
    if (schema.oneOf !== undefined && !distinct) throw new Unsupported('oneOf that is not told by types');
    if (schema.properties !== undefined || schema.type !== undefined) throw new Unsupported('a choice beside other rules');
    return this.value(choices[0], depth + 1);
  }

  #merged(schema: Raw): Raw {
    const { allOf, ...own } = schema;
    let merged: Record<string, unknown> = { ...own };
    for (const one of allOf as unknown[]) {
      let part = this.resolve(one);
      if (part.allOf !== undefined) part = this.#merged(part);
      if (part.oneOf !== undefined || part.anyOf !== undefined || part.additionalProperties === false)
        throw new Unsupported('allOf with more in it');
      const { properties, required, ...rest } = part;
      if (merged.type !== undefined && rest.type !== undefined && merged.type !== rest.type)
        throw new Unsupported('allOf of different types');
      merged = {
        ...rest,
        ...merged,
        properties: { ...(properties as object), ...(merged.properties as object) },
        required: [...((required as string[]) ?? []), ...((merged.required as string[]) ?? [])],
      };
    }
    return merged;
  }

  #typed(schema: Raw, depth: number, inPath: boolean): fc.Arbitrary<unknown> {
    const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== 'null') : schema.type;
    if (type === 'integer') return integers(schema);
    if (type === 'number') return numbers(schema);
    if (type === 'boolean') return fc.boolean();
    if (type === 'array') return this.#array(schema, depth, inPath);
    if (type === 'object' || (type === undefined && schema.properties !== undefined)) return this.#object(schema, depth, inPath);
    if (type === 'string') return texts(schema, inPath);
    if (type === undefined) return fc.constantFrom('x', 'y');
    throw new Unsupported(`the type ${String(type)}`);
  }

  #array(schema: Raw, depth: number, inPath: boolean): fc.Arbitrary<unknown> {
    const minLength = Number(schema.minItems ?? 0);
    const maxLength = Math.min(Number(schema.maxItems ?? 4), Math.max(minLength, 4));
    if (depth > 3 && minLength === 0) return fc.constant([]);
    const items = this.value(schema.items ?? {}, depth + 1, inPath);
    // A list of nothing is no list in a parameter or form.
    const least = depth === 0 ? Math.max(1, minLength) : minLength;
    return schema.uniqueItems === true
      ? fc.uniqueArray(items, { minLength, maxLength, selector: (one) => JSON.stringify(one) })
      : fc.array(items, { minLength: least, maxLength: Math.max(least, maxLength) });
  }

  #object(schema: Raw, depth: number, inPath: boolean): fc.Arbitrary<unknown> {
    const properties: Record<string, fc.Arbitrary<unknown>> = {};
    const required = new Set((schema.required as string[] | undefined) ?? []);
    for (const [name, written] of Object.entries((schema.properties as Raw | undefined) ?? {})) {
      const property = this.resolve(written);
      // What only answers have must not come in a request.
      if (property?.readOnly === true || (depth > 3 && !required.has(name))) continue;
      try {
        properties[name] = this.value(written, depth + 1, inPath);
      } catch (error) {
        if (!(error instanceof Unsupported) || required.has(name)) throw error;
      }
    }
    for (const name of required) {
      const readOnly = this.resolve((schema.properties as Raw | undefined)?.[name] ?? {})?.readOnly === true;
      if (!readOnly) properties[name] ??= fc.constant('x');
    }
    return fc.record(properties, { requiredKeys: [...required].filter((name) => name in properties), noNullPrototype: true });
  }
}

/** A list or an object of nothing cannot be written as a parameter. */
function isThere(value: unknown): boolean {
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
}

function typeOf(schema: Raw, value: unknown): boolean {
  if (schema.type === undefined || Array.isArray(schema.type)) return typeof value === 'string';
  if (schema.type === 'integer' || schema.type === 'number') return typeof value === 'number';
  return schema.type === typeof value;
}

const WIDTHS: Readonly<Record<string, readonly [number, number] | undefined>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  uint32: [0, 2 ** 32 - 1],
  uint64: [0, 2 ** 32 - 1],
};

function integers(schema: Raw): fc.Arbitrary<unknown> {
  const bounds = WIDTHS[String(schema.format)] ?? [-(2 ** 31), 2 ** 31 - 1];
  const min = Math.max(
    Number(schema.minimum ?? bounds[0]),
    typeof schema.exclusiveMinimum === 'number' ? schema.exclusiveMinimum + 1 : bounds[0],
  );
  const max = Math.min(
    Number(schema.maximum ?? bounds[1]),
    typeof schema.exclusiveMaximum === 'number' ? schema.exclusiveMaximum - 1 : bounds[1],
  );
  const shift = (is: unknown) => (is === true ? 1 : 0);
  return fc.integer({
    min: Math.ceil(min) + shift(schema.exclusiveMinimum),
    max: Math.floor(max) - shift(schema.exclusiveMaximum),
  });
}

function numbers(schema: Raw): fc.Arbitrary<unknown> {
  const bound = (words: readonly string[], none: number) =>
    Number(words.map((word) => schema[word]).find((one) => typeof one === 'number') ?? none);
  const min = bound(['exclusiveMinimum', 'minimum'], -1e6);
  const max = bound(['exclusiveMaximum', 'maximum'], 1e6);
  return fc.integer({ min: Math.ceil(min * 4) + 1, max: Math.floor(max * 4) - 1 }).map((value) => value / 4);
}

const WORD = /^[A-Za-z0-9]+$/;

function texts(schema: Raw, inPath: boolean): fc.Arbitrary<unknown> {
  const min = Math.max(Number(schema.minLength ?? 0), inPath ? 1 : 0);
  const max = Number(schema.maxLength ?? Math.max(12, min));
  if (typeof schema.pattern === 'string') {
    if (schema.format !== undefined) throw new Unsupported('a pattern beside a format');
    return fc
      .stringMatching(new RegExp(schema.pattern, 'u'), { maxLength: 40 })
      .filter((text) => text.length >= min && text.length <= Math.max(max, 40) && (!inPath || WORD.test(text)));
  }
  const format = FORMATS[String(schema.format)];
  if (format !== undefined) return format;
  const unit = inPath ? fc.constantFrom(...'abcxyzABC0189_-') : fc.constantFrom(...'abcxyzABC 0189_-é.,&=%/+[]{}"\\😀');
  return fc.string({ unit, minLength: min, maxLength: Math.max(min, Math.floor(max / 2)) });
}

const dates = fc.date({ min: new Date('1980-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
const FORMATS: Readonly<Record<string, fc.Arbitrary<string> | undefined>> = {
  date: dates.map((date) => date.toISOString().slice(0, 10)),
  'date-time': dates.map((date) => date.toISOString()),
  uuid: fc.uuid(),
  email: fc.constantFrom('a@example.com', 'ada.lovelace@example.org'),
  uri: fc.constantFrom('https://example.com/', 'https://example.com/a?b=c#d'),
  url: fc.constantFrom('https://example.com/', 'https://example.com/a?b=c'),
  ipv4: fc.ipV4(),
  'iso-country-code': fc.constant('DE'),
};

function bodyOf(body: Raw | undefined): readonly [string, Raw | undefined] {
  const content = Object.entries((body?.content as Record<string, Raw> | undefined) ?? {});
  const found =
    content.find(([type]) => type === 'application/json') ??
    content.find(([type]) => type === 'application/x-www-form-urlencoded') ??
    content[0];
  return found ?? ['', undefined];
}

// ---- encoding

interface MadeParameter {
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: readonly string[];
  readonly cookies: readonly string[];
}

const NOTHING: MadeParameter = { path: '', query: [], headers: [], cookies: [] };
const escape = encodeURIComponent;

function encodeText({ in: place, name }: Raw, text: string): MadeParameter {
  if (place === 'path') return { ...NOTHING, path: escape(text) };
  if (place === 'query') return { ...NOTHING, query: [[escape(String(name)), escape(text)]] };
  if (place === 'cookie') return { ...NOTHING, cookies: [`${name}=${escape(text)}`] };
  // What a header cannot hold has no place in one.
  return { ...NOTHING, headers: [String(name).toLowerCase(), text.replace(/[^\x21-\x7e]/g, '_')] };
}

function encode(parameter: Raw, value: unknown): MadeParameter {
  if (typeof value !== 'object' || value === null) return encodeScalar(parameter, String(value));
  const { in: place, name } = parameter;
  const style = String(parameter.style ?? (place === 'query' || place === 'cookie' ? 'form' : 'simple'));
  const explode = (parameter.explode as boolean | undefined) ?? style === 'form';
  // What stands between the pieces has two readings where it comes encoded in one: the gateway refuses what only one of them allows.
  const between = { spaceDelimited: '%20', pipeDelimited: '%7C' }[style] ?? (Array.isArray(value) ? 'none' : '%2C');
  const text = (one: unknown) =>
    typeof one === 'object' && one !== null ? fail() : escape(String(one)).replaceAll(between, '_');
  const pairs = Object.entries(value).filter(([, one]) => one !== undefined);
  const pieces = Array.isArray(value) ? value.map(text) : pairs.flatMap(([key, one]) => [escape(key), text(one)]);
  const joined = explode && !Array.isArray(value) ? pairs.map(([key, one]) => `${escape(key)}=${text(one)}`) : pieces;
  if (place === 'query') return { ...NOTHING, query: queryOf(String(name), style, explode, value, pieces, pairs, text) };
  if (place === 'header') return { ...NOTHING, headers: [String(name).toLowerCase(), joined.join(',')] };
  if (place === 'cookie') {
    if (explode && Array.isArray(value)) return { ...NOTHING, cookies: pieces.map((one) => `${name}=${one}`) };
    if (explode) return { ...NOTHING, cookies: joined };
    return { ...NOTHING, cookies: [`${name}=${pieces.join(',')}`] };
  }
  return { ...NOTHING, path: pathOf(String(name), style, explode, Array.isArray(value), joined) };
}

function fail(): never {
  throw new Unsupported('a structure in a structure of a parameter');
}

function encodeScalar(parameter: Raw, text: string): MadeParameter {
  if (parameter.in !== 'path') return encodeText(parameter, text);
  const before = parameter.style === 'label' ? '.' : parameter.style === 'matrix' ? `;${parameter.name}=` : '';
  return { ...NOTHING, path: before + escape(text) };
}

function pathOf(name: string, style: string, explode: boolean, list: boolean, pieces: readonly string[]): string {
  if (style === 'label') return `.${pieces.join(explode ? '.' : ',')}`;
  if (style !== 'matrix') return pieces.join(',');
  if (!explode) return `;${name}=${pieces.join(',')}`;
  return pieces.map((one) => (list ? `;${name}=${one}` : `;${one}`)).join('');
}

function queryOf(
  name: string,
  style: string,
  explode: boolean,
  value: object,
  pieces: readonly string[],
  pairs: readonly [string, unknown][],
  text: (one: unknown) => string,
): readonly (readonly [string, string])[] {
  const list = Array.isArray(value);
  if (style === 'deepObject') return pairs.map(([key, one]) => [escape(`${name}[${key}]`), text(one)]);
  if (explode && list) return pieces.map((one) => [escape(name), one]);
  if (explode && style === 'form') return pairs.map(([key, one]) => [escape(key), text(one)]);
  const delimiter = { spaceDelimited: '%20', pipeDelimited: '%7C' }[style] ?? ',';
  return [[escape(name), pieces.join(delimiter)]];
}

function form(value: unknown): string {
  const fields = new URLSearchParams();
  for (const [name, one] of Object.entries(value as object)) {
    if (one === undefined) continue;
    if (Array.isArray(one) && one.every((item) => typeof item !== 'object'))
      for (const item of one) fields.append(name, String(item));
    else fields.append(name, typeof one === 'object' ? JSON.stringify(one) : String(one));
  }
  return fields.toString();
}
