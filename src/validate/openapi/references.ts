import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Location } from './contract.ts';
import type { Files } from './files.ts';
import { isMapping, join, member, parsePointer } from './pointer.ts';
import type { Problems } from './problems.ts';

/** A schema resource (JSON Schema 2020-12, 8.2.1): a file, or what an `$id` inside one makes a document of its own. */
export interface Resource {
  /** Without a fragment. */
  readonly base: string;
  readonly root: Location;
  /** Pointers, in the file, of `$anchor` and `$dynamicAnchor`. */
  readonly anchors: Map<string, string>;
  readonly dynamicAnchors: Map<string, string>;
}

/** A spot with what stands there. */
export interface Node extends Location {
  readonly value: unknown;
  readonly resource: Resource;
}

/** Keywords whose members are named by the author: `properties: { $id: … }` makes no resource. */
const NAMED = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas']);
/** Keywords that hold values, not schemas. */
const VALUES = new Set(['enum', 'const', 'default', 'example', 'examples']);

/**
 * Follows `$ref`. Only files are opened, and only by relative names: a document must not make the gateway fetch, nor read what stands
 * nowhere near it by an absolute path. A URI that an `$id` gives to a schema is known without opening anything.
 */
export class References {
  readonly #files: Files;
  readonly #problems: Problems;
  /** `$id` and anchors have a meaning: OpenAPI 3.1. */
  readonly #identifiers: boolean;
  readonly #byUri = new Map<string, Resource>();
  readonly #byPlace = new Map<string, Resource>();

  constructor(files: Files, problems: Problems, identifiers: boolean) {
    this.#files = files;
    this.#problems = problems;
    this.#identifiers = identifiers;
  }

  /** The whole of a file. */
  open(file: string, from?: Location): Node | undefined {
    const source = this.#files.open(file, from);
    if (source === undefined) return undefined;
    const place = `${file}#`;
    let resource = this.#byPlace.get(place);
    if (resource === undefined) {
      const root = {
        base: pathToFileURL(path.resolve(file)).href,
        root: { file, pointer: '' },
        anchors: new Map(),
        dynamicAnchors: new Map(),
      };
      this.#byPlace.set(place, root);
      this.#byUri.set(root.base, root);
      if (this.#identifiers) this.#index(file, source.value, '', root, false);
      resource = this.#byPlace.get(place) ?? root;
    }
    return { file, pointer: '', value: source.value, resource };
  }

  /** A member, or an item, of what stands at a node; its value is undefined where there is none. */
  child(node: Node, ...tokens: readonly (string | number)[]): Node {
    let { value, pointer, resource } = node;
    for (const token of tokens) {
      value = member(value, String(token));
      pointer = join(pointer, token);
      resource = this.#byPlace.get(`${node.file}#${pointer}`) ?? resource;
    }
    return { file: node.file, pointer, value, resource };
  }

  /** What a reference means, from where it stands; undefined, with a problem, where it leads nowhere. */
  resolve(from: Node, reference: string, at: Location = this.child(from, '$ref')): Node | undefined {
    const fail = (message: string, hint?: string): undefined =>
      this.#problems.add(at, message, hint === undefined ? {} : { hint }) as undefined;
    const url = parse(reference, from.resource.base);
    if (url === undefined) return fail(`${shown(reference)} is not a reference`);
    const fragment = decode(url.hash.slice(1));
    if (fragment === undefined) return fail(`${shown(reference)} has a broken percent-encoding`);
    url.hash = '';
    const root = this.#resource(url, reference, from, at);
    if (typeof root === 'string') return fail(root, 'references lead to files beside the document; nothing is fetched');
    if (root === undefined) return undefined;
    const node = this.#inside(root, fragment);
    return node ?? fail(`${shown(reference)} leads nowhere: there is no ${shown(fragment)} in ${root.root.file}`);
  }

  #resource(url: URL, reference: string, from: Node, at: Location): Resource | string | undefined {
    const known = this.#byUri.get(withoutFragment(url));
    if (known !== undefined) return known;
    if (url.protocol !== 'file:') return `${shown(reference)} is not a file`;
    if (/^(?:[a-z][a-z0-9+.-]*:|[/\\])/i.test(reference)) return `${shown(reference)} is not relative to the file`;
    const relative = decode(reference.split('#', 1)[0]);
    if (relative === undefined || relative.includes('\0') || url.search !== '') return `${shown(reference)} is not a file`;
    const file = this.#nameOf(url, from.file);
    return this.open(file, at)?.resource;
  }

  /** As the user would name the file: relative where the document is. */
  #nameOf(url: URL, from: string): string {
    const absolute = fileURLToPath(url);
    return path.isAbsolute(from) ? absolute : path.relative('.', absolute) || '.';
  }

  #inside(root: Resource, fragment: string): Node | undefined {
    const file = this.#files.open(root.root.file);
    if (file === undefined) return undefined;
    const whole: Node = {
      ...root.root,
      pointer: '',
      value: file.value,
      resource: this.#byPlace.get(`${root.root.file}#`) ?? root,
    };
    const start = this.child(whole, ...(parsePointer(root.root.pointer) ?? []));
    if (fragment === '') return start;
    const anchor = root.anchors.get(fragment);
    const tokens = parsePointer(anchor ?? fragment);
    if (tokens === undefined) return undefined;
    const node = this.child(anchor === undefined ? start : whole, ...tokens);
    return node.value === undefined ? undefined : node;
  }

  /** Finds `$id` and anchors, once for a file. Depth is bounded by the reader of files. */
  #index(file: string, value: unknown, pointer: string, outer: Resource, names: boolean): void {
    if (Array.isArray(value)) value.forEach((item, index) => this.#index(file, item, `${pointer}/${index}`, outer, false));
    if (!isMapping(value)) return;
    const resource = names ? outer : this.#identify(file, value, pointer, outer);
    for (const [name, inner] of Object.entries(value)) {
      if (typeof inner !== 'object' || (!names && VALUES.has(name))) continue;
      this.#index(file, inner, join(pointer, name), resource, !names && NAMED.has(name));
    }
  }

  #identify(file: string, value: Readonly<Record<string, unknown>>, pointer: string, outer: Resource): Resource {
    const { $id: id, $anchor: anchor, $dynamicAnchor: dynamic } = value;
    let resource = outer;
    const url = typeof id === 'string' ? parse(id, outer.base) : undefined;
    if (url !== undefined && url.hash === '') {
      resource = { base: withoutFragment(url), root: { file, pointer }, anchors: new Map(), dynamicAnchors: new Map() };
      this.#byPlace.set(`${file}#${pointer}`, resource);
      if (this.#byUri.has(resource.base) && pointer !== '')
        this.#problems.add({ file, pointer: join(pointer, '$id') }, `${shown(String(id))} names two schemas`);
      this.#byUri.set(resource.base, resource);
    }
    if (typeof anchor === 'string') resource.anchors.set(anchor, pointer);
    if (typeof dynamic === 'string') {
      resource.anchors.set(dynamic, pointer);
      resource.dynamicAnchors.set(dynamic, pointer);
    }
    return resource;
  }
}

const withoutFragment = (url: URL): string => url.href.replace(/#$/, '');
const shown = (reference: string): string => JSON.stringify(reference.length > 200 ? `${reference.slice(0, 200)}…` : reference);

function parse(reference: string, base: string): URL | undefined {
  return URL.parse(reference, base) ?? undefined;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
