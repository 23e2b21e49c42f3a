import type { Socket } from 'node:net';
import { createServer, type DetailedPeerCertificate, type Server, type TLSSocket } from 'node:tls';
import type { ClientCertificate } from '../../exchange/client-certificate.ts';
import { type CatalogueCode, type Refusal, refuse } from '../../exchange/decision.ts';
import { peekServerName } from './client-hello.ts';
import type { ClientPolicy, ClientProblem } from './client-policy.ts';
import type { TlsStore } from './contexts.ts';

/** What a handshake has come to. */
export interface Agreed {
  readonly policy: ClientPolicy;
  readonly certificate: ClientCertificate | undefined;
  /** A client that need not show a certificate has shown a bad one: nothing it asks for is served, but it is told why. */
  readonly problem: ClientProblem | undefined;
  /** Of what came with that. */
  readonly weight: ChainWeight;
}

/** What becomes of connections; `T` is what the listener knows of one. */
export interface TlsHandlers<T> {
  shaken(of: T, socket: TLSSocket, agreed: Agreed): void;
  /** The client was sent away, for its certificate or because the handshake came to nothing. */
  refused(of: T, refusal: Refusal, weight: ChainWeight): void;
}

/** What a bad certificate has cost: `heavy` chains are longer than any good one, and of some nobody can tell. */
export type ChainWeight = 'light' | 'heavy' | 'unknown';

/** More certificates than this of what a client sends are not looked at. */
const MAX_SENT = 12;

/**
 * Shakes hands with those who come to one listener. Node asks for client certificates by server and not by name, so there is one TLS
 * server for each policy; where there are several, the name in the ClientHello says which, and after the handshake it is made sure that
 * the name which OpenSSL has understood has that policy. So no name is ever reached by the policy, or by the session, of another.
 */
export class TlsDoor<T> {
  readonly #store: TlsStore;
  readonly #handlers: TlsHandlers<T>;
  readonly #timeout: number;
  readonly #servers = new Map<ClientPolicy, Server>();
  readonly #shaking = new Map<string, T>();
  /** What was seen of a handshake before Node decides about it. */
  readonly #seen = new WeakMap<TLSSocket, { chain: Buffer[] | undefined; of: T | undefined }>();

  constructor(store: TlsStore, handlers: TlsHandlers<T>, timeout: number) {
    this.#store = store;
    this.#handlers = handlers;
    this.#timeout = timeout;
    for (const policy of store.policies) this.#servers.set(policy, this.#serve(policy));
  }

  /** Shakes hands on a fresh socket. */
  accept(socket: Socket, of: T): void {
    const key = peerOf(socket);
    this.#shaking.set(key, of);
    socket.once('close', () => this.#shaking.delete(key));
    const [first] = this.#store.policies;
    if (this.#servers.size === 1) {
      this.#shake(first, socket);
      return;
    }
    const late = refuse('handshake-failed', 'the handshake did not begin within head-time');
    peekServerName(
      socket,
      this.#timeout,
      (name) => this.#shake(this.#store.policyOf(name ?? ''), socket),
      () => this.#handlers.refused(of, late, 'light'),
    );
  }

  #shake(policy: ClientPolicy, socket: Socket): void {
    // The TLS socket takes this over: a client that leaves within its handshake, or within HTTP/2, must not stay half open.
    socket.allowHalfOpen = false;
    this.#servers.get(policy)?.emit('connection', socket);
  }

