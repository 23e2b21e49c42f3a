import type { Bucket, Verdict } from './limit-store.ts';
import { type LimitsAsked, type LimitsDecided, machineTime, packVerdicts, Unpacker } from './shared-memory-messages.ts';

/** Memory of this process: it never has to wait. */
interface Memory {
  take(buckets: readonly Bucket[]): readonly Verdict[];
  readonly size: number;
}

/** Every so many answers to a worker say how many buckets there are. */
const SIZE_EVERY = 16;

/** The primary's end: decides for all workers in one memory, so that a limit means the same for one worker and for four. */
export class SharedMemoryHost {
  readonly #store: Memory;

  constructor(store: Memory) {
    this.#store = store;
  }

  /** What nobody waits for any more is not charged, but answered: the worker learns that this process is there again. */
  decide({ number, deadline, packed }: LimitsAsked): LimitsDecided {
    const verdicts: number[] = [];
    const unpacker = new Unpacker(packed);
    while (!unpacker.done && machineTime() <= deadline) packVerdicts(verdicts, this.#store.take(unpacker.buckets()));
    const answer = { kind: 'limits', number, packed: verdicts } as const;
    return number % SIZE_EVERY === 1 ? { ...answer, size: this.#store.size } : answer;
  }
}
