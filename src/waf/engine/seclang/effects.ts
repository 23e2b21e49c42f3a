import type { Ctl, Effect, IdRange, Target } from '../rule-set.ts';
import type { WrittenAction } from './action-list.ts';
import { parseMacro } from './macro.ts';
import { nearest } from './nearest.ts';
import { SyntaxProblem } from './syntax-error.ts';
import { parseTargetChanges, type VariableNames } from './targets.ts';

const COLLECTIONS = new Set(['TX', 'GLOBAL', 'IP', 'SESSION', 'USER', 'RESOURCE']);

/** The effect that an action stands for; undefined: it is none. */
export function parseEffect(action: WrittenAction, names: VariableNames): Effect | undefined {
  switch (action.name) {
    case 'setvar':
      return parseSetVar(action);
    case 'expirevar':
      return parseExpireVar(action);
    case 'initcol':
      return parseInitCol(action);
    case 'setenv':
      return parseSetEnv(action);
    case 'ctl':
      return { kind: 'ctl', change: parseCtl(action, names) };
    case 'setsid':
    case 'setuid':
    case 'setrsc':
      return { kind: 'initcol', collection: STORED_KEY[action.name], key: parseMacro(needArgument(action)) };
    default:
      return undefined;
  }
}

const STORED_KEY = { setsid: 'SESSION', setuid: 'USER', setrsc: 'RESOURCE' } as const;

/** The argument of an action that needs one. */
export function needArgument({ name, argument, place }: WrittenAction): string {
  if (argument === undefined || argument === '') throw new SyntaxProblem(place, `${name} needs an argument`, `write ${name}:…`);
  return argument;
}

function parseSetVar(action: WrittenAction): Effect {
  const text = needArgument(action);
  const remove = text.startsWith('!');
  const [left, right] = splitOnce(remove ? text.slice(1) : text, '=');
  const { collection, name } = collectionAndName(left, action);
  if (remove) return { kind: 'setvar', collection, name: parseMacro(name), operation: 'delete', value: parseMacro('') };
  const sign = right?.[0];
  const operation = sign === '+' ? 'add' : sign === '-' ? 'subtract' : 'set';
  const value = right === undefined ? '1' : operation === 'set' ? right : right.slice(1);
  return { kind: 'setvar', collection, name: parseMacro(name), operation, value: parseMacro(value) };
}

function parseExpireVar(action: WrittenAction): Effect {
  const [left, right] = splitOnce(needArgument(action), '=');
  const { collection, name } = collectionAndName(left, action);
  if (right === undefined) throw new SyntaxProblem(action.place, 'expirevar needs seconds', 'write expirevar:ip.name=60');
  return { kind: 'expirevar', collection, name: parseMacro(name), seconds: parseMacro(right) };
}

function parseInitCol(action: WrittenAction): Effect {
  const [left, right] = splitOnce(needArgument(action), '=');
  const collection = left.trim().toUpperCase();
  if (right === undefined || !COLLECTIONS.has(collection) || collection === 'TX') {
    throw new SyntaxProblem(action.place, 'initcol names a collection and a key', 'write initcol:ip=%{REMOTE_ADDR}');
  }
  return { kind: 'initcol', collection, key: parseMacro(right) };
}

function parseSetEnv(action: WrittenAction): Effect {
  const [left, right] = splitOnce(needArgument(action), '=');
  return { kind: 'setenv', name: parseMacro(left.replace(/^!/, '')), value: parseMacro(right ?? '1') };
}

function collectionAndName(text: string, { name, place }: WrittenAction): { collection: string; name: string } {
  const [collection, rest] = splitOnce(text.trim(), '.');
  const upper = collection.toUpperCase();
  if (rest === undefined || rest === '') throw new SyntaxProblem(place, `${name} names a variable`, `write ${name}:tx.name=…`);
  if (!COLLECTIONS.has(upper)) throw new SyntaxProblem(place, `${name} cannot change ${collection}`, nearest(upper, COLLECTIONS));
  return { collection: upper, name: rest };
}

/** The text before the first separator and what is behind it; undefined: there is none. */
export function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

type Change = Ctl['change'];

const ON_OFF = new Map([
  ['on', true],
  ['off', false],
]);
const MODES = new Map([
  ['on', 'On'],
  ['off', 'Off'],
  ['detectiononly', 'DetectionOnly'],
] as const);
const PROCESSORS = new Set(['URLENCODED', 'MULTIPART', 'JSON', 'XML', 'RAW']);

