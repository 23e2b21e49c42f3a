import { type ByteClasses, EVERY_CLASS, type Word } from './byte-classes.ts';
import type { CompiledRequirement } from './compiled-requirement.ts';
import type { FoundLiterals, Literals } from './literals.ts';
import { acts, leastBefore, possibleBehind, type Step } from './step.ts';
import { WordTable } from './word-table.ts';

/** An operator with its chain: what rules that say the same about a value share. */
export interface Check {
  readonly id: number;
  readonly steps: readonly Step[];
  readonly requirement: CompiledRequirement;
  /** No shorter value behind the chain matches. */
  readonly leastLength: number;
  /** Ids of the literals in the requirement. */
  readonly literals: readonly number[];
  /** Of `multiMatch`: where the last step of the chain changes nothing, another check has judged the value. */
  readonly repeats: boolean;
  /** Judges a value behind the chain. */
  judge(value: string): boolean;
}

/** Takes the checks that matched. */
export interface Hits {
  hit(check: Check): void;
}

/** Checks with the same chain, and how much of it is still to be done. */
export interface Item {
  /** The same for the same checks with the same chain. */
  readonly id: string;
  readonly steps: readonly Step[];
  readonly from: number;
  readonly checks: readonly Check[];
  readonly repeats: boolean;
}

/** What to do with a value of some classes. */
interface Plan {
  /** It is for these classes, and not for any. */
  readonly exact: boolean;
  /** Checks that have to be judged whatever literals there are. */
  readonly always: readonly Check[];
  /** By id of a check: 1 for those that may match when their literals occur; undefined: there is none. */
  readonly asks: Uint8Array | undefined;
  /** Where in the table of literals one ends that they ask for: ordinary text is full of others. */
  readonly wanted: Uint32Array;
  /** What may change the value, and who looks at it then. */
  readonly branches: readonly Branch[];
}

interface Branch {
  readonly step: Step;
  readonly node: SieveNode;
  /** No shorter value comes to a match behind the step. */
  readonly least: number;
  /** Nearly every value begins like Base64, and little comes of most. */
  readonly isBase64: boolean;
}

const FEW = 4;

const NOTHING_WANTED = new Uint32Array(0);

/** What all nodes of a program share. */
export class SieveWorld {
  readonly classes: ByteClasses;
  readonly found: FoundLiterals;
  readonly checks: number;
  /** By id of a literal: the checks that ask for it. */
  readonly byLiteral: readonly (readonly Check[])[];
  readonly #literals: Literals;
  readonly #nodes = new Map<string, SieveNode>();
  #scanned = '';
  #plansLeft = PLANS_A_RUN;
  #wanted: Uint32Array = NOTHING_WANTED;

  constructor(classes: ByteClasses, literals: Literals, found: FoundLiterals, checks: readonly Check[]) {
    this.classes = classes;
    this.found = found;
    this.checks = checks.length;
    this.#literals = literals;
    this.byLiteral = byLiteralOf(checks);
  }

  /** A phase of another request begins. */
  begin(): void {
    this.#plansLeft = PLANS_A_RUN;
  }

  /** Making a plan costs far more than judging a value: no request may ask for many. */
  mayPlan(): boolean {
    return this.#plansLeft-- > 0;
  }

  /** Where literals end that some checks ask for. */
  wantedBy(asks: Uint8Array): Uint32Array {
    const wanted = new Uint8Array(this.byLiteral.length);
    this.byLiteral.forEach((checks, id) => {
      wanted[id] = Number(checks.some((check) => asks[check.id] === 1));
    });
    return this.#literals.endsOf(wanted);
  }

