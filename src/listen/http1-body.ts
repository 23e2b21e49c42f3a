import type { BodySink, BodySource } from '../exchange/body-source.ts';
import { type Refusal, refuse } from '../exchange/decision.ts';
import { ChunkedReader } from '../exchange/http1/chunked-reader.ts';

/** What a body needs of the connection that it arrives on. */
export interface BodyOwner {
  /** The receiver wants bytes: send `100 Continue` where it is waited for, and read on. */
  bodyWanted(): void;
  pauseReading(): void;
  resumeReading(): void;
  /** The body is complete; `rest` are the bytes behind it. */
  bodyEnded(rest: Buffer | undefined): void;
}

/**
 * The body of one HTTP/1 request. Bytes that came behind the head are held until a room or the service wants them; nothing more is read
 * from the socket before.
 */
export class Http1Body implements BodySource {
  readonly length: number | undefined;
  received = 0;
  broken: Refusal | undefined = undefined;
  limit = Number.POSITIVE_INFINITY;
  complete = false;

  readonly #owner: BodyOwner;
  readonly #chunked: ChunkedReader | undefined;
  #sink: BodySink | undefined = undefined;
  #held: Buffer | undefined = undefined;
  #gathered: Buffer | undefined = undefined;
  #left: number;

  constructor(owner: BodyOwner, length: number | undefined) {
    this.#owner = owner;
    this.length = length;
    this.#left = length ?? 0;
    this.#chunked = length === undefined ? new ChunkedReader() : undefined;
  }

  /** True once somebody takes the body. */
  get started(): boolean {
    return this.#sink !== undefined;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.broken !== undefined) {
      sink.onBroken(this.broken);
      return;
    }
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.feed(held);
    if (!this.complete && this.broken === undefined) this.#owner.bodyWanted();
  }

  pause(): void {
    this.#owner.pauseReading();
  }

  resume(): void {
    this.#owner.resumeReading();
  }

  /** Bytes from the socket that belong to this body and perhaps to what follows it. */
  feed(bytes: Buffer): void {
    if (this.#sink === undefined) {
      this.#held = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
      this.#owner.pauseReading();
    } else if (this.#chunked === undefined) this.#feedLength(bytes);
    else this.#feedChunked(this.#chunked, bytes);
  }

  /**
   * Drops what is held of a body that nobody wants. True when that was all of it, so that the connection can go on: a refused
   * body is never read as a request.
   */
  skip(): boolean {
    if (this.complete) return true;
    if (this.#sink !== undefined) return false;
    this.#sink = NOBODY;
    this.limit = Number.POSITIVE_INFINITY;
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.feed(held);
    return this.complete;
  }

  /** The body will not be complete. */
  breakOff(refusal: Refusal): void {
    if (this.complete || this.broken !== undefined) return;
    this.broken = refusal;
    this.#sink?.onBroken(refusal);
  }

  #feedLength(bytes: Buffer): void {
    const own = bytes.length <= this.#left ? bytes : bytes.subarray(0, this.#left);
    this.#left -= own.length;
    if (own.length > 0) this.#deliver(own);
    if (this.#left === 0) this.#end(own.length < bytes.length ? bytes.subarray(own.length) : undefined);
  }

  #feedChunked(reader: ChunkedReader, bytes: Buffer): void {
    const end = reader.read(bytes, 0, this.#gather);
    const data = this.#gathered;
    this.#gathered = undefined;
    if (reader.malformed) {
      this.breakOff(refuse('body-malformed', reader.reason));
      return;
    }
    if (data !== undefined) this.#deliver(data);
    if (reader.done) this.#end(end < bytes.length ? bytes.subarray(end) : undefined);
  }

  /** One delivery for all chunks that came together: chunks of one byte must not cost a write to the service each. */
  readonly #gather = (piece: Buffer): void => {
    this.#gathered = this.#gathered === undefined ? piece : closeUp(this.#gathered, piece);
  };

  #deliver(piece: Buffer): void {
    if (this.broken !== undefined) return;
    this.received += piece.length;
    if (this.received > this.limit) this.breakOff(refuse('body-too-large', 'the body is larger than the bound of the route'));
    else (this.#sink as BodySink).onData(piece);
  }

  #end(rest: Buffer | undefined): void {
    if (this.broken !== undefined || this.complete) return;
    this.complete = true;
    this.#owner.bodyEnded(rest ?? undefined);
    (this.#sink as BodySink).onEnd(undefined);
  }
}

/** Moves `piece` up to the end of `before`: both lie in the same memory, with nothing between them but the framing of chunks. */
function closeUp(before: Buffer, piece: Buffer): Buffer {
  const end = before.byteOffset + before.length;
  piece.copy(Buffer.from(piece.buffer, end, piece.length));
  return Buffer.from(piece.buffer, before.byteOffset, before.length + piece.length);
}

/** Takes what nobody wants. */
const NOBODY: BodySink = {
  onData() {},
  onEnd() {},
  onBroken() {},
};
