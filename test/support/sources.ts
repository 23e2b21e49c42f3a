import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The repository's root. */
export const ROOT = path.resolve(import.meta.dirname, '../..');

export interface SourceFile {
  /** Path from the root, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** All TypeScript files under this folder of the repository, tests included. */
export function readSources(folder: string): SourceFile[] {
  return globSync(`${folder}/**/*.ts`, { cwd: ROOT })
    .map((file) => file.split(path.sep).join('/'))
    .filter((file) => !file.includes('node_modules/'))
    .sort()
    .map((file) => ({ path: file, text: readFileSync(path.join(ROOT, file), 'utf8') }));
}

/** Paths of the files under version control that are there; undefined where this is no checkout. */
export function trackedFiles(): string[] | undefined {
  if (!existsSync(path.join(ROOT, '.git'))) return undefined;
  const list = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' });
  return list.split('\0').filter((file) => file !== '' && existsSync(path.join(ROOT, file)));
}

/** Reads a file of the repository. */
export function readText(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}
