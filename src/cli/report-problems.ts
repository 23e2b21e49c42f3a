import type { LoadResult } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { EXIT, hasColor, type Output } from './output.ts';

/** Writes all problems of a configuration to standard error; gives the exit code. Shared by every command that loads one. */
export function reportProblems(result: Extract<LoadResult, { ok: false }>, output: Output): number {
  const color = hasColor(output.err);
  for (const problem of result.problems) output.err.write(`${formatProblem(problem, color)}\n`);
  return EXIT.problems;
}
