import type { ParsedBody } from '../../src/exchange/body/parsed.ts';
import type { Pair } from './standard-readers.ts';

/** What parsers read, made comparable. */

/** Bytes as text, as lenient as the others are where nothing was refused (a query without a contract). */
const text = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8');

export const fieldsOf = (fields: readonly { readonly name: string; readonly value: string }[]): Pair[] =>
  fields.map(({ name, value }) => [text(name), text(value)]);

/** Some browsers escape quotes and ends of line in the name of a file, and only some readers undo it. */
const unescaped = (name: string | null) =>
  name?.replaceAll('%22', '"').replaceAll(/%0a/gi, '\n').replaceAll(/%0d/gi, '\r') ?? null;

/** The same for all readers: by name, where a parser groups by name. */
export function canonical(kind: string, reading: unknown): unknown {
  // The sign of zero gets lost, as it should: JSON has no word for it, and integers have none.
  if (kind === 'json') return JSON.parse(JSON.stringify((reading as { value: unknown }).value)) as unknown;
  if (kind !== 'form' && kind !== 'multipart') return reading;
  const pairs = (reading as Pair[]).map((one) => (kind === 'form' ? one : [one[0], unescaped(one[1]), one[2]]));
  const names = [...new Set(pairs.map(([name]) => name))].toSorted((a, b) => (String(a) < String(b) ? -1 : 1));
  return names.flatMap((name) => pairs.filter((one) => one[0] === name));
}

/** The gateway's reading in the words of the others. */
export function valueOf(parsed: ParsedBody, body: Buffer): unknown {
  if (parsed.kind === 'json') return { value: parsed.value };
  if (parsed.kind === 'form') return fieldsOf(parsed.fields);
  if (parsed.kind === 'text') return parsed.text;
  if (parsed.kind === 'none') return '';
  if (parsed.kind === 'bytes') return body.toString('base64');
  return parsed.parts.map(({ name, filename, from, to }) => [
    text(name),
    filename === undefined ? null : text(filename),
    body.toString('base64', from, to),
  ]);
}
