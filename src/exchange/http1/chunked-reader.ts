import { type HeaderList, hasHeader } from '../headers.ts';
import { CR, hexValue, isFieldByte, isToken, LF, SEMICOLON, SPACE } from './bytes.ts';
import { HeadBuffer } from './head-buffer.ts';
import { HeadReader, MALFORMED } from './head-reader.ts';

/** Sizes of chunks have at most this many digits, leading zeros included: 2^52 bytes are enough, and no number is ever inexact. */
const MOST_DIGITS = 13;

/** Chunk extensions and trailers mean nothing to us; what a body may carry of them is bounded (CVE-2023-39326, CVE-2024-22019). */
const MOST_EXTENSION_BYTES = 4096;
const MOST_TRAILER_BYTES = 8192;
const MOST_TRAILER_FIELDS = 64;

const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ODD_EXTENSION = 'a malformed chunk extension';

/** What a trailer must never be (RFC 9110 section 6.5.1); some readers would still act upon it. */
const FRAMING = ['content-length', 'transfer-encoding'];

type State = 'size' | 'extension' | 'quoted' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailers' | 'done' | 'malformed';

/**
 * The strict decoder of the chunked transfer coding (RFC 9112 section 7.1): CRLF only, no white space, no sign, bounded numbers.
 * Extensions are checked and dropped. Feed it with `read` until `done`.
 */
export class ChunkedReader {
  /** Trailer fields, after the end. */
  trailers: HeaderList | undefined = undefined;
  /** Why the body was refused, when `malformed`. */
  reason = '';

  #state: State = 'size';
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  #previous = 0;
  /** The extension that is being read has its equals sign. */
  #valued = false;
  readonly #trailer = new HeadBuffer();

  get done(): boolean {
    return this.#state === 'done';
  }

  get malformed(): boolean {
    return this.#state === 'malformed';
  }

  /**
   * Decodes from `bytes` at `from` and hands every piece of data to `onData`.
   * @returns the position of the first byte that was not taken: behind the body when `done`, otherwise the end of `bytes`
   */
  read(bytes: Buffer, from: number, onData: (piece: Buffer) => void): number {
    let at = from;
    while (at < bytes.length && this.#state !== 'done' && this.#state !== 'malformed') {
      if (this.#state === 'data') at = this.#data(bytes, at, onData);
      else if (this.#state === 'trailers') at = this.#trailers(bytes, at);
      else this.#byte(bytes[at++]);
    }
    return at;
  }

  #data(bytes: Buffer, from: number, onData: (piece: Buffer) => void): number {
    const end = Math.min(bytes.length, from + this.#size);
    this.#size -= end - from;
    if (this.#size === 0) this.#state = 'data-cr';
    onData(bytes.subarray(from, end));
    return end;
  }

  #byte(byte: number): void {
    if (this.#state === 'size') this.#sizeByte(byte);
    else if (this.#state === 'extension') this.#extensionByte(byte);
    else if (this.#state === 'quoted') this.#quotedByte(byte);
    else if (this.#state === 'size-lf')
      this.#expect(byte, LF, this.#size === 0 ? 'trailers' : 'data', 'a chunk size without CRLF');
    else if (this.#state === 'data-cr') this.#expect(byte, CR, 'data-lf', 'chunk data without CRLF');
    else {
      this.#digits = 0;
      this.#size = 0;
      this.#expect(byte, LF, 'size', 'chunk data without CRLF');
    }
  }

  #sizeByte(byte: number): void {
    const digit = hexValue[byte];
    if (digit < 16) {
      this.#size = this.#size * 16 + digit;
      if (++this.#digits > MOST_DIGITS) this.#refuse('a chunk size with too many digits');
    } else if (this.#digits === 0) this.#refuse('a chunk size that is not a hexadecimal number');
    else if (byte === SEMICOLON) {
      this.#state = 'extension';
      this.#previous = SEMICOLON;
      this.#valued = false;
    } else this.#expect(byte, CR, 'size-lf', 'a chunk size that is not a hexadecimal number');
  }

  /**
   * *( ";" name [ "=" ( token / quoted-string ) ] ), without white space: an extension that ends elsewhere for a reader that knows quotes
   * and for one that does not is a second reading of the body. `#previous` is the last byte.
   */
  #extensionByte(byte: number): void {
    const previous = this.#previous;
    this.#previous = byte;
    if (++this.#extensionBytes > MOST_EXTENSION_BYTES) this.#refuse('too many bytes of chunk extensions');
    else if (isToken[byte] === 1) {
      if (previous === QUOTE) this.#refuse(ODD_EXTENSION);
    } else if (byte === QUOTE) this.#expect(previous, EQUALS, 'quoted', ODD_EXTENSION);
    else if (previous === SEMICOLON || previous === EQUALS) this.#refuse(ODD_EXTENSION);
    else if (byte === EQUALS) {
      if (this.#valued) this.#refuse(ODD_EXTENSION);
      this.#valued = true;
    } else if (byte === SEMICOLON) this.#valued = false;
    else this.#expect(byte, CR, 'size-lf', ODD_EXTENSION);
  }

  #quotedByte(byte: number): void {
    const escaped = this.#previous === BACKSLASH;
    // A backslash that is itself escaped escapes nothing.
    this.#previous = escaped ? SPACE : byte;
    if (++this.#extensionBytes > MOST_EXTENSION_BYTES) this.#refuse('too many bytes of chunk extensions');
    else if (isFieldByte[byte] !== 1) this.#refuse(ODD_EXTENSION);
    else if (byte === QUOTE && !escaped) {
      this.#previous = QUOTE;
      this.#state = 'extension';
    }
  }

  /** Trailers end like a head: they are gathered and read by the same strict reader of field lines. */
  #trailers(bytes: Buffer, from: number): number {
    if (bytes[from] === CR && bytes[from + 1] === LF && !this.#trailer.waiting) return this.#finish(undefined, from + 2);
    const held = this.#trailer.length;
    const reader = new HeadReader('trailers', { target: 0, head: MOST_TRAILER_BYTES, fields: MOST_TRAILER_FIELDS });
    const end = this.#trailer.read(reader, bytes.subarray(from));
    if (end === MALFORMED) this.#refuse(reader.reason);
    else if (end >= 0 && FRAMING.some((name) => hasHeader(reader.headers, name))) {
      this.#refuse('a framing field in the trailers');
      return bytes.length;
    }
    return end < 0 ? bytes.length : this.#finish(reader.headers, from + end - held);
  }

  #finish(trailers: HeaderList | undefined, end: number): number {
    this.#state = 'done';
    this.trailers = trailers?.length === 0 ? undefined : trailers;
    return end;
  }

  #expect(byte: number, wanted: number, next: State, otherwise: string): void {
    if (byte === wanted) this.#state = next;
    else this.#refuse(otherwise);
  }

  #refuse(reason: string): void {
    this.#state = 'malformed';
    this.reason = reason;
  }
}
