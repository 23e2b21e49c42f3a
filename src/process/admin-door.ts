import type { AdminOptions } from '../admin/options.ts';
import { type Admin, createAdmin, type Health } from '../admin/server.ts';
import { hashOptions } from '../config/hash.ts';
import { openError } from '../config/open-error.ts';
import { type Address, formatAddress } from '../config/values.ts';
import type { Pem } from '../listen/tls/contexts.ts';
import { readPair } from '../listen/tls/pair.ts';
import { makeSelfSigned } from '../listen/tls/self-signed.ts';
import { type FileWatch, watchFiles } from '../stores/watch-files.ts';
import type { Log } from '../pipeline/stage.ts';

export interface AdminDoorParts {
  health(): Health | Promise<Health>;
  metrics(): string | Promise<string>;
  status(): unknown;
  readonly log: Log;
}

/** A change that is ready: nothing of it is seen before `commit`, which never rejects. */
export interface AdminChange {
  commit(): Promise<void>;
  undo(): Promise<void>;
}

const NO_CHANGE: AdminChange = { commit: async () => {}, undo: async () => {} };

/** The admin listener over reloads: it stays while its options stay, and gives way to another one when they change. */
export class AdminDoor {
  readonly #parts: AdminDoorParts;
  #key = hashOptions(null);
  #serving: Serving | undefined;

  constructor(parts: AdminDoorParts) {
    this.#parts = parts;
  }

  /** Where it listens, for the ready line. */
  get url(): string | undefined {
    return this.#serving?.address === undefined ? undefined : formatAddress(this.#serving.address);
  }

  /** Gets ready what these options need. Rejects, with all as it was, when that is not possible. */
  async prepare(options: AdminOptions | undefined): Promise<AdminChange> {
    const key = hashOptions(options ?? null);
    if (key === this.#key) return NO_CHANGE;
    const next = options === undefined ? undefined : await Serving.load(options, this.#parts);
    // On an address that it has already, the old one must go first.
    const here = next !== undefined && sameAddress(next.options.address, this.#serving?.address);
    if (!here) await next?.open();
    return {
      commit: async () => {
        if (here) await this.#takeOver(key, next);
        else await this.#replace(key, next);
      },
      undo: async () => await next?.close(),
    };
  }

  async #replace(key: string, next: Serving | undefined): Promise<void> {
    const old = this.#serving;
    this.#serving = next;
    this.#key = key;
    await old?.close();
  }

  /** The address is free as soon as the old one begins to close; its last answers may take longer. */
  async #takeOver(key: string, next: Serving): Promise<void> {
    const old = this.#serving as Serving;
    const closed = old.close();
    try {
      await next.open();
      this.#serving = next;
      this.#key = key;
    } catch (error) {
      this.#parts.log.error('the admin listener stays as it was', { reason: (error as Error).message });
      await this.#reopen(old.options);
    }
    await closed;
  }

  async #reopen(options: AdminOptions): Promise<void> {
    try {
      this.#serving = await Serving.load(options, this.#parts);
      await this.#serving.open();
    } catch (error) {
      this.#parts.log.error('there is no admin listener', { reason: (error as Error).message });
      await this.close();
    }
  }

  async close(): Promise<void> {
    await this.#serving?.close();
    this.#serving = undefined;
    this.#key = '';
  }
}

/** One admin listener with its options. */
class Serving {
  readonly options: AdminOptions;
  address: Address | undefined;
  readonly #admin: Admin;
  readonly #log: Log;
  #watch: FileWatch | undefined;

  private constructor(options: AdminOptions, admin: Admin, log: Log) {
    this.options = options;
    this.#admin = admin;
    this.#log = log;
  }

  static async load(options: AdminOptions, parts: AdminDoorParts): Promise<Serving> {
    const tls = await readTls(options);
    const { address, token, hosts } = options;
    return new Serving(options, createAdmin({ ...parts, options: { address, token, hosts, tls } }), parts.log);
  }

  async open(): Promise<void> {
    try {
      this.address = await this.#admin.listen();
    } catch (error) {
      throw openError('the admin listener', this.options.address, error);
    }
    this.#watch = this.#follow();
  }

  /** A renewed certificate is used from the next handshake on. */
  #follow(): FileWatch | undefined {
    if (typeof this.options.tls === 'string') return undefined;
    const { certificate, key } = this.options.tls[0];
    return watchFiles([certificate, key], () => {
      readTls(this.options)
        .then((tls) => tls !== undefined && this.#admin.setCertificate(tls))
        .catch((error: Error) =>
          this.#log.error('the certificate of the admin listener stays as it was', { error: error.message }),
        );
    });
  }

  async close(): Promise<void> {
    this.#watch?.close();
    this.#watch = undefined;
    await this.#admin.close();
  }
}

function sameAddress(one: Address, other: Address | undefined): boolean {
  return one.port === other?.port && one.host === other.host;
}

async function readTls(options: AdminOptions): Promise<Pem | undefined> {
  if (options.tls === 'none') return undefined;
  if (options.tls === 'self-signed') return await makeSelfSigned();
  return (await readPair(options.tls[0])).pem;
}
