/** What is not DER as we read it, or not what is expected at its place. */
export class DerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DerError';
  }
}

/** One element: its tag, and where its value and the whole of it stand. */
export interface Element {
  readonly tag: number;
  /** The value, without tag and length. */
  readonly value: Buffer;
  /** All of it, byte for byte. */
  readonly raw: Buffer;
}

export const BOOLEAN = 0x01;
export const INTEGER = 0x02;
export const BIT_STRING = 0x03;
export const OCTET_STRING = 0x04;
export const OBJECT_IDENTIFIER = 0x06;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const SEQUENCE = 0x30;
export const SET = 0x31;

/** `[n]` of a structure, constructed. */
export function context(n: number): number {
  return 0xa0 | n;
}

/**
 * Walks over elements that stand one behind the other (X.690). Nothing is found by searching: each element says where the next one begins,
 * lengths are the shortest form, and no element reaches over the end of the one that holds it. No recursion, no look back: linear.
 */
export class DerReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The tag of the next element, or -1 at the end. */
  get tag(): number {
    return this.done ? -1 : this.#bytes[this.#at];
  }

  next(tag?: number): Element {
    const bytes = this.#bytes;
    const start = this.#at;
    if (start + 2 > bytes.length) throw new DerError('an element is cut off');
    const found = bytes[start];
    if ((found & 0x1f) === 0x1f) throw new DerError('a tag of more than one byte');
    if (tag !== undefined && found !== tag) throw new DerError(`tag ${hex(tag)} expected, not ${hex(found)}`);
    const { length, from } = this.#length(start + 1);
    if (length > bytes.length - from) throw new DerError('an element is longer than what holds it');
    this.#at = from + length;
    return { tag: found, value: bytes.subarray(from, this.#at), raw: bytes.subarray(start, this.#at) };
  }

  /** The next element, when it has this tag. */
  optional(tag: number): Element | undefined {
    return this.tag === tag ? this.next() : undefined;
  }

  /** A reader of what the next element holds. */
  enter(tag: number): DerReader {
    return new DerReader(this.next(tag).value);
  }

  #length(at: number): { length: number; from: number } {
    const first = this.#bytes[at];
    if (first < 0x80) return { length: first, from: at + 1 };
    const count = first & 0x7f;
    // 0x80 is the indefinite length of BER. Four bytes are more than any file that we read.
    if (count === 0 || count > 4 || at + 1 + count > this.#bytes.length) throw new DerError('a length that is not DER');
    const length = this.#bytes.readUIntBE(at + 1, count);
    if (length < 0x80 || (count > 1 && this.#bytes[at + 1] === 0)) throw new DerError('a length that is not the shortest');
    return { length, from: at + 1 + count };
  }
}

/** `1.2.840.113549.1.1.11` of the value of an object identifier. */
export function oidText(value: Buffer): string {
  if (value.length === 0 || value.length > 64) throw new DerError('an object identifier of no, or of too many, bytes');
  const arcs: number[] = [];
  let arc = 0;
  let fresh = true;
  for (const byte of value) {
    if ((fresh && byte === 0x80) || arc > 2 ** 44) throw new DerError('a malformed object identifier');
    arc = arc * 128 + (byte & 0x7f);
    fresh = byte < 0x80;
    if (!fresh) continue;
    arcs.push(arc);
    arc = 0;
  }
  if (!fresh) throw new DerError('an object identifier is cut off');
  const first = Math.min(2, Math.floor(arcs[0] / 40));
  return [first, arcs[0] - first * 40, ...arcs.slice(1)].join('.');
}

/** An integer of any size in hexadecimal, without leading zeros, as serial numbers are written. */
export function integerHex(value: Buffer): string {
  if (value.length === 0) throw new DerError('an integer without a value');
  return value.toString('hex').replace(/^(?:00)+(?=..)/, '');
}

const UTC = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
const GENERALIZED = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;

/** Milliseconds since the epoch of a Time (RFC 5280 section 4.1.2.5: seconds and `Z` are a must). */
export function timeOf({ tag, value }: Element): number {
  const match = (tag === UTC_TIME ? UTC : tag === GENERALIZED_TIME ? GENERALIZED : undefined)?.exec(value.toString('latin1'));
  if (match === null || match === undefined) throw new DerError('a malformed time');
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  const full = tag === UTC_TIME ? (year < 50 ? 2000 + year : 1900 + year) : year;
  const ms = Date.UTC(full, month - 1, day, hour, minute, second);
  if (full >= 100 && new Date(ms).getUTCMonth() !== month - 1) throw new DerError('a time that does not exist');
  return ms;
}

function hex(tag: number): string {
  return `0x${tag.toString(16).padStart(2, '0')}`;
}
