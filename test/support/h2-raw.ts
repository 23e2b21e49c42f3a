import tls from 'node:tls';
import { encodeFields, type Field, HpackDecoder } from './hpack.ts';

/** Types of frames (RFC 9113 section 6). */
export const DATA = 0;
export const HEADERS = 1;
export const PRIORITY = 2;
export const RST_STREAM = 3;
export const SETTINGS = 4;
export const PUSH_PROMISE = 5;
export const PING = 6;
export const GOAWAY = 7;
export const WINDOW_UPDATE = 8;
export const CONTINUATION = 9;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;
export const PADDED = 0x8;
export const HAS_PRIORITY = 0x20;

/** Error codes (RFC 9113 section 7). */
export const errors = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** Any frame, whether it makes sense or not. */
export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};

export const settings = (...pairs: (readonly [id: number, value: number])[]): Buffer =>
  frame(SETTINGS, 0, 0, Buffer.concat(pairs.map(([id, value]) => Buffer.concat([Buffer.of(id >> 8, id & 255), uint32(value)]))));
export const settingsAck = (): Buffer => frame(SETTINGS, ACK, 0);
export const windowUpdate = (stream: number, increment: number): Buffer => frame(WINDOW_UPDATE, 0, stream, uint32(increment));
export const reset = (stream: number, code = 8): Buffer => frame(RST_STREAM, 0, stream, uint32(code));
export const ping = (payload = 'pingpong'): Buffer => frame(PING, 0, 0, payload);
export const goaway = (last = 0, code = 0): Buffer => frame(GOAWAY, 0, 0, Buffer.concat([uint32(last), uint32(code)]));
export const priority = (stream: number, on = 0, weight = 15): Buffer =>
  frame(PRIORITY, 0, stream, Buffer.concat([uint32(on), Buffer.of(weight)]));
export const data = (stream: number, payload: Buffer | string, end = false): Buffer =>
  frame(DATA, end ? END_STREAM : 0, stream, payload);

/** The fields of a plain GET, which a test changes as it likes. */
export const get = (path = '/', more: readonly Field[] = []): Field[] => [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'h'],
  [':path', path],
  ...more,
];
export const post = (path = '/', more: readonly Field[] = []): Field[] => [[':method', 'POST'], ...get(path, more).slice(1)];

/** HEADERS, and CONTINUATION where the block is larger than a frame may be. */
export function headers(
  stream: number,
  block: readonly Field[] | Buffer,
  options: { end?: boolean; flags?: number } = {},
): Buffer {
  const bytes = Buffer.isBuffer(block) ? block : encodeFields(block);
  const pieces = [];
  for (let at = 0; at === 0 || at < bytes.length; at += 16_384) pieces.push(bytes.subarray(at, at + 16_384));
  const flags = (options.end === false ? 0 : END_STREAM) | (options.flags ?? 0);
  const frames = pieces.map((piece, i) => {
    const last = i === pieces.length - 1 ? END_HEADERS : 0;
    return frame(i === 0 ? HEADERS : CONTINUATION, (i === 0 ? flags : 0) | last, stream, piece);
  });
  return Buffer.concat(frames);
}

export type ErrorName = (typeof errors)[number];

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** What has come on one stream. */
export class Received {
  readonly heads: Map<string, string>[] = [];
  body: Buffer = Buffer.alloc(0);
  /** Error code of RST_STREAM. */
  reset: ErrorName | undefined = undefined;
  /** END_STREAM came. */
  ended = false;

  get status(): number {
    return Number(this.heads[0]?.get(':status') ?? 0);
  }

  get headers(): ReadonlyMap<string, string> {
    return this.heads[0] ?? new Map<string, string>();
  }

  get over(): boolean {
    return this.ended || this.reset !== undefined;
  }
}

export interface H2RawOptions {
  /** What our SETTINGS say; without it none. `false`: not even the preface is sent. */
  readonly settings?: readonly (readonly [number, number])[] | false;
  /** Gives the windows back for what comes, as a well-behaved client does. Default: yes. */
  readonly windows?: boolean;
  /** Acknowledges settings and pings. Default: yes, where settings are sent. */
  readonly acks?: boolean;
}

