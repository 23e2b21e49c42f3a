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
  /** Came free in this turn of the loop; see `release`. */
  readonly #resting: LeanConnection[] = [];
  #sweep: NodeJS.Timeout | undefined;
  /** The time of the last sweep: late by up to one interval, never early. */
  #now = 0;
  #closed = false;

  constructor(options: WireClientOptions) {
    this.options = options;
    this.tls = options.tls === undefined ? undefined : new TlsConnector(options, options.tls);
  }

  get active(): number {
    return this.#all.size - this.#idle.length - this.#resting.length;
  }

  get connections(): number {
    return this.#all.size;
  }

  send(call: Call, answer: AnswerSink, fresh: boolean): CallHandle {
    const own = new LeanCall(call, answer);
    if (this.#closed) failSoon(own, 'upstream-closed', 'the client is closing');
    else if (!isSafe(call)) failSoon(own, 'internal', 'the request holds a character that no field may have');
    else {
      const connection = fresh ? undefined : this.#idle.pop();
      if (connection !== undefined) connection.begin(own);
      else this.#connect(own, fresh);
    }
    return own;
  }

  #connect(call: LeanCall, fresh: boolean): void {
    if (this.#all.size < this.options.maxConnections || (fresh && this.dropIdle())) this.#open(call);
    else if (!fresh && this.#resting.length > 0) (this.#resting.pop() as LeanConnection).begin(call);
    else failSoon(call, 'upstream-busy', 'all connections to the target are taken');
  }

  #open(call: LeanCall): void {
    if (this.#sweep === undefined) this.#startSweep();
    this.#all.add(new LeanConnection(this, call, performance.now() + this.options.connectTimeout));
  }

  dropIdle(): boolean {
    const oldest = this.#idle[0] ?? this.#resting[0];
    if (oldest === undefined) return false;
    oldest.destroy();
    return true;
  }

  close(): void {
    this.#closed = true;
    while (this.dropIdle());
  }

  /**
   * Takes a connection back after a complete answer; false when it must not be used again. It rests until this turn of the
   * loop is over: what the service sent behind the answer, or its close, is seen before the connection has another user.
   */
  release(connection: LeanConnection, keepAlive: number): boolean {
    const time = Math.min(this.options.idleTimeout, keepAlive - KEEP_ALIVE_MARGIN);
    if (this.#closed || time <= 0) return false;
    connection.rest(this.#now + time);
    if (this.#resting.push(connection) === 1) setImmediate(this.#rested);
    return true;
  }

  readonly #rested = () => {
    for (const connection of this.#resting) this.#idle.push(connection);
    this.#resting.length = 0;
    if (this.#closed) this.close();
  };

  forget(connection: LeanConnection): void {
    if (!this.#all.delete(connection)) return;
    if (!takeOut(this.#idle, connection)) takeOut(this.#resting, connection);
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

function failSoon(call: LeanCall, code: 'upstream-closed' | 'upstream-busy' | 'internal', reason: string): void {
  process.nextTick(fail, call, code, reason);
}

function fail(call: LeanCall, code: 'upstream-closed' | 'upstream-busy' | 'internal', reason: string): void {
  call.fail(code, reason, true);
}

function takeOut(list: LeanConnection[], connection: LeanConnection): boolean {
  const at = list.lastIndexOf(connection);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}
