import type { AddressInfo } from 'node:net';
import type { FilesRead } from '../config/files-read.ts';
import { loadApart } from '../config/load-apart.ts';
import type { GatewayOptions } from '../config/schema.ts';
import { type FileWatch, watchFiles } from '../stores/watch-files.ts';
import { WatchedContracts } from './watched-contracts.ts';
import { type EventSink, type MetricsSnapshot, mergeSnapshots, render } from '../observe/stage.ts';
import type { ProcessStatus, ReloadStatus, Status } from '../observe/status.ts';
import type { Log } from '../pipeline/stage.ts';
import { AdminDoor } from './admin-door.ts';
import { surviveDefects } from './defects.ts';
import { readyLine } from './ready-line.ts';
import { Reloader } from './reloader.ts';
import type { SecretCare } from './secret-care.ts';
import { onSignals } from './signals.ts';
import { statusOf } from './status.ts';

export interface ServeParts {
  /** Path of the configuration, for reloads. */
  readonly file: string;
  readonly options: GatewayOptions;
  readonly log: Log;
  /** Gets what is told to the log and is a security event too. */
  readonly events: EventSink;
  readonly secrets: SecretCare;
  /** Files besides the configuration whose change is one of it: where its secrets come from. */
  readonly files: readonly string[];
  /** What the options were made of. */
  readonly read?: FilesRead | undefined;
  /** Files of the contracts and rules that routes name. */
  readonly contracts?: readonly string[] | undefined;
  /** Takes the ready line. */
  print(line: string): void;
}

/** What serves: a gateway in this process, or a crew of workers. */
export interface House {
  /** Tells where the listeners are. Rejects when it cannot serve. */
  start(): Promise<Record<string, AddressInfo>>;
  /** Rejects, with all as it was, when it cannot take these over. */
  reload(options: GatewayOptions): Promise<void>;
  /** Lets running requests end, then all is closed; also from the middle of a start or a reload. */
  drain(): Promise<void>;
  /** Ends at once all that is apart from this process. */
  abandon(): void;
  /** Why it is not ready; nothing: it is. */
  reasons(): string[];
  metrics(): MetricsSnapshot[] | Promise<MetricsSnapshot[]>;
  /** The states of those that answer. */
  status(): ProcessStatus[] | Promise<ProcessStatus[]>;
  workers(): Status['workers'];
  reopenLogs(): void;
}

/** Serves until it is told to stop. Rejects, with everything closed, when it cannot start. */
export async function serve(parts: ServeParts, house: House): Promise<void> {
  const { file, log } = parts;
  surviveDefects(log);
  const admin = adminOf(parts, house, () => reloader.past);
  const watch = new WatchedFiles(file, () => void reloader.fileChanged());
  const contracts = new WatchedContracts(() => void reloader.reload());
  const reloader = new Reloader(
    file,
    log,
    parts,
    (next) => swap(house, admin, next),
    async (path) => {
      const result = await loadApart(path, parts.secrets.environment);
      parts.secrets.take(result.secrets);
      watch.follow(result.secrets.files);
      if (result.ok) await contracts.follow(result.contracts ?? []);
      return result;
    },
  );
  const stopped = new Promise<void>((stop) => {
    const hurry = () => {
      house.abandon();
      process.exit(1);
    };
    onSignals({ stop, hurry, reload: () => void reloader.reload(), reopenLogs: () => house.reopenLogs() });
  });
  try {
    await contracts.follow(parts.contracts ?? []);
    await Promise.race([open(parts, house, admin), stopped]);
    watch.follow(parts.files);
    void reloader.begin();
    await stopped;
  } finally {
    watch.close();
    contracts.close();
    reloader.stop();
    const patience = setTimeout(
      () => log.info('waiting for requests and streams that are under way; Ctrl-C again ends them'),
      1000,
    );
    await house.drain();
    clearTimeout(patience);
    await admin.close();
  }
}

/** Watches the configuration, and the files that its secrets came from at last. */
class WatchedFiles {
  readonly #file: string;
  readonly #onChange: () => void;
  #watch: FileWatch | undefined;
  #following: string | undefined;
  #closed = false;

  constructor(file: string, onChange: () => void) {
    this.#file = file;
    this.#onChange = onChange;
  }

  follow(others: readonly string[]): void {
    const following = others.toSorted().join('\0');
    if (this.#closed || following === this.#following) return;
    this.#following = following;
    this.#watch?.close();
    this.#watch = watchFiles([this.#file, ...others], this.#onChange);
  }

  close(): void {
    this.#closed = true;
    this.#watch?.close();
  }
}

function adminOf({ log, secrets }: ServeParts, house: House, reloads: () => readonly ReloadStatus[]): AdminDoor {
  return new AdminDoor({
    health: () => ({ ready: house.reasons().length === 0, reasons: house.reasons() }),
    metrics: async () => render(mergeSnapshots(await house.metrics())),
    status: () => statusOf(house, reloads(), secrets),
    log,
  });
}

async function open(parts: ServeParts, house: House, admin: AdminDoor): Promise<void> {
  const addresses = await house.start();
  const change = await admin.prepare(parts.options.admin);
  await change.commit();
  parts.print(readyLine(parts.options, addresses, admin.url));
}

/** Both or none: the admin listener is there before the rest changes. */
async function swap(house: House, admin: AdminDoor, next: GatewayOptions): Promise<void> {
  const change = await admin.prepare(next.admin);
  try {
    await house.reload(next);
  } catch (error) {
    await change.undo();
    throw error;
  }
  await change.commit();
}
