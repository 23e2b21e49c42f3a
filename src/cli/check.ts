import { type LoadResult, loadConfiguration } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import type { GatewayOptions } from '../config/schema.ts';
import { EXIT, hasColor, type Output, painter } from './output.ts';

/** `portcullis check`: says whether a configuration would start, and if not, everything that is wrong with it. */
export async function check(options: { config: string }, output: Output): Promise<number> {
  const result = await loadConfiguration(options.config);
  if (!result.ok) return reportProblems(result, output);
  output.out.write(`${options.config}: ${painter(output.out)('green', 'ok')} (${summary(result.options)})\n`);
  return EXIT.ok;
}

/** Writes all problems of a configuration to standard error; gives the exit code. Shared by every command that loads one. */
export function reportProblems(result: Extract<LoadResult, { ok: false }>, output: Output): number {
  const color = hasColor(output.err);
  for (const problem of result.problems) output.err.write(`${formatProblem(problem, color)}\n`);
  return EXIT.problems;
}

function summary(options: GatewayOptions): string {
  const open = options.routes.filter((route) => route.authentication === 'none').length;
  return [
    counted(Object.keys(options.listeners).length, 'listener'),
    counted(Object.keys(options.services).length, 'service'),
    counted(options.routes.length, 'route'),
    `${open} open`,
  ].join(', ');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
