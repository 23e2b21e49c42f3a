import type { Duplex } from 'node:stream';
import {
  ACK,
  CONTINUATION,
  DATA,
  DEFAULT_WINDOW,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEAD_BYTES,
  HEADERS,
  LARGEST_WINDOW,
  MOST_PAYLOAD,
  newFrame,
  numberFrame,
  PING,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from '../exchange/http2/frames.ts';
import { HpackEncoder } from '../exchange/http2/hpack-encoder.ts';
import { FLOW_CONTROL_ERROR, Http2Error } from '../exchange/http2/http2-error.ts';
import type { Http2Guard } from './http2-guard.ts';

/** Beyond this, bodies wait until the client has taken some: the answers' heads and what the protocol itself says still go out. */
const HIGH_WATER = 128 * 1024;

/** A frame of a body brings updates of windows with it, but not when it is as small as this (CVE-2019-9511). */
const USEFUL_BYTES = 128;

/** What a stream has to send. */
export interface Outgoing {
  readonly id: number;
  /** How much the client takes on this stream. */
  window: number;
  /** Bytes that wait. */
  readonly queued: number;
  /** True when what waits is the last of the stream, so that it can end with it. */
  readonly ending: boolean;
  /** The next piece of what waits, at most so long. */
  take(most: number): Buffer;
  /** Something went out. Called before `emptied`. */
  progressed(): void;
  /** Nothing waits any more. `ended`: and the stream has ended with it. */
  emptied(ended: boolean): void;
}

/**
 * The way out of one HTTP/2 connection: frames are gathered and written once in a turn, bodies keep to the windows of the client and take turns
 * frame by frame where these are narrow.
 */
export class Http2Output {
  readonly encoder = new HpackEncoder();
  /** How much the client takes on the connection. */
  window = DEFAULT_WINDOW;
  /** How much it takes on a new stream. */
  streamWindow = DEFAULT_WINDOW;

  readonly #socket: Duplex;
  readonly #guard: Http2Guard;
  readonly #waiting = new Set<Outgoing>();
  #frames: Buffer[] = [];
  #bytes = 0;
  #scheduled = false;
  #ended = false;

  constructor(socket: Duplex, guard: Http2Guard) {
    this.#socket = socket;
    this.#guard = guard;
  }

  /** Bytes that the client has not taken. */
  get pending(): number {
    return this.#bytes + this.#socket.writableLength;
  }

  // ---- frames

  write(frame: Buffer): void {
    if (this.#ended) return;
    this.#frames.push(frame);
    this.#bytes += frame.length;
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(flush, this);
  }

  settings(...pairs: (readonly [id: number, value: number])[]): void {
    const frame = newFrame(SETTINGS, 0, 0, pairs.length * 6);
    pairs.forEach(([id, value], i) => {
      frame.writeUInt16BE(id, HEAD_BYTES + i * 6);
      frame.writeUInt32BE(value, HEAD_BYTES + i * 6 + 2);
    });
    this.write(frame);
  }

  settingsAck(): void {
    this.write(newFrame(SETTINGS, ACK, 0, 0));
  }

  /** `payload` has 8 bytes. */
  ping(ack: boolean, payload: Buffer): void {
    const frame = newFrame(PING, ack ? ACK : 0, 0, 8);
    payload.copy(frame, HEAD_BYTES);
    this.write(frame);
  }

  reset(stream: number, code: number): void {
    this.write(numberFrame(RST_STREAM, stream, code));
  }

  goaway(lastStream: number, code: number): void {
    this.write(numberFrame(GOAWAY, 0, lastStream, code));
  }

  windowUpdate(stream: number, bytes: number): void {
    this.write(numberFrame(WINDOW_UPDATE, stream, bytes));
  }

  /** Sends the section that the encoder has written. */
  headers(stream: number, endStream: boolean): void {
    const { bytes, length } = this.encoder;
    let from = 0;
    let type = HEADERS;
    let flags = endStream ? END_STREAM : 0;
    do {
      const to = Math.min(from + MOST_PAYLOAD, length);
      const frame = newFrame(type, to === length ? flags | END_HEADERS : flags, stream, to - from);
      bytes.copy(frame, HEAD_BYTES, from, to);
      this.write(frame);
      from = to;
      type = CONTINUATION;
      flags = 0;
    } while (from < length);
  }

  /** An empty frame that ends a body. */
  endBody(stream: number): void {
    this.write(newFrame(DATA, END_STREAM, stream, 0));
  }

  // ---- bodies

  /** Sends of a stream what may go now, and the rest when it may. */
  send(stream: Outgoing): void {
    while (stream.queued > 0 && this.#sendFrame(stream));
    if (stream.queued > 0) this.#waiting.add(stream);
  }

  /** The client takes more on the connection. @throws Http2Error */
  widen(increment: number): void {
    this.window += increment;
    if (this.window > LARGEST_WINDOW) throw new Http2Error(FLOW_CONTROL_ERROR, 'a window that is too large');
    this.resume();
  }

  /** A window has opened, or the client has taken something: all streams that wait have their turns. */
  resume(): void {
    let progress = this.#waiting.size > 0;
    while (progress) {
      progress = false;
      for (const stream of this.#waiting) {
        if (this.#sendFrame(stream)) progress = true;
      }
    }
  }

  /** Nothing more goes out on this stream. */
  drop(stream: Outgoing): void {
    this.#waiting.delete(stream);
  }

  /** One frame of a stream; false where none may go. */
  #sendFrame(stream: Outgoing): boolean {
    const most = Math.min(stream.window, this.window, MOST_PAYLOAD);
    if (most <= 0 || this.pending >= HIGH_WATER) return false;
    const piece = stream.take(most);
    const emptied = stream.queued === 0;
    const ended = emptied && stream.ending;
    stream.window -= piece.length;
    this.window -= piece.length;
    this.#data(stream.id, piece, ended);
    if (piece.length >= USEFUL_BYTES) this.#guard.useful(2);
    stream.progressed();
    if (emptied) {
      this.#waiting.delete(stream);
      stream.emptied(ended);
    }
    return true;
  }

  #data(stream: number, piece: Buffer, endStream: boolean): void {
    const head = newFrame(DATA, endStream ? END_STREAM : 0, stream, 0);
    head[0] = piece.length >> 16;
    head[1] = piece.length >> 8;
    head[2] = piece.length;
    this.write(head);
    this.write(piece);
  }

  // ---- the socket

  /** Writes what has been gathered. */
  flush(): void {
    this.#scheduled = false;
    const frames = this.#frames;
    if (frames.length === 0) return;
    const bytes = frames.length === 1 ? frames[0] : Buffer.concat(frames, this.#bytes);
    this.#frames = [];
    this.#bytes = 0;
    this.#socket.write(bytes);
  }

  /** Writes what has been gathered and ends our side. */
  end(): void {
    if (this.#ended) return;
    this.flush();
    this.#ended = true;
    this.#waiting.clear();
    this.#socket.end();
  }
}

function flush(output: Http2Output): void {
  output.flush();
}
