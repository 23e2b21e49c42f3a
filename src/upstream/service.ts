import type { AnswerSink, Call, CallHandle, Service, UpstreamFault, UpstreamTrace } from '../exchange/service.ts';
import { Breaker } from './breaker.ts';
import { RunningCall, type Trouble } from './call.ts';
import { CallList } from './call-list.ts';
import { type EndpointParts, type EndpointSnapshot, Endpoints } from './endpoints.ts';
import type { ServiceOptions } from './options.ts';
import { pauseBefore, RetryBudget } from './retry.ts';
import type { Endpoint } from './target.ts';
import type { Sweeper, Swept } from './timing.ts';

/** What a service is built from besides its options. */
export interface ServiceParts extends EndpointParts {
  readonly sweeper: Sweeper;
}

/** A service as the status page and the metrics show it. */
export interface ServiceSnapshot {
  readonly name: string;
  readonly running: number;
  readonly queued: number;
  readonly breaker: 'closed' | 'open' | 'half-open' | undefined;
  readonly retries: { readonly allowed: number; readonly denied: number };
  readonly endpoints: readonly EndpointSnapshot[];
}

/** HTTP/2 carries many calls on one connection; most servers allow a hundred. */
const STREAMS_PER_CONNECTION = 100;

/**
 * One service of the configuration: how many calls there may be, how often and how long each is tried, and what becomes of
 * them. Lives as long as its options do not change, over any number of reloads.
 */
export class UpstreamService implements Service, Swept {
  readonly name: string;
  readonly options: ServiceOptions;
  readonly budget: RetryBudget;
  readonly endpoints: Endpoints;
  readonly #parts: ServiceParts;
  readonly #breaker: Breaker | undefined;
  readonly #ownHost: boolean;
  readonly #multiplexed: boolean;
  readonly #cap: number;
  /** Calls that a timeout can end. */
  readonly #watched = new CallList<RunningCall>();
  readonly #queue = new CallList<RunningCall>();
  /** Calls that hold a place among `connections`. */
  #running = 0;
  #draining = false;
  #closed = false;

  constructor(name: string, options: ServiceOptions, parts: ServiceParts) {
    this.name = name;
    this.options = options;
    this.#parts = parts;
    this.budget = new RetryBudget(options.retries.budget);
    this.endpoints = new Endpoints(name, options, parts);
    this.#breaker = options.breaker === undefined ? undefined : new Breaker(options.breaker);
    this.#ownHost = options.host === 'service';
    this.#multiplexed = options.protocol === 'h2' || options.protocol === 'h2c';
    this.#cap = options.connections * (this.#multiplexed ? STREAMS_PER_CONNECTION : 1);
    parts.sweeper.add(this);
  }

