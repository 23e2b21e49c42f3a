import type { BodySink, BodySource } from '../exchange/body-source.ts';
import type { Refusal } from '../exchange/decision.ts';
import type { HeaderList } from '../exchange/headers.ts';

/**
 * A streamed request body between the client and the wire. It knows what timeouts and retries need: whether the body was
 * begun (then it cannot be sent again), and who is slow, the client or the service.
 */
export class RequestBody implements BodySource, BodySink {
  readonly length: number | undefined;
  started = false;
  /** Set with each chunk; the sweep takes it back. */
  moved = false;
  readonly #source: BodySource;
  readonly #broken: (refusal: Refusal) => void;
  #sink: BodySink | undefined;
  #paused = false;
  #over = false;

  constructor(source: BodySource, broken: (refusal: Refusal) => void) {
    this.#source = source;
    this.length = source.length;
    this.#broken = broken;
  }

  get received(): number {
    return this.#source.received;
  }

  get broken(): Refusal | undefined {
    return this.#source.broken;
  }

  get limit(): number {
    return this.#source.limit;
  }

  set limit(bytes: number) {
    this.#source.limit = bytes;
  }

  /** True while the service could take more than the client sends: that time is not the service's. */
  get waitsForClient(): boolean {
    return this.started && !this.#over && !this.#paused;
  }

  start(sink: BodySink): void {
    this.started = true;
    this.#sink = sink;
    this.#source.start(this);
  }

  pause(): void {
    this.#paused = true;
    this.#source.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#source.resume();
  }

  onData(chunk: Buffer): void {
    this.moved = true;
    this.#sink?.onData(chunk);
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#over = true;
    this.moved = true;
    this.#sink?.onEnd(trailers);
  }

  onBroken(refusal: Refusal): void {
    this.#over = true;
    this.#broken(refusal);
  }
}
