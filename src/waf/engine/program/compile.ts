import { type OperatorWorld, type PreparedOperator, RuleError } from '../operator.ts';
import { OPERATORS } from '../operators/index.ts';
import { PatternCache } from '../regex/compile.ts';
import type {
  Ctl,
  Effect,
  Link,
  MarkerDefinition,
  OperatorUse,
  RuleDefinition,
  RuleProblem,
  RuleSet,
  Target,
} from '../rule-set.ts';
import type { RemovedTarget } from '../transaction/removals.ts';
import { TRANSFORMATIONS } from '../transformations/index.ts';
import { variableNamed } from '../variables/catalogue.ts';
import {
  ChangeReading,
  type CompiledEffect,
  ExpireStored,
  OpenCollection,
  RemoveRules,
  RemoveTarget,
  SetStored,
  SetTx,
} from './effects.ts';
import { matcherOf } from './names.ts';
import type { CompiledLink, CompiledRule, CompiledTarget, PhaseProgram, Program } from './program.ts';

/** What a program is made with besides the rules. */
export interface CompileWorld {
  /** Lines of a data file beside a rule file; undefined: it cannot be read. */
  readLines(name: string, besides: string): readonly string[] | undefined;
  /** TX variables that the configuration fixes, names in lower case. */
  readonly pinned?: ReadonlyMap<string, string>;
}

export type CompileResult =
  | { readonly ok: true; readonly program: Program }
  | { readonly ok: false; readonly problems: readonly RuleProblem[] };

/** Makes a program of a set of rules. Everything that cannot run is a problem with its place; nothing is skipped. */
export function compileRules(set: RuleSet, world: CompileWorld): CompileResult {
  const compiler = new Compiler(set, world);
  const phases = [1, 2, 3, 4, 5].map((phase) => compiler.phase(phase));
  if (compiler.problems.length > 0) return { ok: false, problems: compiler.problems };
  const program = { phases: [{ rules: [] }, ...phases], settings: set.settings, pinned: world.pinned ?? new Map() };
  return { ok: true, program };
}

class Compiler {
  readonly problems: RuleProblem[] = [];
  readonly #set: RuleSet;
  readonly #world: CompileWorld;
  /** Operators with the same argument are one. */
  readonly #operators = new Map<string, PreparedOperator>();
  /** Equal patterns are one, and share a bound on their memory. */
  readonly #patterns = new PatternCache();
  #index = 0;

  constructor(set: RuleSet, world: CompileWorld) {
    this.#set = set;
    this.#world = world;
  }

