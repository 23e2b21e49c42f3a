import { type Refusal, refuse } from '../exchange/decision.ts';
import type { HeaderList } from '../exchange/headers.ts';
import type { Bounds } from './corridor.ts';

/** A request's head as HTTP/2 writes it: pseudo fields apart from the rest. */
export interface Http2Head {
  method: string;
  path: string;
  scheme: string | undefined;
  authority: string | undefined;
  /** The fields that are none of these. */
  headers: HeaderList;
  /** What is wrong with the pseudo fields (RFC 9113 section 8.3). */
  problem: Refusal | undefined;
}

const COLON = 0x3a;

/** Sets the pseudo fields apart: each at most once, none that is unknown, all before the others, and none missing. */
export function splitHead(fields: HeaderList): Http2Head {
  const head: Http2Head = { method: '', path: '', scheme: undefined, authority: undefined, headers: fields, problem: undefined };
  let seen = 0;
  let at = 0;
  for (; at < fields.length && fields[at].charCodeAt(0) === COLON; at += 2) {
    const bit = take(head, fields[at], fields[at + 1]);
    if (bit === 0 || (seen & bit) !== 0)
      head.problem ??= refuse('header-invalid', 'a pseudo field that is unknown or there twice');
    seen |= bit;
  }
  head.headers = fields.slice(at);
  head.problem ??= problemOf(head, seen);
  return head;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const BAD_IN_NAME = /[A-Z\x00-\x08\x0a-\x20\x7f:]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const BAD_IN_VALUE = /[\x00-\x08\x0a-\x1f\x7f]/;

/** Whether a section can be one of trailers, which have no pseudo fields (RFC 9113 section 8.1). They are dropped, so what they mean is no matter. */
export function areTrailers(fields: HeaderList): boolean {
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === '' || BAD_IN_NAME.test(fields[i]) || BAD_IN_VALUE.test(fields[i + 1])) return false;
  }
  return true;
}

/** Whether the head is within the bounds of the listener. `size` as HTTP/1 would write it. */
export function judgeSize(head: Http2Head, size: number, bounds: Bounds): Refusal | undefined {
  if (head.path.length > bounds.targetBytes) return refuse('target-too-long', 'the target is longer than target-bytes');
  if (head.headers.length > bounds.headCount * 2 && countFields(head.headers) > bounds.headCount) {
    return refuse('headers-too-large', 'more fields than head-count');
  }
  return size - head.path.length > bounds.headBytes
    ? refuse('headers-too-large', 'the head is larger than head-bytes')
    : undefined;
}

const METHOD = 1;
const PATH = 2;
const SCHEME = 4;
const AUTHORITY = 8;
const PROTOCOL = 16;

function take(head: Http2Head, name: string, value: string): number {
  switch (name) {
    case ':method':
      head.method = value;
      return METHOD;
    case ':path':
      head.path = value;
      return PATH;
    case ':scheme':
      head.scheme = value;
      return SCHEME;
    case ':authority':
      head.authority = value;
      return AUTHORITY;
    case ':protocol':
      return PROTOCOL;
    default:
      return 0;
  }
}

function problemOf(head: Http2Head, seen: number): Refusal | undefined {
  if (hasPseudo(head.headers)) return refuse('header-invalid', 'a pseudo field behind other fields');
  // CONNECT has neither scheme nor path; that we do not speak it is said by the one reading.
  if ((seen & PROTOCOL) !== 0) return refuse('method-unknown', 'extended CONNECT is not offered');
  if (head.method === 'CONNECT') return undefined;
  const needed = METHOD | PATH | SCHEME;
  return (seen & needed) === needed ? undefined : refuse('target-invalid', 'a pseudo field is missing');
}

function hasPseudo(headers: HeaderList): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i].charCodeAt(0) === COLON) return true;
  }
  return false;
}

/** Cookie crumbs are one field that was cut for compression (RFC 9113 section 8.2.3). */
function countFields(headers: HeaderList): number {
  let count = 0;
  let cookies = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === 'cookie') cookies = 1;
    else count++;
  }
  return count + cookies;
}
