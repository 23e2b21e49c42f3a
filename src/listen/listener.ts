import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { normaliseAddress, resolveClient, type TrustedProxies } from '../exchange/client-address.ts';
import { type Refusal, refuse } from '../exchange/decision.ts';
import type { ConnectionInfo, Exchange } from '../exchange/exchange.ts';
import { HeadReader } from '../exchange/http1/head-reader.ts';
import type { Log } from '../pipeline/stage.ts';
import { boundsOf } from './bounds.ts';
import { addressKey, type Closable, ConnectionCaps, type NoRoom, type Slot } from './connection-caps.ts';
import type { Bounds, ConnectionOwner, Corridor } from './corridor.ts';
import { Http1Connection } from './http1-connection.ts';
import { Http2Connection } from './http2-connection.ts';
import type { ListenerOptions } from './options.ts';
import { acceptProxy, type ProxyHeader } from './proxy-protocol.ts';
import { agreedInfo, refusalOn, reviewOf, stillAgrees } from './tls/client-guard.ts';
import type { TlsStore } from './tls/contexts.ts';
import { HEAVY_BYTES, HeavyClients } from './tls/heavy-clients.ts';
import { type Agreed, type ChainWeight, nameOf, TlsDoor } from './tls/tls-door.ts';
import { type Doorman, TurnedAway } from './turned-away.ts';

/** Deadlines are looked at this often: every bound fires within this time after it is due. */
const SWEEP_MS = 250;

/** Connections that the system may hold for us while we are busy. */
const BACKLOG = 4096;

export interface ListenerParts {
  readonly name: string;
  readonly options: ListenerOptions;
  readonly corridor: Corridor;
  readonly trusted: TrustedProxies;
  /** undefined: plain HTTP. */
  readonly tls: TlsStore | undefined;
  readonly log: Log;
  /** Counts connections as they come and go, by the listener's name. */
  readonly count: ConnectionCounter;
}

export interface ConnectionCounter extends Doorman {
  opened(listener: string): void;
  closed(listener: string): void;
  /** A TLS handshake is done. */
  shaken?(listener: string, version: string, resumed: boolean): void;
}

type Connection = Http1Connection | Http2Connection;

/** One accepted connection, from its first byte to its end: the socket, its place under the caps, and who speaks on it. */
class Accepted implements Closable {
  readonly socket: Socket;
  readonly opened = performance.now();
  readonly #turnedAway: TurnedAway;
  slot: Slot | undefined = undefined;
  connection: Connection | undefined = undefined;
  info: ConnectionInfo;

  constructor(socket: Socket, info: ConnectionInfo, turnedAway: TurnedAway) {
    this.socket = socket;
    this.info = info;
    this.#turnedAway = turnedAway;
  }

  /** An idle one has had its requests: it is only counted. */
  closeForRoom(idle: boolean): void {
    if (!idle) this.turnAway(refuse('connection-cap', 'closed without a whole head, to make room for another connection'));
    else {
      this.#turnedAway.count(this.info, 'connection-cap');
      this.socket.destroy();
    }
  }

  turnAway(refusal: Refusal): void {
    this.#turnedAway.note(this.info, refusal, this.opened);
    this.socket.destroy();
  }
}

/**
 * One address that clients reach: accepts connections within the caps, reads a PROXY header where one is expected, speaks TLS, and
 * gives the connection to HTTP/1 or HTTP/2 by ALPN. Lives on over reloads while its address stays the same.
 */
export class Listener {
  #name: string;
  readonly #log: Log;
  readonly #count: ConnectionCounter;
  readonly #server: Server;
  readonly #caps: ConnectionCaps;
  readonly #connections = new Map<Connection, Accepted>();
  /** On which nobody speaks HTTP yet: the PROXY header or the TLS handshake is not done. */
  readonly #arriving = new Set<Accepted>();
  readonly #turnedAway: TurnedAway;
  readonly #heavy = new HeavyClients();
  readonly #sweeper: NodeJS.Timeout;
  readonly http1: ConnectionOwner<Http1Connection>;
  readonly http2: ConnectionOwner<Http2Connection>;
  #options: ListenerOptions;
  #bounds: Bounds;
  #trusted: TrustedProxies;
  #tls: TlsStore | undefined;
  #tlsDoor: TlsDoor<Accepted> | undefined;
  #reader: HeadReader;
  #draining = false;

