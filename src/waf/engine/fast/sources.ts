import type { CompiledTarget } from '../program/program.ts';
import { isMeant } from '../transaction/run.ts';
import type { Transaction } from '../transaction/transaction.ts';
import type { Variable } from '../variables/variable.ts';
import { Memory, MemoryRoom } from './memory.ts';
import { Sieve } from './sieve.ts';
import type { Check, Hits, SieveWorld } from './sieve-node.ts';

/** One use of a variable by a gate. */
export interface Use {
  readonly target: CompiledTarget;
  readonly check: Check;
}

/** Judges values of one kind. */
type Judge = Pick<Memory, 'judge'>;

/** Where values come from in one phase: judges all that are there. */
export interface Source {
  judge(t: Transaction, hits: Hits): void;
}

/** Variables whose values are the same from request to request more often than not. */
const REPEATING = new Set([
  'REQUEST_METHOD',
  'REQUEST_PROTOCOL',
  'REQUEST_FILENAME',
  'REQUEST_BASENAME',
  'REQUEST_HEADERS',
  'REQUEST_HEADERS_NAMES',
  'REQUEST_COOKIES_NAMES',
  'ARGS_NAMES',
  'ARGS_GET_NAMES',
  'ARGS_POST_NAMES',
  'RESPONSE_STATUS',
  'RESPONSE_HEADERS',
  'RESPONSE_HEADERS_NAMES',
  'RESPONSE_CONTENT_TYPE',
  'REQBODY_ERROR',
  'MULTIPART_STRICT_ERROR',
  'MULTIPART_UNMATCHED_BOUNDARY',
]);

/** Makes the sources of a phase from all that its gates look at. */
export function sourcesOf(uses: readonly Use[], world: SieveWorld): Source[] {
  const counts = uses.filter(({ target }) => target.count);
  const values = uses.filter(({ target }) => !target.count);
  const sieves = new Sieves(world);
  const byVariable = Map.groupBy(values, ({ target }) => target.variable);
  return [
    ...sameTexts(byVariable, sieves),
    ...[...byVariable].map(([variable, list]) => sourceOf(variable, list, sieves)),
    ...[...Map.groupBy(counts, ({ target }) => target.variable)].map(([variable, list]) => countsOf(variable, list)),
  ];
}

/** Two variables that are nearly always the same text: then it is judged once for both. Takes them out of the others. */
function sameTexts(byVariable: Map<Variable, Use[]>, sieves: Sieves): Source[] {
  const [uri, raw] = ['REQUEST_URI', 'REQUEST_URI_RAW'].map((name) => [...byVariable.keys()].find((one) => one.name === name));
  if (uri === undefined || raw === undefined) return [];
  const checks = [uri, raw].map((variable) => (byVariable.get(variable) ?? []).map(({ check }) => check));
  byVariable.delete(uri);
  byVariable.delete(raw);
  return [
    new TwoTexts(
      [uri, raw],
      checks.map((list) => sieves.of(list)),
      sieves.of(checks.flat()),
    ),
  ];
}

class TwoTexts implements Source {
  readonly #variables: readonly Variable[];
  readonly #each: readonly Judge[];
  readonly #both: Judge;

  constructor(variables: readonly Variable[], each: readonly Judge[], both: Judge) {
    this.#variables = variables;
    this.#each = each;
    this.#both = both;
  }

  judge(t: Transaction, hits: Hits): void {
    const texts = this.#variables.map((variable) => t.valuesOf(variable).values[0]);
    if (texts[0] === texts[1] && texts[0] !== undefined) this.#both.judge(texts[0], hits);
    else texts.forEach((text, i) => text !== undefined && this.#each[i].judge(text, hits));
  }
}

function sourceOf(variable: Variable, uses: readonly Use[], sieves: Sieves): Source {
  const remember = REPEATING.has(variable.name);
  const plain = uses.every(({ target }) => target.names === undefined && target.except.length === 0);
  const sieveOf = (checks: readonly Check[]): Judge => (remember ? sieves.remembering(checks) : sieves.of(checks));
  if (plain) return new PlainSource(variable, sieveOf(uses.map(({ check }) => check)));
  return new NamedSource(variable, uses, sieveOf);
}

/** Sieves with the same checks are one, and share their plans. */
class Sieves {
  readonly #world: SieveWorld;
  readonly #known = new Map<string, Sieve>();
  readonly #room = new MemoryRoom();