  /** Handshakes that are under way go on; no more begin. */
  close(): void {
    for (const server of this.#servers.values()) server.close();
  }

  #serve(policy: ClientPolicy): Server {
    const options = this.#store.options(policy, (socket) => this.#notice(socket));
    const server = createServer(options, (socket) => this.#shaken(policy, socket));
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => this.#failed(policy, error, socket));
    this.#store.attach(server, policy);
    return server;
  }

  /**
   * Called within the handshake, where a client asks for a name or a protocol. What the client sent besides its certificate can be had only
   * before Node itself looks at the certificate, which takes it away (nodejs/node issue 65579); and behind a refusal nothing can be had.
   */
  #notice(socket: TLSSocket): void {
    if (this.#seen.has(socket)) return;
    const seen = { chain: undefined as Buffer[] | undefined, of: this.#shaking.get(peerOf(socket)) };
    this.#seen.set(socket, seen);
    socket.prependOnceListener('secure', () => (seen.chain = sentChain(socket)));
  }

  /** The handshake is done. The TLS socket is told apart by its peer: address and port are those of one connection only. */
  #shaken(policy: ClientPolicy, socket: TLSSocket): void {
    const key = peerOf(socket);
    const of = this.#shaking.get(key);
    this.#shaking.delete(key);
    if (of === undefined || !this.#isFor(policy, socket)) {
      socket.destroy();
      if (of !== undefined)
        this.#handlers.refused(of, refuse('handshake-failed', 'a session of another name or policy'), 'light');
      return;
    }
    if (!policy.asks) {
      this.#handlers.shaken(of, socket, { policy, certificate: undefined, problem: undefined, weight: 'light' });
      return;
    }
    const verdict = this.#judge(policy, socket);
    const problem = verdict !== undefined && 'code' in verdict ? verdict : undefined;
    if (problem !== undefined && policy.required) {
      socket.destroy();
      this.#handlers.refused(of, refusalOf(problem), this.#weightOf(socket));
      return;
    }
    const certificate = problem === undefined ? (verdict as ClientCertificate | undefined) : undefined;
    this.#handlers.shaken(of, socket, { policy, certificate, problem, weight: this.#weightOf(socket) });
  }

  /**
   * Whether the name that was agreed on has this policy. And a session is never resumed where certificates are in use: of a resumed one
   * nobody can tell which chain was verified, and by which lists. (TLS 1.3 takes a session of another name, CVE-2025-23419.)
   */
  #isFor(policy: ClientPolicy, socket: TLSSocket): boolean {
    if (policy.asks && socket.isSessionReused()) return false;
    return this.#servers.size === 1 || this.#store.policyOf(nameOf(socket)) === policy;
  }

  #judge(policy: ClientPolicy, socket: TLSSocket): ClientCertificate | ClientProblem | undefined {
    const noted = this.#seen.get(socket)?.chain;
    const chain = noted ?? sentChain(socket);
    const openssl = socket.authorized ? undefined : String(socket.authorizationError);
    return policy.judge({ chain, seen: noted !== undefined, openssl }, this.#store.now());
  }

  #failed(policy: ClientPolicy, error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const problem = policy.asks ? this.#problemOf(policy, error, socket) : undefined;
    const of = this.#seen.get(socket)?.of ?? this.#shaking.get(peerOf(socket));
    socket.destroy();
    if (of === undefined) return;
    if (problem !== undefined) this.#handlers.refused(of, refusalOf(problem), this.#weightOf(socket));
    // Who just leaves is no news: load balancers look that way whether somebody is there.
    else if (error.code !== 'ECONNRESET')
      this.#handlers.refused(of, refuse('handshake-failed', error.code ?? 'the TLS handshake failed'), 'light');
  }

  #weightOf(socket: TLSSocket): ChainWeight {
    const chain = this.#seen.get(socket)?.chain;
    if (chain === undefined) return 'unknown';
    return chain.length < MAX_SENT ? 'light' : 'heavy';
  }

  #problemOf(policy: ClientPolicy, error: NodeJS.ErrnoException, socket: TLSSocket): ClientProblem | undefined {
    if (error.code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return policy.judge(NOTHING, 0) as ClientProblem;
    // Node's types say Error; it is the code of OpenSSL's verdict.
    const openssl = socket.authorizationError as unknown as string | null | undefined;
    if (openssl === undefined || openssl === null) return undefined;
    const chain = this.#seen.get(socket)?.chain;
    const verdict = chain === undefined ? undefined : policy.judge({ chain, seen: true, openssl }, this.#store.now());
    return verdict !== undefined && 'code' in verdict ? verdict : problemOfCode(openssl);
  }
}

function refusalOf({ code, reason }: ClientProblem): Refusal {
  return refuse(code, reason, { room: 'listen' });
}

const NOTHING = { chain: [], seen: true, openssl: undefined };

const CODES: Readonly<Record<string, CatalogueCode>> = {
  CERT_HAS_EXPIRED: 'certificate-expired',
  CERT_NOT_YET_VALID: 'certificate-not-yet-valid',
  CERT_REVOKED: 'certificate-revoked',
  CRL_HAS_EXPIRED: 'certificate-crl-stale',
  INVALID_PURPOSE: 'certificate-purpose',
};

/** Where the chain could not be looked at: what OpenSSL met last. */
function problemOfCode(openssl: string): ClientProblem {
  return { code: CODES[openssl] ?? 'certificate-untrusted', reason: `refused by OpenSSL: ${openssl}` };
}

/** The client's certificate, and those that it sent besides as far as each was issued by the next. */
function sentChain(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  let one: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (one?.raw !== undefined && chain.length < MAX_SENT) {
    chain.push(one.raw);
    one = one.issuerCertificate === one ? undefined : one.issuerCertificate;
  }
  return chain;
}

/** The server name that OpenSSL has understood, lower case; empty: none. */
export function nameOf(socket: TLSSocket): string {
  const name = socket.servername;
  return typeof name === 'string' ? name.toLowerCase() : '';
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
