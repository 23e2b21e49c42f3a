import type { AddressInfo } from 'node:net';
import type { TrustedProxies } from '../exchange/client-address.ts';
import type { Corridor } from '../listen/corridor.ts';
import { type ConnectionCounter, Listener } from '../listen/listener.ts';
import type { ListenerOptions } from '../listen/options.ts';
import { type CertificateInfo, createTlsStore, type Pem, type TlsOption, type TlsStore } from '../listen/tls/contexts.ts';
import { makeSelfSigned } from '../listen/tls/self-signed.ts';
import type { Log } from '../pipeline/stage.ts';
import { hashOptions } from './hash.ts';
import { openError } from './open-error.ts';
import { within } from './within.ts';

/** What all doors have in common. */
export interface DoorsParts {
  readonly corridor: Corridor;
  readonly log: Log;
  readonly count: ConnectionCounter;
  readonly ticketSecret: Buffer;
  /** The development certificate, where it was made elsewhere. */
  readonly selfSigned?: Pem;
}

/** A change that is ready: nothing of it is seen before `commit`, which cannot fail. */
export interface DoorsChange {
  commit(): void;
  undo(): void;
}

/** An address that is open: the listener on it outlives configurations that keep the address. */
interface Door {
  readonly listener: Listener;
  readonly address: AddressInfo;
  tls: TlsStore | undefined;
  /** What the certificates were loaded for. */
  tlsKey: string;
}

/** What is cut off when the gateway leaves gets this long to be gone. */
const CUT_MS = 1000;

/** All addresses that clients reach, and the way from one configuration's to the next one's. */
export class Doors {
  readonly #parts: DoorsParts;
  readonly #open = new Map<string, Door>();
  /** Doors that take no more connections, until the last that they have is closed. */
  readonly #leaving = new Map<Door, Promise<void>>();
  /** Made at most once, so that people accept it at most once. */
  #selfSigned: Pem | undefined;

  constructor(parts: DoorsParts) {
    this.#parts = parts;
    this.#selfSigned = parts.selfSigned;
  }

  addresses(): Record<string, AddressInfo> {
    return Object.fromEntries([...this.#open.values()].map((door) => [door.listener.name, door.address]));
  }

  /** What the listeners show to clients that ask for TLS. */
  certificates(): (CertificateInfo & { readonly listener: string })[] {
    return [...this.#open.values()].flatMap(({ listener, tls }) =>
      (tls?.certificates() ?? []).map((one) => ({ ...one, listener: listener.name })),
    );
  }

  /**
   * Gets ready what these listeners need: loads certificates for addresses that stay, opens those that are new. Rejects, with all as it
   * was, when any of it fails.
   */
  async prepare(listeners: Readonly<Record<string, ListenerOptions>>, trusted: TrustedProxies): Promise<DoorsChange> {
    const changes: DoorsChange[] = [];
    try {
      for (const [name, options] of Object.entries(listeners)) {
        const key = doorKey(name, options);
        const door = this.#open.get(key);
        changes.push(
          door === undefined ? await this.#enter(key, name, options, trusted) : await this.#keep(door, name, options, trusted),
        );
      }
    } catch (error) {
      for (const change of changes) change.undo();
      throw error;
    }
    const kept = new Set(Object.entries(listeners).map(([name, options]) => doorKey(name, options)));
    return {
      commit: () => {
        for (const change of changes) change.commit();
        for (const key of this.#open.keys()) if (!kept.has(key)) this.#dismiss(key);
      },
      undo: () => {
        for (const change of changes) change.undo();
      },
    };
  }

  /** Takes no more connections, lets those that are open end for so long, then cuts them off. */
  async drain(ms: number): Promise<void> {
    for (const key of this.#open.keys()) this.#dismiss(key);
    for (const door of this.#leaving.keys()) door.listener.leave();
    const gone = Promise.all(this.#leaving.values());
    await within(ms, gone);
    for (const door of this.#leaving.keys()) door.listener.destroy();
    await within(CUT_MS, gone);
  }

  async #enter(key: string, name: string, options: ListenerOptions, trusted: TrustedProxies): Promise<DoorsChange> {
    const door = await this.#openDoor(name, options, trusted);
    return { commit: () => void this.#open.set(key, door), undo: () => this.#close(door) };
  }

  async #keep(door: Door, name: string, options: ListenerOptions, trusted: TrustedProxies): Promise<DoorsChange> {
    const tlsKey = tlsKeyOf(name, options);
    const tls = tlsKey === door.tlsKey ? door.tls : await this.#loadTls(name, options, door.tls);
    const old = door.tls;
    // An operator who asks for a reload may have put new certificates into the same files.
    if (tls === old) await tls?.refresh();
    return {
      commit: () => {
        door.tls = tls;
        door.tlsKey = tlsKey;
        door.listener.reconfigure({ name, options, trusted, tls });
        if (tls !== old) old?.close();
      },
      undo: () => {
        if (tls !== old) tls?.close();
      },
    };
  }

  async #openDoor(name: string, options: ListenerOptions, trusted: TrustedProxies): Promise<Door> {
    const { corridor, log, count } = this.#parts;
    const tls = await this.#loadTls(name, options);
    const listener = new Listener({ name, options, corridor, trusted, tls, log, count });
    try {
      return { listener, tls, tlsKey: tlsKeyOf(name, options), address: await listener.listen() };
    } catch (error) {
      void listener.drain();
      tls?.close();
      throw openError(`listener ${name}`, options.address, error, this.#whoHas(options, error));
    }
  }

  /** The system takes `0.0.0.0:80` for taken as long as `127.0.0.1:80` is open: to move between them, one has to be closed first. */
  #whoHas({ address }: ListenerOptions, error: unknown): string {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return '';
    const own = [...this.#open.values()].find((door) => door.address.port === address.port);
    return own === undefined
      ? ''
      : `by listener ${own.listener.name}: to move to another address on the same port takes a restart`;
  }

  async #loadTls(name: string, options: ListenerOptions, before?: TlsStore): Promise<TlsStore | undefined> {
    if (options.tls === 'none') return undefined;
    if (options.tls === 'self-signed') this.#selfSigned ??= await makeSelfSigned();
    const settings = {
      listener: name,
      ticketSecret: this.#parts.ticketSecret,
      selfSigned: this.#selfSigned,
      handshakeTimeout: options.bounds['head-time'],
      clientCertificates: options['client-certificates'],
      known: before?.policies,
    };
    const store = await createTlsStore(options.tls as TlsOption, this.#parts.log, settings);
    store.watch();
    return store;
  }

  #dismiss(key: string): void {
    const door = this.#open.get(key);
    this.#open.delete(key);
    if (door !== undefined) this.#close(door);
  }

  /** Nobody waits for this but `drain`: a WebSocket may keep a door for days. */
  #close(door: Door): void {
    const gone = door.listener.drain().then(() => {
      door.tls?.close();
      this.#leaving.delete(door);
    });
    this.#leaving.set(door, gone);
  }
}

/** A listener is known by its address; where the system chooses the port, by its name too. */
function doorKey(name: string, options: ListenerOptions): string {
  const { host, port } = options.address;
  return port === 0 ? `${host}:0 ${name}` : `${host}:${port}`;
}

/** All that a listener's certificates are loaded with. */
function tlsKeyOf(name: string, options: ListenerOptions): string {
  return options.tls === 'none'
    ? 'none'
    : hashOptions([name, options.tls, options['client-certificates'], options.bounds['head-time']]);
}
