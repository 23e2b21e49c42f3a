import { constants, type ServerHttp2Stream } from 'node:http2';
import type { BodySink, BodySource } from '../exchange/body-source.ts';
import { type Refusal, refuse } from '../exchange/decision.ts';

/** The body of one HTTP/2 request. nghttp2 has checked that it is as long as it says (RFC 9113 section 8.1.1). */
export class Http2Body implements BodySource {
  readonly length: number | undefined;
  received = 0;
  broken: Refusal | undefined = undefined;
  limit = Number.POSITIVE_INFINITY;
  complete = false;
  /** `performance.now()` at which the body has to be complete. */
  deadline: number;

  readonly #stream: ServerHttp2Stream;
  #sink: BodySink | undefined = undefined;

  constructor(stream: ServerHttp2Stream, length: number | undefined, deadline: number) {
    this.#stream = stream;
    this.length = length;
    this.deadline = deadline;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.broken !== undefined) {
      sink.onBroken(this.broken);
      return;
    }
    // A stream without a byte ends by itself, before anybody listens.
    if (this.#stream.readableEnded) {
      this.#onEnd();
      return;
    }
    this.#stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#stream.on('end', () => this.#onEnd());
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** The body will not be complete. */
  breakOff(refusal: Refusal): void {
    if (this.complete || this.broken !== undefined) return;
    this.broken = refusal;
    this.deadline = Number.POSITIVE_INFINITY;
    this.#sink?.onBroken(refusal);
  }

  #onData(chunk: Buffer): void {
    if (this.broken !== undefined) return;
    this.received += chunk.length;
    if (this.received > this.limit) this.breakOff(refuse('body-too-large', 'the body is larger than the bound of the route'));
    else this.#sink?.onData(chunk);
  }

  /** `end` also comes for a stream that was reset: only one that ended in good order is complete. */
  #onEnd(): void {
    if (this.broken !== undefined || this.complete) return;
    if (this.#stream.aborted || this.#stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    this.complete = true;
    this.deadline = Number.POSITIVE_INFINITY;
    this.#sink?.onEnd(undefined);
  }
}
