import type { CompiledRule, Program } from '../program/program.ts';
import { NO_VALUES, type RequestFacts } from '../transaction/facts.ts';
import { OpenCollections, PersistentCollections } from '../transaction/persistent.ts';
import { runRule } from '../transaction/run.ts';
import { Transaction } from '../transaction/transaction.ts';
import { type Dependencies, dependenciesOf, overlaps } from './dependencies.ts';
import type { ForeseenWrite } from './foreseen-writes.ts';

/**
 * What can be known of a program before any request comes. Half of the rules of CRS only look at variables that the configuration sets:
 * which paranoia level holds, whether a default is missing. These are run once here; what is left for requests are the others, and TX as
 * it stands behind them.
 */
export interface Foreseen {
  /** TX as it is when all rules that depend on no request have run. */
  readonly base: ReadonlyMap<string, string>;
  /** By phase: the rules that requests still have to be judged by, in their order, with their index among all of the phase. */
  readonly live: readonly (readonly LiveRule[])[];
  /** The rules that were run here: when a request switches one of them off, nothing was foreseen for it. */
  readonly done: ReadonlySet<CompiledRule>;
  /** What they wrote, and where. */
  readonly writes: readonly ForeseenWrite[];
}

export interface LiveRule {
  readonly rule: CompiledRule;
  readonly at: number;
  readonly dependencies: Dependencies;
}

/**
 * A rule is foreseen when it looks at nothing but TX, and no rule that is left for requests stands before it that may write what it reads
 * or writes, or read what it writes: then it finds and leaves what it would in a request, by induction over the order of execution. What
 * cannot be had that way is given up, and the rest tried again.
 */
export function foresee(program: Program): Foreseen {
  const all = program.phases.map(({ rules }) => rules.map((rule) => ({ rule, dependencies: dependenciesOf(rule) })));
  const kept = new Set<CompiledRule>();
  for (;;) {
    const attempt = new Attempt(program, all, kept);
    const more = attempt.run();
    if (more.length === 0) return attempt.result();
    for (const rule of more) kept.add(rule);
  }
}

interface Known {
  readonly rule: CompiledRule;
  readonly dependencies: Dependencies;
}

/** One try, with the rules that are known to be live whatever they look at. */
class Attempt {
  readonly #all: readonly (readonly Known[])[];
  readonly #kept: ReadonlySet<CompiledRule>;
  readonly #t: Transaction;
  readonly #live: LiveRule[][] = [];
  /** Rules that were run here, and whether they matched. */
  readonly #done = new Map<CompiledRule, boolean>();
  /** Where foreseen rules skipped: from this index to that one. */
  readonly #skips: { phase: number; from: number; to: number; rule: CompiledRule }[] = [];
  /** Who wrote a name here, and what. */
  readonly #written = new Map<string, { value: string | undefined; rule: CompiledRule; place: ForeseenWrite }>();
  readonly #again = new Set<CompiledRule>();
  /** Names that live rules read so far: a foreseen write behind them comes too early. */
  readonly #read = new Set<string>();
  /** Names that live rules may have written so far. */
  readonly #tainted = new Set<string>();

  constructor(program: Program, all: readonly (readonly Known[])[], kept: ReadonlySet<CompiledRule>) {
    this.#all = all;
    this.#kept = kept;
    this.#t = new Transaction(program, NO_REQUEST, new OpenCollections(new PersistentCollections(), 0), 'On');
  }

