import type { PlainMapping } from './plain-schema.ts';
import type { Mapping } from './pointer.ts';
import type { Problems } from './problems.ts';
import type { Node, References } from './references.ts';

/** What OpenAPI 3.0 says in its own way. */
export class Dialect {
  readonly #references: References;
  readonly #problems: Problems;

  constructor(references: References, problems: Problems) {
    this.#references = references;
    this.#problems = problems;
  }

  /** A `$ref` stands for the whole schema. */
  warnSiblings(node: Node, value: Mapping): void {
    const rules = Object.keys(value).filter(
      (name) => !/^(?:\$ref|title|description|summary|example|externalDocs|deprecated|default|xml|x-.*)$/.test(name),
    );
    for (const name of rules) {
      const message = `\`${name}\` beside a $ref is not read in OpenAPI 3.0`;
      this.#problems.add(this.#references.child(node, name), message, {
        severity: 'warning',
        at: 'key',
        hint: 'put both into allOf',
      });
    }
  }

  /** `nullable`, and exclusive bounds that are marks on the others. */
  translate(node: Node, value: Mapping, plain: PlainMapping): void {
    for (const [mark, bound] of [
      ['exclusiveMaximum', 'maximum'],
      ['exclusiveMinimum', 'minimum'],
    ]) {
      const exclusive = plain[mark];
      delete plain[mark];
      if (exclusive !== true || plain[bound] === undefined) continue;
      plain[mark] = plain[bound];
      delete plain[bound];
    }
    if (value.nullable !== true) return;
    if (typeof plain.type === 'string') plain.type = [plain.type, 'null'];
    else {
      const message = '`nullable` means nothing where the same schema has no `type`';
      this.#problems.add(this.#references.child(node, 'nullable'), message, { severity: 'warning', at: 'key' });
    }
  }
}
