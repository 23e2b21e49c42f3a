import type { CompiledLink, CompiledRule, NameMatcher } from '../program/program.ts';
import type { RuleDefinition } from '../rule-set.ts';
import type { Transaction } from '../transaction/transaction.ts';
import { variableNamed } from '../variables/catalogue.ts';
import type { Variable } from '../variables/variable.ts';
import { ANY_THAT_MATCHES, dependenciesOf, macrosOf, overlaps } from './dependencies.ts';
import type { LiveRule } from './foresee.ts';

const MOST = 1024;
const LONGEST = 2048;

/**
 * For a rule that writes down what it sees before it decides (such as the names of all header fields, each in a variable of its own):
 * remembers for which values it decided that there is nothing. What it wrote down then is seen by nobody.
 */
export class RuleMemory {
  readonly #rule: RuleDefinition;
  readonly #variables: readonly Variable[];
  readonly #readers: readonly NameMatcher[];
  readonly #nothing = new Set<string>();

  /** @param readers - patterns by which other rules choose variables of TX: what they would choose must not go unwritten */
  constructor(rule: RuleDefinition, variables: readonly Variable[], readers: readonly NameMatcher[]) {
    this.#rule = rule;
    this.#variables = variables;
    this.#readers = readers;
  }

  /** What the rule looks at, names and values, as one text; undefined: it is too long, or other rules took some of it away. */
  keyOf(t: Transaction): string | undefined {
    if (t.removals.targetsOf(this.#rule) !== undefined) return undefined;
    let key = '';
    for (const variable of this.#variables) {
      const { names, values } = t.valuesOf(variable);
      key += `${names.length};`;
      for (let i = 0; i < names.length; i++) {
        if (names !== values) key += `${names[i].length}:${names[i]}`;
        key += `${values[i].length}:${values[i]}`;
      }
      if (key.length > LONGEST) return undefined;
    }
    return key;
  }

  knows(key: string): boolean {
    return this.#nothing.has(key);
  }

  learn(key: string, t: Transaction): void {
    if (t.tx.writtenNames().some((name) => this.#readers.some((one) => one.matches(name)))) return;
    if (this.#nothing.size >= MOST) this.#nothing.clear();
    this.#nothing.add(key);
  }
}

/**
 * The memory of a rule; undefined where one would be wrong or of no use: it looks at something that changes besides what it writes itself,
 * or somebody else reads what it writes before it has matched.
 */
export function memoryOf({ rule }: LiveRule, all: readonly LiveRule[]): RuleMemory | undefined {
  if (rule.links.length < 2 || !writesBeforeItsEnd(rule)) return undefined;
  const stable = stableVariables(rule);
  const inner = innerWrites(rule);
  if (stable === undefined || inner === undefined) return undefined;
  const others = all.filter((one) => one.rule !== rule);
  if (others.some(({ dependencies }) => overlaps(inner, namedOnly(dependencies.reads)))) return undefined;
  // What it reads and does not write itself must be what it always is.
  const foreign = [...dependenciesOf(withoutItsEnd(rule)).reads].filter((name) => !inner.has(name));
  if (others.some((one) => overlaps(foreign, one.dependencies.writes))) return undefined;
  return new RuleMemory(rule.definition, stable, others.flatMap(patternsOf));
}

const namedOnly = (names: ReadonlySet<string>) => new Set([...names].filter((name) => name !== ANY_THAT_MATCHES));

/** Patterns by which a rule chooses variables of TX. */
function patternsOf({ rule }: LiveRule): NameMatcher[] {
  const targets = rule.links.flatMap(({ targets }) => targets);
  return targets.flatMap(({ variable, names, written }) =>
    variable.name === 'TX' && written.selector?.kind === 'pattern' && names !== undefined ? [names] : [],
  );
}

/** The rule as far as it decides whether it matches. */
function withoutItsEnd(rule: CompiledRule): CompiledRule {
  const last = rule.links[rule.links.length - 1];
  const quiet = { ...last, definition: { ...last.definition, effects: [] }, effects: [] };
  const definition = { ...rule.definition, message: undefined, logData: undefined };
  return { ...rule, definition, links: [...rule.links.slice(0, -1), quiet] };
}

/** What it looks at besides TX; undefined when some of it changes while rules run. */
function stableVariables(rule: CompiledRule): Variable[] | undefined {
  const targets = rule.links.flatMap((link) => link.targets.map(({ variable }) => variable));
  const named = rule.links.flatMap(referred).flatMap((name) => variableNamed(name) ?? []);
  const others = [...new Set([...targets, ...named])].filter(({ name }) => name !== 'TX');
  return others.every(({ stable, phase }) => stable && phase <= rule.definition.phase) ? others : undefined;
}

/** Variables that its macros name. MATCHED_VAR follows from what it judges. */
function referred({ definition: { operator, effects } }: CompiledLink): string[] {
  const macros = [...(operator === undefined ? [] : [operator.argument]), ...effects.flatMap(macrosOf)];
  const names = macros.flatMap(({ parts }) => parts.flatMap((part) => (typeof part === 'string' ? [] : [part.variable])));
  return names.filter((name) => !name.startsWith('MATCHED_VAR'));
}

function writesBeforeItsEnd({ links }: CompiledRule): boolean {
  return links.slice(0, -1).some(({ effects, capture }) => effects.length > 0 || capture);
}

/** Names of TX that all links but the last write; undefined where they do something else. */
function innerWrites({ links }: CompiledRule): Set<string> | undefined {
  const names = new Set<string>();
  for (const { definition, capture } of links.slice(0, -1)) {
    if (capture) for (let i = 0; i < 10; i++) names.add(String(i));
    for (const effect of definition.effects) {
      const [first] = effect.kind === 'setvar' ? effect.name.parts : [];
      if (effect.kind !== 'setvar' || effect.collection !== 'TX' || typeof first !== 'string') return undefined;
      names.add(effect.name.parts.length === 1 ? first.toLowerCase() : `${first.toLowerCase()}*`);
    }
  }
  return names;
}
