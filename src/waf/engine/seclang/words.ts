import type { LogicalLine } from './lines.ts';
import { SyntaxProblem } from './syntax-error.ts';

/** One argument of a directive, without its quotes, and where its text begins in the line. */
export interface Word {
  readonly text: string;
  readonly at: number;
}

/**
 * The words of a line: apart by white space, or in double quotes, in which `\"` is a quote and every other backslash stays. The first is
 * the directive's name.
 */
export function wordsOf(line: LogicalLine): Word[] {
  const words: Word[] = [];
  const { text } = line;
  let at = skipBlanks(text, 0);
  while (at < text.length) {
    const [word, next] = text[at] === '"' ? quoted(line, at) : bare(text, at);
    words.push(word);
    at = skipBlanks(text, next);
  }
  return words;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && (text[at] === ' ' || text[at] === '\t')) at++;
  return at;
}

function bare(text: string, from: number): [Word, number] {
  let at = from;
  while (at < text.length && text[at] !== ' ' && text[at] !== '\t') at++;
  return [{ text: text.slice(from, at), at: from }, at];
}

function quoted(line: LogicalLine, from: number): [Word, number] {
  const { text } = line;
  let word = '';
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '"') return [{ text: word, at: from + 1 }, at + 1];
    if (text[at] === '\\' && text[at + 1] === '"') at++;
    word += text[at];
  }
  throw new SyntaxProblem(line.place(from), 'the quote that opens here is never closed', 'a quote inside is written \\"');
}
