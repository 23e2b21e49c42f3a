import type { RuleProblem } from './engine/rule-set.ts';

/** `FILE:LINE:COLUMN: problem (what to do)`, the form that editors and CI understand. */
export function ruleProblemLine({ file, line, column, message, hint }: RuleProblem): string {
  return `${file}:${line}:${column}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
}
