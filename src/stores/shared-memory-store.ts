import { Debts } from './debts.ts';
import type { Bucket, LimitStore, Verdict } from './limit-store.ts';
import { type LimitsAsked, type LimitsDecided, machineTime, packBuckets, unpackVerdicts } from './shared-memory-messages.ts';
import { StoreStats } from './store-stats.ts';
import { type Decision, Waiting } from './waiting.ts';

/** The primary decides within this time, or is too slow to be relied on. */
const TIMEOUT_MS = 50;

/** Decisions that were sent together. */
interface Batch {
  readonly number: number;
  readonly decisions: readonly Decision[];
}

/**
 * A worker's end: limits are counted in the memory of the primary process. The decisions of one turn of the event loop go together, as
 * one message costs as much as many. Messages of both ways keep their order, so a primary that answered anything is there.
 */
export class SharedMemoryStore implements LimitStore {
  readonly stats = new StoreStats();
  readonly debts = new Debts();
  readonly #send: (message: LimitsAsked) => boolean;
  readonly #waiting: Waiting;
  readonly #sent: Batch[] = [];
  #collected: Decision[] = [];
  #number = 0;
  /** The primary is too slow or stands still; it is left alone until it has answered what it was asked. */
  #away = false;
  #size: number | undefined;

  /** `send` is false when there is nobody to send to. */
  constructor(send: (message: LimitsAsked) => boolean, timeout = TIMEOUT_MS) {
    this.#send = send;
    this.#waiting = new Waiting(timeout, this.stats, () => this.#late());
  }

  get up(): boolean {
    return !this.#away;
  }

  /** Buckets that the primary keeps for all workers, as it said last. */
  get size(): number | undefined {
    return this.#size;
  }

  take(buckets: readonly Bucket[]): Promise<readonly Verdict[]> {
    if (this.#away) return this.#waiting.refuse('away', 'the primary process does not answer');
    if (this.#waiting.full) return this.#waiting.refuse('busy', 'too many decisions wait for the primary process');
    return this.#waiting.begin(buckets, this.#collect);
  }

  /** The primary has answered. */
  receive({ number, packed, size }: LimitsDecided): void {
    this.#size = size ?? this.#size;
    if (this.#away) this.debts.storeIsBack(0, 1);
    this.#away = false;
    let batch = this.#sent.shift();
    // One that it broke on has no answer.
    while (batch !== undefined && batch.number < number) batch = this.#sent.shift();
    if (batch === undefined) return;
    let at = 0;
    for (const decision of batch.decisions) {
      const count = decision.buckets.length;
      if (at + count > packed.length / 4) break;
      const verdicts = unpackVerdicts(packed, at, count);
      this.debts.note(decision.buckets, verdicts);
      this.#waiting.settle(decision, verdicts);
      at += count;
    }
  }

  #late(): void {
    if (this.#sent.length === 0) return;
    this.#away = true;
    this.debts.storeIsAway();
  }

  readonly #collect = (decision: Decision): void => {
    if (this.#collected.length === 0) setImmediate(this.#flush);
    this.#collected.push(decision);
  };

  readonly #flush = (): void => {
    const decisions = this.#collected;
    this.#collected = [];
    const packed: (string | number)[] = [];
    for (const { buckets } of decisions) packBuckets(packed, buckets, this.debts);
    const number = ++this.#number;
    const deadline = machineTime() + this.#waiting.left(decisions[0]);
    this.#sent.push({ number, decisions });
    if (this.#send({ kind: 'limits', number, deadline, packed })) return;
    this.#sent.pop();
    for (const decision of decisions) this.#waiting.fail(decision, 'away', 'the primary process is gone');
  };
}
