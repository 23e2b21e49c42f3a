import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface FileWatch {
  close(): void;
}

export interface WatchSettings {
  /** Milliseconds between a sign of change and the look at the files: certificate and key are seldom written at once. */
  readonly settle?: number;
  /** Milliseconds between looks without any sign: for file systems that give none, and targets of symbolic links. */
  readonly poll?: number;
}

/**
 * Calls `onChange` after any of the files became another one or got other content: written in place, replaced by rename,
 * or reached through a symbolic link that was turned (the `..data` of a Kubernetes volume, certbot's `live`). Also once
 * in the beginning: a change between the caller's own reading and the first look would be lost otherwise.
 *
 * Directories are watched, not files: a watch on a file follows the old inode out of sight. What the system tells is
 * only a hint to look; what counts is what `stat` says.
 */
export function watchFiles(paths: readonly string[], onChange: () => void, settings: WatchSettings = {}): FileWatch {
  const watcher = new Watcher([...new Set(paths)], onChange, settings.settle ?? 200);
  watcher.start(settings.poll ?? 10_000);
  return watcher;
}

class Watcher implements FileWatch {
  readonly #paths: readonly string[];
  readonly #onChange: () => void;
  readonly #settle: number;
  readonly #directories = new Map<string, { watcher: FSWatcher; inode: bigint }>();
  #seen: string | undefined;
  #poll: NodeJS.Timeout | undefined;
  #settling: NodeJS.Timeout | undefined;
  #looking = false;
  #lookAgain = false;
  #closed = false;

  constructor(paths: readonly string[], onChange: () => void, settle: number) {
    this.#paths = paths;
    this.#onChange = onChange;
    this.#settle = settle;
  }

  start(poll: number): void {
    this.#poll = setInterval(() => this.#look(), poll).unref();
    this.#look();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#poll);
    clearTimeout(this.#settling);
    for (const path of this.#directories.keys()) this.#unwatch(path);
  }

  /** The first hint starts the clock and later ones do not move it: files that never rest must not be looked at never. */
  readonly #hint = (): void => {
    if (this.#closed) return;
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      this.#look();
    }, this.#settle).unref();
  };

  #look(): void {
    this.#lookAgain = this.#looking;
    if (this.#looking || this.#closed) return;
    this.#looking = true;
    void this.#compare().finally(() => {
      this.#looking = false;
      if (this.#lookAgain) this.#look();
    });
  }

  async #compare(): Promise<void> {
    await Promise.all([...new Set(this.#paths.map((path) => dirname(path)))].map((path) => this.#watchDirectory(path)));
    const now = (await Promise.all(this.#paths.map(signature))).join(' ');
    if (this.#closed || now === this.#seen) return;
    this.#seen = now;
    this.#onChange();
  }

  /** Watches the directory that is there now; one that was deleted or replaced has another inode, or none. */
  async #watchDirectory(path: string): Promise<void> {
    const inode = await stat(path, { bigint: true }).then(
      (stats) => stats.ino,
      () => undefined,
    );
    if (this.#closed || this.#directories.get(path)?.inode === inode) return;
    this.#unwatch(path);
    if (inode !== undefined) this.#openWatch(path, inode);
  }

  #openWatch(path: string, inode: bigint): void {
    try {
      const watcher = watch(path, { persistent: false }, this.#hint);
      // Out of inotify watches, for example: polling remains.
      watcher.on('error', () => this.#unwatch(path));
      this.#directories.set(path, { watcher, inode });
    } catch {
      this.#directories.delete(path);
    }
  }

  #unwatch(path: string): void {
    this.#directories.get(path)?.watcher.close();
    this.#directories.delete(path);
  }
}

/** Another inode, size or time of change means another content; `ctime` cannot be set back, `mtime` can. */
async function signature(path: string): Promise<string> {
  try {
    const { dev, ino, size, ctimeNs, mtimeNs } = await stat(path, { bigint: true });
    return `${dev}:${ino}:${size}:${ctimeNs}:${mtimeNs}`;
  } catch {
    return 'absent';
  }
}
