import type { Family, MetricsSnapshot, Series } from './exposition.ts';
import { mergeRecent, type RecentTraffic } from './recent-traffic.ts';

/**
 * What the status page shows, as plain data: the state of one process, how the states of several become one, and the whole, with what the
 * metrics say of traffic. Everything in it is bounded, and nothing in it is a value that a client sent, except in `events`.
 */

/** The state of one process, as far as metrics do not tell it. */
export interface ProcessStatus {
  /** Requests under way. */
  readonly running: number;
  readonly services: readonly ServiceStatus[];
  readonly issuers: readonly IssuerStatus[];
  readonly certificates: readonly CertificateStatus[];
  /** The last security events, newest first. */
  readonly events?: readonly EventStatus[];
  /** Absent where no requests are served. */
  readonly recent?: RecentTraffic;
}

export interface ServiceStatus {
  readonly name: string;
  readonly running: number;
  readonly queued: number;
  readonly breaker: 'closed' | 'open' | 'half-open' | undefined;
  readonly targets: readonly TargetStatus[];
}

export interface TargetStatus {
  readonly target: string;
  readonly address: string;
  readonly state: 'up' | 'down' | 'ejected' | 'drained';
  /** Why the last check that failed did so; empty when none did. */
  readonly reason: string;
  readonly active: number;
  readonly connections: number;
  readonly requests: number;
  readonly failures: number;
}

/** The keys of one issuer of tokens. Times are milliseconds since the epoch. */
export interface IssuerStatus {
  readonly issuer: string;
  /** Where the keys come from. */
  readonly from: string;
  readonly keys: number;
  readonly read: number | undefined;
  readonly expires: number | undefined;
  /** Why the last attempt to read them failed. */
  readonly failure: string | undefined;
}

export interface CertificateStatus {
  readonly listener: string;
  readonly names: readonly string[];
  readonly issuer: string;
  readonly fingerprint: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

export interface EventStatus {
  readonly time: string;
  readonly room: string;
  readonly code: string;
  readonly route?: string;
  readonly client?: string;
  readonly caller?: string;
  readonly request_id?: string;
}

/** How often the configuration was read again, and what came of it. */
export interface ReloadStatus {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly ok: boolean;
  /** Why nothing has changed; without secrets. */
  readonly reason?: string;
}

/** What `GET /status.json` says. Counters are those since the start; whoever looks twice knows the rates. */
export interface Status {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly started: number;
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly workers: { readonly asked: number; readonly serving: number };
  readonly memory: number;
  readonly running: number;
  readonly traffic: Traffic;
  /** The last ten minutes, or what there is of them since the start. */
  readonly recent: RecentTraffic;
  /** The busiest routes; `hiddenRoutes` tells how many there are besides. */
  readonly routes: readonly RouteTraffic[];
  readonly hiddenRoutes: number;
  readonly refusals: readonly RefusalCount[];
  readonly listeners: readonly ListenerTraffic[];
  readonly services: readonly (ServiceStatus & ServiceTraffic)[];
  readonly limits: readonly LimitStatus[];
  readonly places: readonly PlaceStatus[];
  readonly store: { readonly name: string; readonly up: boolean } | undefined;
  readonly issuers: readonly IssuerStatus[];
  readonly certificates: readonly CertificateStatus[];
  readonly reloads: readonly ReloadStatus[];
  readonly events: readonly EventStatus[] | undefined;
}

export interface Traffic {
  readonly requests: number;
  readonly refused: number;
  /** Answers of status 5xx to requests that no room refused. */
  readonly errors: number;
  /** Requests in which the gateway itself broke. */
  readonly faults: number;
  /** Access records that could not be written. */
  readonly lost: number;
  /** Upper bounds of the buckets of all durations, in seconds; one more bucket is above them. */
  readonly bounds: readonly number[];
  readonly buckets: readonly number[];
}

export interface RouteTraffic {
  readonly route: string;
  readonly service: string;
  readonly requests: number;
  readonly refused: number;
  readonly errors: number;
  readonly buckets: readonly number[];
}

export interface RefusalCount {
  readonly room: string;
  readonly code: string;
  readonly count: number;
}

export interface ListenerTraffic {
  readonly listener: string;
  readonly open: number;
  readonly accepted: number;
  readonly turnedAway: number;
}

export interface ServiceTraffic {
  readonly calls: number;
  readonly errors: number;
  readonly buckets: readonly number[];
}

export interface LimitStatus {
  readonly limit: string;
  readonly verdicts: Readonly<Record<string, number>>;
}

/** A bound of `concurrency`. */
export interface PlaceStatus {
  readonly concurrency: string;
  readonly running: number;
  readonly queued: number;
  readonly refused: number;
}

/** What a process that serves knows besides its workers' states. */
export interface HouseStatus extends Pick<Status, 'version' | 'time' | 'started' | 'ready' | 'reasons' | 'workers' | 'reloads'> {}

/** A page with ten thousand rows helps nobody, and is asked for every two seconds. */
const MAX_ROUTES = 200;
const MAX_ROWS = 500;
const MAX_EVENTS = 50;

/** One state out of those of several processes: counts are added, and what is worst for anyone counts for all. */
export function mergeProcesses(all: readonly ProcessStatus[]): ProcessStatus {
  const events = all.flatMap((one) => one.events ?? []).sort((a, b) => (a.time < b.time ? 1 : -1));
  return {
    running: sum(all.map((one) => one.running)),
    services: merged(
      all.flatMap((one) => one.services),
      (one) => one.name,
      mergeServices,
    ),
    issuers: merged(
      all.flatMap((one) => one.issuers),
      (one) => `${one.issuer} ${one.from}`,
      worseIssuer,
    ),
    certificates: merged(
      all.flatMap((one) => one.certificates),
      (one) => `${one.listener} ${one.fingerprint}`,
      (one) => one,
    ).toSorted((a, b) => a.expires - b.expires),
    events: all.every((one) => one.events === undefined) ? undefined : events.slice(0, MAX_EVENTS),
    recent: mergeRecent(all.flatMap((one) => one.recent ?? [])),
  };
}

function mergeServices(a: ServiceStatus, b: ServiceStatus): ServiceStatus {
  return {
    name: a.name,
    running: a.running + b.running,
    queued: a.queued + b.queued,
    breaker: worst(BREAKERS, a.breaker, b.breaker),
    targets: merged([...a.targets, ...b.targets], (one) => `${one.target} ${one.address}`, mergeTargets),
  };
}

function mergeTargets(a: TargetStatus, b: TargetStatus): TargetStatus {
  const state = worst(STATES, a.state, b.state) ?? a.state;
  return {
    target: a.target,
    address: a.address,
    state,
    reason: a.reason === '' ? b.reason : a.reason,
    active: a.active + b.active,
    connections: a.connections + b.connections,
    requests: a.requests + b.requests,
    failures: a.failures + b.failures,
  };
}

/** From the best to the worst. */
const STATES = ['up', 'drained', 'ejected', 'down'] as const;
const BREAKERS = ['closed', 'half-open', 'open'] as const;

function worst<T extends string>(order: readonly T[], a: T | undefined, b: T | undefined): T | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return order.indexOf(a) > order.indexOf(b) ? a : b;
}

