import { mkdir, rename, rm, rmdir, stat } from 'node:fs/promises';

/** When a log file is put aside, and how many old ones stay. */
export interface Rotation {
  readonly size: number;
  readonly keep: number;
}

/** A process that was killed while it rotated leaves its lock behind; a rotation takes milliseconds. */
const STALE_MS = 10_000;

/**
 * Renames `path` to `path.1`, `path.1` to `path.2` and so on. Safe when several processes find at the same moment that the
 * file is too large: a directory is the lock, and whoever comes second sees another inode under the name.
 *
 * @returns true when the file with this inode has been put aside, by us or by another process.
 */
export async function rotateFile(path: string, inode: number, rotation: Rotation): Promise<boolean> {
  const lock = `${path}.rotating`;
  if (!(await takeLock(lock))) return false;
  try {
    const found = await stat(path).catch(() => undefined);
    if (found?.ino === inode) await shift(path, rotation.keep);
    return true;
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

async function shift(path: string, keep: number): Promise<void> {
  let there = 0;
  while (there < keep && (await exists(`${path}.${there + 1}`))) there++;
  if (there === keep) await rm(`${path}.${keep}`);
  for (let n = Math.min(there, keep - 1); n >= 1; n--) await rename(`${path}.${n}`, `${path}.${n + 1}`);
  await rename(path, `${path}.1`);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
