import { randomBytes, randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';
import { TrustedProxies } from '../exchange/client-address.ts';
import { createEgress } from '../egress/direct.ts';
import { egressParts } from '../egress/parts.ts';
import type { Refusal } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Corridor } from '../listen/corridor.ts';
import type { Pem } from '../listen/tls/contexts.ts';
import type { TurnedAwayRecord } from '../listen/turned-away.ts';
import type { ProcessStatus, ServiceStatus } from '../observe/status.ts';
import { createObserve, type EventSink, type MetricsSnapshot, type Observe, Redaction } from '../observe/stage.ts';
import type { ClientSide } from '../pipeline/client.ts';
import type { Generation } from '../pipeline/generation.ts';
import type { Place } from '../pipeline/order.ts';
import type { Carry, Log, MetricSource } from '../pipeline/stage.ts';
import type { SharedMemoryStore } from '../stores/shared-memory-store.ts';
import { type LimitCounts, limitCounts } from '../limit/stage.ts';
import { storeSources } from '../stores/store-stats.ts';
import { createStores, type OpenStores } from '../stores/stores.ts';
import { upstreamSources } from '../upstream/metrics.ts';
import type { UpstreamsOfConfiguration } from '../upstream/upstreams.ts';
import { type Introspections, introspections } from '../authenticate/introspection/introspections.ts';
import { type KeySources, keySources } from '../authenticate/jwt/key-sources.ts';
import { identitySources } from '../authenticate/sources.ts';
import { CarryStore } from './carry.ts';
import { Doors, type DoorsChange } from './doors.ts';
import { hashOptions } from './hash.ts';
import { prepare } from './prepare.ts';
import type { GatewayOptions } from './schema.ts';
import { within } from './within.ts';

export interface GatewayParts {
  readonly log: Log;
  /** Hands over what is told to the log and is a security event too. */
  readonly events?: EventSink;
  /** The same in all workers: TLS sessions then resume with any of them, and all show the same development certificate. */
  readonly shared?: SharedSecrets;
  /** Other processes write to the same access record. */
  readonly severalWorkers?: boolean;
  /** The memory of the primary process, in which the limits of all workers are counted. */
  readonly primary?: SharedMemoryStore;
  readonly order?: readonly Place[];
  /** How long running requests get to end when the gateway leaves. */
  readonly drainMs?: number;
}

/** What all workers of a gateway have in common. */
export interface SharedSecrets {
  readonly ticketSecret: Buffer;
  readonly selfSigned?: Pem;
  /** Name of this gateway among those that share a store of limits. */
  readonly instance: string;
}

/** Less than the half minute that orchestrators wait by default. */
const DRAIN_MS = 25_000;

/** Exchanges end, and what they held is closed, a moment after their connections: a tunnel has a second for its other end. */
const LAST_MS = 2000;

/** A configuration that is ready, with all that it brings along. */
interface Next {
  readonly generation: Generation;
  readonly upstreams: UpstreamsOfConfiguration;
  readonly observe: Observe;
  readonly stores: OpenStores;
  readonly limits: LimitCounts;
  readonly keys: KeySources;
  readonly introspections: Introspections;
  readonly doors: DoorsChange;
}

/**
 * The gateway of one process: its listeners, the configuration that serves, and the way from one configuration to the next. A
 * configuration is never edited: the next one is prepared beside it and swapped in, and the old one leaves with its last request.
 */
export class Gateway implements Corridor {
  readonly #log: Log;
  readonly #parts: GatewayParts;
  readonly #carry = new CarryStore();
  readonly #doors: Doors;
  readonly #instance: string;
  /** What has been replaced and is not gone yet. */
  readonly #leaving = new Set<Promise<void>>();
  #generation: Generation | undefined;
  #upstreams: UpstreamsOfConfiguration | undefined;
  #observe: Observe | undefined;
  #keys: KeySources | undefined;
  #observeKey = '';
  /** The log without the fields that the configuration marks as personal. */
  #marked: Log;
  /** Path patterns of the last configuration: requests that began with it are still under way. */
  #patterns: readonly string[] = [];
  #inFlight = 0;
  #ready = false;
  #drained: Promise<void> | undefined;

