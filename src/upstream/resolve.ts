import { promises as dns } from 'node:dns';
import { connect, isIPv4 } from 'node:net';
import type { Log } from '../pipeline/stage.ts';
import type { ServiceOptions } from './options.ts';
import type { Timing } from './timing.ts';

/** All addresses of a name; rejects when there are none. */
export type Lookup = (name: string) => Promise<string[]>;
/** True when something accepts connections there. */
export type Accepts = (address: string, port: number) => Promise<boolean>;

/** As the system resolves names (`/etc/hosts`, search domains), in the order in which it gives them. */
export async function systemLookup(name: string): Promise<string[]> {
  const found = await dns.lookup(name, { all: true, order: 'verbatim' });
  return found.map((one) => one.address);
}

const ACCEPT_MS = 1000;

export function systemAccepts(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: ACCEPT_MS });
    const end = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

/** What a resolver needs besides its name. */
export interface ResolverParts {
  readonly lookup: Lookup;
  readonly accepts: Accepts;
  readonly timing: Timing;
  readonly log: Log;
}

/** While a name has no address, or none that accepts connections, it is looked up more often: 1, 2, 4 … seconds. */
const FIRST_PAUSE_MS = 1000;

/**
 * Resolves one name when it starts and again every `dns.refresh`, never on the path of a request. A resolution that fails
 * keeps the addresses that were known.
 */
export class Resolver {
  readonly #name: string;
  readonly #port: number;
  readonly #options: ServiceOptions['dns'];
  readonly #parts: ResolverParts;
  readonly #changed: (addresses: string[]) => void;
  #known = '';
  #troubled = 0;
  #stopped = false;
  #stopTimer: (() => void) | undefined;

  constructor(
    name: string,
    port: number,
    options: ServiceOptions['dns'],
    parts: ResolverParts,
    changed: (addresses: string[]) => void,
  ) {
    this.#name = name;
    this.#port = port;
    this.#options = options;
    this.#parts = parts;
    this.#changed = changed;
  }

  /** Resolves when the first resolution has ended, well or badly. */
  async start(): Promise<void> {
    await this.#resolve();
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer?.();
  }

  async #resolve(): Promise<void> {
    const sure = await this.#look();
    if (this.#stopped) return;
    this.#troubled = sure ? 0 : this.#troubled + 1;
    const pause = sure
      ? this.#options.refresh
      : Math.min(this.#options.refresh, FIRST_PAUSE_MS * 2 ** Math.min(20, this.#troubled - 1));
    this.#stopTimer = this.#parts.timing.after(pause, () => void this.#resolve());
  }

  /** False when it should be looked up again soon. */
  async #look(): Promise<boolean> {
    try {
      const found = await this.#parts.lookup(this.#name);
      const { addresses, sure } = await this.#choose([...new Set(found)].sort());
      if (addresses.length === 0) throw new Error(`no ${this.#options.family} address`);
      this.#tell(addresses);
      return sure;
    } catch (error) {
      this.#report(error);
      return false;
    }
  }

  #tell(addresses: string[]): void {
    const key = addresses.join(' ');
    if (this.#stopped || key === this.#known) return;
    if (this.#troubled > 0 || this.#known !== '')
      this.#parts.log.info('service name resolves to new addresses', { name: this.#name, addresses });
    this.#known = key;
    this.#changed(addresses);
  }

  #report(error: unknown): void {
    if (this.#stopped || this.#troubled > 0) return;
    const reason = error instanceof Error ? error.message : String(error);
    const kept = this.#known === '' ? 'it has no addresses yet' : 'its known addresses are kept';
    this.#parts.log.warn(`service name does not resolve, ${kept}`, { name: this.#name, reason });
  }

  async #choose(all: string[]): Promise<{ addresses: string[]; sure: boolean }> {
    const v4 = all.filter((one) => isIPv4(one));
    const v6 = all.filter((one) => !isIPv4(one));
    const { family } = this.#options;
    if (family === 'both') return { addresses: all, sure: true };
    if (family === 'ipv4' || (family === 'auto' && v6.length === 0)) return { addresses: v4, sure: true };
    if (family === 'ipv6' || v4.length === 0) return { addresses: v6, sure: true };
    // Both families: many a service listens on one only (`localhost` is the usual case), so see who is there.
    if (await this.#anyAccepts(v4)) return { addresses: v4, sure: true };
    if (await this.#anyAccepts(v6)) return { addresses: v6, sure: true };
    return { addresses: v4, sure: false };
  }

  async #anyAccepts(addresses: string[]): Promise<boolean> {
    const answers = await Promise.all(addresses.map((one) => this.#parts.accepts(one, this.#port)));
    return answers.includes(true);
  }
}
