/** Time as this room uses it; tests put their own in its place. */
export interface Timing {
  /** Milliseconds on a clock that never goes back. */
  now(): number;
  /** Runs `task` once after at least `ms`. The function that comes back calls it off. */
  after(ms: number, task: () => void): () => void;
  /** Runs `task` again and again, every `ms` or a little later. */
  every(ms: number, task: () => void): () => void;
}

/** The real clock. Its timers keep no process alive: listeners and sockets do that. */
export const realTiming: Timing = {
  now: () => performance.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  every(ms, task) {
    const timer = setInterval(task, ms);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** Time between two looks at all running calls: timeouts fire at most about so late, and never early. */
export const SWEEP_MS = 100;
/** The sweep stops when so many looks in a row found nothing to do; the next call starts it again. */
const IDLE_SWEEPS = 20;

export interface Swept {
  /** True while there is something that will have to be looked at again. */
  sweep(now: number): boolean;
}

/**
 * One timer for all timeouts of all services. A timer for each request would cost more than the rest of the
 * bookkeeping; a look at a thousand running calls ten times a second costs nearly nothing.
 */
export class Sweeper {
  awake = false;
  readonly #timing: Timing;
  readonly #members = new Set<Swept>();
  #stop: (() => void) | undefined;
  #idle = 0;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  add(member: Swept): void {
    this.#members.add(member);
  }

  delete(member: Swept): void {
    this.#members.delete(member);
  }

  wake(): void {
    if (this.awake) return;
    this.awake = true;
    this.#idle = 0;
    this.#stop = this.#timing.every(SWEEP_MS, () => this.#sweep());
  }

  sleep(): void {
    this.awake = false;
    this.#stop?.();
    this.#stop = undefined;
  }

  #sweep(): void {
    const now = this.#timing.now();
    let busy = false;
    for (const member of this.#members) busy = member.sweep(now) || busy;
    this.#idle = busy ? 0 : this.#idle + 1;
    if (this.#idle >= IDLE_SWEEPS) this.sleep();
  }
}
