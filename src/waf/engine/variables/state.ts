import type { Values } from '../transaction/facts.ts';
import type { Transaction } from '../transaction/transaction.ts';
import { optional } from './values.ts';
import type { Variable } from './variable.ts';

/** Variables that rules change as they run. */
const scalar = (name: string, read: (t: Transaction) => string | undefined): Variable => ({
  name,
  collection: false,
  stable: false,
  phase: 1,
  read: (t) => optional(read(t)),
});
const list = (name: string, read: (t: Transaction) => Values): Variable => ({
  name,
  collection: true,
  stable: false,
  phase: 1,
  read,
});

/** Collections that `initcol` opens. */
export const STORED = ['GLOBAL', 'IP', 'SESSION', 'USER', 'RESOURCE'] as const;

function transactionVariables(t: Transaction): Values {
  return t.tx.entries();
}

function ruleFacts(t: Transaction): Values {
  const { rule } = t;
  if (rule === undefined) return { names: [], values: [] };
  const facts: Record<string, string> = {
    id: String(rule.id),
    rev: rule.revision ?? '',
    severity: String(rule.severity ?? ''),
    msg: rule.message?.text ?? '',
    logdata: rule.logData?.text ?? '',
  };
  return { names: Object.keys(facts), values: Object.values(facts) };
}

const matchedNames = (t: Transaction): Values => ({ names: t.matchedVars.names, values: t.matchedVars.names });

const now = (t: Transaction) => new Date(t.request.time);
const two = (value: number) => String(value).padStart(2, '0');

export const STATE_VARIABLES: readonly Variable[] = [
  { ...list('TX', transactionVariables), lookUp: (t, name) => t.tx.get(name) },
  list('RULE', ruleFacts),
  list('ENV', () => ({ names: [], values: [] })),
  list('MATCHED_VARS', (t) => t.matchedVars),
  list('MATCHED_VARS_NAMES', matchedNames),
  scalar('MATCHED_VAR', (t) => t.matchedValue),
  scalar('MATCHED_VAR_NAME', (t) => t.matchedName),
  scalar('HIGHEST_SEVERITY', (t) => String(t.highestSeverity)),
  scalar('DURATION', (t) => String(Math.max(0, Date.now() - t.request.time) * 1000)),
  scalar('TIME', (t) => `${two(now(t).getHours())}:${two(now(t).getMinutes())}:${two(now(t).getSeconds())}`),
  scalar('TIME_DAY', (t) => String(now(t).getDate())),
  scalar('TIME_EPOCH', (t) => String(Math.floor(t.request.time / 1000))),
  scalar('TIME_HOUR', (t) => String(now(t).getHours())),
  scalar('TIME_MIN', (t) => String(now(t).getMinutes())),
  scalar('TIME_MON', (t) => String(now(t).getMonth())),
  scalar('TIME_SEC', (t) => String(now(t).getSeconds())),
  scalar('TIME_WDAY', (t) => String(now(t).getDay())),
  scalar('TIME_YEAR', (t) => String(now(t).getFullYear())),
  { ...scalar('MODSEC_BUILD', () => '030000'), stable: true },
  { ...scalar('WEBAPPID', () => 'default'), stable: true },
  ...STORED.map((name) => list(name, (t) => t.collections.entries(name))),
];
