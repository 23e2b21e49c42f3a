import type { Exchange } from '../exchange/exchange.ts';
import { type LimitStore, StoreError, type Verdict } from '../stores/limit-store.ts';
import type { Limit, LimitBucket } from './limit.ts';
import type { StoreHealth } from './store-health.ts';

/** The member `limit` of the access record. */
interface LimitNote {
  readonly shadow: string[];
}

/**
 * Limits on trial: they count what passed the others, each by itself, so that none of them changes what another one says. Nobody waits
 * for them and nothing that they meet ends a request.
 */
export class ShadowLimits {
  readonly #limits: readonly Limit[];
  readonly #store: LimitStore;
  readonly #health: StoreHealth;

  constructor(limits: readonly Limit[], store: LimitStore, health: StoreHealth) {
    this.#limits = limits;
    this.#store = store;
    this.#health = health;
  }

  count(x: Exchange): void {
    for (const limit of this.#limits) this.#countOne(limit.bucketFor(x), x);
  }

  #countOne(bucket: LimitBucket, x: Exchange): void {
    try {
      const verdicts = this.#store.take([bucket]);
      if (!('then' in verdicts)) this.#note(bucket, verdicts, x);
      else
        verdicts.then(
          (late) => this.#note(bucket, late, x),
          (error) => this.#failed(bucket, error),
        );
    } catch (error) {
      this.#failed(bucket, error);
    }
  }

  #note({ of: { count, name } }: LimitBucket, [verdict]: readonly Verdict[], x: Exchange): void {
    if (verdict.allowed) {
      count.passed++;
      return;
    }
    count.shadow++;
    x.notes ??= new Map();
    const note = (x.notes.get('limit') as LimitNote | undefined) ?? { shadow: [] };
    note.shadow.push(name);
    x.notes.set('limit', note);
  }

  #failed({ of: { count } }: LimitBucket, error: unknown): void {
    if (!(error instanceof StoreError)) throw error;
    count.open++;
    this.#health.failed(error);
  }
}
