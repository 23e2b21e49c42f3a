import { createHash } from 'node:crypto';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { SecureContextOptions, TlsOptions } from 'node:tls';

/** What both of Node's servers hand to a listener, as far as the two are the same. */
export type ServiceRequest = http.IncomingMessage | http2.Http2ServerRequest;
export type ServiceAnswer = http.ServerResponse & http2.Http2ServerResponse;
export type ServiceHandler = (request: ServiceRequest, answer: ServiceAnswer) => void;

/** `h2`: HTTP/2 over TLS only; `both`: what ALPN says; `h2c`: HTTP/2 without TLS. */
export type ServiceKind = 'http' | 'https' | 'h2' | 'both' | 'h2c';

export interface RunningService {
  readonly url: string;
  readonly port: number;
  readonly server: http.Server | https.Server | http2.Http2Server;
  /** How many connections were ever made, and how many are open. */
  readonly connections: { made: number; open: number };
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface ServiceOptions {
  readonly kind?: ServiceKind;
  readonly tls?: SecureContextOptions & TlsOptions;
  readonly port?: number;
  /** Its name in the URL: the certificate has to bear it. */
  readonly host?: string;
}

/** Starts a service of Node's own servers: what real services are made of. */
export async function startService(handler: ServiceHandler, options: ServiceOptions = {}): Promise<RunningService> {
  const { kind = 'http', tls = {}, host = '127.0.0.1' } = options;
  const server = makeServer(kind, handler, tls);
  const sockets = new Set<Socket>();
  const connections = { made: 0, open: 0 };
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    connections.made++;
    connections.open++;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      connections.open--;
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const url = `${kind === 'http' || kind === 'h2c' ? 'http' : 'https'}://${host}:${port}`;
  return { url, port, server, connections, close, [Symbol.asyncDispose]: close };
}

function makeServer(kind: ServiceKind, handler: ServiceHandler, tls: TlsOptions): RunningService['server'] {
  const listener = handler as (request: unknown, answer: unknown) => void;
  switch (kind) {
    case 'http':
      return http.createServer(listener);
    case 'https':
      return https.createServer(tls, listener);
    case 'h2':
    case 'both':
      return http2.createSecureServer({ ...tls, allowHTTP1: kind === 'both' }, listener);
    case 'h2c':
      return http2.createServer(listener);
  }
}

/** `size` bytes that are nowhere the same: lost, doubled and swapped pieces change the hash. */
export function pattern(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  const whole = size - (size % 4);
  for (let at = 0; at < whole; at += 4) bytes.writeUInt32LE(Math.imul(at, 2654435761) >>> 0, at);
  bytes.fill(7, whole);
  return bytes;
}

export function hashOf(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The whole body of a request; rejects when it is cut off. */
export async function bodyOf(request: ServiceRequest): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
