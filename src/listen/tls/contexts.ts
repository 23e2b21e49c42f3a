import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { SecureContext, SecureContextOptions, Server, TLSSocket, TlsOptions } from 'node:tls';
import type { CertificateFiles, ClientCertificates, ListenerCertificate, ListenerTls } from '../../config/units.ts';
import type { Clock, Log } from '../../pipeline/stage.ts';
import type { Authorities } from './authorities.ts';
import { ClientPolicy } from './client-policy.ts';
import { ContextTable } from './context-table.ts';
import { type Entry, PolicyTable, policyConflicts } from './entries.ts';
import { checkPair, type Pair, PairError, type Pem, readPair, type TlsMember } from './pair.ts';
import { alpnProtocols, noResumption, tlsPolicy } from './policy.ts';
import { makeSelfSigned } from './self-signed.ts';
import { type FileWatch, type WatchSettings, watchFiles } from '../../stores/watch-files.ts';

export type { Pem };

/** A listener's `tls` option: a certificate made at start, or files (the first one also serves names that none covers). */
export type TlsOption = Exclude<ListenerTls, 'none'>;

export interface TlsSettings {
  /** The listener's name: sessions of one listener are not resumed on another. */
  readonly listener: string;
  /** At least 32 random bytes, the same in all workers of a gateway, so that a session resumes with any of them. */
  readonly ticketSecret?: Buffer;
  /** The development certificate, where it was made elsewhere: all workers must show the same. */
  readonly selfSigned?: Pem;
  /** Milliseconds for a handshake. */
  readonly handshakeTimeout?: number;
  /** What is asked of clients where an entry does not say it. */
  readonly clientCertificates?: ClientCertificates | 'none';
  /** Policies of connections that are open: the same options go on as the same object, so that what becomes of its lists counts for these. */
  readonly known?: readonly ClientPolicy[];
  readonly clock?: Clock;
}

/** What a certificate in use says of itself, for status pages. */
export interface CertificateInfo {
  readonly names: readonly string[];
  readonly notAfter: Date;
  readonly issuer: string;
  readonly fingerprint: string;
  readonly files: CertificateFiles | undefined;
}

/** One thing wrong with one entry of the option. */
export interface TlsProblem {
  /** Which entry of the list. */
  readonly index: number;
  readonly member: TlsMember;
  readonly message: string;
}

/** The option cannot be used; all problems at once. */
export class TlsLoadError extends Error {
  readonly problems: readonly TlsProblem[];

  constructor(problems: readonly TlsProblem[]) {
    super(problems.map((problem) => problem.message).join('; '));
    this.name = 'TlsLoadError';
    this.problems = problems;
  }
}

/** Loads the certificates of a listener. Throws TlsLoadError. */
export async function createTlsStore(
  option: TlsOption,
  log: Log,
  settings: TlsSettings = { listener: 'default' },
): Promise<TlsStore> {
  const store = new TlsStore(log, settings);
  try {
    await store.reload(option);
    return store;
  } catch (error) {
    store.close();
    throw error;
  }
}

/** How long one key seals tickets. Resumption across a change costs a full handshake, nothing more. */
const TICKET_PERIOD = 12 * 3600_000;
const DAY = 24 * 3600_000;
const WARN_DAYS = 14;

/** The certificates of one listener, replaceable while it serves. */
export class TlsStore {
  readonly #log: Log;
  readonly #settings: TlsSettings;
  readonly #clock: Clock;
  readonly #ticketSecret: Buffer;
  readonly #servers = new Map<Server, ClientPolicy>();
  readonly #warned = new Set<string>();
  readonly #timers: NodeJS.Timeout[];
  /** Made at most once, so that people accept it at most once. */
  #selfSigned: Pem | undefined;
  #option: TlsOption = [];
  #entries: readonly Entry[] = [];
  #names: PolicyTable | undefined;
  readonly #tables = new Map<ClientPolicy, ContextTable>();
  #watch: FileWatch | undefined;
  #watchSettings: WatchSettings | undefined;
  /** Loads run one after the other. */
  #loading: Promise<unknown> = Promise.resolve();

