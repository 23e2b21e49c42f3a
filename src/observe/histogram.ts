/** Upper bounds of the buckets in seconds: a gateway's own work is below a millisecond, a patient client's above ten seconds. */
export const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const BUCKETS_MS = BUCKETS.map((seconds) => seconds * 1000);

/** Durations in milliseconds, sorted into buckets as they come. */
export class Histogram {
  /** One more than there are bounds: the last one has what is above all. Not cumulative. */
  readonly counts = new Float64Array(BUCKETS.length + 1);
  count = 0;
  sumMs = 0;

  observe(duration: number): void {
    // One NaN would spoil the sum for good.
    const ms = duration > 0 ? duration : 0;
    let i = 0;
    // Most durations are short, so that the first steps find them.
    while (i < BUCKETS_MS.length && ms > BUCKETS_MS[i]) i++;
    this.counts[i]++;
    this.count++;
    this.sumMs += ms;
  }

  snapshot(): { value: number; buckets: number[] } {
    return { value: this.sumMs / 1000, buckets: [...this.counts] };
  }
}
