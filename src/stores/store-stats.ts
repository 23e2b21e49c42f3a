import type { MetricSource } from '../pipeline/stage.ts';

/** Why there was no decision: the store is known to be away, was too slow, answered with an error, has too much to do. */
export type Failure = 'away' | 'timeout' | 'error' | 'busy';

/** What is counted of one store. */
export class StoreStats {
  readonly failures: Record<Failure, number> = { away: 0, timeout: 0, error: 0, busy: 0 };
  decisions = 0;
  /** How long decisions took, all together. */
  ms = 0;

  decided(ms: number): void {
    this.decisions++;
    this.ms += ms;
  }

  failed(why: Failure): void {
    this.failures[why]++;
  }
}

/** What can be said of the store of a configuration. */
export interface StoreSnapshot {
  readonly store: 'memory' | 'redis';
  readonly up: boolean;
  readonly instances: number;
  /** Nothing is counted where the store is this process's memory: it cannot fail and takes no time. */
  readonly stats: StoreStats | undefined;
}

/** What is measured of the store. `snapshot` gives that of the configuration that serves now. */
export function storeSources(snapshot: () => StoreSnapshot): MetricSource[] {
  const one = (value: (of: StoreSnapshot) => number | undefined) => () => {
    const now = snapshot();
    const said = value(now);
    return said === undefined ? [] : [{ labels: { store: now.store }, value: said }];
  };
  return [
    {
      name: 'portcullis_store_up',
      help: '1 while limits are counted in the store; 0 while it is away from any worker and limits do what `when-store-fails` says.',
      type: 'gauge',
      merge: 'min',
      collect: one(({ up }) => (up ? 1 : 0)),
    },
    {
      name: 'portcullis_store_instances',
      help: 'Gateways that share the store, as it said last.',
      type: 'gauge',
      merge: 'max',
      collect: one(({ instances }) => instances),
    },
    {
      name: 'portcullis_store_decisions_total',
      help: 'Decisions of the store.',
      type: 'counter',
      collect: one(({ stats }) => stats?.decisions),
    },
    {
      name: 'portcullis_store_decision_seconds_total',
      help: 'How long these decisions took, all together.',
      type: 'counter',
      collect: one(({ stats }) => (stats === undefined ? undefined : stats.ms / 1000)),
    },
    { name: 'portcullis_store_failures_total', help: FAILURES, type: 'counter', collect: () => failuresOf(snapshot()) },
  ];
}

const FAILURES =
  'Decisions that could not be had: the store was known to be away, took too long (timeout), answered with an error, or had too many to make (busy).';

function failuresOf({ store, stats }: StoreSnapshot) {
  return Object.entries(stats?.failures ?? {}).map(([reason, value]) => ({ labels: { store, reason }, value }));
}
