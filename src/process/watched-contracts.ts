import { digestFiles } from '../config/files-read.ts';
import { type FileWatch, watchFiles } from '../stores/watch-files.ts';

/**
 * The files of the contracts and rules that routes name, those that they refer to among them: when the content of one changes, the
 * configuration is to be taken over again although it says the same.
 */
export class WatchedContracts {
  readonly #onChange: () => void;
  #files: readonly string[] = [];
  #digest: string | undefined;
  #watch: FileWatch | undefined;
  #closed = false;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Called before contracts are made of the files: what changes from here on is news. */
  async follow(files: readonly string[]): Promise<void> {
    const following = this.#files.join('\0');
    this.#files = files.toSorted();
    this.#digest = await digestFiles(this.#files);
    if (this.#closed || this.#files.join('\0') === following) return;
    this.#watch?.close();
    this.#watch = files.length === 0 ? undefined : watchFiles(this.#files, () => void this.#look());
  }

  close(): void {
    this.#closed = true;
    this.#watch?.close();
  }

  async #look(): Promise<void> {
    const before = this.#digest;
    const now = await digestFiles(this.#files);
    // Another one may have looked, or the configuration have changed, meanwhile.
    if (this.#closed || now === before || before !== this.#digest) return;
    this.#digest = now;
    this.#onChange();
  }
}
