import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { type BlockList, isIP, type LookupFunction } from 'node:net';
import { isIn, kindOf, listOf } from './addresses.ts';
import { type Egress, type EgressAnswer, EgressError, type EgressRequest } from './egress.ts';
import { describe } from './failures.ts';

/** Resolves a name to all of its addresses. */
export type Resolve = (name: string, done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void) => void;

export interface DirectParts {
  /** Networks that are reached though they are not public. */
  readonly allow: readonly string[];
  /** Certificates of authorities, PEM, that count beside those that Node knows. */
  readonly ca?: readonly string[];
  readonly key?: string;
  readonly resolve?: Resolve;
}

/** As the system resolves names: `/etc/hosts`, search domains. */
const bySystem: Resolve = (name, done) => systemLookup(name, { all: true, order: 'verbatim' }, done);

/**
 * A connection is kept for the next call to the same host: an introspection would otherwise cost a TLS handshake. It goes to the address
 * that was judged when it was opened.
 */
const KEPT = { keepAlive: true, maxSockets: 64, maxTotalSockets: 256, maxFreeSockets: 8, timeout: 15_000 } as const;

/** Calls out from this process, directly: proxies that the environment names are not used. */
export function createEgress(parts: DirectParts = { allow: [] }): Egress & { close(): void } {
  return new Direct(parts);
}

class Direct implements Egress {
  readonly key: string;
  readonly #allow: BlockList;
  readonly #resolve: Resolve;
  readonly #plain = new http.Agent(KEPT);
  readonly #tls: https.Agent;

  constructor({ allow, ca, key = '', resolve = bySystem }: DirectParts) {
    this.key = key;
    this.#allow = listOf(allow);
    this.#resolve = resolve;
    // Written out, so that NODE_TLS_REJECT_UNAUTHORIZED and --tls-min-v1.0 change nothing.
    this.#tls = new https.Agent({ ...KEPT, ca: ca?.slice(), rejectUnauthorized: true, minVersion: 'TLSv1.2' });
  }

  close(): void {
    this.#plain.destroy();
    this.#tls.destroy();
  }

