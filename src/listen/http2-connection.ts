import type { Duplex } from 'node:stream';
import { refuse } from '../exchange/decision.ts';
import type { ConnectionInfo } from '../exchange/exchange.ts';
import type { HeaderList } from '../exchange/headers.ts';
import { FrameReader } from '../exchange/http2/frame-reader.ts';
import { DATA, DEFAULT_WINDOW, LARGEST_WINDOW } from '../exchange/http2/frames.ts';
import { HpackDecoder } from '../exchange/http2/hpack-decoder.ts';
import {
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  Http2Error,
  INTERNAL_ERROR,
  NO_ERROR,
  PROTOCOL_ERROR,
  REFUSED_STREAM,
  STREAM_CLOSED,
} from '../exchange/http2/http2-error.ts';
import type { ConnectionOwner } from './corridor.ts';
import { type FrameHandler, Http2Frames } from './http2-frames.ts';
import { Http2Guard } from './http2-guard.ts';
import { areTrailers, splitHead } from './http2-head.ts';
import { Http2Output } from './http2-output.ts';
import { serveHead } from './http2-request.ts';
import { Http2Rests } from './http2-rests.ts';
import {
  HEADER_TABLE_SIZE,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  MAX_HEADER_LIST_SIZE,
  NO_RFC7540_PRIORITIES,
} from './http2-settings.ts';
import { Http2Stream, type StreamOwner } from './http2-stream.ts';

/** What a client may send before anybody has taken it: it bounds what one stream, and one connection, can have us hold. */
const STREAM_WINDOW = 256 * 1024;
const CONNECTION_WINDOW = 1024 * 1024;

/** Heads above the listener's bounds are answered with 431 up to here; beyond, nobody means a request. */
const LEAST_SECTION = 64 * 1024;

/** A client that does not take what we say is not listened to either. */
const MOST_PENDING = 256 * 1024;

/** Frames for streams that we have reset may be under way: of so many streams they are ignored. */
const REMEMBERED_RESETS = 256;

/** How long a client that was told to go away may take to show that it has heard of it. */
const GOAWAY_MS = 1000;
/** How long our last words may take. */
const LINGER_MS = 1000;

/** A hundred uploads that were refused at once may have all of their windows under way. */
const STRAY_NOISE = 0.25;

const LEAVING = Buffer.from('leaving.', 'latin1');
const EMPTY = Buffer.alloc(0);

/**
 * One HTTP/2 connection of a client (RFC 9113). Faults of the client end the connection rather than the stream wherever no honest client
 * makes them: what resets a stream can be had again a thousand times over (CVE-2025-8671).
 */
export class Http2Connection implements StreamOwner, FrameHandler {
  readonly info: ConnectionInfo;
  readonly output: Http2Output;
  readonly #socket: Duplex;
  readonly #owner: ConnectionOwner<Http2Connection>;
  readonly #frames = new Http2Frames(this);
  readonly #reader = new FrameReader(this.#frames);
  readonly #decoder = new HpackDecoder();
  readonly #guard = new Http2Guard();
  readonly #streams = new Map<number, Http2Stream>();
  readonly #resetByUs = new Set<number>();
  /** Streams whose bodies wait for the end of what has arrived. */
  #gathering: Http2Stream[] = [];
  readonly #rests = new Http2Rests((id) => this.output.reset(id, NO_ERROR));
  readonly #mostStreams: number;
  #lastStream = 0;
  #requests = 0;
  #receiveWindow = CONNECTION_WINDOW;
  #credit = 0;

  #idleSince = performance.now();
  /** Since when a head, or a frame that could begin one, is incomplete; 0: none is. */
  #headSince = 0;
  /** Since when the client takes nothing of what waits for it; 0: it takes it. */
  #stuckSince = 0;
  /** We have asked it to go elsewhere, and by when it must have heard; 0: we have not. */
  #goawayBy = 0;
  /** It has heard, or had the time: new streams are refused. */
  #settled = false;
  /** It has said that it goes. */
  #clientLeaves = false;
  /** Nothing is read any more; what was written may go out until then; 0: we read. */
  #closeBy = 0;

