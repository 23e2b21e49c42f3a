import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Files as they were just before something was made of them. */
export interface FilesRead {
  readonly files: readonly string[];
  readonly digest: string;
}

/** True when all of them are as they were. What cannot be known is not. */
export async function areAsRead(read: FilesRead | undefined): Promise<boolean> {
  return read !== undefined && (await digestFiles(read.files)) === read.digest;
}

/**
 * A name for what these files hold and who may read and change them. undefined: one of them is a pipe or a device, which a look would
 * empty or wait for.
 */
export async function digestFiles(files: readonly string[]): Promise<string | undefined> {
  const hash = createHash('sha256');
  for (const file of files) {
    const state = await stateOf(file);
    if (state === undefined) return undefined;
    hash.update(`${state.length}:`).update(state);
  }
  return hash.digest('hex');
}

/** A file that is not there, or cannot be read, is in a state too: it may come. */
async function stateOf(file: string): Promise<string | undefined> {
  try {
    const stats = await stat(file);
    if (stats.isDirectory()) return 'a folder';
    if (!stats.isFile()) return undefined;
    const hash = createHash('sha256');
    for await (const bytes of createReadStream(file)) hash.update(bytes as Buffer);
    return `${stats.mode}:${stats.uid}:${stats.gid}:${hash.digest('hex')}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}
