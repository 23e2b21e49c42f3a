import { type ByteClasses, EVERY_CLASS, type Word, wordKey } from './byte-classes.ts';
import type { Step } from './chain.ts';
import type { CompiledRequirement } from './compiled-requirement.ts';
import type { FoundLiterals, Literals } from './literals.ts';

/** An operator with its chain: what rules that say the same about a value share. */
export interface Check {
  readonly id: number;
  /** undefined: the value as it came. */
  readonly chain: Step | undefined;
  readonly requirement: CompiledRequirement;
  /** Ids of the literals in the requirement. */
  readonly literals: readonly number[];
  /** Judges a value behind the chain. */
  judge(value: string): boolean;
}

/** Takes the checks that matched. */
export interface Hits {
  hit(check: Check): void;
}

/** What all sieves of a program share. */
export interface SieveWorld {
  readonly classes: ByteClasses;
  readonly literals: Literals;
  readonly found: FoundLiterals;
}

/** Plans are made for the classes that occur in values: ordinary traffic has a few dozen. */
const MOST_PLANS = 4096;
/** So many new plans may one request cost; beyond that, its values are judged by the plan for any value. */
const PLANS_PER_REQUEST = 8;
const LONGEST_REMEMBERED = 256;
const MOST_REMEMBERED = 4096;

/** The checks of one chain, as far as values of some classes need them. */
interface ChainPlan {
  /** Have to be judged whatever literals there are. */
  readonly always: readonly Check[];
  /** Whether others may match when their literals occur. */
  readonly scan: boolean;
}

/** What to do with a value of some classes. */
interface Plan extends ChainPlan {
  readonly word: Word;
  /** By check: 1 where its chain leaves such a value alone. */
  readonly direct: Uint8Array;
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
  readonly #plans = new Map<number, Plan>();
  readonly #any: Plan;
  readonly #remembered: Map<string, readonly Check[]> | undefined;

  /** @param remember - keeps verdicts by value: for names and header fields, which repeat from request to request */
  constructor(checks: readonly Check[], world: SieveWorld, remember: boolean) {
    this.#world = world;
    this.#chains = chainsOf(checks);
    this.#byLiteral = byLiteral(checks);
    this.#size = Math.max(-1, ...checks.map(({ id }) => id)) + 1;
    this.#any = this.#makePlan(EVERY_CLASS);
    this.#remembered = remember ? new Map() : undefined;
  }

  judge(value: string, work: SieveWork): void {
    if (this.#remembered === undefined || value.length > LONGEST_REMEMBERED) this.#judge(value, work, work.hits);
    else this.#recall(value, work, this.#remembered);
  }

  #recall(value: string, work: SieveWork, remembered: Map<string, readonly Check[]>): void {
    let known = remembered.get(value);
    if (known === undefined) {
      const list = new HitList();
      this.#judge(value, work, list);
      known = list.checks;
      if (remembered.size >= MOST_REMEMBERED) remembered.clear();
      // A copy: a piece of a head would keep all of that head's text in memory.
      remembered.set(Buffer.from(value, 'latin1').toString('latin1'), known);
    }
    for (const check of known) work.hits.hit(check);
  }