  constructor(log: Log, settings: TlsSettings) {
    this.#log = log;
    this.#settings = settings;
    this.#ticketSecret = settings.ticketSecret ?? randomBytes(32);
    this.#selfSigned = settings.selfSigned;
    this.#clock = settings.clock ?? { now: Date.now };
    this.#timers = [
      setInterval(() => this.#rotateTicketKeys(), TICKET_PERIOD / 12).unref(),
      setInterval(() => this.#warnOfExpiry(), DAY / 24).unref(),
    ];
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

  now(): number {
    return this.#clock.now();
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
      handshakeTimeout: this.#settings.handshakeTimeout ?? 10_000,
      ticketKeys: this.#ticketKeys(policy),
    };
  }

  /** From now on the server gets replaced certificates and ticket keys, until it closes. */
  attach(server: Server, policy: ClientPolicy = this.policies[0]): void {
    this.#servers.set(server, policy);
    server.once('close', () => this.#servers.delete(server));
  }

  /** Loads what a changed configuration says. When anything of it cannot be used all stays as it was, and TlsLoadError is thrown. */
  reload(option: TlsOption): Promise<void> {
    return this.#enqueue(async () => {
      this.#use(option, await this.#load(option));
      this.#watchAgain();
    });
  }

  async #load(option: TlsOption): Promise<Loaded> {
    if (option === 'self-signed') {
      const pair = checkPair((this.#selfSigned ??= await makeSelfSigned()));
      return this.#withAuthorities([{ pair, policy: this.#policyFor(this.#settings.clientCertificates) }]);
    }
    if (option.length === 0) throw new TlsLoadError([{ index: 0, member: 'certificate', message: 'no certificate is named' }]);
    const { pairs, problems } = await readPairs(option);
    if (problems.length > 0) throw new TlsLoadError(problems);
    const known = this.#known();
    const entries = option.map((one, i) => {
      const policy = this.#policyFor(one['client-certificates'] ?? this.#settings.clientCertificates, known);
      return { pair: pairs[i] as Pair, policy };
    });
    const conflicts = policyConflicts(entries);
    if (conflicts.length > 0) throw new TlsLoadError(conflicts.map((one) => ({ ...one, member: 'names' })));
    return this.#withAuthorities(entries);
  }

  /** The policy of these options; the same options have one and the same. */
  #policyFor(options: ClientCertificates | 'none' | undefined, known = this.#known()): ClientPolicy {
    const made = new ClientPolicy(options === 'none' ? undefined : options);
    const found = known.find((one) => one.key === made.key);
    if (found === undefined) known.push(made);
    return found ?? made;
  }

  #known(): ClientPolicy[] {
    return [...this.policies, ...(this.#settings.known ?? [])];
  }

  #withAuthorities(entries: readonly Entry[]): Loaded {
    const authorities = new Map<ClientPolicy, Authorities | undefined>();
    const problems: TlsProblem[] = [];
    for (const [index, { policy }] of entries.entries()) {
      if (authorities.has(policy)) continue;
      const read = this.#readAuthorities(policy, index, problems);
      authorities.set(policy, read);
    }
    if (problems.length > 0) throw new TlsLoadError(problems);
    return { entries, authorities };
  }

