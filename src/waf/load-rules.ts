import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import path from 'node:path';
import type { EffectiveWaf } from './effective.ts';
import { OPERATORS, UNSUPPORTED } from './engine/operators/index.ts';
import { compileRules } from './engine/program/compile.ts';
import type { Program } from './engine/program/program.ts';
import type { RuleProblem } from './engine/rule-set.ts';
import { readRules } from './engine/seclang/read-rules.ts';
import { TRANSFORMATIONS } from './engine/transformations/index.ts';
import { filesBesides, textOf } from './rule-files.ts';
import { MissingRules, type RuleSource, ruleSources } from './rule-sources.ts';

export type LoadedRules =
  | {
      readonly ok: true;
      readonly program: Program;
      readonly files: readonly string[];
      /** What means nothing here, and what counts for nothing: nothing is wrong, but somebody should know. */
      readonly notes: readonly RuleProblem[];
    }
  | {
      readonly ok: false;
      readonly problems: readonly RuleProblem[];
      /** What the configuration names and is not there: the one problem is the configuration's. */
      readonly missing?: string;
    };

/** Reads rules and makes a program of them. Whatever is wrong comes back as problems with their places; nothing is skipped. */
export function loadRules(waf: EffectiveWaf): LoadedRules {
  try {
    return loadSources(ruleSources(waf), waf);
  } catch (error) {
    if (!(error instanceof MissingRules)) throw error;
    const { file, message } = error;
    return { ok: false, problems: [{ file, line: 1, column: 1, message }], missing: file };
  }
}

function loadSources(sources: readonly RuleSource[], waf: EffectiveWaf): LoadedRules {
  const read = readRules(sources, {
    readFile: textOf,
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

/** Data files stand beside the rule file that names them; `#` begins a comment. */
function linesBeside(name: string, ruleFile: string): readonly string[] | undefined {
  const text = textOf(path.resolve(path.dirname(ruleFile), name));
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

/** What the configuration says about rules, as one text: as long as no file changes, the same text means the same rules. */
export function rulesWords(waf: EffectiveWaf): string {
  const { mode: _, deny: __, allow: ___, body: ____, data: _____, ...rest } = waf;
  return JSON.stringify(rest);
}

/** The same for rules that mean the same and whose files, data and included ones among them, say the same. Reads all of them. */
export function rulesKey(waf: EffectiveWaf): string {
  const hash = createHash('sha256').update(rulesWords(waf));
  const sources = ruleSources(waf);
  const besides = [...filesBesides(sources)].map(([file, text = '']) => ({ file, text }));
  for (const { file, text } of [...sources, ...besides]) hash.update(`\n${file}\n${text.length}\n`).update(text, 'latin1');
  return hash.digest('hex');
}
