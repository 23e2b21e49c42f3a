import { rename, rm, stat } from 'node:fs/promises';
import { withLock } from './file-lock.ts';

/** When a log file is put aside, and how many old ones stay. */
export interface Rotation {
  readonly size: number;
  readonly keep: number;
}

/**
 * Renames `path` to `path.1`, `path.1` to `path.2` and so on. Safe when several processes find at the same moment that the
 * file is too large: whoever comes second sees another inode under the name.
 *
 * @returns true when the file with this inode has been put aside, by us or by another process; false when another one is at it.
 */
export async function rotateFile(path: string, inode: number, rotation: Rotation): Promise<boolean> {
  const done = await withLock(path, async () => {
    const found = await stat(path).catch(() => undefined);
    if (found?.ino === inode) await shift(path, rotation.keep);
    return true;
  });
  return done ?? false;
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
