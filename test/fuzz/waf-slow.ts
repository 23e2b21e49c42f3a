import { Engine } from '../../src/waf/engine/engine.ts';
import { makeFast } from '../../src/waf/engine/fast/fast-program.ts';
import { FastRunner } from '../../src/waf/engine/fast/run-fast.ts';
import type { PreparedOperator } from '../../src/waf/engine/operator.ts';
import type { Program } from '../../src/waf/engine/program/program.ts';
import { PersistentCollections } from '../../src/waf/engine/transaction/persistent.ts';
import { TRANSFORMATIONS } from '../../src/waf/engine/transformations/index.ts';
import { Random } from '../support/random.ts';
import { randomText, SHAPES, slowRequest, type SlowInput, unitsOf } from '../support/slow-inputs.ts';
import { CRS_RULES, programOf, run } from '../support/waf-twin.ts';

/**
 * `npm run fuzz:slow [-- SECONDS [SEED [PARANOIA [RULES…]]]]`: looks for inputs that cost more than their size: first for each transformation and each
 * operator of the rules alone, then for whole requests with their parsing. Tells the ten worst of each, at 8 KiB and at 128 KiB, where a
 * cost that grows faster than the input shows. Exit 1 when a request costs more than 5 ms per 8 KiB. Paranoia 1
 * is what one begins with, 4 runs all patterns. Without RULES: the Core Rule Set.
 */
const seconds = Number(process.argv[2] ?? 120);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const paranoia = Number(process.argv[4] ?? 1);
const rules = process.argv.length > 5 ? process.argv.slice(5) : CRS_RULES;
const SMALL = 8 * 1024;
const LARGE = 128 * 1024;
/** 5 ms for 8 KiB. */
const MOST_NS_PER_BYTE = 5_000_000 / SMALL;

interface Found {
  readonly what: string;
  readonly sample: string;
  readonly ns: number;
  /** Measures again at that length. */
  at(length: number): number;
}

/** Keeps the worst of each kind. */
class Worst {
  readonly #byKind = new Map<string, Found>();

