import type { Place } from '../rule-set.ts';

/** One logical line of a rule file: a backslash at the end of a line brings the next one to it. */
export class LogicalLine {
  readonly text: string;
  readonly #file: string;
  /** Where the pieces of the text begin, and on which line and in which column they stand. */
  readonly #pieces: readonly Piece[];

  constructor(file: string, text: string, pieces: readonly Piece[]) {
    this.#file = file;
    this.text = text;
    this.#pieces = pieces;
  }

  /** Where a character of the text stands in the file. */
  place(offset: number): Place {
    let piece = this.#pieces[0];
    for (const one of this.#pieces) if (one.start <= offset) piece = one;
    return { file: this.#file, line: piece.line, column: piece.column + offset - piece.start };
  }
}

interface Piece {
  readonly start: number;
  readonly line: number;
  readonly column: number;
}

const BOM = '\xef\xbb\xbf';

/** Takes a file apart; empty lines and comments are left out. A comment ends with its line, whatever stands at its end. */
export function logicalLines(file: string, source: string): LogicalLine[] {
  const text = source.startsWith(BOM) ? source.slice(BOM.length) : source;
  const physical = text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  const lines: LogicalLine[] = [];
  for (let i = 0; i < physical.length; ) {
    if (/^\s*(?:#|$)/.test(physical[i])) i++;
    else i = join(file, physical, i, lines);
  }
  return lines;
}

/** Adds the line that begins at `from`; gives the index of the line behind it. */
function join(file: string, physical: readonly string[], from: number, lines: LogicalLine[]): number {
  const pieces: Piece[] = [];
  const parts: string[] = [];
  let length = 0;
  let i = from;
  for (; i < physical.length; i++) {
    const continued = physical[i].endsWith('\\');
    const piece = continued ? physical[i].slice(0, -1) : physical[i];
    pieces.push({ start: length, line: i + 1, column: 1 });
    parts.push(piece);
    length += piece.length;
    if (!continued) break;
  }
  lines.push(new LogicalLine(file, parts.join(''), pieces));
  return i + 1;
}
