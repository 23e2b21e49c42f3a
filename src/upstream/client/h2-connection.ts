import http2, { type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { keepSession } from '../../exchange/http2/keep-session.ts';
import type { H2Call } from './h2-call.ts';
import type { H2Pool } from './h2-pool.ts';

/** At once on one connection at most, whatever the service allows: more would only wait for each other. */
const MOST_STREAMS = 256;
/** Assumed until the service's settings have come (RFC 9113 recommends no less than 100). */
const FIRST_STREAMS = 100;
const MOST_FIELDS = 200;
const STREAM_WINDOW = 256 * 1024;
const CONNECTION_WINDOW = 1024 * 1024;
/** A connection with calls on it that is silent for so long is asked whether it is alive, and given so long to answer. */
const SILENCE_MS = 20_000;
const PING_MS = 10_000;
const FRESH_MS = 1000;

/** One HTTP/2 connection to a service. */
export class H2Connection {
  readonly pool: H2Pool;
  /** Highest stream that the service has taken, after its GOAWAY. */
  lastStream = Number.POSITIVE_INFINITY;
  /** Calls that were answered here. */
  served = 0;
  /** What ended the connection, as a code. */
  error: string | undefined;

  readonly #socket: Socket;
  #session: ClientHttp2Session | undefined;
  #waiting: H2Call[] | undefined = [];
  #running = 0;
  #draining = false;
  #gone = false;
  #deadline: number;
  #heard = performance.now();
  #pinged: number | undefined;

  constructor(pool: H2Pool, ready: TLSSocket | undefined) {
    this.pool = pool;
    this.#deadline = performance.now() + pool.options.connectTimeout;
    this.#socket = ready ?? this.#open();
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error ??= error.code ?? error.name;
    });
    this.#socket.once('close', () => this.#onClose());
    if (ready !== undefined) this.#onConnect();
    else this.#socket.once(pool.tls === undefined ? 'connect' : 'secureConnect', () => this.#onConnect());
  }

  /** Calls on this connection, waiting ones included. */
  get calls(): number {
    return this.#running + (this.#waiting?.length ?? 0);
  }

  /** The connection itself is over, not only a stream of it. */
  get ended(): boolean {
    return this.#gone || this.error !== undefined || this.#socket.destroyed;
  }

  get idle(): boolean {
    return this.calls === 0 && this.#waiting === undefined;
  }

  get hasRoom(): boolean {
    if (this.#draining || this.#gone) return false;
    return this.calls < Math.min(this.#session?.remoteSettings?.maxConcurrentStreams ?? FIRST_STREAMS, MOST_STREAMS);
  }

  /** True where a call may go that must not meet a dead connection. */
  isFresh(now: number): boolean {
    return this.#waiting !== undefined || (this.served > 0 && now - this.#heard < FRESH_MS);
  }

  begin(call: H2Call): void {
    if (this.#waiting !== undefined) this.#waiting.push(call);
    else this.#start(call);
  }

  request(headers: string[], endStream: boolean, waitForTrailers: boolean): ClientHttp2Stream {
    return (this.#session as ClientHttp2Session).request(headers, { endStream, waitForTrailers });
  }

  /** Something came from the service. */
  heard(): void {
    this.#heard = performance.now();
  }

  /** A call on this connection is over. */
  left(answered: boolean): void {
    this.#running--;
    if (answered) this.served++;
    this.#deadline = performance.now() + this.pool.options.idleTimeout;
    if (this.#draining && this.#running === 0) this.destroy();
  }

  /** Graceful: calls under way end. */
  close(): void {
    this.#draining = true;
    if (this.calls === 0) this.destroy();
  }

  destroy(): void {
    this.#draining = true;
    this.#session?.destroy();
    this.#socket.destroy();
  }

  /** Called by the pool's sweep. */
  check(now: number): void {
    if (this.#waiting !== undefined) {
      if (now >= this.#deadline) this.#breakOff('no connection within the time to connect');
    } else if (this.#running === 0) {
      if (now >= this.#deadline) this.destroy();
    } else if (this.#pinged !== undefined) {
      if (now - this.#pinged >= PING_MS) this.#breakOff('no answer to a ping');
    } else if (now - this.#heard >= SILENCE_MS) this.#ping(now);
  }

  #ping(now: number): void {
    this.#pinged = now;
    this.#session?.ping(() => {
      this.#pinged = undefined;
      this.heard();
    });
  }

  #breakOff(reason: string): void {
    this.error ??= reason;
    this.destroy();
  }

  #open(): Socket {
    const { tls, options } = this.pool;
    if (tls !== undefined) return tls.open(['h2']);
    return connect({ host: options.address, port: options.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 });
  }

  #onConnect(): void {
    const { tls } = this.pool;
    if (tls !== undefined) {
      const socket = this.#socket as TLSSocket;
      if (socket.alpnProtocol !== 'h2') {
        this.pool.onOtherProtocol?.();
        return this.#breakOff('the service does not speak HTTP/2');
      }
      if (!tls.accept(socket)) return this.#breakOff('no certificate of the chain is pinned');
    }
    this.#session = this.#openSession();
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    this.#deadline = performance.now() + this.pool.options.idleTimeout;
    for (const call of waiting) {
      if (!call.over) this.#start(call);
    }
    if (this.#draining && this.#running === 0) this.destroy();
  }

  #openSession(): ClientHttp2Session {
    const { options } = this.pool;
    const session = http2.connect(`${options.tls === undefined ? 'http' : 'https'}://${options.host}`, {
      createConnection: () => this.#socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW, maxHeaderListSize: options.maxHeadBytes },
      peerMaxConcurrentStreams: FIRST_STREAMS,
      maxHeaderListPairs: MOST_FIELDS,
      maxSendHeaderBlockLength: 256 * 1024,
    });
    session.on('error', (error: NodeJS.ErrnoException) => this.#onError(error));
    session.on('goaway', (code: number, last: number) => this.#onGoaway(code, last));
    session.once('connect', () => {
      keepSession(session);
      session.setLocalWindowSize(CONNECTION_WINDOW);
    });
    session.on('close', () => this.#socket.destroy());
    return session;
  }

  #onError(error: NodeJS.ErrnoException): void {
    this.error ??= error.code ?? error.name;
  }

  /** No call begins here any more. Streams above the last one were not touched (RFC 9113 section 6.8). */
  #onGoaway(code: number, last: number): void {
    this.#draining = true;
    this.lastStream = Math.min(this.lastStream, last);
    if (code !== http2.constants.NGHTTP2_NO_ERROR) this.error ??= `GOAWAY ${code}`;
    if (this.calls === 0) this.destroy();
  }

  #start(call: H2Call): void {
    this.#running++;
    call.begin(this);
  }

  #onClose(): void {
    this.#gone = true;
    this.pool.forget(this);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const call of waiting) call.fail('upstream-connect', this.error ?? 'the service closed the connection', true);
    this.#session?.destroy();
  }
}
