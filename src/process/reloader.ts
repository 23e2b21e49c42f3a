import { hashOptions } from '../config/hash.ts';
import { areAsRead, type FilesRead } from '../config/files-read.ts';
import type { LoadedConfiguration } from '../config/load-apart.ts';
import { problemLine } from '../config/problem.ts';
import type { GatewayOptions } from '../config/schema.ts';
import type { ReloadStatus } from '../observe/status.ts';
import type { Log } from '../pipeline/stage.ts';

/** Attempts that the status page can show. */
const REMEMBERED = 10;
const LONGEST_REASON = 2000;

/**
 * Reads the configuration again and has it swapped in: one at a time, and once more when it was asked for meanwhile. A file that is
 * wrong changes nothing, and the log says everything that is wrong with it.
 */
export class Reloader {
  readonly #file: string;
  readonly #log: Log;
  readonly #swap: (options: GatewayOptions) => Promise<void>;
  readonly #load: (file: string) => Promise<LoadedConfiguration>;
  #begun = false;
  #running: Promise<void> | undefined;
  #again = false;
  #asked = false;
  #serving: string;
  /** What it was made of; unknown after anything else was tried. */
  #read: FilesRead | undefined;
  #past: readonly ReloadStatus[] = [];

  /** @param serving - what serves already, and of what it was made: a file that still says the same is not swapped in */
  constructor(
    file: string,
    log: Log,
    serving: { readonly options: GatewayOptions; readonly read?: FilesRead | undefined },
    swap: (options: GatewayOptions) => Promise<void>,
    load: (file: string) => Promise<LoadedConfiguration>,
  ) {
    this.#file = file;
    this.#log = log;
    this.#serving = hashOptions(serving.options);
    this.#read = serving.read;
    this.#swap = swap;
    this.#load = load;
  }

  /** An operator asks for it: files that the configuration names are read again even when it says the same as before. */
  reload(): Promise<void> {
    this.#asked = true;
    return this.fileChanged();
  }

  /** Resolves when nothing is left to do; never rejects. */
  async fileChanged(): Promise<void> {
    this.#again = true;
    if (this.#begun) await (this.#running ??= this.#run());
  }

  /** From here on it does what it is asked, and what it was asked before. */
  async begin(): Promise<void> {
    this.#begun = true;
    if (this.#again) await this.fileChanged();
  }

  stop(): void {
    this.#begun = false;
  }

  /** What came of the last attempts, the newest first. */
  get past(): readonly ReloadStatus[] {
    return this.#past;
  }

  #note(reason?: string): void {
    const short = reason !== undefined && reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason;
    this.#past = [{ time: Date.now(), ok: reason === undefined, reason: short }, ...this.#past].slice(0, REMEMBERED);
  }

  async #run(): Promise<void> {
    while (this.#again && this.#begun) {
      this.#again = false;
      try {
        await this.#once();
      } catch (error) {
        this.#tell(error);
      }
    }
    this.#running = undefined;
  }

  /** That nothing changes while all of it ends is no news. */
  #tell(error: unknown): void {
    if (!this.#begun) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#log.error('the configuration is not changed', { event: 'configuration-refused', reason });
    this.#note(reason);
  }

  async #once(): Promise<void> {
    // Files are looked at more often than they change, and a load is a process.
    if (!this.#asked && (await areAsRead(this.#read))) return;
    this.#read = undefined;
    const result = await this.#load(this.#file);
    if (!result.ok) {
      const problems = result.problems.map(problemLine);
      this.#log.error('the configuration is not changed: the file has problems', { event: 'configuration-refused', problems });
      this.#note(problems.join('\n'));
      return;
    }
    const hash = hashOptions(result.options);
    if (hash === this.#serving && !this.#asked) {
      this.#read = result.read;
      return;
    }
    this.#asked = false;
    await this.#swap(result.options);
    this.#serving = hash;
    this.#read = result.read;
    this.#log.info('the configuration has been reloaded', { event: 'configuration-reloaded', file: this.#file });
    this.#note();
  }
}
