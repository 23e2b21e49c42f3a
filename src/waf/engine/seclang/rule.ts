import type { Disruption, Effect, Link, Macro, OperatorUse, Phase, Place, RuleDefinition, Target } from '../rule-set.ts';
import type { WrittenAction } from './action-list.ts';
import { type Defaults, isDisruptive, parseDisruption, parsePhase } from './defaults.ts';
import { needArgument, parseEffect } from './effects.ts';
import { parseMacro } from './macro.ts';
import { nearest } from './nearest.ts';
import { SyntaxProblem } from './syntax-error.ts';
import type { VariableNames } from './targets.ts';

/** What the engine knows, to judge names by. */
export interface Names {
  readonly variables: VariableNames;
  /** Canonical spelling by name in lower case. */
  readonly transformations: ReadonlyMap<string, string>;
  readonly operators: ReadonlyMap<string, string>;
}

/** One SecRule or SecAction as it is written. */
export interface WrittenRule {
  readonly place: Place;
  readonly targets: readonly Target[];
  readonly operator: OperatorUse | undefined;
  readonly actions: readonly WrittenAction[];
}

/** Actions that only the first rule of a chain may have. */
const ONLY_FIRST = new Set([
  'id',
  'phase',
  'msg',
  'severity',
  'tag',
  'ver',
  'rev',
  'maturity',
  'accuracy',
  'logdata',
  'skip',
  'skipafter',
  'status',
]);
/** Actions that mean nothing here, and that rules may have all the same: what is recorded is redacted in one place. */
const WITHOUT_MEANING = new Set([
  'sanitisearg',
  'sanitisematched',
  'sanitisematchedbytes',
  'sanitiserequestheader',
  'sanitiseresponseheader',
  'sanitizearg',
  'sanitizematched',
  'sanitizematchedbytes',
  'sanitizerequestheader',
  'sanitizeresponseheader',
]);
const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['exec', 'no program is run for a request'],
  ['pause', 'a waiting request is a way to exhaust the gateway'],
  ['proxy', 'routes decide where requests go'],
  ['append', 'answers are not changed'],
  ['prepend', 'answers are not changed'],
  ['deprecatevar', 'use expirevar'],
  ['xmlns', 'XML:/* and XML://@* need no namespaces'],
]);
const KNOWN = new Set([
  ...ONLY_FIRST,
  ...WITHOUT_MEANING,
  ...['t', 'chain', 'capture', 'multimatch', 'setvar', 'expirevar', 'initcol', 'setenv', 'ctl', 'setsid', 'setuid', 'setrsc'],
  ...['log', 'nolog', 'auditlog', 'noauditlog', 'pass', 'block', 'deny', 'drop', 'allow', 'redirect'],
]);

export const isChained = ({ actions }: WrittenRule) => actions.some(({ name }) => name === 'chain');

/** One link of a chain. */
export function linkOf(rule: WrittenRule, defaults: Defaults, names: Names): Link {
  for (const action of rule.actions) checkAction(action);
  return {
    place: rule.place,
    targets: rule.targets,
    operator: rule.operator,
    transformations: transformationsOf(rule.actions, defaults, names),
    multiMatch: rule.actions.some(({ name }) => name === 'multimatch'),
    capture: rule.actions.some(({ name }) => name === 'capture'),
    effects: rule.actions.flatMap((action): Effect[] => {
      const effect = parseEffect(action, names.variables);
      return effect === undefined ? [] : [effect];
    }),
  };
}

function checkAction({ name, place }: WrittenAction): void {
  const reason = UNSUPPORTED.get(name);
  if (reason !== undefined) throw new SyntaxProblem(place, `the action ${name} is not supported: ${reason}`);
  if (!KNOWN.has(name)) throw new SyntaxProblem(place, `there is no action ${name}`, nearest(name, KNOWN));
}

/** `t:none` takes away what was said before, the defaults too. */
function transformationsOf(actions: readonly WrittenAction[], defaults: Defaults, names: Names): string[] {
  const list = [...defaults.transformations];
  for (const action of actions) {
    if (action.name !== 't') continue;
    const written = needArgument(action);
    const name = names.transformations.get(written.toLowerCase());
    if (name === undefined) {
      throw new SyntaxProblem(
        action.place,
        `there is no transformation ${written}`,
        nearest(written, names.transformations.values()),
      );
    }
    if (name === 'none') list.length = 0;
    else list.push(name);
  }
  return list;
}

