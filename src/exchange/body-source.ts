import type { HeaderList } from './headers.ts';
import type { Refusal } from './decision.ts';

/**
 * A message body on its way in, from the client or from a service. It starts paused and delivers nothing before
 * `start`. Chunks belong to the receiver: the source never reuses their memory.
 */
export interface BodySource {
  /** The declared length in bytes, or undefined where only the end of the stream tells. */
  readonly length: number | undefined;
  /** Bytes of body received so far. */
  readonly received: number;
  /** Why the body will never be complete; set before the sink is told. */
  readonly broken: Refusal | undefined;
  /** The most bytes that may come; what goes beyond breaks the body with 413. Set by the corridor before `start`. */
  limit: number;
  /** Starts the flow (and, for a client that waits for it, sends `100 Continue`). Called once. */
  start(sink: BodySink): void;
  /** Stops delivery soon: chunks that were already read may still come. */
  pause(): void;
  resume(): void;
}

/** Who takes a body. Exactly one of `onEnd` and `onBroken` is called, once, after the last `onData`. */
export interface BodySink {
  onData(chunk: Buffer): void;
  /** Trailers are never merged into the head (RFC 9110 section 6.5.1). */
  onEnd(trailers: HeaderList | undefined): void;
  /** The body will not be complete: malformed, too slow, too large, or its sender has left. */
  onBroken(refusal: Refusal): void;
}
