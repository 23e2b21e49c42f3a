import { type Balancer, type Candidate, sameWeights } from './balancer.ts';

/**
 * In turn. With different weights it is the smooth weighted round robin of nginx: a candidate of weight 5 beside one of
 * weight 1 is not called five times in a row, and over each round of all weights the shares are exact.
 */
export class RoundRobin<T extends Candidate> implements Balancer<T> {
  readonly #random: () => number;
  #candidates: readonly T[] = [];
  #next = 0;
  #equal = true;
  #total = 0;
  /** What each candidate is owed. */
  #credit: number[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  reset(candidates: readonly T[]): void {
    this.#candidates = candidates;
    this.#equal = sameWeights(candidates);
    this.#total = candidates.reduce((sum, one) => sum + one.weight, 0);
    // Workers and restarted gateways should not all begin with the first.
    this.#next = Math.floor(this.#random() * candidates.length);
    this.#credit = candidates.map(() => 0);
  }

  pick(): T {
    if (!this.#equal) return this.#pickWeighted();
    const picked = this.#candidates[this.#next];
    this.#next = this.#next + 1 === this.#candidates.length ? 0 : this.#next + 1;
    return picked;
  }

  #pickWeighted(): T {
    let best = 0;
    for (let i = 0; i < this.#candidates.length; i++) {
      this.#credit[i] += this.#candidates[i].weight;
      if (this.#credit[i] > this.#credit[best]) best = i;
    }
    this.#credit[best] -= this.#total;
    return this.#candidates[best];
  }
}
