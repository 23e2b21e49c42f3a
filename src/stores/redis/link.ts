import type { Log } from '../../pipeline/stage.ts';
import { StoreError } from '../limit-store.ts';
import { type Command, Connection, type ConnectionParts } from './connection.ts';
import { Instances } from './instances.ts';
import { GCRA, SIGN_OF_LIFE } from './script.ts';

/** Between signs of life while all is well, and how long an instance may be silent before it is counted out. */
const BEAT_MS = 250;
const SILENT_MS = 5000;

/** The pause before the next attempt doubles from one to the other; what was up for longer than `STEADY_MS` begins anew. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
const STEADY_MS = 2000;

/** When no instance has given a sign for this long, the store was away from all; they come back together, this much later. */
const QUIET_MS = 1000;
const TOGETHER_MS = 700;

export interface LinkParts extends ConnectionParts {
  /** Name of this gateway among those that share the store. Its workers have the same. */
  readonly instance: string;
  readonly log: Log;
  /** No decision is sent from now on; then again, while the others have sent theirs for so many milliseconds. */
  onAway(): void;
  onBack(others: number): void;
}

/**
 * The connection to the store, and whether it can be relied on. While it is not `up`, nothing is sent but a sign of life, one at a time:
 * when that is answered in time, it is up. So a store that is away costs no decision any time, and one that comes back is not run down.
 *
 * Instances that lost it together go back to it at one moment of its clock: as long as one counts its share by itself, none may have the
 * whole limit from the store.
 */
export class Link {
  readonly #parts: LinkParts;
  readonly #instances: Instances;
  readonly #tried = Promise.withResolvers<void>();
  readonly #signOfLife: Command;
  #connection: Connection | undefined;
  #closed = false;
  /** It was up when it was closed. */
  #leaves = false;
  #up = false;
  #upSince = 0;
  #awaySince = performance.now();
  #reason = 'it has not been reached yet';
  /** The reason that the log has heard; undefined while there is nothing to tell. */
  #told: string | undefined;
  /** It was up for a moment only. */
  #hasty = false;
  #pause = FIRST_PAUSE_MS;
  /** Milliseconds until all go on together; the next sign of life comes then. */
  #together = 0;
  /** Store's time minus ours, in microseconds; at most one round trip too large. */
  #ahead = 0;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#instances = new Instances(parts.options.instances, SILENT_MS);
    const keys = [this.#key('instances'), this.#key('together')];
    const times = [SILENT_MS, QUIET_MS, TOGETHER_MS].map((ms) => `${ms * 1000}`);
    this.#signOfLife = ['EVAL', SIGN_OF_LIFE.text, '2', ...keys, parts.instance, ...times];
    void this.#run();
  }

  /** Decisions may be sent. */
  get up(): boolean {
    return this.#up;
  }

  /** Why it is not. */
  get reason(): string {
    return this.#reason;
  }

  instances(): number {
    return this.#instances.count;
  }

  /** Settles when the first attempt has succeeded or failed. */
  get tried(): Promise<void> {
    return this.#tried.promise;
  }

  send(command: Command): Promise<unknown> {
    return this.#connection?.send(command) ?? Promise.reject(new StoreError(this.#reason));
  }

  /** Microseconds of the store's clock at that moment of `performance.now()`. */
  storeTime(ms: number): number {
    return Math.round(ms * 1000 + this.#ahead);
  }

  /** The store said that it was `time` in answer to what was sent at `sent`. */
  sync(time: number, sent: number): void {
    this.#ahead = time - sent * 1000;
  }

  /** Somebody waited too long or got an error: nothing more is sent until a sign of life is answered. */
  fail(reason: string): void {
    if (!this.#up) return;
    this.#hasty = performance.now() - this.#upSince < STEADY_MS;
    this.#down(reason);
    this.#connection?.wake();
  }

  close(): void {
    this.#closed = true;
    this.#leaves = this.#up;
    this.#up = false;
    this.#reason = 'it is not used any more';
    this.#connection?.wake();
  }

  #key(name: string): string {
    return `{${this.#parts.options.prefix}}:${name}`;
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      await this.#session().catch((error: unknown) => this.#down(reasonOf(error)));
      this.#tried.resolve();
      await pause(this.#nextPause());
    }
  }

  /** One connection, until it ends: by an exception, or because nobody uses it any more. */
  async #session(): Promise<void> {
    const connection = await Connection.open(this.#parts);
    try {
      this.#connection = connection;
      await connection.ask(['SCRIPT', 'LOAD', GCRA.text]);
      while (!this.#closed) {
        await this.#giveSign(connection);
        await connection.rest(this.#up ? BEAT_MS : this.#together || this.#nextPause());
        // It fails again and again as soon as decisions are sent: it needs a rest.
        if (this.#hasty && !this.#up && !this.#closed) await connection.rest(this.#nextPause());
      }
      // The others need not wait until it is plain that this one is gone. (A worker that stays behind gives a sign again.)
      if (this.#leaves) await connection.ask(['ZREM', this.#key('instances'), this.#parts.instance]);
    } finally {
      this.#connection = undefined;
      connection.close();
    }
  }

  async #giveSign(connection: Connection): Promise<void> {
    const sent = performance.now();
    const [time, count, together] = (await connection.ask(this.#signOfLife)) as number[];
    const took = performance.now() - sent;
    this.#together = 0;
    if (this.#closed) return;
    this.sync(time, sent);
    const { timeout } = this.#parts.options;
    if (took > timeout) return this.#down(`it takes longer than ${timeout} ms to answer`);
    this.#instances.told(count, performance.now());
    const others = (time - together) / 1000 + took;
    if (others < 0 && this.#hasCounted) this.#wait(-others);
    else this.#becomeUp(Math.max(0, others));
  }

  /** Others share the store, and this one may have counted by itself. */
  get #hasCounted(): boolean {
    return this.#instances.count > 1 && (this.#up || this.#told !== undefined);
  }

  #wait(ms: number): void {
    this.#together = ms;
    this.#down('it was away from all, who go back to it together');
  }

  /** `others`: milliseconds since the last time at which all went on together; a very large number when that is long ago. */
  #becomeUp(others: number): void {
    this.#tried.resolve();
    const now = performance.now();
    if (this.#up) {
      if (now - this.#upSince > STEADY_MS) this.#pause = FIRST_PAUSE_MS;
      return;
    }
    this.#up = true;
    this.#upSince = now;
    this.#hasty = false;
    this.#parts.onBack(Math.min(now - this.#awaySince, others));
    if (this.#told === undefined) return;
    this.#told = undefined;
    this.#parts.log.info('the store is back', { event: 'store-back', away_ms: Math.round(now - this.#awaySince) });
  }

  #down(reason: string): void {
    if (this.#closed) return;
    if (this.#up) {
      this.#awaySince = performance.now();
      this.#parts.onAway();
    }
    this.#up = false;
    this.#reason = reason;
    this.#instances.away();
    if (this.#told === reason) return;
    // An outage has few reasons, and each is told once in a row.
    this.#told = reason;
    this.#parts.log.warn('the store is away', { event: 'store-lost', reason });
  }

  /** At random between the half and the whole, so that instances that lost the store together do not knock together. */
  #nextPause(): number {
    const ms = this.#pause * (0.5 + Math.random() / 2);
    this.#pause = Math.min(LONGEST_PAUSE_MS, this.#pause * 2);
    return ms;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

/** What an error says, in one line; errors of several addresses hold theirs inside. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message.split(/\n| script: /, 1)[0] || error.name : 'unknown';
}
