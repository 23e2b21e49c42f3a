import type { HeaderList } from '../exchange/headers.ts';
import { unescape } from './strays.ts';

/** Longest token that is looked at. */
const TOKEN_LENGTH = 8192;

const SCHEME = /^bearer(?![!#$%&'*+\-.^_`|~0-9a-z])/i;
const BEARER = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * The bearer token of an `Authorization` field (RFC 6750 section 2.1): the scheme in any case, one space, one token68. Another scheme is
 * not for us: undefined. null: it wants to be a bearer token, and is none.
 * @param checked - false where all who get the token look at its characters themselves.
 */
export function readBearer(value: string, checked = true): string | null | undefined {
  if (!value.startsWith('Bearer ') && !SCHEME.test(value)) return undefined;
  if (value.charCodeAt(6) !== 0x20 || value.length > 7 + TOKEN_LENGTH) return null;
  const token = value.slice(7);
  return !checked || BEARER.test(token) ? token : null;
}

/**
 * Whether the query has a parameter `access_token`, in any spelling that some service reads as this name. A token in a URL is in logs,
 * histories and Referer fields (RFC 9700 section 4.3.2), and beside `Authorization` it is a second credential.
 */
export function hasQueryToken(query: string): boolean {
  // Nearly every query ends here.
  if (!query.includes('%') && !MAYBE.test(query)) return false;
  return query.split(/[&;?]/).some((parameter) => isTokenName(nameOf(parameter)));
}

const MAYBE = /access.token/i;

function nameOf(parameter: string): string {
  const equals = parameter.indexOf('=');
  const raw = equals < 0 ? parameter : parameter.slice(0, equals);
  return unescape(raw.replaceAll('+', ' ')).trim().toLowerCase();
}

/** PHP makes `_` of `.` and a space, and an array of what stands in front of `[`. */
function isTokenName(name: string): boolean {
  return /^access[_. ]token(?:\[|$)/.test(name);
}

/** The one value of the fields called `name`; 'twice' where there are several: of two, each reader takes another. */
export function readHeader(headers: HeaderList, name: string): { readonly value: string } | 'twice' | undefined {
  let value: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== name) continue;
    if (value !== undefined) return 'twice';
    value = headers[i + 1];
  }
  return value === undefined ? undefined : { value };
}
