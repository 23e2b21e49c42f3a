/** One who waits for a place. */
export interface Waiter {
  /** A place is his. */
  granted(): void;
  /** He waited too long. */
  expired(): void;
  timer: NodeJS.Timeout | undefined;
}

export interface GateOptions {
  readonly max: number;
  readonly queue: number;
  /** Milliseconds. */
  readonly wait: number;
}

/** So many requests at once, and a short queue in the order of arrival. */
export class Gate {
  readonly #options: GateOptions;
  readonly #queue = new Set<Waiter>();
  #running = 0;
  #refused = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get refused(): number {
    return this.#refused;
  }

  get wait(): number {
    return this.#options.wait;
  }

  /** Takes a place if one is free. Nobody waits while one is: a place that comes free is handed on. */
  enter(): boolean {
    if (this.#running >= this.#options.max) return false;
    this.#running++;
    return true;
  }

  /** Joins the queue; false when it is full. */
  join(waiter: Waiter): boolean {
    if (this.#queue.size >= this.#options.queue) {
      this.#refused++;
      return false;
    }
    this.#queue.add(waiter);
    waiter.timer = setTimeout(() => {
      this.#queue.delete(waiter);
      this.#refused++;
      waiter.expired();
    }, this.#options.wait);
    return true;
  }

  /** Leaves the queue without a place. */
  quit(waiter: Waiter): void {
    clearTimeout(waiter.timer);
    this.#queue.delete(waiter);
  }

  /** Gives a place back. */
  leave(): void {
    const [next] = this.#queue;
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.quit(next);
    next.granted();
  }
}
