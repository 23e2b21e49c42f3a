import type { Effect, InitCol } from '../rule-set.ts';
import { STORED } from '../variables/state.ts';
import { EMPTY, readMacro } from './macros.ts';
import { didYouMean } from './nearest.ts';
import { shown } from './numbers.ts';
import type { Reading } from './reading.ts';
import type { Span } from './span.ts';

/** `tx.name=value`, `tx.name=+1`, `tx.name=-1`, `!tx.name`, `tx.name`. */
export function readSetVar(written: Span, reading: Reading): Effect | undefined {
  const remove = written.text.startsWith('!');
  const [left, right] = cutAtEquals(remove ? written.slice(1).trim() : written);
  const member = readMember(left, ['TX', ...STORED], reading);
  if (member === undefined) return undefined;
  if (remove && right !== undefined) {
    return reading.report.refuse(right.place(), 'a variable that is removed takes no value', 'write setvar:!tx.name');
  }
  if (remove) return { kind: 'setvar', ...member, operation: 'delete', value: EMPTY };
  if (right === undefined) return { kind: 'setvar', ...member, operation: 'set', value: { text: '1', parts: ['1'] } };
  if (isQuoted(right.text)) return refuseInnerQuotes(right, reading);
  const operation = right.text[0] === '+' ? 'add' : right.text[0] === '-' ? 'subtract' : 'set';
  return { kind: 'setvar', ...member, operation, value: readMacro(operation === 'set' ? right : right.slice(1), reading) };
}

const isQuoted = (text: string) => text.length > 1 && text.startsWith("'") && text.endsWith("'");

function refuseInnerQuotes(value: Span, { report }: Reading): undefined {
  return report.refuse(value.place(), 'quotes around a value would become part of it', "write setvar:'tx.name=value'");
}

/** `ip.name=60`. */
export function readExpireVar(written: Span, reading: Reading): Effect | undefined {
  const [left, right] = cutAtEquals(written);
  const member = readMember(left, STORED, reading);
  if (member === undefined) return undefined;
  if (right === undefined) return reading.report.refuse(written.place(), 'the seconds are missing', 'write expirevar:ip.name=60');
  return { kind: 'expirevar', ...member, seconds: readMacro(right, reading) };
}

/** `ip=%{REMOTE_ADDR}`. */
export function readInitCol(written: Span, reading: Reading): Effect | undefined {
  const [name, key] = cutAtEquals(written);
  const collection = readCollection(name, STORED, reading);
  if (collection === undefined) return undefined;
  if (key === undefined || key.text === '') {
    return reading.report.refuse(written.place(), 'the key is missing', 'write initcol:ip=%{REMOTE_ADDR}');
  }
  return { kind: 'initcol', collection, key: readMacro(key, reading) };
}

/** `setsid`, `setuid`, `setrsc`: the keys of these collections. */
export function readKey(collection: 'SESSION' | 'USER' | 'RESOURCE'): (written: Span, reading: Reading) => InitCol {
  return (written, reading) => ({ kind: 'initcol', collection, key: readMacro(written, reading) });
}

export function readSetEnv(written: Span, reading: Reading): Effect {
  const [name, value] = cutAtEquals(written);
  reading.report.note(
    written.place(),
    'setenv: the gateway has no variables of an environment that a request could set; nothing reads this',
  );
  return { kind: 'setenv', name: readMacro(name, reading), value: value === undefined ? EMPTY : readMacro(value, reading) };
}

/** At the first `=` that is not within a macro. */
function cutAtEquals(written: Span): readonly [Span, Span | undefined] {
  const { text } = written;
  const lastClose = text.lastIndexOf('}');
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '=') return [written.slice(0, at).trim(), written.slice(at + 1)];
    if (text[at] === '%' && text[at + 1] === '{' && at < lastClose) at = text.indexOf('}', at);
  }
  return [written.trim(), undefined];
}

function readMember(written: Span, known: readonly string[], reading: Reading) {
  const parts = written.cut('.');
  if (parts === undefined || parts[1].text === '') {
    return reading.report.refuse(written.place(), `${shown(written.text)} names no variable of a collection`, 'write tx.name');
  }
  const collection = readCollection(parts[0], known, reading);
  return collection === undefined ? undefined : { collection, name: readMacro(parts[1], reading) };
}

function readCollection(written: Span, known: readonly string[], { report }: Reading): string | undefined {
  const upper = written.text.toUpperCase();
  if (known.includes(upper)) return upper;
  const hint = didYouMean(upper, known) ?? `there are ${known.join(', ')}`;
  return report.refuse(written.place(), `there is no collection ${shown(written.text)} that rules can write here`, hint);
}
