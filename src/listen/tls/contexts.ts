import { randomBytes } from 'node:crypto';
import type { Server, TLSSocket, TlsOptions } from 'node:tls';
import type { CertificateFiles, ClientCertificates, ListenerTls } from '../../config/units.ts';
import type { Clock, Log } from '../../pipeline/stage.ts';
import type { Authorities } from './authorities.ts';
import { CertificateWarnings } from './certificate-warnings.ts';
import type { ClientPolicy } from './client-policy.ts';
import type { Entry } from './entries.ts';
import {
  keepUnchanged,
  type Loaded,
  loadFiles,
  loadMade,
  readAuthorities,
  readPairs,
  TlsLoadError,
  type TlsProblem,
} from './load-pairs.ts';
import type { Pair, Pem } from './pair.ts';
import { makeSelfSigned } from './self-signed.ts';
import { ServerContexts } from './server-contexts.ts';
import { TICKET_PERIOD } from './sessions.ts';
import { type FileWatch, type WatchSettings, watchFiles } from '../../stores/watch-files.ts';

export { TlsLoadError };
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

const HOUR = 3600_000;

/** The certificates of one listener, replaceable while it serves. */
export class TlsStore {
  readonly #log: Log;
  readonly #settings: TlsSettings;
  readonly #clock: Clock;
  readonly #contexts: ServerContexts;
  readonly #warnings: CertificateWarnings;
  readonly #timers: NodeJS.Timeout[];
  /** Made at most once, so that people accept it at most once. */
  #selfSigned: Pem | undefined;
  #option: TlsOption = [];
  #entries: readonly Entry[] = [];
  #watch: FileWatch | undefined;
  #watchSettings: WatchSettings | undefined;
  /** Loads run one after the other. */
  #loading: Promise<unknown> = Promise.resolve();

  constructor(log: Log, settings: TlsSettings) {
    this.#log = log;
    this.#settings = settings;
    this.#warnings = new CertificateWarnings(log, settings.listener);
    this.#selfSigned = settings.selfSigned;
    this.#clock = settings.clock ?? { now: Date.now };
    this.#contexts = new ServerContexts({
      log,
      listener: settings.listener,
      ticketSecret: settings.ticketSecret ?? randomBytes(32),
      handshakeTimeout: settings.handshakeTimeout ?? 10_000,
      now: () => this.now(),
    });
    this.#timers = [
      setInterval(() => this.#contexts.rotateTicketKeys(), TICKET_PERIOD / 12).unref(),
      setInterval(() => this.#warnOfExpiry(), HOUR).unref(),
    ];
  }

  /** What is asked of clients, each once; the first is that of names which no certificate covers, and of clients that send no name. */
  get policies(): readonly ClientPolicy[] {
    return this.#contexts.policies;
  }

  /** Whether any client is asked for a certificate. */
  get asks(): boolean {
    return this.#contexts.asks;
  }

  /** What is asked of clients of this name, lower case. */
  policyOf(name: string): ClientPolicy {
    return this.#contexts.policyOf(name);
  }

  now(): number {
    return this.#clock.now();
  }

  /**
   * Options for `tls.createServer` or `http2.createSecureServer`; hand the server to `attach` as well.
   * @param notice - hears of sockets within their handshake, where certificates are asked for and the client names a host or a protocol
   */
  options(policy?: ClientPolicy, notice?: (socket: TLSSocket) => void): TlsOptions {
    return this.#contexts.options(policy, notice);
  }

  /** From now on the server gets replaced certificates and ticket keys, until it closes. */
  attach(server: Server, policy?: ClientPolicy): void {
    this.#contexts.attach(server, policy);
  }

  /** Loads what a changed configuration says. When anything of it cannot be used all stays as it was, and TlsLoadError is thrown. */
  reload(option: TlsOption): Promise<void> {
    return this.#enqueue(async () => {
      this.#use(option, await this.#load(option));
      this.#watchAgain();
    });
  }

  async #load(option: TlsOption): Promise<Loaded> {
    const { clientCertificates, known = [] } = this.#settings;
    const policies = [...this.policies, ...known];
    if (option !== 'self-signed') return await loadFiles(option, clientCertificates, policies);
    return loadMade((this.#selfSigned ??= await makeSelfSigned()), clientCertificates, policies);
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
    const read = readAuthorities(policy, 0, problems);
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

  #use(option: TlsOption, loaded: Loaded): void {
    this.#contexts.use(loaded);
    this.#entries = loaded.entries;
    this.#option = option;
    this.#warnings.ofPairs(this.#pairs());
    this.#warnings.ofUnreachable(this.#contexts.unreachable());
    this.#warnOfExpiry();
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

  #warnOfExpiry(): void {
    this.#warnings.ofExpiry(this.#pairs(), this.policies, this.#clock.now());
  }

  #pairs(): Pair[] {
    return this.#entries.map(({ pair }) => pair);
  }
}
