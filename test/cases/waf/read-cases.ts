import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** One text of the corpus, and the places of a request in which it may stand. */
export interface Sample {
  readonly file: string;
  readonly line: number;
  readonly class: string;
  readonly text: string;
  readonly places: readonly string[];
  /** `held` was not looked at while rules were written. Decided by the text alone, so that all requests with it are in one half. */
  readonly half: 'seen' | 'held';
}

/** Control characters are written as their pictures. */
const PICTURES: Readonly<Record<string, string>> = { '␀': '\0', '␉': '\t', '␊': '\n', '␍': '\r' };

/** `doubtful`: meant honestly, and yet an attack by its letters; refused or not, neither is wrong. */
export type Folder = 'attacks' | 'benign' | 'doubtful';

/** All samples of a folder, in the order of its files. Lines: `@@ in PLACE…`, `@@ class NAME`, and texts. */
export function readSamples(folder: Folder): Sample[] {
  const directory = path.join(import.meta.dirname, folder);
  return readdirSync(directory)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .flatMap((name) => samplesOf(name.slice(0, -4), readFileSync(path.join(directory, name), 'utf8')));
}

function samplesOf(file: string, text: string): Sample[] {
  const samples: Sample[] = [];
  let places: readonly string[] = [];
  let name = file;
  for (const [index, written] of text.split('\n').entries()) {
    const directive = /^@@ (in|class) (.+)$/.exec(written);
    if (directive?.[1] === 'in') places = directive[2].split(' ');
    else if (directive !== null) name = directive[2];
    else if (written !== '') samples.push(sample(file, index + 1, name, places, written));
  }
  return samples;
}

function sample(file: string, line: number, name: string, places: readonly string[], written: string): Sample {
  const text = written.replace(/[␀␉␊␍]/g, (picture) => PICTURES[picture]);
  return { file, line, class: name, text, places, half: hashOf(text) % 2 === 0 ? 'seen' : 'held' };
}

/** A number that is the same on every machine. */
export function hashOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0);
}
