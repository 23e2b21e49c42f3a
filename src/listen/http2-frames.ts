import type { FrameSink } from '../exchange/http2/frame-reader.ts';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  PADDED,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  SETTINGS,
  uint31,
  WINDOW_UPDATE,
  WITH_PRIORITY,
} from '../exchange/http2/frames.ts';
import { ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR, Http2Error, PROTOCOL_ERROR } from '../exchange/http2/http2-error.ts';
import { readSettings } from './http2-settings.ts';

/** What frames mean to the connection. All of these may throw an Http2Error. */
export interface FrameHandler {
  /** How many bytes of a field section may come. */
  readonly mostSection: number;
  /** HEADERS begin: may they, on that stream? */
  beginSection(id: number): void;
  /** A field section is complete. `last`: the stream ends with it. */
  section(id: number, last: boolean, bytes: Buffer, from: number, to: number): void;
  /** `length` is what counts for the windows: the piece and its padding. */
  data(id: number, piece: Buffer, length: number, last: boolean): void;
  reset(id: number): void;
  setting(id: number, value: number): void;
  /** All settings of a frame were told. */
  settingsEnd(): void;
  ping(payload: Buffer, ack: boolean): void;
  goaway(): void;
  /** `id` 0 is the connection. */
  windowUpdate(id: number, increment: number): void;
  /** A frame that by itself brings nothing. */
  noise(weight: number): void;
}

/** Frames that one section may take: as many as it needs, and some more for clients that cut it up. */
const MOST_SECTION_FRAMES = 32;

/** A field section whose end has not come: HEADERS, and the CONTINUATION frames behind it. */
interface OpenSection {
  readonly id: number;
  readonly last: boolean;
  readonly parts: Buffer[];
  bytes: number;
}

/** Reads the payload of each frame by the rules of its type (RFC 9113 section 6), and puts field sections together. */
export class Http2Frames implements FrameSink {
  readonly #handler: FrameHandler;
  /** The client's first settings have come: nothing comes before them. */
  #greeted = false;
  #section: OpenSection | undefined = undefined;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** A field section has begun and not ended. */
  get inSection(): boolean {
    return this.#section !== undefined;
  }

  onFrame(type: number, flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (this.#section !== undefined && (type !== CONTINUATION || id !== this.#section.id))
      throw broken('a frame within a field section');
    if (!this.#greeted && type !== SETTINGS) throw broken('a frame before the settings');
    switch (type) {
      case DATA:
        return this.#onData(flags, id, bytes, from, to);
      case HEADERS:
        return this.#onHeaders(flags, id, bytes, from, to);
      case PRIORITY:
        return this.#onPriority(id, bytes, from, to);
      case RST_STREAM:
        return this.#onReset(id, to - from);
      case SETTINGS:
        return this.#onSettings(flags, id, bytes, from, to);
      case PUSH_PROMISE:
        throw broken('a client that pushes');
      case PING:
        return this.#onPing(flags, id, bytes, from, to);
      case GOAWAY:
        return this.#onGoaway(id, to - from);
      case WINDOW_UPDATE:
        return this.#onWindowUpdate(id, bytes, from, to);
      case CONTINUATION:
        return this.#onContinuation(flags, bytes, from, to);
      default:
        this.#handler.noise(1 + (to - from) / 1024);
    }
  }

  #onData(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    const end = to - paddingOf(flags, bytes, from, to);
    const at = (flags & PADDED) === 0 ? from : from + 1;
    if (at > end) throw broken('padding beyond the frame');
    const last = (flags & END_STREAM) !== 0;
    if (at === end && !last) this.#handler.noise(1);
    this.#handler.data(id, bytes.subarray(at, end), to - from, last);
  }

  #onHeaders(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    const end = to - paddingOf(flags, bytes, from, to);
    let at = (flags & PADDED) === 0 ? from : from + 1;
    if ((flags & WITH_PRIORITY) !== 0) {
      if (at + 5 <= to && uint31(bytes, at) === id) throw broken('a stream that depends on itself');
      at += 5;
    }
    if (at > end) throw broken('padding beyond the frame');
    this.#handler.beginSection(id);
    const last = (flags & END_STREAM) !== 0;
    if ((flags & END_HEADERS) !== 0) this.#handler.section(id, last, bytes, at, end);
    else this.#section = { id, last, parts: [bytes.subarray(at, end)], bytes: end - at };
  }

  #onContinuation(flags: number, bytes: Buffer, from: number, to: number): void {
    const section = this.#section;
    if (section === undefined) throw broken('a continuation of nothing');
    section.parts.push(bytes.subarray(from, to));
    section.bytes += to - from;
    // CVE-2024-27983: a section without end, in large pieces or in empty ones.
    if (section.parts.length > MOST_SECTION_FRAMES || section.bytes > this.#handler.mostSection) {
      throw new Http2Error(ENHANCE_YOUR_CALM, 'a field section without end');
    }
    if ((flags & END_HEADERS) === 0) return;
    this.#section = undefined;
    this.#handler.section(section.id, section.last, Buffer.concat(section.parts, section.bytes), 0, section.bytes);
  }

  /** Priorities are not looked at, but a frame must be one. */
  #onPriority(id: number, bytes: Buffer, from: number, to: number): void {
    checkLength(to - from, 5);
    if (id === 0 || uint31(bytes, from) === id) throw broken('a priority of nothing, or of a stream over itself');
    this.#handler.noise(1);
  }

  #onReset(id: number, length: number): void {
    checkLength(length, 4);
    this.#handler.reset(id);
  }

  #onSettings(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (id !== 0) throw broken('settings of a stream');
    const ack = (flags & ACK) !== 0;
    if (ack && !this.#greeted) throw broken('an acknowledgement before the settings');
    if (ack) checkLength(to - from, 0);
    this.#handler.noise(1 + (to - from) / 64);
    if (ack) return;
    this.#greeted = true;
    readSettings(bytes, from, to, this.#handler);
    this.#handler.settingsEnd();
  }

  #onPing(flags: number, id: number, bytes: Buffer, from: number, to: number): void {
    if (id !== 0) throw broken('a ping on a stream');
    checkLength(to - from, 8);
    this.#handler.noise(1);
    this.#handler.ping(bytes.subarray(from, to), (flags & ACK) !== 0);
  }

  #onGoaway(id: number, length: number): void {
    if (id !== 0) throw broken('GOAWAY on a stream');
    if (length < 8) checkLength(length, 8);
    this.#handler.noise(1);
    this.#handler.goaway();
  }

  #onWindowUpdate(id: number, bytes: Buffer, from: number, to: number): void {
    checkLength(to - from, 4);
    const increment = uint31(bytes, from);
    if (increment === 0) throw broken('an update of a window by nothing');
    this.#handler.noise(1);
    this.#handler.windowUpdate(id, increment);
  }
}

/** How much padding stands at the end of a frame. */
function paddingOf(flags: number, bytes: Buffer, from: number, to: number): number {
  if ((flags & PADDED) === 0) return 0;
  if (from === to) throw broken('padding of which nothing tells the length');
  return bytes[from];
}

function checkLength(length: number, expected: number): void {
  if (length !== expected) throw new Http2Error(FRAME_SIZE_ERROR, 'a frame of another length than its type has');
}

function broken(reason: string): Http2Error {
  return new Http2Error(PROTOCOL_ERROR, reason);
}
