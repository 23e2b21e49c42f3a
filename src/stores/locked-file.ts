import { randomBytes } from 'node:crypto';
import { chmod, chown, open, readFile, realpath, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** What is done under a lock takes milliseconds; many programs may stand in line. */
const PATIENCE_MS = 15_000;

/** Why a file could not be changed, in words for people. */
export class LockedFileError extends Error {
  override readonly name = 'LockedFileError';
}

/**
 * Puts a text in the place of a file in one step: readers see all of the old or all of the new one, also after a crash. A new file is for
 * its owner alone; one that was there keeps its owner and group, and what the group may do, so that a gateway under another account can
 * still read what an administrator has changed. A symbolic link stays one.
 *
 * @returns false when the file has another owner now, because this account may not give it back.
 */
export async function replaceFile(path: string, text: string): Promise<boolean> {
  const target = await realpath(path).catch(() => path);
  const old = await stat(target).catch(() => undefined);
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  let kept = true;
  try {
    await writeSynced(temporary, text);
    if (old !== undefined) kept = await takeAfter(temporary, old);
    await rename(temporary, target);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(target));
  return kept;
}

/** Who is neither root nor the owner can give a file to no other owner, but to a group that he is in. */
async function takeAfter(temporary: string, old: { uid: number; gid: number; mode: number }): Promise<boolean> {
  const { uid, gid } = await stat(temporary);
  const owner = uid === old.uid && gid === old.gid ? true : await tryChown(temporary, old.uid, old.gid);
  const group = owner || gid === old.gid || (await tryChown(temporary, uid, old.gid));
  // What the old group may do is not for another one.
  await chmod(temporary, group ? 0o600 | (old.mode & 0o060) : 0o600);
  return owner || uid === old.uid;
}

async function tryChown(path: string, uid: number, gid: number): Promise<boolean> {
  return await chown(path, uid, gid).then(
    () => true,
    () => false,
  );
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes a new name in the folder last; some systems cannot open folders. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

/**
 * Writes a file that must not be there yet, for its owner alone.
 *
 * @returns false when there is one already.
 */
export async function createFile(path: string, text: string): Promise<boolean> {
  try {
    await writeSynced(path, text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

/**
 * Does something with a file that only one program may do at a time, on any number of them. The lock is a file beside it that says who
 * holds it; the lock of a program that died on this machine is broken.
 */
export async function withFileLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  const target = await realpath(path).catch(() => path);
  const lock = `${target}.lock`;
  const own = `${process.pid} ${hostname()} ${randomBytes(6).toString('hex')}\n`;
  const end = performance.now() + PATIENCE_MS;
  while (!(await take(lock, own))) {
    if (performance.now() > end) throw new LockedFileError(await lockedMessage(lock));
    if (!(await breakStale(lock))) await wait(5 + Math.random() * 20);
  }
  try {
    return await action();
  } finally {
    // Somebody may have taken it away by hand and another may hold it now.
    if ((await readLock(lock)) === own) await unlink(lock).catch(() => undefined);
  }
}

async function take(lock: string, own: string): Promise<boolean> {
  try {
    await writeFile(lock, own, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

const readLock = (lock: string) => readFile(lock, 'utf8').catch(() => undefined);

/**
 * Takes away the lock of a program that is no more. Two that find it at the same moment must not take away each other's new one, so that
 * only who holds a second lock may do it, and only after another look.
 */
async function breakStale(lock: string): Promise<boolean> {
  if (!isStale(await readLock(lock))) return false;
  const second = `${lock}.break`;
  if (!(await take(second, `${process.pid}\n`))) return false;
  try {
    if (!isStale(await readLock(lock))) return false;
    await unlink(lock);
    return true;
  } finally {
    await unlink(second).catch(() => undefined);
  }
}

/** Numbers of processes mean something only on the machine, or in the container, that gave them. */
function isStale(holder: string | undefined): boolean {
  const match = /^(\d{1,10}) (\S+) \w+\n$/.exec(holder ?? '');
  return match !== null && match[2] === hostname() && !isAlive(Number(match[1]));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

async function lockedMessage(lock: string): Promise<string> {
  const [pid, host] = ((await readLock(lock)) ?? '').trim().split(' ');
  const who = host === undefined ? 'another program' : `process ${pid} on ${host}`;
  return `${who} holds the lock ${lock}: wait for it to end, or take the file away when it is certain that nobody is at work`;
}
