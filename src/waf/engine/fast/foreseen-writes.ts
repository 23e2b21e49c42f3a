import type { Transaction } from '../transaction/transaction.ts';

/** Where a rule that was run beforehand first wrote a variable of TX. */
export interface ForeseenWrite {
  readonly phase: number;
  readonly at: number;
  readonly name: string;
}

/**
 * What rules that were run beforehand wrote stands in TX from the start of each request. Where a request passes over such a rule (a skip, a
 * removal, a phase that is left early), that was too much: it is taken back, as it would not have been written yet.
 */
export class ForeseenWrites {
  readonly #writes: readonly ForeseenWrite[];

  constructor(writes: readonly ForeseenWrite[]) {
    this.#writes = writes;
  }

  /** Whether a rule of this phase between these two wrote something. */
  anyBetween(phase: number, after: number, before: number): boolean {
    return this.#writes.some((one) => one.phase === phase && one.at > after && one.at < before);
  }

  /** The same from a rule on to the end of a phase. */
  anyThrough(phase: number, after: number, last: number): boolean {
    return this.#writes.some((one) => isBehind(one, phase, after) && one.phase <= last);
  }

  /** Takes back what stands behind a rule. No other rule wrote these variables so far. */
  takeBack(t: Transaction, phase: number, after: number): void {
    for (const one of this.#writes) if (isBehind(one, phase, after)) t.deleteTx(one.name);
  }
}

function isBehind(write: ForeseenWrite, phase: number, at: number): boolean {
  return write.phase > phase || (write.phase === phase && write.at > at);
}
