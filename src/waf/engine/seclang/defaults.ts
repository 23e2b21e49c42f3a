import type { Disruption, Phase } from '../rule-set.ts';
import type { WrittenAction } from './action-list.ts';
import { needArgument } from './effects.ts';
import { parseMacro } from './macro.ts';
import { SyntaxProblem } from './syntax-error.ts';

/** What SecDefaultAction says for one phase. */
export interface Defaults {
  readonly transformations: readonly string[];
  readonly disruption: Disruption;
  readonly log: boolean;
  readonly auditLog: boolean;
}

/** Without a SecDefaultAction (ModSecurity's reference manual). */
export const NO_DEFAULTS: Defaults = { transformations: [], disruption: { kind: 'pass' }, log: true, auditLog: true };

const PHASES: ReadonlyMap<string, Phase> = new Map([
  ['1', 1],
  ['2', 2],
  ['request', 2],
  ['3', 3],
  ['4', 4],
  ['response', 4],
  ['5', 5],
  ['logging', 5],
]);

export function parsePhase(action: WrittenAction): Phase {
  const phase = PHASES.get(needArgument(action).toLowerCase());
  if (phase === undefined)
    throw new SyntaxProblem(action.place, `${action.argument} is no phase`, '1 to 5, request, response or logging');
  return phase;
}

const DISRUPTIVE = new Set(['pass', 'block', 'deny', 'drop', 'allow', 'redirect', 'proxy', 'pause']);
export const isDisruptive = ({ name }: WrittenAction) => DISRUPTIVE.has(name);

const SCOPES = new Map([
  ['phase', 'phase'],
  ['request', 'request'],
] as const);

/** What a disruptive action does; `block` does what the defaults say. */
export function parseDisruption(action: WrittenAction, status: number | undefined, defaults: Defaults): Disruption {
  switch (action.name) {
    case 'pass':
      return { kind: 'pass' };
    case 'block':
      return withStatus(defaults.disruption, status);
    case 'deny':
      return { kind: 'deny', status: status ?? 403 };
    case 'drop':
      return { kind: 'drop' };
    case 'redirect':
      return { kind: 'redirect', status: status ?? 302, location: parseMacro(needArgument(action)) };
    case 'allow':
      return { kind: 'allow', scope: allowScope(action) };
    default:
      throw new SyntaxProblem(action.place, `the action ${action.name} is not supported`, 'deny and redirect end a request');
  }
}

function withStatus(disruption: Disruption, status: number | undefined): Disruption {
  return disruption.kind === 'deny' && status !== undefined ? { kind: 'deny', status } : disruption;
}

function allowScope({ argument, place }: WrittenAction): 'transaction' | 'phase' | 'request' {
  if (argument === undefined) return 'transaction';
  const scope = SCOPES.get(argument.toLowerCase() as 'phase');
  if (scope === undefined)
    throw new SyntaxProblem(place, `allow:${argument} is not known`, 'allow, allow:phase or allow:request');
  return scope;
}