  constructor(parts: ListenerParts) {
    this.#name = parts.name;
    this.#log = parts.log;
    this.#count = parts.count;
    this.#options = parts.options;
    this.#bounds = boundsOf(parts.options);
    this.#trusted = parts.trusted;
    this.#caps = new ConnectionCaps(capsOf(parts.options));
    this.#turnedAway = new TurnedAway(parts.count);
    this.#reader = readerOf(this.#bounds);
    this.http1 = this.#ownerOf<Http1Connection>(parts.corridor);
    this.http2 = this.#ownerOf<Http2Connection>(parts.corridor);
    this.#tls = parts.tls;
    this.#tlsDoor = parts.tls === undefined ? undefined : this.#makeTls(parts.tls);
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 });
    this.#server.on('connection', (socket: Socket) => this.#accept(socket));
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#sweeper.unref();
  }

  get name(): string {
    return this.#name;
  }

  /** Open connections. */
  get open(): number {
    return this.#caps.open;
  }

  listen(): Promise<AddressInfo> {
    const { host, port } = this.#options.address;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: BACKLOG }, () => {
        this.#server.removeListener('error', reject);
        this.#server.on('error', (error) => this.#log.error('a listener failed', { listener: this.#name, error: error.message }));
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Takes changed options over. Connections that are open keep their protocol; bounds hold from their next request on. */
  reconfigure(parts: Omit<ListenerParts, 'corridor' | 'log' | 'count'>): void {
    this.#name = parts.name;
    this.#options = parts.options;
    this.#bounds = boundsOf(parts.options);
    this.#trusted = parts.trusted;
    this.#caps.bounds = capsOf(parts.options);
    this.#reader = readerOf(this.#bounds);
    if (parts.tls === this.#tls) return;
    this.#tlsDoor?.close();
    this.#tls = parts.tls;
    this.#tlsDoor = parts.tls === undefined ? undefined : this.#makeTls(parts.tls);
    for (const [connection, { info }] of this.#connections) {
      if (!stillAgrees(this.#tls, info)) connection.drain();
    }
  }

  /** Takes no more connections, and lets those that are open go as soon as they are idle. Resolves when all are closed. */
  drain(): Promise<void> {
    this.#draining = true;
    // A half-closed connection whose call hangs keeps nothing alive, and the process would be gone before its time is over.
    this.#sweeper.ref();
    for (const connection of [...this.#connections.keys()]) connection.drain();
    for (const arriving of this.#arriving) arriving.socket.destroy();
    return new Promise((resolve) => {
      this.#server.close(() => {
        clearInterval(this.#sweeper);
        resolve();
      });
    });
  }

  /** The gateway ends soon: WebSockets that can be told so are. */
  leave(): void {
    for (const connection of [...this.#connections.keys()]) if (connection instanceof Http1Connection) connection.leaveTunnel();
  }

  /** Ends every connection at once. */
  destroy(): void {
    for (const accepted of [...this.#arriving, ...this.#connections.values()]) accepted.socket.destroy();
  }

  // ---- accepting

  #accept(socket: Socket): void {
    const address = normaliseAddress(socket.remoteAddress ?? '');
    if (address === undefined) {
      socket.destroy();
      return;
    }
    const accepted = new Accepted(socket, this.#infoOf(address, socket.remotePort ?? 0), this.#turnedAway);
    if (this.#draining) {
      accepted.turnAway(refuse('shutting-down', 'a new connection while the gateway is leaving'));
      return;
    }
    const slot = this.#caps.admit(this.#trusted.has(address) ? undefined : address, accepted);
    if (typeof slot === 'string') accepted.turnAway(noRoom(slot));
    else this.#enter(accepted, slot, this.#options['proxy-protocol'] && this.#trusted.has(address));
  }

  #enter(accepted: Accepted, slot: Slot, proxied: boolean): void {
    const { socket } = accepted;
    accepted.slot = slot;
    this.#arriving.add(accepted);
    const name = this.#name;
    this.#count.opened(name);
    socket.on('close', () => {
      this.#arriving.delete(accepted);
      this.#caps.release(slot);
      this.#count.closed(name);
    });
    socket.on('error', ignore);
    if (proxied) this.#expectProxy(accepted);
    else this.#secure(accepted);
  }

  #expectProxy(accepted: Accepted): void {
    acceptProxy(
      accepted.socket,
      this.#bounds.headTime,
      (header) => this.#proxied(accepted, header),
      (reason, code) => accepted.turnAway(refuse(code, reason)),
    );
  }

  #infoOf(peerAddress: string, peerPort: number): ConnectionInfo {
    return {
      listener: this.#name,
      secure: this.#tls !== undefined,
      peerAddress,
      peerPort,
      serverName: undefined,
      hsts: hstsOf(this.#options),
    };
  }

  #proxied(accepted: Accepted, header: ProxyHeader): void {
    if (header.source !== undefined) {
      const address = normaliseAddress(header.source.address) ?? header.source.address;
      accepted.info = this.#infoOf(address, header.source.port);
      if (accepted.slot !== undefined && !this.#caps.identify(accepted.slot, address)) {
        accepted.turnAway(noRoom('address-full'));
        return;
      }
    }
    this.#secure(accepted);
  }

  #secure(accepted: Accepted): void {
    if (this.#tlsDoor === undefined) this.#speakHttp1(accepted, accepted.socket, accepted.info);
    else if (this.#heavy.any && this.#heavy.blocks(addressKey(accepted.info.peerAddress), performance.now())) {
      accepted.turnAway(TOO_HEAVY);
    } else this.#tlsDoor.accept(accepted.socket, accepted);
  }

  #makeTls(store: TlsStore): TlsDoor<Accepted> {
    const handlers = {
      shaken: (accepted: Accepted, socket: TLSSocket, agreed: Agreed) => this.#shaken(accepted, socket, agreed),
      refused: (accepted: Accepted, refusal: Refusal, weight: ChainWeight) => {
        accepted.turnAway(refusal);
        this.#weigh(accepted, weight);
      },
    };
    return new TlsDoor(store, handlers, this.#bounds.headTime);
  }

  /** All clients of a proxy have its address: it is not the proxy who is heavy. */
  #weigh(accepted: Accepted, weight: ChainWeight): void {
    const heavy = weight === 'heavy' || (weight === 'unknown' && accepted.socket.bytesRead > HEAVY_BYTES);
    if (!heavy || this.#trusted.has(accepted.info.peerAddress)) return;
    const address = addressKey(accepted.info.peerAddress);
    this.#heavy.add(address, performance.now());
    // A thousand handshakes may have begun before the first of them was judged.
    for (const other of this.#arriving) {
      if (other !== accepted && addressKey(other.info.peerAddress) === address) other.turnAway(TOO_HEAVY);
    }
  }

  #shaken(accepted: Accepted, socket: TLSSocket, agreed: Agreed): void {
    if (agreed.problem !== undefined) this.#weigh(accepted, agreed.weight);
    const name = nameOf(socket);
    const tls = { version: (socket.getProtocol() ?? '').replace('TLSv', ''), cipher: socket.getCipher().standardName };
    accepted.info = agreedInfo({ ...accepted.info, serverName: name === '' ? undefined : name, tls }, agreed);
    this.#count.shaken?.(this.#name, tls.version, socket.isSessionReused());
    socket.on('error', ignore);
    if (socket.alpnProtocol === 'h2') {
      this.#keep(new Http2Connection(socket, accepted.info, this.http2), accepted);
      return;
    }
    // HTTP/1 answers a client that has closed its half.
    socket.allowHalfOpen = true;
    this.#speakHttp1(accepted, socket, accepted.info);
  }

  #speakHttp1(accepted: Accepted, socket: Socket, info: ConnectionInfo): void {
    this.#keep(new Http1Connection(socket, info, this.http1, this.#reader), accepted);
  }

  #keep(connection: Connection, accepted: Accepted): void {
    accepted.connection = connection;
    this.#arriving.delete(accepted);
    this.#connections.set(connection, accepted);
  }

  // ---- what connections ask for

  #ownerOf<C extends Connection>(corridor: Corridor): ConnectionOwner<C> {
    const listener = this;
    const slotOf = (connection: C) => listener.#connections.get(connection)?.slot;
    return {
      corridor,
      get bounds() {
        return listener.#bounds;
      },
      get draining() {
        return listener.#draining;
      },
      busy: (connection) => withSlot(slotOf(connection), (slot) => listener.#caps.headComplete(slot)),
      idle: (connection) => withSlot(slotOf(connection), (slot) => listener.#caps.idle(slot)),
      headBegun: (connection) => withSlot(slotOf(connection), (slot) => listener.#caps.headBegun(slot)),
      closed: (connection) => listener.#connections.delete(connection),
      reset: (connection) => listener.#connections.get(connection)?.socket.resetAndDestroy(),
      turnedAway: (connection, refusal, began, part) => listener.#turnedAway.note(connection.info, refusal, began, part),
      broke: (error) => listener.#log.error('a connection met a defect', { listener: listener.#name, error }),
      locate: (x) => listener.#locate(x),
    };
  }

  /** Where the client is, and whether its connection may ask for this host. */
  #locate(x: Exchange): Refusal | undefined {
    const refusal = this.#trusted.any ? this.#resolve(x) : undefined;
    return this.#tls === undefined ? refusal : (refusal ?? refusalOn(this.#tls, x));
  }

  #resolve(x: Exchange): Refusal | undefined {
    const view = resolveClient(x.connection.peerAddress, x.head.headers, this.#trusted);
    if (view.kind === 'refusal') return view;
    x.clientAddress = view.address;
    x.clientScheme = view.scheme ?? x.clientScheme;
    x.clientHost = view.host;
    return undefined;
  }

  #sweep(): void {
    const now = performance.now();
    for (const [connection, accepted] of this.#connections) {
      connection.sweep(now);
      if (accepted.info.certificate !== undefined) this.#review(connection, accepted);
    }
  }

  /** A certificate may lose its worth while its connection lives. */
  #review(connection: Connection, accepted: Accepted): void {
    const review = reviewOf(accepted.info);
    if (review?.end === 'at-once') accepted.turnAway(review.refusal);
    else if (review !== undefined) connection.drain();
  }
}

const TOO_HEAVY = refuse('handshake-failed', 'refused a minute ago after a chain of certificates that no good client sends');

function withSlot(slot: Slot | undefined, then: (slot: Slot) => void): void {
  if (slot !== undefined) then(slot);
}

function noRoom(why: NoRoom): Refusal {
  const bound = why === 'full' ? 'connections' : 'connections-per-address';
  return refuse('connection-cap', `no room below \`${bound}\`: all connections are at work`);
}

function capsOf(options: ListenerOptions): { connections: number; connectionsPerAddress: number } {
  return { connections: options.bounds.connections, connectionsPerAddress: options.bounds['connections-per-address'] };
}

/** `Strict-Transport-Security` as this listener says it (RFC 6797 section 6.1). */
function hstsOf({ hsts }: ListenerOptions): string | false {
  if (hsts === false) return false;
  const seconds = Math.floor(hsts['max-age'] / 1000);
  return `max-age=${seconds}${hsts['include-subdomains'] ? '; includeSubDomains' : ''}${hsts.preload ? '; preload' : ''}`;
}

function readerOf(bounds: Bounds): HeadReader {
  return new HeadReader('request', { target: bounds.targetBytes, head: bounds.headBytes, fields: bounds.headCount });
}

function ignore(): void {}
