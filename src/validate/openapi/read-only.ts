import { isMapping, member } from './pointer.ts';
import type { Node, References } from './references.ts';

const IN_PLACE = ['allOf', 'anyOf', 'oneOf', 'if', 'then', 'else'];
const NONE: ReadonlySet<string> = new Set();

/** Finds which properties a document marks as `readOnly`: a request does not send them, and `required` does not ask for them. */
export class ReadOnly {
  readonly #references: References;
  readonly #version: '3.0' | '3.1';
  readonly #known = new Map<string, ReadonlySet<string>>();

  constructor(references: References, version: '3.0' | '3.1') {
    this.#references = references;
    this.#version = version;
  }

  /** Names of such properties, in all schemas that are applied to the same value. */
  names(node: Node): ReadonlySet<string> {
    const key = `${node.file}#${node.pointer}`;
    let names = this.#known.get(key);
    if (names === undefined) {
      names = this.#find(node);
      this.#known.set(key, names);
    }
    return names;
  }

  /** Whether the schema of a property says so, itself or by what it builds on. */
  is(node: Node): boolean {
    return this.#family(node, ['allOf']).some((one) => member(one.value, 'readOnly') === true);
  }

  #find(node: Node): ReadonlySet<string> {
    const found = new Set<string>();
    for (const one of this.#family(node, IN_PLACE)) {
      const properties = this.#references.child(one, 'properties');
      if (!isMapping(properties.value)) continue;
      for (const name of Object.keys(properties.value)) if (this.is(this.#references.child(properties, name))) found.add(name);
    }
    return found.size === 0 ? NONE : found;
  }

  /** The schema, what it refers to, and what stands under the keywords, each once. References that lead nowhere are told elsewhere. */
  #family(start: Node, keywords: readonly string[]): Node[] {
    const family = new Map<string, Node>();
    const waiting = [start];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      const key = `${node.file}#${node.pointer}`;
      if (family.has(key) || !isMapping(node.value)) continue;
      family.set(key, node);
      const { $ref: reference } = node.value;
      const target = typeof reference === 'string' ? this.#references.resolve(node, reference) : undefined;
      if (target !== undefined) waiting.push(target);
      if (this.#version === '3.0' && target !== undefined) continue;
      for (const keyword of keywords) this.#push(node, keyword, waiting);
    }
    return [...family.values()];
  }

  #push(node: Node, keyword: string, waiting: Node[]): void {
    const part = this.#references.child(node, keyword);
    if (Array.isArray(part.value)) part.value.forEach((_, index) => waiting.push(this.#references.child(part, index)));
    else if (part.value !== undefined) waiting.push(part);
  }
}
