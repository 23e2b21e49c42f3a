import { mkdir, rmdir, stat } from 'node:fs/promises';

/** A process that was killed with the lock in its hands leaves it behind; what is done under it takes milliseconds. */
const STALE_MS = 10_000;

/**
 * Does something with a log file that only one process may do at a time. The lock is a directory beside the file.
 *
 * @returns what `action` says, or undefined when another process has the lock.
 */
export async function withLock<T>(path: string, action: () => Promise<T>): Promise<T | undefined> {
  const lock = `${path}.lock`;
  if (!(await takeLock(lock))) return undefined;
  try {
    return await action();
  } finally {
    await rmdir(lock).catch(() => {});
  }
}

async function takeLock(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const found = await stat(lock).catch(() => undefined);
  if (found !== undefined && Date.now() - found.mtimeMs > STALE_MS) await rmdir(lock).catch(() => {});
  return false;
}
