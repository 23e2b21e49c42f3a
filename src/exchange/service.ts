import type { Duplex } from 'node:stream';
import type { BodySource } from './body-source.ts';
import type { CatalogueCode } from './decision.ts';
import type { HeaderList } from './headers.ts';

/**
 * How rooms call a service of the configuration. The room `upstream` implements it; `compose`, `translate` and the
 * corridor itself are handed it in `prepare`, so that no room imports another.
 */
export interface Upstreams {
  /** The service of that name; undefined when the configuration has none. */
  service(name: string): Service | undefined;
}

export interface Service {
  readonly name: string;
  /** Sends one request. Never throws; everything that happens is told to `answer`. */
  call(call: Call, answer: AnswerSink, trace: UpstreamTrace): CallHandle;
}

/** One request to a service, ready to be written: canonical target, complete header list (with `host`). */
export interface Call {
  readonly method: string;
  /** Path and query, byte for byte what the rooms saw. */
  readonly target: string;
  /** Lower-case names; no hop-by-hop field, no content-length, no transfer-encoding: framing belongs to the client. */
  readonly headers: HeaderList;
  /** undefined = no body at all; a Buffer can be sent again in a retry, a stream cannot. */
  readonly body: Buffer | BodySource | undefined;
  /** Set for a WebSocket handshake: the client adds `connection: upgrade` and `upgrade: websocket`. */
  readonly upgrade: boolean;
  /** Key for choices that should stick to a caller (consistent hashing); not used otherwise. */
  readonly clientAddress: string;
}

/**
 * Who takes the answer. The order is `onHead`, `onData`…, then exactly one of `onEnd`, `onFault`; or only `onUpgrade`;
 * or only `onFault`. After `cancel` nothing is called any more. 1xx answers other than 101 are never passed on.
 */
export interface AnswerSink {
  /** Framing fields (content-length, transfer-encoding, connection, keep-alive, …) are already gone from `headers`. */
  onHead(status: number, headers: HeaderList, length: number | undefined): void;
  /** The chunk belongs to the receiver. False asks for a pause until `CallHandle.resume`. */
  onData(chunk: Buffer): boolean;
  onEnd(trailers: HeaderList | undefined): void;
  onFault(fault: UpstreamFault): void;
  /** The service said 101. From here on the socket belongs to the receiver; `rest` are bytes that came behind the head. */
  onUpgrade(headers: HeaderList, socket: Duplex, rest: Buffer): void;
}

export interface CallHandle {
  /** Lets `onData` flow again. */
  resume(): void;
  /** The client left or a room refused: the call is abandoned, its connection is not used again. */
  cancel(): void;
}

/** What the record says of the call. Filled in by the service as it goes; lives as long as the exchange. */
export interface UpstreamTrace {
  target: string | undefined;
  status: number | undefined;
  /** Milliseconds from the first try to the head of the answer. */
  ms: number | undefined;
  tries: number;
}

/** Something went wrong on the service's side: 502, 503 or 504, never the client's fault. */
export interface UpstreamFault {
  readonly code: CatalogueCode;
  /** For the record: what happened, without any value that the client or the service sent. */
  readonly reason: string;
  /** True when not one byte of the request can have been acted upon, so that even a POST may be sent again. */
  readonly untouched: boolean;
  /** True when a kept-alive connection ended before the first byte of this answer: the race that every pool has. */
  readonly stale?: boolean;
  /** Seconds for `Retry-After`, where known. */
  readonly retryAfter?: number;
}