  constructor(socket: Duplex, info: ConnectionInfo, owner: ConnectionOwner<Http2Connection>) {
    this.info = info;
    this.#socket = socket;
    this.#owner = owner;
    this.#mostStreams = owner.bounds.h2Streams;
    this.output = new Http2Output(socket, this.#guard);
    this.#greet();
    socket.on('data', (chunk: Buffer) => this.#onBytes(chunk));
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#onClose());
  }

  get idle(): boolean {
    return this.#streams.size === 0;
  }

  get idleTime(): number {
    return this.#owner.bounds.idleTime;
  }

  get mostSection(): number {
    const { headBytes, targetBytes } = this.#owner.bounds;
    return Math.max(LEAST_SECTION, (headBytes + targetBytes) * 2);
  }

  /** Ends what has lasted too long at `now`. */
  sweep(now: number): void {
    if (this.#closeBy !== 0) {
      if (now >= this.#closeBy) this.#socket.destroy();
      return;
    }
    try {
      this.#sweepOpen(now);
    } catch (error) {
      this.#broke(error);
    }
  }

  #sweepOpen(now: number): void {
    this.#guard.sweep(now);
    this.#sweepSocket(now);
    for (const stream of this.#streams.values()) stream.sweep(now);
    this.#rests.sweep(now);
    if (this.#goawayBy !== 0 && now >= this.#goawayBy) this.#settle();
    if (this.#overdue(now)) this.#leave(NO_ERROR);
  }

  /** The gateway leaves: running streams end, new ones go elsewhere. A client may open some more before it hears of it (RFC 9113 section 6.8). */
  drain(): void {
    if (this.#goawayBy !== 0 || this.#closeBy !== 0) return;
    this.#goawayBy = performance.now() + GOAWAY_MS;
    this.output.goaway(LARGEST_WINDOW, NO_ERROR);
    this.output.ping(false, LEAVING);
  }

  // ---- what streams ask for

  consumed(stream: Http2Stream, bytes: number): void {
    this.#giveBack(bytes);
    if (stream.remoteClosed) return;
    stream.credit += bytes;
    if (stream.credit < STREAM_WINDOW / 2) return;
    this.output.windowUpdate(stream.id, stream.credit);
    stream.receiveWindow += stream.credit;
    stream.credit = 0;
  }

  gathers(stream: Http2Stream): void {
    if (!this.#gathering.includes(stream)) this.#gathering.push(stream);
  }

  streamReset(stream: Http2Stream, code: number): void {
    if (code === NO_ERROR) this.#leaveRest(stream);
    else this.output.reset(stream.id, code);
    if (!stream.remoteClosed) this.#remember(stream.id);
  }

  /**
   * Where nothing but the end of the stream tells the end of the answer, curl 7 waits for that of the whole stream: it is reset right behind the
   * answer, in a write of its own.
   */
  #leaveRest(stream: Http2Stream): void {
    this.#rests.add(stream.id, stream.receiveWindow);
    if (!stream.lengthTold) setImmediate(() => this.#rests.giveUp(stream.id));
  }

  streamClosed(stream: Http2Stream, fault: boolean): void {
    if (!this.#streams.delete(stream.id)) return;
    if (!fault) this.#guard.served();
    else if (this.#guard.reset(this.#owner.bounds.h2Resets)) this.#leave(ENHANCE_YOUR_CALM);
    if (this.#streams.size > 0 || this.#closeBy !== 0) return;
    this.#idleSince = performance.now();
    this.#owner.idle(this);
    if (this.#settled || this.#clientLeaves) this.#leave(NO_ERROR);
  }

  // ---- what frames mean

  beginSection(id: number): void {
    if ((id & 1) === 0) throw broken('a stream with an even number');
    if (id > this.#lastStream || this.#resetByUs.has(id)) return;
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.remoteClosed) throw new Http2Error(STREAM_CLOSED, 'HEADERS on a closed stream');
  }

  section(id: number, last: boolean, bytes: Buffer, from: number, to: number): void {
    const most = this.mostSection;
    const fields: HeaderList = [];
    this.#decoder.decode(bytes, from, to, fields, most);
    const { size } = this.#decoder;
    if (size > most) throw new Http2Error(ENHANCE_YOUR_CALM, 'a head that nobody means');
    const stream = this.#streams.get(id);
    if (stream !== undefined) this.#onTrailers(stream, fields, last);
    else if (id > this.#lastStream) this.#onRequest(id, last, fields, size);
    else {
      if (last) this.#rests.end(id);
      this.noise(1);
    }
  }

  data(id: number, piece: Buffer, length: number, last: boolean): void {
    this.#receiveWindow -= length;
    if (this.#receiveWindow < 0) throw new Http2Error(FLOW_CONTROL_ERROR, 'more than the window of the connection');
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      this.#onStrayData(id, length);
      this.#rests.data(id, length, last);
      return;
    }
    if (stream.remoteClosed) throw new Http2Error(STREAM_CLOSED, 'DATA behind the end of a stream');
    stream.receiveWindow -= length;
    if (stream.receiveWindow < 0) throw new Http2Error(FLOW_CONTROL_ERROR, 'more than the window of the stream');
    if (length > piece.length) this.consumed(stream, length - piece.length);
    stream.feed(piece, last);
  }

  reset(id: number): void {
    this.#checkStarted(id);
    const stream = this.#streams.get(id);
    this.#rests.end(id);
    if (stream === undefined) this.noise(1);
    else stream.resetByClient();
  }

  setting(id: number, value: number): void {
    if (id === HEADER_TABLE_SIZE) this.output.encoder.setTableSize(value);
    else if (id === INITIAL_WINDOW_SIZE) this.#setWindows(value);
  }

  settingsEnd(): void {
    this.output.settingsAck();
  }

  ping(payload: Buffer, ack: boolean): void {
    if (!ack) this.output.ping(true, payload);
    else if (this.#goawayBy !== 0 && payload.equals(LEAVING)) this.#settle();
  }

  goaway(): void {
    this.#clientLeaves = true;
    if (this.#streams.size === 0) this.#leave(NO_ERROR);
  }

  windowUpdate(id: number, increment: number): void {
    if (id === 0) {
      this.output.widen(increment);
      return;
    }
    this.#checkStarted(id);
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.window += increment;
    if (stream.window > LARGEST_WINDOW) stream.reset(FLOW_CONTROL_ERROR, true);
    else this.output.send(stream);
  }

  noise(weight: number): void {
    if (this.#guard.noise(weight)) throw new Http2Error(ENHANCE_YOUR_CALM, 'too many frames that bring nothing');
  }

  #onRequest(id: number, last: boolean, fields: HeaderList, size: number): void {
    this.#lastStream = id;
    if (this.#settled || this.#streams.size >= this.#mostStreams) {
      this.#noteRefused(fields);
      this.#refuseStream(id, last);
      return;
    }
    this.#requests++;
    if (this.#streams.size === 0) this.#owner.busy(this);
    const stream = new Http2Stream(id, this, last, STREAM_WINDOW);
    this.#streams.set(id, stream);
    this.#guard.useful(2);
    if (this.#requests >= this.#owner.bounds.requestsPerConnection) this.drain();
    try {
      serveHead(stream, fields, size, this.info, this.#owner);
    } catch (error) {
      this.#owner.broke(error);
      stream.reset(INTERNAL_ERROR, false);
    }
  }

  #noteRefused(fields: HeaderList): void {
    const { method, path, authority } = splitHead(fields);
    const refusal = this.#settled
      ? refuse('shutting-down', 'a stream behind the last one that is served')
      : refuse('connection-cap', 'more streams at once than `h2-streams`');
    this.#owner.turnedAway(this, refusal, performance.now(), { method, rawTarget: path, host: authority, version: '2' });
  }

  /** Trailers are read because the sections behind them build on them, and then dropped (RFC 9110 section 6.5.1). */
  #onTrailers(stream: Http2Stream, fields: HeaderList, last: boolean): void {
    if (last && areTrailers(fields)) {
      stream.feed(EMPTY, true);
      return;
    }
    // Its call may not have begun, and then it is refused only when it has.
    this.noise(1);
    stream.malformedTrailers();
  }

  #refuseStream(id: number, last: boolean): void {
    this.output.reset(id, REFUSED_STREAM);
    if (!last) this.#remember(id);
    if (this.#settled) return;
    if (this.#guard.reset(this.#owner.bounds.h2Resets)) throw new Http2Error(ENHANCE_YOUR_CALM, 'too many streams');
  }

  /** DATA for a stream that we have reset: the client may not have known. For any other it is a fault. */
  #onStrayData(id: number, length: number): void {
    this.#checkStarted(id);
    if (!this.#resetByUs.has(id)) throw new Http2Error(STREAM_CLOSED, 'DATA on a closed stream');
    this.noise(STRAY_NOISE);
    this.#giveBack(length);
  }

  /** Windows of open streams change with the setting, and may become negative (RFC 9113 section 6.9.2). */
  #setWindows(value: number): void {
    const change = value - this.output.streamWindow;
    this.output.streamWindow = value;
    for (const stream of this.#streams.values()) {
      stream.window += change;
      if (stream.window > LARGEST_WINDOW) throw new Http2Error(FLOW_CONTROL_ERROR, 'a window that is too large');
    }
    if (change > 0) this.output.resume();
  }

  /** Frames that mean a stream which the client has never begun. */
  #checkStarted(id: number): void {
    if (id === 0 || id > this.#lastStream || (id & 1) === 0) throw broken('a frame on a stream that is not there');
  }

  #giveBack(bytes: number): void {
    this.#credit += bytes;
    if (this.#credit < CONNECTION_WINDOW / 2) return;
    this.output.windowUpdate(0, this.#credit);
    this.#receiveWindow += this.#credit;
    this.#credit = 0;
  }

  #remember(id: number): void {
    this.#resetByUs.add(id);
    if (this.#resetByUs.size <= REMEMBERED_RESETS) return;
    for (const oldest of this.#resetByUs) {
      this.#resetByUs.delete(oldest);
      return;
    }
  }

  // ---- the connection

  #greet(): void {
    const { h2Streams, headBytes, targetBytes, headCount } = this.#owner.bounds;
    this.output.settings(
      [MAX_CONCURRENT_STREAMS, h2Streams],
      [INITIAL_WINDOW_SIZE, STREAM_WINDOW],
      // RFC 9113 section 6.5.2 counts 32 bytes more for each field.
      [MAX_HEADER_LIST_SIZE, headBytes + targetBytes + headCount * 32],
      [NO_RFC7540_PRIORITIES, 1],
    );
    this.output.windowUpdate(0, CONNECTION_WINDOW - DEFAULT_WINDOW);
  }

  #onBytes(chunk: Buffer): void {
    if (this.#closeBy !== 0) return;
    try {
      this.#reader.read(chunk);
      if (this.#gathering.length > 0) this.#flushBodies();
    } catch (error) {
      if (error instanceof Http2Error) this.#leave(error.code);
      else this.#broke(error);
      return;
    }
    const { pending } = this.#reader;
    if (!this.#frames.inSection && (pending === undefined || pending === DATA)) this.#headSince = 0;
    else if (this.#headSince === 0) this.#headSince = performance.now();
    if (this.output.pending > MOST_PENDING) this.#socket.pause();
  }

  #flushBodies(): void {
    const gathering = this.#gathering;
    this.#gathering = [];
    for (const stream of gathering) stream.flush();
  }

  #onDrain(): void {
    this.#stuckSince = 0;
    this.#socket.resume();
    try {
      this.output.resume();
    } catch (error) {
      this.#broke(error);
    }
  }

  /** A defect of ours ends the connection on which it showed, and nothing else. */
  #broke(error: unknown): void {
    this.#owner.broke(error);
    this.#leave(INTERNAL_ERROR);
  }

  /** A client that takes nothing at all, on whatever stream. */
  #sweepSocket(now: number): void {
    if (!this.#socket.writableNeedDrain) this.#stuckSince = 0;
    else if (this.#stuckSince === 0) this.#stuckSince = now;
    else if (now >= this.#stuckSince + this.idleTime) this.#socket.destroy();
  }

  #overdue(now: number): boolean {
    const { headTime, idleTime } = this.#owner.bounds;
    if (this.#headSince !== 0 && now >= this.#headSince + headTime) return true;
    if (this.#streams.size > 0) return false;
    return now >= this.#idleSince + (this.#requests === 0 ? headTime : idleTime);
  }

  /** The client knows that we leave: streams that it opens from here on are not served. */
  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    if (this.#streams.size === 0) this.#leave(NO_ERROR);
    else this.output.goaway(this.#lastStream, NO_ERROR);
  }

  /** Says goodbye, and reads no more. Streams that are still open are over. */
  #leave(code: number): void {
    if (this.#closeBy !== 0) return;
    this.#closeBy = performance.now() + LINGER_MS;
    this.#reader.stop();
    this.output.goaway(this.#lastStream, code);
    this.output.end();
    this.#socket.resume();
    this.#dropStreams();
  }

  #dropStreams(): void {
    for (const stream of [...this.#streams.values()]) {
      try {
        stream.connectionGone();
      } catch (error) {
        this.#owner.broke(error);
      }
    }
  }

  #onClose(): void {
    this.#closeBy = Number.POSITIVE_INFINITY;
    this.#reader.stop();
    this.#owner.closed(this);
    this.#dropStreams();
  }
}

function broken(reason: string): Http2Error {
  return new Http2Error(PROTOCOL_ERROR, reason);
}
