import { type Outcome, type Refusal, refuse, type Step } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { HeaderList } from '../exchange/headers.ts';
import type { Prepared } from '../pipeline/stage.ts';
import { StoreError, type Stores, type Verdict } from '../stores/limit-store.ts';
import { byStrictness, retryAfter, setLimitFields, type Standing } from './fields.ts';
import type { Limit, LimitBucket } from './limit.ts';
import type { ShadowLimits } from './shadow.ts';
import type { StoreHealth } from './store-health.ts';

/** Where the two places of the room leave for the answer how their limits stand. */
const STANDINGS = 'limit.standings';
/** Seconds after which it is worth asking a store again that failed. */
const STORE_RETRY = 1;

/** The limits of one route in one place of the corridor. All are decided at once: when one refuses, none is charged. */
export class RateLimits implements Prepared {
  readonly #limits: readonly Limit[];
  readonly #shadow: ShadowLimits | undefined;
  readonly #stores: Stores;
  readonly #health: StoreHealth;
  readonly #told: boolean;
  readonly onResponseHead: ((x: Exchange) => undefined) | undefined;

  constructor(limits: readonly Limit[], shadow: ShadowLimits | undefined, stores: Stores, health: StoreHealth) {
    this.#limits = limits;
    this.#shadow = shadow;
    this.#stores = stores;
    this.#health = health;
    this.#told = limits.some(({ options }) => options.headers);
    this.onResponseHead = this.#told ? tellClient : undefined;
  }

  onRequestHead(x: Exchange): Step {
    if (this.#limits.length === 0) return this.#passed(x);
    const buckets = this.#bucketsFor(x);
    try {
      const verdicts = this.#stores.limits.take(buckets);
      return 'then' in verdicts ? this.#wait(x, buckets, verdicts) : this.#judge(x, buckets, verdicts);
    } catch (error) {
      return this.#withoutStore(x, buckets, error);
    }
  }

  #bucketsFor(x: Exchange): LimitBucket[] {
    const limits = this.#limits;
    const buckets = [limits[0].bucketFor(x)];
    for (let i = 1; i < limits.length; i++) buckets.push(limits[i].bucketFor(x));
    return buckets;
  }

  async #wait(x: Exchange, buckets: readonly LimitBucket[], coming: Promise<readonly Verdict[]>): Promise<Outcome> {
    let verdicts: readonly Verdict[];
    try {
      verdicts = await coming;
    } catch (error) {
      return await this.#withoutStore(x, buckets, error);
    }
    if (this.#health.failing) this.#health.answered();
    return this.#judge(x, buckets, verdicts);
  }

  // ---- the verdict

  #judge(x: Exchange, buckets: readonly LimitBucket[], verdicts: readonly Verdict[]): Outcome {
    for (let i = 0; i < verdicts.length; i++) if (!verdicts[i].allowed) return this.#refuse(x, buckets, verdicts);
    for (let i = 0; i < buckets.length; i++) buckets[i].of.count.passed++;
    if (this.#told) noteStandings(x, buckets, verdicts);
    return this.#passed(x);
  }

  #passed(x: Exchange): undefined {
    this.#shadow?.count(x);
  }

  #refuse(x: Exchange, buckets: readonly LimitBucket[], verdicts: readonly Verdict[]): Refusal {
    const standings = verdicts.map((verdict, i): Standing => ({ bucket: buckets[i], verdict }));
    const over = standings.filter(({ verdict }) => !verdict.allowed).sort(byStrictness);
    for (const { bucket } of over) bucket.of.count.refused++;
    const [strictest] = over;
    const headers: HeaderList = ['retry-after', String(retryAfter(strictest.verdict))];
    const told = [...standings, ...standingsOf(x)].filter(({ bucket }) => bucket.of.options.headers);
    if (told.length > 0) setLimitFields(headers, told);
    return refuse('rate-limited', `over ${describe(strictest.bucket)}`, { headers });
  }

  // ---- without the store

  /** Each limit says what to do. One that is closed decides for all, before anything is charged. */
  #withoutStore(x: Exchange, buckets: readonly LimitBucket[], error: unknown): Step {
    if (!(error instanceof StoreError)) throw error;
    this.#health.failed(error);
    const closed = buckets.filter(({ of }) => of.options['when-store-fails'] === 'closed');
    if (closed.length > 0) return storeFailed(closed);
    const local = buckets.filter(({ of }) => of.options['when-store-fails'] === 'local');
    for (const { of } of buckets) {
      if (of.options['when-store-fails'] === 'open') of.count.open++;
      else of.count.local++;
    }
    return local.length === 0 ? this.#passed(x) : this.#decideHere(x, local);
  }

  #decideHere(x: Exchange, buckets: readonly LimitBucket[]): Step {
    const instances = Math.max(1, this.#stores.instances());
    const shares = buckets.map((bucket) => bucket.shareAmong(instances));
    const verdicts = this.#stores.local.take(shares);
    if (!('then' in verdicts)) return this.#judge(x, shares, verdicts);
    return verdicts.then((late) => this.#judge(x, shares, late));
  }
}

function storeFailed(closed: readonly LimitBucket[]): Refusal {
  for (const { of } of closed) of.count.closed++;
  return refuse('limit-store-failed', `the store of ${describe(closed[0])} failed, and it is closed then`, {
    headers: ['retry-after', String(STORE_RETRY)],
  });
}

function describe({ of, tier }: LimitBucket): string {
  return `the limit ${of.name} (${tier.text} by ${of.options.by.join(' and ')})`;
}

function noteStandings(x: Exchange, buckets: readonly LimitBucket[], verdicts: readonly Verdict[]): void {
  const standings = standingsOf(x);
  for (let i = 0; i < buckets.length; i++) {
    if (buckets[i].of.options.headers) standings.push({ bucket: buckets[i], verdict: verdicts[i] });
  }
  x.notes ??= new Map();
  x.notes.set(STANDINGS, standings);
}

function standingsOf(x: Exchange): Standing[] {
  return (x.notes?.get(STANDINGS) as Standing[] | undefined) ?? [];
}

/** The first of the two places that sees the answer speaks for both. */
function tellClient(x: Exchange): undefined {
  const standings = standingsOf(x);
  if (x.response === undefined || standings.length === 0) return;
  setLimitFields(x.response.headers, standings);
  x.notes?.delete(STANDINGS);
}
