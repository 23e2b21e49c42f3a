import { byteAt, NO_BYTE } from './bytes.ts';
import * as e from './evidence.ts';
import type { Reading } from './reading.ts';

const BLANK_REST = 2;

/** Without one of these only a comment at the end is anything. */
const TELLING = ~(e.BEYOND_STRINGS | e.NAMED_OPERAND | e.PREFIXED | e.NEGATIVE | e.LISTED);

/** What a reading amounts to, by a short name; undefined: nothing. */
export function judge(reading: Reading): string | undefined {
  if ((reading.evidence & TELLING) === 0 && reading.end !== e.COMMENTED) return undefined;
  return proven(reading) ?? (reading.end === e.BROKEN ? undefined : complete(reading));
}

/** What no honest value says, however it goes on. */
function proven(reading: Reading): string | undefined {
  const { evidence: seen, end, scan } = reading;
  const free = reading.isFree();
  if (has(seen, e.UNION_SELECTED)) return 'union';
  if (has(seen, e.STATEMENT_BEGUN)) return 'statement';
  if (has(seen, e.DANGER)) return 'function';
  if (has(seen, e.INTO_FILE)) return 'into-file';
  if (has(seen, e.UNITED) && (has(seen, e.NEGATIVE) || scan.sawComment || scan.sawConditional)) return 'union';
  if (has(seen, e.GLOBAL_USED) && has(seen, e.LOGICAL | e.COMPARED | e.UNITED)) return 'variable';
  if (has(seen, e.TOLD) && (free || has(seen, e.LOGICAL | e.CALLED | e.UNITED | e.SELECTED))) return 'function';
  if (has(seen, e.SELECTED) && selects(seen, end, free)) return 'select';
  if (has(seen, e.CATALOGUE_NAMED) && has(seen, e.FROM_TABLE) && free) return 'catalogue';
  if (free && has(seen, e.FROM_TABLE) && has(seen, e.WHERE_CLAUSE) && has(seen, e.COMPARED)) return 'from-where';
  if (scan.sawConditional && has(seen, e.LOGICAL | e.UNITED | e.SELECTED)) return 'conditional-comment';
  if (reading.decidesAlone && (reading.quote !== 0 || has(seen, e.CALLED))) return 'comparison';
  return undefined;
}

function selects(seen: number, end: number, free: boolean): boolean {
  if (free) return has(seen, e.FROM_TABLE | e.CALLED | e.LOGICAL | e.COMPARED | e.CALCULATED) || end === e.COMMENTED;
  if (has(seen, e.VARIABLE_USED)) return true;
  if (has(seen, e.CALLED) && (has(seen, e.FROM_TABLE) || end !== e.BROKEN)) return true;
  if (end === e.COMMENTED && has(seen, e.BEYOND_STRINGS)) return true;
  if (!has(seen, e.FROM_TABLE)) return false;
  return has(seen, e.STARRED | e.CATALOGUE_NAMED | e.LIMITED) || (has(seen, e.WHERE_CLAUSE) && has(seen, e.COMPARED));
}

/** What only counts when the value can be read to its end. */
function complete(reading: Reading): string | undefined {
  const { evidence: seen, quote, lead } = reading;
  if (has(seen, e.LOGICAL) && has(seen, e.CONSTANT_COMPARED) && has(seen, e.BEYOND_STRINGS)) return 'comparison';
  if (has(seen, e.CASE_COMPLETE)) return 'case';
  if (has(seen, e.CALLED) && has(seen, e.COMPARED_INSIDE)) return 'function';
  if (has(seen, e.HAVING_CLAUSE) && (quote !== 0 || has(seen, e.LOGICAL | e.COMPARED) || lead === e.LEAD_NUMBER)) return 'having';
  if (has(seen, e.ORDERED) && orders(reading)) return 'order';
  return quote === 0 ? bare(reading) : brokenOut(reading);
}

function orders({ evidence: seen, end, lead, quote }: Reading): boolean {
  const byNumber = has(seen, e.ORDERED_BY_NUMBER);
  if (quote !== 0 || lead === e.LEAD_NUMBER) return byNumber || end === e.COMMENTED || has(seen, e.LOGICAL);
  return byNumber && end === e.COMMENTED;
}

/** The value stands where a number would: `1 or x=2`, `1 --`. */
function bare(reading: Reading): string | undefined {
  const { evidence: seen, lead, end } = reading;
  if (lead === e.LEAD_NUMBER || lead === e.LEAD_VALUE) {
    if (has(seen, e.LOGICAL) && has(seen, e.COMPARED | e.CALLED)) return 'comparison';
    if (has(seen, e.CALCULATED) && has(seen, e.CALLED_AGAIN) && lead === e.LEAD_NUMBER) return 'function';
  }
  if (end !== e.COMMENTED || lead === e.LEAD_NAME || lead === e.LEAD_NONE) return undefined;
  if (has(seen, e.LOGICAL)) return 'comment';
  if (hidesItself(reading)) return 'comment';
  if (has(seen, e.LISTED) || restLength(reading) > 0) return undefined;
  if (lead === e.LEAD_STRING && !has(seen, e.CALLED | e.CALCULATED | e.PREFIXED | e.COMPARED)) return undefined;
  return 'comment';
}

/** SQL Server keeps lines with this word out of its log. */
function hidesItself({ scan }: Reading): boolean {
  return scan.text.slice(scan.commentStart, scan.commentStart + 64).includes('sp_password');
}

