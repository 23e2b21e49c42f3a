import type { Line } from './lines.ts';
import type { Report } from './report.ts';
import { closingQuote, isSpace, Span, skipSpace, unquoted } from './span.ts';

/** The words of a directive: apart by white space, or in quotes. undefined: it is not well formed, which is reported. */
export function wordsOf(line: Line, report: Report): Span[] | undefined {
  const { text } = line;
  const words: Span[] = [];
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const quote = text[at];
    const end = quote === '"' || quote === "'" ? closingQuote(text, at + 1, quote) : endOfBareWord(text, at);
    if (end < 0) return report.refuse(line.place(at), 'this quote is never closed', 'a backslash lets a quote stand in quotes');
    if (quote !== '"' && quote !== "'") words.push(new Span(text.slice(at, end), line, at));
    else words.push(unquoted(line, at + 1, end, quote));
    const next = quote === '"' || quote === "'" ? end + 1 : end;
    if (next < text.length && !isSpace(text, next)) return refuseGlued(line, next, report);
    at = skipSpace(text, next);
  }
  return words;
}

function endOfBareWord(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isSpace(text, at)) at++;
  return at;
}

function refuseGlued(line: Line, at: number, report: Report): undefined {
  return report.refuse(
    line.place(at),
    'white space is missing behind the closing quote',
    'a quote within quotes needs a backslash before it',
  );
}
