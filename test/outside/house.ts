import type { IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { WebSocketServer } from 'ws';
import { type Gateway, startGateway } from '../support/gateway.ts';
import {
  hashOf,
  pattern,
  type RunningService,
  type ServiceAnswer,
  type ServiceRequest,
  startService,
} from '../support/services.ts';
import { type TlsFiles, tlsFiles } from '../support/tls.ts';

/** A gateway with and without TLS before one service, for clients that are not ours. */
export interface House {
  readonly gateway: Gateway;
  readonly service: RunningService;
  readonly certificates: TlsFiles;
  /** `http://localhost:PORT` and `https://localhost:PORT`; the certificate is for localhost and 127.0.0.1. */
  readonly plain: string;
  readonly secure: string;
  stop(): Promise<void>;
}

export const MIB = 1024 * 1024;
/** A text that compresses well, as the service compresses it. */
export const TEXT = 'The life of a request. '.repeat(2000);

export async function openHouse(more = ''): Promise<House> {
  const certificates = await tlsFiles(['localhost,127.0.0.1']);
  const service = await startService(serve);
  const sockets = new WebSocketServer({
    server: service.server as never,
    path: '/chat',
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  sockets.on('connection', (socket) => socket.on('message', (data: Buffer, binary) => socket.send(data, { binary })));
  const { certificate, key } = certificates.of('localhost,127.0.0.1');
  const gateway = await startGateway(`
listeners:
  plain: { address: 127.0.0.1:0 }
  secure: { address: 127.0.0.1:0, tls: { certificate: ${certificate}, key: ${key} } }
services: { house: "${service.url}" }
routes:
  - { path: /bytes/*, methods: [GET], service: house, authentication: none }
  - { path: /chunked/*, methods: [GET], service: house, authentication: none }
  - { path: /text, methods: [GET], service: house, authentication: none }
  - { path: /echo, methods: [POST, PUT], service: house, authentication: none, body: 16MiB }
  - { path: /small, methods: [POST], service: house, authentication: none, body: 1KiB }
  - { path: /events, methods: [GET], service: house, authentication: none }
  - { path: /chat, methods: [GET], service: house, authentication: none, origins: [https://app.example] }
${more}`);
  const stop = async () => {
    await gateway.stop();
    for (const socket of sockets.clients) socket.terminate();
    await service.close();
    await certificates.remove();
  };
  const plain = `http://localhost:${gateway.port('plain')}`;
  return { gateway, service, certificates, plain, secure: `https://localhost:${gateway.port('secure')}`, stop };
}

function serve(request: ServiceRequest, answer: ServiceAnswer): void {
  const [, kind, size] = (request.url ?? '').split('/');
  switch (kind) {
    case 'bytes':
      return serveBytes(request as IncomingMessage, answer, pattern(Number(size)));
    case 'chunked':
      return serveInPieces(answer, pattern(Number(size)));
    case 'text':
      return serveText(request, answer);
    case 'events':
      return serveEvents(answer);
    default:
      answer.setHeader('x-seen', `${request.method} ${request.headers['content-type'] ?? '-'} ${lengthSeen(request)}`);
      request.pipe(answer);
  }
}

function lengthSeen(request: ServiceRequest): string {
  return request.headers['content-length'] ?? (request.headers['transfer-encoding'] === undefined ? 'none' : 'chunked');
}

/** Knows ranges, as file servers do. */
function serveBytes(request: IncomingMessage, answer: ServiceAnswer, bytes: Buffer): void {
  const etag = `"${hashOf(bytes).slice(0, 16)}"`;
  const own = { etag, 'accept-ranges': 'bytes', 'content-type': 'application/octet-stream' };
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (request.headers['if-none-match'] === etag) answer.writeHead(304, own).end();
  else if (range === null) answer.writeHead(200, { ...own, 'content-length': bytes.length }).end(bytes);
  else {
    const from = Number(range[1]);
    const part = bytes.subarray(from, range[2] === '' ? bytes.length : Number(range[2]) + 1);
    const where = `bytes ${from}-${from + part.length - 1}/${bytes.length}`;
    answer.writeHead(206, { ...own, 'content-length': part.length, 'content-range': where }).end(part);
  }
}

function serveInPieces(answer: ServiceAnswer, bytes: Buffer): void {
  answer.writeHead(200, { 'content-type': 'application/octet-stream' });
  for (let at = 0; at < bytes.length; at += 10_000) answer.write(bytes.subarray(at, at + 10_000));
  answer.end();
}

function serveText(request: ServiceRequest, answer: ServiceAnswer): void {
  const own = { 'content-type': 'text/plain', vary: 'accept-encoding' };
  if (!/\bgzip\b/.test(String(request.headers['accept-encoding']))) answer.writeHead(200, own).end(TEXT);
  else answer.writeHead(200, { ...own, 'content-encoding': 'gzip' }).end(gzipSync(TEXT));
}

/** Three events, each only when the one before is out. */
function serveEvents(answer: ServiceAnswer): void {
  answer.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  let n = 0;
  const next = () => {
    n++;
    answer.write(`id: ${n}\ndata: event ${n}\n\n`);
    if (n === 3) answer.end();
    else setTimeout(next, 30);
  };
  next();
}
