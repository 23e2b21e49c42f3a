import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Duplex } from 'node:stream';
import { refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { HeaderList } from '../exchange/headers.ts';
import type { ClientSide, ClientWatcher } from '../pipeline/client.ts';
import type { Http2Body } from './http2-body.ts';

/** What a stream needs of its session. */
export interface StreamOwner {
  /** `reset`: it ended because the client, or we for a fault of the client's, reset it. */
  streamClosed(stream: Http2Stream, reset: boolean): void;
}

/** A stalled reader gets this long until its stream is reset; set by the session's bounds. */
export interface StreamBounds {
  readonly idleTime: number;
}

/** One HTTP/2 stream, as the way for the answer. Framing and flow control are those of `node:http2`. */
export class Http2Stream implements ClientSide {
  watcher: ClientWatcher | undefined = undefined;
  body: Http2Body | undefined = undefined;

  readonly #stream: ServerHttp2Stream;
  readonly #owner: StreamOwner;
  readonly #bounds: StreamBounds;
  #x: Exchange | undefined = undefined;
  #bodiless = false;
  #answering = false;
  #answered = false;
  #closed = false;
  #stalled = Number.POSITIVE_INFINITY;
  /** Bytes of body that the answer still has, where it says how many. */
  #left = Number.POSITIVE_INFINITY;
  #ended = false;
  #trailers: HeaderList = [];
  #waitsForTrailers = false;

  constructor(stream: ServerHttp2Stream, owner: StreamOwner, bounds: StreamBounds) {
    this.#stream = stream;
    this.#owner = owner;
    this.#bounds = bounds;
    attach(stream, this);
  }

  /** From here on the stream serves this exchange. */
  serve(x: Exchange, bodiless: boolean): void {
    this.#x = x;
    this.#bodiless = bodiless;
  }

  /** Ends what has lasted too long at `now`. */
  sweep(now: number): void {
    if (this.body !== undefined && now >= this.body.deadline) this.body.breakOff(refuse('body-timeout', 'the body did not arrive within body-time'));
    if (now >= this.#stalled) this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  respond(status: number, headers: HeaderList, body: Buffer | string | undefined): void {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    this.start(status, headers, bytes?.length ?? 0);
    if (bytes !== undefined && bytes.length > 0) this.write(bytes);
    this.end(undefined);
  }

  start(status: number, headers: HeaderList, length: number | undefined): void {
    if (this.#answering || this.#closed) return;
    this.#answering = true;
    this.#bodiless ||= status === 204 || status === 304;
    if (this.#x !== undefined) this.#x.status = status;
    const head = [':status', String(status), ...headers];
    if (length !== undefined && status !== 204 && status !== 304) head.push('content-length', String(length));
    this.#left = length ?? Number.POSITIVE_INFINITY;
    const endStream = this.#bodiless || length === 0;
    // Trailers come with bodies whose length nobody has told; to wait for them costs one more frame.
    this.#waitsForTrailers = !endStream && length === undefined;
    this.#stream.respond(head, { endStream, waitForTrailers: this.#waitsForTrailers });
    if (this.#waitsForTrailers) this.#stream.once('wantTrailers', onWantTrailers);
    if (endStream) this.#bodiless = true;
  }

  write(chunk: Buffer): boolean {
    if (!this.#answering || this.#closed || this.#bodiless || chunk.length === 0) return true;
    if (this.#x !== undefined) this.#x.responseBytes += chunk.length;
    this.#left -= chunk.length;
    if (this.#left === 0) return this.#endWith(chunk);
    const flowing = this.#stream.write(chunk);
    if (!flowing) this.#stalled = performance.now() + this.#bounds.idleTime;
    return flowing;
  }

  end(trailers: HeaderList | undefined): void {
    if (!this.#answering || this.#answered || this.#closed) return;
    this.#answered = true;
    this.watcher = undefined;
    if (trailers !== undefined) this.#trailers = trailers;
    if (!this.#bodiless && !this.#ended) this.#stream.end();
    if (this.body !== undefined && !this.body.complete) this.#refuseRest();
  }

  abort(): void {
    if (!this.#closed) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  upgrade(): { socket: Duplex; rest: Buffer } {
    throw new Error('an HTTP/2 stream is never upgraded');
  }

  /** The last bytes take the end of the stream along: one frame instead of two. */
  #endWith(chunk: Buffer): boolean {
    this.#ended = true;
    this.#stream.end(chunk);
    if (this.#stream.writableNeedDrain) this.#stalled = performance.now() + this.#bounds.idleTime;
    return true;
  }

  /** Nobody reads the rest of the request: the client is told to stop, after the answer and without an error (RFC 9113 section 8.1). */
  #refuseRest(): void {
    if (this.#stream.writableFinished || this.#bodiless) this.stop();
    else if (!this.#waitsForTrailers) this.#stream.once('finish', () => this.stop());
  }

  /** Bytes that nobody reads would keep a paused stream, and its place on the connection, for ever. */
  stop(): void {
    this.#stream.close(constants.NGHTTP2_NO_ERROR);
    this.#stream.resume();
  }

  wantsTrailers(): void {
    this.#waitsForTrailers = false;
    this.#stream.sendTrailers(toObject(this.#trailers));
    // The end of the answer is written behind this turn of the loop, and a reset would overtake it.
    if (this.body !== undefined && !this.body.complete) setImmediate(stop, this);
  }

  drained(): void {
    this.#stalled = Number.POSITIVE_INFINITY;
    this.watcher?.clientDrained();
  }

  closed(): void {
    this.#closed = true;
    const reset = this.#stream.rstCode !== constants.NGHTTP2_NO_ERROR;
    this.#owner.streamClosed(this, reset);
    this.body?.breakOff(refuse('client-gone', 'the client reset the stream'));
    if (!this.#answered) this.watcher?.clientGone();
  }
}

const CLIENT = Symbol('the Http2Stream of a stream');

type Attached = ServerHttp2Stream & { [CLIENT]?: Http2Stream };

/** Listeners without a closure of their own for every stream. */
function attach(stream: Attached, client: Http2Stream): void {
  stream[CLIENT] = client;
  stream.on('error', ignore);
  stream.on('close', onClose);
  stream.on('drain', onDrain);
}

function onClose(this: Attached): void {
  this[CLIENT]?.closed();
}

function onDrain(this: Attached): void {
  this[CLIENT]?.drained();
}

function onWantTrailers(this: Attached): void {
  this[CLIENT]?.wantsTrailers();
}

function stop(stream: Http2Stream): void {
  stream.stop();
}

/** Fields that come more than once are one list (RFC 9110 section 5.3). */
function toObject(list: HeaderList): Record<string, string> {
  const fields: Record<string, string> = Object.create(null);
  for (let i = 0; i < list.length; i += 2) {
    const before = fields[list[i]];
    fields[list[i]] = before === undefined ? list[i + 1] : `${before}, ${list[i + 1]}`;
  }
  return fields;
}

function ignore(): void {}
