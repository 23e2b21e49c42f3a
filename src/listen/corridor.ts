import type { Refusal } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { ClientSide } from '../pipeline/client.ts';
import type { ReadPart } from './turned-away.ts';

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
  readonly tunnelIdle: number;
  readonly requestsPerConnection: number;
  readonly h2Streams: number;
  readonly h2Resets: number;
}

/** What a connection needs of its listener. `C` is the kind of connection. */
export interface ConnectionOwner<C> {
  readonly corridor: Corridor;
  readonly bounds: Bounds;
  /** True when the gateway is leaving: answers then close their connection. */
  readonly draining: boolean;
  /** A head is complete: the connection is at work, and not one to close at a cap. */
  busy(connection: C): void;
  /** The last answer is written: it waits for its next request. */
  idle(connection: C): void;
  /** A kept connection has begun a head. */
  headBegun(connection: C): void;
  closed(connection: C): void;
  /** Resets the TCP connection, below TLS too. */
  reset(connection: C): void;
  /** A request that gets no answer, or the connection for one, was turned away at `began`: for the record. */
  turnedAway(connection: C, refusal: Refusal, began: number, part?: ReadPart): void;
  /** Something of ours threw while it worked for a connection: for the log. */
  broke(error: unknown): void;
  /** Finds out where the client is: the peer, or what trusted proxies say. They can contradict themselves: then it is refused. */
  locate(x: Exchange): Refusal | undefined;
}
