import { hash } from 'node:crypto';
import type { Bucket, LimitStore, Rate, Verdict } from '../limit-store.ts';
import type { Debts } from '../debts.ts';
import type { StoreStats } from '../store-stats.ts';
import { type Decision, Waiting } from '../waiting.ts';
import { type Link, reasonOf } from './link.ts';
import { GCRA } from './script.ts';

/** Microseconds of now and two of these are still whole numbers to Lua: a rest of a year, if one looks for it. */
const LONGEST = 2 ** 51;

/** First member of the script's reply, see there. */
const TOO_LATE = -1;
const TAKEN = 1;

export interface RedisLimitStoreParts {
  readonly link: Link;
  readonly options: { readonly timeout: number; readonly prefix: string };
  readonly stats: StoreStats;
  readonly debts: Debts;
}

/**
 * Limits counted in Redis or Valkey, exactly: every decision is one call of one script for all buckets of the request. What is not
 * answered in time rejects; the store knows until when somebody waits, and does not charge for it later.
 */
export class RedisLimitStore implements LimitStore {
  readonly #link: Link;
  readonly #timeout: number;
  readonly #prefix: string;
  readonly #waiting: Waiting;
  readonly #debts: Debts;
  readonly #places = new Places();

  constructor({ link, options, stats, debts }: RedisLimitStoreParts) {
    this.#link = link;
    this.#debts = debts;
    this.#timeout = options.timeout;
    // The braces put all keys into one slot of a Redis Cluster, as the keys of one script must be.
    this.#prefix = `{${options.prefix}}:`;
    this.#waiting = new Waiting(options.timeout, stats, () => link.fail(`it takes longer than ${options.timeout} ms to answer`));
  }

  take(buckets: readonly Bucket[]): Promise<readonly Verdict[]> {
    if (!this.#link.up) return this.#waiting.refuse('away', `the store is away: ${this.#link.reason}`);
    if (this.#waiting.full) return this.#waiting.refuse('busy', 'too many decisions wait for the store');
    return this.#waiting.begin(buckets, this.#sendFirst);
  }

  close(): Promise<void> {
    this.#link.close();
    this.#waiting.close('the store is not used any more');
    return Promise.resolve();
  }

  readonly #sendFirst = (decision: Decision): void => this.#send(decision, 'EVALSHA', GCRA.sha);

  #send(decision: Decision, command: string, script: string): void {
    const { buckets, begun } = decision;
    const args = [command, script, `${buckets.length}`];
    for (const { limit, key } of buckets) args.push(`${this.#prefix}${limit}:${this.#places.of(key)}`);
    args.push(`${this.#link.storeTime(begun + this.#timeout)}`);
    const sent = performance.now();
    for (const { rate } of buckets) args.push(`${intervalOf(rate)}`, `${roomOf(rate)}`);
    if (!this.#debts.settled) this.#tell(args, decision, sent);
    this.#link.send(args).then(
      (reply) => this.#answered(decision, reply as number[], sent),
      (error: Error) => this.#broken(decision, error),
    );
  }

  /** What the store may not know, because it was away. */
  #tell(args: string[], decision: Decision, now: number): void {
    for (const bucket of decision.buckets) {
      const owed = Math.ceil(this.#debts.owed(bucket, now) * 1000);
      const more = this.#debts.takeMore(bucket);
      if (more > 0) (decision.more ??= new Map()).set(bucket, more);
      args.push(`${owed}`, `${Math.ceil(more * 1000)}`);
    }
  }

  /** The store does not know what this decision was to tell it. */
  #untold(decision: Decision): void {
    for (const [bucket, more] of decision.more ?? []) this.#debts.putBack(bucket, more);
    decision.more = undefined;
  }

  #answered(decision: Decision, reply: readonly number[], sent: number): void {
    if (reply[0] === TOO_LATE) this.#untold(decision);
    else {
      const verdicts = decision.buckets.map(({ rate }, i) => verdictOf(rate, reply[i + 1], reply[0] === TAKEN));
      this.#debts.note(decision.buckets, verdicts);
      return this.#waiting.settle(decision, verdicts);
    }
    if (decision.settled) return;
    // In time by our clock and too late by the store's, which has been set. From its answer we know by how much.
    this.#link.sync(reply[1], sent);
    if (decision.again) return this.#waiting.fail(decision, 'error', "the store's clock jumps");
    decision.again = true;
    this.#send(decision, 'EVALSHA', GCRA.sha);
  }

  #broken(decision: Decision, error: Error): void {
    this.#untold(decision);
    if (decision.settled) return;
    // Somebody made the store forget its scripts. Sent in full, it keeps this one again.
    if (error.message.startsWith('NOSCRIPT') && !decision.again) {
      decision.again = true;
      return this.#send(decision, 'EVAL', GCRA.text);
    }
    this.#waiting.fail(decision, 'error', `the store failed: ${reasonOf(error)}`);
    this.#link.fail(reasonOf(error));
  }
}

const MOST_PLACES = 4096;

/** Bucket keys may hold the value of a header, and a store shows its keys to whoever may look into it. */
class Places {
  /** Those who call often: hashing is what costs most here. Bounded; whoever invents keys only makes them hashed again. */
  readonly #known = new Map<string, string>();

  of(key: string): string {
    return this.#known.get(key) ?? this.#learn(key);
  }

  #learn(key: string): string {
    const place = hash('sha256', key, 'base64url').slice(0, 22);
    if (this.#known.size >= MOST_PLACES) this.#known.clear();
    // A copy: a key cut out of a head would keep all of that head's text in memory.
    this.#known.set(Buffer.from(key).toString(), place);
    return place;
  }
}

/** Microseconds between two requests, rounded up, so that no limit is passed. Above 50,000 a second that takes more than 5 % off. */
function intervalOf({ interval }: Rate): number {
  return Math.min(LONGEST, Math.max(1, Math.ceil(interval * 1000)));
}

function roomOf(rate: Rate): number {
  return Math.min(LONGEST, intervalOf(rate) * Math.max(1, Math.floor(rate.burst)));
}

/** What a debt in microseconds means, the bucket's own: after the request was taken, or as it was when it is refused. */
function verdictOf(rate: Rate, debt: number, taken: boolean): Verdict {
  const interval = intervalOf(rate);
  const left = roomOf(rate) - debt;
  return {
    allowed: taken || left >= interval,
    remaining: Math.max(0, Math.floor(left / interval)),
    retryAfter: left >= interval ? 0 : (interval - left) / 1000,
    reset: debt / 1000,
  };
}
