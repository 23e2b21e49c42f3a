import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rst: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const;
export const FLAG = { endStream: 1, ack: 1, endHeaders: 4 } as const;

/** One HTTP/2 frame (RFC 9113 section 4.1). */
export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(bytes.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, bytes]);
}

/** A field section of literals without indexing and without Huffman coding (RFC 7541 section 6.2.2). */
export function fields(...list: string[]): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i < list.length; i += 2) parts.push(Buffer.from([0]), text(list[i]), text(list[i + 1]));
  return Buffer.concat(parts);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const head = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) head.push((rest % 128) + 128);
  head.push(rest);
  return Buffer.concat([Buffer.from(head), bytes]);
}

export const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32BE(value, i * 4));
  return bytes;
};

/** A whole answer on a stream. */
export const answer = (stream: number, body: string, ...more: string[]): Buffer =>
  Buffer.concat([
    frame(FRAME.headers, FLAG.endHeaders, stream, fields(':status', '200', ...more)),
    frame(FRAME.data, FLAG.endStream, stream, body),
  ]);

export interface Stream {
  readonly id: number;
  /** The path, read out of the literal or indexed field section as far as tests need it: by `includes`. */
  readonly block: Buffer;
  readonly connection: number;
  readonly socket: net.Socket;
}

/** An HTTP/2 service without TLS that answers each stream with exactly the bytes that `onStream` gives. */
export class HostileH2 {
  onStream: (stream: Stream) => Buffer | undefined = (stream) => answer(stream.id, 'right');
  /** Types and streams of all frames that came, as `type:stream`. */
  readonly seen: string[] = [];
  settings: Buffer = Buffer.alloc(0);
  opened = 0;
  open = 0;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor() {
    this.#server = net.createServer({ noDelay: true }, (socket) => this.#onConnection(socket));
  }

  static async start(): Promise<HostileH2> {
    const service = new HostileH2();
    service.#server.listen(0, '127.0.0.1');
    await once(service.#server, 'listening');
    return service;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async empty(): Promise<void> {
    for (let i = 0; this.open > 0; i++) {
      if (i > 2000) throw new Error(`${this.open} connections are still open`);
      await wait(5);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.dropConnections();
  }

  #onConnection(socket: net.Socket): void {
    const connection = ++this.opened;
    let held = Buffer.alloc(0);
    let preface = 24;
    this.open++;
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.open--;
      this.#sockets.delete(socket);
    });
    socket.write(frame(FRAME.settings, 0, 0, this.settings));
    socket.on('data', (bytes: Buffer) => {
      held = Buffer.concat([held, bytes]);
      if (held.length < preface) return;
      held = held.subarray(preface);
      preface = 0;
      for (let length = frameLength(held); length > 0; length = frameLength(held)) {
        this.#onFrame(held.subarray(0, length), connection, socket);
        held = held.subarray(length);
      }
    });
  }

  #onFrame(bytes: Buffer, connection: number, socket: net.Socket): void {
    const [type, flags, id] = [bytes[3], bytes[4], bytes.readUInt32BE(5)];
    this.seen.push(`${type}:${id}`);
    if (type === FRAME.settings && (flags & FLAG.ack) === 0) socket.write(frame(FRAME.settings, FLAG.ack, 0));
    if (type === FRAME.ping && (flags & FLAG.ack) === 0) socket.write(frame(FRAME.ping, FLAG.ack, 0, bytes.subarray(9)));
    if (type !== FRAME.headers) return;
    const reply = this.onStream({ id, block: bytes.subarray(9), connection, socket });
    if (reply !== undefined) socket.write(reply);
  }
}

function frameLength(held: Buffer): number {
  if (held.length < 9) return 0;
  const length = 9 + held.readUIntBE(0, 3);
  return held.length < length ? 0 : length;
}
