import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { EffectiveWaf } from './effective.ts';
import { OPERATORS, UNSUPPORTED } from './engine/operators/index.ts';
import { compileRules } from './engine/program/compile.ts';
import type { Program } from './engine/program/program.ts';
import type { RuleProblem } from './engine/rule-set.ts';
import { readRules } from './engine/seclang/read-rules.ts';
import { TRANSFORMATIONS } from './engine/transformations/index.ts';
import { filesBesides } from './rule-files.ts';
import { MissingRules, type RuleSource, ruleSources } from './rule-sources.ts';

export type LoadedRules =
  | {
      readonly ok: true;
      readonly program: Program;
      readonly files: readonly string[];
      /** What means nothing here, and what counts for nothing: nothing is wrong, but somebody should know. */
      readonly notes: readonly RuleProblem[];
    }
  | { readonly ok: false; readonly problems: readonly RuleProblem[] };

/** Reads rules and makes a program of them. Whatever is wrong comes back as problems with their places; nothing is skipped. */
export function loadRules(waf: EffectiveWaf): LoadedRules {
  try {
    return loadSources(ruleSources(waf), waf);
  } catch (error) {
    if (!(error instanceof MissingRules)) throw error;
    return { ok: false, problems: [{ file: error.file, line: 1, column: 1, message: error.message }] };
  }
}

function loadSources(sources: readonly RuleSource[], waf: EffectiveWaf): LoadedRules {
  const read = readRules(sources, {
    readFile: (file) => readFile(file),
    list: (pattern, from) => globSync(path.resolve(path.dirname(from), pattern)).sort(),
    operators: namesOf(OPERATORS),
    unsupportedOperators: UNSUPPORTED,
    transformations: namesOf(TRANSFORMATIONS),
  });
  if (!read.ok) return read;
  const compiled = compileRules(read.rules, { readLines: linesBeside, pinned: pinned(waf) });
  if (!compiled.ok) return compiled;
  return { ok: true, program: compiled.program, files: read.rules.files, notes: read.notes };
}

const namesOf = (table: ReadonlyMap<string, { readonly name: string }>) =>
  new Map([...table].map(([key, { name }]) => [key, name] as const));

function readFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}

/** Data files stand beside the rule file that names them; `#` begins a comment. */
function linesBeside(name: string, ruleFile: string): readonly string[] | undefined {
  const text = readFile(path.resolve(path.dirname(ruleFile), name));
  return text?.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

/** What the configuration writes wins over rule files: they cannot change these variables. */
function pinned({ paranoia, threshold }: EffectiveWaf): ReadonlyMap<string, string> {
  const pins = new Map<string, string>();
  if (paranoia !== undefined)
    pins.set('blocking_paranoia_level', String(paranoia)).set('detection_paranoia_level', String(paranoia));
  if (threshold !== undefined) pins.set('inbound_anomaly_score_threshold', String(threshold));
  return pins;
}

/** The same for rules that mean the same and whose files, data and included ones among them, say the same. */
export function rulesKey(waf: EffectiveWaf): string {
  const { mode: _, deny: __, allow: ___, body: ____, data: _____, ...rest } = waf;
  const hash = createHash('sha256').update(JSON.stringify(rest));
  const sources = ruleSources(waf);
  const besides = [...filesBesides(sources)].map(([file, text = '']) => ({ file, text }));
  for (const { file, text } of [...sources, ...besides]) hash.update(`\n${file}\n${text.length}\n`).update(text, 'latin1');
  return hash.digest('hex');
}
