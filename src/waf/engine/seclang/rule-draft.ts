import type { Disruption, Link, OperatorUse, Phase, Place, RuleDefinition, Target } from '../rule-set.ts';
import { type ActionSet, emptyActions } from './action-set.ts';

/** One link of a chain as it is read. */
export interface LinkDraft {
  readonly place: Place;
  targets: Target[];
  readonly operator: OperatorUse | undefined;
  readonly actions: ActionSet;
}

/** What counts without a SecDefaultAction, by the reference manual. */
export const NO_DEFAULTS: ActionSet = { ...emptyActions(), log: true, auditLog: true, disruption: { kind: 'pass' } };

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** A rule until all files are read: directives behind it may still change it. */
export class RuleDraft {
  readonly kind = 'rule';
  readonly id: number;
  readonly phase: Phase;
  readonly links: LinkDraft[];
  /** What SecDefaultAction said for its phase when it was read. */
  readonly #defaults: ActionSet;

  constructor(first: LinkDraft, phase: Phase, defaults: ActionSet) {
    this.id = first.actions.id ?? 0;
    this.phase = phase;
    this.links = [first];
    this.#defaults = defaults;
  }

  get actions(): ActionSet {
    return this.links[0].actions;
  }

  get tags(): readonly string[] {
    return [...this.#defaults.tags, ...this.actions.tags];
  }

  definition(): RuleDefinition {
    const { actions, phase, id } = this;
    return {
      kind: 'rule',
      id,
      phase,
      place: this.links[0].place,
      links: this.links.map((link) => this.#link(link)),
      disruption: this.#disruption(),
      block: actions.disruption?.kind === 'block',
      log: actions.log ?? this.#defaults.log ?? true,
      auditLog: actions.auditLog ?? this.#defaults.auditLog ?? true,
      message: actions.message,
      logData: actions.logData,
      severity: actions.severity,
      tags: this.tags,
      version: actions.version,
      revision: actions.revision,
      skip: actions.skip ?? 0,
      skipAfter: actions.skipAfter,
    };
  }

  #link({ place, targets, operator, actions }: LinkDraft): Link {
    const { cleared, transformations, multiMatch, capture, effects } = actions;
    return {
      place,
      targets,
      operator,
      transformations: cleared ? transformations : [...this.#defaults.transformations, ...transformations],
      multiMatch,
      capture,
      effects,
    };
  }

  /** `block`, and a rule that says nothing, end as the defaults say. */
  #disruption(): Disruption {
    const { disruption: own, status } = this.actions;
    const { disruption: fallback = { kind: 'pass' }, status: usual } = this.#defaults;
    const written = own === undefined || own.kind === 'block' ? fallback : own;
    const said = status ?? (written.kind === fallback.kind ? usual : undefined);
    if (written.kind === 'deny') return { kind: 'deny', status: said ?? 403 };
    if (written.kind === 'redirect') {
      return { kind: 'redirect', status: said !== undefined && REDIRECTS.has(said) ? said : 302, location: written.location };
    }
    return written.kind === 'block' ? { kind: 'pass' } : (written as Disruption);
  }
}
