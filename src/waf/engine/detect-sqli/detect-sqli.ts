import { byteAt } from './bytes.ts';
import { judge } from './judge.ts';
import { Reading } from './reading.ts';
import { endOfString } from './scanner.ts';
import { meets } from '../fast/requirement.ts';
import { sqliTriggers } from './triggers.ts';

export { sqliTriggers } from './triggers.ts';

const READING = new Reading();

/**
 * Whether a value would change the meaning of a SQL query that it is put into without care: what was found, by a short name (`bare:union`,
 * `single:comparison`); undefined: nothing. The value is read where it may stand: bare, in single quotes, in double quotes, in a comment.
 */
export function detectSqli(value: string): string | undefined {
  return (
    bare(value) ??
    quoted('single', value, 0x27, value.indexOf("'")) ??
    quoted('double', value, 0x22, value.indexOf('"')) ??
    inComment(value)
  );
}

/** What the triggers do not foresee is no finding, so that passing over values by them never changes a verdict. */
function bare(value: string): string | undefined {
  const what = found('bare', value, 0, 0);
  return what !== undefined && meets(value, sqliTriggers) ? what : undefined;
}

function found(place: string, value: string, at: number, quote: number): string | undefined {
  READING.read(value, at, quote, quote !== 0 || startsBehind(value));
  const what = judge(READING);
  return what === undefined ? undefined : `${place}:${what}`;
}

/** `) or …`, `; drop …`: an operand of the query's own stands before the value. */
function startsBehind(value: string): boolean {
  const first = byteAt(value, 0);
  return first === 0x29 || first === 0x3b;
}

/** Once as databases read doubled and escaped quotes, once as if the first quote closed the string: the application may have done either. */
function quoted(place: string, value: string, quote: number, first: number): string | undefined {
  if (first === -1) return undefined;
  const stop = endOfString(value, 0, quote);
  const what = stop === -1 ? undefined : found(place, value, stop, quote);
  return what ?? (stop === first + 1 ? undefined : found(place, value, first + 1, quote));
}

/** A value within a comment that it closes. */
function inComment(value: string): string | undefined {
  let at = value.indexOf('*/');
  if (at === -1) return undefined;
  while (value.startsWith('*/', at)) at += 2;
  READING.read(value, at, 0);
  return READING.unites ? 'comment:union' : undefined;
}
