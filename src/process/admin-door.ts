import { readFile } from 'node:fs/promises';
import type { AdminOptions } from '../admin/options.ts';
import { type Admin, createAdmin, type Health } from '../admin/server.ts';
import { type Address, formatAddress } from '../config/units.ts';
import { hashOptions } from '../config/hash.ts';
import { makeSelfSigned } from '../listen/tls/self-signed.ts';
import { type FileWatch, watchFiles } from '../listen/tls/watch.ts';
import type { Log } from '../pipeline/stage.ts';

export interface AdminDoorParts {
  health(): Health | Promise<Health>;
  metrics(): string | Promise<string>;
  readonly log: Log;
}

/** The admin listener over reloads: it stays while its options stay, and is opened anew when they change. */
export class AdminDoor {
  readonly #parts: AdminDoorParts;
  #key = hashOptions(null);
  #admin: Admin | undefined;
  #address: Address | undefined;
  #watch: FileWatch | undefined;

  constructor(parts: AdminDoorParts) {
    this.#parts = parts;
  }

  /** Where it listens, for the ready line. */
  get url(): string | undefined {
    return this.#address === undefined ? undefined : formatAddress(this.#address);
  }

  async configure(options: AdminOptions | undefined): Promise<void> {
    const key = hashOptions(options ?? null);
    if (key === this.#key) return;
    await this.close();
    if (options !== undefined) {
      const tls = await readTls(options);
      const { address, token, hosts } = options;
      this.#admin = createAdmin({ ...this.#parts, options: { address, token, hosts, tls } });
      this.#address = await this.#admin.listen();
      this.#watch = this.#follow(options);
    }
    this.#key = key;
  }

  /** A renewed certificate is used from the next handshake on. */
  #follow(options: AdminOptions): FileWatch | undefined {
    if (typeof options.tls === 'string') return undefined;
    const { certificate, key } = options.tls[0];
    return watchFiles([certificate, key], () => {
      readTls(options)
        .then((tls) => tls !== undefined && this.#admin?.setCertificate(tls))
        .catch((error: Error) => this.#parts.log.error('the certificate of the admin listener stays as it was', { error: error.message }));
    });
  }

  async close(): Promise<void> {
    this.#watch?.close();
    this.#watch = undefined;
    await this.#admin?.close();
    this.#admin = undefined;
    this.#address = undefined;
    this.#key = '';
  }
}

async function readTls(options: AdminOptions): Promise<{ cert: string | Buffer; key: string | Buffer } | undefined> {
  if (options.tls === 'none') return undefined;
  if (options.tls === 'self-signed') return makeSelfSigned();
  const [{ certificate, key }] = options.tls;
  return { cert: await readFile(certificate), key: await readFile(key) };
}
