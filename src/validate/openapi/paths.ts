/**
 * Which path of a document a canonical path is. Literals win over templates, longer literal text over shorter, and only where the more
 * exact way leads nowhere the next is tried: what a request is does not depend on the order of the document.
 */

/** The way from a path to what stands under its template. */
export interface PathMatch<T> {
  readonly value: T;
  /** The raw texts of the template's parameters, in their order. */
  readonly raw: readonly string[];
  /** A segment with several parameters can be cut in more than one way. */
  readonly ambiguous: boolean;
}

/** A path template that no request can have. */
export class TemplateError extends Error {}

/** The text around and between the parameters of one segment: `{a}-{b}.json` is `''`, `-`, `.json`. */
type Literals = readonly string[];

interface Node<T> {
  readonly literal: Map<string, Node<T>>;
  readonly templated: { readonly literals: Literals; readonly node: Node<T> }[];
  value: T | undefined;
}

const newNode = <T>(): Node<T> => ({ literal: new Map(), templated: [], value: undefined });

export interface Template {
  readonly segments: readonly (string | Literals)[];
  /** Names in the order in which they stand. */
  readonly names: readonly string[];
}

/**
 * Takes `/users/{id}.json` apart.
 * @param canonical gives the one spelling that requests have of a literal path; undefined: requests with it are refused
 */
export function parseTemplate(template: string, canonical: (path: string) => string | undefined): Template {
  if (!template.startsWith('/')) throw new TemplateError('a path begins with "/"');
  const names: string[] = [];
  const segments = template
    .slice(1)
    .split('/')
    .map((segment) => parseSegment(segment, names, canonical));
  if (new Set(names).size < names.length) throw new TemplateError('a parameter stands twice in the path');
  return { segments, names };
}

function parseSegment(segment: string, names: string[], canonical: (path: string) => string | undefined): string | Literals {
  const literals: string[] = [];
  let from = 0;
  for (let open = segment.indexOf('{'); open >= 0; open = segment.indexOf('{', from)) {
    const close = segment.indexOf('}', open);
    if (close < open + 2) throw new TemplateError('a brace in the path is not closed, or holds no name');
    if (open === from && from > 0) throw new TemplateError('two parameters in the path stand side by side with nothing between');
    literals.push(literalOf(segment.slice(from, open), canonical));
    names.push(segment.slice(open + 1, close));
    from = close + 1;
  }
  const rest = literalOf(segment.slice(from), canonical);
  return literals.length === 0 ? rest : [...literals, rest];
}

/** Requests come in canonical form, so literals are compared in it. */
function literalOf(text: string, canonical: (path: string) => string | undefined): string {
  if (text === '' || /^[\w-]+$/.test(text)) return text;
  // `x` on both sides: what stands in the middle of a segment, `.` above all, is no segment of its own.
  const escaped = text.replace(/[^\x21-\x7e]/gu, encodeURIComponent);
  const result = canonical(`/x${escaped}x`);
  if (result === undefined) throw new TemplateError('requests with this path are refused as ambiguous');
  return result.slice(2, -1);
}

/** All paths of a document. */
export class PathTree<T> {
  readonly #root: Node<T> = newNode();

  /** The value under this template; templates that differ in names only share it. */
  at(segments: Template['segments'], make: () => T): T {
    let node = this.#root;
    for (const segment of segments)
      node = typeof segment === 'string' ? literalChild(node, segment) : templatedChild(node, segment);
    return (node.value ??= make());
  }

  find(path: string): PathMatch<T> | undefined {
    const raw: string[] = [];
    const found = this.#walk(this.#root, path.split('/'), 1, raw);
    return found === undefined ? undefined : { value: found.value, raw, ambiguous: found.ambiguous };
  }

  /** Visits each node of the tree at most once, for each stands at one depth and under one way. */
  #walk(node: Node<T>, parts: readonly string[], at: number, raw: string[]): { value: T; ambiguous: boolean } | undefined {
    if (at === parts.length) return node.value === undefined ? undefined : { value: node.value, ambiguous: false };
    const part = parts[at];
    const next = node.literal.get(part);
    const found = next === undefined ? undefined : this.#walk(next, parts, at + 1, raw);
    if (found !== undefined) return found;
    const kept = raw.length;
    for (const { literals, node: child } of node.templated) {
      const cut = cutSegment(part, literals, raw);
      if (cut !== undefined) {
        const below = this.#walk(child, parts, at + 1, raw);
        if (below !== undefined) return cut === 'ambiguous' ? { value: below.value, ambiguous: true } : below;
      }
      raw.length = kept;
    }
    return undefined;
  }
}

function literalChild<T>(node: Node<T>, segment: string): Node<T> {
  const child = node.literal.get(segment) ?? newNode<T>();
  node.literal.set(segment, child);
  return child;
}

function templatedChild<T>(node: Node<T>, literals: Literals): Node<T> {
  const same = node.templated.find((one) => one.literals.join('\0') === literals.join('\0'));
  if (same !== undefined) return same.node;
  const child = newNode<T>();
  node.templated.push({ literals, node: child });
  const weight = (one: { literals: Literals }) => one.literals.reduce((sum, text) => sum + text.length, 0);
  node.templated.sort((a, b) => weight(b) - weight(a) || (a.literals.join('\0') < b.literals.join('\0') ? -1 : 1));
  return child;
}

/** Cuts a segment at its literals and adds the texts between them; each holds at least one character. */
function cutSegment(part: string, literals: Literals, raw: string[]): 'one' | 'ambiguous' | undefined {
  const first = literals[0];
  const last = literals[literals.length - 1];
  const end = part.length - last.length;
  if (!part.startsWith(first) || !part.endsWith(last) || end <= first.length) return undefined;
  let from = first.length;
  let ambiguous = false;
  for (let i = 1; i < literals.length - 1; i += 1) {
    const at = part.indexOf(literals[i], from + 1);
    if (at < 0 || at + literals[i].length >= end) return undefined;
    ambiguous ||= isLater(part, literals[i], at + 1, end);
    raw.push(part.slice(from, at));
    from = at + literals[i].length;
  }
  raw.push(part.slice(from, end));
  return ambiguous ? 'ambiguous' : 'one';
}

/** True where the same cut could be made further on. */
function isLater(part: string, literal: string, from: number, end: number): boolean {
  const later = part.indexOf(literal, from);
  return later >= 0 && later + literal.length < end;
}
