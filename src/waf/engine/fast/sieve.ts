import { type ByteClasses, EVERY_CLASS, type Word } from './byte-classes.ts';
import type { Step } from './chain.ts';
import type { CompiledRequirement } from './compiled-requirement.ts';
import type { FoundLiterals, Literals } from './literals.ts';
import { WordTable } from './word-table.ts';

/** An operator with its chain: what rules that say the same about a value share. */
export interface Check {
  readonly id: number;
  /** undefined: the value as it came. */
  readonly chain: Step | undefined;
  readonly requirement: CompiledRequirement;
  /** No shorter value behind the chain matches. */
  readonly leastLength: number;
  /** Ids of the literals in the requirement. */
  readonly literals: readonly number[];
  /** Where the last step of the chain changes nothing, another check has judged the value. */
  readonly repeats: boolean;
  /** Judges a value behind the chain. */
  judge(value: string): boolean;
}

/** Takes the checks that matched. */
export interface Hits {
  hit(check: Check): void;
}

/** What all sieves of a program share. */
export class SieveWorld {
  readonly classes: ByteClasses;
  readonly found: FoundLiterals;
  readonly #literals: Literals;

  constructor(classes: ByteClasses, literals: Literals, found: FoundLiterals) {
    this.classes = classes;
    this.found = found;
    this.#literals = literals;
  }

  /** Finds the literals of a value: they are in `found` until the next one is looked through. */
  scan(value: string): void {
    this.found.clear();
    this.#literals.scan(value, this.found);
  }
}

/** So many new plans may one request cost; beyond that, its values are judged by the plan for any value. */
const PLANS_PER_REQUEST = 8;

/** The checks of one chain, as far as values of some classes need them. */
interface ChainPlan {
  /** Have to be judged whatever literals there are. */
  readonly always: readonly Check[];
  /** By id of a check: 1 for those that may match when their literals occur; undefined: there is none. */
  readonly asks: Uint8Array | undefined;
}

/** What to do with a value of some classes. */
interface Plan extends ChainPlan {
  readonly word: Word;
  /** Chains that may change it. */
  readonly triggered: readonly Chain[];
}

/**
 * Finds the checks that a value matches, out of many, without judging most of them: by the classes of bytes that occur in it, then by
 * the literals that do. Exact: what it says matched did, and what it does not say did not.
 */
export class Sieve {
  readonly #world: SieveWorld;
  readonly #chains: readonly Chain[];
  readonly #byLiteral: ReadonlyMap<number, readonly Check[]>;
  readonly #size: number;
  readonly #plans = new WordTable<Plan>();
  readonly #any: Plan;

  constructor(checks: readonly Check[], world: SieveWorld) {
    this.#world = world;
    this.#chains = chainsOf(checks);
    this.#byLiteral = byLiteral(checks);
    this.#size = sizeFor(checks);
    this.#any = this.#makePlan(EVERY_CLASS);
  }

  judge(value: string, work: SieveWork, hits: Hits = work.hits): void {
    const { low: lows, high: highs } = this.#world.classes;
    let low = 0;
    let high = 0;
    for (let i = 0; i < value.length; i++) {
      const byte = value.charCodeAt(i);
      low |= lows[byte];
      high |= highs[byte];
    }
    const plan = this.#plans.get(low, high) ?? this.#newPlan({ low, high }, work);
    for (const check of plan.always) if (check.judge(value)) hits.hit(check);
    if (plan.asks !== undefined) {
      this.#world.scan(value);
      judgeFound(value, plan.word, plan.asks, this.#byLiteral, this.#world.found, hits);
    }
    if (plan.triggered.length > 0) this.#transformed(value, plan, work, hits);
  }

  /** Chains that come to the same value have it looked through once. */
  #transformed(value: string, plan: Plan, work: SieveWork, hits: Hits): void {
    const stamp = work.nextStamp();
    const results: string[] = [];
    const chains: Chain[][] = [];
    for (const chain of plan.triggered) {
      if (value.length < chain.leastInput) continue;
      const result = chain.step.apply(value, stamp);
      if (chain.repeats && !chain.step.changed(value, stamp)) continue;
      const at = results.indexOf(result);
      if (at >= 0) chains[at].push(chain);
      else {
        results.push(result);
        chains.push([chain]);
      }
    }
    for (let i = 0; i < results.length; i++) this.#judgeResult(results[i], chains[i], work, hits);
  }

  #judgeResult(result: string, chains: readonly Chain[], work: SieveWork, hits: Hits): void {
    const world = this.#world;
    const word = wordOf(result, world.classes);
    let scanned = false;
    for (const chain of chains) {
      const plan = chain.knownPlan(word) ?? chain.learn(word, work);
      for (const check of plan?.always ?? chain.checks) {
        if (plan !== undefined || check.requirement.holds(word, undefined)) judge(check, result, hits);
      }
      const asks = plan === undefined ? chain.all : plan.asks;
      if (asks === undefined || (plan === undefined && !chain.asksFor(word))) continue;
      if (!scanned) world.scan(result);
      scanned = true;
      judgeFound(result, word, asks, chain.byLiteral, world.found, hits);
    }
  }

  #newPlan(word: Word, work: SieveWork): Plan {
    if (!this.#plans.comesAgain(word.low, word.high) || !work.mayPlan()) return this.#any;
    const plan = this.#makePlan(word);
    this.#plans.set(word, plan);
    return plan;
  }

  #makePlan(word: Word): Plan {
    const triggered: Chain[] = [];
    const always: Check[] = [];
    const asks = new Uint8Array(this.#size);
    let some = false;
    for (const chain of this.#chains) {
      if (chain.repeats && !chain.step.acts(word)) continue;
      if (chain.step.triggered(word)) {
        if (chain.possible(word)) triggered.push(chain);
        continue;
      }
      const plan = chain.planFor(word);
      always.push(...plan.always);
      some ||= plan.asks !== undefined;
      for (const { id } of chain.checks) asks[id] = plan.asks?.[id] ?? asks[id];
    }
    return { word, always, asks: some ? asks : undefined, triggered };
  }
}

