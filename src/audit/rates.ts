import type { RouteLimit } from './audited.ts';

type Limit = RouteLimit['limit'];

/** How many requests in a minute a limit lets through in the long run; of several plans, the most generous one. */
export function perMinute({ rate, plans }: Limit): number {
  const rates = [rate, ...Object.values(plans ?? {}).map((plan) => plan.rate)].filter((one) => one !== undefined);
  return Math.max(...rates.map(({ count, period }) => (count / period) * 60_000));
}

/** The strictest limit that really refuses and counts by one of these words. */
export function slowest(limits: readonly RouteLimit[], words: readonly string[]): RouteLimit | undefined {
  return limits
    .filter(({ limit }) => !limit.shadow && limit.by.some((word) => words.includes(word.split(':')[0])))
    .toSorted((a, b) => perMinute(a.limit) - perMinute(b.limit))[0];
}
