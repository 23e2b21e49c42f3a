import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Carry, Log } from '../pipeline/stage.ts';
import type { Debts } from './debts.ts';
import type { Bucket, LimitStore, Stores } from './limit-store.ts';
import { MemoryLimitStore } from './memory-limit-store.ts';
import type { RedisOptions, StoreOptions } from './options.ts';
import type { OpenRedis } from './redis/open.ts';
import type { SharedMemoryStore } from './shared-memory-store.ts';
import type { StoreSnapshot } from './store-stats.ts';

export interface StoreParts {
  readonly carry: Carry;
  readonly log: Log;
  /** Name of this gateway among those that share a store; all its workers have the same. */
  readonly instance: string;
  /** The memory of the primary process, where this is one of several workers. */
  readonly primary?: SharedMemoryStore;
  readonly workers: number;
}

/** The stores of a configuration, and what can be measured of them. */
export interface OpenStores extends Stores {
  snapshot(): StoreSnapshot;
}

/** A store that is away must not keep a gateway from its start; one that is there should be there for the first request. */
const FIRST_TRY_MS = 1000;

/** Opens what `store` names. Rejects only where the configuration is wrong: a store that is away may come back. */
export async function createStores(options: StoreOptions, parts: StoreParts): Promise<OpenStores> {
  const own = parts.carry.take('store memory', () => new MemoryLimitStore());
  const { primary } = parts;
  if (options !== 'memory') return await redisStores(options, localStore(own, primary), parts);
  if (primary !== undefined) return primaryStores(primary, own, parts.workers);
  const snapshot = (): StoreSnapshot => ({ store: 'memory', up: true, instances: 1, stats: undefined });
  return { limits: own, local: own, instances: () => 1, snapshot };
}

/** One memory for all workers. Where the primary is away, each worker counts its share by itself, as gateways do without their store. */
function primaryStores(primary: SharedMemoryStore, own: LimitStore, workers: number): OpenStores {
  const snapshot = (): StoreSnapshot => ({ store: 'memory', up: primary.up, instances: 1, stats: primary.stats });
  const instances = (): number => workers;
  return { limits: primary, local: withDebts(own, primary.debts, instances), instances, snapshot };
}

/** Means the same for one worker and for four. Where even the primary is away, better each worker for itself than nobody. */
function localStore(own: LimitStore, primary: SharedMemoryStore | undefined): LimitStore {
  if (primary === undefined) return own;
  return { take: (buckets) => primary.take(buckets).catch(() => own.take(buckets)) };
}

async function redisStores(options: RedisOptions, local: LimitStore, parts: StoreParts): Promise<OpenStores> {
  const ca = options.ca === undefined ? undefined : await readCertificates(options.ca);
  // Code and memory for those who have such a store.
  const { openRedis } = await import('./redis/open.ts');
  const key = `store redis ${createHash('sha256')
    .update(JSON.stringify(options))
    .update(ca ?? '')
    .digest('hex')}`;
  const make = (): OpenRedis => openRedis({ options, ca, instance: parts.instance, log: parts.log });
  const redis = parts.carry.take(key, make, ({ limits }) => void limits.close());
  await Promise.race([redis.link.tried, new Promise((resolve) => setTimeout(resolve, FIRST_TRY_MS).unref())]);
  const instances = (): number => redis.link.instances();
  const snapshot = (): StoreSnapshot => ({ store: 'redis', up: redis.link.up, instances: instances(), stats: redis.stats });
  return { limits: redis.limits, local: withDebts(local, redis.debts, instances), instances, snapshot };
}

/** Begins where the shared store left off, and remembers for it what happens meanwhile. */
function withDebts(local: LimitStore, debts: Debts, instances: () => number): LimitStore {
  return {
    async take(buckets) {
      const verdicts = await local.take(buckets.map((bucket) => withDebt(bucket, debts.of(bucket))));
      debts.noteOwn(buckets, verdicts, instances());
      return verdicts;
    },
  };
}

/** Written out: `coarser` of a bucket may be a getter, which spreading leaves behind. */
function withDebt({ limit, rate, key, coarser }: Bucket, debt: number | undefined): Bucket {
  return { limit, rate, key, coarser, debt };
}

async function readCertificates(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Error(`store: ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
