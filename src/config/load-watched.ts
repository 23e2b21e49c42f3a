import { digestFiles } from './files-read.ts';
import { loadConfiguration } from './load.ts';
import type { LoadedConfiguration } from './load-apart.ts';
import type { Environment } from './references.ts';

/** Only the file says where its secrets are, and a secret's file may come or go while we look. */
const LOOKS = 3;

/**
 * Loads a configuration, and says of which files and of what in them it was made. The look at the files comes before they are read: what
 * changes in between shows as a change later, never as none.
 */
export async function loadWatched(file: string, environment: Environment): Promise<LoadedConfiguration> {
  let secrets: readonly string[] = [];
  for (let look = 1; ; look++) {
    const files = [file, ...secrets];
    const digest = await digestFiles(files);
    const result = await loadConfiguration(file, environment);
    if (digest === undefined) return result;
    if (sameFiles(secrets, result.secrets.files)) return { ...result, read: { files, digest } };
    if (look === LOOKS) return result;
    secrets = result.secrets.files;
  }
}

const sameFiles = (a: readonly string[], b: readonly string[]) => a.toSorted().join('\0') === b.toSorted().join('\0');