  call(call: Call, answer: AnswerSink, trace: UpstreamTrace): CallHandle {
    const now = this.#parts.timing.now();
    if (this.#closed) this.#parts.sweeper.add(this);
    if (!this.#parts.sweeper.awake) this.#parts.sweeper.wake();
    this.budget.deposit(now);
    const running = new RunningCall(this, call, answer, trace, now);
    if (this.#running < this.#cap) this.#enter(running, now);
    else this.#wait(running);
    return running;
  }

  now(): number {
    return this.#parts.timing.now();
  }

  /**
   * The call as it goes to this endpoint. With `host: service` each target is called by its own name, also in a retry; all
   * else about header fields was decided before.
   */
  adapt(given: Call, endpoint: Endpoint): Call {
    // HTTP/2 has no upgrade: the service answers the handshake as any GET (RFC 9110 section 7.8), and nobody has failed.
    const call = given.upgrade && this.#multiplexed ? { ...given, upgrade: false } : given;
    if (!this.#ownHost) return call;
    // Host goes first (RFC 9110 section 7.2).
    const headers = ['host', endpoint.target.authority];
    for (let i = 0; i < call.headers.length; i += 2) {
      if (call.headers[i] !== 'host') headers.push(call.headers[i], call.headers[i + 1]);
    }
    return { ...call, headers };
  }

  /** A try went well as far as its head. */
  passed(endpoint: Endpoint, now: number, trial: boolean): void {
    if (endpoint.streak !== 0) endpoint.streak = 0;
    if (this.#breaker !== undefined) this.#breaker.passed(now, trial);
  }

  /** A try failed, or its answer broke off. */
  failed(endpoint: Endpoint, now: number, trial: boolean): void {
    this.endpoints.failed(endpoint, now);
    if (this.#breaker?.failed(now, trial) === true) {
      this.#parts.log.warn('breaker opens', { service: this.name, ms: this.options.breaker?.['open-for'] });
    }
  }

  /** The trial of a half-open breaker has told nothing. */
  abandoned(): void {
    this.#breaker?.abandoned();
  }

  /** True when this kind of trouble is tried again after so many tries that failed before this one. */
  retriesOn(trouble: Trouble, failedTries: number): boolean {
    const { on, tries } = this.options.retries;
    if (failedTries + 1 >= tries || trouble === 'other' || !on.includes(trouble)) return false;
    return this.#breaker === undefined || this.#breaker.state(this.now()) === 'closed';
  }

  /**
   * Sends the call once more: at once to another address, or after a short pause to the same one where there is no other.
   * What comes back calls the pause off.
   */
  again(running: RunningCall, now: number): (() => void) | undefined {
    const other = this.endpoints.pickOther(running.tried);
    if (other !== undefined) {
      running.send(other, false, now);
      return undefined;
    }
    return this.#parts.timing.after(pauseBefore(running.tries, this.#parts.random), () => {
      const endpoint = this.endpoints.pickOther(running.tried) ?? this.endpoints.pick();
      if (endpoint === undefined) running.fail(this.#unavailable());
      else running.send(endpoint, true, this.now());
    });
  }

  /** A call is over. */
  left(running: RunningCall, queued: boolean): void {
    if (queued) {
      this.#queue.remove(running);
      return;
    }
    this.#watched.remove(running);
    this.release();
  }

  /** The call needs no watching any more, but keeps its connection (an upgrade). */
  unwatch(running: RunningCall): void {
    this.#watched.remove(running);
  }

  /** A place among the connections is free. */
  release(): void {
    this.#running--;
    if (this.#queue.length > 0) this.#drainSoon();
    else if (this.#closed && this.#running === 0) this.#retire();
  }

  sweep(now: number): boolean {
    for (let one = this.#watched.head; one !== undefined; ) {
      const next: RunningCall | undefined = one.after;
      one.check(now);
      one = next;
    }
    this.#expireQueue(now);
    this.endpoints.trim();
    return this.endpoints.readmitDue(now) || this.#watched.length > 0 || this.#queue.length > 0;
  }

  /** Graceful: running calls end, then the pools close. Nothing is resolved or checked any more. */
  close(): void {
    this.#closed = true;
    this.endpoints.close();
    if (this.#running === 0) this.#retire();
  }

  snapshot(): ServiceSnapshot {
    return {
      name: this.name,
      running: this.#running,
      queued: this.#queue.length,
      breaker: this.#breaker?.state(this.now()),
      retries: { allowed: this.budget.allowed, denied: this.budget.denied },
      endpoints: this.endpoints.snapshot(),
    };
  }

  #enter(running: RunningCall, now: number): void {
    this.#running++;
    this.#watched.push(running);
    running.phase = 'between';
    if (this.#breaker !== undefined) {
      const admission = this.#breaker.admit(now);
      if (admission === 'refused') return running.failSoon(this.#breakerOpen(now));
      running.trial = admission === 'trial';
    }
    const endpoint = this.endpoints.pick();
    if (endpoint === undefined) running.failSoon(this.#unavailable());
    else running.send(endpoint, false, now);
  }

  #wait(running: RunningCall): void {
    running.phase = 'queued';
    this.#queue.push(running);
    if (this.#queue.length > this.options.queue.size) running.failSoon(this.#busy('the queue is full'));
  }

  /** Not at once: the connection that has just become free is put back by code that is still running. */
  #drainSoon(): void {
    if (this.#draining) return;
    this.#draining = true;
    process.nextTick(() => {
      this.#draining = false;
      this.#drain(this.now());
    });
  }

  #drain(now: number): void {
    while (this.#running < this.#cap) {
      const first = this.#queue.head;
      if (first === undefined) return;
      this.#queue.remove(first);
      this.#enter(first, now);
    }
  }

  #expireQueue(now: number): void {
    const wait = Math.min(this.options.queue.wait, this.options.timeout);
    for (let first = this.#queue.head; first !== undefined && now - first.began >= wait; first = this.#queue.head) {
      first.fail(this.#busy(`no connection came free within ${wait} ms`));
    }
  }

  #retire(): void {
    this.endpoints.close();
    this.#parts.sweeper.delete(this);
  }

  #unavailable(): UpstreamFault {
    const every = this.options.health?.every ?? 1000;
    return {
      code: 'upstream-unavailable',
      reason: this.endpoints.known ? 'all targets are down' : 'no name of a target has been resolved yet',
      untouched: true,
      retryAfter: Math.max(1, Math.ceil(every / 1000)),
    };
  }

  #breakerOpen(now: number): UpstreamFault {
    const retryAfter = Math.max(1, Math.ceil((this.#breaker?.remaining(now) ?? 0) / 1000));
    return { code: 'upstream-unavailable', reason: 'the breaker is open', untouched: true, retryAfter };
  }

  #busy(why: string): UpstreamFault {
    return {
      code: 'upstream-busy',
      reason: `all ${this.#cap} places are taken and ${why}`,
      untouched: true,
      retryAfter: 1,
    };
  }
}
