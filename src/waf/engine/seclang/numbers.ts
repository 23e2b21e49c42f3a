import type { IdRange } from '../rule-set.ts';
import type { Report } from './report.ts';
import type { Span } from './span.ts';

/** A whole number in these bounds; undefined where it is none, which is reported. */
export function readNumber(written: Span, report: Report, from = 0, to: number = Number.MAX_SAFE_INTEGER): number | undefined {
  const number = /^[0-9]{1,16}$/.test(written.text) ? Number(written.text) : Number.NaN;
  if (number >= from && number <= to) return number;
  const bounds = to === Number.MAX_SAFE_INTEGER ? `from ${from}` : `from ${from} to ${to}`;
  return report.refuse(written.place(), `a whole number ${bounds} belongs here, not ${shown(written.text)}`);
}

/** `On` or `Off`. */
export function readSwitch(written: Span, report: Report): boolean | undefined {
  const word = readWord(written, ['On', 'Off'], report);
  return word === undefined ? undefined : word === 'On';
}

/** One of these words, in whatever case. */
export function readWord<T extends string>(written: Span, words: readonly T[], report: Report): T | undefined {
  const word = words.find((one) => one.toLowerCase() === written.text.toLowerCase());
  return word ?? report.refuse(written.place(), `${shown(written.text)} is not one of ${words.join(', ')}`);
}

/** `1-5` or `7`. */
export function readRange(written: Span, report: Report): IdRange | undefined {
  const ends = written.cut('-');
  const from = readNumber((ends?.[0] ?? written).trim(), report);
  const to = ends === undefined ? from : readNumber(ends[1].trim(), report);
  if (from === undefined || to === undefined) return undefined;
  if (from > to) return report.refuse(written.place(), `the range ${written.text} ends before it begins`);
  return { from, to };
}

/** Text for a message: short, printable. */
export function shown(text: string): string {
  const printable = text.slice(0, 40).replace(/[^\x20-\x7e]/g, '?');
  return text === '' ? 'nothing' : `"${printable}${text.length > 40 ? '…' : ''}"`;
}

/** `1,5-7 9`, apart by commas or white space. */
export function readRanges(written: Span, report: Report): IdRange[] {
  const parts = written.split(/[,\s]+/g);
  if (parts.length === 0) report.refuse(written.place(), 'the id of a rule is missing');
  return parts.flatMap((part) => readRange(part, report) ?? []);
}
