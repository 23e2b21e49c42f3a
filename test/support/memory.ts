import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** Resident memory of a process in MiB. */
export async function residentMegabytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

/** The most memory that the process has while `work` runs, in MiB above what it had before. */
export async function growthWhile(pid: number | undefined, work: () => Promise<unknown>): Promise<number> {
  const before = await residentMegabytes(pid);
  let most = before;
  let over = false;
  const done = work().finally(() => (over = true));
  while (!over) {
    most = Math.max(most, await residentMegabytes(pid));
    await wait(20, undefined, { ref: false });
  }
  await done;
  return most - before;
}
