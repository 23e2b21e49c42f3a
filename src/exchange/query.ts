import { isUtf8 } from 'node:buffer';
import type { FormField } from './body/parsed.ts';
import type { Exchange } from './exchange.ts';

/** More fields than any real query has: it bounds what rooms do for each. With the bound on targets no query can cost much. */
export const MOST_FIELDS = 1000;

/**
 * What a query says, read once for all rooms as `application/x-www-form-urlencoded` (WHATWG URL section 5.1). What goes to the service
 * is the query as it came, byte for byte: what could be read in another way is flagged here, and strict callers refuse on a flag.
 */
export interface QueryReading {
  /** In their order. Names and values are decoded once and are byte strings, one character per byte: {@link textOf} makes text. */
  readonly fields: readonly QueryField[];
  /** A `%` without two hexadecimal digits: it stands for itself here, other readers drop it or fail. */
  readonly badEscape: boolean;
  /** A name or a value whose bytes are not UTF-8. */
  readonly badUtf8: boolean;
  /** Two fields have the same name, byte for byte after decoding. */
  readonly duplicate: boolean;
  /** A raw `;`, at which older readers split (`a=1;b=2`). */
  readonly semicolon: boolean;
  /** There are more than {@link MOST_FIELDS}: the others are not in `fields`. */
  readonly truncated: boolean;
}

const EMPTY: QueryReading = Object.freeze({
  fields: Object.freeze([]),
  badEscape: false,
  badUtf8: false,
  duplicate: false,
  semicolon: false,
  truncated: false,
});

/** A field with its value as it came: where values are lists, a comma that came encoded is not one between items. */
export interface QueryField extends FormField {
  readonly raw: string;
}

/** The reading of a request's query: made when a room asks first, the same for all that ask later. */
export function queryOf(x: Exchange): QueryReading {
  return (x.queryReading ??= readQuery(x.head.query));
}

/** Reads a query without its `?` (or the body of a form, as a byte string). Linear, and never fails: what is odd is a flag.
 * At most `most` fields are read. */
export function readQuery(query: string | undefined, most = MOST_FIELDS): QueryReading {
  if (query === undefined || query === '') return EMPTY;
  const reader = new Reader(most);
  let from = 0;
  while (from <= query.length && !reader.truncated) {
    const mark = query.indexOf('&', from);
    const to = mark < 0 ? query.length : mark;
    // Between two `&` in a row there is no field.
    if (to > from) reader.add(query.slice(from, to));
    from = to + 1;
  }
  reader.semicolon = query.includes(';');
  reader.duplicate = hasDuplicate(reader.fields);
  return reader;
}

class Reader implements QueryReading {
  readonly fields: QueryField[] = [];
  badEscape = false;
  badUtf8 = false;
  duplicate = false;
  semicolon = false;
  truncated = false;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  add(piece: string): void {
    if (this.fields.length === this.#most) {
      this.truncated = true;
      return;
    }
    const equals = piece.indexOf('=');
    const name = this.#decode(equals < 0 ? piece : piece.slice(0, equals));
    const raw = equals < 0 ? '' : piece.slice(equals + 1);
    this.fields.push({ name, value: this.#decode(raw), raw });
  }

  #decode(text: string): string {
    const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
    const bytes = spaced.includes('%') ? this.#unescape(spaced) : spaced;
    if (NOT_ASCII.test(bytes) && !isUtf8(Buffer.from(bytes, 'latin1'))) this.badUtf8 = true;
    return bytes;
  }

  #unescape(text: string): string {
    let bytes = '';
    let from = 0;
    for (let at = text.indexOf('%'); at >= 0; at = text.indexOf('%', from)) {
      const byte = hexDigit(text.charCodeAt(at + 1)) * 16 + hexDigit(text.charCodeAt(at + 2));
      // NaN is no digit, or the end of the text.
      if (Number.isNaN(byte)) {
        this.badEscape = true;
        bytes += text.slice(from, at + 1);
        from = at + 1;
      } else {
        bytes += text.slice(from, at) + String.fromCharCode(byte);
        from = at + 3;
      }
    }
    return bytes + text.slice(from);
  }
}

const NOT_ASCII = /[\x80-\xff]/;

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

/** A set costs more than it saves where there are few. */
const FEW = 8;

function hasDuplicate(fields: readonly FormField[]): boolean {
  if (fields.length > FEW) return new Set(fields.map(({ name }) => name)).size < fields.length;
  for (let i = 1; i < fields.length; i += 1) {
    for (let k = 0; k < i; k += 1) if (fields[k].name === fields[i].name) return true;
  }
  return false;
}

/** The text of a byte string, or undefined where it is not UTF-8. A byte order mark is a character like others. */
export function textOf(bytes: string): string | undefined {
  if (!NOT_ASCII.test(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  return isUtf8(buffer) ? buffer.toString('utf8') : undefined;
}
