import type { Effect, Phase } from '../rule-set.ts';
import { readActionList, type WrittenAction } from './action-list.ts';
import type { ActionSet, WrittenDisruption } from './action-set.ts';
import { readExpireVar, readInitCol, readKey, readSetEnv, readSetVar } from './collections.ts';
import { readCtl } from './ctl.ts';
import { readMacro } from './macros.ts';
import { didYouMean } from './nearest.ts';
import { readNumber, readWord, shown } from './numbers.ts';
import type { Reading } from './reading.ts';
import type { Span } from './span.ts';

/** Where an action list stands, which decides what it may say. */
export type Role = 'rule' | 'link' | 'defaults' | 'rule update' | 'link update';

interface Action {
  /** Whether it takes a value behind a colon. */
  readonly value: 'none' | 'needed' | 'free';
  /** Only the first rule of a chain may have it. */
  readonly first?: true;
  /** SecDefaultAction may have it. */
  readonly defaults?: true;
  /** It may be said several times. */
  readonly many?: true;
  /** `value` is the name where the action has no value. */
  readonly read: (set: ActionSet, value: Span, reading: Reading) => void;
}

const PHASES: Readonly<Record<string, Phase>> = { 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, request: 2, response: 4, logging: 5 };
const SEVERITIES = ['EMERGENCY', 'ALERT', 'CRITICAL', 'ERROR', 'WARNING', 'NOTICE', 'INFO', 'DEBUG'] as const;

const first = { value: 'needed', first: true } as const;
const flag = (read: (set: ActionSet) => void): Action => ({ value: 'none', read });
const logging = (read: (set: ActionSet) => void): Action => ({ value: 'none', defaults: true, read });
const number = (from: number, to: number | undefined, take: (set: ActionSet, value: number) => void): Action['read'] => {
  return (set, value, { report }) => {
    const read = readNumber(value, report, from, to);
    if (read !== undefined) take(set, read);
  };
};
const ending = (kind: 'pass' | 'deny' | 'drop' | 'block'): Action => disruptive('none', () => ({ kind }));
const effect = (read: (value: Span, reading: Reading) => Effect | undefined): Action => ({
  value: 'needed',
  many: true,
  read: (set, value, reading) => {
    const made = read(value, reading);
    if (made !== undefined) set.effects.push(made);
  },
});
const ignored = (value: Action['value']): Action => ({ value, first: true, read: () => {} });
const redaction: Action = {
  value: 'free',
  many: true,
  read: (_, value, { report }) =>
    report.note(value.place(), 'sanitise: records and events hold no values of requests unless the configuration asks for them'),
};

const ACTIONS: Readonly<Record<string, Action>> = {
  id: {
    ...first,
    read: (set, value, { report }) => {
      set.id = readNumber(value, report, 1);
      set.idPlace = value.place();
    },
  },
  phase: { ...first, defaults: true, read: readPhase },
  msg: { ...first, read: (set, value, reading) => void (set.message = readMacro(value, reading)) },
  logdata: { ...first, read: (set, value, reading) => void (set.logData = readMacro(value, reading)) },
  severity: { ...first, read: readSeverity },
  tag: { ...first, defaults: true, many: true, read: readTag },
  ver: { ...first, read: (set, value) => void (set.version = value.text) },
  rev: { ...first, read: (set, value) => void (set.revision = value.text) },
  maturity: ignored('needed'),
  accuracy: ignored('needed'),
  skip: { ...first, read: number(1, 1_000_000, (set, value) => void (set.skip = value)) },
  skipAfter: { ...first, read: (set, value) => void (set.skipAfter = value.text) },
  status: { ...first, defaults: true, read: number(200, 599, (set, value) => void (set.status = value)) },
  pass: ending('pass'),
  block: ending('block'),
  deny: ending('deny'),
  drop: ending('drop'),
  redirect: disruptive('needed', (value, reading) => ({ kind: 'redirect', location: readMacro(value, reading) })),
  allow: disruptive('free', readAllow),
  log: logging((set) => void (set.log = true)),
  nolog: logging((set) => void (set.log = false)),
  auditlog: logging((set) => void (set.auditLog = true)),
  noauditlog: logging((set) => void (set.auditLog = false)),
  chain: flag((set) => void (set.chain = true)),
  capture: flag((set) => void (set.capture = true)),
  multiMatch: flag((set) => void (set.multiMatch = true)),
  t: { value: 'needed', defaults: true, many: true, read: readTransformation },
  setvar: effect(readSetVar),
  expirevar: effect(readExpireVar),
  initcol: effect(readInitCol),
  setsid: effect(readKey('SESSION')),
  setuid: effect(readKey('USER')),
  setrsc: effect(readKey('RESOURCE')),
  setenv: effect(readSetEnv),
  ctl: { value: 'needed', many: true, read: (set, value, reading) => void set.effects.push(...readCtl(value, reading)) },
  sanitiseArg: redaction,
  sanitiseMatched: redaction,
  sanitiseMatchedBytes: redaction,
  sanitiseRequestHeader: redaction,
  sanitiseResponseHeader: redaction,
  xmlns: {
    value: 'needed',
    many: true,
    read: (_, value, { report }) => report.note(value.place(), 'xmlns: XML:/* and XML://@* need no namespaces'),
  },
};

const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['append', 'answers are not changed'],
  ['prepend', 'answers are not changed'],
  ['deprecatevar', 'use expirevar'],
  ['exec', 'no program is run for a request'],
  ['pause', 'a request that waits is a way to exhaust a gateway'],
  ['proxy', 'routes decide where a request goes'],
]);

