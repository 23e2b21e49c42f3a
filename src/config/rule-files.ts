import { existsSync } from 'node:fs';
import { effectiveWaf } from '../waf/effective.ts';
import { filesBesides } from '../waf/rule-files.ts';
import { MissingRules, ruleSources } from '../waf/rule-sources.ts';
import type { GatewayOptions } from './schema.ts';

/** Every file of rules that routes name, what these include, and their data. A pattern that no file matches is told when they are read. */
export function ruleFiles({ waf: section, routes }: GatewayOptions): string[] {
  const files = new Set<string>();
  const seen = new Set<string>();
  for (const route of routes) {
    const waf = effectiveWaf(section, route.waf);
    const key = JSON.stringify([waf?.rules, waf?.extra]);
    if (waf === undefined || seen.has(key)) continue;
    seen.add(key);
    for (const file of filesOf(waf)) files.add(file);
  }
  return [...files].sort();
}

function filesOf(waf: Parameters<typeof ruleSources>[0]): string[] {
  try {
    const sources = ruleSources(waf);
    return [...sources.map(({ file }) => file).filter((file) => existsSync(file)), ...filesBesides(sources).keys()];
  } catch (error) {
    if (error instanceof MissingRules) return waf.rules.filter((rules) => rules !== 'builtin' && !rules.includes('*'));
    throw error;
  }
}