/** Judges the checks that ask for one of the literals found, each once. */
function judgeFound(
  value: string,
  word: Word,
  asks: Uint8Array,
  byLiteral: ReadonlyMap<number, readonly Check[]>,
  found: FoundLiterals,
  hits: Hits,
): void {
  found.nextLook();
  for (let i = 0; i < found.count; i++) {
    const checks = byLiteral.get(found.ids[i]);
    if (checks === undefined) continue;
    for (const check of checks) {
      if (asks[check.id] !== 1 || !found.isFirst(check.id)) continue;
      if (check.requirement.holds(word, found) && check.judge(value)) hits.hit(check);
    }
  }
}

function chainsOf(checks: readonly Check[]): Chain[] {
  const byStep = Map.groupBy(checks, ({ chain }) => chain);
  return [...byStep].flatMap(([step, list]) => {
    const groups = [list.filter(({ repeats }) => repeats), list.filter(({ repeats }) => !repeats)];
    return groups.filter((group) => group.length > 0).map((group) => new Chain(step ?? UNCHANGED, group, group[0].repeats));
  });
}

type ChainStep = Pick<Step, 'possible' | 'triggered' | 'apply' | 'acts' | 'changed' | 'leastInput'>;

/** The empty chain. */
const UNCHANGED: ChainStep = {
  possible: (word) => word,
  triggered: () => false,
  acts: () => false,
  changed: () => false,
  apply: (value) => value,
  leastInput: (length) => length,
};

function byLiteral(checks: readonly Check[]): Map<number, Check[]> {
  const map = new Map<number, Check[]>();
  for (const check of checks) {
    for (const id of check.literals) {
      const list = map.get(id);
      if (list === undefined) map.set(id, [check]);
      else list.push(check);
    }
  }
  return map;
}

function wordOf(value: string, classes: ByteClasses): Word {
  let low = 0;
  let high = 0;
  for (let i = 0; i < value.length; i++) {
    const byte = value.charCodeAt(i);
    low |= classes.low[byte];
    high |= classes.high[byte];
  }
  return { low, high };
}

/** The checks behind one chain of transformations. */
class Chain {
  readonly step: ChainStep;
  readonly checks: readonly Check[];
  readonly repeats: boolean;
  /** No shorter value, before the chain, matches any of its checks. */
  readonly leastInput: number;
  readonly byLiteral: ReadonlyMap<number, readonly Check[]>;
  /** 1 for each of its checks. */
  readonly all: Uint8Array;
  readonly #plans = new WordTable<ChainPlan>();

  constructor(step: ChainStep, checks: readonly Check[], repeats: boolean) {
    this.step = step;
    this.checks = checks;
    this.repeats = repeats;
    this.leastInput = step.leastInput(Math.min(...checks.map(({ leastLength }) => leastLength)));
    this.byLiteral = byLiteral(checks);
    this.all = new Uint8Array(sizeFor(checks));
    for (const { id } of checks) this.all[id] = 1;
  }

  /** Whether any of its checks can match what it makes of such a value. */
  possible(word: Word): boolean {
    const after = this.step.possible(word);
    return this.checks.some(({ requirement }) => requirement.possible(after));
  }

  /** A plan for these classes when they come again; undefined: what there is to judge has to be found out each time. */
  learn(word: Word, work: SieveWork): ChainPlan | undefined {
    return this.#plans.comesAgain(word.low, word.high) && work.mayPlan() ? this.planFor(word) : undefined;
  }

  /** Whether any check may match when its literals occur. */
  asksFor(word: Word): boolean {
    for (const { requirement } of this.checks) if (requirement.possible(word)) return true;
    return false;
  }

  knownPlan(word: Word): ChainPlan | undefined {
    return this.#plans.get(word.low, word.high);
  }

  planFor(word: Word): ChainPlan {
    const known = this.knownPlan(word);
    if (known !== undefined) return known;
    const plan = planOf(this.checks, word);
    this.#plans.set(word, plan);
    return plan;
  }
}

function judge(check: Check, value: string, hits: Hits): void {
  if (check.judge(value)) hits.hit(check);
}

function planOf(checks: readonly Check[], word: Word): ChainPlan {
  const always: Check[] = [];
  const asks = new Uint8Array(sizeFor(checks));
  let some = false;
  for (const check of checks) {
    if (check.requirement.holds(word, undefined)) always.push(check);
    else if (check.requirement.possible(word)) {
      asks[check.id] = 1;
      some = true;
    }
  }
  return { always, asks: some ? asks : undefined };
}

/** Ids count from 0. */
function sizeFor(checks: readonly Check[]): number {
  return Math.max(-1, ...checks.map(({ id }) => id)) + 1;
}

/** What one request spends and finds. */
export class SieveWork {
  readonly hits: Hits;
  readonly #stamps: Stamps;
  #plans = PLANS_PER_REQUEST;

  constructor(hits: Hits, stamps: Stamps) {
    this.hits = hits;
    this.#stamps = stamps;
  }

  /** Making a plan costs far more than judging a value: an input must not be able to ask for many. */
  mayPlan(): boolean {
    return this.#plans-- > 0;
  }

  nextStamp(): number {
    return this.#stamps.next();
  }
}

/** Numbers that tell values apart; one source for all requests, since these share the steps of chains. */
export class Stamps {
  #last = 0;

  next(): number {
    return ++this.#last;
  }
}
