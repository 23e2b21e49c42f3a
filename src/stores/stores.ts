import { type LimitStore, StoreError, type Stores } from './limit-store.ts';

/** Opens what `store` names. */
export function createStores(_store: 'memory'): Stores {
  const none: LimitStore = {
    take: () => {
      throw new StoreError('not there yet');
    },
  };
  return { limits: none, local: none, instances: () => 1 };
}
