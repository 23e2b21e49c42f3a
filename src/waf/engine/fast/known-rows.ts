import type { Program } from '../program/program.ts';
import type { RuleDefinition } from '../rule-set.ts';
import { OpenCollections, PersistentCollections } from '../transaction/persistent.ts';
import { step } from '../transaction/run.ts';
import { Transaction } from '../transaction/transaction.ts';
import { type LiveRule, NO_REQUEST } from './foresee.ts';

/**
 * Rows of rules that only look at TX, and always do the same as long as nobody wrote what they look at: such as those that add up scores
 * and compare them. A request in which no rule matched passes them at once.
 * @returns by index of the first rule of a row: what is known of the row
 */
export function knownRows(
  program: Program,
  base: ReadonlyMap<string, string>,
  live: readonly LiveRule[],
  phase: number,
): Map<number, KnownRow> {
  const blocks = new Map<number, KnownRow>();
  let start = 0;
  while (start < live.length) {
    const end = endOfRow(live, start);
    const block = end - start > 1 ? knownRow(program, base, live.slice(start, end), phase) : undefined;
    if (block !== undefined) blocks.set(start, { ...block, end });
    start = Math.max(end, start + 1);
  }
  return blocks;
}

function endOfRow(live: readonly LiveRule[], start: number): number {
  let end = start;
  while (end < live.length && live[end].dependencies.onlyTx && live[end].dependencies.onlyWritesTx) end++;
  return end;
}

/** A row of rules whose outcome is known. */
export interface KnownRow {
  /** Names that it reads or writes: when a request wrote one of them, the row has to be run. */
  readonly names: ReadonlySet<string>;
  /** When one of them is removed, the row has to be run, too. */
  readonly rules: ReadonlySet<RuleDefinition>;
  /** What it leaves in TX. */
  readonly writes: readonly (readonly [name: string, value: string])[];
  /** The index behind it. */
  readonly end: number;
}

/** What running a row leaves; undefined when it does something besides. */
function knownRow(
  program: Program,
  base: ReadonlyMap<string, string>,
  rows: readonly LiveRule[],
  phase: number,
): Omit<KnownRow, 'end'> | undefined {
  const t = new Transaction(program, NO_REQUEST, new OpenCollections(new PersistentCollections(), 0), 'On', base);
  t.phase = phase as Transaction['phase'];
  const behind = rows[rows.length - 1].at + 1;
  let at = rows[0].at;
  for (const row of rows) if (row.at >= at) at = step(t, row.rule, row.at);
  const quiet = t.matches.length === 0 && t.interruption === undefined && t.highestSeverity === 255 && t.allowedThrough === 0;
  const writes = t.tx.written();
  if (!quiet || at > behind || writes === undefined) return undefined;
  const rules = new Set(rows.map(({ rule }) => rule.definition));
  return { rules, names: new Set(rows.flatMap(({ dependencies: { reads, writes: names } }) => [...reads, ...names])), writes };
}
