import { DEFAULT_TABLE_SIZE, ENTRY_OVERHEAD, FIRST_DYNAMIC, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

/** Values that the next answer will hardly have again: to remember them would only push others out. */
const CHANGING = new Set([
  'content-length',
  'content-range',
  'etag',
  'age',
  'expires',
  'last-modified',
  'location',
  'retry-after',
  'x-request-id',
  'traceparent',
  'ratelimit',
  'ratelimit-remaining',
  'ratelimit-reset',
]);

/** Secrets that nobody on the way may remember either (RFC 7541 section 7.1.3). */
const NEVER = new Set(['set-cookie', 'authorization', 'proxy-authorization', 'www-authenticate', 'authentication-info']);

/** Larger fields would push too much out. */
const LARGEST_ENTRY = 512;

const NAME_INDEX = new Map<string, number>();
for (let index = STATIC_NAMES.length - 1; index > 0; index--) NAME_INDEX.set(STATIC_NAMES[index], index);

const STATUS_INDEX = new Map<number, number>();
STATIC_NAMES.forEach((name, index) => {
  if (name === ':status') STATUS_INDEX.set(Number(STATIC_VALUES[index]), index);
});
const STATUS_NAME = NAME_INDEX.get(':status') as number;

const BREAKS_A_HEAD = /[\r\n\0]/;

/** An entry of the dynamic table. */
interface Entry {
  readonly name: string;
  readonly value: string;
  readonly size: number;
  /** How many entries came before it. */
  readonly number: number;
}

/**
 * Writes field sections of one connection (RFC 7541), without Huffman coding: what most answers repeat costs one byte each time, and the rest is
 * not worth the time.
 */
export class HpackEncoder {
  /** The section that is being written; good until the next one. */
  bytes = Buffer.allocUnsafe(1024);
  length = 0;

  readonly #entries: Entry[] = [];
  readonly #byName = new Map<string, Map<string, Entry>>();
  #number = 0;
  #size = 0;
  #limit = DEFAULT_TABLE_SIZE;
  /** Lowest size that was set since the last section, where it has to be told. */
  #lowest: number | undefined = undefined;

  /** The peer has said how large the table may be; we never take more than the default. */
  setTableSize(size: number): void {
    const limit = Math.min(size, DEFAULT_TABLE_SIZE);
    if (limit === this.#limit && this.#lowest === undefined) return;
    this.#lowest = Math.min(this.#lowest ?? limit, limit);
    this.#limit = limit;
    this.#evict(0);
  }

  /** Begins a new section. */
  begin(): void {
    this.length = 0;
    if (this.#lowest === undefined) return;
    this.#room(16);
    if (this.#lowest < this.#limit) this.#integer(0x20, 5, this.#lowest);
    this.#integer(0x20, 5, this.#limit);
    this.#lowest = undefined;
  }

  status(status: number): void {
    const index = STATUS_INDEX.get(status);
    this.#room(16);
    if (index !== undefined) this.#integer(0x80, 7, index);
    else {
      this.#integer(0x00, 4, STATUS_NAME);
      this.#string(String(status));
    }
  }

  /** @throws when the value could break a head: that is a defect of a room, and never reaches the wire */
  field(name: string, value: string): void {
    const known = this.#byName.get(name)?.get(value);
    this.#room(name.length + value.length + 16);
    if (known !== undefined) {
      this.#integer(0x80, 7, FIRST_DYNAMIC + this.#number - 1 - known.number);
      return;
    }
    if (BREAKS_A_HEAD.test(value)) throw new Error(`the value of the response field ${name} holds CR, LF or NUL`);
    this.#literal(name, value);
  }

  #literal(name: string, value: string): void {
    const index = NAME_INDEX.get(name) ?? 0;
    const size = name.length + value.length + ENTRY_OVERHEAD;
    const secret = NEVER.has(name);
    const remember = !secret && size <= LARGEST_ENTRY && size <= this.#limit && !CHANGING.has(name);
    if (remember) this.#integer(0x40, 6, index);
    else this.#integer(secret ? 0x10 : 0x00, 4, index);
    if (index === 0) this.#string(name);
    this.#string(value);
    if (remember) this.#remember({ name, value, size, number: this.#number });
  }

  #remember(entry: Entry): void {
    this.#evict(entry.size);
    this.#number++;
    this.#size += entry.size;
    this.#entries.push(entry);
    const values = this.#byName.get(entry.name);
    if (values === undefined) this.#byName.set(entry.name, new Map([[entry.value, entry]]));
    else values.set(entry.value, entry);
  }

  #evict(needed: number): void {
    while (this.#entries.length > 0 && this.#size + needed > this.#limit) {
      const entry = this.#entries.shift() as Entry;
      this.#size -= entry.size;
      const values = this.#byName.get(entry.name);
      values?.delete(entry.value);
      if (values?.size === 0) this.#byName.delete(entry.name);
    }
  }

  #integer(first: number, bits: number, value: number): void {
    const mask = (1 << bits) - 1;
    if (value < mask) {
      this.bytes[this.length++] = first | value;
      return;
    }
    this.bytes[this.length++] = first | mask;
    let rest = value - mask;
    for (; rest >= 0x80; rest >>= 7) this.bytes[this.length++] = (rest & 0x7f) | 0x80;
    this.bytes[this.length++] = rest;
  }

  #string(text: string): void {
    this.#integer(0x00, 7, text.length);
    this.length += this.bytes.write(text, this.length, 'latin1');
  }

  #room(needed: number): void {
    if (this.length + needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe((this.length + needed) * 2);
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}
