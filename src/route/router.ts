import type { HeaderList } from '../exchange/headers.ts';
import { type Preflight, readConditions, readPreflight } from './conditions.ts';
import { type Candidate, type Found, Leaf, type MethodMiss, type Picked } from './leaf.ts';
import { allowedMethods, DEFAULT_METHODS } from './methods.ts';
import { type Pattern, type Problem, parseHost, parsePattern } from './pattern.ts';

export type { Found, MethodMiss } from './leaf.ts';

/** One route as the configuration has it, and the value that the router hands back for it. */
export interface RouteEntry<T> {
  readonly path: string;
  /** Absent: every host. */
  readonly host?: string | readonly string[] | undefined;
  /** Absent: `DEFAULT_METHODS`. */
  readonly methods?: readonly string[] | undefined;
  /** Name → exact value, or `present`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** True when the route answers CORS preflights itself. */
  readonly preflight?: boolean | undefined;
  readonly value: T;
}

export interface Router<T> {
  /**
   * The route for a request: `host` and `path` as in `RequestHead`. Where `allow` is set, the path
   * exists but not with this method (`answerMethod`); undefined is a 404. Results are shared: do not change them.
   */
  find(host: string, path: string, method: string, headers: HeaderList): Found<T> | MethodMiss | undefined;
}

/** A node of the trie of segments, one trie for each host. */
class Node<T> {
  /**
   * Literal segments by their hash: the path is hashed where it stands, so that nothing is cut out of it. Segments with
   * the same hash are chained; as only the configuration brings them in, nobody can make a chain long.
   */
  literals: Map<number, Branch<T>> | undefined = undefined;
  single: Node<T> | undefined = undefined;
  /** A pattern ends here. */
  end: Leaf<T> | undefined = undefined;
  /** A pattern ends here with `**`, which takes the path that ends here, too. */
  rest: Leaf<T> | undefined = undefined;
}

interface Branch<T> {
  readonly text: string;
  readonly node: Node<T>;
  readonly next: Branch<T> | undefined;
}

/**
 * Builds the router. The order of `routes` has no influence on what it finds.
 *
 * The tree of the most specific host is searched first; where no pattern of it takes the path, the next one is. Within
 * a tree the pattern wins that is more specific at the first segment where two differ: literal, then one segment, then
 * `**`. It then owns the request: a method that none of its routes serves is a 405 and does not fall through to a less
 * specific pattern, else another verb would lead around the checks of the specific one (CWE-650).
 * @throws Error when a pattern or a host is malformed; the configuration checks them before.
 */
export function createRouter<T>(routes: readonly RouteEntry<T>[]): Router<T> {
  return new TrieRouter(routes);
}

const SLASH = 0x2f;

function nextHash(hash: number, code: number): number {
  return (Math.imul(hash, 31) + code) | 0;
}

class TrieRouter<T> implements Router<T> {
  private readonly exact = new Map<string, Node<T>>();
  /** By suffix with its dot: `*.example.com` is `.example.com`. */
  private readonly wild = new Map<string, Node<T>>();
  private readonly any = new Node<T>();
  /** For `OPTIONS *`, which asks about the server as a whole (RFC 9110 section 9.3.7). */
  private readonly server: MethodMiss;

  constructor(routes: readonly RouteEntry<T>[]) {
    const methods = new Set<string>();
    for (const route of routes) {
      const pattern = unwrap(parsePattern(route.path));
      const candidate = newCandidate(route, pattern);
      for (const tree of this.trees(route.host)) leafFor(tree, pattern).add(candidate);
      for (const method of candidate.methods) methods.add(method);
    }
    this.server = { match: undefined, params: undefined, allow: allowedMethods(methods) };
  }

  find(host: string, path: string, method: string, headers: HeaderList): Found<T> | MethodMiss | undefined {
    if (path === '*') return this.server;
    const preflight = method === 'OPTIONS' ? readPreflight(headers) : undefined;
    const picked = this.byHost(host, path, method, headers, preflight) ?? walk(this.any, path, 1, method, headers, preflight);
    if (picked === undefined || picked.names.length === 0) return picked?.result;
    return { match: picked.result.match as T, params: readParams(path, picked), allow: undefined };
  }

  private byHost(
    host: string,
    path: string,
    method: string,
    headers: HeaderList,
    preflight: Preflight | undefined,
  ): Picked<T> | undefined {
    if (this.exact.size === 0 && this.wild.size === 0) return undefined;
    const tree = this.exact.get(host);
    const own = tree && walk(tree, path, 1, method, headers, preflight);
    if (own !== undefined || this.wild.size === 0) return own;
    // From the left, so that the longest suffix comes first.
    for (let dot = host.indexOf('.', 1); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const below = this.wild.get(host.slice(dot));
      const picked = below && walk(below, path, 1, method, headers, preflight);
      if (picked !== undefined) return picked;
    }
    return undefined;
  }

