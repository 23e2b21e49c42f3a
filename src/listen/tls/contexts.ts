import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { SecureContext, SecureContextOptions, Server, TLSSocket, TlsOptions } from 'node:tls';
import type { CertificateFiles, Tls } from '../../config/units.ts';
import type { Clock, Log } from '../../pipeline/stage.ts';
import { ContextTable } from './context-table.ts';
import { checkPair, type Pair, PairError, type Pem, readPair } from './pair.ts';
import { alpnProtocols, tlsPolicy } from './policy.ts';
import { makeSelfSigned } from './self-signed.ts';
import { type FileWatch, type WatchSettings, watchFiles } from '../../stores/watch-files.ts';

export type { Pem };

/** A listener's `tls` option: a certificate made at start, or files (the first one also serves names that none covers). */
export type TlsOption = Exclude<Tls, 'none'>;

export interface TlsSettings {
  /** The listener's name: sessions of one listener are not resumed on another. */
  readonly listener: string;
  /** At least 32 random bytes, the same in all workers of a gateway, so that a session resumes with any of them. */
  readonly ticketSecret?: Buffer;
  /** The development certificate, where it was made elsewhere: all workers must show the same. */
  readonly selfSigned?: Pem;
  /** Milliseconds for a handshake. */
  readonly handshakeTimeout?: number;
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
  readonly member: 'certificate' | 'key';
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
  readonly #servers = new Set<Server>();
  readonly #warned = new Set<string>();
  readonly #timers: NodeJS.Timeout[];
  /** Made at most once, so that people accept it at most once. */
  #selfSigned: Pem | undefined;
  #option: TlsOption = [];
  #pairs: readonly Pair[] = [];
  #table: ContextTable | undefined;
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
      setInterval(() => this.#warnOfExpiry(), DAY).unref(),
    ];
  }

  /** Options for `tls.createServer` or `http2.createSecureServer`; hand the server to `attach` as well. */
  options(): TlsOptions {
    const choose = (serverName: string, socket: TLSSocket) => this.#chooseContext(serverName, socket);
    return {
      ...this.#contextOptions(),
      ALPNProtocols: alpnProtocols,
      // Node calls it as a method of the socket that shakes hands.
      SNICallback(this: unknown, serverName: string, callback: (error: Error | null, context?: SecureContext) => void): void {
        callback(null, choose(serverName, this as TLSSocket));
      },
      handshakeTimeout: this.#settings.handshakeTimeout ?? 10_000,
      ticketKeys: this.#ticketKeys(),
    };
  }

  /** From now on the server gets replaced certificates and ticket keys, until it closes. */
  attach(server: Server): void {
    this.#servers.add(server);
    server.once('close', () => this.#servers.delete(server));
  }

  /** Loads what a changed configuration says. When anything of it cannot be used all stays as it was, and TlsLoadError is thrown. */
  reload(option: TlsOption): Promise<void> {
    return this.#enqueue(async () => {
      this.#use(option, await this.#load(option));
      this.#watchAgain();
    });
  }

  async #load(option: TlsOption): Promise<readonly Pair[]> {
    if (option === 'self-signed') return [checkPair((this.#selfSigned ??= await makeSelfSigned()))];
    if (option.length === 0) throw new TlsLoadError([{ index: 0, member: 'certificate', message: 'no certificate is named' }]);
    const { pairs, problems } = await readPairs(option);
    if (problems.length > 0) throw new TlsLoadError(problems);
    return pairs as Pair[];
  }

  /** Reads the files again. A pair that cannot be used stays as it was, and the log says why. */
  refresh(): Promise<void> {
    return this.#enqueue(async () => {
      if (this.#option === 'self-signed') return;
      const { pairs, problems } = await readPairs(this.#option);
      for (const problem of problems) this.#reportKept(problem);
      const next = pairs.map((pair, i) => keepUnchanged(pair, this.#pairs[i]));
      if (next.some((pair, i) => pair !== this.#pairs[i])) this.#replace(next);
    });
  }

  /** Follows the files from now on. */
  watch(settings: WatchSettings = {}): void {
    this.#watchSettings = settings;
    this.#watchAgain();
  }

  certificates(): CertificateInfo[] {
    return this.#pairs.map(({ leaf, dns, addresses, files }) => ({
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

  #use(option: TlsOption, pairs: readonly Pair[]): void {
    // First what can throw: otherwise half of it would be new.
    this.#table = new ContextTable(pairs, this.#sessionOptions());
    this.#pairs = pairs;
    this.#option = option;
    for (const server of this.#servers) {
      server.setSecureContext({ ...this.#contextOptions(), ticketKeys: this.#ticketKeys() } as SecureContextOptions);
    }
    this.#warn();
  }

  #replace(next: readonly Pair[]): void {
    const old = new Set(this.#pairs);
    this.#use(this.#option, next);
    for (const { files, leaf } of next.filter((pair) => !old.has(pair))) {
      this.#log.info('certificate replaced', {
        listener: this.#settings.listener,
        certificate: files?.certificate,
        notAfter: leaf.validToDate.toISOString(),
      });
    }
  }

  #reportKept(problem: TlsProblem): void {
    this.#log.error(`certificate not replaced, the old one stays: ${problem.message}`, { listener: this.#settings.listener });
  }

  /**
   * Node hands a throw in its callback on to the process (CVE-2026-21637), and a client chooses the name: whatever
   * happens there is an answer, and undefined leaves the server's own context, which has the first certificate.
   */
  #chooseContext(serverName: string, socket: TLSSocket): SecureContext | undefined {
    try {
      return this.#table?.find(serverName, socket);
    } catch (error) {
      this.#log.error('choosing a certificate failed', { listener: this.#settings.listener, error: String(error) });
      return undefined;
    }
  }

  #sessionOptions(): SecureContextOptions {
    return { ...tlsPolicy, sessionIdContext: sessionIdContext(this.#settings.listener) };
  }

  #contextOptions(): SecureContextOptions {
    const first = this.#table?.first ?? [];
    return { ...this.#sessionOptions(), cert: first.map((pair) => pair.pem.cert), key: first.map((pair) => pair.pem.key) };
  }

  /** All workers come to the same keys without a word between them, also when the period changes. */
  #ticketKeys(): Buffer {
    const period = Math.floor(this.#clock.now() / TICKET_PERIOD);
    const info = `portcullis session tickets ${period}`;
    return Buffer.from(hkdfSync('sha256', this.#ticketSecret, this.#settings.listener, info, 48));
  }

  #rotateTicketKeys(): void {
    const keys = this.#ticketKeys();
    for (const server of this.#servers) {
      if (!server.getTicketKeys().equals(keys)) server.setTicketKeys(keys);
    }
  }

  #watchAgain(): void {
    this.#watch?.close();
    this.#watch = undefined;
    if (this.#watchSettings === undefined || this.#option === 'self-signed') return;
    const paths = this.#option.flatMap((files) => [files.certificate, files.key]);
    this.#watch = watchFiles(
      paths,
      () => {
        this.refresh().catch((error: unknown) => this.#log.error('certificates not read again', { error: String(error) }));
      },
      this.#watchSettings,
    );
  }

  #warn(): void {
    for (const pair of this.#pairs) for (const warning of pair.warnings) this.#warnOnce(pair, warning);
    for (const pair of this.#table?.unreachable ?? []) {
      this.#warnOnce(pair, 'no client gets this certificate: earlier ones cover all its names');
    }
    this.#warnOfExpiry();
  }

  #warnOfExpiry(): void {
    for (const pair of this.#pairs) {
      const warning = expiryWarning(pair, this.#clock.now());
      if (warning !== undefined) this.#warnOnce(pair, warning);
    }
  }

  #warnOnce(pair: Pair, warning: string): void {
    const key = `${pair.leaf.fingerprint256} ${warning}`;
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.#log.warn(warning, {
      listener: this.#settings.listener,
      certificate: pair.files?.certificate ?? 'self-signed',
      names: [...pair.dns, ...pair.addresses],
    });
  }
}

/** Reads all pairs; a place whose pair cannot be used is undefined and has its problem. */
async function readPairs(option: readonly CertificateFiles[]) {
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
