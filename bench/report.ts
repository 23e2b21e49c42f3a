import type { Measurement } from './measure.ts';

/** Medians over the rounds of one gateway at one task. */
export interface Row {
  readonly gateway: string;
  readonly protocol: string;
  readonly work: string;
  readonly rps: number;
  readonly cpu: number;
  readonly p50: number;
  readonly p99: number;
  readonly memory: number;
  readonly shares: readonly number[];
  /** CPU per request against the bare undici proxy and against nginx: median of the rounds' ratios. */
  readonly toUndici: number | undefined;
  readonly toNginx: number | undefined;
  readonly wrong: string | undefined;
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** One row for each gateway and task, in the order in which they were measured first. */
export function summarize(all: readonly Measurement[]): Row[] {
  const groups = Map.groupBy(all, ({ gateway, protocol, work }) => `${protocol} ${work} ${gateway}`);
  return [...groups.values()].map((rounds) => {
    const { gateway, protocol, work } = rounds[0];
    const of = (pick: (one: Measurement) => number): number => median(rounds.map(pick));
    return {
      gateway,
      protocol,
      work,
      rps: of((one) => one.rps),
      cpu: of((one) => one.cpu),
      p50: of((one) => one.p50),
      p99: of((one) => one.p99),
      memory: of((one) => one.memory),
      shares: rounds[0].shares.map((_, index) => of((one) => one.shares[index] ?? 0)),
      toUndici: ratio(rounds, all, 'undici'),
      toNginx: ratio(rounds, all, 'nginx'),
      wrong: rounds.find((one) => one.wrong !== undefined)?.wrong,
    };
  });
}

/** Ratios within a round hold where the machine's speed moves between rounds. */
function ratio(rounds: readonly Measurement[], all: readonly Measurement[], other: string): number | undefined {
  const ratios = rounds.flatMap((one) => {
    const same = all.find(
      (peer) => peer.gateway === other && peer.protocol === one.protocol && peer.work === one.work && peer.round === one.round,
    );
    return same === undefined || same.cpu === 0 || one.cpu === 0 ? [] : [one.cpu / same.cpu];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}

const COLUMNS = ['', 'work', 'gateway', 'req/s', 'CPU µs', '× undici', '× nginx', 'p50 ms', 'p99 ms', 'MB', 'answers'];

/** The table for people. */
export function formatTable(rows: readonly Row[]): string {
  const lines = rows.map((row) => [
    row.protocol,
    row.work,
    row.gateway,
    row.rps.toFixed(0),
    row.cpu.toFixed(1),
    row.toUndici?.toFixed(2) ?? '–',
    row.toNginx?.toFixed(2) ?? '–',
    row.p50.toFixed(2),
    row.p99.toFixed(2),
    row.memory.toFixed(0),
    row.wrong === undefined ? 'right' : `WRONG: ${row.wrong}`,
  ]);
  const widths = COLUMNS.map((name, column) => Math.max(name.length, ...lines.map((line) => line[column].length)));
  const pad = (cells: readonly string[]): string =>
    cells.map((cell, i) => (i < 3 || i === 10 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return [pad(COLUMNS), ...lines.map(pad)].map((line) => line.trimEnd()).join('\n');
}

export interface Target {
  readonly text: string;
  readonly isMet: boolean;
}

/** What the project promises about speed, for those rows that this run can judge. */
export function judgeTargets(rows: readonly Row[]): Target[] {
  return rows
    .filter((row) => row.wrong === undefined && row.gateway === 'portcullis')
    .flatMap((row) => {
      const task = `${row.protocol} ${row.work}`;
      const targets: Target[] = [];
      // What contracts take of memory is the document's; what a request costs is judged.
      if (row.work === 'guarded') return row.toUndici === undefined ? [] : [atMost(task, 'CPU × undici', row.toUndici, 2.0)];
      if (row.protocol === 'http' && row.toUndici !== undefined) targets.push(atMost(task, 'CPU × undici', row.toUndici, 1.0));
      if (row.protocol !== 'http' && row.toNginx !== undefined) targets.push(atMost(task, 'CPU × nginx', row.toNginx, 2.5));
      targets.push(atMost(task, 'MB', row.memory, 130));
      return targets;
    });
}

/** Several workers against one: what a request costs, and how evenly they share. */
export function judgeWorkers(rows: readonly Row[]): Target[] {
  return rows
    .filter((row) => row.shares.length > 1)
    .flatMap((row) => {
      const single = rows.find((one) => one.gateway === 'portcullis' && one.protocol === row.protocol && one.work === row.work);
      const mean = 1 / row.shares.length;
      const unevenness = Math.max(...row.shares.map((share) => Math.abs(share / mean - 1)));
      const task = `${row.protocol} ${row.work} (${row.shares.map((share) => `${(share * 100).toFixed(0)} %`).join(' / ')})`;
      const targets = [atMost(task, 'off an even share', unevenness, 0.2)];
      if (single !== undefined) targets.unshift(atMost(task, 'CPU × one worker', row.cpu / single.cpu, 1.2));
      return targets;
    });
}

const atMost = (task: string, what: string, value: number, bound: number): Target => ({
  text: `${task}: ${value.toFixed(2)} ${what}, at most ${bound}`,
  isMet: value <= bound,
});
