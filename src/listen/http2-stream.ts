import type { Duplex } from 'node:stream';
import { refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { HeaderList } from '../exchange/headers.ts';
import { CANCEL, INTERNAL_ERROR, NO_ERROR, PROTOCOL_ERROR } from '../exchange/http2/http2-error.ts';
import { httpDate } from '../exchange/http-date.ts';
import type { ClientSide, ClientWatcher } from '../pipeline/client.ts';
import type { BodyOwner, Http2Body } from './http2-body.ts';
import type { Http2Output, Outgoing } from './http2-output.ts';

/** What a stream needs of its connection. */
export interface StreamOwner {
  readonly output: Http2Output;
  /** A reader that takes nothing gets this long until its stream is reset. */
  readonly idleTime: number;
  /** So many bytes of the stream's body were taken or thrown away. */
  consumed(stream: Http2Stream, bytes: number): void;
  /** Small pieces of its body wait until all that has arrived was read: then `flush`. */
  gathers(stream: Http2Stream): void;
  /** We reset the stream. With NO_ERROR its answer is out, and the request may come in whole until then. */
  streamReset(stream: Http2Stream, code: number): void;
  /** `fault`: the client has reset it, or made us refuse or reset it. */
  streamClosed(stream: Http2Stream, fault: boolean): void;
}

const NEVER = Number.POSITIVE_INFINITY;

/** One HTTP/2 stream: a request, and the way for its answer. */
export class Http2Stream implements ClientSide, BodyOwner, Outgoing {
  watcher: ClientWatcher | undefined = undefined;
  body: Http2Body | undefined = undefined;

  readonly id: number;
  window: number;
  queued = 0;
  /** How much the client may still send, and how much of that it has to be told. */
  receiveWindow: number;
  credit = 0;
  /** The client has ended its side. */
  remoteClosed: boolean;
  /** An interim answer is waited for. */
  expectsContinue = false;

  readonly #owner: StreamOwner;
  #x: Exchange | undefined = undefined;
  #bodiless = false;
  #malformed = false;
  #refused = false;
  #answering = false;
  /** The corridor has given all of its answer. */
  #answered = false;
  #localClosed = false;
  #closed = false;
  #queue: Buffer[] = [];
  /** The corridor waits until all of it is out. */
  #blocked = false;
  /** Bytes of body that the answer still has, where it says how many. */
  #left = NEVER;
  #trailers: HeaderList | undefined = undefined;
  #stalled = NEVER;

  constructor(id: number, owner: StreamOwner, remoteClosed: boolean, receiveWindow: number) {
    this.id = id;
    this.#owner = owner;
    this.window = owner.output.streamWindow;
    this.receiveWindow = receiveWindow;
    this.remoteClosed = remoteClosed;
  }

  /** From here on the stream serves this exchange. */
  serve(x: Exchange, bodiless: boolean): void {
    this.#x = x;
    this.#bodiless = bodiless;
  }

  /** Ends what has lasted too long at `now`. */
  sweep(now: number): void {
    const overdue = this.body?.overdue(now);
    if (overdue !== undefined) this.body?.breakOff(overdue);
    if (now >= this.#stalled) this.reset(CANCEL, true);
  }

  // ---- receiving

  /** A piece of the body. */
  feed(piece: Buffer, last: boolean): void {
    if (last) this.remoteClosed = true;
    if (this.body === undefined) this.consumed(piece.length);
    else this.body.feed(piece, last);
  }

  /** The client has reset the stream. */
  resetByClient(): void {
    this.#close(true);
  }

  /** The connection is gone, and all streams with it. */
  connectionGone(): void {
    this.#close(false);
  }

  bodyWanted(): void {
    if (!this.expectsContinue || this.#answering || this.#closed) return;
    this.expectsContinue = false;
    const { output } = this.#owner;
    output.encoder.begin();
    output.encoder.status(100);
    output.headers(this.id, false);
  }

  consumed(bytes: number): void {
    if (bytes > 0) this.#owner.consumed(this, bytes);
  }

  gathers(): void {
    this.#owner.gathers(this);
  }

  /** Passes on what was gathered of the body. */
  flush(): void {
    this.body?.flush();
  }

  /**
   * RFC 9113 section 8.1.1: the stream is reset, after an answer that tells why. A client that has all of an early answer may break off its
   * body (curl does): then the answer must not be taken back.
   */
  malformed(): void {
    const over = this.#answered || this.#localClosed || (this.#answering && this.#left === 0);
    if (!over) this.#malformed = true;
  }

  get errorTold(): boolean {
    return this.#answering && (this.#x?.status ?? 0) >= 300;
  }

  /** The request is refused for how it was written: like a reset, that must not go on forever. */
  refused(): void {
    this.#refused = true;
  }

  /** Trailers that are not well formed. */
  malformedTrailers(): void {
    this.#malformed = true;
    this.body?.breakOff(refuse('header-invalid', 'malformed trailers'));
  }

  // ---- ClientSide

  respond(status: number, headers: HeaderList, body: Buffer | string | undefined): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.start(status, headers, bytes?.length ?? 0);
    if (bytes !== undefined && bytes.length > 0) this.write(bytes);
    this.end(undefined);
  }

  start(status: number, headers: HeaderList, length: number | undefined): void {
    if (this.#answering || this.#closed) return;
    this.#answering = true;
    if (this.#x !== undefined) this.#x.status = status;
    const never = status === 204 || status === 304;
    this.#bodiless ||= never || length === 0;
    this.#left = length ?? NEVER;
    this.#encodeHead(status, headers, never ? undefined : length);
    this.#owner.output.headers(this.id, this.#bodiless);
    if (this.#bodiless) this.#endLocal();
  }

  write(chunk: Buffer): boolean {
    if (!this.#answering || this.#localClosed || this.#closed || chunk.length === 0) return true;
    if (this.#x !== undefined) this.#x.responseBytes += chunk.length;
    this.#left -= chunk.length;
    this.#queue.push(chunk);
    this.queued += chunk.length;
    this.#owner.output.send(this);
    if (this.queued === 0) return true;
    this.#blocked = true;
    this.progressed();
    return false;
  }

  end(trailers: HeaderList | undefined): void {
    if (!this.#answering || this.#answered) return;
    this.#answered = true;
    this.watcher = undefined;
    this.#trailers = trailers;
    if (this.#localClosed) this.#settle();
    else if (this.queued === 0 && !this.#closed) this.#endBody();
  }

  abort(): void {
    this.reset(this.#malformed ? PROTOCOL_ERROR : INTERNAL_ERROR, this.#malformed);
  }

  upgrade(): { socket: Duplex; rest: Buffer } {
    throw new Error('an HTTP/2 stream is never upgraded');
  }

  /** The client can know the end of the answer's body without that of the stream. */
  get lengthTold(): boolean {
    return this.#bodiless || this.#left !== NEVER;
  }

  // ---- Outgoing

  /** The last bytes take the end of the stream along: one frame instead of two. */
  get ending(): boolean {
    if (this.#left === 0) return true;
    return this.#answered && (this.#trailers === undefined || this.#trailers.length === 0);
  }

  take(most: number): Buffer {
    const first = this.#queue[0];
    if (first.length <= most) this.#queue.shift();
    else this.#queue[0] = first.subarray(most);
    const piece = first.length <= most ? first : first.subarray(0, most);
    this.queued -= piece.length;
    return piece;
  }

  progressed(): void {
    this.#stalled = this.queued === 0 ? NEVER : performance.now() + this.#owner.idleTime;
  }

  emptied(ended: boolean): void {
    if (ended) this.#endLocal();
    else if (this.#answered) this.#endBody();
    // Also where the stream has ended with its last byte: the corridor must hear from the service that this was all.
    if (!this.#blocked || this.#answered) return;
    this.#blocked = false;
    this.watcher?.clientDrained();
  }

  // ---- the ways out

  /** Ends the stream at once. `fault`: the client's. */
  reset(code: number, fault: boolean): void {
    if (this.#closed) return;
    this.#owner.streamReset(this, code);
    this.#close(fault);
  }

  #encodeHead(status: number, headers: HeaderList, length: number | undefined): void {
    const { encoder } = this.#owner.output;
    let dated = false;
    encoder.begin();
    encoder.status(status);
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i] === 'date') dated = true;
      encoder.field(headers[i], headers[i + 1]);
    }
    if (!dated) encoder.field('date', httpDate());
    if (length !== undefined) encoder.field('content-length', String(length));
  }

  #endBody(): void {
    const { output } = this.#owner;
    const trailers = this.#trailers;
    if (trailers === undefined || trailers.length === 0) output.endBody(this.id);
    else {
      output.encoder.begin();
      for (let i = 0; i < trailers.length; i += 2) output.encoder.field(trailers[i], trailers[i + 1]);
      output.headers(this.id, true);
    }
    this.#endLocal();
  }

  #endLocal(): void {
    this.#localClosed = true;
    if (this.#answered) this.#settle();
  }

  /**
   * The answer is out. Where the request is still coming nobody reads its rest: the client is told to stop, and without an error where it has
   * made none (RFC 9113 section 8.1).
   */
  #settle(): void {
    if (this.#closed) return;
    if (this.#malformed) this.reset(PROTOCOL_ERROR, true);
    else if (!this.remoteClosed) this.reset(NO_ERROR, this.#refused);
    else this.#close(this.#refused);
  }

  #close(fault: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stalled = NEVER;
    this.#queue = [];
    this.queued = 0;
    this.#owner.output.drop(this);
    this.#owner.streamClosed(this, fault);
    this.body?.breakOff(refuse('client-gone', 'the client reset the stream'));
    // A client that has all of its answer may leave before the corridor knows that this was all.
    if (!this.#answered && !this.#localClosed) this.watcher?.clientGone();
  }
}