/** The process whose keys are older is the one to look at. */
function worseIssuer(a: IssuerStatus, b: IssuerStatus): IssuerStatus {
  return (a.read ?? 0) <= (b.read ?? 0) ? a : b;
}

/** Puts together what has one name, in the order in which the names came. */
function merged<T>(all: readonly T[], nameOf: (one: T) => string, join: (a: T, b: T) => T): T[] {
  const found = new Map<string, T>();
  for (const one of all) {
    const before = found.get(nameOf(one));
    found.set(nameOf(one), before === undefined ? one : join(before, one));
  }
  return [...found.values()].slice(0, MAX_ROWS);
}

/** The whole status of a gateway. */
export function makeStatus(house: HouseStatus, metrics: MetricsSnapshot, state: ProcessStatus): Status {
  const read = new Reading(metrics);
  const routes = routesOf(read);
  return {
    ...house,
    memory: read.total('process_resident_memory_bytes'),
    running: state.running,
    traffic: trafficOf(read, routes),
    recent: state.recent ?? { requests: [], refused: [], errors: [] },
    routes: routes.slice(0, MAX_ROUTES),
    hiddenRoutes: Math.max(0, routes.length - MAX_ROUTES),
    refusals: refusalsOf(read),
    listeners: listenersOf(read),
    services: state.services.map((one) => ({ ...one, ...callsOf(read, one.name) })),
    limits: limitsOf(read),
    places: placesOf(read),
    store: storeOf(read),
    issuers: state.issuers,
    certificates: state.certificates,
    events: state.events,
  };
}

/** The families of a snapshot by name. */
class Reading {
  readonly #families: ReadonlyMap<string, Family>;

  constructor(metrics: MetricsSnapshot) {
    this.#families = new Map(metrics.families.map((family) => [family.name, family]));
  }

