import type { Program } from '../program/program.ts';
import { OpenCollections, PersistentCollections } from '../transaction/persistent.ts';
import { step } from '../transaction/run.ts';
import { Transaction } from '../transaction/transaction.ts';
import { type LiveRule, NO_REQUEST } from './foresee.ts';

/**
 * Rows of rules that only look at TX, and do nothing as long as nobody wrote what they look at: such as those that add up scores and
 * compare them. A request in which no rule matched passes them at once.
 * @returns by index of the first rule of a row: what it reads, and the index behind it
 */
export function inertBlocks(
  program: Program,
  base: ReadonlyMap<string, string>,
  live: readonly LiveRule[],
  phase: number,
): Map<number, { reads: ReadonlySet<string>; end: number }> {
  const blocks = new Map<number, { reads: ReadonlySet<string>; end: number }>();
  let start = 0;
  while (start < live.length) {
    const end = endOfRow(live, start);
    const block = end - start > 1 ? inertBlock(program, base, live.slice(start, end), phase) : undefined;
    if (block !== undefined) blocks.set(start, { reads: block, end });
    start = Math.max(end, start + 1);
  }
  return blocks;
}

function endOfRow(live: readonly LiveRule[], start: number): number {
  let end = start;
  while (end < live.length && live[end].dependencies.onlyTx && live[end].dependencies.onlyWritesTx) end++;
  return end;
}

/** The names that a row reads and writes, when running it changes nothing. */
function inertBlock(
  program: Program,
  base: ReadonlyMap<string, string>,
  rows: readonly LiveRule[],
  phase: number,
): ReadonlySet<string> | undefined {
  const t = new Transaction(program, NO_REQUEST, new OpenCollections(new PersistentCollections(), 0), 'On', base);
  t.phase = phase as Transaction['phase'];
  const behind = rows[rows.length - 1].at + 1;
  let at = rows[0].at;
  for (const row of rows) if (row.at >= at) at = step(t, row.rule, row.at);
  const quiet = t.matches.length === 0 && t.interruption === undefined && t.highestSeverity === 255 && t.allowedThrough === 0;
  if (!quiet || at > behind || t.tx.hasChanged()) return undefined;
  return new Set(rows.flatMap(({ dependencies: { reads, writes } }) => [...reads, ...writes]));
}
