import type { MatchRecord, Transaction } from './engine/transaction/transaction.ts';

const MOST_RULES = 64;
const LONGEST = 128;
const LONGEST_LINE = 1024;

/** What the access record says under `waf`: nothing where no rule matched. Values of clients only where `data` asks for them. */
export function wafNote(t: Transaction, data: boolean): object | undefined {
  const { matches } = t;
  if (matches.length === 0 && t.detected === undefined) return undefined;
  const score = scoreOf(t);
  return {
    ...(score === undefined ? {} : { score }),
    matched: [...new Set(matches.map(({ rule }) => rule.id))],
    rules: distinct(matches).slice(0, MOST_RULES).map(ruleNote),
    ...(t.detected === undefined ? {} : { would: t.detected.rule.id }),
    ...(data ? { log: matches.map(logLine) } : {}),
  };
}

/** Where rules that sum up scores keep them: of the request, of the answer. */
const SCORES = ['blocking_inbound_anomaly_score', 'inbound_anomaly_score', 'blocking_outbound_anomaly_score'];

/** The higher one; undefined where the rules know no scores. */
function scoreOf(t: Transaction): number | undefined {
  const scores = SCORES.map((name) => t.tx.get(name)).filter((value) => value !== undefined && /^\d{1,9}$/.test(value));
  return scores.length === 0 ? undefined : Math.max(...scores.map(Number));
}

/** A rule that matched several values is told once. */
function distinct(matches: readonly MatchRecord[]): MatchRecord[] {
  return [...new Map(matches.map((match) => [`${match.rule.id} ${match.variable}`, match])).values()];
}

function ruleNote({ rule, variable }: MatchRecord): object {
  const message = rule.message?.text;
  return { id: rule.id, target: variable.slice(0, LONGEST), ...(message === undefined ? {} : { message }) };
}

function logLine({ rule, message, data, variable }: MatchRecord): string {
  const line = `[id "${rule.id}"] [msg "${escaped(message)}"] [data "${escaped(data)}"] [target "${escaped(variable)}"]`;
  const tags = rule.tags.map((tag) => ` [tag "${tag}"]`).join('');
  return (line + tags).slice(0, LONGEST_LINE);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is written differently
const UNPRINTABLE = /[\x00-\x1f\x7f-\xff"\\]/g;

/** One line whatever the bytes: what is not printable as \xHH, as ModSecurity writes it. */
function escaped(text: string): string {
  return text.replace(UNPRINTABLE, (c) => (c === '"' ? '\\"' : `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`));
}
