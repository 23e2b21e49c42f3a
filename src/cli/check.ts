import { loadConfiguration } from '../config/load.ts';
import type { GatewayOptions } from '../config/schema.ts';
import { EXIT, type Output, painter } from './output.ts';
import { reportProblems } from './report-problems.ts';

/** `portcullis check`: says whether a configuration would start, and if not, everything that is wrong with it. */
export async function check(options: { config: string }, output: Output): Promise<number> {
  const result = await loadConfiguration(options.config);
  if (!result.ok) return reportProblems(result, output);
  output.out.write(`${options.config}: ${painter(output.out)('green', 'ok')} (${summary(result.options)})\n`);
  return EXIT.ok;
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
