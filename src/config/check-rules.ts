import path from 'node:path';
import type { RuleProblem } from '../waf/engine/rule-set.ts';
import { effectiveWaf } from '../waf/effective.ts';
import { loadRules, rulesWords } from '../waf/load-rules.ts';
import type { Problem } from './problem.ts';
import type { GatewayOptions } from './schema.ts';
import type { Path } from './schema-tree.ts';
import { placeOfValue, type Source } from './source.ts';

export interface RuleFindings {
  /** A gateway would not start with these. */
  readonly errors: readonly Problem[];
  /** It would; but something means nothing, or not what it looks like. */
  readonly warnings: readonly Problem[];
}

/** Reads the rules of all routes; what is wrong with them stands where it is in their files, or in the configuration. */
export function checkRules(options: GatewayOptions, source: Source): RuleFindings {
  const [errors, warnings] = [new Map<string, Problem>(), new Map<string, Problem>()];
  const seen = new Set<string>();
  for (const [index, route] of options.routes.entries()) {
    const waf = effectiveWaf(options.waf, route.waf);
    if (waf === undefined) continue;
    const words = rulesWords(waf);
    if (seen.has(words)) continue;
    seen.add(words);
    const loaded = loadRules(waf);
    if (!loaded.ok && loaded.missing !== undefined) {
      const [{ message }] = loaded.problems;
      keep(errors, { ...placeIn(source, ['waf', 'rules', waf.rules.indexOf(loaded.missing)]), message });
      continue;
    }
    const [found, into] = loaded.ok ? [loaded.notes, warnings] : [loaded.problems, errors];
    for (const problem of found) keep(into, placed(problem, options, index, source));
  }
  return { errors: [...errors.values()], warnings: [...warnings.values()] };
}

/** A problem that several routes have is one. */
function keep(problems: Map<string, Problem>, problem: Problem): void {
  problems.set(`${problem.file}:${problem.line}:${problem.column}:${problem.message}`, problem);
}

/** Rule files are named as the user would find them; what the configuration says itself is shown where it says so. */
function placed(problem: RuleProblem, options: GatewayOptions, route: number, source: Source): Problem {
  const at = wordOf(problem, options, route);
  if (at === undefined) return { ...problem, file: shown(problem.file) };
  const { message, hint } = problem;
  const inside = at.includes('extra') ? ` (line ${problem.line}, column ${problem.column} of the text)` : '';
  return { ...placeIn(source, at), message: message + inside, hint };
}

function placeIn(source: Source, at: Path): Pick<Problem, 'file' | 'line' | 'column'> {
  const { line, col } = source.lines.linePos(placeOfValue(source, at).offset);
  return { file: source.file, line: Math.max(1, line), column: Math.max(1, col) };
}

/** Where the configuration has an extra rule or an exclusion; undefined: it stands in a file of rules. */
function wordOf({ file, line }: RuleProblem, { waf }: GatewayOptions, route: number): Path | undefined {
  const extra = /^waf\.extra\[(\d+)\]$/.exec(file);
  if (extra !== null) return itemOf('extra', Number(extra[1]), waf?.extra.length ?? 0, route);
  return file === 'waf.exclude' ? itemOf('exclude', line - 1, waf?.exclude.length ?? 0, route) : undefined;
}

/** The section's items stand before the route's. */
function itemOf(key: 'extra' | 'exclude', index: number, ofSection: number, route: number): Path {
  return index < ofSection ? ['waf', key, index] : ['routes', route, 'waf', key, index - ofSection];
}

function shown(rules: string): string {
  if (!path.isAbsolute(rules)) return rules;
  const relative = path.relative(process.cwd(), rules);
  return relative.startsWith('..') ? rules : relative;
}
