import net from 'node:net';
import type { AddressInfo } from 'node:net';

/** A request as it came to the service: nothing interpreted but where it ends. */
export interface SeenRequest {
  /** Every byte of head and body as it came. */
  readonly raw: Buffer;
  /** The first line and the fields, as they were spelled. */
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: readonly (readonly [string, string])[];
  /** The body with its transfer coding taken off. */
  readonly body: Buffer;
  /** Number of the connection, from 1, to tell which requests shared one. */
  readonly connection: number;
}

export interface EchoOptions {
  /**
   * Writes the answer by itself, or gives back its bytes; `undefined` means the usual JSON. For hostile answers, write
   * what you like to the socket and give back `''`.
   */
  readonly answer?: (request: SeenRequest, socket: net.Socket) => string | Buffer | undefined;
}

/** A service for tests that remembers every request it saw. */
export interface Echo {
  readonly port: number;
  /** `http://127.0.0.1:PORT` for the configuration. */
  readonly url: string;
  readonly requests: SeenRequest[];
  /** Bytes that were no complete request when their connection closed. */
  readonly leftovers: Buffer[];
  /** How many connections were ever made. */
  connections(): number;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a service on a free port of 127.0.0.1 that answers every request with JSON of what it saw:
 * `{ method, target, headers, body }`. It reads bytes off the socket itself, so that a test sees exactly what the
 * gateway sent and not what a lenient parser made of it.
 */
export async function startEcho(options: EchoOptions = {}): Promise<Echo> {
  const requests: SeenRequest[] = [];
  const leftovers: Buffer[] = [];
  const sockets = new Set<net.Socket>();
  let count = 0;
  const server = net.createServer((socket) => {
    count += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, count, requests, leftovers, options);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    requests,
    leftovers,
    connections: () => count,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** All values of the fields of that name, in any case, as a service would find them. */
export function fieldsOf(request: SeenRequest, name: string): string[] {
  return request.headers.filter(([field]) => field.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

function serve(socket: net.Socket, connection: number, requests: SeenRequest[], leftovers: Buffer[], options: EchoOptions): void {
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const request = takeRequest(pending, connection);
      if (request === undefined) return;
      pending = pending.subarray(request.raw.length);
      requests.push(request);
      const answer = options.answer?.(request, socket) ?? usualAnswer(request);
      if (answer.length > 0 && socket.writable) socket.write(answer);
    }
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (pending.length > 0) leftovers.push(pending);
  });
}

function usualAnswer(request: SeenRequest): Buffer {
  const seen = {
    method: request.method,
    target: request.target,
    headers: request.headers,
    body: request.body.toString('latin1'),
  };
  const body = Buffer.from(JSON.stringify(seen));
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), request.method === 'HEAD' ? Buffer.alloc(0) : body]);
}

/** The first complete request in these bytes. */
function takeRequest(bytes: Buffer, connection: number): SeenRequest | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [first, ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const [method = '', target = '', version = ''] = first.split(' ');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  const body = takeBody(bytes, headEnd + 4, headers);
  if (body === undefined) return undefined;
  return { raw: bytes.subarray(0, body.end), method, target, version, headers, body: body.data, connection };
}

type Body = { data: Buffer; end: number };

function takeBody(bytes: Buffer, start: number, headers: readonly (readonly [string, string])[]): Body | undefined {
  const value = (name: string): string | undefined => headers.find(([field]) => field.toLowerCase() === name)?.[1];
  if (value('transfer-encoding')?.toLowerCase() === 'chunked') return takeChunks(bytes, start);
  const end = start + Number(value('content-length') ?? 0);
  return bytes.length < end ? undefined : { data: bytes.subarray(start, end), end };
}

function takeChunks(bytes: Buffer, start: number): Body | undefined {
  const chunks: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (size === 0) {
      const end = bytes.indexOf('\r\n\r\n', lineEnd);
      return end < 0 ? undefined : { data: Buffer.concat(chunks), end: end + 4 };
    }
    at = lineEnd + 2;
    if (bytes.length < at + size + 2) return undefined;
    chunks.push(bytes.subarray(at, at + size));
    at += size + 2;
  }
}
