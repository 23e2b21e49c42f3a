import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Address, formatAddress, isLoopback } from '../config/values.ts';
import type { Log } from '../pipeline/stage.ts';
import { Entry } from './entry.ts';
import { PageFiles } from './files.ts';
import { bracketed, hostAllowed, pageAllowed } from './guard.ts';
import { HEADERS, json, problem, type Reply, text } from './reply.ts';

/**
 * The admin listener: is the gateway alive, is it ready, what has it counted, and a page that shows it. It is apart from the listeners that clients
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
  /** What the status page shows, as JSON; of all workers. */
  status(): unknown;
  readonly log: Log;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock?: () => number;
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

/** Makes the listener. Throws where the address can be reached from other machines without TLS or without a token. */
export function createAdmin(parts: AdminParts): Admin {
  const { options } = parts;
  // The configuration is checked for this before; here it holds for whoever assembles in another way.
  if (!isLoopback(options.address.host) && (options.tls === undefined || options.token === undefined)) {
    throw new Error(`the admin listener on ${formatAddress(options.address)} needs TLS and a token`);
  }
  const desk = new Desk(parts);
  const server = makeServer(options.tls, (request, response) => void handle(desk, request, response));
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

async function handle(desk: Desk, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  const reply = await desk.answer(request);
  // A connection that brings a body which nobody wants is not used again.
  if (hasBody(request) && !request.readableEnded) response.shouldKeepAlive = false;
  const body = Buffer.from(reply.body);
  const length = reply.status === 304 ? {} : { 'content-length': body.length };
  response.writeHead(reply.status, { ...HEADERS, 'content-type': reply.type, ...length, ...reply.headers });
  response.end(request.method === 'HEAD' || reply.status === 304 ? undefined : body);
}

function hasBody({ headers }: http.IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
}

const READ = ['GET', 'HEAD'];

/** Who may have what. Asked of every request, in this order: the right name, no foreign web page, who it is, a method that is there. */
class Desk {
  readonly #parts: AdminParts;
  readonly #names: ReadonlySet<string>;
  readonly #files = new PageFiles();
  /** Absent where no token is asked for. */
  readonly #entry: Entry | undefined;

  constructor(parts: AdminParts) {
    const { address, hosts = [], token } = parts.options;
    this.#parts = parts;
    this.#names = new Set(['localhost', bracketed(address.host), ...hosts.map((host) => host.toLowerCase())]);
    if (token !== undefined) {
      this.#entry = new Entry({ token, files: this.#files, log: parts.log, clock: parts.clock ?? (() => performance.now()) });
    }
  }

  answer(request: http.IncomingMessage): Reply | Promise<Reply> {
    if (!hostAllowed(this.#names, request)) return problem(421, 'Misdirected request');
    if (!pageAllowed(request.headers['sec-fetch-site'])) return problem(403, 'Forbidden');
    const path = (request.url ?? '').split('?', 1)[0];
    return this.#open(request, path) ?? this.#entry?.refuse(request, path) ?? this.#read(request, path);
  }

  /** What is there for who is not known yet: the login, and how it looks. */
  #open(request: http.IncomingMessage, path: string): Reply | Promise<Reply> | undefined {
    const { method = '', headers } = request;
    const style = this.#files.style(path, headers['if-none-match']);
    if (style !== undefined) return READ.includes(method) ? style : notAllowed();
    if (this.#entry === undefined) return undefined;
    if (path === '/login') {
      if (method === 'POST') return this.#entry.login(request);
      return READ.includes(method) ? this.#entry.form() : notAllowed('GET, HEAD, POST');
    }
    if (path === '/logout') return method === 'POST' ? this.#entry.logout(request) : notAllowed('POST');
    return undefined;
  }

  async #read(request: http.IncomingMessage, path: string): Promise<Reply> {
    if (!READ.includes(request.method ?? '')) return notAllowed();
    try {
      return (await this.#find(path, request.headers['if-none-match'])) ?? problem(404, 'Not found');
    } catch (error) {
      this.#parts.log.error('the admin listener could not answer', { path, error });
      return problem(503, 'Service unavailable');
    }
  }

  async #find(path: string, known: string | undefined): Promise<Reply | undefined> {
    switch (path) {
      case '/healthz':
        return text(200, 'ok\n');
      case '/readyz':
        return readiness(await inTime(this.#parts.health()));
      case '/metrics':
        return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: await inTime(this.#parts.metrics()) };
      case '/status.json':
        return json(await inTime(this.#parts.status()));
      case '/':
        return this.#files.page(this.#entry !== undefined);
      default:
        return this.#files.script(path, known);
    }
  }
}

function notAllowed(allow = 'GET, HEAD'): Reply {
  return problem(405, 'Method not allowed', { allow });
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
