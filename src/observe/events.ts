import type { Refusal } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import {
  escapeHarmful,
  formatCaller,
  formatDecision,
  formatHttp,
  formatWireHttp,
  isoTime,
  quote,
  type WireRefusal,
} from './access-record.ts';
import { BUDGET, type BudgetOptions, EventBudget, type Suppressed } from './event-budget.ts';
import { classOfRefusal, type EventClass, type HouseEvent, houseEvents, isHouseEvent } from './event-codes.ts';
import type { Family } from './exposition.ts';
import type { LineWriter } from './line-writer.ts';
import type { Redaction } from './redact.ts';
import type { EventStatus } from './status.ts';

/** The last events that a status page can show. */
const REMEMBERED = 50;
const SWEEP_MS = 5000;
const LONGEST_DETAIL = 8192;

export interface EventParts {
  /** Where they go; undefined: nowhere, and only the last ones are remembered. */
  writer(): LineWriter | undefined;
  redaction(): Redaction;
  readonly budget?: BudgetOptions;
  readonly now?: () => number;
}

/**
 * Security events: one line for each decision against a request, and for what happens to the gateway's own keys, certificates, stores and
 * configuration. Most requests cause none. How many there may be is bounded, see `event-budget.ts`.
 *
 * The names of members are those of the access record, so that one question finds both; `event` is the field set of the Elastic Common
 * Schema.
 */
export class Events {
  readonly #parts: EventParts;
  readonly #now: () => number;
  readonly #budget: EventBudget;
  readonly #told = new Map<string, number>();
  readonly #last: EventStatus[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(parts: EventParts) {
    this.#parts = parts;
    this.#now = parts.now ?? (() => performance.now());
    this.#budget = new EventBudget(parts.budget ?? BUDGET);
    this.#timer = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  /** A request that a room refused. */
  refused(x: Exchange, refusal: Refusal): void {
    const kind = classOfRefusal(refusal.code);
    if (kind === undefined || !this.#budget.take(refusal.code, x.clientAddress, this.#now())) return;
    const redaction = this.#parts.redaction();
    const client = redaction.address(x.clientAddress);
    const { caller, route, service } = x;
    this.#remember({ room: refusal.room, code: refusal.code, route, client, caller: caller?.name, request_id: x.id });
    this.#parts
      .writer()
      ?.write(
        `${head(x.time, refusal.code, kind, 'denied', 'failure')},"request_id":${quote(x.id)}` +
          (x.traceId === '' ? '' : `,"trace_id":${quote(x.traceId)}`) +
          `,"listener":${quote(x.connection.listener)},"client":{"address":${quote(client)}}` +
          formatHttp(x, redaction) +
          (route === undefined ? '' : `,"route":${quote(route)}`) +
          (service === undefined ? '' : `,"service":${quote(service)}`) +
          (caller === undefined ? '' : formatCaller(caller, redaction.hidesSubject)) +
          `${formatDecision(refusal)}}`,
      );
  }

  /** One that was refused before it had a head. */
  refusedWire(w: WireRefusal): void {
    const { code, room } = w.refusal;
    const kind = classOfRefusal(code);
    if (kind === undefined || !this.#budget.take(code, w.connection.peerAddress, this.#now())) return;
    const redaction = this.#parts.redaction();
    const client = redaction.address(w.connection.peerAddress);
    this.#remember({ room, code, client, request_id: w.id });
    this.#parts
      .writer()
      ?.write(
        `${head(w.time, code, kind, 'denied', 'failure')},"request_id":${quote(w.id)},"listener":${quote(w.connection.listener)}` +
          `,"client":{"address":${quote(client)}}${formatWireHttp(w, redaction)}${formatDecision(w.refusal)}}`,
      );
  }

  /** Something that happened to the gateway itself. */
  house(name: HouseEvent, message: string, detail: Readonly<Record<string, unknown>>): void {
    const { address, ...rest } = detail;
    const about = typeof address === 'string' ? address : name;
    if (!this.#budget.take(name, about, this.#now())) return;
    const client = typeof address === 'string' ? this.#parts.redaction().address(address) : undefined;
    const kind = houseEvents[name];
    this.#remember({ room: 'gateway', code: name, client });
    this.#parts
      .writer()
      ?.write(
        `${head(Date.now(), name, kind, 'changed', kind.outcome)},"message":${quote(message)}` +
          (client === undefined ? '' : `,"client":{"address":${quote(client)}}`) +
          `,"detail":${detailText(rest)},"pid":${process.pid}}`,
      );
  }

  /** The last ones, newest first. */
  recent(): EventStatus[] {
    return this.#last.toReversed();
  }

  /** What can be measured of them. */
  families(): Family[] {
    const told = [...this.#told].map(([code, value]) => ({ labels: { code }, value }));
    const suppressed = [{ labels: {}, value: this.#budget.suppressed }];
    return [
      { name: 'portcullis_events_total', help: 'Security events by code.', type: 'counter', series: told },
      { name: 'portcullis_events_suppressed_total', help: SUPPRESSED, type: 'counter', series: suppressed },
    ];
  }

  /** Tells how many events were not told, of windows that are over by then. */
  sweep(now = this.#now()): void {
    for (const one of this.#budget.sweep(now)) this.#tellSuppressed(one);
  }

  /** Ends the timer; the numbers of what was not told yet are told. */
  close(): void {
    clearInterval(this.#timer);
    this.sweep(Number.POSITIVE_INFINITY);
  }

  #tellSuppressed({ code, about, count }: Suppressed): void {
    const kind = isHouseEvent(code) ? houseEvents[code] : classOfRefusal(code);
    const writer = this.#parts.writer();
    if (kind === undefined || writer === undefined) return;
    const client = about === '' || about === code ? '' : this.#parts.redaction().address(about);
    writer.write(
      `${head(Date.now(), code, kind, 'suppressed', 'failure')}` +
        (client === '' ? '' : `,"client":{"address":${quote(client)}}`) +
        `,"suppressed":${count}}`,
    );
  }

  #remember(event: Omit<EventStatus, 'time'>): void {
    this.#told.set(event.code, (this.#told.get(event.code) ?? 0) + 1);
    this.#last.push({ time: new Date().toISOString(), ...event });
    if (this.#last.length > REMEMBERED) this.#last.shift();
  }
}

const SUPPRESSED =
  'Security events beyond what may be told of one kind from one address in a minute, or in all in a second. The events tell their number.';

type Action = 'denied' | 'changed' | 'suppressed';

function head(
  time: number,
  code: string,
  { category, severity }: EventClass,
  action: Action,
  outcome: 'success' | 'failure',
): string {
  return (
    `{"time":"${isoTime(time)}","event":{"kind":"${severity === 'high' ? 'alert' : 'event'}","category":"${category}"` +
    `,"action":"${action}","code":"${code}","outcome":"${outcome}","severity":"${severity}"}`
  );
}

function detailText(detail: Record<string, unknown>): string {
  try {
    const text = JSON.stringify(detail, (_, value: unknown) => (value instanceof Error ? value.message : value));
    return text.length > LONGEST_DETAIL ? '{}' : escapeHarmful(text);
  } catch {
    return '{}';
  }
}

/**
 * Where lines of the log that carry `event: NAME` go besides: behind all redaction, so that an event holds nothing that the log does not.
 * One for each process, made before anybody knows where events are to be written.
 */
export class EventSink {
  target: Events | undefined;

  tell(message: string, fields: Record<string, unknown> | undefined): void {
    const { event, ...detail } = fields ?? {};
    if (isHouseEvent(event)) this.target?.house(event, message, detail);
  }
}