  phase(phase: number): PhaseProgram {
    const entries = this.#set.entries.filter((one) => one.kind === 'marker' || one.phase === phase);
    const rules: CompiledRule[] = [];
    entries.forEach((entry, at) => {
      if (entry.kind === 'rule') rules.push(this.#rule(entry, entries, at, rules.length));
    });
    return { rules };
  }

  #rule(definition: RuleDefinition, entries: readonly Entry[], at: number, position: number): CompiledRule {
    const links = definition.links.map((link) => this.#link(link));
    return { definition, links, skipTo: skipTarget(definition, entries, at, position), index: this.#index++ };
  }

  #link(link: Link): CompiledLink {
    return {
      definition: link,
      targets: compileTargets(link.targets),
      operator: link.operator && this.#operator(link.operator),
      negated: link.operator?.negated ?? false,
      transformations: link.transformations.flatMap((name) => TRANSFORMATIONS.get(name.toLowerCase()) ?? []),
      multiMatch: link.multiMatch,
      capture: link.capture,
      effects: link.effects.flatMap((effect) => this.#effect(effect) ?? []),
    };
  }

  #operator(use: OperatorUse): PreparedOperator | undefined {
    const key = `${use.name}\n${use.place.file}\n${use.argument.text}`;
    const known = this.#operators.get(key);
    if (known !== undefined) return known;
    try {
      const made = makeOperator(use, this.#world, this.#patterns);
      this.#operators.set(key, made);
      return made;
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      this.problems.push({ ...use.place, message: `@${use.name}: ${error.message}`, hint: error.hint });
      return undefined;
    }
  }

  #effect(effect: Effect): CompiledEffect | undefined {
    switch (effect.kind) {
      case 'setvar':
        return effect.collection === 'TX' ? new SetTx(effect) : new SetStored(effect);
      case 'initcol':
        return new OpenCollection(effect);
      case 'expirevar':
        return new ExpireStored(effect);
      case 'ctl':
        return this.#ctl(effect);
      case 'setenv':
        return undefined;
    }
  }

  #ctl({ change }: Ctl): CompiledEffect | undefined {
    switch (change.option) {
      case 'ruleRemoveById':
      case 'ruleRemoveByTag':
      case 'ruleRemoveByMsg':
        return new RemoveRules(this.#rulesMeant(change));
      case 'ruleRemoveTargetById':
      case 'ruleRemoveTargetByTag':
      case 'ruleRemoveTargetByMsg':
        return new RemoveTarget(this.#rulesMeant(change), removedTarget(change.target));
      case 'auditEngine':
      case 'auditLogParts':
      case 'debugLogLevel':
        return undefined;
      default:
        return new ChangeReading(change);
    }
  }

  #rulesMeant(change: Ctl['change']): readonly RuleDefinition[] {
    const rules = this.#set.entries.filter((one): one is RuleDefinition => one.kind === 'rule');
    if ('ranges' in change) return rules.filter(({ id }) => change.ranges.some(({ from, to }) => id >= from && id <= to));
    const pattern = this.#patterns.compile(String(change.value));
    const byTag = change.option.endsWith('ByTag');
    return rules.filter((rule) => (byTag ? rule.tags : [rule.message?.text ?? '']).some((text) => pattern.test(text)));
  }
}

type Entry = RuleDefinition | MarkerDefinition;

function makeOperator(use: OperatorUse, world: CompileWorld, patterns: PatternCache): PreparedOperator {
  const operator = OPERATORS.get(use.name.toLowerCase());
  if (operator === undefined) throw new RuleError('this operator is not supported');
  const operatorWorld: OperatorWorld = {
    place: use.place,
    patterns,
    readLines: (name) => {
      const lines = world.readLines(name, use.place.file);
      if (lines === undefined) throw new RuleError(`the file ${name} cannot be read`, 'it is looked for beside the rule file');
      return lines;
    },
  };
  return operator.make(use.argument, operatorWorld);
}

/**
 * Where a phase goes on behind a rule that skips: `skip` counts rules, `skipAfter` goes behind a marker (or behind the rule with that id);
 * one that never comes ends the phase.
 */
function skipTarget(rule: RuleDefinition, entries: readonly Entry[], at: number, position: number): number | undefined {
  if (rule.skipAfter === undefined) return rule.skip > 0 ? position + 1 + rule.skip : undefined;
  let next = position + 1;
  for (const entry of entries.slice(at + 1)) {
    if (entry.kind === 'marker' && entry.label === rule.skipAfter) return next;
    if (entry.kind === 'rule') next++;
    if (entry.kind === 'rule' && String(entry.id) === rule.skipAfter) return next;
  }
  return next;
}

/** Brings each target together with what the rule leaves out of it. */
function compileTargets(targets: readonly Target[]): CompiledTarget[] {
  const excluded = targets.filter((one) => one.exclude);
  return targets.filter((one) => !one.exclude).flatMap((target) => compileTarget(target, excluded) ?? []);
}

function compileTarget(target: Target, excluded: readonly Target[]): CompiledTarget | undefined {
  const variable = variableNamed(target.variable);
  if (variable === undefined) return undefined;
  const mine = excluded.filter((one) => one.variable === target.variable);
  if (mine.some((one) => one.selector === undefined)) return undefined;
  const names = target.selector && matcherOf(target.selector);
  const except = mine.flatMap((one) => (one.selector === undefined ? [] : [matcherOf(one.selector)]));
  return { written: target, variable, count: target.count, names, except };
}

function removedTarget({ variable, selector }: Target): RemovedTarget {
  return { variable, names: selector && matcherOf(selector) };
}