  /** Gives the rules that must be live after all. */
  run(): CompiledRule[] {
    for (const [phase, rules] of this.#all.entries()) this.#phase(phase, rules);
    this.#giveUpSkips();
    return [...this.#again].filter((rule) => !this.#kept.has(rule));
  }

  result(): Foreseen {
    const { names, values } = this.#t.tx.entries();
    return {
      base: new Map(names.map((name, i) => [name, values[i]])),
      live: this.#live,
      done: new Set(this.#done.keys()),
      writes: this.#writes(),
    };
  }

  #writes(): ForeseenWrite[] {
    return [...this.#written.values()].map(({ place }) => place);
  }

  #phase(phase: number, rules: readonly Known[]): void {
    const live: LiveRule[] = [];
    this.#live.push(live);
    let at = 0;
    while (at < rules.length) {
      const next = this.#foreseen(phase, rules[at], at);
      if (next === undefined) this.#keep(live, rules[at], at);
      at = next ?? at + 1;
    }
  }

  #keep(live: LiveRule[], { rule, dependencies }: Known, at: number): void {
    live.push({ rule, dependencies, at });
    for (const name of dependencies.reads) this.#read.add(name);
    for (const name of dependencies.writes) this.#tainted.add(name);
  }

  /** The index behind a rule that was run here; undefined: it is for requests. */
  #foreseen(phase: number, { rule, dependencies }: Known, at: number): number | undefined {
    if (this.#kept.has(rule) || !dependencies.headOnlyTx) return undefined;
    const matched =
      dependencies.onlyTx && dependencies.onlyWritesTx ? this.#run(phase, at, rule, dependencies) : this.#headFails(rule);
    if (matched === undefined) return undefined;
    this.#done.set(rule, matched);
    if (!matched || rule.skipTo === undefined) return at + 1;
    this.#skips.push({ phase, from: at, to: rule.skipTo, rule });
    return rule.skipTo;
  }

  /** A rule whose first link looks at TX alone and does not match is done with, whatever its other links look at. */
  #headFails(rule: CompiledRule): false | undefined {
    const [head] = rule.links;
    if (
      head.operator === undefined ||
      this.#dependsOnLive(
        dependenciesOf({ ...rule, links: [{ ...head, definition: { ...head.definition, effects: [] } }] }).reads,
      )
    )
      return undefined;
    return runRule(this.#t, { ...rule, links: [{ ...head, effects: [], capture: false }] }) ? undefined : false;
  }

  /** Runs a rule that depends on TX alone; undefined when it does something that requests have to see. */
  #run(phase: number, at: number, rule: CompiledRule, { reads, writes, onlyTx }: Dependencies): boolean | undefined {
    const { definition } = rule;
    const loud = definition.log || definition.disruption.kind !== 'pass' || definition.severity !== undefined;
    if (loud || !onlyTx) return this.#headFails(rule);
    if (this.#dependsOnLive(reads)) return this.#headFails(rule);
    if (overlaps(writes, this.#read) || this.#dependsOnLive(writes)) return undefined;
    const matched = runRule(this.#t, rule);
    if (matched) for (const name of writes) this.#noteWrite({ phase, at, name }, rule);
    return matched;
  }

  #dependsOnLive(names: ReadonlySet<string>): boolean {
    return overlaps(names, this.#tainted);
  }

  /** A name that two rules give different values would need to be known by place: neither is foreseen. */
  #noteWrite(place: ForeseenWrite, rule: CompiledRule): void {
    const { name } = place;
    const value = this.#t.tx.get(name);
    const before = this.#written.get(name);
    if (before !== undefined && before.value !== value) {
      this.#again.add(before.rule);
      this.#again.add(rule);
    }
    this.#written.set(name, { value, rule, place: before?.place ?? place });
  }

  /** A live rule that jumps into what was skipped here would find rules there. */
  #giveUpSkips(): void {
    for (const { phase, from, to, rule } of this.#skips) {
      const into = this.#live[phase].some(
        ({ rule: { skipTo }, at }) => skipTo !== undefined && at < from && from < skipTo && skipTo < to,
      );
      if (into) this.#again.add(rule);
    }
  }
}

/** No request at all: for rules that look at none. */
export const NO_REQUEST: RequestFacts = {
  method: '',
  rawTarget: '',
  rawPath: '',
  path: '',
  query: '',
  protocol: '',
  headers: [],
  queryFields: NO_VALUES,
  clientAddress: '',
  clientPort: 0,
  serverName: '',
  serverPort: 0,
  id: '',
  time: 0,
  user: '',
};
