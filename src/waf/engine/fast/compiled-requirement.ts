import { type ByteClasses, EVERY_CLASS, type Word } from './byte-classes.ts';
import type { FoundLiterals } from './literals.ts';
import { foldCase, type NeededClasses, neededClasses, suffices } from './needed-classes.ts';
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

/**
 * Compiles a requirement; what it asks of classes is known in few words, where that can be.
 * @param used - takes the ids of all literals in it
 */
export function compileRequirement(
  requirement: Requirement,
  classes: ByteClasses,
  ids: LiteralIds,
  used: Set<number>,
): CompiledRequirement {
  const needed = neededClasses(requirement, classes);
  const whole = compilePart(requirement, classes, ids, used);
  return needed === undefined ? whole : new WithNeeds(needed, whole, classes);
}

class WithNeeds implements CompiledRequirement {
  readonly #needed: NeededClasses;
  readonly #whole: CompiledRequirement;
  readonly #classes: ByteClasses;

  constructor(needed: NeededClasses, whole: CompiledRequirement, classes: ByteClasses) {
    this.#needed = needed;
    this.#whole = whole;
    this.#classes = classes;
  }

  possible(word: Word): boolean {
    return suffices(foldCase(word, this.#classes), this.#needed);
  }

  holds(word: Word, found: FoundLiterals | undefined): boolean {
    return this.#whole.holds(word, found);
  }
}

function compilePart(requirement: Requirement, classes: ByteClasses, ids: LiteralIds, used: Set<number>): CompiledRequirement {
  switch (requirement.kind) {
    case 'anything':
      return ALWAYS;
    case 'nothing':
      return NEVER;
    case 'bytes':
      return new SomeByte(classes.maskOf(requirement.set));
    case 'literal': {
      const id = ids.of(tellingPart(requirement.text));
      used.add(id);
      return new OneLiteral(id, requirement.text, classes);
    }
    case 'all':
      return new AllOf(requirement.of.map((one) => compilePart(one, classes, ids, used)));
    case 'any':
      return compileAny(requirement.of, classes, ids, used);
  }
}

/** Longer literals are looked for by so much of them: the table of all that are looked for has to stay small to be fast. */
const LONGEST = 6;
const WORDS = /[a-z0-9]/g;

/** The part of a literal that is rarest in ordinary text: the one with the most marks in it. */
function tellingPart(text: string): string {
  if (text.length <= LONGEST) return text;
  let best = text.slice(0, LONGEST);
  let most = -1;
  for (let i = 0; i + LONGEST <= text.length; i++) {
    const part = text.slice(i, i + LONGEST);
    const marks = LONGEST - (part.match(WORDS)?.length ?? 0);
    if (marks <= most) continue;
    most = marks;
    best = part;
  }
  return best;
}

function compileAny(
  parts: readonly Requirement[],
  classes: ByteClasses,
  ids: LiteralIds,
  used: Set<number>,
): CompiledRequirement {
  const bare: CompiledRequirement[] = [];
  const byLiteral = new Map<number, CompiledRequirement[]>();
  for (const part of parts) {
    const own = new Set<number>();
    const compiled = compilePart(part, classes, ids, own);
    if (compiled.holds(EVERY_CLASS, undefined)) bare.push(compiled);
    else for (const id of own) addTo(byLiteral, id, compiled);
    for (const id of own) used.add(id);
  }
  return new AnyOf(bare, byLiteral);
}

function addTo<T>(map: Map<number, T[]>, key: number, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

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
    for (let i = 0; i < this.#parts.length; i++) if (!this.#parts[i].holds(word, found)) return false;
    return true;
  }
}

/** Of hundreds of parts, only those can hold of whose literals one was found, and those that need none. */
class AnyOf implements CompiledRequirement {
  readonly #bare: readonly CompiledRequirement[];
  readonly #byLiteral: ReadonlyMap<number, readonly CompiledRequirement[]>;
  readonly #others: readonly CompiledRequirement[];

  constructor(bare: readonly CompiledRequirement[], byLiteral: ReadonlyMap<number, readonly CompiledRequirement[]>) {
    this.#bare = bare;
    this.#byLiteral = byLiteral;
    this.#others = [...new Set([...byLiteral.values()].flat())];
  }

  possible(word: Word): boolean {
    for (const part of this.#bare) if (part.possible(word)) return true;
    for (const part of this.#others) if (part.possible(word)) return true;
    return false;
  }

  holds(word: Word, found: FoundLiterals | undefined): boolean {
    for (let i = 0; i < this.#bare.length; i++) if (this.#bare[i].holds(word, found)) return true;
    if (found === undefined) return false;
    for (let i = 0; i < found.count; i++) {
      const parts = this.#byLiteral.get(found.ids[i]);
      if (parts === undefined) continue;
      for (let j = 0; j < parts.length; j++) if (parts[j].holds(word, found)) return true;
    }
    return false;
  }
}
