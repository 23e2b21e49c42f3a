import type { CatalogueCode, Refusal } from '../exchange/decision.ts';
import type { ConnectionInfo } from '../exchange/exchange.ts';
import { newRequestId } from '../exchange/trace-context.ts';

/** As much of a request as was read before it was turned away. */
export interface ReadPart {
  readonly method?: string;
  readonly rawTarget?: string;
  readonly host?: string;
  readonly version?: string;
}

/** The record of somebody who was turned away without an answer. */
export interface TurnedAwayRecord extends ReadPart {
  readonly id: string;
  readonly time: number;
  readonly began: number;
  readonly connection: ConnectionInfo;
  readonly refusal: Refusal;
  readonly status: 0;
  readonly requestBytes: 0;
  readonly responseBytes: 0;
}

/** Who counts and records. */
export interface Doorman {
  /** Called for everyone who is turned away. */
  refused(listener: string, code: CatalogueCode): void;
  /** Called for as many of them as may have a record. */
  record(record: TurnedAwayRecord): void;
}

/** Records in one second: enough to see who it is, and no way to fill a disk by opening connections. */
const PER_SECOND = 10;

/**
 * Connections and requests of one listener that are turned away without an answer. All are counted, a few in each second are recorded: whoever
 * makes a flood of them must not make one of records. The next record tells how many had none.
 */
export class TurnedAway {
  readonly #doorman: Doorman;
  #second = 0;
  #recorded = 0;
  #silent = 0;

  constructor(doorman: Doorman) {
    this.#doorman = doorman;
  }

  /** Without a record. */
  count({ listener }: ConnectionInfo, code: CatalogueCode): void {
    this.#doorman.refused(listener, code);
  }

  /** @param began - `performance.now()` when the connection was opened, or its request had come */
  note(connection: ConnectionInfo, refusal: Refusal, began: number, part?: ReadPart): void {
    this.count(connection, refusal.code);
    const now = performance.now();
    if (!this.#mayRecord(now)) {
      this.#silent++;
      return;
    }
    const time = Date.now() - (now - began);
    const nothing = { status: 0, requestBytes: 0, responseBytes: 0 } as const;
    const told = this.#withSilent(refusal);
    this.#doorman.record({ ...part, id: newRequestId(), time, began, connection, refusal: told, ...nothing });
  }

  #mayRecord(now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#recorded = 0;
    }
    return this.#recorded++ < PER_SECOND;
  }

  #withSilent(refusal: Refusal): Refusal {
    if (this.#silent === 0) return refusal;
    const reason = `${refusal.reason} (${this.#silent} more were turned away without a record)`;
    this.#silent = 0;
    return { ...refusal, reason };
  }
}
