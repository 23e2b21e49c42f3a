import { hashOptions } from '../config/hash.ts';
import { loadConfiguration } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import type { GatewayOptions } from '../config/schema.ts';
import type { Log } from '../pipeline/stage.ts';

/**
 * Reads the configuration again and has it swapped in: one at a time, and once more when it was asked for meanwhile. A file that is
 * wrong changes nothing, and the log says everything that is wrong with it.
 */
export class Reloader {
  readonly #file: string;
  readonly #log: Log;
  readonly #swap: (options: GatewayOptions) => Promise<void>;
  #running = false;
  #again = false;
  #asked = false;
  #serving: string;

  /** @param serving - what serves already: a file that still says the same is not swapped in */
  constructor(file: string, log: Log, serving: GatewayOptions, swap: (options: GatewayOptions) => Promise<void>) {
    this.#file = file;
    this.#log = log;
    this.#serving = hashOptions(serving);
    this.#swap = swap;
  }

  /** An operator asks for it: files that the configuration names are read again even when it says the same as before. */
  reload(): void {
    this.#asked = true;
    this.fileChanged();
  }

  fileChanged(): void {
    this.#again = true;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#again) {
      this.#again = false;
      await this.#once();
    }
    this.#running = false;
  }

  async #once(): Promise<void> {
    const result = await loadConfiguration(this.#file);
    if (!result.ok) {
      this.#log.error('the configuration is not changed: the file has problems', {
        problems: result.problems.map((problem) => formatProblem(problem, false)),
      });
      return;
    }
    const hash = hashOptions(result.options);
    if (hash === this.#serving && !this.#asked) return;
    this.#asked = false;
    try {
      await this.#swap(result.options);
      this.#serving = hash;
      this.#log.info('the configuration has been reloaded', { file: this.#file });
    } catch (error) {
      this.#log.error('the configuration is not changed', { reason: (error as Error).message });
    }
  }
}
