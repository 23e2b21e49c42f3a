import { coerce } from './coerce.ts';
import type { Encoding, Json, MediaType, SchemaViolation, Shape } from './contract.ts';
import { MAX_VIOLATIONS } from './contract.ts';
import { type ContentType, covers, isJsonType } from './media.ts';
import type { ReadOptions } from './parameters.ts';
import { Unreadable } from './styles.ts';
import { reachesPrototype, textOfBytes } from './text.ts';

/** A body as its one reader gives it, without flags: whoever has flags refuses before. */
export type Body =
  | { readonly kind: 'json'; readonly value: Json | undefined }
  | { readonly kind: 'form'; readonly fields: readonly { readonly name: string; readonly value: string }[] }
  | { readonly kind: 'multipart'; readonly parts: readonly Part[] }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'none' | 'bytes' };

export interface Part {
  readonly name: string;
  readonly filename: string | undefined;
  readonly headers: readonly string[];
  readonly from: number;
  readonly to: number;
}

export interface BodyOptions extends ReadOptions {
  readContentType(value: string): ContentType | undefined;
}

/** What a body breaks of the media type that its contract gives it. */
export function checkBody(body: Body, bytes: Buffer, media: MediaType, options: BodyOptions): readonly SchemaViolation[] {
  const { schema } = media;
  switch (body.kind) {
    case 'json':
      return body.value === undefined ? [{ pointer: '', rule: 'json' }] : (schema?.check(body.value) ?? []);
    case 'form':
      return new FieldsReader(media, options).form(body.fields);
    case 'multipart':
      return new FieldsReader(media, options).multipart(body.parts, bytes);
    case 'text':
      return schema === undefined ? [] : schema.check(coerce(body.text, schema.shape, options));
    default:
      // A type that no reader knows is one value; its length is that of its bytes.
      return schema === undefined ? [] : schema.check(bytes.toString('latin1'));
  }
}

const NO_ENCODING: Encoding = { contentType: undefined, style: undefined, explode: undefined, allowReserved: false };

/** Makes an object of the fields of a form, or of the parts of a multipart body, and holds it against its schema. */
class FieldsReader {
  readonly #media: MediaType;
  readonly #options: BodyOptions;
  readonly #found: SchemaViolation[] = [];
  readonly #object = Object.create(null) as Record<string, Json>;

  constructor(media: MediaType, options: BodyOptions) {
    this.#media = media;
    this.#options = options;
  }

