import { HEAD_BYTES, MOST_PAYLOAD, PREFACE, uint31 } from './frames.ts';
import { FRAME_SIZE_ERROR, Http2Error, PROTOCOL_ERROR } from './http2-error.ts';

/** Who takes the frames. The payload is what stands between `from` and `to`; its memory is not used again. */
export interface FrameSink {
  /** @throws Http2Error */
  onFrame(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void;
}

/** Cuts the bytes of a client into frames (RFC 9113 section 4.1), behind its preface. */
export class FrameReader {
  readonly #sink: FrameSink;
  /** Bytes of the preface that have come. */
  #greeted = 0;
  /** The beginning of a frame whose rest has not come: room for all of it once its length is known, so that a dribble costs no copies. */
  #partial: Buffer | undefined = undefined;
  #filled = 0;
  #stopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** The type of the frame of which a part has come; undefined between two frames, and -1 while nothing tells. */
  get pending(): number | undefined {
    if (this.#partial === undefined) return this.#greeted === PREFACE.length ? undefined : -1;
    return this.#filled > 3 ? this.#partial[3] : -1;
  }

  /** Whatever still comes is thrown away. */
  stop(): void {
    this.#stopped = true;
    this.#partial = undefined;
  }

  /** @throws Http2Error */
  read(chunk: Buffer): void {
    let at = this.#greeted < PREFACE.length ? this.#readPreface(chunk) : 0;
    while (at < chunk.length && !this.#stopped) {
      at = this.#partial === undefined ? this.#readFrame(chunk, at) : this.#readPartial(chunk, at, this.#partial);
    }
  }

  #readPreface(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length && this.#greeted < PREFACE.length) {
      if (chunk[at++] !== PREFACE[this.#greeted++]) throw new Http2Error(PROTOCOL_ERROR, 'no HTTP/2 preface');
    }
    return at;
  }

  /** A frame that begins at `at`. */
  #readFrame(chunk: Buffer, at: number): number {
    const left = chunk.length - at;
    const size = left < HEAD_BYTES ? HEAD_BYTES : frameSize(chunk, at);
    if (left < size) {
      this.#partial = Buffer.allocUnsafe(size);
      this.#filled = chunk.copy(this.#partial, 0, at);
      return chunk.length;
    }
    this.#deliver(chunk, at, at + size);
    return at + size;
  }

  #readPartial(chunk: Buffer, from: number, partial: Buffer): number {
    const copied = chunk.copy(partial, this.#filled, from);
    this.#filled += copied;
    if (this.#filled === partial.length) this.#complete(partial);
    return from + copied;
  }

  /** The head is there, or all of the frame. */
  #complete(partial: Buffer): void {
    const size = frameSize(partial, 0);
    if (size > partial.length) {
      this.#partial = Buffer.allocUnsafe(size);
      partial.copy(this.#partial);
      return;
    }
    this.#partial = undefined;
    this.#deliver(partial, 0, size);
  }

  #deliver(bytes: Buffer, at: number, end: number): void {
    this.#sink.onFrame(bytes[at + 3], bytes[at + 4], uint31(bytes, at + 5), bytes, at + HEAD_BYTES, end);
  }
}

function frameSize(bytes: Buffer, at: number): number {
  const length = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
  if (length > MOST_PAYLOAD) throw new Http2Error(FRAME_SIZE_ERROR, 'a frame that is too large');
  return HEAD_BYTES + length;
}