  #readAuthorities(policy: ClientPolicy, index: number, problems: TlsProblem[]): Authorities | undefined {
    try {
      return policy.read();
    } catch (error) {
      if (!(error instanceof PairError)) throw error;
      problems.push({ index, member: error.member, message: error.message });
      return undefined;
    }
  }

  /** Reads the files again. What cannot be used stays as it was, and the log says why. */
  refresh(): Promise<void> {
    return this.#enqueue(async () => {
      const entries = await this.#refreshPairs();
      const authorities = new Map(this.policies.map((policy) => [policy, this.#refreshAuthorities(policy)]));
      const same = [...authorities].every(([policy, one]) => one?.digest === policy.authorities?.digest);
      if (same && entries.every(({ pair }, i) => pair === this.#entries[i].pair)) return;
      this.#replace({ entries, authorities });
    });
  }

  async #refreshPairs(): Promise<readonly Entry[]> {
    if (this.#option === 'self-signed') return this.#entries;
    const { pairs, problems } = await readPairs(this.#option);
    for (const problem of problems) this.#reportKept('certificate', problem);
    return this.#entries.map(({ pair, policy }, i) => ({ pair: keepUnchanged(pairs[i], pair), policy }));
  }

  #refreshAuthorities(policy: ClientPolicy): Authorities | undefined {
    const problems: TlsProblem[] = [];
    const read = this.#readAuthorities(policy, 0, problems);
    for (const problem of problems) this.#reportKept('client authorities', problem);
    return problems.length > 0 ? policy.authorities : read;
  }

  /** Follows the files from now on. */
  watch(settings: WatchSettings = {}): void {
    this.#watchSettings = settings;
    this.#watchAgain();
  }

  certificates(): CertificateInfo[] {
    return this.#entries.map(({ pair: { leaf, dns, addresses, files } }) => ({
      names: [...dns, ...addresses],
      notAfter: leaf.validToDate,
      issuer: leaf.issuer.replaceAll('\n', ', '),
      fingerprint: leaf.fingerprint256,
      files,
    }));
  }

  /** Ends watching and timers; running servers keep what they have. */
  close(): void {
    this.#watchSettings = undefined;
    this.#watch?.close();
    for (const timer of this.#timers) clearInterval(timer);
  }

  #enqueue(load: () => Promise<void>): Promise<void> {
    const result = this.#loading.then(load);
    this.#loading = result.catch(() => undefined);
    return result;
  }

  #use(option: TlsOption, { entries, authorities }: Loaded): void {
    // First what can throw: otherwise half of it would be new.
    const names = new PolicyTable(entries);
    const tables = names.policies.map((policy) => {
      const pairs = entries.filter((entry) => entry.policy === policy).map(({ pair }) => pair);
      return [policy, new ContextTable(pairs, this.#sessionOptions(names, policy, authorities.get(policy)))] as const;
    });
    for (const [policy, read] of authorities) policy.use(read);
    this.#entries = entries;
    this.#names = names;
    this.#tables.clear();
    for (const [policy, table] of tables) this.#tables.set(policy, table);
    this.#option = option;
    for (const [server, policy] of this.#servers) {
      // A policy that the new option does not have goes with its server; until then what it had stays.
      if (!this.#tables.has(policy)) continue;
      server.setSecureContext({ ...this.#contextOptions(policy), ticketKeys: this.#ticketKeys(policy) } as SecureContextOptions);
    }
    this.#warn();
  }

  #replace(next: Loaded): void {
    const old = new Set(this.#entries.map(({ pair }) => pair));
    const before = new Map(this.policies.map((policy) => [policy, policy.authorities]));
    this.#use(this.#option, next);
    for (const { pair } of next.entries) {
      if (old.has(pair)) continue;
      this.#log.info('certificate replaced', {
        event: 'certificate-replaced',
        listener: this.#settings.listener,
        certificate: pair.files?.certificate,
        notAfter: pair.leaf.validToDate.toISOString(),
      });
    }
    for (const [policy, authorities] of before) {
      if (policy.authorities === authorities) continue;
      this.#log.info('client authorities replaced', {
        event: 'authorities-replaced',
        listener: this.#settings.listener,
        files: policy.files,
      });
    }
  }

  #reportKept(what: string, problem: TlsProblem): void {
    this.#log.error(`${what} not replaced, the old one stays: ${problem.message}`, {
      event: 'certificate-kept',
      listener: this.#settings.listener,
    });
  }

  /**
   * Node hands a throw in its callback on to the process (CVE-2026-21637), and a client chooses the name: whatever
   * happens there is an answer, and undefined leaves the server's own context, which has the first certificate.
   */
  #chooseContext(policy: ClientPolicy, serverName: string, socket: TLSSocket): SecureContext | undefined {
    try {
      return this.#tables.get(policy)?.find(serverName, socket);
    } catch (error) {
      this.#log.error('choosing a certificate failed', { listener: this.#settings.listener, error: String(error) });
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
    return alone ? this.#settings.listener : `${this.#settings.listener} ${policy.key}`;
  }

  /** All workers come to the same keys without a word between them, also when the period changes. */
  #ticketKeys(policy: ClientPolicy): Buffer {
    const period = Math.floor(this.#clock.now() / TICKET_PERIOD);
    const info = `portcullis session tickets ${period}`;
    const name = this.#sessionName(policy, this.#names as PolicyTable);
    return Buffer.from(hkdfSync('sha256', this.#ticketSecret, name, info, 48));
  }

  #rotateTicketKeys(): void {
    for (const [server, policy] of this.#servers) {
      const keys = this.#ticketKeys(policy);
      if (!server.getTicketKeys().equals(keys)) server.setTicketKeys(keys);
    }
  }

  #watchAgain(): void {
    this.#watch?.close();
    this.#watch = undefined;
    if (this.#watchSettings === undefined) return;
    const own = this.#option === 'self-signed' ? [] : this.#option.flatMap((files) => [files.certificate, files.key]);
    const paths = [...own, ...this.policies.flatMap((policy) => policy.files)];
    if (paths.length === 0) return;
    this.#watch = watchFiles(
      paths,
      () => {
        this.refresh().catch((error: unknown) => this.#log.error('certificates not read again', { error: String(error) }));
      },
      this.#watchSettings,
    );
  }

  #warn(): void {
    for (const { pair } of this.#entries) for (const warning of pair.warnings) this.#warnOnce(pair, warning);
    for (const table of this.#tables.values()) {
      for (const pair of table.unreachable)
        this.#warnOnce(pair, 'no client gets this certificate: earlier ones cover all its names');
    }
    this.#warnOfExpiry();
  }

  #warnOfExpiry(): void {
    const now = this.#clock.now();
    for (const { pair } of this.#entries) {
      const warning = expiryWarning(pair, now);
      if (warning !== undefined) this.#warnOnce(pair, warning);
    }
    for (const policy of this.policies) for (const warning of policy.warnings(now)) this.#warnOfClients(warning);
  }

  #warnOfClients(warning: string): void {
    if (this.#warned.has(warning)) return;
    this.#warned.add(warning);
    this.#log.warn(warning, { event: 'certificate-warning', listener: this.#settings.listener });
  }

  #warnOnce(pair: Pair, warning: string): void {
    const key = `${pair.leaf.fingerprint256} ${warning}`;
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#log.warn(warning, {
      event: 'certificate-warning',
      listener: this.#settings.listener,
      certificate: pair.files?.certificate ?? 'self-signed',
      names: [...pair.dns, ...pair.addresses],
    });
  }
}

