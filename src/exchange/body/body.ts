import { isUtf8 } from 'node:buffer';
import { type Refusal, refuse } from '../decision.ts';
import type { Exchange } from '../exchange.ts';
import { headerValue } from '../headers.ts';
import { readQuery } from '../query.ts';
import { type ContentType, isUtf8Charset, readContentType } from './content-type.ts';
import { readJson } from './json.ts';
import { readMultipart } from './multipart.ts';
import { type BodyBounds, DEFAULT_BOUNDS, type Flag, type FlagCode, type ParsedBody } from './parsed.ts';

/**
 * What the body of this request says: made when a room asks first, the same for all that ask later. The route's strictest bounds are
 * handed over by whoever asks first, which is the first room in the corridor's order.
 */
export function bodyOf(x: Exchange, bounds: BodyBounds = DEFAULT_BOUNDS): ParsedBody {
  return (x.parsedBody ??= readBody(x.body, headerValue(x.head.headers, 'content-type'), bounds));
}

const NO_FLAGS: readonly Flag[] = [];
const NONE: ParsedBody = { kind: 'none', flags: NO_FLAGS };
const BYTES: ParsedBody = { kind: 'bytes', flags: NO_FLAGS };

/**
 * Reads a body by its type. An empty body is none, whatever its type says. A type that no parser knows, and a missing one, is one value.
 * @param contentType the value of the only Content-Type; undefined: there is none
 */
export function readBody(body: Buffer | undefined, contentType: string | undefined, bounds: BodyBounds): ParsedBody {
  if (body === undefined || body.length === 0) return NONE;
  const type = contentType === undefined ? undefined : readContentType(contentType);
  if (type === undefined) return BYTES;
  if (!isUtf8Charset(type, body)) return { kind: 'bytes', flags: [{ code: 'charset', place: '', at: 0 }] };
  return parse(body, type, bounds);
}

function parse(body: Buffer, { type, parameters }: ContentType, bounds: BodyBounds): ParsedBody {
  if (isJson(type)) return { kind: 'json', ...readJson(body, bounds) };
  if (type === 'application/x-www-form-urlencoded') return readForm(body, bounds);
  if (type === 'multipart/form-data')
    return { kind: 'multipart', ...readMultipart(body, parameters.get('boundary'), bounds.keys) };
  return type.startsWith('text/') ? readText(body) : BYTES;
}

/** `application/json` and whatever says that it is JSON underneath (RFC 6839 section 3.1). */
export function isJson(type: string): boolean {
  return type === 'application/json' || type.endsWith('+json') || type === 'text/json';
}

const BOM = '\xef\xbb\xbf';

/**
 * Beside what a query can have: bytes that are UTF-8 only together with escapes beside them (who makes text of the body first sees
 * others), a byte order mark, which some take off and some keep, and a `?` in front, which `URLSearchParams` takes off.
 */
function readForm(body: Buffer, bounds: BodyBounds): ParsedBody {
  const text = body.toString('latin1');
  const reading = readQuery(text, bounds.keys);
  const flags: Flag[] = [];
  const flag = (is: boolean, code: FlagCode) => is && flags.push({ code, place: '', at: 0 });
  flag(reading.badEscape || text.startsWith('?'), 'form-encoding');
  flag(reading.badUtf8 || !isUtf8(body), 'utf8-invalid');
  flag(text.startsWith(BOM), 'bom');
  flag(reading.semicolon, 'form-semicolon');
  flag(text.includes('\0') || text.includes('%00'), 'nul');
  flag(reading.truncated, 'form-fields');
  return { kind: 'form', fields: reading.fields, flags };
}

function readText(body: Buffer): ParsedBody {
  const flags: Flag[] = isUtf8(body) ? [] : [{ code: 'utf8-invalid', place: '', at: 0 }];
  return { kind: 'text', text: body.toString('utf8'), flags };
}

/** The flags that say "too much" rather than "two readings". */
const TOO_MUCH: ReadonlySet<FlagCode> = new Set([
  'json-depth',
  'json-keys',
  'json-items',
  'json-string',
  'json-number',
  'form-fields',
  'multipart-parts',
]);

/**
 * What a strict caller answers to a flagged body: 413 where it is beyond a bound, otherwise 400. The place and the rule go to the client,
 * no value does.
 */
export function refuseFlagged(body: ParsedBody, pass?: ReadonlySet<FlagCode>): Refusal | undefined {
  if (body.flags.length === 0) return undefined;
  const flags = pass === undefined ? body.flags : body.flags.filter((flag) => !pass.has(flag.code));
  if (flags.length === 0) return undefined;
  const worst = flags.find((flag) => TOO_MUCH.has(flag.code)) ?? flags[0];
  const errors = flags.map(({ code, place }) => ({ pointer: place, rule: code }));
  return refuse(TOO_MUCH.has(worst.code) ? 'body-beyond-bounds' : 'body-ambiguous', `${body.kind} body: ${worst.code}`, {
    members: { errors },
  });
}
