import type { OperatorUse, Place } from '../rule-set.ts';
import { parseMacro } from './macro.ts';
import { nearest } from './nearest.ts';
import { SyntaxProblem } from './syntax-error.ts';

/** Operators of the reference manual that need what this gateway does not have. */
const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['fuzzyhash', 'it needs ssdeep'],
  ['geolookup', 'it needs a database of places'],
  ['gsblookup', 'the service that it asks has ended'],
  ['inspectfile', 'no program is run for a request'],
  ['rbl', 'no request waits for the DNS'],
  ['rsub', 'bodies are not changed'],
  ['validatedtd', 'a DTD lets a document decide what is read'],
  ['validatehash', 'pages are not signed'],
  ['validateschema', 'it needs a validator of XML schemas'],
]);

/** `@name argument`, `!@name argument`, or a pattern alone, which is `@rx`. */
export function parseOperator(text: string, placeAt: (offset: number) => Place, known: ReadonlyMap<string, string>): OperatorUse {
  const match = /^\s*(!?)\s*(?:@([A-Za-z0-9_]+)(?:\s|$))?/.exec(text);
  const negated = match?.[1] === '!';
  const place = placeAt(0);
  const written = match?.[2];
  if (written === undefined) return { name: 'rx', negated, argument: parseMacro(text.slice(match?.[0].length ?? 0)), place };
  const name = known.get(written.toLowerCase());
  if (name === undefined) throw unknown(written, place, known);
  const argument = text.slice(match?.[0].length ?? 0);
  return { name, negated, argument: parseMacro(name === 'rx' ? argument : argument.trim()), place };
}

function unknown(written: string, place: Place, known: ReadonlyMap<string, string>): SyntaxProblem {
  const reason = UNSUPPORTED.get(written.toLowerCase());
  if (reason !== undefined) return new SyntaxProblem(place, `the operator @${written} is not supported: ${reason}`);
  return new SyntaxProblem(place, `there is no operator @${written}`, nearest(written, known.values()));
}
