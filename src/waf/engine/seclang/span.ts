import type { Place } from '../rule-set.ts';

/** Text that knows where it stands. */
export interface Located {
  readonly text: string;
  place(at?: number): Place;
}

const NONE: readonly number[] = [];

/** A part of a text, perhaps without the backslashes that its quotes needed, which still knows where each of its characters was written. */
export class Span implements Located {
  readonly text: string;
  readonly #within: Located;
  readonly #start: number;
  /** Before which characters of this text one of the source was left out; ascending. */
  readonly #left: readonly number[];

  constructor(text: string, within: Located, start: number, left: readonly number[] = NONE) {
    this.text = text;
    this.#within = within;
    this.#start = start;
    this.#left = left;
  }

  place(at = 0): Place {
    return this.#within.place(this.#start + at + countUpTo(this.#left, at));
  }

  slice(from: number, to = this.text.length): Span {
    return new Span(this.text.slice(from, to), this, from);
  }

  trim(): Span {
    const from = skipSpace(this.text, 0);
    let to = this.text.length;
    while (to > from && isSpace(this.text, to - 1)) to--;
    return this.slice(from, to);
  }

  /** Both sides of the first separator; undefined where there is none. */
  cut(separator: string): readonly [Span, Span] | undefined {
    const at = this.text.indexOf(separator);
    return at < 0 ? undefined : [this.slice(0, at), this.slice(at + separator.length)];
  }

  /** Parts between separators, without white space around them, empty ones left out. */
  split(separators: RegExp): Span[] {
    const parts: Span[] = [];
    let from = 0;
    for (const match of this.text.matchAll(separators)) {
      parts.push(this.slice(from, match.index));
      from = match.index + match[0].length;
    }
    parts.push(this.slice(from));
    return parts.map((part) => part.trim()).filter(({ text }) => text !== '');
  }
}

/** How many of these ascending numbers are not above a bound. */
export function countUpTo(numbers: readonly number[], bound: number): number {
  let from = 0;
  let to = numbers.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (numbers[middle] <= bound) from = middle + 1;
    else to = middle;
  }
  return from;
}

export function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

export function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text, at)) at++;
  return at;
}

/** Where a quoted text ends that begins behind its quote; -1: nowhere. `\` protects a quote and itself. */
export function closingQuote(text: string, from: number, quote: string): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === quote) return at;
    if (text[at] === '\\' && (text[at + 1] === quote || text[at + 1] === '\\')) at++;
  }
  return -1;
}

/** What stands between two quotes: `\` and a quote is the quote; all other backslashes stay, as in libmodsecurity. */
export function unquoted(within: Located, from: number, to: number, quote: string): Span {
  const pieces: string[] = [];
  const left: number[] = [];
  let length = 0;
  let start = from;
  for (let at = within.text.indexOf('\\', from); at >= 0 && at < to; at = within.text.indexOf('\\', at)) {
    if (within.text[at + 1] === quote) {
      pieces.push(within.text.slice(start, at));
      length += at - start;
      left.push(length);
      start = at + 1;
    }
    at += 2;
  }
  pieces.push(within.text.slice(start, to));
  return new Span(pieces.join(''), within, from, left);
}
