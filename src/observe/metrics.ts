import type { Refusal } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { type Family, type MetricsSnapshot, mergeSnapshots, type Series } from './exposition.ts';
import { BUCKETS, Histogram } from './histogram.ts';
import type { MetricSource } from '../pipeline/stage.ts';
import { TrafficRing } from './recent-traffic.ts';

/**
 * Counters of one process. A request costs two look-ups in maps and a few additions in arrays that belong to its route:
 * no label is hashed on the request path, which is why a general client library is not used here. Text is made from a
 * snapshot, see `exposition.ts`.
 *
 * Every label value comes from the configuration or from the catalogue, never from a client; the bound on routes is a
 * second lock on the same door.
 */

/** More routes than this are counted together as `other`. */
const MAX_ROUTES = 2000;
/** Combinations of route and code beyond this are counted under the route `other`. */
const MAX_REFUSED = 10_000;
const STATUS_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'];

/** All that is counted for one route. */
class RouteCell {
  readonly route: string;
  readonly service: string;
  readonly passed = new Float64Array(STATUS_CLASSES.length);
  readonly refused = new Map<string, RefusedCell>();
  readonly duration = new Histogram();
  requestBytes = 0;
  responseBytes = 0;

  constructor(route: string, service: string) {
    this.route = route;
    this.service = service;
  }
}

interface RefusedCell {
  readonly room: string;
  readonly code: string;
  readonly byClass: Float64Array;
}

class ServiceCell {
  readonly duration = new Histogram();
  readonly byClass = new Float64Array(STATUS_CLASSES.length);
  tries = 0;
}

interface ConnectionCell {
  opened: number;
  closed: number;
  /** By the code of the refusal. */
  readonly refused: Map<string, number>;
}

/** What loses lines. */
interface Losing {
  readonly lost: number;
}

type LogName = 'access' | 'events';

/** What counts events. */
interface EventCounts {
  families(): Family[];
}

/** Lines that a log has lost, over all the objects that were it. */
class LossCounter {
  readonly #logs = new Set<Losing>();
  #before = 0;

  watch(log: Losing): void {
    this.#logs.add(log);
  }

