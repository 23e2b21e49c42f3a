import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { RuleSource } from './rule-sources.ts';

/** More cannot be meant; a file that includes itself ends here. */
const MOST_FILES = 4000;

const DATA_FILE = /^(?![ \t]*#).*@(?:pmFromFile|pmf|ipMatchFromFile|ipMatchF)[ \t]+([^"\n\r\\]+)/gim;
const INCLUDE = /^[ \t]*Include(?:Optional)?[ \t]+["']?([^"'\n\r]+)/gim;

/**
 * Every file that these texts are read with: what they include, and the data beside them; also what is not there (yet). Found by looking
 * for the words, which is quick and may find more than is meant.
 */
export function filesBesides(sources: readonly RuleSource[]): ReadonlyMap<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  for (const source of sources) look(source, found);
  return found;
}

function look({ file, text }: RuleSource, found: Map<string, string | undefined>): void {
  for (const [, names] of text.matchAll(DATA_FILE)) {
    for (const name of names.trim().split(/\s+/)) add(path.resolve(path.dirname(file), name), found);
  }
  for (const [, pattern] of text.matchAll(INCLUDE)) {
    for (const one of included(path.resolve(path.dirname(file), pattern.trim()))) {
      if (found.has(one) || found.size >= MOST_FILES) continue;
      const included = add(one, found);
      if (included !== undefined) look({ file: one, text: included }, found);
    }
  }
}

const included = (pattern: string) => (/[*?[]/.test(pattern) ? globSync(pattern).sort() : [pattern]);

function add(file: string, found: Map<string, string | undefined>): string | undefined {
  if (!found.has(file)) found.set(file, textOf(file));
  return found.get(file);
}

/** The bytes of a file, one character each; undefined: it cannot be read. */
export function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}
