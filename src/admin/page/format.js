// @ts-check
/** Numbers, times and durations in words, for the viewer's own language of numbers and time zone. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const clockTime = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const dateOnly = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });

/** What stands where nothing is known yet. */
export const NOTHING = '–';

/** @param {number | undefined} value */
export function count(value) {
  if (value === undefined) return NOTHING;
  return value < 100_000 ? whole.format(value) : compact.format(value);
}

/**
 * Events a second: small numbers with a digit, large ones without.
 * @param {number | undefined} value
 */
export function rate(value) {
  if (value === undefined) return NOTHING;
  if (value === 0) return '0';
  if (value < 0.1) return '<0.1';
  return value < 10 ? value.toFixed(1) : count(value);
}

/** @param {number | undefined} seconds */
export function latency(seconds) {
  if (seconds === undefined) return NOTHING;
  const ms = seconds * 1000;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
  return `${seconds.toFixed(1)} s`;
}

/**
 * A span in its two largest units: `3 d 4 h`, `12 s`.
 * @param {number} ms
 */
export function span(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value !== 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value !== 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}

/** @param {number} time milliseconds since the epoch */
export function clock(time) {
  return clockTime.format(time);
}

/**
 * The time alone where it is of the same day as `now`.
 * @param {number} time milliseconds since the epoch
 * @param {number} now
 */
export function recent(time, now) {
  return dateOnly.format(time) === dateOnly.format(now) ? clock(time) : moment(time);
}

/** @param {number} time milliseconds since the epoch */
export function date(time) {
  return dateOnly.format(time);
}

/** @param {number} time milliseconds since the epoch */
export function moment(time) {
  return dateTime.format(time);
}

/**
 * @param {number} value
 * @param {string} one
 * @param {string} [many]
 */
export function plural(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}
