import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { list, type Mapping, mapping } from '../config/checks.ts';
import type { Segment } from '../route/pattern.ts';

/** One operation of an OpenAPI document, as far as the audit asks. */
export interface Operation {
  readonly method: string;
  /** As the document writes it. */
  readonly path: string;
  /** The same as clients write it: below each of the document's servers, and as it is. */
  readonly paths: readonly string[];
  readonly hasBody: boolean;
  readonly deprecated: boolean;
  /** Objects in its request bodies that take members which nobody declared, by where they are. */
  readonly openObjects: readonly string[];
}

const LARGEST = 16 * 1024 * 1024;
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'query'];

/**
 * Reads OpenAPI documents for what an auditor asks of them. That a document is sound is not looked at here: `check` does, and a reference
 * that leads nowhere is passed over.
 */
export class Contracts {
  readonly #documents = new Map<string, unknown>();
  readonly #operations = new Map<string, readonly Operation[] | undefined>();

  /** undefined: there is no such document, or none that can be read. */
  operations(file: string): readonly Operation[] | undefined {
    if (!this.#operations.has(file)) this.#operations.set(file, this.#read(file));
    return this.#operations.get(file);
  }

  #read(file: string): Operation[] | undefined {
    const document = mapping(this.#document(file));
    if (document.paths === undefined) return undefined;
    const bases = basePaths(document);
    const found: Operation[] = [];
    for (const [template, written] of Object.entries(mapping(document.paths))) {
      const item = this.#follow({ file, value: written });
      for (const [method, operation] of Object.entries(mapping(item.value))) {
        if (!METHODS.includes(method.toLowerCase())) continue;
        const paths = bases.map((base) => base + template);
        found.push({
          method: method.toUpperCase(),
          path: template,
          paths,
          ...this.#describe({ file: item.file, value: operation }),
        });
      }
    }
    return found;
  }

  #describe(at: Located): Pick<Operation, 'hasBody' | 'deprecated' | 'openObjects'> {
    const operation = mapping(at.value);
    const body = this.#follow({ file: at.file, value: operation.requestBody });
    const openObjects = new Set<string>();
    for (const media of Object.values(mapping(mapping(body.value).content)))
      this.#findOpen({ file: body.file, value: mapping(media).schema }, 'body', openObjects, new Set());
    return {
      hasBody: mapping(body.value).content !== undefined,
      deprecated: operation.deprecated === true,
      openObjects: [...openObjects],
    };
  }

  /** `seen`: schemas on the way here, so that one that holds itself comes to an end. */
  #findOpen(at: Located, name: string, found: Set<string>, seen: Set<unknown>): void {
    const { file, value } = this.#follow(at);
    if (seen.has(value) || typeof value !== 'object' || value === null) return;
    seen.add(value);
    const schema = mapping(value);
    if (isObject(schema) && !this.#isClosed({ file, value })) found.add(name);
    for (const [member, inner] of Object.entries(mapping(schema.properties)))
      this.#findOpen({ file, value: inner }, `${name}.${member}`, found, seen);
    if (schema.items !== undefined) this.#findOpen({ file, value: schema.items }, `${name}[]`, found, seen);
    const closed = this.#isClosed({ file, value });
    for (const word of ['oneOf', 'anyOf', 'allOf'])
      for (const part of list(schema[word])) this.#findPart({ file, value: part }, { name, closed }, found, seen);
  }

  /** A part of a combination: where the whole, or the rest of it, is closed, the part itself need not be. */
  #findPart(at: Located, { name, closed }: { name: string; closed: boolean }, found: Set<string>, seen: Set<unknown>): void {
    const inner = new Set<string>();
    this.#findOpen(at, name, inner, seen);
    if (closed) inner.delete(name);
    for (const one of inner) found.add(one);
  }

  #isClosed({ file, value }: Located): boolean {
    const schema = mapping(value);
    const { additionalProperties: additional } = schema;
    if (additional === false || schema.unevaluatedProperties === false) return true;
    // A schema for all other members declares them.
    if (typeof additional === 'object' && additional !== null && Object.keys(additional).length > 0) return true;
    return list(schema.allOf).some((part) => {
      const { additionalProperties } = mapping(this.#follow({ file, value: part }).value);
      return additionalProperties === false;
    });
  }

  #follow(at: Located): Located {
    let { file, value } = at;
    for (let steps = 0; steps < 32; steps++) {
      const { $ref: reference } = mapping(value);
      if (typeof reference !== 'string') return { file, value };
      const [name, pointer = ''] = reference.split('#', 2);
      if (URL.canParse(name)) return { file, value: undefined };
      file = name === '' ? file : path.resolve(path.dirname(file), name);
      value = pointed(this.#document(file), pointer);
    }
    return { file, value: undefined };
  }

  #document(file: string): unknown {
    if (!this.#documents.has(file)) this.#documents.set(file, readDocument(file));
    return this.#documents.get(file);
  }
}

interface Located {
  readonly file: string;
  readonly value: unknown;
}

/** The paths of the servers, without `/` at their end; `''` is always one of them. */
function basePaths(document: Mapping): string[] {
  const bases = list(document.servers).flatMap((server) => {
    const { url } = mapping(server);
    const parsed = typeof url === 'string' ? URL.parse(url, 'http://server') : null;
    return parsed === null ? [] : [parsed.pathname.replace(/\/$/, '')];
  });
  return [...new Set(['', ...bases])];
}

function readDocument(file: string): unknown {
  try {
    const stats = statSync(file);
    if (!stats.isFile() || stats.size > LARGEST) return undefined;
    return parse(readFileSync(file, 'utf8'), { schema: 'core', logLevel: 'silent', maxAliasCount: 10_000 });
  } catch {
    return undefined;
  }
}

function pointed(document: unknown, pointer: string): unknown {
  let value = document;
  for (const step of pointer.split('/').slice(1)) {
    const key = unescapeStep(step);
    value = typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Mapping)[key] : undefined;
  }
  return value;
}

function unescapeStep(step: string): string {
  try {
    return decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return step;
  }
}

function isObject(schema: Mapping): boolean {
  const { type } = schema;
  return type === 'object' || (Array.isArray(type) && type.includes('object')) || schema.properties !== undefined;
}

/** Whether a path of the document can lead to this route. */
export function isUnder(segments: readonly Segment[], template: string): boolean {
  const parts = template.split('/').slice(1);
  for (const [i, segment] of segments.entries()) {
    if (segment.kind === 'rest') return true;
    if (i >= parts.length) return segments.length === i + 1 && segment.kind === 'literal' && segment.text === '';
    const parameter = parts[i].includes('{');
    if (segment.kind === 'literal' && !parameter && segment.text !== parts[i]) return false;
  }
  return parts.length === segments.length;
}
