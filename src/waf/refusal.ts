import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Interruption, Transaction } from './engine/transaction/transaction.ts';

/** What the corridor is told when a rule ends a request. */
export function refusalOf(t: Transaction, { rule, status }: Interruption): Refusal {
  const score = scoreOf(
    t,
    rule.links[0].targets.map(({ selector }) => (selector?.kind === 'name' ? selector.name : '')),
  );
  if (score !== undefined) return refuse('waf-score', score);
  const reason = `rule ${rule.id} (${rule.message?.text ?? 'no message'})`;
  if (status === 400) return refuse('waf-unreadable', reason);
  if (status === 413) return refuse('waf-body', reason);
  return refuse('waf-rule', reason);
}

/** The same for what a service answered. */
export function responseRefusalOf(t: Transaction, interruption: Interruption): Refusal {
  return refuse('waf-response', refusalOf(t, interruption).reason);
}

/** A rule that compares a sum of scores says how high it is; undefined for other rules. */
function scoreOf(t: Transaction, names: readonly string[]): string | undefined {
  const name = names.find((one) => one.toLowerCase().endsWith('anomaly_score'))?.toLowerCase();
  if (name === undefined) return undefined;
  const outbound = name.includes('outbound');
  const threshold = t.tx.get(outbound ? 'outbound_anomaly_score_threshold' : 'inbound_anomaly_score_threshold');
  return `anomaly score ${t.tx.get(name) ?? '?'} ≥ ${threshold ?? '?'}`;
}
