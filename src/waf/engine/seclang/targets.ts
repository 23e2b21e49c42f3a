import type { Place, Selector, Target } from '../rule-set.ts';
import { nearest } from './nearest.ts';
import { SyntaxProblem } from './syntax-error.ts';

/** What names of variables there are. */
export interface VariableNames {
  /** The name of this engine for a name as it is written, upper case; undefined: it has none. */
  canonical(name: string): string | undefined;
  readonly all: readonly string[];
}

/** Variables of the reference manual that need what this gateway does not have. */
const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['GEO', 'it needs a database of places'],
  ['FILES_TMPNAMES', 'uploads are never written to files'],
  ['FILES_TMP_CONTENT', 'uploads are never written to files'],
  ['PERF_ALL', 'times of rules are not kept'],
  ['SCRIPT_GID', 'there are no scripts'],
  ['SCRIPT_UID', 'there are no scripts'],
  ['USERAGENT_IP', 'REMOTE_ADDR is the address of the client'],
]);

/** Takes `A|!B:name|&C|D:/pattern/` apart. `placeAt` tells where a character of the text stands. */
export function parseTargets(text: string, placeAt: (offset: number) => Place, names: VariableNames): Target[] {
  const targets: Target[] = [];
  for (const [piece, at] of splitTargets(text, placeAt)) targets.push(parseTarget(piece, placeAt(at), names));
  if (targets.every(({ exclude }) => exclude))
    throw new SyntaxProblem(placeAt(0), 'only exclusions: there is nothing to look at');
  return targets;
}

/** One target alone, as directives and `ctl` that change targets take it. */
export function parseTargetChanges(text: string, placeAt: (offset: number) => Place, names: VariableNames): Target[] {
  return [...splitTargets(text, placeAt, /[|,]/)].map(([piece, at]) => parseTarget(piece, placeAt(at), names));
}

/** Cuts at `|`, not within a pattern between slashes or a name between quotes. */
function* splitTargets(text: string, placeAt: (offset: number) => Place, separator = /\|/): Generator<[string, number]> {
  let from = 0;
  let at = 0;
  while (at <= text.length) {
    if (at === text.length || separator.test(text[at])) {
      const piece = text.slice(from, at);
      if (piece.trim() === '') throw new SyntaxProblem(placeAt(from), 'a target is missing here');
      yield [piece.trim(), from];
      from = ++at;
    } else if (text[at] === ':' && (text[at + 1] === '/' || text[at + 1] === "'")) at = endOfSelector(text, at + 1, separator);
    else at++;
  }
}

/** Behind the selector: `/…/`, `'…'`, `'/…/'`. An XPath that begins with a slash ends where the target does. */
function endOfSelector(text: string, from: number, separator: RegExp): number {
  const quote = text[from];
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === quote && (at + 1 === text.length || separator.test(text[at + 1]))) return at + 1;
    else if (quote === '/' && separator.test(text[at]) && isXpath(text.slice(from, at))) return at;
  }
  return quote === '/' && isXpath(text.slice(from)) ? text.length : from + 1;
}

const isXpath = (text: string) => text === '/*' || text.startsWith('//');

function parseTarget(piece: string, place: Place, names: VariableNames): Target {
  const exclude = piece.startsWith('!');
  const count = !exclude && piece.startsWith('&');
  const rest = exclude || count ? piece.slice(1) : piece;
  const colon = rest.search(/[:.]/);
  const written = (colon < 0 ? rest : rest.slice(0, colon)).toUpperCase();
  const variable = names.canonical(written);
  if (variable === undefined) throw unknownVariable(written, place, names);
  const selector = colon < 0 ? undefined : parseSelector(variable, rest.slice(colon + 1), place);
  return { variable, selector, count, exclude };
}

function unknownVariable(written: string, place: Place, names: VariableNames): SyntaxProblem {
  const reason = UNSUPPORTED.get(written);
  if (reason !== undefined) return new SyntaxProblem(place, `the variable ${written} is not supported: ${reason}`);
  return new SyntaxProblem(place, `there is no variable ${written}`, nearest(written, names.all));
}

function parseSelector(variable: string, text: string, place: Place): Selector {
  const bare = text.length > 1 && text.startsWith("'") && text.endsWith("'") ? text.slice(1, -1) : text;
  if (bare === '') throw new SyntaxProblem(place, `a name is missing behind ${variable}:`);
  if (variable === 'XML') return xmlSelector(bare, place);
  if (bare.length > 2 && bare.startsWith('/') && bare.endsWith('/')) return { kind: 'pattern', pattern: bare.slice(1, -1) };
  return { kind: 'name', name: bare.toLowerCase() };
}

function xmlSelector(path: string, place: Place): Selector {
  if (path === '/*' || path === '//@*') return { kind: 'xpath', path };
  throw new SyntaxProblem(place, `the path ${path} into XML is not supported`, 'XML:/* is all texts, XML://@* all attributes');
}
