import type { Measurement } from './measure.ts';
import { median, type Target } from './report.ts';

/** What a firewall adds to its gateway at one work: medians of what the rounds say. */
export interface FirewallCost {
  readonly work: string;
  readonly gateway: string;
  /** Microseconds of CPU per request: without, with, and the difference within rounds. */
  readonly off: number;
  readonly on: number;
  readonly added: number;
  /** How many times more libmodsecurity adds to nginx, and how many times more both take in all. */
  readonly timesAdded: number | undefined;
  readonly timesWhole: number | undefined;
  /** Megabytes that it adds. */
  readonly memory: number;
  /** Milliseconds until the gateway with its firewall serves. */
  readonly startMs: number | undefined;
}

/** Who has a firewall, and who is the same without. */
const PAIRS = [
  ['nginx-waf', 'nginx'],
  ['portcullis-waf', 'portcullis'],
  ['portcullis-builtin', 'portcullis'],
] as const;
const YARDSTICK = 'nginx-waf';

interface Pair {
  readonly on: Measurement;
  readonly off: Measurement;
}

/** One for each gateway and work of which both sides were measured rightly in every round. */
export function firewallCosts(all: readonly Measurement[]): FirewallCost[] {
  const works = [...new Set(all.map(({ work }) => work))];
  return works.flatMap((work) => {
    const of = (gateway: string): Measurement[] =>
      all.filter((one) => one.gateway === gateway && one.work === work && one.protocol === 'http');
    const pairs = PAIRS.map(([on, off]) => ({ gateway: on, pairs: pairUp(of(on), of(off)) }));
    const yardstick = pairs.find(({ gateway }) => gateway === YARDSTICK)?.pairs ?? [];
    return pairs.filter((one) => one.pairs.length > 0).map((one) => cost(work, one.gateway, one.pairs, yardstick));
  });
}

/** Measurements of the same round; none at all where one of them is wrong, for then nothing that it says counts. */
function pairUp(on: readonly Measurement[], off: readonly Measurement[]): Pair[] {
  if ([...on, ...off].some(({ wrong }) => wrong !== undefined)) return [];
  return on.flatMap((one) => {
    const other = off.find(({ round }) => round === one.round);
    return other === undefined ? [] : [{ on: one, off: other }];
  });
}

function cost(work: string, gateway: string, pairs: readonly Pair[], yardstick: readonly Pair[]): FirewallCost {
  const added = addedBy(pairs);
  const isCompared = gateway !== YARDSTICK && yardstick.length > 0;
  return {
    work,
    gateway,
    off: median(pairs.map(({ off }) => off.cpu)),
    on: median(pairs.map(({ on }) => on.cpu)),
    added,
    // What is lost in the noise is no ratio.
    timesAdded: isCompared && added > 0 ? addedBy(yardstick) / added : undefined,
    timesWhole: isCompared ? wholeRatio(pairs, yardstick) : undefined,
    memory: median(pairs.map(({ on, off }) => on.memory - off.memory)),
    startMs: medianOf(pairs.map(({ on }) => on.startMs)),
  };
}

const addedBy = (pairs: readonly Pair[]): number => median(pairs.map(({ on, off }) => on.cpu - off.cpu));

/** Within rounds, for the machine's speed moves between them. */
function wholeRatio(pairs: readonly Pair[], yardstick: readonly Pair[]): number | undefined {
  return medianOf(
    pairs.map(({ on }) => {
      const same = yardstick.find((other) => other.on.round === on.round);
      return same === undefined ? undefined : same.on.cpu / on.cpu;
    }),
  );
}

function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((one) => one !== undefined);
  return known.length === 0 ? undefined : median(known);
}

const COLUMNS = ['work', 'gateway', 'off µs', 'on µs', 'added µs', 'nginx adds ×', 'nginx in all ×', '+ MB', 'start ms'];

/** The table for people. */
export function formatCosts(costs: readonly FirewallCost[]): string {
  const lines = costs.map((one) => [
    one.work,
    one.gateway,
    one.off.toFixed(1),
    one.on.toFixed(1),
    one.added.toFixed(1),
    one.timesAdded?.toFixed(1) ?? '–',
    one.timesWhole?.toFixed(1) ?? '–',
    one.memory.toFixed(0),
    one.startMs?.toFixed(0) ?? '–',
  ]);
  const widths = COLUMNS.map((name, column) => Math.max(name.length, ...lines.map((line) => line[column].length)));
  const pad = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return [pad(COLUMNS), ...lines.map(pad)].map((line) => line.trimEnd()).join('\n');
}

/** How many times less than libmodsecurity beside nginx; prose is stated and not judged. */
const AT_LEAST: Record<string, { added: number; whole: number }> = {
  get: { added: 80, whole: 35 },
  post: { added: 80, whole: 55 },
};
const MOST_MEMORY = 100;
const LONGEST_START = 1500;

/** What the project promises about the firewall with OWASP CRS, as far as this run can judge it. */
export function judgeFirewall(costs: readonly FirewallCost[]): Target[] {
  return costs
    .filter(({ gateway }) => gateway === 'portcullis-waf')
    .flatMap(({ work, timesAdded, timesWhole, memory, startMs }) => {
      const { added, whole } = AT_LEAST[work] ?? {};
      const targets: Target[] = [];
      if (added !== undefined && timesAdded !== undefined) targets.push(atLeast(work, 'adds', timesAdded, added));
      if (whole !== undefined && timesWhole !== undefined) targets.push(atLeast(work, 'takes in all', timesWhole, whole));
      targets.push(firewallTarget(work, `${memory.toFixed(0)} MB more memory, at most ${MOST_MEMORY}`, memory <= MOST_MEMORY));
      if (startMs !== undefined)
        targets.push(
          firewallTarget(work, `serves after ${startMs.toFixed(0)} ms, below ${LONGEST_START}`, startMs < LONGEST_START),
        );
      return targets;
    });
}

const firewallTarget = (work: string, text: string, isMet: boolean): Target => ({
  text: `http ${work}: firewall ${text}`,
  isMet,
});

const atLeast = (work: string, verb: string, value: number, bound: number): Target =>
  firewallTarget(work, `${verb} ${value.toFixed(1)} times less than libmodsecurity, at least ${bound}`, value >= bound);
