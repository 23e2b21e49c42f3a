import type { MakeClient } from './client.ts';
import { LeanPool } from './lean-pool.ts';
import { UndiciPool } from './undici-h1.ts';

/** Makes the client that `kind` and `protocol` ask for. Opens no connection yet. */
export const makeClient: MakeClient = (options) => {
  return options.kind === 'undici' ? new UndiciPool(options) : new LeanPool(options);
};
