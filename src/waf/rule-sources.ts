import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { EffectiveWaf } from './effective.ts';
import { RECOMMENDED, recommendedRules } from './recommended.ts';

/** One text of rules: a file, or what the configuration says. Byte strings. */
export interface RuleSource {
  readonly file: string;
  readonly text: string;
}

const BUILTIN = path.join(import.meta.dirname, '..', '..', 'rules', '*.conf');
const LARGEST_FILE = 16 * 1024 * 1024;

/** A file of rules that cannot be read, or a pattern that no file matches. */
export class MissingRules extends Error {
  readonly file: string;

  constructor(file: string, message: string) {
    super(message);
    this.file = file;
  }
}

/** All texts in the order in which they are read: what is implied, the files, the route's own rules, what is left out. */
export function ruleSources(waf: Pick<EffectiveWaf, 'rules' | 'extra' | 'exclude'>): RuleSource[] {
  const files = waf.rules.flatMap((one) => expand(one)).map((file) => ({ file, text: readRuleFile(file) }));
  const extra = waf.extra.map((text, i) => ({ file: `waf.extra[${i}]`, text: Buffer.from(text, 'utf8').toString('latin1') }));
  const own = [...files, ...extra];
  const implied = { file: RECOMMENDED, text: recommendedRules(own.map(({ text }) => text)) };
  return [implied, ...own, { file: 'waf.exclude', text: exclusions(waf.exclude) }];
}

function expand(rules: string): string[] {
  const pattern = rules === 'builtin' ? BUILTIN : rules;
  if (!pattern.includes('*')) return [pattern];
  const files = globSync(pattern).sort();
  if (files.length === 0) throw new MissingRules(rules, `no file matches ${rules}`);
  return files;
}

function readRuleFile(file: string): string {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > LARGEST_FILE) throw new MissingRules(file, `${file} is larger than 16 MiB`);
    return bytes.toString('latin1');
  } catch (error) {
    if (error instanceof MissingRules) throw error;
    throw new MissingRules(file, `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

/** What is left out, in the words of the language: one meaning for both ways of saying it. */
function exclusions(exclude: EffectiveWaf['exclude']): string {
  return exclude
    .map(({ id, tag, target }) => exclusion(id === undefined ? ['Tag', tag ?? ''] : ['Id', String(id)], target))
    .join('');
}

function exclusion([by, what]: [by: string, what: string], target: string | undefined): string {
  return target === undefined ? `SecRuleRemoveBy${by} "${what}"\n` : `SecRuleUpdateTargetBy${by} "${what}" "!${target}"\n`;
}
