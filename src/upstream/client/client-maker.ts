import { AutoClient } from './auto-client.ts';
import type { MakeClient, WireClient, WireClientOptions } from './client.ts';
import { H2Pool } from './h2-pool.ts';
import { LeanPool } from './lean-pool.ts';

/** Makes an HTTP/1.1 client of `client: undici`. */
export type MakeUndici = (options: WireClientOptions) => WireClient;

/**
 * What makes the client that `kind` and `protocol` ask for. undici is handed in, because a gateway that does not use it shall not
 * load it: it takes some 25 MB. The maker opens no connection yet.
 * @throws (the maker) when a certificate, key or authority cannot be read
 */
export function clientMaker(makeUndici: MakeUndici): MakeClient {
  const makeHttp1 = (options: WireClientOptions) => (options.kind === 'undici' ? makeUndici(options) : new LeanPool(options));
  return (options) => {
    const { protocol, tls } = options;
    if (protocol === 'h2' || protocol === 'h2c') return new H2Pool(options);
    if (protocol === 'auto' && tls !== undefined) return new AutoClient(options, tls, makeHttp1(options));
    return makeHttp1(options);
  };
}