  isWorse({ what, ns }: Found): boolean {
    return ns > (this.#byKind.get(what)?.ns ?? 0);
  }

  add(kind: string, found: Found): void {
    const known = this.#byKind.get(kind);
    if (known === undefined || known.ns < found.ns) this.#byKind.set(kind, found);
  }

  ten(): Found[] {
    return [...this.#byKind.values()].sort((a, b) => b.ns - a.ns).slice(0, 10);
  }

  pick(random: Random): Found | undefined {
    const ten = this.ten();
    return ten.length === 0 ? undefined : random.pick(ten);
  }
}

/** The best of some: what a busy machine adds is not the input's. */
function nanoseconds(action: () => void, bytes: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) best = Math.min(best, spent(action));
  return best / Math.max(bytes, 512);
}

function spent(action: () => void): number {
  const start = performance.now();
  action();
  return (performance.now() - start) * 1e6;
}

/** Each operator and each transformation alone: what makes the whole slow shows there by name. */
function searchPieces(program: Program, units: readonly string[], random: Random, until: number): Worst {
  const worst = new Worst();
  const match = { capturing: false, groups: undefined, expand: () => '' };
  const pieces: [string, (value: string) => void][] = [...TRANSFORMATIONS.values()].map((one) => [
    `t:${one.name}`,
    (value) => one.apply(value),
  ]);
  for (const [name, operator] of operatorsOf(program)) pieces.push([name, (value) => operator.judge(value, match)]);
  for (const [, action] of pieces) for (const unit of ['a', "' ", '<a ']) action(unit.repeat(500));
  while (performance.now() < until) {
    const text = randomText(random, units, SMALL);
    for (const [name, action] of pieces) {
      // Once is a glance; what looks dear is looked at again.
      if (spent(() => action(text)) / SMALL < 20) continue;
      const again = (length: number) => nanoseconds(() => action(text.repeat(Math.ceil(length / text.length))), length);
      worst.add(name, { what: name, sample: text, ns: again(SMALL), at: again });
    }
  }
  return worst;
}

function operatorsOf(program: Program): Map<string, PreparedOperator> {
  const found = new Map<string, PreparedOperator>();
  const known = new Set<PreparedOperator>();
  for (const { rules: all } of program.phases) {
    for (const { definition, links } of all) {
      for (const { operator, definition: link } of links) {
        if (operator === undefined || known.has(operator)) continue;
        known.add(operator);
        found.set(`@${link.operator?.name} of ${definition.id}`, operator);
      }
    }
  }
  return found;
}

/** Whole requests, with the reading of their bodies: what is dear is changed a little and tried again. */
function searchRequests(engine: Engine, units: readonly string[], random: Random, until: number): Worst {
  const worst = new Worst();
  const inputs = new Map<Found, SlowInput>();
  while (performance.now() < until) {
    const before = random.chance(0.5) ? worst.pick(random) : undefined;
    const input = before === undefined ? fresh(random, units) : changed(random, units, inputs.get(before) as SlowInput);
    const found = measured(engine, input);
    if (!worst.isWorse(found)) continue;
    // The first time of anything is dear: code is not compiled, automata are not made.
    const again = { ...found, ns: Math.min(found.ns, found.at(SMALL)) };
    inputs.set(again, input);
    worst.add(again.what, again);
  }
  return worst;
}

const fresh = (random: Random, units: readonly string[]): SlowInput => ({
  text: randomText(random, units, SMALL),
  shape: random.below(SHAPES.length),
});

function changed(random: Random, units: readonly string[], { text, shape }: SlowInput): SlowInput {
  if (random.chance(0.2)) return { text, shape: random.below(SHAPES.length) };
  const unit = text.slice(0, 1 + random.below(60));
  const other = random.pick(units);
  const grown = random.pick([unit + other, other + unit, unit.replaceAll(' ', other), unit.slice(1), unit + unit + other]);
  if (grown === '') return { text, shape };
  return { text: grown.repeat(Math.ceil(SMALL / Math.max(1, grown.length))).slice(0, SMALL), shape };
}

function measured(engine: Engine, { text, shape }: SlowInput): Found {
  const at = (length: number) => {
    const whole = text.repeat(Math.ceil(length / text.length)).slice(0, length);
    let turn = 0;
    const { bytes } = slowRequest({ text: whole, shape });
    // Another beginning each time: what is remembered of a value must not hide what it costs.
    return nanoseconds(() => run(engine, slowRequest({ text: `${turn++}${whole}`, shape }).told), bytes);
  };
  return { what: SHAPES[shape][0], sample: text, ns: at(SMALL), at };
}

function tell(title: string, worst: Worst): number {
  console.log(`\n${title}\n  ns per byte at 8 KiB, at 128 KiB`);
  let most = 0;
  for (const { what, sample, ns, at } of worst.ten()) {
    const large = at(LARGE);
    most = Math.max(most, ns, large);
    console.log(
      `  ${ns.toFixed(0).padStart(6)} ${large.toFixed(0).padStart(6)}  ${what}  ${JSON.stringify(sample.slice(0, 70))}`,
    );
  }
  return most;
}

const random = new Random(seed);
const program = programOf({ rules }, { paranoia, threshold: 10_000 });
const engine = new Engine(program, new PersistentCollections(), 'DetectionOnly', new FastRunner(makeFast(program)));
const units = unitsOf(program);
const began = performance.now();
console.log(`${units.length} units, seed ${seed}, paranoia ${paranoia}`);
const pieces = searchPieces(program, units, random, began + seconds * 400);
tell('Transformations and operators, the worst input of each', pieces);
const most = tell('Requests, the worst input of each shape', searchRequests(engine, units, random, began + seconds * 1000));
console.log(`\nthe worst request: ${most.toFixed(0)} ns per byte, of ${MOST_NS_PER_BYTE.toFixed(0)} (5 ms per 8 KiB)`);
process.exitCode = most > MOST_NS_PER_BYTE ? 1 : 0;
