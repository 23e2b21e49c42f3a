import type { AnswerSink, Call, CallHandle } from '../../exchange/service.ts';
import type { WireClient, WireClientOptions } from './client.ts';
import { LeanCall } from './lean-call.ts';
import { LeanConnection } from './lean-connection.ts';
import { isSafe } from './request-head.ts';
import { TlsConnector } from './tls-connect.ts';

/** Connections are read into one buffer of this size per pool. */
const READ_BYTES = 64 * 1024;

/** Deadlines of connections are looked at this often: no timer per connection or call. */
const SWEEP_MS = 250;

/** A service that closes idle connections after N seconds gets no new call in the last of them. */
const KEEP_ALIVE_MARGIN = 1000;

/** The lean HTTP/1.1 client: one pool of keep-alive connections to one address. */
export class LeanPool implements WireClient {
  readonly options: WireClientOptions;
  readonly tls: TlsConnector | undefined;
  readonly readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

  readonly #all = new Set<LeanConnection>();
  /** A stack: the connection used last is warm, and the others get old enough to close. */
  readonly #idle: LeanConnection[] = [];
  /** Calls of this turn of the loop, see `send`. */
  #waiting: LeanCall[] = [];
  #spare: LeanCall[] = [];
  #sweep: NodeJS.Timeout | undefined;
  /** The time of the last sweep: late by up to one interval, never early. */
  #now = 0;
  #closed = false;

  constructor(options: WireClientOptions) {
    this.options = options;
    this.tls = options.tls === undefined ? undefined : new TlsConnector(options, options.tls);
  }

  get active(): number {
    return this.#waiting.length + this.#all.size - this.#idle.length;
  }

  get connections(): number {
    return this.#all.size;
  }

  /**
   * Calls are placed on connections at the end of this turn of the loop, behind all reading: what a service has sent on an
   * idle connection, or its close, is seen before that connection has another user (GHSA-35p6-xmwp-9g52).
   */
  send(call: Call, answer: AnswerSink, fresh: boolean): CallHandle {
    const own = new LeanCall(call, answer, fresh);
    if (this.#waiting.push(own) === 1) setImmediate(this.#placeAll);
    return own;
  }

  readonly #placeAll = () => {
    const calls = this.#waiting;
    this.#waiting = this.#spare;
    for (const call of calls) {
      if (!call.over) this.#place(call);
    }
    calls.length = 0;
    this.#spare = calls;
  };

  #place(call: LeanCall): void {
    if (this.#closed) call.fail('upstream-closed', 'the client is closing', true);
    else if (!isSafe(call.call)) call.fail('internal', 'the request holds a character that no field may have', true);
    else this.#give(call);
  }

  #give(call: LeanCall): void {
    const connection = call.fresh ? undefined : this.#idle.pop();
    if (connection !== undefined) connection.begin(call);
    else if (this.#all.size < this.options.maxConnections || this.dropIdle()) this.#open(call);
    else call.fail('upstream-busy', 'all connections to the target are taken', true);
  }

  #open(call: LeanCall): void {
    if (this.#sweep === undefined) this.#startSweep();
    // Everything that can throw here (addresses, certificates) was checked when the configuration was loaded.
    this.#all.add(new LeanConnection(this, call, performance.now() + this.options.connectTimeout));
  }

  dropIdle(): boolean {
    const oldest = this.#idle[0];
    if (oldest === undefined) return false;
    oldest.destroy();
    return true;
  }

  close(): void {
    this.#closed = true;
    while (this.dropIdle());
  }

  /** Takes a connection back after a complete answer; false when it must not be used again. */
  release(connection: LeanConnection, keepAlive: number): boolean {
    const time = Math.min(this.options.idleTimeout, keepAlive - KEEP_ALIVE_MARGIN);
    if (this.#closed || time <= 0) return false;
    connection.rest(this.#now + time);
    this.#idle.push(connection);
    return true;
  }

  forget(connection: LeanConnection): void {
    if (!this.#all.delete(connection)) return;
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#all.size === 0) this.#stopSweep();
  }

  #startSweep(): void {
    this.#now = performance.now();
    this.#sweep = setInterval(() => this.#onSweep(), SWEEP_MS).unref();
  }

  #stopSweep(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #onSweep(): void {
    this.#now = performance.now();
    for (const connection of this.#all) connection.check(this.#now);
  }
}