  constructor(parts: GatewayParts) {
    this.#marked = parts.log;
    this.#log = {
      info: (message, fields) => this.#marked.info(message, fields),
      warn: (message, fields) => this.#marked.warn(message, fields),
      error: (message, fields) => this.#marked.error(message, fields),
    };
    this.#parts = parts;
    // Counters outlive configurations, so they are looked up at each event.
    const count = {
      opened: (listener: string) => this.#observe?.metrics.connectionOpened(listener),
      closed: (listener: string) => this.#observe?.metrics.connectionClosed(listener),
      refused: (listener: string, code: string) => this.#observe?.metrics.connectionRefused(listener, code),
      record: (turnedAway: TurnedAwayRecord) => this.#observe?.recordWire(turnedAway),
      shaken: (listener: string, version: string, resumed: boolean) =>
        this.#observe?.metrics.handshake(listener, version, resumed),
    };
    const { ticketSecret = randomBytes(48), selfSigned, instance = randomUUID() } = parts.shared ?? {};
    this.#instance = instance;
    this.#doors = new Doors({ corridor: this, log: this.#log, count, ticketSecret, selfSigned });
  }

  /** Starts to serve. Rejects, with everything closed again, when something of it cannot be. */
  async start(options: GatewayOptions): Promise<void> {
    await this.reload(options);
    this.#ready = true;
  }

  /** Swaps another configuration in. Rejects, with all as it was, when it cannot be prepared. One at a time. */
  async reload(options: GatewayOptions): Promise<void> {
    await using undo = new AsyncDisposableStack();
    const next = await this.#prepare(options, undo);
    if (this.#drained !== undefined) throw new Error('the gateway is leaving');
    this.#swap(options, next);
    // It is in: nothing is undone.
    undo.move();
  }

  /** Stops to accept, lets running requests end, closes everything. */
  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<void> {
    this.#ready = false;
    await this.#doors.drain(this.#parts.drainMs ?? DRAIN_MS);
    if (this.#generation !== undefined) this.#leave(this.#generation.retire());
    await within(LAST_MS, Promise.all(this.#leaving));
    await this.#observe?.close();
  }

  // ---- Corridor

  handle(x: Exchange, client: ClientSide): void {
    this.#inFlight++;
    (this.#generation as Generation).handle(x, client);
  }

  refuse(x: Exchange, client: ClientSide, refusal: Refusal): void {
    this.#inFlight++;
    (this.#generation as Generation).refuse(x, client, refusal);
  }

  // ---- what others ask for

  get ready(): boolean {
    return this.#ready;
  }

  addresses(): Record<string, AddressInfo> {
    return this.#doors.addresses();
  }

  metrics(): MetricsSnapshot {
    return this.#observe?.metrics.snapshot() ?? { families: [] };
  }

  services(): ReturnType<UpstreamsOfConfiguration['snapshot']> {
    return this.#upstreams?.snapshot() ?? [];
  }

  /** What the status page shows of this process besides the metrics. */
  status(): ProcessStatus {
    return {
      running: this.#generation?.running ?? 0,
      services: this.services().map(serviceStatus),
      issuers: this.#keys?.snapshot() ?? [],
      events: this.#observe?.recentEvents(),
      recent: this.#observe?.metrics.recent.snapshot(),
      certificates: this.#doors.certificates().map(({ listener, names, issuer, fingerprint, notAfter }) => ({
        listener,
        names,
        issuer,
        fingerprint,
        expires: +notAfter,
      })),
    };
  }

  reopenLogs(): void {
    this.#observe?.reopen();
  }

  /** For a process that is about to die: writes what is still in memory, synchronously. */
  flushLogs(): void {
    this.#observe?.flushSync();
  }

  // ---- swapping

  /** Gets everything ready. What has to be given back when the rest fails is noted in `undo`. */
  async #prepare(options: GatewayOptions, undo: AsyncDisposableStack): Promise<Next> {
    const outside = egressParts(options.egress);
    const observe = this.#observeFor(options);
    if (observe !== this.#observe) undo.defer(() => observe.close());
    // What happens while the first configuration is prepared is told where it says.
    if (this.#observe === undefined) this.#show(observe, options);
    const carry = this.#carry.open();
    const stores = await this.#openStores(options, carry);
    const { generation, upstreams } = await prepare(options, {
      carry,
      log: this.#log,
      clock: { now: Date.now },
      egress: carry.take(
        `egress ${outside.key}`,
        () => createEgress(outside),
        (egress) => egress.close(),
      ),
      stores,
      record: (x) => {
        this.#inFlight--;
        this.#observe?.record(x);
      },
      order: this.#parts.order,
    });
    undo.defer(() => this.#leave(generation.retire()));
    await upstreams.ready();
    // The first configuration serves from the moment the first address is open.
    this.#generation ??= generation;
    const doors = await this.#doors.prepare(options.listeners, new TrustedProxies(options['trusted-proxies']));
    undo.defer(() => doors.undo());
    return {
      generation,
      upstreams,
      observe,
      stores,
      limits: limitCounts(carry),
      keys: keySources(carry),
      introspections: introspections(carry),
      doors,
    };
  }

  async #openStores(options: GatewayOptions, carry: Carry & { release(): void }): Promise<OpenStores> {
    try {
      const [log, instance, { primary }] = [this.#log, this.#instance, this.#parts];
      const workers = options.workers === 'auto' ? availableParallelism() : options.workers;
      return await createStores(options.store, { carry, log, instance, primary, workers });
    } catch (error) {
      carry.release();
      throw error;
    }
  }

  #observeFor(options: GatewayOptions): Observe {
    const { shared, metrics } = { shared: this.#parts.severalWorkers, metrics: this.#observe?.metrics };
    if (this.#observe !== undefined && hashOptions(options.observe) === this.#observeKey) return this.#observe;
    return createObserve(options.observe, this.#log, { shared, metrics });
  }

  /** In one go: no request sees half of it. */
  #swap(options: GatewayOptions, next: Next): void {
    const [oldGeneration, oldObserve] = [this.#generation, this.#observe];
    next.doors.commit();
    this.#generation = next.generation;
    this.#upstreams = next.upstreams;
    this.#show(next.observe, options);
    this.#keys = next.keys;
    this.#observeKey = hashOptions(options.observe);
    for (const source of upstreamSources(() => next.upstreams.snapshot())) next.observe.metrics.register(source);
    for (const source of storeSources(() => next.stores.snapshot())) next.observe.metrics.register(source);
    for (const source of this.#ownSources(next)) next.observe.metrics.register(source);
    for (const source of next.limits.sources(() => next.stores.limits.size)) next.observe.metrics.register(source);
    if (oldGeneration !== undefined && oldGeneration !== next.generation) this.#leave(oldGeneration.retire());
    if (oldObserve !== undefined && oldObserve !== next.observe) this.#leave(oldObserve.close());
  }

  /** From here on it takes what is to be recorded. */
  #show(observe: Observe, { observe: { redact }, routes }: GatewayOptions): void {
    const patterns = routes.map((route) => route.path);
    const redaction = new Redaction(redact, [...patterns, ...this.#patterns]);
    this.#patterns = patterns;
    observe.redact(redaction);
    this.#marked = redaction.guard(this.#parts.log);
    this.#observe = observe;
    if (this.#parts.events !== undefined) this.#parts.events.target = observe.events;
  }

  #ownSources({ keys, introspections: asked }: Next): MetricSource[] {
    const identity = identitySources(
      () => keys.snapshot(),
      () => asked.snapshot(),
      Date.now,
    );
    return [
      ...identity,
      {
        name: 'portcullis_requests_in_flight',
        help: 'Requests under way, WebSockets included.',
        type: 'gauge',
        collect: () => [{ labels: {}, value: this.#inFlight }],
      },
      {
        name: 'portcullis_certificate_not_after_timestamp_seconds',
        help: 'When a certificate of a listener ends, since the epoch.',
        type: 'gauge',
        merge: 'min',
        collect: () => certificateEnds(this.#doors.certificates()),
      },
    ];
  }

  #leave(gone: Promise<void>): void {
    const noted = gone.finally(() => this.#leaving.delete(noted));
    this.#leaving.add(noted);
  }
}

function serviceStatus({ name, running, queued, breaker, endpoints }: ReturnType<Gateway['services']>[number]): ServiceStatus {
  return { name, running, queued, breaker, targets: endpoints };
}

/** A file may serve two names; its end stands once. */
function certificateEnds(all: ReturnType<Doors['certificates']>) {
  const ends = new Map<string, { labels: Record<string, string>; value: number }>();
  for (const { listener, files, notAfter } of all) {
    const labels = { listener, certificate: files?.certificate ?? 'self-signed' };
    ends.set(JSON.stringify(labels), { labels, value: +notAfter / 1000 });
  }
  return [...ends.values()];
}
