import type { Log } from '../pipeline/stage.ts';
import { type Balancer, lessBusy } from './balance/balancer.ts';
import { makeBalancer } from './balance/choose.ts';
import { ActiveCheck } from './health/active.ts';
import { callable, eject, readmit, shouldEject } from './health/passive.ts';
import type { ServiceOptions } from './options.ts';
import { type Accepts, type Lookup, Resolver } from './resolve.ts';
import { type ClientSettings, Endpoint, makeTarget, type Target } from './target.ts';
import type { Timing } from './timing.ts';

/** What the endpoints of a service are built from besides its options. */
export interface EndpointParts {
  readonly client: ClientSettings;
  readonly log: Log;
  readonly timing: Timing;
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
  /** Why the last active check that failed did so; empty when none did. */
  readonly reason: string;
  readonly active: number;
  readonly connections: number;
  readonly requests: number;
  readonly failures: number;
}

/** All addresses of one service: which there are, which may be called, and which gets the next call. */
export class Endpoints {
  readonly #name: string;
  readonly #options: ServiceOptions;
  readonly #parts: EndpointParts;
  readonly #balancer: Balancer<Endpoint>;
  readonly #resolvers: Resolver[] = [];
  readonly #checks = new Map<Endpoint, ActiveCheck>();
  #all: Endpoint[] = [];
  /** Those that may be called now. Made anew when something changes, so that a call only reads it. */
  #ready: Endpoint[] = [];
  #closed = false;
  /** Resolves when every name was resolved once and every address was checked once, well or badly. */
  readonly settled: Promise<void>;

  constructor(name: string, options: ServiceOptions, parts: EndpointParts) {
    this.#name = name;
    this.#options = options;
    this.#parts = parts;
    this.#balancer = makeBalancer<Endpoint>(options.balance, parts.random);
    this.settled = this.#begin(options.targets.map(makeTarget));
    // Who waits for it is told; when nobody does, that is no defect.
    this.settled.catch(() => {});
  }

  /** False before any name of a target has been resolved. */
  get known(): boolean {
    return this.#all.length > 0;
  }

  /** Who gets the next call; undefined when nobody may be called. */
  pick(): Endpoint | undefined {
    const picked = this.#ready.length > 1 ? this.#balancer.pick() : this.#ready[0];
    if (this.#closed) picked?.reopen();
    return picked;
  }

  /** Somebody else for a call that has failed with these. */
  pickOther(tried: readonly Endpoint[] | undefined): Endpoint | undefined {
    const others = this.#ready.filter((one) => tried === undefined || !tried.includes(one));
    if (others.length === 0) return undefined;
    // Begin anywhere, so that the retries of many calls do not all meet at the first of equals.
    const offset = Math.floor(this.#parts.random() * others.length);
    const picked = others.reduce(lessBusy, others[offset]);
    if (this.#closed) picked.reopen();
    return picked;
  }

  /** A try has failed: an endpoint that fails again and again is taken out, but never the last one. */
  failed(endpoint: Endpoint, now: number): void {
    endpoint.failures++;
    endpoint.streak++;
    const { ejection } = this.#options;
    if (ejection === 'off' || !shouldEject(endpoint, ejection)) return;
    if (this.#ready.length < 2 || !this.#ready.includes(endpoint)) return;
    const { streak } = endpoint;
    const ms = eject(endpoint, ejection, now);
    this.#parts.log.warn('target is taken out', { ...this.#fields(endpoint), failures: streak, ms });
    this.#rebuild();
  }

  /** Takes back whose time out is over. True while somebody is still out. */
  readmitDue(now: number): boolean {
    let out = false;
    let back = false;
    for (const endpoint of this.#all) {
      if (endpoint.ejectedUntil === 0) continue;
      if (now < endpoint.ejectedUntil) out = true;
      else {
        readmit(endpoint, now);
        back = true;
        this.#parts.log.info('target is back', this.#fields(endpoint));
      }
    }
    if (back) this.#rebuild();
    return out;
  }

  /** Idle connections of one address must not take the place of needed ones of another. */
  trim(): void {
    if (this.#all.length < 2) return;
    let open = this.#all.reduce((sum, one) => sum + one.client.connections, 0);
    for (const { client } of this.#all) {
      while (open > this.#options.connections && client.dropIdle?.() === true) open--;
    }
  }

  /** Nothing is resolved or checked any more, and pools close as their last call ends. May be called again. */
  close(): void {
    this.#closed = true;
    for (const resolver of this.#resolvers) resolver.stop();
    for (const check of this.#checks.values()) check.stop();
    this.#checks.clear();
    for (const endpoint of this.#all) endpoint.close();
  }

  snapshot(): EndpointSnapshot[] {
    return this.#all.map((one) => this.#describe(one));
  }

  async #begin(targets: readonly Target[]): Promise<void> {
    await Promise.all(targets.map((target) => this.#beginTarget(target)));
    await Promise.all([...this.#checks.values()].map((check) => check.settled));
  }

  async #beginTarget(target: Target): Promise<void> {
    if (target.literal) {
      this.#setAddresses(target, [target.host]);
      return;
    }
    const resolver = new Resolver(target.host, target.port, this.#options.dns, this.#parts, (found) =>
      this.#setAddresses(target, found),
    );
    this.#resolvers.push(resolver);
    await resolver.start();
  }

  /** New addresses get a pool, those that vanished drain, the others keep all that is known of them. */
  #setAddresses(target: Target, addresses: readonly string[]): void {
    if (this.#closed) return;
    const kept: Endpoint[] = [];
    for (const endpoint of this.#all) {
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
    this.#all = kept;
    this.#rebuild();
  }

  #dismiss(endpoint: Endpoint): void {
    this.#checks.get(endpoint)?.stop();
    this.#checks.delete(endpoint);
    endpoint.close();
  }

  #watch(endpoint: Endpoint): void {
    const { health } = this.#options;
    if (health === undefined) return;
    const check = new ActiveCheck(endpoint, health, this.#parts.timing, this.#parts.random, (reason) => {
      if (endpoint.up) this.#parts.log.info('target is up', this.#fields(endpoint));
      else this.#parts.log.warn('target is down', { ...this.#fields(endpoint), reason });
      this.#rebuild();
    });
    this.#checks.set(endpoint, check);
    check.start();
  }

  #rebuild(): void {
    this.#ready = callable(this.#all);
    if (this.#ready.length > 1) this.#balancer.reset(this.#ready);
  }

  #fields(endpoint: Endpoint): Record<string, unknown> {
    return { service: this.#name, target: endpoint.label };
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