  #judge(value: string, work: SieveWork, hits: Hits): void {
    const { low: lows, high: highs } = this.#world.classes;
    let low = 0;
    let high = 0;
    for (let i = 0; i < value.length; i++) {
      const byte = value.charCodeAt(i);
      low |= lows[byte];
      high |= highs[byte];
    }
    const plan = this.#plans.get(wordKey(low, high)) ?? this.#newPlan({ low, high }, work);
    for (const check of plan.always) if (check.judge(value)) hits.hit(check);
    if (plan.scan) this.#scan(value, plan, hits);
    if (plan.triggered.length > 0) this.#transformed(value, plan, work, hits);
  }

  /** Judges what the literals of a value ask for, among the checks that see it as it came. */
  #scan(value: string, plan: Plan, hits: Hits): void {
    const { found, literals } = this.#world;
    found.clear();
    literals.scan(value, found);
    for (let i = 0; i < found.count; i++) {
      for (const check of this.#byLiteral.get(found.ids[i]) ?? []) {
        if (plan.direct[check.id] === 1 && isFirst(check, found, i) && this.#mayMatch(check, plan.word) && check.judge(value))
          hits.hit(check);
      }
    }
  }

  /** What is judged always is not judged again. */
  #mayMatch(check: Check, word: Word): boolean {
    return !check.requirement.holds(word, undefined) && check.requirement.holds(word, this.#world.found);
  }

  #transformed(value: string, plan: Plan, work: SieveWork, hits: Hits): void {
    const stamp = work.nextStamp();
    for (const chain of plan.triggered) {
      const result = chain.step.apply(value, stamp);
      const { low, high } = result === value ? plan.word : wordOf(result, this.#world.classes);
      chain.judge(result, { low, high }, this.#world, work, hits);
    }
  }

  #newPlan(word: Word, work: SieveWork): Plan {
    if (!work.mayPlan()) return this.#any;
    const plan = this.#makePlan(word);
    if (this.#plans.size >= MOST_PLANS) this.#plans.clear();
    this.#plans.set(wordKey(word.low, word.high), plan);
    return plan;
  }

  #makePlan(word: Word): Plan {
    const triggered: Chain[] = [];
    const always: Check[] = [];
    const direct = new Uint8Array(this.#size);
    let scan = false;
    for (const chain of this.#chains) {
      if (chain.changes(word)) {
        if (chain.possible(word)) triggered.push(chain);
        continue;
      }
      const plan = chain.planFor(word);
      always.push(...plan.always);
      scan ||= plan.scan;
      for (const { id } of chain.checks) direct[id] = 1;
    }
    return { word, always, scan, direct, triggered };
  }
}

function chainsOf(checks: readonly Check[]): Chain[] {
  const groups = Map.groupBy(checks, ({ chain }) => chain);
  return [...groups].map(([step, list]) => (step === undefined ? new Chain(UNCHANGED, list) : new Chain(step, list)));
}

/** The empty chain. */
const UNCHANGED: Pick<Step, 'possible' | 'triggered' | 'apply'> = {
  possible: (word) => word,
  triggered: () => false,
  apply: (value) => value,
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

/** A check with several of the literals found is looked at once: at the first of them. */
function isFirst(check: Check, found: FoundLiterals, at: number): boolean {
  if (check.literals.length === 1) return true;
  for (let i = 0; i < at; i++) if (check.literals.includes(found.ids[i])) return false;
  return true;
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
  readonly step: Pick<Step, 'possible' | 'triggered' | 'apply'>;
  readonly checks: readonly Check[];
  readonly #byLiteral: ReadonlyMap<number, readonly Check[]>;
  readonly #plans = new Map<number, ChainPlan>();

  constructor(step: Pick<Step, 'possible' | 'triggered' | 'apply'>, checks: readonly Check[]) {
    this.step = step;
    this.checks = checks;
    this.#byLiteral = byLiteral(checks);
  }

  changes(word: Word): boolean {
    return this.step.triggered(word);
  }

  /** Whether any of its checks can match what it makes of such a value. */
  possible(word: Word): boolean {
    const after = this.step.possible(word);
    return this.checks.some(({ requirement }) => requirement.possible(after));
  }

  planFor(word: Word): ChainPlan {
    const key = wordKey(word.low, word.high);
    let plan = this.#plans.get(key);
    if (plan !== undefined) return plan;
    plan = planOf(this.checks, word);
    if (this.#plans.size >= MOST_PLANS) this.#plans.clear();
    this.#plans.set(key, plan);
    return plan;
  }

  /** Judges a value behind the chain. */
  judge(value: string, word: Word, world: SieveWorld, work: SieveWork, hits: Hits): void {
    const known = this.#plans.get(wordKey(word.low, word.high));
    const plan = known ?? (work.mayPlan() ? this.planFor(word) : this.planFor(EVERY_CLASS));
    for (const check of plan.always) if (check.judge(value)) hits.hit(check);
    if (!plan.scan) return;
    const { found, literals } = world;
    found.clear();
    literals.scan(value, found);
    for (let i = 0; i < found.count; i++) {
      for (const check of this.#byLiteral.get(found.ids[i]) ?? []) {
        if (!isFirst(check, found, i) || plan.always.includes(check)) continue;
        if (check.requirement.holds(word, found) && check.judge(value)) hits.hit(check);
      }
    }
  }
}

function planOf(checks: readonly Check[], word: Word): ChainPlan {
  const always: Check[] = [];
  let scan = false;
  for (const check of checks) {
    if (check.requirement.holds(word, undefined)) always.push(check);
    else if (check.requirement.possible(word)) scan = true;
  }
  return { always, scan };
}

class HitList implements Hits {
  readonly checks: Check[] = [];

  hit(check: Check): void {
    this.checks.push(check);
  }
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
