import { appendFile, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { withLock } from './file-lock.ts';

/** Longer than another process needs for one write. */
const SETTLE_MS = 30;

/**
 * Ends the half line that a killed process or a full disk left at the end of a file, so that the next line is not glued to
 * it. Several processes may open the file at the same moment, and one that is just writing looks the same: so only one of
 * them does this, and only when the end stays as it is for a while.
 */
export async function endTornLine(path: string): Promise<void> {
  try {
    for (let tries = 0; tries < 4 && (await tornEnd(path)) > 0; tries++) {
      const done = await withLock(path, () => endIfSettled(path));
      if (done === undefined) await delay(SETTLE_MS);
    }
  } catch {
    // A file that cannot be read, or a directory that cannot be written: the line may be glued, and writing goes on.
  }
}

async function endIfSettled(path: string): Promise<boolean> {
  const before = await tornEnd(path);
  await delay(SETTLE_MS);
  if (before > 0 && (await tornEnd(path)) === before) await appendFile(path, '\n');
  return true;
}

/** The size of the file when it does not end with a line feed, otherwise 0. */
async function tornEnd(path: string): Promise<number> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  if (size === 0) return 0;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 1 && buffer[0] === 0x0a ? 0 : size;
}
