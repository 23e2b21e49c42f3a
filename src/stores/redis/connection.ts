import type { RedisClientType } from '@redis/client';
import { StoreError } from '../limit-store.ts';
import type { RedisOptions } from '../options.ts';

/** What is sent: a command and its arguments. */
export type Command = readonly string[];

/** A store that says nothing for this long has a new connection made: the old one may be dead without a word. */
const DEAD_MS = 2000;

export interface ConnectionParts {
  readonly options: RedisOptions;
  /** Certificates for `rediss://`, PEM. */
  readonly ca: Buffer | undefined;
  readonly createClient: typeof import('@redis/client').createClient;
}

/**
 * One connection to the store, from its making to its loss. There is no way back: the next one is another object. `ask` and `rest` are
 * for the one who watches over it, one at a time; both reject as soon as it is lost.
 */
export class Connection {
  readonly #client: RedisClientType;
  #lost: Error | undefined;
  /** Ends what the watcher waits for. */
  #interrupt: ((error: Error) => void) | undefined;
  #wake: (() => void) | undefined;

  private constructor(client: RedisClientType) {
    this.#client = client;
    client.on('error', (error: Error) => this.#lose(error));
    client.on('end', () => this.#lose(new Error('the connection was closed')));
  }

  static async open(parts: ConnectionParts): Promise<Connection> {
    const connection = new Connection(makeClient(parts));
    try {
      // With a time limit: a store that stands still accepts connections and says nothing.
      await connection.#patiently(connection.#client.connect());
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  }

  send(command: Command): Promise<unknown> {
    if (this.#lost !== undefined) return Promise.reject(new StoreError(this.#lost.message));
    return this.#client.sendCommand(command);
  }

  ask(command: Command): Promise<unknown> {
    return this.#patiently(this.send(command));
  }

  /** Waits, or less when somebody wakes it. */
  rest(ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#interrupt = (error) => {
        clearTimeout(timer);
        reject(error);
      };
    });
  }

  wake(): void {
    this.#wake?.();
  }

  close(): void {
    this.#client.destroy();
  }

  #lose(error: Error): void {
    this.#lost ??= error;
    this.#interrupt?.(this.#lost);
  }

  /** By hand and not with `Promise.race`, which would remember on the longer-lived promise every one that it was raced against. */
  #patiently<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`no answer within ${DEAD_MS} ms`));
      const timer = setTimeout(late, DEAD_MS);
      this.#interrupt = (error) => {
        clearTimeout(timer);
        reject(error);
      };
      const done = () => clearTimeout(timer);
      answer.then(resolve, reject).then(done, done);
    });
  }
}

function makeClient({ options, ca, createClient }: ConnectionParts): RedisClientType {
  const { host, port, tls, username, password, database } = options;
  return createClient({
    // When and how often a connection is made is decided in one place, and that is not the client.
    socket: { host, port, connectTimeout: DEAD_MS, reconnectStrategy: false, ...(tls ? { tls: true, ca } : {}) },
    username,
    password,
    database,
    name: 'portcullis',
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    // One timer for each command would cost more than all the rest; the store of limits has one for all.
    commandOptions: { timeout: undefined },
  }) as unknown as RedisClientType;
}
