import { type Balancer, type Candidate, lessBusy } from './balancer.ts';

/**
 * Two random choices, by weight, and of these the less busy one: nearly as even as looking at all, and gateways that do
 * not know of one another do not all run to the same target.
 */
export class RandomOfTwo<T extends Candidate> implements Balancer<T> {
  readonly #random: () => number;
  #candidates: readonly T[] = [];
  /** Sums of the weights up to and with each candidate. */
  #sums: number[] = [];

  constructor(random: () => number) {
    this.#random = random;
  }

  reset(candidates: readonly T[]): void {
    this.#candidates = candidates;
    let sum = 0;
    this.#sums = candidates.map((one) => (sum += one.weight));
  }

  pick(): T {
    return lessBusy(this.#draw(), this.#draw());
  }

  #draw(): T {
    const sums = this.#sums;
    const point = this.#random() * sums[sums.length - 1];
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] > point) high = middle;
      else low = middle + 1;
    }
    return this.#candidates[low];
  }
}
