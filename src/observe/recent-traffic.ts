/** What was lately, second by second. Lists are oldest first and equally long; their last item is the last second that is over. */
export interface RecentTraffic {
  readonly requests: readonly number[];
  readonly refused: readonly number[];
  /** Requests that failed: answered with 5xx by a service, or broken by a defect of ours. */
  readonly errors: readonly number[];
}

/** Ten minutes. */
const TOLD = 600;
/** The second that is under way takes a place, too. */
const SECONDS = TOLD + 1;

/**
 * Traffic of one process by second, in a ring of numbers: a request costs an addition, nobody has to look at it while it comes, and a
 * page that is opened has a past. Times are those of the clock that only goes forward.
 */
export class TrafficRing {
  readonly #requests = new Uint32Array(SECONDS);
  readonly #refused = new Uint32Array(SECONDS);
  readonly #errors = new Uint32Array(SECONDS);
  readonly #began: number;
  /** The second that is counted now. */
  #second: number;

  constructor(now = performance.now()) {
    this.#second = Math.floor(now / 1000);
    this.#began = this.#second;
  }

  count(now: number, outcome: 'passed' | 'refused' | 'failed'): void {
    const second = Math.floor(now / 1000);
    if (second > this.#second) this.#turn(second);
    const at = this.#second % SECONDS;
    this.#requests[at]++;
    if (outcome === 'refused') this.#refused[at]++;
    else if (outcome === 'failed') this.#errors[at]++;
  }

  snapshot(now = performance.now()): RecentTraffic {
    const second = Math.floor(now / 1000);
    if (second > this.#second) this.#turn(second);
    const length = Math.min(TOLD, this.#second - this.#began);
    const from = this.#second - length;
    const list = (ring: Uint32Array) => Array.from({ length }, (_, i) => ring[(from + i) % SECONDS]);
    return { requests: list(this.#requests), refused: list(this.#refused), errors: list(this.#errors) };
  }

  /** Nothing came in the seconds between. */
  #turn(second: number): void {
    for (let one = Math.max(this.#second + 1, second - SECONDS + 1); one <= second; one++) {
      const at = one % SECONDS;
      this.#requests[at] = 0;
      this.#refused[at] = 0;
      this.#errors[at] = 0;
    }
    this.#second = second;
  }
}

/** The sum of several processes, which began at different times: their ends are the same second. */
export function mergeRecent(all: readonly RecentTraffic[]): RecentTraffic | undefined {
  if (all.length === 0) return undefined;
  const merge = (read: (one: RecentTraffic) => readonly number[]) => sumFromEnd(all.map(read));
  return { requests: merge((one) => one.requests), refused: merge((one) => one.refused), errors: merge((one) => one.errors) };
}

function sumFromEnd(lists: readonly (readonly number[])[]): number[] {
  const length = Math.max(...lists.map((list) => list.length));
  const sum = Array.from({ length: length }, () => 0);
  for (const list of lists) for (let i = 1; i <= list.length; i++) sum[length - i] += list[list.length - i];
  return sum;
}
