import { setTimeout as delay } from 'node:timers/promises';
import type { RedisClientType } from '@redis/client';
import type { Log } from '../../pipeline/stage.ts';
import { StoreError } from '../limit-store.ts';
import type { RedisOptions } from '../options.ts';
import { Instances } from './instances.ts';
import { GCRA, SIGN_OF_LIFE } from './script.ts';

/** Between signs of life while all is well, and how long an instance may be silent before it is counted out. */
const BEAT_MS = 1000;
const SILENT_MS = 5000;

/** A store that says nothing for this long has a new connection made: the old one may be dead without a word. */
const DEAD_MS = 2000;

/** The pause before the next attempt doubles from one to the other; what was up for longer than the last begins anew. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 2000;

export interface LinkParts {
  readonly options: RedisOptions;
  /** Certificates for `rediss://`, PEM. */
  readonly ca: Buffer | undefined;
  /** Name of this gateway among those that share the store. Its workers have the same. */
  readonly instance: string;
  readonly log: Log;
  /** Decisions will be sent from now on. */
  onBack(): void;
  readonly createClient: typeof import('@redis/client').createClient;
}

/** What is sent: a command and its arguments. */
export type Command = readonly string[];

/**
 * The connection to the store, and whether it can be relied on. While it is not `up`, nothing is sent but a sign of life, one at a time:
 * when that is answered in time, it is up. So a store that is away costs no decision any time, and one that comes back is not run down.
 */
export class Link {
  readonly #parts: LinkParts;
  readonly #instances: Instances;
  readonly #closing = new AbortController();
  readonly #tried = Promise.withResolvers<void>();
  #client: RedisClientType | undefined;
  #up = false;
  #upSince = 0;
  #awaySince = performance.now();
  #reason = 'it has not been reached yet';
  #told: string | undefined;
  /** It was up for a moment only. */
  #hasty = false;
  #pause = FIRST_PAUSE_MS;
  /** Ends the rest between two signs of life. */
  #wake: (() => void) | undefined;
  /** Store's time minus ours, in microseconds; at most one round trip too large. */
  #ahead = 0;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#instances = new Instances(parts.options.instances, SILENT_MS);
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
    if (this.#client === undefined) return Promise.reject(new StoreError(this.#reason));
    return this.#client.sendCommand(command);
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
    this.#hasty = performance.now() - this.#upSince < LONGEST_PAUSE_MS;
    this.#down(reason);
    this.#wake?.();
  }

  close(): void {
    this.#closing.abort();
    this.#up = false;
    this.#reason = 'it is not used any more';
    this.#wake?.();
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await this.#session().catch((error: unknown) => this.#down(reasonOf(error)));
      this.#tried.resolve();
      await this.#rest(this.#nextPause());
    }
  }

  /** One connection, until it ends: by an exception, or because nobody uses it any more. */
  async #session(): Promise<void> {
    const client = this.#makeClient();
    const lost = Promise.withResolvers<never>();
    client.on('error', lost.reject);
    client.on('end', () => lost.reject(new Error('the connection was closed')));
    // Nobody may be waiting for it at the moment.
    lost.promise.catch(() => {});
    try {
      // With a time limit: a store that is paused accepts connections and says nothing.
      await this.#answer(client.connect(), lost.promise);
      this.#client = client;
      await this.#answer(client.sendCommand(['SCRIPT', 'LOAD', GCRA.text]), lost.promise);
      while (!this.#closing.signal.aborted) {
        await this.#signOfLife(client, lost.promise);
        await Promise.race([this.#rest(this.#up ? BEAT_MS : this.#nextPause()), lost.promise]);
        // It fails again and again as soon as decisions are sent: it needs a rest.
        if (this.#hasty && !this.#closing.signal.aborted) await Promise.race([this.#rest(this.#nextPause()), lost.promise]);
      }
      // The others need not wait until it is plain that this one is gone. (A worker that stays behind gives a sign again.)
      const { prefix, timeout } = this.#parts.options;
      const leave = client.sendCommand(['ZREM', `{${prefix}}:instances`, this.#parts.instance]);
      await Promise.race([leave, delay(timeout, undefined, { ref: false })]);
    } finally {
      this.#client = undefined;
      client.destroy();
    }
  }

  async #signOfLife(client: RedisClientType, lost: Promise<never>): Promise<void> {
    const { prefix, timeout } = this.#parts.options;
    const { instance } = this.#parts;
    const sent = performance.now();
    const command = ['EVAL', SIGN_OF_LIFE.text, '1', `{${prefix}}:instances`, instance, `${SILENT_MS * 1000}`];
    const [time, count] = (await this.#answer(client.sendCommand(command), lost)) as [number, number];
    const took = performance.now() - sent;
    if (this.#closing.signal.aborted) return;
    this.sync(time, sent);
    if (took > timeout) return this.#down(`it takes longer than ${timeout} ms to answer`);
    this.#instances.told(count, performance.now());
    this.#becomeUp();
  }

  /** The answer, unless it takes too long to believe in it. */
  async #answer(answer: Promise<unknown>, lost: Promise<never>): Promise<unknown> {
    const timer = new AbortController();
    const dead = delay(DEAD_MS, undefined, { signal: timer.signal, ref: false }).then(() => {
      throw new Error(`no answer within ${DEAD_MS} ms`);
    });
    dead.catch(() => {});
    try {
      return await Promise.race([answer, dead, lost]);
    } finally {
      timer.abort();
      answer.catch(() => {});
    }
  }

  #makeClient(): RedisClientType {
    const { options, ca, createClient } = this.#parts;
    const { host, port, tls, username, password, database } = options;
    return createClient({
      // Each connection is a client of its own: when and how often one is made is decided here, in one place.
      socket: { host, port, connectTimeout: DEAD_MS, reconnectStrategy: false, ...(tls ? { tls: true, ca } : {}) },
      username,
      password,
      database,
      name: 'portcullis',
      disableOfflineQueue: true,
      disableClientInfo: true,
      maintNotifications: 'disabled',
      // One timer for each command would cost more than all the rest; the store of limits has one for all.
      commandOptions: { timeout: undefined },
    }) as unknown as RedisClientType;
  }

  #becomeUp(): void {
    this.#tried.resolve();
    if (this.#up) {
      if (performance.now() - this.#upSince > LONGEST_PAUSE_MS) this.#pause = FIRST_PAUSE_MS;
      return;
    }
    this.#up = true;
    this.#parts.onBack();
    this.#hasty = false;
    this.#upSince = performance.now();
    if (this.#told !== undefined)
      this.#parts.log.info('the store is back', { away_ms: Math.round(this.#upSince - this.#awaySince) });
    this.#told = undefined;
  }

  #down(reason: string): void {
    if (this.#closing.signal.aborted) return;
    if (this.#up) this.#awaySince = performance.now();
    this.#up = false;
    this.#reason = reason;
    this.#instances.away();
    if (this.#told === reason) return;
    // An outage has few reasons, and each is told once in a row.
    this.#told = reason;
    this.#parts.log.warn('the store is away: limits do what their `when-store-fails` says', { reason });
  }

  /** At random between the half and the whole, so that instances that lost the store together do not come back together. */
  #nextPause(): number {
    const pause = this.#pause * (0.5 + Math.random() / 2);
    this.#pause = Math.min(LONGEST_PAUSE_MS, this.#pause * 2);
    return pause;
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** What an error says, in one line; errors of several addresses hold theirs inside. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message.split(/\n| script: /, 1)[0] || error.name : 'unknown';
}
