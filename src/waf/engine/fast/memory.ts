import type { Sieve } from './sieve.ts';
import type { Check, Hits } from './sieve-node.ts';

const LONGEST = 256;
/** Verdicts that the memories of one room keep together: some 4 MB at the worst. */
const MOST = 16_384;
/** So many look-ups tell whether values repeat. */
const TRIAL = 64;

/**
 * Holds all memories of a phase to one bound. There is one for each name of a header field, and clients invent names: a bound for each
 * would be none for all.
 */
export class MemoryRoom {
  readonly #holders = new Set<Memory>();
  #kept = 0;

  /** One more verdict is kept; what all of them kept is forgotten when that is too much. */
  take(holder: Memory): void {
    if (this.#kept >= MOST) {
      for (const one of this.#holders) one.forget();
      this.#holders.clear();
      this.#kept = 0;
    }
    this.#holders.add(holder);
    this.#kept++;
  }
}

/**
 * Keeps the verdicts on values that repeat from request to request, such as names and most header fields. Where they turn out not to (an
 * id in each request, a cookie), nothing is kept any more.
 */
export class Memory {
  readonly #sieve: Sieve;
  readonly #room: MemoryRoom;
  readonly #known = new Map<string, readonly Check[]>();
  #asked = 0;
  #answered = 0;
  #off = false;

  constructor(sieve: Sieve, room: MemoryRoom) {
    this.#sieve = sieve;
    this.#room = room;
  }

  /** How many verdicts it keeps. */
  get size(): number {
    return this.#known.size;
  }

  forget(): void {
    this.#known.clear();
  }

  judge(value: string, hits: Hits): void {
    if (this.#off || value.length > LONGEST) {
      this.#sieve.judge(value, hits);
      return;
    }
    const known = this.#known.get(value);
    if (++this.#asked === TRIAL) this.#settle();
    if (known !== undefined) this.#answered++;
    for (const check of known ?? this.#learn(value)) hits.hit(check);
  }

  #settle(): void {
    this.#off = this.#answered * 2 < this.#asked;
    if (this.#off) this.forget();
    this.#asked = 0;
    this.#answered = 0;
  }

  #learn(value: string): readonly Check[] {
    const list = new HitList();
    this.#sieve.judge(value, list);
    if (this.#off) return list.checks;
    this.#room.take(this);
    // A copy: a piece of a head would keep all of that head's text in memory.
    this.#known.set(Buffer.from(value, 'latin1').toString('latin1'), list.checks);
    return list.checks;
  }
}

class HitList implements Hits {
  readonly checks: Check[] = [];

  hit(check: Check): void {
    this.checks.push(check);
  }
}