  constructor(world: SieveWorld) {
    this.#world = world;
  }

  remembering(checks: readonly Check[]): Memory {
    return new Memory(this.of(checks), this.#room);
  }

  of(checks: readonly Check[]): Sieve {
    const distinct = [...new Set(checks)].sort((a, b) => a.id - b.id);
    const key = distinct.map(({ id }) => id).join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = new Sieve(distinct, this.#world);
    this.#known.set(key, made);
    return made;
  }
}

/** All values of a variable are judged alike. */
class PlainSource implements Source {
  readonly #variable: Variable;
  readonly #sieve: Judge;

  constructor(variable: Variable, sieve: Judge) {
    this.#variable = variable;
    this.#sieve = sieve;
  }

  judge(t: Transaction, hits: Hits): void {
    const { values } = t.valuesOf(this.#variable);
    for (let i = 0; i < values.length; i++) this.#sieve.judge(values[i], hits);
  }
}

/** Names of clients end up here: more than this, and they are worked out anew. */
const MOST_NAMES = 2048;

/** Rules choose members by name, so each name has a sieve of its own. */
class NamedSource implements Source {
  readonly #variable: Variable;
  readonly #uses: readonly Use[];
  readonly #sieveOf: (checks: readonly Check[]) => Judge;
  readonly #byName = new Map<string, Judge>();

  constructor(variable: Variable, uses: readonly Use[], sieveOf: (checks: readonly Check[]) => Judge) {
    this.#variable = variable;
    this.#uses = uses;
    this.#sieveOf = sieveOf;
  }

  judge(t: Transaction, hits: Hits): void {
    const { names, values } = t.valuesOf(this.#variable);
    for (let i = 0; i < names.length; i++) (this.#byName.get(names[i]) ?? this.#learn(names[i])).judge(values[i], hits);
  }

  #learn(name: string): Judge {
    const checks = this.#uses.filter(({ target }) => isMeant(target, name, undefined)).map(({ check }) => check);
    const sieve = this.#sieveOf(checks);
    if (this.#byName.size >= MOST_NAMES) this.#byName.clear();
    this.#byName.set(Buffer.from(name, 'latin1').toString('latin1'), sieve);
    return sieve;
  }
}

function countsOf(variable: Variable, uses: readonly Use[]): Source {
  const sources = uses.map((use) => new CountSource(use));
  return REPEATING.has(variable.name) ? new RememberedCounts(variable, sources) : new AllOf(sources);
}

class AllOf implements Source {
  readonly #sources: readonly CountSource[];

  constructor(sources: readonly CountSource[]) {
    this.#sources = sources;
  }

  judge(t: Transaction, hits: Hits): void {
    for (const source of this.#sources) if (source.matches(t)) hits.hit(source.check);
  }
}

const MOST_SETS = 1024;
const LONGEST_SET = 1024;

/** Which header fields there are is the same for most requests of a client: all that is counted of them is found by one look-up. */
class RememberedCounts implements Source {
  readonly #variable: Variable;
  readonly #sources: readonly CountSource[];
  readonly #known = new Map<string, readonly Check[]>();

  constructor(variable: Variable, sources: readonly CountSource[]) {
    this.#variable = variable;
    this.#sources = sources;
  }

  judge(t: Transaction, hits: Hits): void {
    let key = '';
    for (const name of t.valuesOf(this.#variable).names) key += `${name}\n`;
    const known = this.#known.get(key) ?? this.#learn(key, t);
    for (const check of known) hits.hit(check);
  }

  #learn(key: string, t: Transaction): readonly Check[] {
    const matched = this.#sources.filter((source) => source.matches(t)).map(({ check }) => check);
    if (key.length > LONGEST_SET) return matched;
    if (this.#known.size >= MOST_SETS) this.#known.clear();
    this.#known.set(key, matched);
    return matched;
  }
}

/** How many members there are. */
class CountSource {
  readonly #target: CompiledTarget;
  readonly check: Check;

  constructor({ target, check }: Use) {
    this.#target = target;
    this.check = check;
  }

  matches(t: Transaction): boolean {
    let count = 0;
    for (const name of t.valuesOf(this.#target.variable).names) if (isMeant(this.#target, name, undefined)) count++;
    let value = String(count);
    for (const { transformation } of this.check.steps) value = transformation.apply(value);
    return this.check.judge(value);
  }
}
