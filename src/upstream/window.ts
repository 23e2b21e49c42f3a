const SLOTS = 10;

/** Two counts over the last `ms` milliseconds, in ten slots: all that a retry budget or a breaker has to remember. */
export class SlidingWindow {
  /** The sums over the window. */
  first = 0;
  second = 0;
  readonly #width: number;
  readonly #firsts = new Float64Array(SLOTS);
  readonly #seconds = new Float64Array(SLOTS);
  #slot = 0;
  #until = 0;

  constructor(ms: number) {
    this.#width = ms / SLOTS;
  }

  /** Forgets what has left the window. To be called before counting or reading. */
  roll(now: number): void {
    if (now < this.#until) return;
    const steps = Math.min(SLOTS, Math.floor((now - this.#until) / this.#width) + 1);
    for (let i = 0; i < steps; i++) {
      this.#slot = (this.#slot + 1) % SLOTS;
      this.first -= this.#firsts[this.#slot];
      this.second -= this.#seconds[this.#slot];
      this.#firsts[this.#slot] = 0;
      this.#seconds[this.#slot] = 0;
    }
    this.#until = now - ((now - this.#until) % this.#width) + this.#width;
  }

  addFirst(): void {
    this.first++;
    this.#firsts[this.#slot]++;
  }

  addSecond(): void {
    this.second++;
    this.#seconds[this.#slot]++;
  }

  clear(): void {
    this.first = 0;
    this.second = 0;
    this.#firsts.fill(0);
    this.#seconds.fill(0);
  }
}
