import type { Rate, Verdict } from './limit-store.ts';

/**
 * The generic cell rate algorithm (ITU-T I.371), as pure functions. The whole state of a bucket is one number: the theoretical arrival
 * time (TAT) of the next request if all came at the steady rate. A TAT that is not in the future means a full bucket, so a bucket that
 * nobody has used yet, or not for long, needs no memory at all. Over any time at most `time / interval + burst` requests pass.
 *
 * Times are milliseconds of one clock that never steps back.
 */

/**
 * What sums of doubles may be off by: 15 ns in milliseconds, far below what any clock tells. A bucket that is used exactly at its rate
 * for hours on end may be off by more, and then refuses one request in a million too many.
 */
const ROUNDING = 2 ** -16;

/** The TAT when one more request is counted. */
export function nextArrival(tat: number, now: number, rate: Rate): number {
  return (tat > now ? tat : now) + rate.interval;
}

/** Whether the request that makes this TAT of the bucket may pass. */
export function conforms(next: number, now: number, rate: Rate): boolean {
  return next - now <= rate.interval * rate.burst + ROUNDING;
}

/** What a bucket says in the state that it has after the decision. */
export function verdictOf(allowed: boolean, tat: number, now: number, rate: Rate): Verdict {
  const { interval, burst } = rate;
  const reset = tat > now ? tat - now : 0;
  const room = burst - (reset - ROUNDING) / interval;
  const remaining = room >= burst ? burst : room >= 1 ? Math.floor(room) : 0;
  return { allowed, remaining, retryAfter: remaining > 0 ? 0 : reset + interval - interval * burst, reset };
}
