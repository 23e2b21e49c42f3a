/**
 * Frames that ask for work and bring nothing: so many at one go are a flood. Few enough that a thousand of them end a connection also
 * where a slow machine takes a second or two to read them.
 */
const MOST_NOISE = 800;

/** Such frames as an honest client may send, by the second. */
const NOISE_PER_SECOND = 100;

/** Streams that ended well make up for this many resets each, so that a long-lived connection may cancel now and then. */
const FORGIVEN_PER_STREAM = 0.25;

/**
 * Counts what a client of one HTTP/2 connection costs without asking for anything: pings, settings, priorities, updates of windows, unknown and empty
 * frames (noise), and streams that it resets or makes us reset (CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2025-8671).
 */
export class Http2Guard {
  #noise = 0;
  #resets = 0;
  #calmAt = performance.now();

  /** True when it is too much. */
  noise(weight: number): boolean {
    this.#noise += weight;
    return this.#noise > MOST_NOISE;
  }

  /** Something was done that brings updates of windows with it. */
  useful(weight: number): void {
    this.#noise = Math.max(0, this.#noise - weight);
  }

  /** A stream was reset, by the client or for its fault. True when it is too much. */
  reset(most: number): boolean {
    this.#resets++;
    return this.#resets > most;
  }

  /** A stream ended in good order. */
  served(): void {
    this.#resets = Math.max(0, this.#resets - FORGIVEN_PER_STREAM);
  }

  /** Time passes. */
  sweep(now: number): void {
    this.useful(((now - this.#calmAt) / 1000) * NOISE_PER_SECOND);
    this.#calmAt = now;
  }
}
