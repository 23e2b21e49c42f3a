import path from 'node:path';
import { effectiveWaf } from '../waf/effective.ts';
import { loadRules, rulesKey } from '../waf/load-rules.ts';
import { MissingRules } from '../waf/rule-sources.ts';
import type { Problem } from './problem.ts';
import type { GatewayOptions } from './schema.ts';

export interface RuleFindings {
  /** A gateway would not start with these. */
  readonly errors: readonly Problem[];
  /** It would; but something means nothing, or not what it looks like. */
  readonly warnings: readonly Problem[];
}

/** Reads the rules of all routes; what is wrong with them stands where it is in their files. */
export function checkRules(options: GatewayOptions, file: string): RuleFindings {
  const [errors, warnings] = [new Map<string, Problem>(), new Map<string, Problem>()];
  const seen = new Set<string>();
  for (const route of options.routes) {
    const waf = effectiveWaf(options.waf, route.waf);
    if (waf === undefined) continue;
    try {
      const key = rulesKey(waf);
      if (seen.has(key)) continue;
      seen.add(key);
    } catch (error) {
      if (!(error instanceof MissingRules)) throw error;
    }
    const loaded = loadRules(waf);
    const [found, into] = loaded.ok ? [loaded.notes, warnings] : [loaded.problems, errors];
    for (const problem of found) keep(into, { ...problem, file: shown(problem.file, file) });
  }
  return { errors: [...errors.values()], warnings: [...warnings.values()] };
}

/** A problem that several routes have is one. */
function keep(problems: Map<string, Problem>, problem: Problem): void {
  problems.set(`${problem.file}:${problem.line}:${problem.column}:${problem.message}`, problem);
}

/** Rule files are named as the user would find them; what the configuration itself says, by the configuration. */
function shown(rules: string, configuration: string): string {
  if (!path.isAbsolute(rules)) return `${configuration} (${rules})`;
  const relative = path.relative(process.cwd(), rules);
  return relative.startsWith('..') ? rules : relative;
}
