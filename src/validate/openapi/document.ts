import type { ApiDocument, Operation, Parameter, SecurityRequirement, SecurityScheme } from './contract.ts';
import { type AddSchema, PayloadReader } from './parameter.ts';
import { isMapping } from './pointer.ts';
import type { Reader } from './reader.ts';
import type { Node } from './references.ts';
import { basePathsOf } from './servers.ts';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
const OPERATION = [
  'tags',
  'summary',
  'description',
  'externalDocs',
  'operationId',
  'parameters',
  'requestBody',
  'responses',
  'callbacks',
  'deprecated',
  'security',
  'servers',
];
const TYPES = ['apiKey', 'http', 'oauth2', 'openIdConnect', 'mutualTLS'] as const;

/** Reads what a gateway must know of an OpenAPI document: what may be asked, not what is answered. */
export class DocumentReader {
  readonly #reader: Reader;
  readonly #payload: PayloadReader;
  readonly #root: Node;
  readonly #schemes = new Map<string, SecurityScheme>();
  readonly #ids = new Set<string>();

  constructor(reader: Reader, root: Node, addSchema: AddSchema) {
    this.#reader = reader;
    this.#root = root;
    this.#payload = new PayloadReader(reader, addSchema);
  }

  read(): ApiDocument {
    const info = this.#reader.child(this.#root, 'info');
    if (!isMapping(info.value)) this.#reader.fail(info, 'the document must have `info` with a title');
    for (const [name, node] of this.#reader.members(this.#reader.child(this.#root, 'components'), 'securitySchemes'))
      this.#scheme(name, node);
    return {
      version: this.#reader.version,
      file: this.#root.file,
      title: this.#reader.text(info, 'title') ?? '',
      securitySchemes: this.#schemes,
      operations: this.#operations(),
    };
  }

  #operations(): Operation[] {
    const paths = this.#reader.child(this.#root, 'paths');
    if (paths.value === undefined) this.#reader.fail(this.#root, 'the document has no `paths`: every request would be refused');
    return this.#reader.members(this.#root, 'paths').flatMap(([template, node]) => {
      if (template.startsWith('/')) return this.#pathItem(template, node);
      this.#reader.fail(node, `the path ${JSON.stringify(template)} must begin with a slash`, { at: 'key' });
      return [];
    });
  }

  /** A path item may refer to another and add operations of its own. */
  #pathItem(template: string, node: Node): Operation[] {
    const referred =
      isMapping(node.value) && typeof node.value.$ref === 'string' ? this.#reader.object(node, 'a path') : undefined;
    if (referred === undefined && isMapping(node.value) && typeof node.value.$ref === 'string') return [];
    const items = referred === undefined ? [node] : [referred, node];
    const operations = new Map<string, Operation>();
    for (const item of items) {
      if (!isMapping(item.value)) {
        this.#reader.fail(item, 'a path must be a mapping of methods to operations');
        continue;
      }
      this.#reader.known(item as Node & { value: Readonly<Record<string, unknown>> }, 'a path', [
        '$ref',
        'summary',
        'description',
        'servers',
        'parameters',
        ...METHODS,
      ]);
      const shared = this.#payload.parameters(item);
      for (const method of METHODS.filter((name) => Object.hasOwn(item.value as object, name))) {
        const at = this.#reader.child(item, method);
        if (operations.has(method)) this.#reader.fail(at, 'the operation stands also where the path refers to', { at: 'key' });
        const operation = this.#operation(template, method, at, item, shared);
        if (operation !== undefined) operations.set(method, operation);
      }
    }
    return [...operations.values()];
  }

  #operation(
    template: string,
    method: string,
    at: Node,
    item: Node,
    shared: ReadonlyMap<string, Parameter>,
  ): Operation | undefined {
    if (!isMapping(at.value)) return this.#reader.fail(at, 'an operation must be a mapping');
    const node = at as Node & { value: Readonly<Record<string, unknown>> };
    this.#reader.known(node, 'an operation', OPERATION);
    const parameters = [...new Map([...shared, ...this.#payload.parameters(node)]).values()];
    this.#matchTemplate(template, node, parameters);
    return {
      method: method.toUpperCase(),
      pathTemplate: template,
      basePaths: basePathsOf(this.#reader, [node, item, this.#root]),
      parameters,
      requestBody: this.#payload.requestBody(node),
      security: this.#security(node),
      operationId: this.#id(node),
      deprecated: this.#reader.flag(node, 'deprecated') ?? false,
      location: { file: node.file, pointer: node.pointer },
    };
  }

  #id(node: Node): string | undefined {
    const id = this.#reader.text(node, 'operationId');
    if (id !== undefined && this.#ids.has(id))
      this.#reader.problems.warn(
        this.#reader.child(node, 'operationId'),
        `the operationId ${JSON.stringify(id)} names two operations`,
      );
    if (id !== undefined) this.#ids.add(id);
    return id;
  }

  /** Every piece of a path that varies has a parameter that says how, and the other way round. */
  #matchTemplate(template: string, node: Node, parameters: readonly Parameter[]): void {
    const named = new Set([...template.matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name));
    const declared = new Set(parameters.filter((one) => one.in === 'path').map(({ name }) => name));
    for (const name of named)
      if (!declared.has(name))
        this.#reader.fail(node, `the path has {${name}}, but no path parameter of that name is declared`, { at: 'key' });
    for (const parameter of parameters)
      if (parameter.in === 'path' && !named.has(parameter.name))
        this.#reader.problems.warn(
          parameter.location,
          `the path parameter ${JSON.stringify(parameter.name)} is not in the path ${template}`,
        );
  }

  #security(node: Node): SecurityRequirement[] {
    const own = this.#reader.child(node, 'security').value !== undefined;
    return this.#reader.list(own ? node : this.#root, 'security').flatMap((item) => {
      if (!isMapping(item.value)) {
        this.#reader.fail(item, 'a security requirement must be a mapping of schemes to scopes');
        return [];
      }
      for (const name of Object.keys(item.value))
        if (!this.#schemes.has(name))
          this.#reader.fail(this.#reader.child(item, name), `there is no security scheme ${JSON.stringify(name)}`, { at: 'key' });
      return [new Map(Object.keys(item.value).map((name) => [name, this.#scopes(item, name)]))];
    });
  }

  #scopes(item: Node, name: string): string[] {
    return this.#reader.list(item, name).flatMap((scope) => {
      if (typeof scope.value === 'string') return [scope.value];
      this.#reader.fail(scope, 'a scope must be a string');
      return [];
    });
  }

  #scheme(name: string, item: Node): void {
    const node = this.#reader.object(item, 'a security scheme');
    if (node === undefined) return;
    const written = this.#reader.needed(node, 'type', 'a security scheme');
    if (written === undefined) return;
    const type = TYPES.find((one) => one === written);
    // Who may call is said by the configuration: what the document says of it is compared with that, and nothing more.
    if (type === undefined)
      this.#reader.problems.warn(this.#reader.child(node, 'type'), `\`type\` should be one of ${TYPES.join(', ')}`);
    const isKey = type === 'apiKey';
    const place = isKey ? this.#reader.needed(node, 'in', 'an apiKey scheme') : undefined;
    if (place !== undefined && !['query', 'header', 'cookie'].includes(place))
      this.#reader.fail(this.#reader.child(node, 'in'), '`in` must be one of query, header, cookie');
    this.#schemes.set(name, {
      name,
      type,
      in: place as SecurityScheme['in'],
      parameter: isKey ? this.#reader.needed(node, 'name', 'an apiKey scheme') : undefined,
      scheme: type === 'http' ? this.#reader.needed(node, 'scheme', 'an http scheme')?.toLowerCase() : undefined,
      bearerFormat: this.#reader.text(node, 'bearerFormat'),
      location: { file: node.file, pointer: node.pointer },
    });
  }
}