/** The rule of a chain's first link and all its links. */
export function ruleOf(head: WrittenRule, links: readonly Link[], defaultsOf: (phase: Phase) => Defaults): RuleDefinition {
  const { actions, place } = head;
  const phase = phaseOf(actions);
  const defaults = defaultsOf(phase);
  const status = numberOf(actions, 'status', 100, 599);
  const disruptive = actions.filter(isDisruptive);
  const [log, auditLog] = logging(actions, defaults);
  return {
    kind: 'rule',
    id: idOf(head),
    phase,
    place,
    links,
    disruption: disruptionOf(disruptive, status, defaults),
    block: disruptive.at(-1)?.name === 'block',
    log,
    auditLog,
    message: macroOf(actions, 'msg'),
    logData: macroOf(actions, 'logdata'),
    severity: severityOf(actions),
    tags: actions.filter(({ name }) => name === 'tag').map(needArgument),
    version: textOf(actions, 'ver'),
    revision: textOf(actions, 'rev'),
    skip: numberOf(actions, 'skip', 1, 100_000) ?? 0,
    skipAfter: textOf(actions, 'skipafter'),
  };
}

/** Without a phase a rule runs when the body is there. */
export function phaseOf(actions: readonly WrittenAction[]): Phase {
  const action = last(actions, 'phase');
  return action === undefined ? 2 : parsePhase(action);
}

function idOf({ actions, place, operator }: WrittenRule): number {
  const id = numberOf(actions, 'id', 1, Number.MAX_SAFE_INTEGER);
  if (id === undefined && operator !== undefined)
    throw new SyntaxProblem(place, 'a rule needs an id', 'write id:1000 into its actions');
  return id ?? 0;
}

function disruptionOf(disruptive: readonly WrittenAction[], status: number | undefined, defaults: Defaults): Disruption {
  const action = disruptive.at(-1);
  return action === undefined ? defaults.disruption : parseDisruption(action, status, defaults);
}

/** `nolog` implies `noauditlog`, `log` implies `auditlog`, unless the other word stands behind it. */
export function logging(actions: readonly WrittenAction[], defaults: Pick<Defaults, 'log' | 'auditLog'>): [boolean, boolean] {
  let { log, auditLog } = defaults;
  for (const { name } of actions) {
    if (name === 'log' || name === 'nolog') log = auditLog = name === 'log';
    else if (name === 'auditlog' || name === 'noauditlog') auditLog = name === 'auditlog';
  }
  return [log, auditLog];
}

const SEVERITIES = ['EMERGENCY', 'ALERT', 'CRITICAL', 'ERROR', 'WARNING', 'NOTICE', 'INFO', 'DEBUG'];

function severityOf(actions: readonly WrittenAction[]): number | undefined {
  const action = last(actions, 'severity');
  if (action === undefined) return undefined;
  const text = needArgument(action).toUpperCase();
  const severity = /^[0-7]$/.test(text) ? Number(text) : SEVERITIES.indexOf(text);
  if (severity < 0) throw new SyntaxProblem(action.place, `${text} is no severity`, `0 to 7, or ${SEVERITIES.join(', ')}`);
  return severity;
}

function numberOf(actions: readonly WrittenAction[], name: string, least: number, most: number): number | undefined {
  const action = last(actions, name);
  if (action === undefined) return undefined;
  const value = Number(needArgument(action));
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new SyntaxProblem(action.place, `${name}:${action.argument} is not a number from ${least} to ${most}`);
  }
  return value;
}

function textOf(actions: readonly WrittenAction[], name: string): string | undefined {
  const action = last(actions, name);
  return action && needArgument(action);
}

function macroOf(actions: readonly WrittenAction[], name: string): Macro | undefined {
  const text = textOf(actions, name);
  return text === undefined ? undefined : parseMacro(text);
}

function last(actions: readonly WrittenAction[], name: string): WrittenAction | undefined {
  return actions.findLast((action) => action.name === name);
}

/** What a chained rule says that only the first may say. */
export function checkChained({ actions }: WrittenRule): void {
  const wrong = actions.find((action) => ONLY_FIRST.has(action.name) || (isDisruptive(action) && action.name !== 'pass'));
  if (wrong !== undefined) throw new SyntaxProblem(wrong.place, `only the first rule of a chain can have ${wrong.name}`);
}
