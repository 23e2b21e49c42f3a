import { type Egress, EgressError } from './egress.ts';

/** Calls out from this process, directly. */
export function createEgress(): Egress {
  return { fetch: (url) => Promise.reject(new EgressError(`calls to ${url.host} are not there yet`)) };
}
