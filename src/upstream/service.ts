import { hasHeader, type HeaderList } from '../exchange/headers.ts';
import type { AnswerSink, Call, CallHandle, Service, UpstreamFault, UpstreamTrace } from '../exchange/service.ts';
import type { Log } from '../pipeline/stage.ts';
import { type Balancer, lessBusy } from './balance/balancer.ts';
import { makeBalancer } from './balance/choose.ts';
import { Breaker } from './breaker.ts';
import { CallList } from './call-list.ts';
import { RunningCall, type Trouble } from './call.ts';
import { ActiveCheck } from './health/active.ts';
import { callable, eject, readmit, shouldEject } from './health/passive.ts';
import type { ServiceOptions } from './options.ts';
import { type Accepts, type Lookup, Resolver } from './resolve.ts';
import { pauseBefore, RetryBudget } from './retry.ts';
import { type ClientSettings, Endpoint, makeTarget, type Target } from './target.ts';
import type { Sweeper, Swept, Timing } from './timing.ts';

/** What a service is built from besides its options. */
export interface ServiceParts {
  readonly client: ClientSettings;
  readonly log: Log;
  readonly timing: Timing;
  readonly sweeper: Sweeper;
  readonly random: () => number;
  readonly lookup: Lookup;
  readonly accepts: Accepts;
}

export interface EndpointSnapshot {
  readonly target: string;
  readonly address: string;
  readonly weight: number;
  /** `down`: by active checks; `ejected`: by failed calls; `drained`: weight 0. */
  readonly state: 'up' | 'down' | 'ejected' | 'drained';
  /** Why the last active check failed; empty when none did. */
  readonly reason: string;
  readonly active: number;
  readonly connections: number;
  readonly requests: number;
  readonly failures: number;
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

/** The names of `headers.drop` as one test. */
function dropTest(names: readonly string[]): ((name: string) => boolean) | undefined {
  if (names.length === 0) return undefined;
  const whole = new Set(names);
  const starts = names.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  return (name) => name !== 'host' && (whole.has(name) || starts.some((start) => name.startsWith(start)));
}

/**
 * One service of the configuration: which of its addresses gets a call, how many calls there may be, and what is known of
 * each address. Lives as long as its options do not change, over any number of reloads.
 */
export class UpstreamService implements Service, Swept {
  readonly name: string;
  readonly options: ServiceOptions;
  readonly budget: RetryBudget;
  readonly #parts: ServiceParts;
  readonly #targets: readonly Target[];
  readonly #balancer: Balancer<Endpoint>;
  readonly #breaker: Breaker | undefined;
  readonly #drops: ((name: string) => boolean) | undefined;
  readonly #adapts: boolean;
  readonly #cap: number;
  readonly #resolvers: Resolver[] = [];
  readonly #checks = new Map<Endpoint, ActiveCheck>();
  readonly #watched = new CallList<RunningCall>();
  readonly #queue = new CallList<RunningCall>();
  #endpoints: Endpoint[] = [];
  /** Those that may be called now. Made anew when something changes, so that a call only reads it. */
  #ready: Endpoint[] = [];
  /** Calls that hold a place among `connections`. */
  #running = 0;
  #draining = false;
  #closed = false;
  /** Resolves when every name was resolved once and every address was checked once, well or badly. */
  readonly settled: Promise<void>;

