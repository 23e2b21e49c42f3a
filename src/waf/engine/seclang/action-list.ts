import type { Place } from '../rule-set.ts';
import { SyntaxProblem } from './syntax-error.ts';

/** One `name` or `name:argument` of an action list. */
export interface WrittenAction {
  /** Lower case. */
  readonly name: string;
  readonly argument: string | undefined;
  readonly place: Place;
}

/** Cuts an action list at its commas; between single quotes commas are text, and `\'` is a quote. */
export function parseActionList(text: string, placeAt: (offset: number) => Place): WrittenAction[] {
  const actions: WrittenAction[] = [];
  let at = 0;
  while (at < text.length) {
    const end = endOfAction(text, at, placeAt);
    const piece = text.slice(at, end);
    if (piece.trim() !== '') actions.push(parseAction(piece.trim(), placeAt(at + piece.length - piece.trimStart().length)));
    at = end + 1;
  }
  return actions;
}

function endOfAction(text: string, from: number, placeAt: (offset: number) => Place): number {
  let open = -1;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === "'") open = open < 0 ? at : closes(text, at) ? -1 : open;
    else if (text[at] === ',' && open < 0) return at;
  }
  if (open >= 0) throw new SyntaxProblem(placeAt(open), 'the single quote that opens here is never closed');
  return text.length;
}

/** A quote in the middle of a quoted text (`it's`) does not end it: what ends it stands before a comma or the end. */
function closes(text: string, at: number): boolean {
  return /^\s*(?:,|$)/.test(text.slice(at + 1, at + 64));
}

function parseAction(piece: string, place: Place): WrittenAction {
  const colon = piece.indexOf(':');
  if (colon < 0) return { name: piece.toLowerCase(), argument: undefined, place };
  return { name: piece.slice(0, colon).trim().toLowerCase(), argument: unquote(piece.slice(colon + 1).trim()), place };
}

function unquote(text: string): string {
  const quoted = text.length > 1 && text.startsWith("'") && text.endsWith("'");
  return quoted ? text.slice(1, -1).replaceAll("\\'", "'") : text;
}
