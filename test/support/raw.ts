import net from 'node:net';
import tls from 'node:tls';
import { setTimeout as wait } from 'node:timers/promises';

/** Bytes to send: strings are latin1, one character per byte. */
export type Bytes = string | Buffer;

export interface RawOptions {
  /** Milliseconds until the helper gives up waiting and returns what has come. */
  readonly timeout?: number;
  /** `true` for TLS that trusts anyone, or the options of `tls.connect`. */
  readonly tls?: boolean | tls.ConnectionOptions;
  readonly host?: string;
  /** Returns as soon as this holds for the bytes received so far, instead of waiting for the close. */
  readonly until?: RegExp | ((received: Buffer) => boolean);
  /** Milliseconds between the pieces, where `bytes` is a list. */
  readonly pause?: number;
  /** Closes our half of the connection behind the last byte. */
  readonly end?: boolean;
}

/**
 * Sends exactly these bytes over one new connection and collects what comes back until the other side closes, `until`
 * holds, or the time is up. A reset counts as a close; only a connection that cannot be made is an error.
 */
export async function rawRequest(port: number, bytes: Bytes | readonly Bytes[], options: RawOptions = {}): Promise<Buffer> {
  const socket = await connect(port, options);
  const received = collect(socket, options);
  try {
    await send(socket, Array.isArray(bytes) ? (bytes as readonly Bytes[]) : [bytes as Bytes], options);
    return await received;
  } finally {
    socket.destroy();
  }
}

/** One answer as it stood in the bytes; names in lower case. */
export interface RawResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** False where the bytes ended before the body did. */
  readonly complete: boolean;
}

/**
 * Reads the answers to non-HEAD requests out of what `rawRequest` collected. 1xx answers are left in the list. A body
 * without length runs to the end. Bytes that are no answer end the list with status 0, so that a test sees them.
 */
export function parseResponses(bytes: Buffer): RawResponse[] {
  const responses: RawResponse[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf('\r\n\r\n', at);
    const match = end < 0 ? null : /^HTTP\/1\.[01] (\d{3})(?: .*)?$/.exec(line(bytes, at));
    if (match === null) return [...responses, { status: 0, headers: new Map(), body: bytes.subarray(at), complete: false }];
    const headers = readFields(bytes.toString('latin1', at, end));
    const status = Number(match[1]);
    const { data, complete, next } = readBody(bytes, end + 4, status, headers);
    responses.push({ status, headers, body: data, complete });
    at = next;
  }
  return responses;
}

/** The one answer in these bytes; throws where there is none or more than one. */
export function parseResponse(bytes: Buffer): RawResponse {
  const responses = parseResponses(bytes);
  if (responses.length !== 1) throw new Error(`${responses.length} answers instead of one: ${bytes.toString('latin1')}`);
  return responses[0];
}

function connect(port: number, options: RawOptions): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const host = options.host ?? '127.0.0.1';
    const socket =
      options.tls === undefined || options.tls === false
        ? net.connect({ port, host })
        : tls.connect({ port, host, rejectUnauthorized: false, ...(options.tls === true ? {} : options.tls) });
    socket.setNoDelay(true);
    socket.once('error', reject);
    socket.once(options.tls ? 'secureConnect' : 'connect', () => {
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

function collect(socket: net.Socket, options: RawOptions): Promise<Buffer> {
  const { until, timeout = 2000 } = options;
  let received = Buffer.alloc(0);
  const isDone = (): boolean => {
    if (until === undefined) return false;
    return until instanceof RegExp ? until.test(received.toString('latin1')) : until(received);
  };
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(received), timeout);
    const done = (): void => {
      clearTimeout(timer);
      resolve(received);
    };
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (isDone()) done();
    });
    // A reset is how the other side may close; `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', done);
  });
}

async function send(socket: net.Socket, pieces: readonly Bytes[], options: RawOptions): Promise<void> {
  for (const [index, piece] of pieces.entries()) {
    if (index > 0 && options.pause !== undefined) await wait(options.pause);
    if (!socket.writable) return;
    socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
  }
  if (options.end === true) socket.end();
}

function line(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, bytes.indexOf('\r\n', at));
}

function readFields(head: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const field of head.split('\r\n').slice(1)) {
    const colon = field.indexOf(':');
    const name = field.slice(0, colon).toLowerCase();
    const before = fields.get(name);
    const value = field.slice(colon + 1).trim();
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return fields;
}

type Body = { data: Buffer; complete: boolean; next: number };

function readBody(bytes: Buffer, at: number, status: number, headers: Map<string, string>): Body {
  if (status < 200 || status === 204 || status === 304) return { data: Buffer.alloc(0), complete: true, next: at };
  if (headers.get('transfer-encoding') === 'chunked') return readChunks(bytes, at);
  const length = headers.get('content-length');
  const next = length === undefined ? bytes.length : at + Number(length);
  return { data: bytes.subarray(at, next), complete: next <= bytes.length, next: Math.min(next, bytes.length) };
}

function readChunks(bytes: Buffer, start: number): Body {
  const chunks: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    // The trailer section ends with an empty line, as a head does; without trailers that is the next CRLF.
    const end = size === 0 ? bytes.indexOf('\r\n\r\n', lineEnd) : -1;
    if (end >= 0) return { data: Buffer.concat(chunks), complete: true, next: end + 4 };
    if (!(size > 0)) return { data: Buffer.concat(chunks), complete: false, next: bytes.length };
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
