import { digestFiles } from './files-read.ts';
import { type LoadResult, loadConfiguration } from './load.ts';
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
    const result = await withOtherFiles(await loadConfiguration(file, environment));
    if (digest === undefined) return result;
    if (sameFiles(secrets, result.secrets.files)) return { ...result, read: { files, digest } };
    if (look === LOOKS) return result;
    secrets = result.secrets.files;
  }
}

/** The readers of documents and of rules come in only where there are some. */
async function withOtherFiles(result: LoadResult): Promise<LoadedConfiguration> {
  if (!result.ok) return result;
  const { options } = result;
  const others: string[] = [];
  if (options.routes.some(({ validate }) => validate?.openapi !== undefined)) {
    const { contractFiles } = await import('./contract-files.ts');
    others.push(...contractFiles(options));
  }
  if (options.waf !== undefined || options.routes.some(({ waf }) => waf !== undefined)) {
    const { ruleFiles } = await import('./rule-files.ts');
    others.push(...ruleFiles(options));
  }
  return others.length === 0 ? result : { ...result, contracts: others };
}

const sameFiles = (a: readonly string[], b: readonly string[]) => a.toSorted().join('\0') === b.toSorted().join('\0');
