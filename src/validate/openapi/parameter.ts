import type { CompiledSchema, Encoding, MediaType, Parameter, ParameterIn, ParameterStyle, RequestBody } from './contract.ts';
import type { Reader } from './reader.ts';
import type { Node } from './references.ts';

export type AddSchema = (node: Node) => CompiledSchema;

const STYLES: Readonly<Record<ParameterIn, readonly ParameterStyle[]>> = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form'],
};
const PLACES = Object.keys(STYLES) as ParameterIn[];
const PARAMETER = [
  'name',
  'in',
  'description',
  'required',
  'deprecated',
  'allowEmptyValue',
  'style',
  'explode',
  'allowReserved',
  'schema',
  'content',
  'example',
  'examples',
];
/** OpenAPI says of parameters with these names that they are ignored: other parts of the document speak of them. */
const ELSEWHERE = new Set(['accept', 'content-type', 'authorization']);

/** Reads parameters and bodies of requests. */
export class PayloadReader {
  readonly #reader: Reader;
  readonly #addSchema: AddSchema;

  constructor(reader: Reader, addSchema: AddSchema) {
    this.#reader = reader;
    this.#addSchema = addSchema;
  }

  /** The parameters of a list by place and name; what stands twice in it is told. */
  parameters(node: Node): Map<string, Parameter> {
    const found = new Map<string, Parameter>();
    for (const item of this.#reader.list(node, 'parameters')) {
      const parameter = this.#parameter(item);
      if (parameter === undefined) continue;
      const key = `${parameter.in} ${parameter.name}`;
      if (found.has(key))
        this.#reader.fail(item, `the ${parameter.in} parameter ${JSON.stringify(parameter.name)} stands twice in the list`);
      found.set(key, parameter);
    }
    return found;
  }

  #parameter(item: Node): Parameter | undefined {
    const reader = this.#reader;
    const node = reader.object(item, 'a parameter');
    if (node === undefined) return undefined;
    reader.known(node, 'a parameter', PARAMETER);
    const name = reader.needed(node, 'name', 'a parameter');
    const place = reader.needed(node, 'in', 'a parameter') as ParameterIn | undefined;
    if (place !== undefined && !PLACES.includes(place))
      return reader.fail(reader.child(node, 'in'), `\`in\` must be one of ${PLACES.join(', ')}`);
    if (name === undefined || place === undefined || (place === 'header' && ELSEWHERE.has(name.toLowerCase()))) return undefined;
    if (name === '') return reader.fail(reader.child(node, 'name'), '`name` must not be empty');
    const required = reader.flag(node, 'required') ?? false;
    if (place === 'path' && !required)
      reader.fail(node, `the path parameter ${JSON.stringify(name)} must say \`required: true\``);
    const style = this.#style(node, place);
    return {
      name: place === 'header' ? name.toLowerCase() : name,
      in: place,
      required,
      style,
      explode: reader.flag(node, 'explode') ?? style === 'form',
      allowReserved: reader.flag(node, 'allowReserved') ?? false,
      allowEmptyValue: reader.flag(node, 'allowEmptyValue') ?? false,
      deprecated: reader.flag(node, 'deprecated') ?? false,
      ...this.#payload(node),
      location: { file: node.file, pointer: node.pointer },
    };
  }

  #style(node: Node, place: ParameterIn): ParameterStyle {
    const style = this.#reader.text(node, 'style') as ParameterStyle | undefined;
    const possible = STYLES[place];
    if (style === undefined) return possible[0];
    if (possible.includes(style)) return style;
    this.#reader.fail(
      this.#reader.child(node, 'style'),
      `\`style\` of a ${place} parameter must be one of ${possible.join(', ')}`,
    );
    return possible[0];
  }

  #payload(node: Node): Pick<Parameter, 'schema' | 'content'> {
    const schema = this.#reader.child(node, 'schema');
    const content = this.#reader.child(node, 'content');
    if (schema.value !== undefined && content.value !== undefined)
      this.#reader.fail(content, 'a parameter has `schema` or `content`, not both');
    if (schema.value !== undefined) return { schema: this.#addSchema(schema), content: undefined };
    if (content.value === undefined) {
      this.#reader.problems.warn(node, 'the parameter has neither `schema` nor `content`: any value passes');
      return { schema: undefined, content: undefined };
    }
    const types = this.#content(node);
    if (types.length !== 1) this.#reader.fail(content, '`content` of a parameter must have one media type');
    return { schema: undefined, content: types[0] };
  }

  requestBody(operation: Node): RequestBody | undefined {
    const item = this.#reader.child(operation, 'requestBody');
    if (item.value === undefined) return undefined;
    const node = this.#reader.object(item, '`requestBody`');
    if (node === undefined) return undefined;
    this.#reader.known(node, 'a request body', ['description', 'content', 'required']);
    const content = this.#content(node);
    if (content.length === 0) this.#reader.fail(node, 'a request body must have `content` with a media type');
    return { required: this.#reader.flag(node, 'required') ?? false, content };
  }

  #content(node: Node): MediaType[] {
    const seen = new Set<string>();
    return this.#reader.members(node, 'content').flatMap(([name, item]) => {
      const range = rangeOf(name);
      if (range === undefined)
        this.#reader.fail(item, `${JSON.stringify(name)} is not a media type, such as application/json or image/*`, {
          at: 'key',
        });
      const media = this.#reader.object(item, 'a media type');
      if (range === undefined || media === undefined) return [];
      if (seen.has(range)) this.#reader.fail(item, `the media type ${range} stands twice`, { at: 'key' });
      seen.add(range);
      this.#reader.known(media, 'a media type', ['schema', 'example', 'examples', 'encoding']);
      const schema = this.#reader.child(media, 'schema');
      return [
        {
          range,
          schema: schema.value === undefined ? undefined : this.#addSchema(schema),
          encoding: this.#encodings(media),
          location: { file: media.file, pointer: media.pointer },
        },
      ];
    });
  }

  #encodings(media: Node): Map<string, Encoding> {
    const encodings = new Map<string, Encoding>();
    for (const [name, item] of this.#reader.members(media, 'encoding')) {
      const node = this.#reader.object(item, 'an encoding');
      if (node === undefined) continue;
      this.#reader.known(node, 'an encoding', ['contentType', 'headers', 'style', 'explode', 'allowReserved']);
      const types = this.#reader.text(node, 'contentType');
      const styled = this.#reader.child(node, 'style').value !== undefined;
      encodings.set(name, {
        contentType: types?.split(',').map((type) => type.trim().toLowerCase()),
        style: styled ? this.#style(node, 'query') : undefined,
        explode: this.#reader.flag(node, 'explode'),
        allowReserved: this.#reader.flag(node, 'allowReserved') ?? false,
      });
    }
    return encodings;
  }
}

/** Type and subtype in lower case, parameters as they are; undefined: no media type. */
function rangeOf(name: string): string | undefined {
  const match = /^\s*([\w!#$&^.+*-]+\/[\w!#$&^.+*-]+)\s*(;.*)?$/s.exec(name);
  if (match === null) return undefined;
  const type = match[1].toLowerCase();
  const wild = type.includes('*') && !/^(?:\*|[^*]+)\/\*$/.test(type);
  return wild ? undefined : `${type}${match[2] ?? ''}`;
}
