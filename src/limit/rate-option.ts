import { z } from 'zod';
import { parseRate, RATE_PATTERN } from './rate.ts';

/** Schema of a rate. */
export function rate() {
  return z
    .string({ error: ({ input }) => (typeof input === 'number' ? noRate(input) : undefined) })
    .transform((value, context) => {
      const parsed = parseRate(value);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: 'custom', message: noRate(value) });
      return z.NEVER;
    })
    .meta({ format: 'rate', pattern: `${RATE_PATTERN.source}|\\$\\{` });
}

function noRate(value: string | number): string {
  return `${JSON.stringify(value)} is not a rate: write a number and a time, such as 5/second, 100/minute, 1000/hour, 5/10s`;
}
