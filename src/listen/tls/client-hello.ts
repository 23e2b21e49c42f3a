import type { Socket } from 'node:net';

/** What the first bytes of a connection say. `need`: not enough of them yet. */
export type HelloReading = { readonly done: true; readonly serverName: string | undefined } | { readonly done: false };

const INCOMPLETE: HelloReading = { done: false };
const NAMELESS: HelloReading = { done: true, serverName: undefined };

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;

/** Larger ones than with post-quantum shares and tickets are not sent by anybody who means well. */
const MAX_HELLO = 32 * 1024;

/**
 * The server name of a ClientHello (RFC 8446 section 4.1.2, RFC 6066 section 3). It only says which TLS server shakes hands; what counts is
 * what that server has understood, and the two are compared afterwards. So anything odd is nameless here, and never an error.
 */
export function readServerName(bytes: Buffer): HelloReading {
  if (bytes.length > MAX_HELLO) return NAMELESS;
  const { hello, ended } = handshakeOf(bytes);
  const incomplete = ended ? NAMELESS : INCOMPLETE;
  if (hello.length > 0 && hello[0] !== CLIENT_HELLO) return NAMELESS;
  if (hello.length < 4) return incomplete;
  const length = hello.readUIntBE(1, 3);
  if (length > MAX_HELLO) return NAMELESS;
  return hello.length < 4 + length ? incomplete : { done: true, serverName: nameOf(new Fields(hello.subarray(4, 4 + length))) };
}

const RECORD_HEAD = 5;
const MOST_IN_RECORD = 16384;

/** The handshake bytes of the records, the last of which may only have begun; `ended`: what follows is no handshake record. */
function handshakeOf(bytes: Buffer): { hello: Buffer; ended: boolean } {
  const pieces: Buffer[] = [];
  let ended = false;
  for (let at = 0; at < bytes.length && !ended; ) {
    ended = bytes[at] !== HANDSHAKE;
    if (ended || at + RECORD_HEAD > bytes.length) break;
    const length = bytes.readUInt16BE(at + 3);
    ended = bytes[at + 1] !== 3 || length === 0 || length > MOST_IN_RECORD;
    if (ended) break;
    pieces.push(bytes.subarray(at + RECORD_HEAD, at + RECORD_HEAD + length));
    at += RECORD_HEAD + length;
  }
  return { hello: pieces.length === 1 ? pieces[0] : Buffer.concat(pieces), ended };
}

function nameOf(hello: Fields): string | undefined {
  hello.skip(2 + 32);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  const extensions = new Fields(hello.vector(2));
  while (extensions.left > 0 && !extensions.broken) {
    const type = extensions.number(2);
    const data = extensions.vector(2);
    if (type === SERVER_NAME && !extensions.broken) return hostName(new Fields(data));
  }
  return undefined;
}

function hostName(data: Fields): string | undefined {
  const list = new Fields(data.vector(2));
  const type = list.number(1);
  const name = list.vector(2);
  return type === HOST_NAME && !list.broken && name.length > 0 && name.length < 256 ? name.toString('latin1') : undefined;
}

/** Numbers and vectors one behind the other. What reaches over the end is empty, and `broken` says so. */
class Fields {
  readonly #bytes: Buffer;
  #at = 0;
  broken = false;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  skip(count: number): void {
    if (count > this.left) this.broken = true;
    this.#at = Math.min(this.#bytes.length, this.#at + count);
  }

  number(bytes: number): number {
    if (bytes > this.left) {
      this.skip(bytes);
      return 0;
    }
    const value = this.#bytes.readUIntBE(this.#at, bytes);
    this.#at += bytes;
    return value;
  }

  vector(lengthBytes: number): Buffer {
    const length = this.number(lengthBytes);
    const from = this.#at;
    this.skip(length);
    return this.broken ? Buffer.alloc(0) : this.#bytes.subarray(from, this.#at);
  }
}

/**
 * Reads the server name off a fresh socket, and puts back what was read, so that the socket can go on to a TLS server in `onName` at once.
 * A client that does not say enough in time is gone, and `onLate` is told.
 */
export function peekServerName(
  socket: Socket,
  timeoutMs: number,
  onName: (serverName: string | undefined) => void,
  onLate: () => void,
): void {
  new Peek(socket, timeoutMs, onName, onLate).start();
}

class Peek {
  readonly #socket: Socket;
  readonly #onName: (serverName: string | undefined) => void;
  readonly #timer: NodeJS.Timeout;
  #pending: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, timeoutMs: number, onName: (serverName: string | undefined) => void, onLate: () => void) {
    this.#socket = socket;
    this.#onName = onName;
    this.#timer = setTimeout(() => {
      this.#onGone();
      onLate();
    }, timeoutMs);
  }

  start(): void {
    this.#socket.on('readable', this.#onReadable);
    this.#socket.on('end', this.#onGone);
    this.#socket.on('error', this.#onGone);
    this.#socket.on('close', this.#onGone);
    this.#onReadable();
  }

  /** `readable` and not `data`: it leaves the socket neither flowing nor paused, as TLS expects to find it. */
  readonly #onReadable = (): void => {
    const chunk = this.#socket.read() as Buffer | null;
    if (chunk === null) return;
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const reading = readServerName(this.#pending);
    if (!reading.done) return;
    this.#leave();
    this.#socket.unshift(this.#pending);
    this.#onName(reading.serverName);
  };

  readonly #onGone = (): void => {
    this.#leave();
    this.#socket.destroy();
  };

  #leave(): void {
    clearTimeout(this.#timer);
    this.#socket.off('readable', this.#onReadable);
    this.#socket.off('end', this.#onGone);
    this.#socket.off('error', this.#onGone);
    this.#socket.off('close', this.#onGone);
  }
}
