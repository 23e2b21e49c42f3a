import { parseDuration } from '../config/values.ts';
import type { Rate } from '../stores/limit-store.ts';

/** `100/minute`: so many in that many milliseconds. */
export interface WrittenRate {
  readonly count: number;
  readonly period: number;
  /** As the user wrote it. */
  readonly text: string;
}

export const RATE_PATTERN = /^(\d{1,9})\/(.{1,16})$/;
const WORDS = new Map([
  ['second', 1000],
  ['minute', 60_000],
  ['hour', 3_600_000],
  ['day', 86_400_000],
]);
/** A million in a second: what a double of milliseconds and the clocks of the stores can still tell apart. */
const MOST_PER_MS = 1000;
/** Ten years: a bucket that takes longer to fill is a mistake in writing. */
export const LONGEST_FILL = 3650 * 86_400_000;

/** `5/second`, `100/minute`, `5/10s` → its numbers; undefined when it is no rate. */
export function parseRate(text: string): WrittenRate | undefined {
  const match = RATE_PATTERN.exec(text);
  const count = Number(match?.[1]);
  const unit = match?.[2] ?? '';
  const period = WORDS.get(unit) ?? parseDuration(/^\d/.test(unit) ? unit : `1${unit}`);
  if (match === null || period === undefined || period === 0 || count === 0) return undefined;
  if (count > MOST_PER_MS * period || period > LONGEST_FILL) return undefined;
  return { count, period, text };
}

/** The rate as the stores count it. */
export function rateOf(written: WrittenRate, burst: number | undefined): Rate {
  return { interval: written.period / written.count, burst: burst ?? written.count };
}
