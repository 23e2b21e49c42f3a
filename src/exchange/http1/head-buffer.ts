import { CR, isFieldByte, LF } from './bytes.ts';
import { type HeadReader, INCOMPLETE } from './head-reader.ts';

const EMPTY = Buffer.alloc(0);

/**
 * Gathers a head that comes in pieces, so that a client that sends one byte at a time costs no more than the bytes it sends: the
 * head is read again only when the new bytes end it, make it malformed, or double it.
 */
export class HeadBuffer {
  #held: Buffer | undefined;
  #length = 0;
  #readAt = 0;

  /** How many bytes of an incomplete head are held. */
  get length(): number {
    return this.#length;
  }

  /** True when bytes of an incomplete head are held. */
  get waiting(): boolean {
    return this.#length > 0;
  }

  /** The bytes held so far and those that follow the head; valid after `read` until the next call. */
  bytes: Buffer = EMPTY;

  /**
   * Reads a head from what is held plus `chunk`.
   * @returns the position in `this.bytes` behind the head, INCOMPLETE (the chunk is then held), or MALFORMED
   */
  read(reader: HeadReader, chunk: Buffer): number {
    if (this.#length === 0) {
      this.bytes = chunk;
      return this.#keep(reader.read(chunk, 0, chunk.length), chunk);
    }
    const before = this.#length;
    this.#append(chunk);
    this.bytes = (this.#held as Buffer).subarray(0, this.#length);
    if (this.#length < this.#readAt * 2 && !decides(this.bytes, before)) return INCOMPLETE;
    this.#readAt = this.#length;
    return this.#keep(reader.read(this.bytes, 0, this.#length), undefined);
  }

  /** Lets the memory of the last head go: a connection that waits for its next one must not hold on to it. */
  release(): void {
    this.bytes = EMPTY;
  }

  /** Gives an incomplete head up; `reader` then says what there was of it. */
  drop(reader: HeadReader): void {
    reader.read(this.#held ?? EMPTY, 0, this.#length);
    this.#length = 0;
    this.#held = undefined;
    this.bytes = EMPTY;
  }

  #keep(end: number, chunk: Buffer | undefined): number {
    if (end !== INCOMPLETE) {
      this.#length = 0;
      this.#held = undefined;
    } else if (chunk !== undefined) {
      this.#append(chunk);
      this.#readAt = this.#length;
    }
    return end;
  }

  #append(chunk: Buffer): void {
    const needed = this.#length + chunk.length;
    if (this.#held === undefined || this.#held.length < needed) {
      const grown = Buffer.allocUnsafeSlow(Math.max(1024, needed * 2));
      this.#held?.copy(grown, 0, 0, this.#length);
      this.#held = grown;
    }
    chunk.copy(this.#held, this.#length);
    this.#length = needed;
  }
}

/** Whether the bytes from `from` on can end a head or make it malformed: an empty line, a bare CR or LF, a control character. */
function decides(bytes: Buffer, from: number): boolean {
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isFieldByte[byte] === 1) {
      if (at > 0 && bytes[at - 1] === CR) return true;
    } else if (byte === LF) {
      if (bytes[at - 1] !== CR || bytes[at - 2] === LF) return true;
    } else if (byte !== CR || bytes[at - 1] === CR) {
      return true;
    }
  }
  return false;
}
