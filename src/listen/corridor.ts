import type { Refusal } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { ClientSide } from '../pipeline/client.ts';

/** What stands behind the door: where `listen` hands over what it has read. */
export interface Corridor {
  /** A well-formed request. */
  handle(x: Exchange, client: ClientSide): void;
  /** Something that was refused while it was read; `x` holds what could be read of it. It is answered and recorded. */
  refuse(x: Exchange, client: ClientSide, refusal: Refusal): void;
}

/** Bounds on a client's connection, as the listener's options give them: bytes, counts and milliseconds. */
export interface Bounds {
  readonly headBytes: number;
  readonly headCount: number;
  readonly targetBytes: number;
  readonly headTime: number;
  readonly bodyTime: number;
  readonly requestTime: number;
  readonly idleTime: number;
  readonly requestsPerConnection: number;
}
