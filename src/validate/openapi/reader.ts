import type { ProblemOptions, Problems } from './problems.ts';
import { isMapping, type Mapping } from './pointer.ts';
import { nearest } from './near.ts';
import type { Node, References } from './references.ts';

/** References that lead to references. */
const MAX_HOPS = 32;

/** Reads the objects of a document apart from schemas: what is there must be what it must be. */
export class Reader {
  readonly references: References;
  readonly problems: Problems;
  readonly version: '3.0' | '3.1';

  constructor(references: References, problems: Problems, version: '3.0' | '3.1') {
    this.references = references;
    this.problems = problems;
    this.version = version;
  }

  fail(node: Node, message: string, options?: ProblemOptions): undefined {
    this.problems.add(node, message, options);
    return undefined;
  }

  child(node: Node, ...tokens: readonly (string | number)[]): Node {
    return this.references.child(node, ...tokens);
  }

  /** The object at a node, behind its references; undefined, with a problem, where there is none. */
  object(node: Node, what: string): (Node & { readonly value: Mapping }) | undefined {
    let at: Node | undefined = node;
    for (let hops = 0; hops < MAX_HOPS; hops++) {
      if (!isMapping(at.value)) return this.fail(at, `${what} must be a mapping`);
      const { $ref: reference } = at.value;
      if (typeof reference !== 'string') return at as Node & { readonly value: Mapping };
      at = this.references.resolve(at, reference);
      if (at === undefined) return undefined;
    }
    return this.fail(node, 'the reference leads to itself');
  }

  /**
   * Tells of members that nobody reads. One that looks like a misspelt rule is an error: what was meant would not be checked.
   */
  known(node: Node & { readonly value: Mapping }, what: string, names: readonly string[]): void {
    for (const name of Object.keys(node.value)) {
      if (names.includes(name) || name.startsWith('x-')) continue;
      const near = nearest(name, names);
      const at = this.child(node, name);
      if (near !== undefined && !Object.hasOwn(node.value, near))
        this.fail(at, `${what} has no \`${name}\``, { at: 'key', hint: `did you mean ${near}?` });
      else this.problems.warn(at, `${what} has no \`${name}\`: it is not read`, { at: 'key' });
    }
  }

  text(node: Node, name: string): string | undefined {
    const at = this.child(node, name);
    if (at.value === undefined || typeof at.value === 'string') return at.value;
    return this.fail(at, `\`${name}\` must be a string`);
  }

  /** A string that must be there. */
  needed(node: Node, name: string, what: string): string | undefined {
    if (this.child(node, name).value === undefined) return this.fail(node, `${what} must have \`${name}\``);
    return this.text(node, name);
  }

  flag(node: Node, name: string): boolean | undefined {
    const at = this.child(node, name);
    if (at.value === undefined || typeof at.value === 'boolean') return at.value;
    return this.fail(at, `\`${name}\` must be true or false`);
  }

  list(node: Node, name: string): Node[] {
    const at = this.child(node, name);
    if (at.value === undefined) return [];
    if (Array.isArray(at.value)) return at.value.map((_, index) => this.child(at, index));
    this.fail(at, `\`${name}\` must be a list`);
    return [];
  }

  /** Members of a mapping, with their names; extensions left out. */
  members(node: Node, name: string): [string, Node][] {
    const at = this.child(node, name);
    if (at.value === undefined) return [];
    if (isMapping(at.value))
      return Object.keys(at.value)
        .filter((one) => !one.startsWith('x-'))
        .map((one) => [one, this.child(at, one)]);
    this.fail(at, `\`${name}\` must be a mapping`);
    return [];
  }
}