/** What was read for an option. */
interface Loaded {
  readonly entries: readonly Entry[];
  readonly authorities: ReadonlyMap<ClientPolicy, Authorities | undefined>;
}

/** Like `ALPNProtocols`, but it hears of the socket: Node calls it as a method of that. */
function alpnCallback(notice: (socket: TLSSocket) => void): TlsOptions['ALPNCallback'] {
  return function choose(this: unknown, { protocols }) {
    notice(this as TLSSocket);
    return alpnProtocols.find((protocol) => protocols.includes(protocol));
  };
}

function ignore(): void {}

/** Reads all pairs; a place whose pair cannot be used is undefined and has its problem. */
async function readPairs(option: readonly ListenerCertificate[]) {
  const problems: TlsProblem[] = [];
  const pairs = await Promise.all(
    option.map((files, index) =>
      readPair(files).catch((error: unknown) => {
        if (!(error instanceof PairError)) throw error;
        problems.push({ index, member: error.member, message: error.message });
        return undefined;
      }),
    ),
  );
  return { pairs, problems: problems.sort((a, b) => a.index - b.index) };
}

/** The pair that was there, where the new one cannot be used or is the same. */
function keepUnchanged(pair: Pair | undefined, old: Pair): Pair {
  if (pair === undefined) return old;
  return pair.pem.cert === old.pem.cert && pair.pem.key === old.pem.key ? old : pair;
}

function expiryWarning({ leaf }: Pair, now: number): string | undefined {
  const date = leaf.validToDate.toISOString().slice(0, 10);
  const left = Math.floor((leaf.validToDate.getTime() - now) / DAY);
  // The number makes each day's warning a new one, so that it is said once a day.
  if (left < 0) return `the certificate expired on ${date}, ${-left} days ago`;
  if (left < WARN_DAYS) return `the certificate expires on ${date}, in ${left} days`;
  return leaf.validFromDate.getTime() > now
    ? `the certificate is not valid before ${leaf.validFromDate.toISOString()}`
    : undefined;
}

/** OpenSSL takes at most 32 bytes. */
function sessionIdContext(listener: string): string {
  return createHash('sha256').update(`portcullis ${listener}`).digest('hex').slice(0, 32);
}
