import type { Place, RuleProblem } from '../rule-set.ts';

/** Nobody reads more at once; a file that is no rule file would give one for each line. */
const MOST_PROBLEMS = 50;
const MOST_NOTES = 1000;

/** What is wrong with rule files, and what is worth knowing about them. */
export class Report {
  readonly problems: RuleProblem[] = [];
  readonly notes: RuleProblem[] = [];

  get count(): number {
    return this.problems.length;
  }

  get isFull(): boolean {
    return this.problems.length >= MOST_PROBLEMS;
  }

  /** Gives undefined, so that who finds something wrong can return it. */
  refuse(place: Place, message: string, hint?: string): undefined {
    if (!this.isFull) this.problems.push(hint === undefined ? { ...place, message } : { ...place, message, hint });
    return undefined;
  }

  note(place: Place, message: string): void {
    if (this.notes.length < MOST_NOTES) this.notes.push({ ...place, message });
  }
}
