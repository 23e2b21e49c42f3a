import { clearSecrets } from '../config/clear-secrets.ts';
import { loadWithSource } from '../config/load.ts';
import { formatProblem, type Problem } from '../config/problem.ts';
import type { GatewayOptions } from '../config/schema.ts';
import { EXIT, hasColor, type Output, painter } from './output.ts';
import { reportProblems } from './report-problems.ts';

export interface CheckOptions {
  readonly config: string;
  /** Warnings are problems too. */
  readonly strict?: boolean;
}

/** `portcullis check`: says whether a configuration would start, and if not, everything that is wrong with it. */
export async function check(options: CheckOptions, output: Output): Promise<number> {
  const { result, source } = await loadWithSource(options.config);
  if (!result.ok) return reportProblems(result, output);
  const paint = painter(output.out);
  if (source !== undefined) {
    const warnings = clearSecrets(result.options, source);
    tellWarnings(warnings, output);
    if (options.strict === true && warnings.length > 0) return EXIT.problems;
  }
  if (source !== undefined && result.options.routes.some(({ validate }) => validate?.openapi !== undefined)) {
    // Ajv and the rest of the engine are loaded only where a document is to be read.
    const { checkContracts } = await import('../config/check-contracts.ts');
    const { errors, warnings } = checkContracts(result.options, source);
    const color = hasColor(output.err);
    for (const problem of errors) output.err.write(`${formatProblem(problem, color)}\n`);
    tellWarnings(warnings, output);
    if (errors.length > 0 || (options.strict === true && warnings.length > 0)) return EXIT.problems;
  }
  if (source !== undefined && (result.options.waf !== undefined || result.options.routes.some(({ waf }) => waf !== undefined))) {
    const { checkRules } = await import('../config/check-rules.ts');
    const { errors, warnings } = checkRules(result.options, source);
    for (const problem of errors) output.err.write(`${formatProblem(problem, hasColor(output.err))}\n`);
    tellWarnings(warnings, output);
    if (errors.length > 0 || (options.strict === true && warnings.length > 0)) return EXIT.problems;
  }
  output.out.write(`${options.config}: ${paint('green', 'ok')} (${summary(result.options)})\n`);
  return EXIT.ok;
}

function tellWarnings(warnings: readonly Problem[], { err }: Output): void {
  const color = hasColor(err);
  for (const problem of warnings) err.write(`${formatProblem({ ...problem, message: `warning: ${problem.message}` }, color)}\n`);
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
