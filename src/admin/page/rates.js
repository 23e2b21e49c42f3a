// @ts-check
/** @import { Status } from '../../observe/status.ts' */

/**
 * What the page makes of counters: rates and quantiles between two looks. The looks of the last minute are kept, and five minutes of what
 * some charts show. What the gateway tells second by second is taken as it is.
 */

const RATE_MS = 10_000;
const QUANTILE_MS = 60_000;
const POINTS = 150;
/** Seconds that one point of a line of rates stands for: ten minutes make as many points as there are of the others. */
const PER_POINT = 4;
const NOW_SECONDS = 10;

/** @typedef {{ slow: number | undefined, running: number, connections: number }} Point */

export class History {
  /** Oldest first. @type {Status[]} */
  #looks = [];
  /** What the charts show, oldest first. @type {Point[]} */
  points = [];

  /** @param {Status} status */
  push(status) {
    const last = this.#looks.at(-1);
    // Another process counts from zero: what was before has nothing to do with it.
    if (last !== undefined && (last.started !== status.started || status.traffic.requests < last.traffic.requests)) this.clear();
    this.#looks.push(status);
    while (this.#looks.length > 2 && status.time - this.#looks[1].time >= QUANTILE_MS) this.#looks.shift();
    this.points.push(this.#point(status));
    if (this.points.length > POINTS) this.points.shift();
  }

  clear() {
    this.#looks = [];
    this.points = [];
  }

  /**
   * Events a second, of what `read` finds in a status.
   * @param {(status: Status) => number | undefined} read
   * @returns {number | undefined} undefined as long as there was one look only
   */
  rate(read) {
    return this.#rateSince(this.#before(RATE_MS), read);
  }

  /**
   * A quantile of what fell into the buckets within the last minute.
   * @param {number} q
   * @param {(status: Status) => readonly number[] | undefined} read
   * @returns {number | undefined} seconds; undefined when there was nothing
   */
  quantile(q, read) {
    const now = this.#looks.at(-1);
    if (now === undefined) return undefined;
    const before = this.#before(QUANTILE_MS);
    const old = before === undefined ? undefined : read(before);
    const buckets = (read(now) ?? []).map((count, i) => Math.max(0, count - (old?.[i] ?? 0)));
    return quantile(q, now.traffic.bounds, before === undefined ? [] : buckets);
  }

  /**
   * @param {Status} status
   * @returns {Point}
   */
  #point(status) {
    return {
      slow: this.quantile(0.99, (one) => one.traffic.buckets),
      running: status.running,
      connections: openConnections(status),
    };
  }

  /**
   * @param {Status | undefined} before
   * @param {(status: Status) => number | undefined} read
   */
  #rateSince(before, read) {
    const now = this.#looks.at(-1);
    if (now === undefined || before === undefined || now.time <= before.time) return undefined;
    const grown = (read(now) ?? 0) - (read(before) ?? 0);
    return Math.max(0, grown) / ((now.time - before.time) / 1000);
  }

  /**
   * The oldest look that is not older than that, but another than the last.
   * @param {number} ms
   */
  #before(ms) {
    const now = this.#looks.at(-1);
    if (now === undefined || this.#looks.length < 2) return undefined;
    return this.#looks.slice(0, -1).find((one) => now.time - one.time <= ms) ?? this.#looks.at(-2);
  }
}

/**
 * As Prometheus reckons: within a bucket all are spread evenly; above the last bound nothing is known but that bound.
 * @param {number} q
 * @param {readonly number[]} bounds
 * @param {readonly number[]} buckets one more than bounds
 */
export function quantile(q, bounds, buckets) {
  const total = buckets.reduce((a, b) => a + b, 0);
  if (total === 0) return undefined;
  let below = 0;
  for (const [i, count] of buckets.entries()) {
    if (below + count >= q * total && count > 0) {
      if (i >= bounds.length) return bounds.at(-1);
      const from = i === 0 ? 0 : bounds[i - 1];
      return from + ((q * total - below) / count) * (bounds[i] - from);
    }
    below += count;
  }
  return bounds.at(-1);
}

/**
 * Requests a second in the last ten seconds, as the gateway counted them: a page that has just been opened knows them, too.
 * @param {readonly number[]} seconds counts, the newest last
 * @returns {number | undefined} undefined in the first second of a gateway
 */
export function rateNow(seconds) {
  const last = seconds.slice(-NOW_SECONDS);
  return last.length === 0 ? undefined : last.reduce((a, b) => a + b, 0) / last.length;
}

/**
 * The same as a line of rates.
 * @param {readonly number[]} seconds counts, the newest last
 * @returns {number[]}
 */
export function ratesOf(seconds) {
  const points = [];
  // From the end, so that what is short is the oldest point.
  for (let end = seconds.length; end > 0; end -= PER_POINT) {
    const some = seconds.slice(Math.max(0, end - PER_POINT), end);
    points.unshift(some.reduce((a, b) => a + b, 0) / some.length);
  }
  return points;
}

/** @param {Status} status */
export function openConnections(status) {
  return status.listeners.reduce((sum, one) => sum + one.open, 0);
}
