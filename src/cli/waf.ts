import path from 'node:path';
import type { EffectiveWaf } from '../waf/effective.ts';
import { makeFast } from '../waf/engine/fast/fast-program.ts';
import { PatternOperator } from '../waf/engine/operators/rx.ts';
import type { Program } from '../waf/engine/program/program.ts';
import { PatternCache } from '../waf/engine/regex/compile.ts';
import { loadRules } from '../waf/load-rules.ts';
import { ruleProblemLine } from '../waf/rule-problem.ts';
import { EXIT, type Output } from './output.ts';
import { formatTable } from './table.ts';

export interface ExplainOptions {
  readonly json?: boolean;
}

/** What is said of one pattern. */
interface PatternRow {
  readonly id: number;
  readonly phase: number;
  readonly link: number;
  readonly engine: string;
  readonly steps: number;
  readonly classes: number;
  readonly bound: string;
  readonly place: string;
}

/** `portcullis waf explain`: how every pattern of the rules runs, and why its cost is bounded. */
export function explainRules(rules: readonly string[], options: ExplainOptions, output: Output): number {
  const loaded = loadRules(asWaf(rules));
  if (!loaded.ok) {
    for (const problem of loaded.problems) output.err.write(`${ruleProblemLine(problem)}\n`);
    return EXIT.problems;
  }
  for (const note of loaded.notes) output.err.write(`${ruleProblemLine({ ...note, message: `warning: ${note.message}` })}\n`);
  const rows = patternRows(loaded.program);
  output.out.write(
    options.json === true ? `${JSON.stringify(rows, undefined, 2)}\n` : table(rows) + summary(loaded.program, rows),
  );
  return EXIT.ok;
}

function asWaf(rules: readonly string[]): EffectiveWaf {
  const files = rules.map((one) => (one === 'builtin' ? one : path.resolve(one)));
  const nothing = { paranoia: undefined, threshold: undefined, body: undefined, data: false };
  return { mode: 'block', rules: files, exclude: [], extra: [], deny: [], allow: [], ...nothing };
}

function patternRows(program: Program): PatternRow[] {
  const patterns = new PatternCache();
  const rules = program.phases.flatMap(({ rules }) => rules);
  return rules.flatMap(({ definition, links }) =>
    links.flatMap(({ operator, definition: { place } }, link): PatternRow[] => {
      if (!(operator instanceof PatternOperator)) return [];
      const { engine, steps, classes, bound } = patterns.explain(patterns.compile(operator.pattern.source));
      const where = `${path.basename(place.file)}:${place.line}`;
      return [{ id: definition.id, phase: definition.phase, link, engine, steps, classes, bound, place: where }];
    }),
  );
}

function table(rows: readonly PatternRow[]): string {
  const cells = rows.map(({ id, phase, link, engine, steps, classes, place }) =>
    [id, phase, link === 0 ? '' : link, engine, steps, classes, place].map(String),
  );
  return formatTable(['RULE', 'PHASE', 'LINK', 'ENGINE', 'STEPS', 'CLASSES', 'PLACE'], cells);
}

function summary(program: Program, rows: readonly PatternRow[]): string {
  const fast = makeFast(program);
  const all = program.phases.reduce((sum, { rules }) => sum + rules.length, 0);
  const live = fast.phases.reduce((sum, { rules }) => sum + rules.length, 0);
  const gated = fast.phases.reduce((sum, { rules }) => sum + rules.filter(({ gates }) => gates !== undefined).length, 0);
  const most = Math.max(0, ...rows.map(({ steps }) => steps));
  return [
    '',
    `${all} rules. ${all - live} depend on no request and are run when the rules are loaded.`,
    `${gated} of the other ${live} are run only for a request that holds what they cannot match without.`,
    `${rows.length} patterns, all on the linear engine: one look-up per byte of a value. Where an input makes ever new states, at most`,
    `as many steps per byte as the column says (${most} for the largest pattern). None backtracks; a pattern that cannot be bounded is`,
    'refused when the rules are loaded.',
    '',
  ].join('\n');
}
