import { AutoClient } from './auto-client.ts';
import type { MakeClient, WireClient, WireClientOptions } from './client.ts';
import { H2Pool } from './h2-pool.ts';
import { LeanPool } from './lean-pool.ts';
import { UndiciPool } from './undici-h1.ts';

/**
 * Makes the client that `kind` and `protocol` ask for. Opens no connection yet.
 * @throws when a certificate, key or authority cannot be read
 */
export const makeClient: MakeClient = (options) => {
  const { protocol, tls } = options;
  if (protocol === 'h2' || protocol === 'h2c') return new H2Pool(options);
  if (protocol === 'auto' && tls !== undefined) return new AutoClient(options, tls, makeHttp1(options));
  return makeHttp1(options);
};

function makeHttp1(options: WireClientOptions): WireClient {
  return options.kind === 'undici' ? new UndiciPool(options) : new LeanPool(options);
}
