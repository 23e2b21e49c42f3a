import type { CompiledRule } from '../program/program.ts';
import type { Disruption } from '../rule-set.ts';
import type { Interruption, Transaction } from './transaction.ts';

/** No rule set needs more to explain a decision; an input must not be able to fill the memory with matches. */
const MOST_MATCHES = 256;
/** The last request phase, and the last of all but logging. */
const REQUEST_PHASES = 2;
const ALL_PHASES = 4;

/** All links of a rule matched: it is noted, and what it wants done is done. */
export function finishRule(t: Transaction, { definition }: CompiledRule): void {
  const { severity } = definition;
  if (severity !== undefined && severity < t.highestSeverity) t.highestSeverity = severity;
  if (definition.log && t.matches.length < MOST_MATCHES) note(t, definition);
  disrupt(t, definition.disruption);
}

function note(t: Transaction, rule: CompiledRule['definition']): void {
  const message = rule.message === undefined ? '' : t.expand(rule.message);
  const data = rule.logData === undefined ? '' : t.expand(rule.logData);
  t.matches.push({ rule, variable: t.matchedName, message, data });
}

function disrupt(t: Transaction, disruption: Disruption): void {
  if (disruption.kind === 'pass') return;
  if (disruption.kind === 'allow') allow(t, disruption.scope);
  else if (t.mode === 'On') t.interruption ??= interruptionOf(t, disruption);
  else t.detected ??= interruptionOf(t, disruption);
}

function allow(t: Transaction, scope: 'transaction' | 'phase' | 'request'): void {
  if (t.mode !== 'On') return;
  if (scope === 'phase') t.allowedThrough = Math.max(t.allowedThrough, t.phase);
  else t.allowedThrough = Math.max(t.allowedThrough, scope === 'request' ? REQUEST_PHASES : ALL_PHASES);
}

type Ending = Exclude<Disruption, { kind: 'pass' } | { kind: 'allow' }>;

function interruptionOf(t: Transaction, disruption: Ending): Interruption {
  const rule = t.rule as Interruption['rule'];
  if (disruption.kind === 'drop') return { rule, kind: 'drop', status: 403, location: undefined };
  if (disruption.kind === 'deny') return { rule, kind: 'deny', status: disruption.status, location: undefined };
  return { rule, kind: 'redirect', status: disruption.status, location: t.expand(disruption.location) };
}
