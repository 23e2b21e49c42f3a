import type { HeaderList } from '../headers.ts';
import { COMPRESSION_ERROR, Http2Error } from './http2-error.ts';
import { decodeHuffman, longestDecoded } from './huffman.ts';
import { DEFAULT_TABLE_SIZE, ENTRY_OVERHEAD, FIRST_DYNAMIC, STATIC_NAMES, STATIC_VALUES } from './static-table.ts';

/** Places of the dynamic table: a power of two, and as many entries as fit into it when all are empty. */
const PLACES = DEFAULT_TABLE_SIZE / ENTRY_OVERHEAD;

/** Bytes that follow the first one of an integer: 28 bits are more than anything here can be. */
const LONGEST_INTEGER = 4;

/** What a field costs in the head beside its name and value, as HTTP/1 writes it: colon, space, CRLF. */
const FIELD_OVERHEAD = 4;

/** Shared by all connections: a string is taken out of it before the next one is read. */
let scratch = Buffer.allocUnsafeSlow(16 * 1024);

/**
 * Reads the field sections of one connection (RFC 7541). What the fields mean, and whether their bytes are such as a field may have, is
 * for the one reading of the head.
 */
export class HpackDecoder {
  /** Size of the last section, as HTTP/1 would write its fields; also of those that were left out. */
  size = 0;

  readonly #names = Array.from({ length: PLACES }, () => '');
  readonly #values = Array.from({ length: PLACES }, () => '');
  /** Where the next entry goes; the newest one stands before it. */
  #next = 0;
  #entries = 0;
  #tableSize = 0;
  #tableLimit = DEFAULT_TABLE_SIZE;

  #bytes: Buffer = scratch;
  #at = 0;
  #end = 0;

  /**
   * Reads a whole section and appends its fields to `into`, as long as their size is not above `most`: a section that is too large
   * must be read to its end all the same, as later ones build on it.
   * @throws Http2Error when it cannot be read
   */
  decode(bytes: Buffer, from: number, to: number, into: HeaderList, most: number): void {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
    this.size = 0;
    this.#readTableSize();
    while (this.#at < to) {
      const first = bytes[this.#at];
      if (first >= 0x80) this.#readIndexed(into, most);
      else if (first >= 0x40) this.#readLiteral(6, true, into, most);
      else if (first < 0x20) this.#readLiteral(4, false, into, most);
      else throw broken('a change of the table within a section');
    }
    this.#bytes = scratch;
  }

  /** Changes of the table's size stand at the beginning (RFC 7541 section 4.2): at most the lowest, and the last. */
  #readTableSize(): void {
    for (let changes = 0; this.#at < this.#end && (this.#bytes[this.#at] & 0xe0) === 0x20; changes++) {
      const size = this.#integer(5);
      if (size > DEFAULT_TABLE_SIZE || changes === 2) throw broken('a table size beyond what is allowed');
      this.#tableLimit = size;
      this.#evict(0);
    }
  }

  #readIndexed(into: HeaderList, most: number): void {
    const index = this.#integer(7);
    if (index < FIRST_DYNAMIC) {
      if (index === 0) throw broken('a field with index 0');
      this.#push(into, most, STATIC_NAMES[index], STATIC_VALUES[index]);
      return;
    }
    const place = this.#placeOf(index);
    this.#push(into, most, this.#names[place], this.#values[place]);
  }

  #readLiteral(bits: number, remember: boolean, into: HeaderList, most: number): void {
    const index = this.#integer(bits);
    const name = index === 0 ? this.#string() : index < FIRST_DYNAMIC ? STATIC_NAMES[index] : this.#names[this.#placeOf(index)];
    const value = this.#string();
    if (remember) this.#remember(name, value);
    this.#push(into, most, name, value);
  }

  #push(into: HeaderList, most: number, name: string, value: string): void {
    this.size += name.length + value.length + FIELD_OVERHEAD;
    if (this.size <= most) into.push(name, value);
  }

  #placeOf(index: number): number {
    const age = index - FIRST_DYNAMIC;
    if (age >= this.#entries) throw broken('a field that is not in the table');
    return (this.#next - 1 - age) & (PLACES - 1);
  }

  #remember(name: string, value: string): void {
    const size = name.length + value.length + ENTRY_OVERHEAD;
    this.#evict(size);
    // What does not fit empties the table and is no error (RFC 7541 section 4.4).
    if (size > this.#tableLimit) return;
    this.#names[this.#next] = name;
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) & (PLACES - 1);
    this.#entries++;
    this.#tableSize += size;
  }

  /** Lets the oldest entries go until so many bytes have room. */
  #evict(needed: number): void {
    while (this.#entries > 0 && this.#tableSize + needed > this.#tableLimit) {
      const oldest = (this.#next - this.#entries) & (PLACES - 1);
      this.#tableSize -= this.#names[oldest].length + this.#values[oldest].length + ENTRY_OVERHEAD;
      this.#names[oldest] = '';
      this.#values[oldest] = '';
      this.#entries--;
    }
  }

  /** An integer whose first byte leaves it so many bits (RFC 7541 section 5.1). */
  #integer(bits: number): number {
    const mask = (1 << bits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let i = 0; i < LONGEST_INTEGER; i++) {
      const byte = this.#byte();
      value += (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value;
    }
    throw broken('an integer that is too long');
  }

  #byte(): number {
    if (this.#at >= this.#end) throw broken('a section that ends too early');
    return this.#bytes[this.#at++];
  }

  #string(): string {
    const coded = this.#at < this.#end && this.#bytes[this.#at] >= 0x80;
    const length = this.#integer(7);
    const from = this.#at;
    const to = from + length;
    if (to > this.#end) throw broken('a string that ends too early');
    this.#at = to;
    return coded ? decoded(this.#bytes, from, to) : this.#bytes.toString('latin1', from, to);
  }
}

function decoded(bytes: Buffer, from: number, to: number): string {
  const most = longestDecoded(to - from);
  if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most * 2);
  const length = decodeHuffman(bytes, from, to, scratch);
  if (length < 0) throw broken('a string that is not well coded');
  return scratch.toString('latin1', 0, length);
}

function broken(reason: string): Http2Error {
  return new Http2Error(COMPRESSION_ERROR, reason);
}
