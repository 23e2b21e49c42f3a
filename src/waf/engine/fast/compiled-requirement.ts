import type { ByteClasses, Word } from './byte-classes.ts';
import type { FoundLiterals } from './literals.ts';
import type { Requirement } from './requirement.ts';

/** A requirement over classes and ids of literals. */
export interface CompiledRequirement {
  /** Whether it can hold in a value of these classes, whatever literals are in it. */
  possible(word: Word): boolean;
  /** Whether it holds in a value of these classes with these literals; undefined: with none. */
  holds(word: Word, found: FoundLiterals | undefined): boolean;
}

/** Gives each literal its id, the same for all requirements. */
export class LiteralIds {
  readonly texts: string[] = [];
  readonly #ids = new Map<string, number>();

  of(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    this.#ids.set(text, this.texts.length);
    return this.texts.push(text) - 1;
  }
}

/** @param used - takes the ids of all literals in it */
export function compileRequirement(
  requirement: Requirement,
  classes: ByteClasses,
  ids: LiteralIds,
  used: Set<number>,
): CompiledRequirement {
  switch (requirement.kind) {
    case 'anything':
      return ALWAYS;
    case 'nothing':
      return NEVER;
    case 'bytes':
      return new SomeByte(classes.maskOf(requirement.set));
    case 'literal': {
      const id = ids.of(requirement.text);
      used.add(id);
      return new OneLiteral(id, requirement.text, classes);
    }
    case 'all':
      return new AllOf(requirement.of.map((one) => compileRequirement(one, classes, ids, used)));
    case 'any':
      return compileAny(requirement.of, classes, ids, used);
  }
}

function compileAny(
  parts: readonly Requirement[],
  classes: ByteClasses,
  ids: LiteralIds,
  used: Set<number>,
): CompiledRequirement {
  const compiled = (one: Requirement) => compileRequirement(one, classes, ids, used);
  const literals = parts.filter((one) => one.kind === 'literal');
  if (literals.length < FEW) return new AnyOf(parts.map(compiled));
  const many = new AnyLiteral(new Set(literals.map(({ text }) => ids.of(text))), literals.map(compiled));
  const others = parts.filter((one) => one.kind !== 'literal').map(compiled);
  return others.length === 0 ? many : new AnyOf([many, ...others]);
}

/** Looking at each costs less than a set. */
const FEW = 6;

const ALWAYS: CompiledRequirement = { possible: () => true, holds: () => true };
const NEVER: CompiledRequirement = { possible: () => false, holds: () => false };

class SomeByte implements CompiledRequirement {
  readonly #mask: Word;

  constructor(mask: Word) {
    this.#mask = mask;
  }

  possible(word: Word): boolean {
    return (word.low & this.#mask.low) !== 0 || (word.high & this.#mask.high) !== 0;
  }

  holds(word: Word): boolean {
    return this.possible(word);
  }
}

class OneLiteral implements CompiledRequirement {
  readonly #id: number;
  /** For each of its bytes, the classes of both cases. */
  readonly #bytes: readonly Word[];

  constructor(id: number, text: string, classes: ByteClasses) {
    this.#id = id;
    this.#bytes = Array.from(new Set(text), (c) => bothCases(c, classes));
  }

  possible(word: Word): boolean {
    return this.#bytes.every(({ low, high }) => (word.low & low) !== 0 || (word.high & high) !== 0);
  }

  holds(_: Word, found: FoundLiterals | undefined): boolean {
    return found?.has(this.#id) === true;
  }
}

function bothCases(c: string, classes: ByteClasses): Word {
  const set = new Uint32Array(8);
  for (const one of [c.charCodeAt(0), c.toUpperCase().charCodeAt(0)]) if (one < 256) set[one >>> 5] |= 1 << (one & 31);
  return classes.maskOf(set);
}

class AllOf implements CompiledRequirement {
  readonly #parts: readonly CompiledRequirement[];

  constructor(parts: readonly CompiledRequirement[]) {
    this.#parts = parts;
  }

  possible(word: Word): boolean {
    for (const part of this.#parts) if (!part.possible(word)) return false;
    return true;
  }

  holds(word: Word, found: FoundLiterals | undefined): boolean {
    for (const part of this.#parts) if (!part.holds(word, found)) return false;
    return true;
  }
}

class AnyOf implements CompiledRequirement {
  readonly #parts: readonly CompiledRequirement[];

  constructor(parts: readonly CompiledRequirement[]) {
    this.#parts = parts;
  }

  possible(word: Word): boolean {
    for (const part of this.#parts) if (part.possible(word)) return true;
    return false;
  }

  holds(word: Word, found: FoundLiterals | undefined): boolean {
    for (const part of this.#parts) if (part.holds(word, found)) return true;
    return false;
  }
}

/** One of many literals, as lists of phrases are: what was found is looked for among them, which is less than the other way round. */
class AnyLiteral implements CompiledRequirement {
  readonly #ids: ReadonlySet<number>;
  readonly #literals: readonly CompiledRequirement[];

  constructor(ids: ReadonlySet<number>, literals: readonly CompiledRequirement[]) {
    this.#ids = ids;
    this.#literals = literals;
  }

  possible(word: Word): boolean {
    for (const literal of this.#literals) if (literal.possible(word)) return true;
    return false;
  }

  holds(_: Word, found: FoundLiterals | undefined): boolean {
    if (found === undefined) return false;
    for (let i = 0; i < found.count; i++) if (this.#ids.has(found.ids[i])) return true;
    return false;
  }
}
