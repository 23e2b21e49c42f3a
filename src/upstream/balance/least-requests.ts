import { type Balancer, type Candidate, lessBusy } from './balancer.ts';

/**
 * The candidate with the fewest calls under way for its weight. Among equals the turn goes round, by weight: without
 * that, a quiet service would send everything to its first target.
 */
export class LeastRequests<T extends Candidate> implements Balancer<T> {
  readonly #inTurn: Balancer<T>;
  #candidates: readonly T[] = [];

  constructor(inTurn: Balancer<T>) {
    this.#inTurn = inTurn;
  }

  reset(candidates: readonly T[]): void {
    this.#candidates = candidates;
    this.#inTurn.reset(candidates);
  }

  pick(): T {
    let best = this.#inTurn.pick();
    for (let i = 0; i < this.#candidates.length; i++) best = lessBusy(best, this.#candidates[i]);
    return best;
  }
}
