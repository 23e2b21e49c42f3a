import path from 'node:path';
import type { OperatorUse } from '../rule-set.ts';
import { readLooseMacro, readMacro } from './macros.ts';
import { didYouMean } from './nearest.ts';
import type { Reading } from './reading.ts';
import { isSpace, type Span, skipSpace } from './span.ts';

/** Operators whose argument is a pattern or phrases: there `%{` may be text. */
const LOOSE: ReadonlySet<string> = new Set(['rx', 'rxGlobal', 'pm', 'verifyCC', 'verifySSN', 'verifyCPF', 'verifySVNR']);

/** Operators whose data stand in files beside the rule file. */
const FROM_FILE: ReadonlySet<string> = new Set(['pmFromFile', 'pmf', 'ipMatchFromFile', 'ipMatchF']);

/** `@name argument`, `!@name argument`, or a pattern for `@rx`. undefined: there is no such operator, which is reported. */
export function readOperator(written: Span, reading: Reading): OperatorUse | undefined {
  const { text } = written;
  const first = skipSpace(text, 0);
  const negated = text[first] === '!';
  const at = negated ? skipSpace(text, first + 1) : first;
  if (text[at] !== '@') return useOf('rx', negated, written.slice(negated ? first + 1 : 0), written, reading);
  let end = at + 1;
  while (end < text.length && !isSpace(text, end)) end++;
  const name = canonicalName(written.slice(at + 1, end), reading);
  return name === undefined ? undefined : useOf(name, negated, written.slice(skipSpace(text, end)), written, reading);
}

function canonicalName(name: Span, { world, report }: Reading): string | undefined {
  const lower = name.text.toLowerCase();
  const known = world.operators.get(lower);
  if (known !== undefined) return known;
  const why = world.unsupportedOperators?.get(lower);
  if (why !== undefined)
    return report.refuse(name.place(), `the operator @${name.text} is not supported: ${why}`, 'leave the rule out');
  return report.refuse(name.place(), `there is no operator @${name.text}`, didYouMean(lower, world.operators.values()));
}

function useOf(name: string, negated: boolean, argument: Span, written: Span, reading: Reading): OperatorUse {
  const macro = LOOSE.has(name) ? readLooseMacro(argument) : readMacro(argument, reading);
  const use = { name, negated, argument: macro, place: written.place() };
  const problem = reading.world.checkOperator?.(use, argument.place());
  if (problem !== undefined) reading.report.refuse(problem, problem.message, problem.hint);
  if (FROM_FILE.has(name)) noteFiles(use, reading);
  return use;
}

function noteFiles({ argument, place }: OperatorUse, { files }: Reading): void {
  for (const name of argument.text.split(/\s+/)) if (name !== '') files.add(path.resolve(path.dirname(place.file), name));
}
