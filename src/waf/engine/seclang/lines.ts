import type { Place } from '../rule-set.ts';
import type { Report } from './report.ts';
import { countUpTo, type Located, skipSpace } from './span.ts';

const BYTE_ORDER_MARK = '\xef\xbb\xbf';
/** How a line begins that is hardly meant as the rest of a comment. */
const DIRECTIVE = /^\s*(?:Sec[A-Z]|Include)/;

interface Piece {
  readonly text: string;
  readonly line: number;
}

/** One directive with all the lines that continue it, joined. */
export class Line implements Located {
  readonly text: string;
  readonly #file: string;
  readonly #pieces: readonly Piece[];
  /** Where each piece begins in the text. */
  readonly #starts: readonly number[];

  constructor(file: string, pieces: readonly Piece[]) {
    let length = 0;
    this.#file = file;
    this.#pieces = pieces;
    this.#starts = pieces.map(({ text }) => {
      length += text.length;
      return length - text.length;
    });
    this.text = pieces.map(({ text }) => text).join('');
  }

  place(at = 0): Place {
    const piece = countUpTo(this.#starts, at) - 1;
    return { file: this.#file, line: this.#pieces[piece].line, column: at - this.#starts[piece] + 1 };
  }
}

/** Joins lines that end in a backslash with those that follow; comments and empty lines are left out. */
export function* linesOf({ file, text }: { file: string; text: string }, report: Report): Generator<Line> {
  let pieces: Piece[] = [];
  for (const { text: written, line } of physicalLines(text)) {
    const end = written.trimEnd();
    const continued = end.endsWith('\\');
    pieces.push({ text: continued ? end.slice(0, -1) : written, line });
    const isComment = pieces[0].text[skipSpace(pieces[0].text, 0)] === '#';
    if (isComment) checkComment(file, pieces, report);
    else if (continued && end.length < written.length) refuseSpace({ file, line, column: end.length + 1 }, report);
    if (continued) continue;
    if (!isComment) yield new Line(file, pieces);
    pieces = [];
  }
  if (pieces.length > 0 && pieces[0].text[skipSpace(pieces[0].text, 0)] !== '#') yield new Line(file, pieces);
}

function* physicalLines(text: string): Generator<Piece> {
  let from = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  for (let line = 1; from < text.length; line++) {
    const newline = text.indexOf('\n', from);
    const end = newline < 0 ? text.length : newline;
    yield { text: text.slice(from, text[end - 1] === '\r' && end > from ? end - 1 : end), line };
    from = end + 1;
  }
}

/** A comment goes on behind a backslash, too. A rule that is lost this way is hardly meant to be. */
function checkComment(file: string, pieces: readonly Piece[], report: Report): void {
  const { text, line } = pieces[pieces.length - 1];
  if (pieces.length === 1 || !DIRECTIVE.test(text)) return;
  const place = { file, line, column: skipSpace(text, 0) + 1 };
  report.refuse(
    place,
    `this line belongs to the comment of line ${pieces[0].line}, which ends in a backslash`,
    'take the backslash away, or write # before this line',
  );
}

function refuseSpace(place: Place, report: Report): void {
  report.refuse(place, 'white space stands behind the backslash that ends this line', 'end the line with the backslash');
}