  form(fields: readonly { readonly name: string; readonly value: string }[]): readonly SchemaViolation[] {
    const deep = this.#deepProperties();
    for (const { name: rawName, value: rawValue } of fields) {
      const name = textOfBytes(rawName);
      const text = textOfBytes(rawValue);
      if (name === undefined || text === undefined) this.#break('', 'encoding');
      else if (reachesPrototype(name)) this.#break('', 'name');
      else if (!this.#deep(deep, name, text)) this.#field(name, text);
    }
    return this.#judge();
  }

  multipart(parts: readonly Part[], bytes: Buffer): readonly SchemaViolation[] {
    for (const part of parts) {
      const name = textOfBytes(part.name);
      if (name === undefined) this.#break('', 'encoding');
      else if (reachesPrototype(name)) this.#break('', 'name');
      else this.#part(name, part, bytes);
    }
    return this.#judge();
  }

  #judge(): readonly SchemaViolation[] {
    if (this.#found.length > 0) return this.#found;
    return this.#media.schema?.check(this.#object) ?? [];
  }

  #break(pointer: string, rule: string): void {
    if (this.#found.length < MAX_VIOLATIONS) this.#found.push({ pointer, rule });
  }

  // ---- forms

  /** Properties written as `name[key]`. */
  #deepProperties(): readonly string[] {
    return [...this.#media.encoding].flatMap(([name, { style }]) => (style === 'deepObject' ? [name] : []));
  }

  #deep(properties: readonly string[], field: string, text: string): boolean {
    const name = properties.find((one) => field.startsWith(`${one}[`));
    if (name === undefined) return false;
    const key = field.slice(name.length + 1, -1);
    if (!field.endsWith(']') || key === '' || /[[\]]/.test(key) || reachesPrototype(key)) {
      this.#break(pointerTo(name), 'style');
      return true;
    }
    const object = (this.#object[name] ??= Object.create(null) as Json) as Record<string, Json>;
    if (key in object) this.#break(pointerTo(name), 'duplicate');
    object[key] = coerce(text, this.#shapeOf(name)?.property(key), this.#options);
    return true;
  }

  #field(name: string, text: string): void {
    const encoding = this.#media.encoding.get(name) ?? NO_ENCODING;
    const shape = this.#shapeOf(name);
    const delimiter = delimiterOf(encoding);
    if (delimiter !== undefined && isListOnly(shape)) {
      for (const item of text.split(delimiter)) this.#put(name, shape, item, encoding);
      if (this.#seen.has(name)) this.#break(pointerTo(name), 'duplicate');
      this.#seen.add(name);
    } else this.#put(name, shape, text, encoding);
  }

  readonly #seen = new Set<string>();

  #put(name: string, shape: Shape | undefined, text: string, encoding: Encoding): void {
    this.#add(name, shape, (item) => {
      const asJson = encoding.contentType?.some(isJsonType) ?? (encoding.style === undefined && isStructure(item));
      return asJson ? this.#json(Buffer.from(text, 'utf8')) : coerce(text, item, this.#options);
    });
  }

  // ---- parts

  #part(name: string, part: Part, bytes: Buffer): void {
    const shape = this.#shapeOf(name);
    const encoding = this.#media.encoding.get(name) ?? NO_ENCODING;
    const at = part.headers.findIndex((header, i) => i % 2 === 0 && header === 'content-type');
    const written = at < 0 ? undefined : this.#options.readContentType(part.headers[at + 1])?.type;
    const content = bytes.subarray(part.from, part.to);
    this.#add(name, shape, (item) => {
      const type = written ?? defaultType(item, part.filename !== undefined);
      if (encoding.contentType !== undefined && !encoding.contentType.some((range) => covers(baseOf(range), type)))
        return new Unreadable('contentType');
      // What the schema takes for a text a service reads as one: a file, or bytes, there would have another reader.
      if (isJsonType(type) && (encoding.contentType?.some(isJsonType) === true || isStructure(item))) return this.#json(content);
      return this.#textOrBytes(name, item, content, part, type);
    });
  }

  #textOrBytes(name: string, item: Shape | undefined, content: Buffer, part: Part, type: string): Json | Unreadable {
    const binary = isBinary(this.#media, name);
    if (part.filename !== undefined && binary === false) return new Unreadable('file');
    const bytes = content.toString('latin1');
    if (binary === true || part.filename !== undefined || !(type.startsWith('text/') || isJsonType(type))) return bytes;
    const text = textOfBytes(bytes);
    return text === undefined ? new Unreadable('encoding') : coerce(text, item, this.#options);
  }

  // ---- both

  #shapeOf(name: string): Shape | undefined {
    return this.#media.schema?.shape.property(name);
  }

  #json(bytes: Buffer): Json | Unreadable {
    const value = this.#options.parseJson(bytes);
    return value === undefined ? new Unreadable('json') : value;
  }

  /** A name comes twice only where its property is a list. */
  #add(name: string, shape: Shape | undefined, read: (item: Shape | undefined) => Json | Unreadable): void {
    const before = this.#object[name];
    const list = isListOnly(shape);
    const index = list && before !== undefined ? (before as readonly Json[]).length : 0;
    if (before !== undefined && !list) return this.#break(pointerTo(name), 'duplicate');
    const value = read(list ? shape?.item(index) : shape);
    if (value instanceof Unreadable) return this.#break(list ? `${pointerTo(name)}/${index}` : pointerTo(name), value.rule);
    if (!list) this.#object[name] = value;
    else if (before === undefined) this.#object[name] = [value];
    else (before as Json[]).push(value);
  }
}

const isListOnly = (shape: Shape | undefined) => shape !== undefined && shape.types.has('array') && !shape.types.has('string');

const isStructure = (shape: Shape | undefined) =>
  shape !== undefined && (shape.types.has('object') || shape.types.has('array')) && !shape.types.has('string');

/** Where a list is written in one field; undefined: each item has a field of its own. */
function delimiterOf({ style, explode }: Encoding): string | undefined {
  if (style === 'spaceDelimited') return ' ';
  if (style === 'pipeDelimited') return '|';
  return style === 'form' && explode === false ? ',' : undefined;
}

const baseOf = (range: string) => range.split(';')[0].trim();

function defaultType(shape: Shape | undefined, file: boolean): string {
  if (file) return 'application/octet-stream';
  return isStructure(shape) ? 'application/json' : 'text/plain';
}

interface RawSchema {
  readonly format?: unknown;
  readonly contentMediaType?: unknown;
  readonly contentEncoding?: unknown;
  readonly type?: unknown;
  readonly items?: RawSchema;
  readonly properties?: Readonly<Record<string, RawSchema | undefined>>;
}

/** Whether a property is a file, as far as it is written on the spot; undefined: nothing is said there. */
function isBinary({ schema, encoding }: MediaType, name: string): boolean | undefined {
  const types = encoding.get(name)?.contentType;
  if (types?.some((type) => !type.startsWith('text/') && !isJsonType(baseOf(type)))) return true;
  const property = (schema?.raw as RawSchema | undefined)?.properties?.[name];
  const written = property?.items ?? property;
  if (written === undefined || '$ref' in written || 'allOf' in written || 'anyOf' in written || 'oneOf' in written)
    return undefined;
  if (written.format === 'binary' || written.contentMediaType !== undefined) return true;
  return written.type === undefined ? undefined : false;
}

function pointerTo(name: string): string {
  return `/${name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