  /** Finds the literals of a value: they are in `found` until another one is looked through. */
  scan(value: string, wanted: Uint32Array): void {
    if (value === this.#scanned && wanted === this.#wanted) return;
    this.#scanned = value;
    this.#wanted = wanted;
    this.found.clear();
    this.#literals.scan(value, this.found, wanted);
  }

  /** The node for these items; one for all that have the same left to do. */
  nodeFor(items: readonly Item[]): SieveNode {
    const key = items.map(({ id, from }) => `${id}:${from}`).join();
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    if (this.#nodes.size >= MOST_NODES) this.#nodes.clear();
    const node = new SieveNode(items, this);
    this.#nodes.set(key, node);
    return node;
  }
}

/** Ordinary traffic has all its plans after some dozens of requests all the same. */
const PLANS_A_RUN = 12;
/** CRS has some hundred. */
const MOST_NODES = 4096;

function byLiteralOf(checks: readonly Check[]): Check[][] {
  const lists: Check[][] = [];
  for (const check of checks) for (const id of check.literals) (lists[id] ??= []).push(check);
  return Array.from(lists, (list) => list ?? []);
}

/**
 * Checks, and what each still has to do to a value before it looks at it. A value goes down a tree of nodes: those who see it as it is
 * judge it together, by one look for literals; those for whom a step may change it go on with what the step makes of it.
 */
export class SieveNode {
  readonly #items: readonly Item[];
  readonly #world: SieveWorld;
  readonly #plans = new WordTable<Plan>();
  #any: Plan | undefined;
  /** So few checks that a plan for certain classes would save nothing over the one for any. */
  readonly #few: boolean;
  /** Its items are those of `multiMatch`: they look only at what has just changed. */
  readonly #repeats: boolean;

  constructor(items: readonly Item[], world: SieveWorld) {
    this.#items = items;
    this.#world = world;
    this.#repeats = items[0]?.repeats ?? false;
    this.#few = items.reduce((sum, { checks }) => sum + checks.length, 0) <= FEW;
  }

  /** @param changed - whether the value is another than it was before the last step */
  judge(value: string, low: number, high: number, changed: boolean, hits: Hits): void {
    const plan = this.#plans.get(low, high) ?? this.#learn({ low, high });
    if (changed || !this.#repeats) {
      if (plan.exact) judgeAll(plan.always, value, hits);
      if (!plan.exact) judgeAny(plan.always, { low, high }, value, hits);
      if (plan.asks !== undefined) this.#judgeFound(value, low, high, plan.asks, plan.wanted, hits);
    }
    const { branches } = plan;
    for (let i = 0; i < branches.length; i++) {
      if (value.length >= branches[i].least) this.#follow(branches[i], value, low, high, hits);
    }
  }

  #follow({ step, node, least, isBase64 }: Branch, value: string, low: number, high: number, hits: Hits): void {
    if (isBase64 && leadingDigits(value) < least) return;
    const result = step.transformation.apply(value);
    if (result === value) {
      node.judge(value, low, high, false, hits);
      return;
    }
    const { low: lows, high: highs } = this.#world.classes;
    let nextLow = 0;
    let nextHigh = 0;
    for (let i = 0; i < result.length; i++) {
      const byte = result.charCodeAt(i);
      nextLow |= lows[byte];
      nextHigh |= highs[byte];
    }
    node.judge(result, nextLow, nextHigh, true, hits);
  }

  /** Judges the checks that ask for one of the literals in the value, each once. */
  #judgeFound(value: string, low: number, high: number, asks: Uint8Array, wanted: Uint32Array, hits: Hits): void {
    const { found, byLiteral } = this.#world;
    this.#world.scan(value, wanted);
    if (found.count === 0) return;
    const word = { low, high };
    found.nextLook();
    for (let i = 0; i < found.count; i++) {
      const checks = byLiteral[found.ids[i]];
      for (let j = 0; j < checks.length; j++) {
        const check = checks[j];
        if (asks[check.id] !== 1 || !found.isFirst(check.id)) continue;
        if (check.requirement.holds(word, found) && check.judge(value)) hits.hit(check);
      }
    }
  }