/** The value closes the query's string. */
function brokenOut(reading: Reading): string | undefined {
  const { evidence: seen, end } = reading;
  const operators = e.LOGICAL | e.COMPARED | e.CALCULATED;
  if (has(seen, e.LOGICAL) && has(seen, e.COMPARED | e.CALLED) && has(seen, e.BEYOND_STRINGS)) return 'comparison';
  if (end === e.COMMENTED)
    return (has(seen, operators | e.BEYOND_STRINGS) ? cutsShort(reading) : cutsOff(reading)) ? 'comment' : undefined;
  if (end !== e.LEFT_OPEN || !has(seen, operators)) return undefined;
  return (has(seen, e.BEYOND_STRINGS) ? calculates(reading) : joinsStrings(reading)) ? 'operator' : undefined;
}

/** `x' + 1 --`. In programs and patterns a comment begins within quotes (`'/a/*'`, `'-s, --service'`): then the quote comes again. */
function cutsShort({ evidence: seen, quote, scan }: Reading): boolean {
  return has(seen, e.LOGICAL | e.COMPARED) || scan.text.indexOf(String.fromCharCode(quote), scan.commentStart) === -1;
}

/** `admin'--`: nothing but a comment behind the quote. Prose has dashes behind plurals' apostrophes and inches. */
function cutsOff(reading: Reading): boolean {
  const { scan } = reading;
  const opening = openingOf(reading);
  const rest = restLength(reading);
  if (rest > (byteAt(scan.text, scan.start) === 0x23 ? 0 : BLANK_REST)) return false;
  // `'# x'` is a quoted word.
  if (
    (rest > 1 && scan.text.indexOf(String.fromCharCode(reading.quote), scan.commentStart) !== -1) ||
    wordsIn(scan.text, 0, opening) > 3
  )
    return false;
  return reading.quote === 0x27 || !isDigit(byteAt(scan.text, opening - 1));
}

/** `'*id-'0`. Paths and markup look alike: `url('/a/b')`, `<a href="/a/">b</a> "`. */
function calculates(reading: Reading): boolean {
  const { evidence: seen, quote, scan, from } = reading;
  if (has(seen, e.LOGICAL) || !has(seen, e.NAMED_OPERAND)) return true;
  if (quote === 0x22) return pipes(scan.text, from);
  return has(seen, e.COMPARED) || (byteAt(scan.text, from) !== 0x2f && wordsIn(scan.text, 0, from - 1) <= 1);
}

/** `" | type x | "`: no inch and no markup goes on so. */
function pipes(text: string, from: number): boolean {
  return byteAt(text, from) === 0x7c || (byteAt(text, from) === 0x20 && byteAt(text, from + 1) === 0x7c);
}

/**
 * `x' - 'y`, `' or '`: operators between strings alone, the last left open. A word quoted in prose looks alike (`the 'and' key`): its quotes
 * hug the word, with no word right outside; only where there is no prose around does it count.
 */
function joinsStrings(reading: Reading): boolean {
  const { evidence: seen, quote, scan } = reading;
  const { text } = scan;
  const opening = openingOf(reading);
  const last = scan.start;
  const before = wordsIn(text, 0, opening);
  const after = wordsIn(text, last + 1, text.length);
  if (isHugging(text, opening, last)) return quote === 0x27 && isShort(text, 0, opening) && isShort(text, last + 1, text.length);
  if (has(seen, e.COMPARED)) return true;
  if (quote === 0x22 && !has(seen, e.LOGICAL)) return false;
  return before <= (has(seen, e.LOGICAL) ? 3 : 1) && after <= 1;
}

function isHugging(text: string, opening: number, last: number): boolean {
  const outside = !isWord(byteAt(text, opening - 1)) && !isWord(byteAt(text, last + 1));
  return outside && !isSpaceOrEnd(byteAt(text, opening + 1)) && !isSpaceOrEnd(byteAt(text, last - 1));
}

/** Where the quote stands that the value closes the query's string with. */
function openingOf(reading: Reading): number {
  return reading.from - 1;
}

/** Nothing, or one letter or digit. */
function isShort(text: string, from: number, to: number): boolean {
  let count = 0;
  for (let i = from; i < to && count < 2; i++) if (!isSpaceOrEnd(byteAt(text, i))) count += isWord(byteAt(text, i)) ? 1 : 2;
  return count < 2;
}

/** Up to four. */
function wordsIn(text: string, from: number, to: number): number {
  let count = 0;
  for (let i = from; i < to && count < 4; i++) {
    if (!isSpaceOrEnd(byteAt(text, i)) && (i + 1 === to || isSpaceOrEnd(byteAt(text, i + 1)))) count++;
  }
  return count;
}

/** How much a comment holds, up to a few bytes, without spaces. */
function restLength({ scan }: Reading): number {
  let count = 0;
  for (let i = scan.commentStart; i < scan.text.length && count <= BLANK_REST; i++)
    if (!isSpaceOrEnd(byteAt(scan.text, i))) count++;
  return count;
}

function isSpaceOrEnd(byte: number): boolean {
  return byte === NO_BYTE || byte === 0x20 || (byte >= 9 && byte <= 13) || byte === 0;
}

function isWord(byte: number): boolean {
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || isDigit(byte) || byte === 0x5f || (byte >= 0x80 && byte !== NO_BYTE);
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function has(seen: number, bits: number): boolean {
  return (seen & bits) !== 0;
}
