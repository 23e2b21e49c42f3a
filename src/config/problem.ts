import { styleText } from 'node:util';

/** One thing that is wrong with a configuration file. */
export interface Problem {
  /** The file as the user named it. */
  readonly file: string;
  /** Both count from 1; the column counts UTF-16 code units, as editors do. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What was probably meant; already part of no other text. */
  readonly hint?: string;
  /** The line of the file, secrets masked; absent where there is none. */
  readonly excerpt?: Excerpt;
}

/** A line of the source, made fit for a terminal, and where the caret goes. */
export interface Excerpt {
  readonly text: string;
  readonly caret: number;
}

/** `FILE:LINE:COLUMN: problem`, the form that editors and CI understand; the hint belongs to it. */
export function problemLine(problem: Problem): string {
  const hint = problem.hint === undefined ? '' : ` (${problem.hint})`;
  return `${problem.file}:${problem.line}:${problem.column}: ${problem.message}${hint}`;
}

/** The problem for a person: the line above, then the source with a caret under the spot. */
export function formatProblem(problem: Problem, color = false): string {
  const line = problemLine(problem);
  if (problem.excerpt === undefined) return line;
  const paint = (style: 'red' | 'bold' | 'dim', text: string) =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const margin = `${problem.line}`.padStart(5);
  const source = `${paint('dim', `${margin} |`)} ${problem.excerpt.text}`;
  const caret = `${paint('dim', `${' '.repeat(margin.length)} |`)} ${' '.repeat(problem.excerpt.caret)}${paint('red', '^')}`;
  return `${paint('bold', line)}\n${source}\n${caret}`;
}

/** By position, then by text, each once. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const sorted = [...problems].sort(
    (a, b) => a.line - b.line || a.column - b.column || (a.message < b.message ? -1 : Number(a.message > b.message)),
  );
  return sorted.filter((problem, i) => i === 0 || problemLine(problem) !== problemLine(sorted[i - 1]));
}

const WIDEST = 120;

/** Cuts a long line around the column and replaces what could steer a terminal. */
export function makeExcerpt(line: string, column: number): Excerpt {
  const from = line.length <= WIDEST ? 0 : Math.max(0, Math.min(column - 1 - WIDEST / 2, line.length - WIDEST));
  const cut = line.slice(from, from + WIDEST);
  const before = from > 0 ? '…' : '';
  const after = from + WIDEST < line.length ? '…' : '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this takes out
  const text = `${before}${cut}${after}`
    .replace(/\t/g, ' ')
    .replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
  return { text, caret: Math.max(0, column - 1 - from) + before.length };
}
