import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Like a recursive `mkdir` of Node, which tries for ever where the system says that there is no such thing below a folder that is there (/proc). */
export async function makeFolder(folder: string, mode: number): Promise<void> {
  if (await makeOne(folder, mode)) return;
  const parent = dirname(folder);
  if (parent !== folder) await makeFolder(parent, mode);
  if (!(await makeOne(folder, mode))) throw Object.assign(new Error(`ENOENT: ${folder} cannot be made`), { code: 'ENOENT' });
}

/** False when what it would stand in is missing. */
async function makeOne(folder: string, mode: number): Promise<boolean> {
  try {
    await mkdir(folder, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    if (code !== 'EEXIST') throw error;
  }
  return true;
}