  async fetch(url: URL, request: EgressRequest): Promise<EgressAnswer> {
    const problem = this.#problemOf(url, request);
    if (problem !== undefined) throw new EgressError(`${url.host}: ${problem}`);
    const end = performance.now() + request.timeout;
    const first = new Call(this.#options(url, request), url.host, request);
    try {
      return await first.run(request.timeout);
    } catch (error) {
      const left = end - performance.now();
      // The other side closed a kept connection while we wrote to it: nobody has read our request.
      if (!first.metClosedConnection || left <= 0 || !(request.repeatable ?? isGet(request))) throw error;
      return await new Call({ ...this.#options(url, request), agent: false }, url.host, request).run(left);
    }
  }

  #options(url: URL, request: EgressRequest): https.RequestOptions {
    const tls = url.protocol === 'https:';
    return {
      protocol: url.protocol,
      hostname: bareHost(url),
      port: url.port === '' ? undefined : Number(url.port),
      path: url.pathname + url.search,
      method: request.method ?? 'GET',
      headers: { accept: 'application/json', ...request.headers, 'user-agent': 'portcullis', 'accept-encoding': 'identity' },
      agent: tls ? this.#tls : this.#plain,
      lookup: this.#lookup(url, request),
      insecureHTTPParser: false,
      // For a connection of its own, which asks no agent.
      ...(tls ? this.#tls.options : {}),
    };
  }

  /** What can be known before a name is resolved. */
  #problemOf(url: URL, request: EgressRequest): string | undefined {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'only https: and http: are called';
    if (url.username !== '' || url.password !== '') return 'a URL with a user name or password is not called';
    const host = bareHost(url);
    if (isIP(host) !== 0) return this.#addressProblem(host, url, isWritten(url, request));
    if (host !== 'localhost' || isWritten(url, request) || isIn(this.#allow, '127.0.0.1')) return undefined;
    return refusedAs('loopback');
  }

  #addressProblem(address: string, url: URL, permitted: boolean): string | undefined {
    const kind = kindOf(address);
    if (url.protocol === 'http:' && kind !== 'loopback') return 'without TLS only this machine is called (http: to loopback)';
    return kind === 'public' || permitted || isIn(this.#allow, address) ? undefined : refusedAs(kind);
  }

  /**
   * Net asks exactly once for each connection, and connects to nothing but what it gets: between our judgement and the connection no
   * second answer of a name server can slip in (DNS rebinding).
   */
  #lookup(url: URL, request: EgressRequest): LookupFunction {
    const local = bareHost(url) === 'localhost' && isWritten(url, request);
    return (name, options, done) => {
      this.#resolve(name, (error, found) => {
        if (error !== null) return done(error, []);
        const problems = found.map(({ address }) => this.#addressProblem(address, url, local && kindOf(address) === 'loopback'));
        const good = found.filter((_, index) => problems[index] === undefined);
        if (good.length === 0) return done(new EgressError(problems[0] ?? 'the name has no address'), []);
        if (options.all === true) return done(null, good);
        return done(null, good[0].address, good[0].family);
      });
    };
  }
}

const isGet = (request: EgressRequest) => (request.method ?? 'GET') === 'GET';
const isWritten = (url: URL, request: EgressRequest) => request.written?.includes(url.host) === true;
/** Without the brackets of IPv6. */
const bareHost = (url: URL) => (url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname);
const refusedAs = (kind: string) =>
  `the address is ${kind}, and nothing in the configuration permits it (\`egress.allow\` lists networks that are permitted)`;

/** One request and its answer. Settles once; whatever happens, nothing of it is left open. */
class Call {
  readonly #options: https.RequestOptions;
  readonly #host: string;
  readonly #asked: EgressRequest;
  readonly #result = Promise.withResolvers<EgressAnswer>();
  #request: http.ClientRequest | undefined;
  #received = 0;
  #chunks: Buffer[] = [];
  metClosedConnection = false;

  constructor(options: https.RequestOptions, host: string, asked: EgressRequest) {
    this.#options = options;
    this.#host = host;
    this.#asked = asked;
  }

  async run(timeout: number): Promise<EgressAnswer> {
    const timer = setTimeout(() => this.#fail(`no complete answer within ${Math.round(this.#asked.timeout)} ms`), timeout);
    try {
      this.#send();
      return await this.#result.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #send(): void {
    const { request } = this.#options.protocol === 'https:' ? https : http;
    const sent = request(this.#options);
    this.#request = sent;
    sent.on('response', (response) => this.#answered(response));
    sent.on('upgrade', (_, socket) => {
      socket.destroy();
      this.#fail('answered with a change of protocol');
    });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      this.metClosedConnection =
        sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE') && this.#received === 0;
      this.#fail(describe(error));
    });
    sent.end(this.#asked.body);
  }

  #answered(response: http.IncomingMessage): void {
    const { limit } = this.#asked;
    response.on('error', (error) => this.#fail(describe(error)));
    const problem = headProblem(response, limit);
    if (problem !== undefined) this.#fail(problem);
    response.on('data', (chunk: Buffer) => {
      this.#received += chunk.length;
      if (this.#received > limit) this.#fail(tooLarge(limit));
      else this.#chunks.push(chunk);
    });
    response.on('close', () => {
      if (!response.complete) this.#fail('closed the connection in the middle of its answer');
    });
    response.on('end', () => {
      const headers = joined(response.rawHeaders);
      this.#result.resolve({ status: response.statusCode ?? 0, headers, body: Buffer.concat(this.#chunks) });
    });
  }

  #fail(reason: string): void {
    this.#result.reject(new EgressError(`${this.#host}: ${reason}`));
    this.#chunks = [];
    this.#request?.destroy();
  }
}

const tooLarge = (limit: number) => `the answer is larger than ${limit} bytes`;

/** What the head says is not believed further than this: the bytes are counted as they come. */
function headProblem({ headers }: http.IncomingMessage, limit: number): string | undefined {
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding.toLowerCase() !== 'identity') return 'the answer is compressed, which was not asked for';
  return Number(headers['content-length']) > limit ? tooLarge(limit) : undefined;
}

function joined(raw: readonly string[]): Record<string, string> {
  const headers = Object.create(null) as Record<string, string>;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    headers[name] = headers[name] === undefined ? raw[i + 1] : `${headers[name]}, ${raw[i + 1]}`;
  }
  return headers;
}
