import { createHash, timingSafeEqual } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type Address, formatAddress, isLoopback } from '../config/values.ts';
import type { Log } from '../pipeline/stage.ts';

/**
 * The admin listener: is the gateway alive, is it ready, what has it counted. It is apart from the listeners that clients
 * reach and shares no code with them, so that it answers even when they are drowned. A web page in an administrator's
 * browser must not reach it either: hence the checks of Host (DNS rebinding) and of Sec-Fetch-Site.
 */
export interface AdminServerOptions {
  readonly address: Address;
  /** PEM certificate chain and key, read by whoever assembles; undefined: no TLS, on loopback only. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  readonly token?: string;
  /** Names besides the address itself and `localhost` that `Host` may say. */
  readonly hosts?: readonly string[];
}

export interface Health {
  readonly ready: boolean;
  /** Why not, in words for an operator. */
  readonly reasons: readonly string[];
}

export interface AdminParts {
  readonly options: AdminServerOptions;
  /** With several workers: whether all of them serve. */
  health(): Health | Promise<Health>;
  /** The text for Prometheus; with several workers the sum over all. */
  metrics(): string | Promise<string>;
  readonly log: Log;
}

export interface Admin {
  /** Resolves with the address, where port 0 has become a number. Rejects when it cannot listen. */
  listen(): Promise<Address>;
  /** Takes no new connection and ends those that are there, after a second by force. */
  close(): Promise<void>;
  /** Uses another certificate from the next handshake on. */
  setCertificate(tls: { cert: string | Buffer; key: string | Buffer }): void;
}

/** Small bounds: a handful of probes and scrapers is all that comes here. */
const BOUNDS = { connections: 64, headBytes: 8192, headMs: 5000, requestMs: 10_000, silenceMs: 30_000, answerMs: 5000 };

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** Makes the listener. Throws where the address can be reached from other machines without TLS or without a token. */
export function createAdmin(parts: AdminParts): Admin {
  const { options } = parts;
  // The configuration is checked for this before; here it holds for whoever assembles in another way.
  if (!isLoopback(options.address.host) && (options.tls === undefined || options.token === undefined)) {
    throw new Error(`the admin listener on ${formatAddress(options.address)} needs TLS and a token`);
  }
  const guard = makeGuard(options);
  const server = makeServer(options.tls, (request, response) => void handle(parts, guard, request, response));
  server.maxConnections = BOUNDS.connections;
  server.setTimeout(BOUNDS.silenceMs);
  return {
    listen: () => listen(server, options.address),
    close: () => close(server),
    setCertificate: (tls) => {
      if (server instanceof https.Server) server.setSecureContext({ ...tls, minVersion: 'TLSv1.2' });
    },
  };
}

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;

function makeServer(tls: AdminServerOptions['tls'], handler: Handler): http.Server | https.Server {
  const bounds = {
    insecureHTTPParser: false,
    requireHostHeader: true,
    maxHeaderSize: BOUNDS.headBytes,
    headersTimeout: BOUNDS.headMs,
    requestTimeout: BOUNDS.requestMs,
    keepAliveTimeout: BOUNDS.headMs,
    connectionsCheckingInterval: 1000,
  };
  if (tls === undefined) return http.createServer(bounds, handler);
  return https.createServer({ ...bounds, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: BOUNDS.headMs }, handler);
}

function listen(server: http.Server, address: Address): Promise<Address> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => {
      server.off('error', reject);
      resolve({ host: address.host, port: (server.address() as AddressInfo).port });
    });
  });
}

function close(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), 1000);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Record<string, string>;
}

type Guard = (request: http.IncomingMessage) => Reply | undefined;

