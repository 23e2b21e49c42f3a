import type { World } from '../pipeline/stage.ts';
import type { EffectiveWaf } from './effective.ts';
import { makeFast } from './engine/fast/fast-program.ts';
import { FastRunner } from './engine/fast/run-fast.ts';
import type { Program } from './engine/program/program.ts';
import { loadRules, rulesKey } from './load-rules.ts';
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
  return carry.take(`waf:${rulesKey(waf)}`, () => load(waf));
}

function load(waf: EffectiveWaf): LoadedProgram {
  const loaded = loadRules(waf);
  if (loaded.ok) return { program: loaded.program, fast: new FastRunner(makeFast(loaded.program)) };
  throw new RulesError(loaded.problems.map(ruleProblemLine).join('\n'));
}
