import type { Refusal } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';

/** What the access record says under `validate`. */
export class Verdict {
  /** `operationId` of the contract. */
  operation: string | undefined = undefined;
  refusal: Refusal | undefined = undefined;

  toJSON(): Record<string, unknown> {
    const { operation, refusal } = this;
    if (refusal === undefined) return { operation };
    return { operation, would_refuse: refusal.code, status: refusal.status, ...refusal.members };
  }
}

/** The room's note on an exchange; the record takes it from there. */
export function verdictOf(x: Exchange): Verdict {
  x.notes ??= new Map();
  let verdict = x.notes.get('validate') as Verdict | undefined;
  if (verdict === undefined) {
    verdict = new Verdict();
    x.notes.set('validate', verdict);
  }
  return verdict;
}

/** Where nothing is refused, the record says what would have been: once, the first. */
export function onlyReport(x: Exchange, refusal: Refusal): undefined {
  verdictOf(x).refusal ??= refusal;
}