async function handle(
  parts: AdminParts,
  guard: Guard,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  // A body has no meaning here; a connection that brings one is not used again.
  if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined) {
    response.shouldKeepAlive = false;
  }
  const reply = guard(request) ?? (await answer(parts, request));
  const body = Buffer.from(reply.body, 'utf8');
  response.writeHead(reply.status, { ...HEADERS, 'content-type': reply.type, 'content-length': body.length, ...reply.headers });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answer(parts: AdminParts, request: http.IncomingMessage): Promise<Reply> {
  const path = (request.url ?? '').split('?', 1)[0];
  try {
    if (path === '/healthz') return text(200, 'ok\n');
    if (path === '/readyz') return readiness(await inTime(parts.health()));
    if (path === '/metrics')
      return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: await inTime(parts.metrics()) };
  } catch (error) {
    parts.log.error('the admin listener could not answer', { path, error });
    return problem(503, 'Service unavailable');
  }
  return problem(404, 'Not found');
}

function readiness(health: Health): Reply {
  if (health.ready) return text(200, 'ready\n');
  return text(503, health.reasons.map((reason) => `not ready: ${reason.replace(/[\r\n]+/g, ' ')}\n`).join('') || 'not ready\n');
}

/** A worker that hangs must not make its prober hang. */
async function inTime<T>(value: T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${BOUNDS.answerMs} ms`)), BOUNDS.answerMs);
  });
  try {
    return await Promise.race([value, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What is asked of every request, in this order: the right name, no foreign web page, the token, a method that reads. */
function makeGuard(options: AdminServerOptions): Guard {
  const names = new Set([
    'localhost',
    bracketed(options.address.host),
    ...(options.hosts ?? []).map((host) => host.toLowerCase()),
  ]);
  const token = options.token === undefined ? undefined : digest(options.token);
  return (request) => {
    if (!hostAllowed(names, request)) return problem(421, 'Misdirected request');
    if (!pageAllowed(request.headers['sec-fetch-site'])) return problem(403, 'Forbidden');
    if (token !== undefined && !tokenMatches(token, request.headers.authorization)) return unauthorized(request);
    if (request.method !== 'GET' && request.method !== 'HEAD') return problem(405, 'Method not allowed', { allow: 'GET, HEAD' });
    return undefined;
  };
}

/**
 * DNS rebinding brings a name of the attacker's; so the name decides, and the port (another one behind a tunnel or a
 * container's mapping) does not. The address that the connection came in on is always right: nobody rebinds a number.
 */
function hostAllowed(names: ReadonlySet<string>, request: http.IncomingMessage): boolean {
  const fields = request.rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host');
  const match = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/.exec((request.headers.host ?? '').toLowerCase());
  if (fields.length !== 1 || match === null) return false;
  return names.has(match[1]) || match[1] === localName(request.socket);
}

function localName(socket: Socket): string {
  const local = socket.localAddress ?? '';
  return bracketed(local.startsWith('::ffff:') ? local.slice(7) : local);
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host.toLowerCase()}]` : host;
}

/** Absent for programs; `none` for a person who typed the address. A page of another port is `same-site`: foreign as well. */
function pageAllowed(site: string | string[] | undefined): boolean {
  return site === undefined || site === 'none' || site === 'same-origin';
}

function tokenMatches(expected: Buffer, authorization: string | undefined): boolean {
  const match = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization ?? '');
  // Digests have one length, so that the comparison tells nothing of the token's.
  return match !== null && timingSafeEqual(digest(match[1]), expected);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** RFC 6750 section 3.1: `invalid_token` only where there was one. */
function unauthorized(request: http.IncomingMessage): Reply {
  const error = request.headers.authorization === undefined ? '' : ', error="invalid_token"';
  return problem(401, 'Unauthorized', { 'www-authenticate': `Bearer realm="portcullis admin"${error}` });
}

function text(status: number, body: string): Reply {
  return { status, type: 'text/plain; charset=utf-8', body };
}

function problem(status: number, title: string, headers?: Record<string, string>): Reply {
  return {
    status,
    type: 'application/problem+json',
    body: `${JSON.stringify({ type: 'about:blank', title, status })}\n`,
    headers,
  };
}
