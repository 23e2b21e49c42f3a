import type { Exchange } from '../exchange/exchange.ts';
import type { Log } from '../pipeline/stage.ts';
import type { Family, MetricsSnapshot } from './exposition.ts';
import { formatRecord, formatWireRefusal, type WireRefusal } from './access-record.ts';
import { Events } from './events.ts';
import { LineWriter } from './line-writer.ts';
import { Metrics } from './metrics.ts';
import type { ObserveOptions } from './options.ts';
import { registerProcess, watchLoop } from './process-metrics.ts';
import { Redaction } from './redact.ts';
import type { EventStatus } from './status.ts';

export type { WireRefusal } from './access-record.ts';
export {
  countersOf,
  EXPOSITION_TYPE,
  type Family,
  mergeSnapshots,
  type MetricsSnapshot,
  render,
  type Series,
} from './exposition.ts';
export { type Events, EventSink } from './events.ts';
export { createLog } from './log.ts';
export type { Metrics } from './metrics.ts';
export type { ObserveOptions } from './options.ts';
export { Redaction } from './redact.ts';

/**
 * The last room. It sees every request once, when all is over: after an answer, a refusal, a fault, or a client that left.
 * Nothing in it can fail a request: it returns at once, and a defect of ours in it is logged and swallowed.
 *
 * One object per process. It outlives reloads as long as its options are the same.
 */
export interface Observe {
  /** Counts the request and writes its record. */
  record(x: Exchange): void;
  /** The same for a request that was refused before it had a head. */
  recordWire(refusal: WireRefusal): void;
  readonly metrics: Metrics;
  readonly events: Events;
  /** The last security events, newest first. */
  recentEvents(): EventStatus[];
  /** What is personal from now on. */
  redact(redaction: Redaction): void;
  /** SIGUSR2: opens the file anew. */
  reopen(): void;
  /** Writes what is still in memory; waits two seconds at most. */
  close(): Promise<void>;
  /** For a process that is about to die: writes what it can, synchronously. */
  flushSync(): void;
}

export interface ObserveExtra {
  /** Other processes write to the same target. */
  readonly shared?: boolean;
  /** Counters that are carried on when options change and the object is made anew. */
  readonly metrics?: Metrics;
}

/** Opens the files. Paths in `options` must be absolute, or relative to the working directory. */
export function createObserve(options: ObserveOptions, log: Log, extra: ObserveExtra = {}): Observe {
  return new Observer(options, log, extra);
}

/** The events of a process that serves no requests: what happens to the gateway as a whole. */
export interface HouseEvents {
  readonly events: Events;
  snapshot(): MetricsSnapshot;
  reopen(): void;
  close(): Promise<void>;
  flushSync(): void;
}

/** Opens the file of events alone. */
export function openEvents(options: ObserveOptions, log: Log): HouseEvents {
  const observe = createObserve({ ...options, access: 'off' }, log, { shared: true });
  const own = (family: Family) => family.name.startsWith('portcullis_events_');
  return {
    events: observe.events,
    snapshot: () => ({ families: observe.metrics.snapshot().families.filter(own) }),
    reopen: () => observe.reopen(),
    close: () => observe.close(),
    flushSync: () => observe.flushSync(),
  };
}

class Observer implements Observe {
  readonly metrics: Metrics;
  readonly events: Events;
  readonly #access: LineWriter | undefined;
  readonly #security: LineWriter | undefined;
  readonly #log: Log;
  readonly #endLoopWatch: () => void;
  #redaction: Redaction;
  #defectLogged = false;

  constructor(options: ObserveOptions, log: Log, extra: ObserveExtra) {
    this.#log = log;
    this.#redaction = new Redaction(options.redact);
    // Both may go to one target.
    const shared = extra.shared === true || options.access === options.events;
    this.#access = makeWriter(options.access, options, log, shared);
    this.#security = makeWriter(options.events, options, log, shared);
    this.metrics = extra.metrics ?? new Metrics();
    this.events = new Events({ writer: () => this.#security, redaction: () => this.#redaction });
    registerProcess(this.metrics);
    this.#endLoopWatch = watchLoop(this.metrics.loopDelay);
    if (this.#access !== undefined) this.metrics.watchLog('access', this.#access);
    if (this.#security !== undefined) this.metrics.watchLog('events', this.#security);
    this.metrics.watchEvents(this.events);
  }

  record(x: Exchange): void {
    try {
      const now = performance.now();
      this.metrics.record(x, now - x.began, now);
      if (this.#access !== undefined) this.#access.write(formatRecord(x, now, this.#redaction));
      if (x.decision !== undefined) this.events.refused(x, x.decision);
    } catch (error) {
      this.#defect(error);
    }
  }

  recordWire(refusal: WireRefusal): void {
    try {
      const now = performance.now();
      const status = refusal.status ?? refusal.refusal.status;
      const { requestBytes, responseBytes } = refusal;
      this.metrics.recordWire(refusal.refusal, status, now - refusal.began, requestBytes, responseBytes, now);
      if (this.#access !== undefined) this.#access.write(formatWireRefusal(refusal, now, this.#redaction));
      this.events.refusedWire(refusal);
    } catch (error) {
      this.#defect(error);
    }
  }

  recentEvents(): EventStatus[] {
    return this.events.recent();
  }

  redact(redaction: Redaction): void {
    this.#redaction = redaction;
  }

  reopen(): void {
    this.#access?.reopen();
    this.#security?.reopen();
  }

  async close(): Promise<void> {
    this.#endLoopWatch();
    this.events.close();
    await Promise.all([this.#access?.close(), this.#security?.close()]);
    if (this.#access !== undefined) this.metrics.forgetLog('access', this.#access);
    if (this.#security !== undefined) this.metrics.forgetLog('events', this.#security);
    this.metrics.forgetEvents(this.events);
  }

  flushSync(): void {
    this.#access?.flushSync();
    this.#security?.flushSync();
  }

  /** Once: a defect here would repeat with every request. */
  #defect(error: unknown): void {
    if (this.#defectLogged) return;
    this.#defectLogged = true;
    this.#log.error('an access record could not be made', { error });
  }
}

function makeWriter(target: string, { rotate }: ObserveOptions, log: Log, shared: boolean): LineWriter | undefined {
  if (target === 'off') return undefined;
  if (target === 'stdout') return new LineWriter({ target: 1, shared }, log);
  return new LineWriter({ target, shared, rotate: rotate === false ? undefined : rotate }, log);
}
