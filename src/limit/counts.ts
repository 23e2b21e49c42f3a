import type { MetricSource } from '../pipeline/stage.ts';

/** What one limit did. */
export class LimitCount {
  passed = 0;
  refused = 0;
  /** In shadow mode: what would have been refused. */
  shadow = 0;
  /** The store failed, and requests passed uncounted, or were refused for that. */
  open = 0;
  closed = 0;
  /** The store failed, and this gateway decided by itself; also counted as passed or refused. */
  local = 0;
}

const VERDICTS = ['passed', 'refused', 'shadow', 'open', 'closed', 'local'] as const;

/** What one gate of `concurrency` shows. */
export interface GateView {
  readonly running: number;
  readonly queued: number;
  readonly refused: number;
}

/** The counters of all limits of a process. They outlive configurations: a counter that falls is none. */
export class LimitCounts {
  readonly #limits = new Map<string, LimitCount>();
  readonly #gates = new Map<string, GateView>();

  /** The counters under this label, which comes from the configuration. */
  of(label: string): LimitCount {
    let count = this.#limits.get(label);
    if (count === undefined) this.#limits.set(label, (count = new LimitCount()));
    return count;
  }

  addGate(label: string, gate: GateView): void {
    this.#gates.set(label, gate);
  }

  /** The configuration that had it has left; the next may have another one of the same name already. */
  removeGate(label: string, gate: GateView): void {
    if (this.#gates.get(label) === gate) this.#gates.delete(label);
  }

  /** @param size Buckets that the store keeps, where it knows. */
  sources(size: () => number | undefined): MetricSource[] {
    const ofGates = (value: (gate: GateView) => number) => () =>
      [...this.#gates].map(([concurrency, gate]) => ({ labels: { concurrency }, value: value(gate) }));
    return [
      { name: 'portcullis_limit_decisions_total', help: DECISIONS, type: 'counter', collect: () => this.#decisions() },
      {
        name: 'portcullis_limit_buckets',
        help: 'Buckets of limits that are kept in memory, those among them that are full again and wait to be used anew.',
        type: 'gauge',
        // Workers all tell of the same memory.
        merge: 'max',
        collect: () => {
          const buckets = size();
          return buckets === undefined ? [] : [{ labels: {}, value: buckets }];
        },
      },
      {
        name: 'portcullis_concurrency_running',
        help: 'Requests that hold one of the places of `concurrency`.',
        type: 'gauge',
        collect: ofGates((gate) => gate.running),
      },
      {
        name: 'portcullis_concurrency_queued',
        help: 'Requests that wait for one of the places of `concurrency`.',
        type: 'gauge',
        collect: ofGates((gate) => gate.queued),
      },
      {
        name: 'portcullis_concurrency_refused_total',
        help: 'Requests that got no place of `concurrency` in time.',
        type: 'counter',
        collect: ofGates((gate) => gate.refused),
      },
    ];
  }

  #decisions() {
    return [...this.#limits].flatMap(([limit, count]) =>
      VERDICTS.filter((verdict) => count[verdict] > 0).map((verdict) => ({ labels: { limit, verdict }, value: count[verdict] })),
    );
  }
}

const DECISIONS =
  'Requests by limit and verdict: passed, refused, shadow (would have been refused), and while the store failed open (passed uncounted), closed (refused for that) and local (counted here, also among passed and refused).';