  constructor(name: string, options: ServiceOptions, parts: ServiceParts) {
    this.name = name;
    this.options = options;
    this.#parts = parts;
    this.budget = new RetryBudget(options.retries.budget);
    this.#targets = options.targets.map(makeTarget);
    this.#balancer = makeBalancer<Endpoint>(options.balance, parts.random);
    this.#breaker = options.breaker === undefined ? undefined : new Breaker(options.breaker);
    this.#drops = dropTest(options.headers.drop);
    this.#adapts = this.#drops !== undefined || options.host === 'service';
    const multiplexed = options.protocol === 'h2' || options.protocol === 'h2c';
    this.#cap = options.connections * (multiplexed ? STREAMS_PER_CONNECTION : 1);
    parts.sweeper.add(this);
    this.settled = this.#begin();
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

  /** The call as this service wants it: `Host` of the target, without the headers that it must not get. */
  adapt(call: Call, endpoint: Endpoint): Call {
    if (!this.#adapts) return call;
    const headers: HeaderList = [];
    const own = this.options.host === 'service' ? endpoint.target.authority : undefined;
    for (let i = 0; i < call.headers.length; i += 2) {
      const name = call.headers[i];
      if (this.#drops?.(name) === true) continue;
      headers.push(name, name === 'host' && own !== undefined ? own : call.headers[i + 1]);
    }
    if (own !== undefined && !hasHeader(headers, 'host')) headers.push('host', own);
    return { ...call, headers };
  }

  /** A try went well as far as its head. */
  passed(endpoint: Endpoint, now: number, trial: boolean): void {
    if (endpoint.streak !== 0) endpoint.streak = 0;
    if (this.#breaker !== undefined) this.#breaker.passed(now, trial);
  }

  /** A try failed, or its answer broke off. */
  failed(endpoint: Endpoint, now: number, trial: boolean): void {
    endpoint.failures++;
    endpoint.streak++;
    this.#ejectIfDue(endpoint, now);
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
    const other = this.#pickOther(running.tried);
    if (other !== undefined) {
      running.send(other, false, now);
      return undefined;
    }
    return this.#parts.timing.after(pauseBefore(running.tries, this.#parts.random), () => {
      const endpoint = this.#pickOther(running.tried) ?? this.#pick();
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
    this.#trim();
    return this.#readmitDue(now) || this.#watched.length > 0 || this.#queue.length > 0;
  }

  /** Graceful: running calls end, then the pools close. Nothing is resolved or checked any more. */
  close(): void {
    this.#closed = true;
    for (const resolver of this.#resolvers) resolver.stop();
    for (const check of this.#checks.values()) check.stop();
    this.#checks.clear();
    for (const endpoint of this.#endpoints) endpoint.close();
    if (this.#running === 0) this.#retire();
  }

  snapshot(): ServiceSnapshot {
    const now = this.now();
    return {
      name: this.name,
      running: this.#running,
      queued: this.#queue.length,
      breaker: this.#breaker?.state(now),
      retries: { allowed: this.budget.allowed, denied: this.budget.denied },
      endpoints: this.#endpoints.map((one) => this.#describe(one)),
    };
  }

  async #begin(): Promise<void> {
    await Promise.all(this.#targets.map((target) => this.#beginTarget(target)));
    await Promise.all([...this.#checks.values()].map((check) => check.settled));
  }

  async #beginTarget(target: Target): Promise<void> {
    if (target.literal) {
      this.#setAddresses(target, [target.host]);
      return;
    }
    const resolver = new Resolver(target.host, target.port, this.options.dns, this.#parts, (found) =>
      this.#setAddresses(target, found),
    );
    this.#resolvers.push(resolver);
    await resolver.start();
  }

  /** New addresses get a pool, those that vanished drain, the others keep all that is known of them. */
  #setAddresses(target: Target, addresses: readonly string[]): void {
    if (this.#closed) return;
    const kept: Endpoint[] = [];
    for (const endpoint of this.#endpoints) {
      if (endpoint.target !== target || addresses.includes(endpoint.address)) kept.push(endpoint);
      else this.#dismiss(endpoint);
    }
    const known = new Set(kept.filter((one) => one.target === target).map((one) => one.address));
    for (const address of addresses) {
      if (known.has(address)) continue;
      const endpoint = new Endpoint(target, address, this.#parts.client);
      kept.push(endpoint);
      this.#watch(endpoint);
    }
    this.#endpoints = kept;
    this.#rebuild();
  }

  #dismiss(endpoint: Endpoint): void {
    this.#checks.get(endpoint)?.stop();
    this.#checks.delete(endpoint);
    endpoint.close();
  }

  #watch(endpoint: Endpoint): void {
    const { health } = this.options;
    if (health === undefined) return;
    const check = new ActiveCheck(endpoint, health, this.#parts.timing, this.#parts.random, (reason) => {
      const fields = { service: this.name, target: endpoint.label };
      if (endpoint.up) this.#parts.log.info('target is up', fields);
      else this.#parts.log.warn('target is down', { ...fields, reason });
      this.#rebuild();
    });
    this.#checks.set(endpoint, check);
    check.start();
  }

  #rebuild(): void {
    this.#ready = callable(this.#endpoints);
    if (this.#ready.length > 1) this.#balancer.reset(this.#ready);
  }

  #pick(): Endpoint | undefined {
    const picked = this.#ready.length > 1 ? this.#balancer.pick() : this.#ready[0];
    if (this.#closed) picked?.reopen();
    return picked;
  }

  #pickOther(tried: readonly Endpoint[] | undefined): Endpoint | undefined {
    const others = this.#ready.filter((one) => tried === undefined || !tried.includes(one));
    if (others.length === 0) return undefined;
    // Begin anywhere, so that the retries of many calls do not all meet at the first of equals.
    const offset = Math.floor(this.#parts.random() * others.length);
    const picked = others.reduce(lessBusy, others[offset]);
    if (this.#closed) picked.reopen();
    return picked;
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
    const endpoint = this.#pick();
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

  /** Idle connections of one address must not take the place of needed ones of another. */
  #trim(): void {
    if (this.#endpoints.length < 2) return;
    let open = this.#endpoints.reduce((sum, one) => sum + one.client.connections, 0);
    for (const { client } of this.#endpoints) {
      while (open > this.options.connections && client.dropIdle?.() === true) open--;
    }
  }

  #ejectIfDue(endpoint: Endpoint, now: number): void {
    const { ejection } = this.options;
    if (ejection === 'off' || !shouldEject(endpoint, ejection)) return;
    // The last one is never taken out: a bad answer is better than none for sure.
    if (this.#ready.length < 2 || !this.#ready.includes(endpoint)) return;
    const { streak } = endpoint;
    const ms = eject(endpoint, ejection, now);
    this.#parts.log.warn('target is taken out', { service: this.name, target: endpoint.label, failures: streak, ms });
    this.#rebuild();
  }

  /** True while an endpoint is out and has to come back. */
  #readmitDue(now: number): boolean {
    let out = false;
    let back = false;
    for (const endpoint of this.#endpoints) {
      if (endpoint.ejectedUntil === 0) continue;
      if (now < endpoint.ejectedUntil) out = true;
      else {
        readmit(endpoint, now);
        back = true;
        this.#parts.log.info('target is back', { service: this.name, target: endpoint.label });
      }
    }
    if (back) this.#rebuild();
    return out;
  }

  #retire(): void {
    for (const endpoint of this.#endpoints) endpoint.close();
    this.#parts.sweeper.delete(this);
  }

  #unavailable(): UpstreamFault {
    const known = this.#endpoints.length > 0;
    const every = this.options.health?.every ?? 1000;
    return {
      code: 'upstream-unavailable',
      reason: known ? 'all targets are down' : 'no name of a target has been resolved yet',
      untouched: true,
      retryAfter: Math.max(1, Math.ceil(every / 1000)),
    };
  }

  #breakerOpen(now: number): UpstreamFault {
    const retryAfter = Math.max(1, Math.ceil((this.#breaker?.remaining(now) ?? 0) / 1000));
    return { code: 'upstream-unavailable', reason: 'the breaker is open', untouched: true, retryAfter };
  }

  #busy(why: string): UpstreamFault {
    return { code: 'upstream-busy', reason: `all ${this.#cap} places are taken and ${why}`, untouched: true, retryAfter: 1 };
  }

  #describe(one: Endpoint): EndpointSnapshot {
    const state = one.weight === 0 ? 'drained' : !one.up ? 'down' : one.ejectedUntil > 0 ? 'ejected' : 'up';
    return {
      target: one.target.url,
      address: one.label,
      weight: one.weight,
      state,
      reason: this.#checks.get(one)?.lastReason ?? '',
      active: one.active,
      connections: one.client.connections,
      requests: one.requests,
      failures: one.failures,
    };
  }
}
