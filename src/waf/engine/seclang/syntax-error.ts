import type { Place } from '../rule-set.ts';

/** Something wrong with one directive; never leaves this folder. */
export class SyntaxProblem extends Error {
  readonly place: Place;
  readonly hint: string | undefined;

  constructor(place: Place, message: string, hint?: string) {
    super(message);
    this.place = place;
    this.hint = hint;
  }
}
