import type { MarkerDefinition, Phase, Place, RuleDefinition } from '../rule-set.ts';
import type { ActionSet } from './action-set.ts';
import type { Report } from './report.ts';
import { type LinkDraft, NO_DEFAULTS, RuleDraft } from './rule-draft.ts';
import type { Which } from './updates.ts';

/** Without a phase a rule runs when the body is there. */
const USUAL_PHASE = 2;

/** Rules and markers as they are read, in their order, with what directives change in them. */
export class RuleList {
  readonly #report: Report;
  #entries: (RuleDraft | MarkerDefinition)[] = [];
  readonly #byId = new Map<number, RuleDraft>();
  readonly #defaults = new Map<Phase, ActionSet>();
  /** A rule whose last link says `chain`. */
  #open: RuleDraft | undefined;
  /** Something before was not understood: what follows may be a link of its chain. */
  #lost = false;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Whether the next rule is a link of a chain. */
  get isChained(): boolean {
    return this.#open !== undefined;
  }

  /** A rule was not understood, so that nobody knows whether it belonged to a chain or began one. */
  lose(): void {
    this.#open = undefined;
    this.#lost = true;
  }

  add(link: LinkDraft, needsId: boolean): void {
    const rule = this.#open ?? this.#begin(link, needsId);
    if (rule === undefined) return;
    if (this.#open !== undefined) rule.links.push(link);
    this.#open = link.actions.chain ? rule : undefined;
  }

  #begin(link: LinkDraft, needsId: boolean): RuleDraft | undefined {
    const { id, idPlace, phase = USUAL_PHASE } = link.actions;
    if (idPlace === undefined && needsId) {
      if (this.#lost) return undefined;
      this.#report.refuse(link.place, 'a rule needs an id', 'write id:1000 into its actions');
    }
    this.#lost = false;
    const rule = new RuleDraft(link, phase, this.#defaults.get(phase) ?? NO_DEFAULTS);
    if (id !== undefined) this.#take(id, rule, idPlace ?? link.place);
    this.#entries.push(rule);
    return rule;
  }

  #take(id: number, rule: RuleDraft, place: Place): void {
    const before = this.#byId.get(id)?.links[0].place;
    if (before === undefined) this.#byId.set(id, rule);
    else
      this.#report.refuse(
        place,
        `the id ${id} is taken by the rule at ${before.file}:${before.line}`,
        'each rule has its own id',
      );
  }

  addMarker(label: string): void {
    this.#entries.push({ kind: 'marker', label });
  }

  setDefaults(phase: Phase, actions: ActionSet): void {
    this.#defaults.set(phase, { ...NO_DEFAULTS, ...actions });
  }

  /** A chain that is open where no rule follows is never complete. */
  endChain(why: string): void {
    const last = this.#open?.links.at(-1);
    if (last !== undefined) {
      this.#report.refuse(last.place, `this rule says chain, but ${why}`, 'write the next rule of the chain, or take chain away');
    }
    this.#open = undefined;
  }

  /** Rules read so far that a directive means. */
  meant(which: Which): RuleDraft[] {
    if (which.id !== undefined) {
      const one = this.#byId.get(which.id);
      return one === undefined ? [] : [one];
    }
    return this.#entries.filter((entry): entry is RuleDraft => entry.kind === 'rule' && which.matches(entry));
  }

  remove(rules: readonly RuleDraft[]): void {
    if (rules.length === 0) return;
    const gone = new Set<unknown>(rules);
    this.#entries = this.#entries.filter((entry) => !gone.has(entry));
    for (const { id } of rules) this.#byId.delete(id);
  }

  complete(): (RuleDefinition | MarkerDefinition)[] {
    this.#noteSkips();
    return this.#entries.map((entry) => (entry.kind === 'rule' ? entry.definition() : entry));
  }

  /** A skip to what does not come ends the phase. That is allowed, and rarely meant. */
  #noteSkips(): void {
    const ahead = new Set<string>();
    for (const entry of this.#entries.toReversed()) {
      if (entry.kind === 'marker') ahead.add(entry.label);
      else {
        const { skipAfter } = entry.actions;
        if (skipAfter !== undefined && !ahead.has(skipAfter)) {
          const message = `skipAfter:${skipAfter} leads to no marker behind this rule: it skips the rest of the phase`;
          this.#report.note(entry.links[0].place, message);
        }
        ahead.add(String(entry.id));
      }
    }
  }
}
