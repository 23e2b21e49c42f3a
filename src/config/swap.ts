import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { TrustedProxies } from '../exchange/client-address.ts';
import type { Refusal } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Corridor } from '../listen/corridor.ts';
import { Listener } from '../listen/listener.ts';
import type { ListenerOptions } from '../listen/options.ts';
import { createTlsStore, type TlsStore } from '../listen/tls/contexts.ts';
import { createObserve, type MetricsSnapshot, type Observe } from '../observe/stage.ts';
import type { ClientSide } from '../pipeline/client.ts';
import type { Generation } from '../pipeline/generation.ts';
import type { Place } from '../pipeline/order.ts';
import type { Log } from '../pipeline/stage.ts';
import type { UpstreamsOfConfiguration } from '../upstream/upstreams.ts';
import { CarryStore } from './carry.ts';
import { hashOptions } from './hash.ts';
import { prepare } from './prepare.ts';
import type { GatewayOptions } from './schema.ts';

export interface GatewayParts {
  readonly log: Log;
  /** The same in all workers: TLS sessions then resume with any of them, and all show the same development certificate. */
  readonly shared?: SharedSecrets;
  /** Other processes write to the same access record. */
  readonly severalWorkers?: boolean;
  readonly order?: readonly Place[];
}

/** What all workers of a gateway have in common. */
export interface SharedSecrets {
  readonly ticketSecret: Buffer;
  readonly selfSigned?: { readonly cert: string; readonly key: string };
}

/** Running requests get this long to end when the gateway leaves: less than the half minute that orchestrators wait by default. */
const DRAIN_MS = 25_000;

/** An address that is open: the listener on it outlives configurations that keep the address. */
interface Door {
  readonly listener: Listener;
  readonly address: AddressInfo;
  tls: TlsStore | undefined;
}

/**
 * The gateway of one process: its listeners, the configuration that serves, and the way from one configuration to the next. A
 * configuration is never edited: the next one is prepared beside it and swapped in, and the old one leaves with its last request.
 */
export class Gateway implements Corridor {
  readonly #log: Log;
  readonly #parts: GatewayParts;
  readonly #ticketSecret: Buffer;
  readonly #carry = new CarryStore();
  readonly #doors = new Map<string, Door>();
  #generation!: Generation;
  #upstreams!: UpstreamsOfConfiguration;
  #observe!: Observe;
  #observeKey = '';
  #ready = false;

  constructor(parts: GatewayParts) {
    this.#log = parts.log;
    this.#parts = parts;
    this.#ticketSecret = parts.shared?.ticketSecret ?? randomBytes(48);
  }

  /** Starts to serve. Rejects, with everything closed again, when something of it cannot be. */
  async start(options: GatewayOptions): Promise<void> {
    await this.reload(options);
    this.#ready = true;
  }

