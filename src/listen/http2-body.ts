import type { BodySink, BodySource } from '../exchange/body-source.ts';
import { type Refusal, refuse } from '../exchange/decision.ts';

/** What a body needs of the stream that it arrives on. */
export interface BodyOwner {
  /** The receiver wants bytes: send `100 Continue` where it is waited for. */
  bodyWanted(): void;
  /** So many bytes were taken, or thrown away: as many more may come. */
  consumed(bytes: number): void;
  /** Small pieces were put together, and `flush` shall be called when all that has arrived was read. */
  gathers(): void;
  /** The body is not as long as it said: HTTP/2 calls such a request malformed (RFC 9113 section 8.1.1). */
  malformed(): void;
  /** The client has been told an error, while its body was still coming: it may leave the rest of that where it is. */
  readonly errorTold: boolean;
}

/** Until when a body has to be there, in `performance.now()`. */
export interface BodyTimes {
  readonly body: number;
  readonly request: number;
}

const NEVER = Number.POSITIVE_INFINITY;

/** Pieces up to this size are put together into larger ones: frames of one byte must cost neither a write to the service nor a buffer each. */
const SMALL = 256;
const GATHERED = 1024;

/**
 * The body of one HTTP/2 request. What comes before somebody wants it is held, and what is held is not given back to the window: so the
 * window bounds it.
 */
export class Http2Body implements BodySource {
  readonly length: number | undefined;
  received = 0;
  broken: Refusal | undefined = undefined;
  limit = NEVER;
  /** All of it has come and was passed on. */
  complete = false;

  readonly #owner: BodyOwner;
  #sink: BodySink | undefined = undefined;
  #held: Buffer[] = [];
  /** Small pieces, behind those that are held. */
  #gathered: Buffer | undefined = undefined;
  #filled = 0;
  #paused = false;
  /** The end of the stream has come. */
  #ended = false;
  /** The client has left the rest of it where it is: there will be no end, and nobody waits for one. */
  #forgone = false;
  #bodyBy: number;
  #requestBy: number;
  /** Since when nothing of it is wanted: a room or the service is the slow one then, not the client. */
  #waitingSince: number;

  constructor(owner: BodyOwner, length: number | undefined, times: BodyTimes) {
    this.#owner = owner;
    this.length = length;
    this.#bodyBy = times.body;
    this.#requestBy = times.request;
    this.#waitingSince = performance.now();
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.broken !== undefined) {
      sink.onBroken(this.broken);
      return;
    }
    this.#wanted();
    this.#flow();
    if (!this.#ended) this.#owner.bodyWanted();
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#waitingSince = performance.now();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#wanted();
    this.#flow();
  }

  /** A piece that came, perhaps an empty one, and whether it is the last one. */
  feed(piece: Buffer, last: boolean): void {
    this.#ended = last;
    if (this.broken !== undefined || this.#forgone) {
      this.#owner.consumed(piece.length);
      return;
    }
    this.received += piece.length;
    if (piece.length > 0) this.#keep(piece);
    const { length, received } = this;
    if (length !== undefined && (received > length || (last && received < length))) this.#unlikeLength(received < length);
    else if (last || this.#gathered === undefined) this.flush();
    else this.#owner.gathers();
  }

  /** Passes on what may be passed on. */
  flush(): void {
    if (this.#sink !== undefined) this.#flow();
  }

  /** The body will not be complete. */
  breakOff(refusal: Refusal): void {
    if (this.complete || this.broken !== undefined) return;
    this.broken = refusal;
    this.#dropHeld();
    this.#sink?.onBroken(refusal);
  }

  /** Which time is over at `now`, if any. */
  overdue(now: number): Refusal | undefined {
    if (this.#ended || this.broken !== undefined) return undefined;
    if (now >= this.#requestBy) return refuse('request-timeout', 'the body did not arrive within request-time');
    const waits = this.#paused || this.#sink === undefined;
    return !waits && now >= this.#bodyBy ? refuse('body-timeout', 'the body did not arrive within body-time') : undefined;
  }

  #keep(piece: Buffer): void {
    if (piece.length <= SMALL && !this.#ended) {
      this.#gather(piece);
      return;
    }
    this.#close();
    // What waits must not keep the memory of all that was read with it.
    const waits = this.#sink === undefined || this.#paused;
    this.#held.push(waits && piece.length * 2 < piece.buffer.byteLength ? Buffer.from(piece) : piece);
  }

  #gather(piece: Buffer): void {
    if (this.#gathered !== undefined && this.#filled + piece.length > GATHERED) this.#close();
    this.#gathered ??= Buffer.allocUnsafe(GATHERED);
    this.#filled += piece.copy(this.#gathered, this.#filled);
  }

  /** What was put together is a piece from here on. */
  #close(): void {
    if (this.#gathered === undefined) return;
    this.#held.push(this.#gathered.subarray(0, this.#filled));
    this.#gathered = undefined;
    this.#filled = 0;
  }

  #dropHeld(): void {
    this.#close();
    for (const piece of this.#held) this.#owner.consumed(piece.length);
    this.#held = [];
  }

  /**
   * A client that is told an error in the midst of its upload may end that (curl does). The answer goes on; the service gets no end of a body
   * that has none.
   */
  #unlikeLength(short: boolean): void {
    if (short && this.#owner.errorTold) {
      this.#forgone = true;
      this.#dropHeld();
      return;
    }
    this.#owner.malformed();
    this.breakOff(refuse('body-framing', 'the body is not as long as content-length says'));
  }

  #wanted(): void {
    this.#bodyBy += performance.now() - this.#waitingSince;
  }

  /**
   * Passes on what is held. The piece that makes the declared length full waits for the end of the stream: the service must not have a
   * whole request in its hands before it is known to be one.
   */
  #flow(): void {
    if (!this.#paused) this.#close();
    while (this.#held.length > 0 && !this.#paused && this.broken === undefined) {
      if (this.#held.length === 1 && !this.#ended && this.received === this.length) return;
      this.#deliver(this.#held.shift() as Buffer);
    }
    const waits = this.#held.length > 0 || this.#gathered !== undefined;
    if (waits || !this.#ended || this.#forgone || this.broken !== undefined || this.complete) return;
    this.complete = true;
    (this.#sink as BodySink).onEnd(undefined);
  }

  #deliver(piece: Buffer): void {
    this.#owner.consumed(piece.length);
    if (this.received > this.limit) this.breakOff(refuse('body-too-large', 'the body is larger than the bound of the route'));
    else (this.#sink as BodySink).onData(piece);
  }
}
