import type { AnswerSink, Call, CallHandle } from '../../exchange/service.ts';

/**
 * The door between a service (which target, how often, how long) and the wire (how one request becomes bytes). One
 * wire client is one pool of connections to one address of one target. Implementations: lean-h1, undici-h1, h2.
 *
 * What the service does, so that no client has to: retries, balancing, health, the caps on calls at once, and every
 * timeout of a call (head, silence in the body, total): it keeps one coarse sweep for all its calls and uses `cancel`.
 * What the client does: `connectTimeout` and `idleTimeout`, framing, hop-by-hop fields, back-pressure, strict reading.
 */
export interface WireClient {
  /**
   * Sends one request; never throws. The answer's callbacks come in the order that `AnswerSink` says, and never before
   * `send` has returned: what fails at once is told in a later microtask or tick.
   *
   * - `fresh`: open a new connection, use no kept one (a retry after a kept connection turned out to be dead). Clients
   *   that multiplex may use a connection that answered within the last second.
   * - After `handle.cancel()` nothing is called any more; an HTTP/1.1 connection is destroyed, an HTTP/2 stream reset.
   * - Before `onHead`, `cancel` and `onFault` leave a streamed `call.body` alone when `body.start` was not called yet: the
   *   service may send the same call again elsewhere. So `body.start` is called only once a connection stands.
   * - When the request body breaks (`BodySink.onBroken`), the client behaves as if cancelled: whoever owns the body knows.
   * - An answer that is complete before the request body has been sent ends the call, and the connection is not used again.
   * - When `maxConnections` are all taken, `onFault` with `upstream-busy` and `untouched: true`, without waiting.
   */
  send(call: Call, answer: AnswerSink, fresh: boolean): CallHandle;
  /** Calls under way. An upgraded socket counts no longer: it belongs to its receiver. */
  readonly active: number;
  /** Open sockets of the pool, idle ones included. */
  readonly connections: number;
  /** Closes the connection that has been idle for longest; false when none is idle. Absent where nothing is gained. */
  dropIdle?(): boolean;
  /** Graceful: running calls end, idle connections close now, later `send`s get `upstream-closed` with `untouched: true`. */
  close(): void;
}

/*
 * Faults, with the codes of the catalogue:
 * - `upstream-connect` (untouched: true): refused, unreachable, `connectTimeout`, TLS or ALPN or pin failed.
 * - `upstream-closed`: closed or reset before the answer was complete. `untouched: true` only when not one byte of the
 *   request was handed to the socket (HTTP/2: REFUSED_STREAM, or a stream above GOAWAY's last id). `stale: true` when the
 *   connection had served a call before and ended before the first byte of this answer: the usual race of keep-alive.
 * - `upstream-malformed`: not a well-formed answer; the connection is destroyed.
 * - `upstream-busy` (untouched: true): `maxConnections` are all taken.
 */

export type WireProtocol = 'http1' | 'h2' | 'h2c' | 'auto';

/** How the TLS connection to a target is made and checked. Contents, not file names. */
export interface UpstreamTls {
  /** Name for SNI and for the check of the certificate; undefined: `host` (an IP literal is checked, but not sent as SNI). */
  readonly serverName: string | undefined;
  /** PEM of the only authorities that are believed; undefined: the system's. */
  readonly ca: string | undefined;
  /** PEM of the client certificate (with chain) and its key. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  /** False accepts any certificate (pins still hold). */
  readonly verify: boolean;
  /** base64 SHA-256 of a public key (SubjectPublicKeyInfo): one certificate of the chain must match. Empty: no pins. */
  readonly pins: readonly string[];
}

export interface WireClientOptions {
  /** `lean` or `undici` for HTTP/1.1; HTTP/2 has one implementation. */
  readonly kind: 'lean' | 'undici';
  /** `auto`: HTTP/2 or HTTP/1.1 as ALPN says, over TLS only. */
  readonly protocol: WireProtocol;
  /** The target's host as written: for TLS verification. Never resolved by the client. */
  readonly host: string;
  /** The IP address to connect to. */
  readonly address: string;
  readonly port: number;
  readonly tls: UpstreamTls | undefined;
  /** Milliseconds for TCP and TLS together. */
  readonly connectTimeout: number;
  /** An idle connection is closed after so many milliseconds. */
  readonly idleTimeout: number;
  readonly maxConnections: number;
  /** Bound on the head of an answer, and on its trailers; beyond it the answer is `upstream-malformed`. */
  readonly maxHeadBytes: number;
}

/** Makes the client that `kind` and `protocol` ask for. Opens no connection yet. */
export type MakeClient = (options: WireClientOptions) => WireClient;
