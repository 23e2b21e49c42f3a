import type { Effect, Macro, Phase, Place } from '../rule-set.ts';

/** What a rule writes of how a transaction ends; `block` is resolved when the rule is complete. */
export type WrittenDisruption =
  | { readonly kind: 'pass' | 'deny' | 'drop' | 'block' }
  | { readonly kind: 'redirect'; readonly location: Macro }
  | { readonly kind: 'allow'; readonly scope: 'transaction' | 'phase' | 'request' };

/** What one action list says. A rule that is updated by a directive reads several into one. */
export interface ActionSet {
  id?: number;
  idPlace?: Place;
  phase?: Phase;
  disruption?: WrittenDisruption;
  status?: number;
  log?: boolean;
  auditLog?: boolean;
  message?: Macro;
  logData?: Macro;
  severity?: number;
  readonly tags: string[];
  version?: string;
  revision?: string;
  skip?: number;
  skipAfter?: string;
  chain: boolean;
  capture: boolean;
  multiMatch: boolean;
  /** `t:none` was said: what the defaults say does not count. */
  cleared: boolean;
  transformations: string[];
  readonly effects: Effect[];
}

export function emptyActions(): ActionSet {
  return { tags: [], chain: false, capture: false, multiMatch: false, cleared: false, transformations: [], effects: [] };
}