  /** What comes once, such as the bytes of a random text, is not worth a plan: making one costs more than judging by the plan for any. */
  #learn(word: Word): Plan {
    if (this.#few) return (this.#any ??= this.#planFor(EVERY_CLASS, false));
    if (!this.#plans.comesAgain(word.low, word.high) || !this.#world.mayPlan())
      return (this.#any ??= this.#planFor(EVERY_CLASS, false));
    const plan = this.#planFor(word, true);
    this.#plans.set(word, plan);
    return plan;
  }

  #planFor(word: Word, exact: boolean): Plan {
    const always: Check[] = [];
    const asks = new Uint8Array(this.#world.checks);
    const branches = new Map<Step, Item[]>();
    let some = false;
    for (const item of this.#items) {
      const next = firstActing(item, word);
      if (next >= 0) branchOff(branches, item, next, word);
      else if (item.repeats && item.from < item.steps.length) continue;
      else some = sort(item.checks, word, exact, always, asks) || some;
    }
    const next = [...branches].map(([step, items]) => this.#branch(step, items));
    const wanted = some ? this.#world.wantedBy(asks) : NOTHING_WANTED;
    return { exact, always, asks: some ? asks : undefined, wanted, branches: next };
  }

  #branch(step: Step, items: readonly Item[]): Branch {
    const least = Math.min(...items.map(leastOf));
    const isBase64 = step.transformation.name === 'base64Decode';
    return { step, node: this.#world.nodeFor(items), least: isBase64 ? Math.ceil((least * 4) / 3) : least, isBase64 };
  }
}

/** By index, as in all loops here that every value goes through: iterators would be allocated. */
function judgeAll(checks: readonly Check[], value: string, hits: Hits): void {
  for (let i = 0; i < checks.length; i++) if (checks[i].judge(value)) hits.hit(checks[i]);
}

function judgeAny(checks: readonly Check[], word: Word, value: string, hits: Hits): void {
  for (let i = 0; i < checks.length; i++) {
    if (checks[i].requirement.holds(word, undefined) && checks[i].judge(value)) hits.hit(checks[i]);
  }
}

/** The index of the first step that may change a value of these classes; -1: none does. */
function firstActing({ steps, from }: Item, word: Word): number {
  for (let i = from; i < steps.length; i++) if (acts(steps[i], word)) return i;
  return -1;
}

/** Adds the item to those that go on behind a step, if anything can come of it. */
function branchOff(branches: Map<Step, Item[]>, item: Item, next: number, word: Word): void {
  const behind = possibleBehind(item.steps.slice(next), word);
  if (!item.checks.some(({ requirement }) => requirement.possible(behind))) return;
  const step = item.steps[next];
  const list = branches.get(step);
  const rest = { ...item, from: next + 1 };
  if (list === undefined) branches.set(step, [rest]);
  else list.push(rest);
}

/** Sorts checks by whether they have to be judged, or ask for literals; true where some ask. */
function sort(checks: readonly Check[], word: Word, exact: boolean, always: Check[], asks: Uint8Array): boolean {
  let some = false;
  for (const check of checks) {
    const alone = check.requirement.holds(word, undefined);
    if (alone) always.push(check);
    // What would hold by some byte may hold by a literal where that byte is not.
    if ((!alone || !exact) && check.requirement.possible(word)) {
      asks[check.id] = 1;
      some = true;
    }
  }
  return some;
}

function leastOf({ steps, from, checks }: Item): number {
  return leastBefore(steps.slice(from), Math.min(...checks.map(({ leastLength }) => leastLength)));
}

/** How many digits of Base64 a value begins with: `base64Decode` reads no further. */
function leadingDigits(value: string): number {
  let i = 0;
  while (i < value.length && isDigit(value.charCodeAt(i))) i++;
  return i;
}

function isDigit(byte: number): boolean {
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x2f && byte <= 0x39) || byte === 0x2b;
}
