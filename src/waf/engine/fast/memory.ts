import type { Sieve } from './sieve.ts';
import type { Check, Hits } from './sieve-node.ts';

const LONGEST = 256;
const MOST = 4096;
/** So many look-ups tell whether values repeat. */
const TRIAL = 64;

/**
 * Keeps the verdicts on values that repeat from request to request, such as names and most header fields. Where they turn out not to (an
 * id in each request, a cookie), nothing is kept any more.
 */
export class Memory {
  readonly #sieve: Sieve;
  readonly #known = new Map<string, readonly Check[]>();
  #asked = 0;
  #answered = 0;
  #off = false;

  constructor(sieve: Sieve) {
    this.#sieve = sieve;
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
    if (this.#off) this.#known.clear();
    this.#asked = 0;
    this.#answered = 0;
  }

  #learn(value: string): readonly Check[] {
    const list = new HitList();
    this.#sieve.judge(value, list);
    if (this.#off) return list.checks;
    if (this.#known.size >= MOST) this.#known.clear();
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