const BY_NAME = new Map(
  Object.entries(ACTIONS).flatMap(([name, action]): [string, Action][] => [
    [name.toLowerCase(), action],
    [name.toLowerCase().replace('sanitise', 'sanitize'), action],
  ]),
);

/** Endings, of which the last one counts. */
const ENDINGS: ReadonlySet<string> = new Set(['pass', 'block', 'deny', 'drop', 'redirect', 'allow']);

/** Reads a list of actions into a set. What is wrong is reported and left out. */
export function readActions(list: Span, set: ActionSet, role: Role, reading: Reading): void {
  const said = new Set<string>();
  for (const written of readActionList(list, reading.report)) {
    const action = actionOf(written, role, reading);
    if (action === undefined) continue;
    checkRepeated(written, action, said, reading);
    noteLinkLogging(written, role, reading);
    action.read(set, written.value ?? written.name, reading);
  }
  // `log` means the audit log, too, and `nolog` means neither, unless the list says otherwise, wherever in the list.
  const saysLog = said.has('log') || said.has('nolog');
  if (saysLog && !said.has('auditlog') && !said.has('noauditlog')) set.auditLog = set.log;
}

function actionOf({ name, value }: WrittenAction, role: Role, { report }: Reading): Action | undefined {
  const lower = name.text.toLowerCase();
  const why = UNSUPPORTED.get(lower);
  if (why !== undefined) return report.refuse(name.place(), `the action ${name.text} is not supported: ${why}`, 'leave it out');
  const action = BY_NAME.get(lower);
  if (action === undefined) {
    return report.refuse(name.place(), `there is no action ${shown(name.text)}`, didYouMean(lower, Object.keys(ACTIONS)));
  }
  const wrong = misplaced(lower, action, role);
  if (wrong !== undefined) return report.refuse(name.place(), ...wrong);
  if (action.value === 'needed' && (value === undefined || value.text === '')) {
    return report.refuse(name.place(), `${name.text} needs a value`, `write ${name.text}:…`);
  }
  if (action.value === 'none' && value !== undefined) return report.refuse(value.place(), `${name.text} takes no value`);
  return action;
}

function misplaced(name: string, action: Action, role: Role): [message: string, hint: string] | undefined {
  if (role === 'defaults' && action.defaults === undefined) {
    return [`${name} cannot be a default`, 'write it into the rules that want it'];
  }
  if ((role === 'link' || role === 'link update') && action.first) {
    return [`only the first rule of a chain can have ${name}`, 'write it into the rule that begins the chain'];
  }
  if (role.endsWith('update') && (name === 'id' || name === 'phase' || name === 'chain')) {
    return [`${name} of a rule cannot be changed`, 'take the rule out and write another one'];
  }
  return undefined;
}

/** What is said twice counts as it was said last, which is rarely meant; two ids or phases are never meant. */
function checkRepeated({ name }: WrittenAction, action: Action, said: Set<string>, { report }: Reading): void {
  const lower = name.text.toLowerCase();
  const key = ENDINGS.has(lower) ? 'ending' : lower;
  if (!action.many && said.has(key)) {
    if (lower === 'id' || lower === 'phase') report.refuse(name.place(), `${lower} is said twice`, 'leave one');
    else report.note(name.place(), `${lower} takes the place of what this list said before`);
  }
  said.add(key);
}

const LOGGING: ReadonlySet<string> = new Set(['log', 'nolog', 'auditlog', 'noauditlog']);

function noteLinkLogging({ name }: WrittenAction, role: Role, { report }: Reading): void {
  if (!LOGGING.has(name.text.toLowerCase()) || !role.startsWith('link')) return;
  report.note(name.place(), `${name.text} means nothing here: the first rule of a chain says what is logged`);
}

function disruptive(value: Action['value'], make: (value: Span, reading: Reading) => WrittenDisruption | undefined): Action {
  return {
    value,
    first: true,
    defaults: true,
    read: (set, written, reading) => void (set.disruption = make(written, reading) ?? set.disruption),
  };
}

function readPhase(set: ActionSet, value: Span, { report }: Reading): void {
  const phase = Object.hasOwn(PHASES, value.text.toLowerCase()) ? PHASES[value.text.toLowerCase()] : undefined;
  if (phase === undefined)
    report.refuse(value.place(), `${shown(value.text)} is no phase`, '1 to 5, request, response or logging');
  else set.phase = phase;
}

function readSeverity(set: ActionSet, value: Span, { report }: Reading): void {
  if (/^[0-7]$/.test(value.text)) set.severity = Number(value.text);
  else {
    const word = readWord(value, SEVERITIES, report);
    if (word !== undefined) set.severity = SEVERITIES.indexOf(word);
  }
}

function readTag(set: ActionSet, value: Span, reading: Reading): void {
  set.tags.push(readMacro(value, reading).text);
}

function readTransformation(set: ActionSet, value: Span, { world, report }: Reading): void {
  const lower = value.text.toLowerCase();
  const known = world.transformations.get(lower);
  if (lower === 'none') {
    set.cleared = true;
    set.transformations = [];
  } else if (known !== undefined) set.transformations.push(known);
  else
    report.refuse(
      value.place(),
      `there is no transformation ${shown(value.text)}`,
      didYouMean(lower, world.transformations.values()),
    );
}

/** Without a value the name itself comes in its place. */
function readAllow(value: Span, { report }: Reading): WrittenDisruption | undefined {
  if (value.text.toLowerCase() === 'allow') return { kind: 'allow', scope: 'transaction' };
  const scope = readWord(value, ['phase', 'request'], report);
  return scope && { kind: 'allow', scope };
}
