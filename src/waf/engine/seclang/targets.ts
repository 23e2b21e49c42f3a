import type { Selector, Target } from '../rule-set.ts';
import type { Variable } from '../variables/variable.ts';
import { XML_ATTRIBUTES, XML_TEXTS } from '../variables/xml.ts';
import type { Reading } from './reading.ts';
import { closingQuote, type Span, unquoted } from './span.ts';
import { readVariable } from './variables.ts';

/** `ARGS|!ARGS:pass|&TX:/^x/`, taken apart. Whatever is wrong is reported and left out. */
export function readTargets(list: Span, reading: Reading): Target[] {
  return readList(list, reading).filter(
    (one) => one.exclude || one.variable !== 'XML' || one.selector !== undefined || refuseXml(list, reading),
  );
}

/** Targets where `!` and `&` would say nothing: all that is named is meant. */
export function readNamed(list: Span, reading: Reading): Target[] {
  return readList(list, reading).map((target) => ({ ...target, exclude: false, count: false }));
}

function readList(list: Span, reading: Reading): Target[] {
  if (list.text.trim() === '') reading.report.refuse(list.place(), 'a variable is missing here');
  return splitTargets(list, reading).flatMap((one) => readTarget(one, reading) ?? []);
}

/** Parts between `|` (or `,`, as ModSecurity takes it), except within a selector in quotes or slashes. */
function splitTargets(list: Span, reading: Reading): Span[] {
  const { text } = list;
  const parts: Span[] = [];
  let from = 0;
  while (from <= text.length && text !== '') {
    const end = endOfTarget(list, from, reading);
    parts.push(list.slice(from, end).trim());
    from = end + 1;
  }
  return parts;
}

function endOfTarget(list: Span, from: number, reading: Reading): number {
  const { text } = list;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '|' || text[at] === ',') return at;
    if (text[at] === ':') return endOfSelector(list, from, at + 1, reading);
  }
  return text.length;
}

function endOfSelector(list: Span, from: number, at: number, { report }: Reading): number {
  const { text } = list;
  const quote = text[at];
  const isPath = quote === '/' && /^[!&]?XML$/i.test(text.slice(from, at - 1).trim());
  if (isPath || (quote !== "'" && quote !== '/')) return endOfName(text, at);
  const close = quote === "'" ? closingQuote(text, at + 1, quote) : closingSlash(text, at + 1);
  if (close >= 0) return endOfName(text, close + 1);
  report.refuse(list.place(at), `the selector that opens with ${quote} here is never closed`, "write names that hold it as '…'");
  return text.length;
}

function endOfName(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '|' && text[at] !== ',') at++;
  return at;
}

/** The slash that ends a pattern: one without a backslash before it, behind which the target ends. */
function closingSlash(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '/' && (at + 1 === text.length || '|, \t'.includes(text[at + 1]))) return at;
  }
  return -1;
}

function readTarget(written: Span, reading: Reading): Target | undefined {
  const { report } = reading;
  const { text } = written;
  if (text === '') return report.refuse(written.place(), 'a target is missing here', 'targets stand apart by one |');
  const exclude = text[0] === '!';
  const count = text[exclude ? 1 : 0] === '&';
  if (exclude && count) return report.refuse(written.place(), 'a count cannot be left out', 'write the target without &');
  const bare = written.slice(exclude || count ? 1 : 0).trim();
  // A dot does the same, as in macros.
  const colon = bare.text.search(/[:.]/);
  const variable = readVariable(colon < 0 ? bare : bare.slice(0, colon).trim(), reading);
  if (variable === undefined) return undefined;
  const selector = colon < 0 ? undefined : readSelector(bare.slice(colon + 1), variable, reading);
  if (colon >= 0 && selector === undefined) return undefined;
  return { variable: variable.name, selector, count, exclude };
}

function readSelector(written: Span, variable: Variable, reading: Reading): Selector | undefined {
  const { report } = reading;
  if (!variable.collection) {
    return report.refuse(
      written.place(),
      `${variable.name} is one value: it has no members to select`,
      'leave the : and the rest out',
    );
  }
  const inner = inQuotes(written.trim());
  if (variable.name === 'XML') return readPath(inner, reading);
  if (inner.text === '')
    return report.refuse(written.place(), 'a name is missing behind the :', `${variable.name} alone means all`);
  if (inner.text.length < 2 || !inner.text.startsWith('/') || !inner.text.endsWith('/'))
    return { kind: 'name', name: inner.text.toLowerCase() };
  const pattern = inner.slice(1, -1);
  return reading.pattern(pattern, '(?i)') && { kind: 'pattern', pattern: pattern.text };
}

function inQuotes(written: Span): Span {
  const { text } = written;
  if (text.length < 2 || text[0] !== "'" || !text.endsWith("'")) return written;
  return unquoted(written, 1, text.length - 1, "'");
}

function readPath(written: Span, reading: Reading): Selector | undefined {
  const path = written.text;
  return path === XML_TEXTS || path === XML_ATTRIBUTES ? { kind: 'xpath', path } : refuseXml(written, reading);
}

function refuseXml(written: Span, { report }: Reading): undefined {
  return report.refuse(
    written.place(),
    `of XML only all texts (XML:${XML_TEXTS}) and all attributes (XML:${XML_ATTRIBUTES}) can be looked at`,
    `write XML:${XML_TEXTS}|XML:${XML_ATTRIBUTES}`,
  );
}
