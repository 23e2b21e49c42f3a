import type { RouteLimit } from './audited.ts';

type Limit = RouteLimit['limit'];

/** How many requests in a minute a limit lets through in the long run; of several plans, the most generous one. */
export function perMinute({ rate, plans }: Limit): number {
  const rates = [rate, ...Object.values(plans ?? {}).map((plan) => plan.rate)].filter((one) => one !== undefined);
  return Math.max(...rates.map(({ count, period }) => (count / period) * 60_000));
}

function countsBy({ by }: Limit, words: readonly string[]): boolean {
  const kinds = by.map((word) => word.split(':')[0]);
  return kinds.some((kind) => words.includes(kind)) && kinds.every((kind) => kind === 'route' || words.includes(kind));
}

/**
 * The strictest limit that really refuses, and counts together what has the same address (or caller): by these words, or these and the
 * route. With any other word beside them a client takes another bucket by sending another header, and a limit by address and caller counts
 * nobody who is not known.
 */
export function slowest(limits: readonly RouteLimit[], words: readonly string[]): RouteLimit | undefined {
  return limits
    .filter(({ limit }) => !limit.shadow && countsBy(limit, words))
    .toSorted((a, b) => perMinute(a.limit) - perMinute(b.limit))[0];
}
