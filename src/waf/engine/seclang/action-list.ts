import type { Report } from './report.ts';
import { closingQuote, isSpace, type Span, skipSpace, unquoted } from './span.ts';

/** One action as it is written. */
export interface WrittenAction {
  readonly name: Span;
  /** Without its single quotes; undefined: there is none. */
  readonly value: Span | undefined;
}

/** `name,name:value,name:'value, with commas'`. What is not well formed is reported and left out. */
export function readActionList(list: Span, report: Report): WrittenAction[] {
  const actions: WrittenAction[] = [];
  const { text } = list;
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const end = nameEnd(text, at);
    const name = list.slice(at, end);
    if (name.text === '') noteEmpty(list, at, report);
    const next = skipSpace(text, end);
    const [value, after] = text[next] === ':' ? readValue(list, skipSpace(text, next + 1), report) : [undefined, next];
    if (name.text !== '') actions.push({ name, value });
    at = behindComma(list, after, report);
  }
  return actions;
}

/** Two commas side by side leave nothing out; a value without a name does. */
function noteEmpty(list: Span, at: number, report: Report): void {
  const message = 'an action is missing here';
  if (list.text[at] === ',') report.note(list.place(at), message);
  else report.refuse(list.place(at), message, 'actions stand apart by one comma');
}

function nameEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== ':' && text[at] !== ',' && !isSpace(text, at)) at++;
  return at;
}

function readValue(list: Span, from: number, report: Report): readonly [Span | undefined, number] {
  const { text } = list;
  if (text[from] !== "'") {
    const comma = endOfPart(text, from);
    return [list.slice(from, comma).trim(), comma];
  }
  const close = closingQuote(text, from + 1, "'");
  if (close >= 0) return [unquoted(list, from + 1, close, "'"), skipSpace(text, close + 1)];
  report.refuse(list.place(from), 'this single quote is never closed', "a quote within single quotes is written \\'");
  return [undefined, text.length];
}

function endOfPart(text: string, from: number): number {
  const comma = text.indexOf(',', from);
  return comma < 0 ? text.length : comma;
}

function behindComma(list: Span, from: number, report: Report): number {
  const { text } = list;
  if (from < text.length && text[from] !== ',') {
    report.refuse(
      list.place(from),
      'a comma is missing before this',
      "text with commas or quotes stands in '…', \\' is a quote in it",
    );
  }
  const comma = endOfPart(text, from);
  return comma === text.length ? comma : skipSpace(text, comma + 1);
}