function parseCtl(action: WrittenAction, names: VariableNames): Change {
  const [option, value] = splitOnce(needArgument(action), '=');
  if (value === undefined) throw new SyntaxProblem(action.place, 'ctl needs a value', 'write ctl:ruleRemoveById=942100');
  const parse = CTL.get(option.trim().toLowerCase());
  if (parse !== undefined) return parse(value, action, names);
  throw new SyntaxProblem(action.place, `there is no ctl:${option}`, nearest(option, CTL.keys()));
}

type ParseCtl = (value: string, action: WrittenAction, names: VariableNames) => Change;

function wordOf<T>(words: ReadonlyMap<string, T>, value: string, { place }: WrittenAction): T {
  const found = words.get(value.trim().toLowerCase());
  if (found === undefined) throw new SyntaxProblem(place, `${value} is none of ${[...words.keys()].join(', ')}`);
  return found;
}

const onOff =
  (option: 'requestBodyAccess' | 'responseBodyAccess' | 'forceRequestBodyVariable'): ParseCtl =>
  (value, action) => ({ option, value: wordOf(ON_OFF, value, action) });

const text =
  (option: 'auditEngine' | 'auditLogParts' | 'debugLogLevel' | 'ruleRemoveByTag' | 'ruleRemoveByMsg'): ParseCtl =>
  (value) => ({ option, value });

const targeted =
  (option: 'ruleRemoveTargetByTag' | 'ruleRemoveTargetByMsg'): ParseCtl =>
  (value, action, names) => {
    const [what, target] = splitTarget(value, action, names);
    return { option, value: what, target };
  };

const CTL: ReadonlyMap<string, ParseCtl> = new Map<string, ParseCtl>([
  ['ruleengine', (value, action) => ({ option: 'ruleEngine', value: wordOf(MODES, value, action) })],
  ['auditengine', text('auditEngine')],
  ['auditlogparts', text('auditLogParts')],
  ['debugloglevel', text('debugLogLevel')],
  ['requestbodyaccess', onOff('requestBodyAccess')],
  ['responsebodyaccess', onOff('responseBodyAccess')],
  ['forcerequestbodyvariable', onOff('forceRequestBodyVariable')],
  ['requestbodyprocessor', processor],
  ['ruleremovebyid', (value, { place }) => ({ option: 'ruleRemoveById', ranges: parseIdRanges(value, place) })],
  ['ruleremovebytag', text('ruleRemoveByTag')],
  ['ruleremovebymsg', text('ruleRemoveByMsg')],
  ['ruleremovetargetbyid', removeTargetById],
  ['ruleremovetargetbytag', targeted('ruleRemoveTargetByTag')],
  ['ruleremovetargetbymsg', targeted('ruleRemoveTargetByMsg')],
]);

function processor(value: string, { place }: WrittenAction): Change {
  const upper = value.trim().toUpperCase();
  if (!PROCESSORS.has(upper)) throw new SyntaxProblem(place, `there is no body processor ${value}`, [...PROCESSORS].join(', '));
  return { option: 'requestBodyProcessor', value: upper as 'JSON' };
}

function removeTargetById(value: string, action: WrittenAction, names: VariableNames): Change {
  const [ids, target] = splitTarget(value, action, names);
  return { option: 'ruleRemoveTargetById', ranges: parseIdRanges(ids, action.place), target };
}

function splitTarget(value: string, { place }: WrittenAction, names: VariableNames): [string, Target] {
  const [what, written] = splitOnce(value, ';');
  if (written === undefined) throw new SyntaxProblem(place, 'a target is missing', 'write …=942100;ARGS:comment');
  const [target] = parseTargetChanges(written.replace(/^!/, ''), () => place, names);
  return [what.trim(), target];
}

/** `1,2-5 7`: ids and ranges of them. */
export function parseIdRanges(text: string, place: SyntaxProblem['place']): IdRange[] {
  return text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((piece) => {
      const match = /^"?(\d{1,15})(?:-(\d{1,15}))?"?$/.exec(piece);
      if (match === null) throw new SyntaxProblem(place, `${piece} is no id of a rule and no range of ids`);
      return { from: Number(match[1]), to: Number(match[2] ?? match[1]) };
    });
}