/** A client that sends exactly the frames it is told to, and reads those that come back. */
export class H2Raw {
  readonly socket: tls.TLSSocket;
  readonly frames: Frame[] = [];
  /** The error code of the GOAWAY that came. */
  goaway: ErrorName | undefined = undefined;
  closed = false;
  readonly #decoder = new HpackDecoder();
  readonly #streams = new Map<number, Received>();
  readonly #windows: boolean;
  readonly #acks: boolean;
  #pending: Buffer = Buffer.alloc(0);
  #block: Buffer[] = [];
  #waiting: (() => void)[] = [];

  private constructor(socket: tls.TLSSocket, options: H2RawOptions) {
    this.socket = socket;
    this.#windows = options.windows !== false;
    this.#acks = options.acks ?? options.settings !== false;
    socket.on('data', (chunk: Buffer) => this.#onBytes(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#onClose());
  }

  static connect(port: number, options: H2RawOptions = {}): Promise<H2Raw> {
    return new Promise((resolve, reject) => {
      const socket = tls.connect({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false });
      socket.setNoDelay(true);
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        socket.off('error', reject);
        const client = new H2Raw(socket, options);
        if (options.settings !== false) client.send(PREFACE, settings(...(options.settings ?? [])));
        resolve(client);
      });
    });
  }

  send(...frames: readonly Buffer[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(frames));
  }

  /** Sends, and resolves once the system has taken the bytes: a flood that is not limited by our own memory. False: closed. */
  async pour(bytes: Buffer): Promise<boolean> {
    if (!this.socket.writable) return false;
    await new Promise((resolve) => this.socket.write(bytes, resolve));
    return !this.closed;
  }

  on(stream: number): Received {
    let received = this.#streams.get(stream);
    if (received === undefined) this.#streams.set(stream, (received = new Received()));
    return received;
  }

  /** Waits until this holds or the connection is closed; fails when neither comes about. */
  async until(holds: () => boolean, what: string, timeout = 15_000): Promise<void> {
    const end = performance.now() + timeout;
    while (!holds() && !this.closed) {
      const left = end - performance.now();
      if (left <= 0) throw new Error(`${what}: not within ${timeout} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** The answer on that stream, once it is over in whatever way. */
  async answer(stream: number, timeout?: number): Promise<Received> {
    const received = this.on(stream);
    await this.until(() => received.over, `an answer on stream ${stream}`, timeout);
    return received;
  }

  /** Waits for the end of the connection. */
  async end(timeout?: number): Promise<void> {
    await this.until(() => false, 'the end of the connection', timeout);
  }

  count(type: number): number {
    return this.frames.filter((one) => one.type === type).length;
  }

  close(): void {
    this.socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #onBytes(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (this.#pending.length >= 9) {
      const length = this.#pending.readUIntBE(0, 3);
      if (this.#pending.length < 9 + length) break;
      const [type, flags, stream] = [this.#pending[3], this.#pending[4], this.#pending.readUInt32BE(5) & 0x7fff_ffff];
      const payload = this.#pending.subarray(9, 9 + length);
      this.#pending = this.#pending.subarray(9 + length);
      this.frames.push({ type, flags, stream, payload });
      this.#onFrame(type, flags, stream, payload);
    }
    this.#wake();
  }

  #onFrame(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === HEADERS || type === CONTINUATION) this.#onBlock(flags, stream, payload);
    else if (type === DATA) this.#onData(stream, payload);
    else if (type === RST_STREAM) this.on(stream).reset = errors[payload.readUInt32BE(0)];
    else if (type === GOAWAY) this.goaway = errors[payload.readUInt32BE(4)];
    else if (type === SETTINGS && (flags & ACK) === 0 && this.#acks) this.send(settingsAck());
    else if (type === PING && (flags & ACK) === 0 && this.#acks) this.send(frame(PING, ACK, 0, payload));
    if ((type === HEADERS || type === DATA) && (flags & END_STREAM) !== 0) this.on(stream).ended = true;
  }

  #onBlock(flags: number, stream: number, payload: Buffer): void {
    this.#block.push(payload);
    if ((flags & END_HEADERS) === 0) return;
    this.on(stream).heads.push(new Map(this.#decoder.decode(Buffer.concat(this.#block))));
    this.#block = [];
  }

  #onData(stream: number, payload: Buffer): void {
    const received = this.on(stream);
    received.body = Buffer.concat([received.body, payload]);
    if (!this.#windows || payload.length === 0) return;
    this.send(windowUpdate(0, payload.length), windowUpdate(stream, payload.length));
  }

  #onClose(): void {
    this.closed = true;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
