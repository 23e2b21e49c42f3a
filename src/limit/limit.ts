import type { Exchange } from '../exchange/exchange.ts';
import type { Bucket, Rate } from '../stores/limit-store.ts';
import { networksAround } from './address.ts';
import type { LimitCount } from './counts.ts';
import { digest, type KeyParts, makePart, needsCaller, type Part } from './keys.ts';
import type { LimitOptions } from './options.ts';
import { rateOf, type WrittenRate } from './rate.ts';

/** What a limit allows to callers of one plan, or to all where it has none. */
export class Tier {
  /** The limit as the stores know it: the same in every worker, and after a reload that changes nothing of it. */
  readonly id: string;
  readonly rate: Rate;
  /** Its item of `RateLimit-Policy`. */
  readonly policy: string;
  readonly text: string;
  #share: Rate | undefined;
  #shareOf = 0;

  constructor(id: string, name: string, written: WrittenRate, burst: number | undefined) {
    this.id = id;
    this.rate = rateOf(written, burst);
    this.text = written.text;
    const window = written.period % 1000 === 0 ? `;w=${written.period / 1000}` : '';
    this.policy = `"${name}";q=${written.count}${window}`;
  }

  /** The part of it that one of so many gateways may give out by itself. */
  shareAmong(instances: number): Rate {
    if (this.#share === undefined || this.#shareOf !== instances) {
      const { interval, burst } = this.rate;
      this.#share = { interval: interval * instances, burst: Math.max(1, Math.floor(burst / instances)) };
      this.#shareOf = instances;
    }
    return this.#share;
  }
}

/** One limit on one route, prepared. */
export class Limit {
  /** For the client: the name in the configuration, or what an unnamed limit says. */
  readonly name: string;
  /** For the record: what it allows, and to whom. */
  readonly text: string;
  readonly options: LimitOptions;
  readonly count: LimitCount;
  readonly #parts: readonly Part[];
  /** Which of the parts is the address; -1: none. */
  readonly #address: number;
  readonly #standard: Tier;
  readonly #plans: ReadonlyMap<string, Tier>;

  constructor(named: NamedLimit, parts: KeyParts, count: LimitCount) {
    const { limit } = named;
    this.options = limit;
    this.count = count;
    this.name = clientName(named);
    this.#parts = limit.by.map((word) => makePart(word, parts));
    this.#address = limit.by.indexOf('address');
    const id = identityOf(named, parts.route);
    const plans = Object.entries(limit.plans ?? {});
    const tiers = plans.map(([plan, { rate, burst }]) => [plan, new Tier(`${id}:${plan}`, this.name, rate, burst)] as const);
    this.#plans = new Map(tiers);
    const standard = this.#plans.get(limit['default-plan'] ?? '');
    this.#standard = standard ?? new Tier(id, this.name, limit.rate as WrittenRate, limit.burst);
    this.text = describeLimit(named);
  }

  bucketFor(x: Exchange): LimitBucket {
    const tier = this.#tierFor(x.caller?.plan);
    return new LimitBucket(this, tier, tier.rate, this.#keyOf(x), x);
  }

  /** Without a plan, or with one that the limit does not know, a caller has what is for everyone. */
  #tierFor(plan: string | undefined): Tier {
    return plan === undefined ? this.#standard : (this.#plans.get(plan) ?? this.#standard);
  }

  #keyOf(x: Exchange): string {
    if (this.#parts.length === 1) return this.#parts[0].of(x);
    // No part holds a line break.
    return this.#parts.map((part) => part.of(x)).join('\n');
  }

  /** The key with coarser addresses in it. */
  coarserFor(x: Exchange): readonly string[] | undefined {
    const address = this.#address;
    if (address < 0) return undefined;
    const networks = networksAround(x.clientAddress, this.options['ipv6-prefix']);
    if (this.#parts.length === 1) return networks;
    const parts = this.#parts.map((part) => part.of(x));
    return networks.map((network) => parts.with(address, network).join('\n'));
  }
}

/** A limit as a route has it: named in the section `limits`, or its own. */
export interface NamedLimit {
  readonly name?: string;
  readonly limit: LimitOptions;
}

/** The bucket of one limit that one request takes from. */
export class LimitBucket implements Bucket {
  readonly limit: string;
  readonly rate: Rate;
  readonly key: string;
  readonly of: Limit;
  readonly tier: Tier;
  readonly #x: Exchange;

  constructor(of: Limit, tier: Tier, rate: Rate, key: string, x: Exchange) {
    this.limit = tier.id;
    this.rate = rate;
    this.key = key;
    this.of = of;
    this.tier = tier;
    this.#x = x;
  }

  /** Made only for a store that asks, which one with places to spare never does. */
  get coarser(): readonly string[] | undefined {
    return this.of.coarserFor(this.#x);
  }

  /** The same bucket with the share of one gateway among so many. */
  shareAmong(instances: number): LimitBucket {
    return new LimitBucket(this.of, this.tier, this.tier.shareAmong(instances), this.key, this.#x);
  }
}

/** True where some of what it counts by is known only when the caller is. */
export function isByCaller(limit: LimitOptions): boolean {
  return limit.plans !== undefined || limit.by.some(needsCaller);
}

/** `100/minute by address`; for the record and for people. */
export function describeLimit({ limit }: NamedLimit): string {
  const plans = Object.entries(limit.plans ?? {}).map(([plan, { rate }]) => `${plan} ${rate.text}`);
  const rates = limit.rate === undefined ? plans : [limit.rate.text, ...plans];
  return `${rates.join(', ')} by ${limit.by.join(' and ')}`;
}

function clientName({ name, limit }: NamedLimit): string {
  return name ?? limit.rate?.text ?? limit['default-plan'] ?? '';
}

/** What the limit is counted under. How it speaks and fails is not part of it: to change that resets nothing. */
function identityOf({ name, limit }: NamedLimit, route: string): string {
  const { rate, burst, by, plans, 'default-plan': standard, 'ipv6-prefix': prefix } = limit;
  const tiers = Object.entries(plans ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const says = JSON.stringify([rate, burst, by, tiers, standard, prefix]);
  return name === undefined ? `/${digest(route)}:${digest(says)}` : `${name}:${digest(says)}`;
}
