import type { World } from '../pipeline/stage.ts';
import type { EffectiveWaf } from './effective.ts';
import { makeFast } from './engine/fast/fast-program.ts';
import { FastRunner } from './engine/fast/run-fast.ts';
import type { Program } from './engine/program/program.ts';
import { loadRules, rulesKey, rulesWords } from './load-rules.ts';
import { ruleProblemLine } from './rule-problem.ts';

/** Rules ready to run, and what is known of them beforehand. */
export interface LoadedProgram {
  readonly program: Program;
  readonly fast: FastRunner | undefined;
}

/** Rules that cannot be loaded: each line is `FILE:LINE:COLUMN: problem`. */
export class RulesError extends Error {}

/** The program of a route; routes and reloads whose rules say the same share one. */
export function programOf(waf: EffectiveWaf, carry: World['carry']): LoadedProgram {
  return carry.take(`waf:${keyIn(waf, carry)}`, () => load(waf));
}

/** By the carry of one configuration. */
const keys = new WeakMap<World['carry'], Map<string, string>>();

/** The files are looked at once for all routes of a configuration that say the same: a thousand routes would read them a thousand times. */
function keyIn(waf: EffectiveWaf, carry: World['carry']): string {
  const known = keys.get(carry) ?? new Map<string, string>();
  keys.set(carry, known);
  const words = rulesWords(waf);
  const key = known.get(words) ?? rulesKey(waf);
  known.set(words, key);
  return key;
}

function load(waf: EffectiveWaf): LoadedProgram {
  const loaded = loadRules(waf);
  if (loaded.ok) return { program: loaded.program, fast: new FastRunner(makeFast(loaded.program)) };
  throw new RulesError(loaded.problems.map(ruleProblemLine).join('\n'));
}