  /** Swaps another configuration in. Rejects, with all as it was, when it cannot be prepared. */
  async reload(options: GatewayOptions): Promise<void> {
    const observe = this.#observeFor(options);
    const next = await prepare(options, {
      carry: this.#carry.open(),
      log: this.#log,
      clock: { now: Date.now },
      record: (x) => this.#observe.record(x),
      order: this.#parts.order,
    });
    const trusted = new TrustedProxies(options['trusted-proxies']);
    // The first configuration serves from the moment the first address is open.
    this.#generation ??= next.generation;
    this.#observe ??= observe;
    try {
      await next.upstreams.ready();
      await this.#moveDoors(options, trusted);
    } catch (error) {
      void next.generation.retire();
      if (observe !== this.#observe) await observe.close();
      throw error;
    }
    this.#swap(options, next.generation, next.upstreams, observe);
  }

  /** Stops to accept, lets running requests end, closes everything. */
  async drain(): Promise<void> {
    this.#ready = false;
    const drained = Promise.all([...this.#doors.values()].map((door) => this.#closeDoor(door)));
    await Promise.race([drained, delay(DRAIN_MS)]);
    for (const door of this.#doors.values()) door.listener.destroy();
    await drained;
    void this.#generation.retire();
    await this.#observe.close();
  }

  /** Counters outlive configurations, so they are looked up at each event. */
  readonly #count = {
    opened: (listener: string) => this.#observe.metrics.connectionOpened(listener),
    closed: (listener: string) => this.#observe.metrics.connectionClosed(listener),
  };

  // ---- Corridor

  handle(x: Exchange, client: ClientSide): void {
    this.#generation.handle(x, client);
  }

  refuse(x: Exchange, client: ClientSide, refusal: Refusal): void {
    this.#generation.refuse(x, client, refusal);
  }

  // ---- what others ask for

  get ready(): boolean {
    return this.#ready;
  }

  addresses(): Record<string, AddressInfo> {
    return Object.fromEntries([...this.#doors.values()].map((door) => [door.listener.name, door.address]));
  }

  metrics(): MetricsSnapshot {
    return this.#observe.metrics.snapshot();
  }

  services(): ReturnType<UpstreamsOfConfiguration['snapshot']> {
    return this.#upstreams.snapshot();
  }

  reopenLogs(): void {
    this.#observe.reopen();
  }

  // ---- swapping

  #observeFor(options: GatewayOptions): Observe {
    const key = hashOptions(options.observe);
    if (key === this.#observeKey) return this.#observe;
    const metrics = this.#observeKey === '' ? undefined : this.#observe.metrics;
    return createObserve(options.observe, this.#log, { shared: this.#parts.severalWorkers, metrics });
  }

  #swap(options: GatewayOptions, generation: Generation, upstreams: UpstreamsOfConfiguration, observe: Observe): void {
    const [oldGeneration, oldObserve] = [this.#generation, this.#observe];
    this.#generation = generation;
    this.#upstreams = upstreams;
    this.#observe = observe;
    this.#observeKey = hashOptions(options.observe);
    const kept = new Set(Object.entries(options.listeners).map(([name, listener]) => doorKey(name, listener)));
    for (const [key, door] of this.#doors) {
      if (kept.has(key)) continue;
      this.#doors.delete(key);
      void this.#closeDoor(door);
    }
    if (oldGeneration !== generation) void oldGeneration.retire();
    if (oldObserve !== observe) void oldObserve.close();
  }

  /** Opens the addresses that are new and gives the others their changed options. What cannot be opened leaves all as it was. */
  async #moveDoors(options: GatewayOptions, trusted: TrustedProxies): Promise<void> {
    const opened = new Map<string, Door>();
    try {
      for (const [name, listener] of Object.entries(options.listeners)) {
        const key = doorKey(name, listener);
        if (!this.#doors.has(key)) opened.set(key, await this.#openDoor(name, listener, trusted));
      }
      for (const [name, listener] of Object.entries(options.listeners)) {
        const door = this.#doors.get(doorKey(name, listener));
        if (door !== undefined) await this.#keepDoor(door, name, listener, trusted);
      }
    } catch (error) {
      for (const door of opened.values()) await this.#closeDoor(door);
      throw error;
    }
    for (const [key, door] of opened) this.#doors.set(key, door);
  }

  async #keepDoor(door: Door, name: string, options: ListenerOptions, trusted: TrustedProxies): Promise<void> {
    const old = door.tls;
    if (options.tls === 'none') door.tls = undefined;
    else if (old === undefined) door.tls = await this.#openTls(name, options);
    else await old.reload(options.tls);
    if (old !== undefined && door.tls !== old) old.close();
    door.listener.reconfigure({ name, options, trusted, tls: door.tls });
  }

  async #openDoor(name: string, options: ListenerOptions, trusted: TrustedProxies): Promise<Door> {
    const tls = options.tls === 'none' ? undefined : await this.#openTls(name, options);
    const listener = new Listener({ name, options, corridor: this, trusted, tls, log: this.#log, count: this.#count });
    try {
      return { listener, tls, address: await listener.listen() };
    } catch (error) {
      tls?.close();
      throw new Error(`listener ${name} cannot be opened: ${(error as Error).message}`);
    }
  }

  async #openTls(name: string, options: ListenerOptions): Promise<TlsStore> {
    const settings = {
      listener: name,
      ticketSecret: this.#ticketSecret,
      selfSigned: this.#parts.shared?.selfSigned,
      handshakeTimeout: options.bounds['head-time'],
    };
    const store = await createTlsStore(options.tls as Exclude<ListenerOptions['tls'], 'none'>, this.#log, settings);
    store.watch();
    return store;
  }

  async #closeDoor(door: Door): Promise<void> {
    await door.listener.drain();
    door.tls?.close();
  }
}

/** A listener is known by its address; where the system chooses the port, by its name too. */
function doorKey(name: string, options: ListenerOptions): string {
  const { host, port } = options.address;
  return port === 0 ? `${host}:0 ${name}` : `${host}:${port}`;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
