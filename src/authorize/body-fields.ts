import { readBody } from '../exchange/body/body.ts';
import { DEFAULT_BOUNDS, type FormField, type Json, type ParsedBody } from '../exchange/body/parsed.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { headerValue } from '../exchange/headers.ts';
import { readQuery } from '../exchange/query.ts';

/** What a service may take for parameters of a body, as byte strings; a value that is no text is undefined. */
interface BodyField {
  readonly name: string;
  readonly value: string | undefined;
}

const NONE: readonly BodyField[] = [];

/**
 * The fields of a form, and the members of a JSON object, which many services treat alike. undefined: the body can be read in more than
 * one way. A body of another type has none. It is read here and not kept: rooms behind this one have bounds of their own.
 */
export function bodyFields(x: Exchange): readonly BodyField[] | undefined {
  const { body } = x;
  if (body === undefined || body.length === 0) return NONE;
  const type = headerValue(x.head.headers, 'content-type');
  // Rack takes a body without a type for a form.
  if (type === undefined) return formFields(body, readQuery(body.toString('latin1')).fields);
  const parsed = readBody(body, type, DEFAULT_BOUNDS);
  return parsed.flags.length > 0 ? undefined : fieldsOf(parsed, body);
}

function fieldsOf(parsed: ParsedBody, body: Buffer): readonly BodyField[] {
  if (parsed.kind === 'form') return formFields(body, parsed.fields);
  if (parsed.kind === 'json') return membersOf(parsed.value);
  if (parsed.kind !== 'multipart') return NONE;
  return parsed.parts.map(({ name, filename, from, to }) => ({
    name,
    value: filename === undefined ? body.toString('latin1', from, to) : undefined,
  }));
}

/** With those that a reader finds who splits at `;` too. */
function formFields(body: Buffer, fields: readonly FormField[]): readonly FormField[] {
  return body.includes(';') ? fields.concat(readQuery(body.toString('latin1').replaceAll(';', '&')).fields) : fields;
}

function membersOf(value: Json | undefined): readonly BodyField[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return NONE;
  return Object.entries(value).map(([name, member]) => ({
    name: bytesOf(name),
    value: typeof member === 'string' ? bytesOf(member) : undefined,
  }));
}

const bytesOf = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