  series(name: string): readonly Series[] {
    return this.#families.get(name)?.series ?? [];
  }

  bounds(name: string): readonly number[] {
    return this.#families.get(name)?.bounds ?? [];
  }

  total(name: string, wanted: Record<string, string> = {}): number {
    const has = (series: Series) => Object.entries(wanted).every(([label, value]) => series.labels[label] === value);
    return sum(
      this.series(name)
        .filter(has)
        .map((series) => series.value),
    );
  }
}

const DURATION = 'portcullis_request_duration_seconds';

function trafficOf(read: Reading, routes: readonly RouteTraffic[]): Traffic {
  return {
    requests: sum(routes.map((one) => one.requests)),
    refused: sum(routes.map((one) => one.refused)),
    errors: sum(routes.map((one) => one.errors)),
    faults: read.total('portcullis_faults_total'),
    lost: read.total('portcullis_access_log_lost_total'),
    bounds: read.bounds(DURATION),
    buckets: routes.map((one) => one.buckets).reduce(addBuckets, []),
  };
}

/** The busiest first. */
function routesOf(read: Reading): RouteTraffic[] {
  const routes = new Map<string, { requests: number; refused: number; errors: number }>();
  for (const { labels, value } of read.series('portcullis_requests_total')) {
    const key = routeKey(labels);
    const one = routes.get(key) ?? { requests: 0, refused: 0, errors: 0 };
    routes.set(key, one);
    one.requests += value;
    if (labels.code !== '') one.refused += value;
    else if (labels.status === '5xx') one.errors += value;
  }
  return read
    .series(DURATION)
    .map(({ labels, buckets = [] }) => {
      const counts = routes.get(routeKey(labels)) ?? { requests: 0, refused: 0, errors: 0 };
      return { route: labels.route, service: labels.service, ...counts, buckets };
    })
    .toSorted((a, b) => b.requests - a.requests);
}

const routeKey = (labels: Record<string, string>): string => `${labels.route}\0${labels.service}`;

/** The most frequent first. */
function refusalsOf(read: Reading): RefusalCount[] {
  const refused = read
    .series('portcullis_requests_total')
    .filter(({ labels }) => labels.code !== '')
    .map(({ labels, value }) => ({ room: labels.room, code: labels.code, count: value }));
  return merged(
    refused,
    (one) => `${one.room} ${one.code}`,
    (a, b) => ({ ...a, count: a.count + b.count }),
  ).toSorted((a, b) => b.count - a.count);
}

function listenersOf(read: Reading): ListenerTraffic[] {
  return read.series('portcullis_connections').map(({ labels: { listener }, value }) => ({
    listener,
    open: value,
    accepted: read.total('portcullis_connections_total', { listener }),
    turnedAway: read.total('portcullis_connections_refused_total', { listener }),
  }));
}

function callsOf(read: Reading, service: string): ServiceTraffic {
  const responses = read.series('portcullis_upstream_responses_total').filter(({ labels }) => labels.service === service);
  const bad = responses.filter(({ labels }) => labels.status === '5xx' || labels.status === 'none');
  const durations = read.series('portcullis_upstream_duration_seconds').filter(({ labels }) => labels.service === service);
  return {
    calls: sum(responses.map((one) => one.value)),
    errors: sum(bad.map((one) => one.value)),
    buckets: durations.map((one) => one.buckets ?? []).reduce(addBuckets, []),
  };
}

function limitsOf(read: Reading): LimitStatus[] {
  const one = ({ labels, value }: Series): LimitStatus => ({ limit: labels.limit, verdicts: { [labels.verdict]: value } });
  return merged(
    read.series('portcullis_limit_decisions_total').map(one),
    ({ limit }) => limit,
    (a, b) => ({ limit: a.limit, verdicts: { ...a.verdicts, ...b.verdicts } }),
  );
}

function placesOf(read: Reading): PlaceStatus[] {
  return read.series('portcullis_concurrency_running').map(({ labels: { concurrency }, value }) => ({
    concurrency,
    running: value,
    queued: read.total('portcullis_concurrency_queued', { concurrency }),
    refused: read.total('portcullis_concurrency_refused_total', { concurrency }),
  }));
}

function storeOf(read: Reading): Status['store'] {
  const series: Series | undefined = read.series('portcullis_store_up')[0];
  return series === undefined ? undefined : { name: series.labels.store, up: series.value > 0 };
}

function addBuckets(a: readonly number[], b: readonly number[]): readonly number[] {
  return b.map((count, i) => count + (a[i] ?? 0));
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
