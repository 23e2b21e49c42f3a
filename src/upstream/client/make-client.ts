import type { MakeClient } from './client.ts';
import { LeanPool } from './lean-pool.ts';

/** Makes the client that `kind` and `protocol` ask for. Opens no connection yet. */
export const makeClient: MakeClient = (options) => {
  return new LeanPool(options);
};
