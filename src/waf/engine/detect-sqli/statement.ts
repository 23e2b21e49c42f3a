import { byteAt } from './bytes.ts';
import type { Scanner } from './scanner.ts';
import * as w from './words.ts';

/**
 * Whether what follows a word that begins a statement makes it one. Words of English begin statements as well ("drop table lamp"), so a
 * statement that stands alone needs more of its form than one behind `1;`.
 *
 * @param stacked It stands behind a number or a quote, and a semicolon.
 * @param behind Something stands before it.
 */
export function beginsStatement(scan: Scanner, kind: number, stacked: boolean, behind: boolean): boolean {
  switch (kind) {
    case w.DEFINE:
      return defines(scan, stacked, behind);
    case w.INSERT:
      return inserts(scan, stacked);
    case w.UPDATE:
      return updates(scan);
    case w.DELETE:
      return deletes(scan, stacked, behind);
    case w.EXECUTE:
      return executes(scan, stacked);
    case w.DECLARE:
      return declares(scan);
    case w.WAITFOR:
      return scan.next() === w.DELAY && isOneOf(scan.next(), w.STRING, w.OPEN_STRING, w.VARIABLE, w.END);
    case w.SHUTDOWN:
      return stacked && isOneOf(scan.next(), w.END, w.COMMENT, w.SEMICOLON, w.CASE_END);
    case w.BEGIN:
      return behind && (begins(scan.next()) || scan.danger === w.DANGEROUS);
    case w.CALL:
      return behind && isName(scan.next()) && scan.next() === w.OPEN;
    case w.LOAD:
      return scan.next() === w.LOAD_WORD && isOneOf(scan.next(), w.LOAD_WORD, w.MODIFIER);
    case w.GRANT:
      return behind && isGrant(scan);
    case w.MOVE:
      return stacked && isName(scan.next()) && isOneOf(scan.next(), w.FROM, w.ON);
    case w.PRINT:
      return stacked && isOneOf(scan.next(), w.STRING, w.OPEN_STRING, w.VARIABLE);
    case w.GOTO:
      return behind && isName(scan.next()) && begins(scan.next());
    default:
      return false;
  }
}

function begins(kind: number): boolean {
  return kind >= w.FIRST_STATEMENT || kind === w.TRY || kind === w.SELECT;
}

/** `declare @a int`, `declare a cursor` */
function declares(scan: Scanner): boolean {
  const kind = scan.next();
  return kind === w.VARIABLE || (isName(kind) && scan.next() === w.CURSOR);
}

function defines(scan: Scanner, stacked: boolean, behind: boolean): boolean {
  const kind = scan.next();
  if (kind === w.TABLE && isName(scan.next())) return stacked || (behind && isOver(scan.next())) || isClosed(scan);
  return stacked && isName(kind) && isOneOf(scan.next(), w.COMMENT, w.SEMICOLON, w.END);
}

function inserts(scan: Scanner, stacked: boolean): boolean {
  let kind = scan.next();
  while (kind === w.MODIFIER) kind = scan.next();
  if (kind !== w.INTO || !isName(scan.next())) return false;
  return stacked || isOneOf(scan.next(), w.OPEN, w.VALUES, w.SELECT, w.SET);
}

/** `update t set c =` */
function updates(scan: Scanner): boolean {
  let kind = scan.next();
  while (kind === w.MODIFIER) kind = scan.next();
  return isName(kind) && scan.next() === w.SET && isName(scan.next()) && scan.next() === w.COMPARE;
}

function deletes(scan: Scanner, stacked: boolean, behind: boolean): boolean {
  let kind = scan.next();
  while (kind === w.MODIFIER) kind = scan.next();
  if (kind !== w.FROM || !isName(scan.next())) return false;
  if (stacked) return true;
  const next = scan.next();
  return (
    (behind && isOver(next)) ||
    isOneOf(next, w.COMMENT, w.SEMICOLON) ||
    (next === w.WHERE && isName(scan.next()) && scan.next() === w.COMPARE)
  );
}

function executes(scan: Scanner, stacked: boolean): boolean {
  const kind = scan.next();
  if (kind === w.SYSTEM_CALL || kind === w.VARIABLE || kind === w.CATALOGUE) return true;
  if (kind === w.NAME && isSystemCall(scan)) return true;
  return stacked && isOneOf(kind, w.OPEN, w.STRING, w.OPEN_STRING);
}

/** `xp_…`, `sp_…`, with a database before it or not. */
function isSystemCall(scan: Scanner): boolean {
  const dot = scan.text.lastIndexOf('.', scan.at - 1);
  const from = dot > scan.start ? dot + 1 : scan.start;
  const first = byteAt(scan.text, from) | 0x20;
  return (
    (first === 0x78 || first === 0x73) && (byteAt(scan.text, from + 1) | 0x20) === 0x70 && byteAt(scan.text, from + 2) === 0x5f
  );
}

function isGrant(scan: Scanner): boolean {
  for (let i = 0; i < 4; i++) if (scan.next() === w.ON) return isName(scan.next());
  return false;
}

function isClosed(scan: Scanner): boolean {
  return isOneOf(scan.kind, w.COMMENT, w.SEMICOLON) || isOneOf(scan.next(), w.COMMENT, w.SEMICOLON);
}

function isOver(kind: number): boolean {
  return kind === w.END || kind === w.COMMENT || kind === w.SEMICOLON;
}

function isName(kind: number): boolean {
  return kind === w.NAME || kind === w.CATALOGUE || kind === w.TABLE || kind === w.VARIABLE;
}

function isOneOf(kind: number, a: number, b: number, c = -1, d = -1): boolean {
  return kind === a || kind === b || kind === c || kind === d;
}