  private trees(host: RouteEntry<T>['host']): Node<T>[] {
    if (host === undefined) return [this.any];
    return hostList(host).map((text) => {
      const { name, wildcard } = unwrap(parseHost(text));
      return getOrMake(wildcard ? this.wild : this.exact, name, () => new Node<T>());
    });
  }
}

/**
 * Looks for the best leaf below `node` for the part of `path` that begins at `start`. Goes back when a branch comes to
 * nothing; as the nodes are a tree, each is visited at most once, so that a path never costs more than the patterns
 * that could take it, and a segment for which there is no branch costs nothing whatever follows it.
 */
function walk<T>(
  node: Node<T>,
  path: string,
  start: number,
  method: string,
  headers: HeaderList,
  preflight: Preflight | undefined,
): Picked<T> | undefined {
  if (start > path.length) return node.end?.pick(method, headers, preflight) ?? node.rest?.pick(method, headers, preflight);
  let hash = 0;
  let end = start;
  for (; end < path.length; end++) {
    const code = path.charCodeAt(end);
    if (code === SLASH) break;
    hash = nextHash(hash, code);
  }
  for (let branch = node.literals?.get(hash); branch !== undefined; branch = branch.next) {
    if (branch.text.length !== end - start || !path.startsWith(branch.text, start)) continue;
    const picked = walk(branch.node, path, end + 1, method, headers, preflight);
    if (picked !== undefined) return picked;
    break;
  }
  // An empty segment (a slash at the end) is no value for a parameter.
  if (node.single !== undefined && end > start) {
    const picked = walk(node.single, path, end + 1, method, headers, preflight);
    if (picked !== undefined) return picked;
  }
  return node.rest?.pick(method, headers, preflight);
}

/**
 * Parameters inherit nothing: `params['constructor']` is undefined unless the route has such a parameter. An empty
 * prototype does this at a quarter of the cost of an object without one.
 */
const Params = function () {} as unknown as { new (): Record<string, string>; prototype: object };
Params.prototype = Object.create(null) as object;

function readParams<T>(path: string, { names, positions }: Picked<T>): Record<string, string> {
  const params = new Params();
  let start = 1;
  let next = 0;
  for (let index = 0; next < names.length; index++) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    if (index === positions[next]) params[names[next++]] = decodeSegment(path.slice(start, end));
    start = end + 1;
  }
  return params;
}

/** A canonical path holds nothing but valid escapes of valid UTF-8. */
function decodeSegment(segment: string): string {
  return segment.includes('%') ? decodeURIComponent(segment) : segment;
}

function newCandidate<T>(route: RouteEntry<T>, pattern: Pattern): Candidate<T> {
  const names: string[] = [];
  const positions: number[] = [];
  for (const [index, segment] of pattern.segments.entries()) {
    if (segment.kind !== 'single' || segment.name === undefined) continue;
    names.push(segment.name);
    positions.push(index);
  }
  return {
    value: route.value,
    methods: route.methods ?? DEFAULT_METHODS,
    conditions: readConditions(route.headers),
    preflight: route.preflight ?? false,
    names,
    positions,
  };
}

function leafFor<T>(tree: Node<T>, pattern: Pattern): Leaf<T> {
  let node = tree;
  for (const segment of pattern.segments) {
    if (segment.kind === 'rest') {
      node.rest ??= new Leaf<T>();
      return node.rest;
    }
    node = segment.kind === 'single' ? singleChild(node) : literalChild(node, segment.text);
  }
  node.end ??= new Leaf<T>();
  return node.end;
}

function singleChild<T>(node: Node<T>): Node<T> {
  node.single ??= new Node<T>();
  return node.single;
}

function literalChild<T>(node: Node<T>, text: string): Node<T> {
  node.literals ??= new Map();
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = nextHash(hash, text.charCodeAt(i));
  const first = node.literals.get(hash);
  for (let branch = first; branch !== undefined; branch = branch.next) if (branch.text === text) return branch.node;
  const child = new Node<T>();
  node.literals.set(hash, { text, node: child, next: first });
  return child;
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

export function hostList(host: string | readonly string[] | undefined): readonly string[] {
  if (host === undefined) return [];
  return typeof host === 'string' ? [host] : host;
}

function unwrap<V extends object>(value: V | Problem): V {
  if ('problem' in value) throw new Error(value.problem);
  return value as V;
}
