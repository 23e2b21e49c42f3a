import type { SecureContext, SecureContextOptions, Server, TLSSocket, TlsOptions } from 'node:tls';
import type { Log } from '../../pipeline/stage.ts';
import type { Authorities } from './authorities.ts';
import type { ClientPolicy } from './client-policy.ts';
import { ContextTable } from './context-table.ts';
import { PolicyTable } from './entries.ts';
import type { Loaded } from './load-pairs.ts';
import type { Pair } from './pair.ts';
import { alpnProtocols, noResumption, tlsPolicy } from './policy.ts';
import { sessionIdContext, ticketKeys } from './sessions.ts';

export interface ServerContextsParts {
  readonly log: Log;
  readonly listener: string;
  readonly ticketSecret: Buffer;
  /** Milliseconds for a handshake. */
  readonly handshakeTimeout: number;
  now(): number;
}

/** What the servers of a listener show and ask in handshakes, by the name that the client says; replaceable while they serve. */
export class ServerContexts {
  readonly #parts: ServerContextsParts;
  readonly #servers = new Map<Server, ClientPolicy>();
  readonly #tables = new Map<ClientPolicy, ContextTable>();
  #names: PolicyTable | undefined;

  constructor(parts: ServerContextsParts) {
    this.#parts = parts;
  }

  /** What is asked of clients, each once; the first is that of names which no certificate covers, and of clients that send no name. */
  get policies(): readonly ClientPolicy[] {
    return this.#names?.policies ?? [];
  }

  /** Whether any client is asked for a certificate. */
  get asks(): boolean {
    return this.#names?.asks ?? false;
  }

  /** What is asked of clients of this name, lower case. */
  policyOf(name: string): ClientPolicy {
    return (this.#names as PolicyTable).find(name);
  }

  /**
   * Options for `tls.createServer` or `http2.createSecureServer`; hand the server to `attach` as well.
   * @param notice - hears of sockets within their handshake, where certificates are asked for and the client names a host or a protocol
   */
  options(policy: ClientPolicy = this.policies[0], notice: (socket: TLSSocket) => void = ignore): TlsOptions {
    const choose = (serverName: string, socket: TLSSocket) => this.#chooseContext(policy, serverName, socket);
    return {
      ...this.#contextOptions(policy),
      ...(policy.asks ? { ALPNCallback: alpnCallback(notice) } : { ALPNProtocols: alpnProtocols }),
      // Node calls it as a method of the socket that shakes hands.
      SNICallback(this: unknown, serverName: string, callback: (error: Error | null, context?: SecureContext) => void): void {
        if (policy.asks) notice(this as TLSSocket);
        callback(null, choose(serverName, this as TLSSocket));
      },
      requestCert: policy.asks,
      rejectUnauthorized: policy.required,
      handshakeTimeout: this.#parts.handshakeTimeout,
      ticketKeys: this.#ticketKeys(policy),
    };
  }

  /** From now on the server gets replaced certificates and ticket keys, until it closes. */
  attach(server: Server, policy: ClientPolicy = this.policies[0]): void {
    this.#servers.set(server, policy);
    server.once('close', () => this.#servers.delete(server));
  }

  /** From now on all of them have these. Throws, with all as it was, when a context cannot be made. */
  use({ entries, authorities }: Loaded): void {
    // First what can throw: otherwise half of it would be new.
    const names = new PolicyTable(entries);
    const tables = names.policies.map((policy) => {
      const pairs = entries.filter((entry) => entry.policy === policy).map(({ pair }) => pair);
      return [policy, new ContextTable(pairs, this.#sessionOptions(names, policy, authorities.get(policy)))] as const;
    });
    for (const [policy, read] of authorities) policy.use(read);
    this.#names = names;
    this.#tables.clear();
    for (const [policy, table] of tables) this.#tables.set(policy, table);
    for (const [server, policy] of this.#servers) {
      // A policy that the new option does not have goes with its server; until then what it had stays.
      if (!this.#tables.has(policy)) continue;
      server.setSecureContext({ ...this.#contextOptions(policy), ticketKeys: this.#ticketKeys(policy) } as SecureContextOptions);
    }
  }

  /** Pairs that no client gets. */
  unreachable(): Pair[] {
    return [...this.#tables.values()].flatMap((table) => table.unreachable);
  }

  /**
   * Node hands a throw in its callback on to the process (CVE-2026-21637), and a client chooses the name: whatever
   * happens there is an answer, and undefined leaves the server's own context, which has the first certificate.
   */
  #chooseContext(policy: ClientPolicy, serverName: string, socket: TLSSocket): SecureContext | undefined {
    try {
      return this.#tables.get(policy)?.find(serverName, socket);
    } catch (error) {
      this.#parts.log.error('choosing a certificate failed', { listener: this.#parts.listener, error: String(error) });
      return undefined;
    }
  }

  #sessionOptions(names: PolicyTable, policy: ClientPolicy, authorities: Authorities | undefined): SecureContextOptions {
    const sessions = { ...tlsPolicy, sessionIdContext: sessionIdContext(this.#sessionName(policy, names)) };
    if (authorities === undefined) return sessions;
    const { ca, crl } = authorities;
    return { ...sessions, secureOptions: noResumption, ca: [...ca], ...(crl === undefined ? {} : { crl: [...crl] }) };
  }

  #contextOptions(policy: ClientPolicy): SecureContextOptions {
    const first = this.#tables.get(policy)?.first ?? [];
    const sessions = this.#sessionOptions(this.#names as PolicyTable, policy, policy.authorities);
    return { ...sessions, cert: first.map((pair) => pair.pem.cert), key: first.map((pair) => pair.pem.key) };
  }

  /** Sessions are of a listener, and where what is asked of clients differs by name, of those names. */
  #sessionName(policy: ClientPolicy, names: PolicyTable): string {
    const alone = names.policies.length === 1 && !policy.asks;
    return alone ? this.#parts.listener : `${this.#parts.listener} ${policy.key}`;
  }

  #ticketKeys(policy: ClientPolicy): Buffer {
    return ticketKeys(this.#parts.ticketSecret, this.#sessionName(policy, this.#names as PolicyTable), this.#parts.now());
  }

  /** Has tickets sealed with the key of the time; to be called more often than it changes. */
  rotateTicketKeys(): void {
    for (const [server, policy] of this.#servers) {
      const keys = this.#ticketKeys(policy);
      if (!server.getTicketKeys().equals(keys)) server.setTicketKeys(keys);
    }
  }
}

/** Like `ALPNProtocols`, but it hears of the socket: Node calls it as a method of that. */
function alpnCallback(notice: (socket: TLSSocket) => void): TlsOptions['ALPNCallback'] {
  return function choose(this: unknown, { protocols }) {
    notice(this as TLSSocket);
    return alpnProtocols.find((protocol) => protocols.includes(protocol));
  };
}

function ignore(): void {}
