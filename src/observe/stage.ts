import type { Exchange } from '../exchange/exchange.ts';
import type { Log } from '../pipeline/stage.ts';
import { formatRecord, formatWireRefusal, type WireRefusal } from './access-record.ts';
import { LineWriter } from './line-writer.ts';
import { Metrics } from './metrics.ts';
import type { ObserveOptions } from './options.ts';
import { registerProcess } from './process-metrics.ts';

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
export { createLog } from './log.ts';
export type { Metrics, Source } from './metrics.ts';
export type { ObserveOptions } from './options.ts';

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

/** Opens the access record. `options.access` must be an absolute path, or relative to the working directory. */
export function createObserve(options: ObserveOptions, log: Log, extra: ObserveExtra = {}): Observe {
  return new Observer(options, log, extra);
}

class Observer implements Observe {
  readonly metrics: Metrics;
  readonly #writer: LineWriter | undefined;
  readonly #log: Log;
  #defectLogged = false;

  constructor(options: ObserveOptions, log: Log, extra: ObserveExtra) {
    this.#log = log;
    this.#writer = makeWriter(options, log, extra.shared ?? false);
    this.metrics = extra.metrics ?? new Metrics();
    registerProcess(this.metrics);
    if (this.#writer !== undefined) this.metrics.watchLog(this.#writer);
  }

  record(x: Exchange): void {
    try {
      const now = performance.now();
      this.metrics.record(x, now - x.began);
      if (this.#writer !== undefined) this.#writer.write(formatRecord(x, now));
    } catch (error) {
      this.#defect(error);
    }
  }

  recordWire(refusal: WireRefusal): void {
    try {
      const now = performance.now();
      const status = refusal.status ?? refusal.refusal.status;
      this.metrics.recordWire(refusal.refusal, status, now - refusal.began, refusal.requestBytes, refusal.responseBytes);
      if (this.#writer !== undefined) this.#writer.write(formatWireRefusal(refusal, now));
    } catch (error) {
      this.#defect(error);
    }
  }

  reopen(): void {
    this.#writer?.reopen();
  }

  async close(): Promise<void> {
    if (this.#writer === undefined) return;
    await this.#writer.close();
    this.metrics.forgetLog(this.#writer);
  }

  flushSync(): void {
    this.#writer?.flushSync();
  }

  /** Once: a defect here would repeat with every request. */
  #defect(error: unknown): void {
    if (this.#defectLogged) return;
    this.#defectLogged = true;
    this.#log.error('an access record could not be made', { error });
  }
}

function makeWriter(options: ObserveOptions, log: Log, shared: boolean): LineWriter | undefined {
  if (options.access === 'off') return undefined;
  if (options.access === 'stdout') return new LineWriter({ target: 1, shared }, log);
  return new LineWriter({ target: options.access, shared, rotate: options.rotate === false ? undefined : options.rotate }, log);
}
