import type { TLSSocket } from 'node:tls';
import type { AnswerSink, Call, CallHandle } from '../../exchange/service.ts';
import type { WireClient, WireClientOptions } from './client.ts';
import { H2Call } from './h2-call.ts';
import { H2Connection } from './h2-connection.ts';
import { isSafe } from './request-head.ts';
import { TlsConnector } from './tls-connect.ts';

const SWEEP_MS = 250;

/** HTTP/2 through `node:http2`: calls share connections, and a further one is opened when those that are there are full. */
export class H2Pool implements WireClient {
  readonly options: WireClientOptions;
  readonly tls: TlsConnector | undefined;
  /** Told when a new connection turns out to speak something else, so that `auto` can ask again. */
  onOtherProtocol: (() => void) | undefined;

  readonly #connections = new Set<H2Connection>();
  #active = 0;
  #closed = false;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: WireClientOptions) {
    this.options = options;
    this.tls = options.tls === undefined ? undefined : new TlsConnector(options, options.tls);
  }

  get active(): number {
    return this.#active;
  }

  get connections(): number {
    return this.#connections.size;
  }

  send(call: Call, answer: AnswerSink, fresh: boolean): CallHandle {
    const own = new H2Call(call, answer, this.#done);
    this.#active++;
    process.nextTick(this.#place, own, fresh);
    return own;
  }

  /** Takes over a connection on which ALPN has just chosen h2. */
  adopt(socket: TLSSocket): void {
    this.#add(new H2Connection(this, socket));
  }

  dropIdle(): boolean {
    for (const connection of this.#connections) {
      if (!connection.idle) continue;
      connection.close();
      return true;
    }
    return false;
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#connections) connection.close();
  }

  forget(connection: H2Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  readonly #done = () => {
    this.#active--;
  };

  readonly #place = (call: H2Call, fresh: boolean) => {
    if (call.over) return;
    if (this.#closed) call.fail('upstream-closed', 'the client is closing', true);
    else if (!isSafe(call.call)) call.fail('internal', 'the request holds a character that no field may have', true);
    else if (call.call.upgrade) call.fail('upstream-connect', 'no upgrade over HTTP/2', true);
    else this.#give(call, fresh);
  };

  #give(call: H2Call, fresh: boolean): void {
    const now = performance.now();
    let chosen: H2Connection | undefined;
    for (const connection of this.#connections) {
      if (!connection.hasRoom || (fresh && !connection.isFresh(now))) continue;
      if (chosen === undefined || connection.calls < chosen.calls) chosen = connection;
    }
    if (chosen === undefined) chosen = this.#open();
    if (chosen !== undefined) chosen.begin(call);
    else call.fail('upstream-busy', 'all connections to the target are full', true);
  }

  #open(): H2Connection | undefined {
    if (this.#connections.size >= this.options.maxConnections && !this.dropIdle()) return undefined;
    return this.#add(new H2Connection(this, undefined));
  }

  #add(connection: H2Connection): H2Connection {
    this.#connections.add(connection);
    this.#sweep ??= setInterval(() => this.#onSweep(), SWEEP_MS).unref();
    return connection;
  }

  #onSweep(): void {
    const now = performance.now();
    for (const connection of this.#connections) connection.check(now);
  }
}
