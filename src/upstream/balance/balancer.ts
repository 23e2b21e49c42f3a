/** What a balancer has to know of an address that may be called. */
export interface Candidate {
  readonly weight: number;
  /** Calls under way. */
  readonly active: number;
}

/**
 * Chooses among the candidates that may be called now. `reset` is told them whenever they change, which is rare, so that
 * `pick` has little to do. There are always at least two: one candidate needs no choice.
 */
export interface Balancer<T extends Candidate> {
  reset(candidates: readonly T[]): void;
  pick(): T;
}

/** The candidate with fewer calls for its weight; the first one when both are equal. */
export function lessBusy<T extends Candidate>(a: T, b: T): T {
  return b.active * a.weight < a.active * b.weight ? b : a;
}

export function sameWeights(candidates: readonly Candidate[]): boolean {
  return candidates.every((one) => one.weight === candidates[0].weight);
}
