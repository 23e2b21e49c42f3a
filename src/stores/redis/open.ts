import { createClient } from '@redis/client';
import { Debts } from '../debts.ts';
import type { RedisOptions } from '../options.ts';
import { StoreStats } from '../store-stats.ts';
import { Link, type LinkParts } from './link.ts';
import { RedisLimitStore } from './redis-limit-store.ts';

export interface OpenRedis {
  readonly link: Link;
  readonly limits: RedisLimitStore;
  readonly stats: StoreStats;
  readonly debts: Debts;
}

/** Begins to connect. This file brings the client's code with it: it is loaded where a configuration names such a store. */
export function openRedis(
  parts: Omit<LinkParts, 'createClient' | 'onAway' | 'onBack'> & { readonly options: RedisOptions },
): OpenRedis {
  const stats = new StoreStats();
  const debts = new Debts();
  const link: Link = new Link({
    ...parts,
    createClient,
    onAway: () => debts.storeIsAway(),
    onBack: (others) => debts.storeIsBack(others, link.instances()),
  });
  return { link, limits: new RedisLimitStore({ link, options: parts.options, stats, debts }), stats, debts };
}
