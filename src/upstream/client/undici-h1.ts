import { connect, isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Client, Pool } from 'undici';
import type { AnswerSink, Call, CallHandle } from '../../exchange/service.ts';
import type { WireClient, WireClientOptions } from './client.ts';
import { isSafe } from './request-head.ts';
import { TlsConnector } from './tls-connect.ts';
import { UndiciCall } from './undici-call.ts';

type Connected = (...result: [null, Socket] | [Error, null]) => void;

/** HTTP/1.1 through undici: the alternative to the lean client, behind the same interface and the same tests. */
export class UndiciPool implements WireClient {
  readonly #options: WireClientOptions;
  readonly #tls: TlsConnector | undefined;
  readonly #pool: Pool;
  readonly #origin: string;
  #active = 0;
  #connections = 0;
  #closed = false;

  constructor(options: WireClientOptions) {
    this.#options = options;
    this.#tls = options.tls === undefined ? undefined : new TlsConnector(options, options.tls);
    const host = isIP(options.address) === 6 ? `[${options.address}]` : options.address;
    this.#origin = `${this.#tls === undefined ? 'http' : 'https'}://${host}:${options.port}`;
    this.#pool = new Pool(this.#origin, {
      ...this.#clientOptions(),
      connections: options.maxConnections,
      factory: (origin, given) => new CountingClient(origin, given as Client.Options),
    });
  }

  get active(): number {
    return this.#active;
  }

  get connections(): number {
    return this.#connections;
  }

  send(call: Call, answer: AnswerSink, fresh: boolean): CallHandle {
    const own = new UndiciCall(call, answer, this.#done);
    this.#active++;
    if (this.#closed) own.failSoon('upstream-closed', 'the client is closing');
    else if (!isSafe(call)) own.failSoon('internal', 'the request holds a character that no field may have');
    else if (this.#active > this.#options.maxConnections)
      own.failSoon('upstream-busy', 'all connections to the target are taken');
    else this.#dispatch(own, fresh);
    return own;
  }

  close(): void {
    this.#closed = true;
    this.#pool.close().catch(ignore);
  }

  readonly #done = () => {
    this.#active--;
  };

  #dispatch(call: UndiciCall, fresh: boolean): void {
    const client = fresh ? new CountingClient(this.#origin, this.#clientOptions()) : this.#pool;
    client.dispatch({ ...call.options(), reset: fresh ? true : undefined }, call);
    if (fresh) client.close().catch(ignore);
  }

  #clientOptions(): Client.Options {
    return {
      allowH2: false,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: this.#options.idleTimeout,
      keepAliveMaxTimeout: this.#options.idleTimeout,
      keepAliveTimeoutThreshold: 1000,
      maxHeaderSize: this.#options.maxHeadBytes,
      connect: (_, connected) => this.#connect(connected),
    };
  }

  #connect(connected: Connected): void {
    const { address, port, connectTimeout } = this.#options;
    const socket = this.#tls === undefined ? connect({ host: address, port, noDelay: true }) : this.#tls.open(['http/1.1']);
    this.#connections++;
    const timer = setTimeout(() => socket.destroy(new Error('no connection within the time to connect')), connectTimeout);
    const failed = (error: Error) => connected(error, null);
    socket.once('error', failed);
    socket.once(this.#tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      socket.off('error', failed);
      // From here to the end of the socket: an error must always find a listener.
      socket.on('error', ignore);
      if (this.#tls?.accept(socket as TLSSocket) !== false) return connected(null, socket);
      connected(new Error('no certificate of the chain is pinned'), null);
      socket.destroy();
    });
    socket.once('close', () => {
      clearTimeout(timer);
      this.#connections--;
    });
  }
}

/** A client is one connection at a time; it tells every call whether that connection has served others before. */
class CountingClient extends Client {
  #served = 0;

  constructor(origin: string | URL, options: Client.Options) {
    super(origin, options);
    this.on('connect', () => {
      this.#served = 0;
    });
  }

  override dispatch(options: Parameters<Client['dispatch']>[0], handler: UndiciCall): boolean {
    handler.served = () => this.#served;
    handler.onServed = () => this.#served++;
    return super.dispatch(options, handler);
  }
}

function ignore(): void {}