  forget(log: Losing): void {
    if (this.#logs.delete(log)) this.#before += log.lost;
  }

  get lost(): number {
    let lost = this.#before;
    for (const log of this.#logs) lost += log.lost;
    return lost;
  }
}

export class Metrics {
  /** By route pattern, the first service of that pattern; the second map has the others (routes apart by host). */
  readonly #routes = new Map<string, RouteCell>();
  readonly #moreRoutes = new Map<string, RouteCell>();
  readonly #services = new Map<string, ServiceCell>();
  readonly #connections = new Map<string, ConnectionCell>();
  readonly #sources = new Map<string, MetricSource>();
  readonly #other = new RouteCell('other', '');
  readonly #handshakes = new Map<string, { readonly labels: Record<string, string>; count: number }>();
  readonly #logs: Record<LogName, LossCounter> = { access: new LossCounter(), events: new LossCounter() };
  readonly #events = new Set<EventCounts>();
  #eventsBefore: MetricsSnapshot[] = [];
  /** For the status page. */
  readonly recent = new TrafficRing();
  /** How late timers fire: what every request waits for besides. */
  readonly loopDelay = new Histogram();
  #refusedCells = 0;
  #faults = 0;

  /** Counts a request that has ended at `now`, by `performance.now()`. `ms` is its whole duration. */
  record(x: Exchange, ms: number, now = performance.now()): void {
    this.recent.count(now, outcomeOf(x));
    const cell = this.#cell(x.route ?? '', x.service ?? '');
    if (x.decision === undefined) cell.passed[classOf(x.status)]++;
    else this.#refusedCell(cell, x.decision).byClass[classOf(x.status)]++;
    cell.duration.observe(ms);
    cell.requestBytes += x.requestBytes;
    cell.responseBytes += x.responseBytes;
    if (x.fault !== undefined) this.#faults++;
    if (x.upstream.target !== undefined) this.#recordUpstream(x);
  }

  /** Counts a request that the reader of the wire refused. */
  recordWire(
    refusal: Refusal,
    status: number,
    ms: number,
    requestBytes: number,
    responseBytes: number,
    now = performance.now(),
  ): void {
    this.recent.count(now, 'refused');
    const cell = this.#cell('', '');
    this.#refusedCell(cell, refusal).byClass[classOf(status)]++;
    cell.duration.observe(ms);
    cell.requestBytes += requestBytes;
    cell.responseBytes += responseBytes;
  }

  connectionOpened(listener: string): void {
    this.#connection(listener).opened++;
  }

  connectionClosed(listener: string): void {
    this.#connection(listener).closed++;
  }

  /** A connection, or a request on it, was turned away without an answer; only some of these have a record. */
  connectionRefused(listener: string, code: string): void {
    const { refused } = this.#connection(listener);
    refused.set(code, (refused.get(code) ?? 0) + 1);
  }

  /** Adds what a room counts by itself. A second source of the same name takes the place of the first. */
  register(source: MetricSource): void {
    this.#sources.set(source.name, source);
  }

  /** A TLS handshake is done. */
  handshake(listener: string, version: string, resumed: boolean): void {
    const key = `${listener} ${version} ${resumed}`;
    let cell = this.#handshakes.get(key);
    if (cell === undefined) {
      cell = { labels: { listener, version, resumed: String(resumed) }, count: 0 };
      this.#handshakes.set(key, cell);
    }
    cell.count++;
  }

  /** Counts the lines that this log loses, until `forgetLog`; what it has lost stays counted. */
  watchLog(name: LogName, log: Losing): void {
    this.#logs[name].watch(log);
  }

  forgetLog(name: LogName, log: Losing): void {
    this.#logs[name].forget(log);
  }

  /** The same for events. */
  watchEvents(events: EventCounts): void {
    this.#events.add(events);
  }

  forgetEvents(events: EventCounts): void {
    if (this.#events.delete(events))
      this.#eventsBefore = [mergeSnapshots([...this.#eventsBefore, { families: events.families() }])];
  }

  /** Everything as plain data that can be sent to another process. */
  snapshot(): MetricsSnapshot {
    const families = [
      ...this.#requestFamilies(),
      ...this.#upstreamFamilies(),
      ...this.#connectionFamilies(),
      counter('portcullis_faults_total', 'Requests in which the gateway itself broke.', [series({}, this.#faults)]),
      histogram(
        'portcullis_event_loop_delay_seconds',
        'How late a timer fires that is due: what each request waits for besides.',
        [{ labels: {}, ...this.loopDelay.snapshot() }],
      ),
      counter('portcullis_access_log_lost_total', 'Access records that could not be written: the disk is full or too slow.', [
        series({}, this.#logs.access.lost),
      ]),
      counter('portcullis_events_lost_total', 'Security events that could not be written: the disk is full or too slow.', [
        series({}, this.#logs.events.lost),
      ]),
      ...mergeSnapshots([...this.#eventsBefore, ...[...this.#events].map((one) => ({ families: one.families() }))]).families,
    ];
    for (const source of this.#sources.values()) families.push(collected(source));
    return { families };
  }

  /** Text of the configuration times codes of the catalogue: a bound all the same, so that no series costs the one who reads them. */
  #refusedCell(cell: RouteCell, decision: Refusal): RefusedCell {
    const found = findRefused(cell, decision);
    if (found !== undefined) return found;
    if (this.#refusedCells < MAX_REFUSED || cell === this.#other) {
      this.#refusedCells++;
      return addRefused(cell, decision);
    }
    return this.#refusedCell(this.#other, decision);
  }

  #cell(route: string, service: string): RouteCell {
    const cell = this.#routes.get(route);
    if (cell !== undefined && cell.service === service) return cell;
    return this.#otherCell(route, service, cell === undefined);
  }

  #otherCell(route: string, service: string, first: boolean): RouteCell {
    const map = first ? this.#routes : this.#moreRoutes;
    const key = first ? route : `${route}\0${service}`;
    const found = map.get(key);
    if (found !== undefined) return found;
    if (this.#routes.size + this.#moreRoutes.size >= MAX_ROUTES) return this.#other;
    const cell = new RouteCell(route, service);
    map.set(key, cell);
    return cell;
  }

  #recordUpstream(x: Exchange): void {
    const name = x.service ?? '';
    let cell = this.#services.get(name);
    if (cell === undefined) this.#services.set(name, (cell = new ServiceCell()));
    cell.byClass[classOf(x.upstream.status ?? 0)]++;
    cell.tries += Math.max(1, x.upstream.tries);
    if (x.upstream.ms !== undefined) cell.duration.observe(x.upstream.ms);
  }

  #connection(listener: string): ConnectionCell {
    let cell = this.#connections.get(listener);
    if (cell === undefined) this.#connections.set(listener, (cell = { opened: 0, closed: 0, refused: new Map() }));
    return cell;
  }

  #requestFamilies(): Family[] {
    const cells = [...this.#routes.values(), ...this.#moreRoutes.values(), this.#other].filter(isUsed);
    const labels = (cell: RouteCell) => ({ route: cell.route, service: cell.service });
    return [
      counter(
        'portcullis_requests_total',
        'Requests by route and outcome; room and code are empty when the request passed, route when none matched.',
        cells.flatMap(requestSeries),
      ),
      histogram(
        'portcullis_request_duration_seconds',
        'Time from the head of the request to the end of the answer.',
        cells.map((cell) => ({ labels: labels(cell), ...cell.duration.snapshot() })),
      ),
      counter(
        'portcullis_request_body_bytes_total',
        'Body bytes received from clients.',
        cells.map((cell) => series(labels(cell), cell.requestBytes)),
      ),
      counter(
        'portcullis_response_body_bytes_total',
        'Body bytes sent to clients.',
        cells.map((cell) => series(labels(cell), cell.responseBytes)),
      ),
    ];
  }

  #upstreamFamilies(): Family[] {
    const cells = [...this.#services];
    return [
      counter(
        'portcullis_upstream_responses_total',
        'Calls to services by the status of the answer; `none` when there was no answer.',
        cells.flatMap(([service, cell]) => byClass(cell.byClass, { service })),
      ),
      counter(
        'portcullis_upstream_tries_total',
        'Tries of calls to services; more than the calls when calls were retried.',
        cells.map(([service, cell]) => series({ service }, cell.tries)),
      ),
      histogram(
        'portcullis_upstream_duration_seconds',
        'Time from the first try of a call to the head of its answer.',
        cells.map(([service, cell]) => ({ labels: { service }, ...cell.duration.snapshot() })),
      ),
    ];
  }

  #connectionFamilies(): Family[] {
    const cells = [...this.#connections];
    return [
      counter(
        'portcullis_connections_total',
        'Connections accepted.',
        cells.map(([listener, cell]) => series({ listener }, cell.opened)),
      ),
      counter(
        'portcullis_connections_refused_total',
        'Connections, and requests on them, that were turned away without an answer, by the code of their records.',
        cells.flatMap(([listener, { refused }]) => [...refused].map(([code, value]) => series({ listener, code }, value))),
      ),
      counter(
        'portcullis_tls_handshakes_total',
        'TLS handshakes that were completed, by protocol version and whether a session was resumed.',
        [...this.#handshakes.values()].map(({ labels, count }) => series(labels, count)),
      ),
      {
        name: 'portcullis_connections',
        help: 'Connections that are open now.',
        type: 'gauge',
        series: cells.map(([listener, cell]) => series({ listener }, cell.opened - cell.closed)),
      },
    ];
  }
}

function isUsed(cell: RouteCell): boolean {
  return cell.duration.count > 0 || cell.refused.size > 0;
}

function outcomeOf(x: Exchange): 'passed' | 'refused' | 'failed' {
  if (x.fault !== undefined) return 'failed';
  if (x.decision !== undefined) return 'refused';
  return x.status >= 500 ? 'failed' : 'passed';
}

/** `status` 0 means that the client got no answer. */
function classOf(status: number): number {
  return status >= 100 && status < 600 ? (status / 100) | 0 : 0;
}

/** A code has its room by the catalogue; the second key is for the rare refusal that says otherwise. */
function findRefused(cell: RouteCell, decision: Refusal): RefusedCell | undefined {
  const found = cell.refused.get(decision.code);
  return found === undefined || found.room === decision.room ? found : cell.refused.get(`${decision.code} ${decision.room}`);
}

function addRefused(cell: RouteCell, { room, code }: Refusal): RefusedCell {
  const made = { room, code, byClass: new Float64Array(STATUS_CLASSES.length) };
  cell.refused.set(cell.refused.has(code) ? `${code} ${room}` : code, made);
  return made;
}

function requestSeries(cell: RouteCell): Series[] {
  const labels = { route: cell.route, service: cell.service };
  const list = byClass(cell.passed, labels, { room: '', code: '' });
  for (const refused of cell.refused.values()) {
    list.push(...byClass(refused.byClass, labels, { room: refused.room, code: refused.code }));
  }
  return list;
}

function byClass(counts: Float64Array, before: Record<string, string>, after: Record<string, string> = {}): Series[] {
  const list: Series[] = [];
  counts.forEach((value, i) => {
    if (value > 0) list.push(series({ ...before, status: STATUS_CLASSES[i], ...after }, value));
  });
  return list;
}

function series(labels: Record<string, string>, value: number): Series {
  return { labels, value };
}

function counter(name: string, help: string, list: Series[]): Family {
  return { name, help, type: 'counter', series: list };
}

function histogram(name: string, help: string, list: Series[]): Family {
  return { name, help, type: 'histogram', bounds: BUCKETS, series: list };
}

function collected(source: MetricSource): Family {
  const { name, help, type, merge } = source;
  return { name, help, type, merge, series: source.collect().map(({ labels, value }) => series(labels, value)) };
}
