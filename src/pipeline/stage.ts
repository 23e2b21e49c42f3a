import type { Egress } from '../egress/egress.ts';
import type { StageName, Step } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Upstreams } from '../exchange/service.ts';
import type { Stores } from '../stores/limit-store.ts';

/** One message of a stream: a WebSocket message, later a server-sent event or a gRPC message. */
export interface Message {
  readonly kind: 'websocket';
  /** `in`: from the client to the service. */
  readonly direction: 'in' | 'out';
  readonly binary: boolean;
  readonly data: Buffer;
}

/**
 * How much of a request or response a room has to see.
 * - `head` (the default): bodies stream past.
 * - `whole`: the body is read into one buffer of at most `limit` bytes before the room's body hook runs. For a response,
 *   `over` says what happens to a larger one: `pass` lets it go on unread, `refuse` answers 502. `types` are the media types of
 *   responses that are read; others stream past.
 * - `messages`: every message of a WebSocket is handed to `onMessage`, at most `limit` bytes each.
 */
export type Need =
  | 'head'
  | { readonly kind: 'whole'; readonly limit: number; readonly over?: 'pass' | 'refuse'; readonly types?: readonly string[] }
  | { readonly kind: 'messages'; readonly limit: number };

/** What outlives a reload, keyed by name and the hash of its options; released when the last configuration lets go. */
export interface Carry {
  /** Takes what is there under `key`, or makes it. `dispose` runs when no configuration holds it any more. */
  take<T extends object>(key: string, make: () => T, dispose?: (value: T) => void): T;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** The gateway's own log, on standard error: not the access record. */
export interface Log {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** One family of metrics that a room lends to `observe`. Its values are made when somebody asks for them: no request pays. */
export interface MetricSource {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  /** How the values of several workers become one; `sum` when left out. */
  readonly merge?: 'sum' | 'max' | 'min';
  collect(): { readonly labels: Record<string, string>; readonly value: number }[];
}

/** Everything that a room may use besides its options. */
export interface World {
  readonly carry: Carry;
  readonly upstreams: Upstreams;
  readonly egress: Egress;
  readonly stores: Stores;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the stage learns about the route that it is prepared for. */
export interface RouteContext {
  /** Path pattern as written. */
  readonly path: string;
  readonly methods: readonly string[];
  readonly service: string;
  /** `body`: the route's bound on request bodies in bytes. */
  readonly bodyLimit: number;
}

/**
 * A room of the corridor. `prepare` runs once per route when a configuration loads and does all the work that can be
 * done beforehand; undefined means that the room is absent from this route and costs nothing there.
 *
 * The one declaration of the room's options (type, default, check, JSON Schema, manual) is `options.ts` in its folder: the schema is put
 * together from these when a file is checked, and is not in the memory of what serves.
 */
export interface Stage<O = unknown> {
  readonly name: StageName;
  prepare(options: O, world: World, route: RouteContext): Promise<Prepared | undefined>;
}

/**
 * A room prepared for one route. A hook that is undefined is absent: it is not checked per request.
 *
 * Every hook may return a Refusal or an Answer to end the request, or a promise of one where it has to wait. A throw or
 * a rejection is a fault: the client gets 500, nothing goes on to the service.
 */
export interface Prepared {
  readonly needs?: { readonly request?: Need; readonly response?: Need };
  /** Runs when the head has been read, before any of the body. May change nothing of the head. */
  onRequestHead?(x: Exchange): Step;
  /** Runs with the whole body in `x.body` when `needs.request` is `whole`; also when the body is empty. */
  onRequestBody?(x: Exchange): Step;
  /** Runs for each message of an upgraded connection. An end closes it with 1008; an Answer makes no sense here. */
  onMessage?(x: Exchange, message: Message): Step;
  /** Runs before the head of the service's answer goes to the client. May change `x.response`. A Refusal is 502. */
  onResponseHead?(x: Exchange): Step;
  /** Runs with the whole body in `x.response.body`, before the head goes out. */
  onResponseBody?(x: Exchange): Step;
  /** Runs last, always: also after a refusal, a fault, or when the client has left. Must not throw. */
  onEnd?(x: Exchange): void;
  /** The configuration leaves; requests and streams that still run keep theirs until they end. */
  close?(): Promise<void>;
}
