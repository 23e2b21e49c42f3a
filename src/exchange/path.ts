import { isUtf8 } from 'node:buffer';

/**
 * The one reading of a path. Router, policy, WAF and service all get what comes out of here, so that no two of them
 * can disagree about which resource is meant (CVE-2021-29492, CVE-2026-22037 `/%61dmin`, CVE-2026-48020 `/api%2e/admin`).
 *
 * The canonical form, chosen so that every decoder reads it the same way and `new URL()` leaves it alone:
 * - each byte is decoded once; unreserved characters, `!$&'()*+,=`, `:` and `@` stand for themselves, everything else is
 *   `%XX` in upper case (`"<>[]^{|}` and the backtick too: browsers send some of them raw, Tomcat refuses them raw);
 * - `.` and `..` segments are resolved, a trailing slash stays;
 * - runs of slashes become one. Clients that join `https://host/` and `/orders` send `//orders` every day, and nginx and
 *   Envoy's edge guide merge too. It is safe because it happens before anyone matches, and because the service gets
 *   the merged form: `//host/x` can be taken for an authority by nobody any more (Kong CVE-2021-27306, Istio 2021-005).
 *
 * Refused, because another reader may see another path:
 * - encoded slash and backslash, raw backslash; `;` and `%3b` (servlet containers cut path parameters off: `/..;/`);
 * - control characters in any spelling, C1 included; raw bytes that are not visible ASCII; bad UTF-8; broken escapes, `%u002e`;
 * - a literal `%` that would decode again (`%252e`): a plain `100%25` is fine, it means the same after any number of decodings;
 * - dot segments above the root, spelled with an escape, or together with `//` (`/a//../b` is `/a/b` by RFC 3986 and
 *   `/b` where slashes are merged first);
 * - segments that turn into dot segments under NFKC, Windows' best-fit mapping, or once blanks and invisible characters
 *   are gone (`．．`, `..%20`, `．．／x`). Nobody means such a name. Look-alikes elsewhere (`１／２`), zero-width joiners and
 *   bidirectional marks pass: Persian and emoji need them, and they stay escaped, so that no log or terminal renders them.
 */

const PLAIN = 1;
const SLASH = 2;
const DOT = 3;

/** What a character may do in a canonical path; 0 sends the path to the slow reading. */
const KIND = new Uint8Array(256);
for (const char of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~!$&'()*+,=:@")
  KIND[char.charCodeAt(0)] = PLAIN;
KIND[0x2f] = SLASH;
KIND[0x2e] = DOT;

const ESCAPE = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`);

/**
 * The canonical form of a path as it came on the wire (one character per byte, without the query, beginning with `/`),
 * or undefined when it has more than one reading. `canonicalPath(canonicalPath(x)) === canonicalPath(x)`.
 */
export function canonicalPath(raw: string): string | undefined {
  if (isCanonical(raw)) return raw;
  const result = canonicalise(raw);
  return result.startsWith('/') ? result : undefined;
}

/** Why {@link canonicalPath} refuses this path, for the record; undefined when it does not. Holds nothing of the path. */
export function pathProblem(raw: string): string | undefined {
  const result = canonicalise(raw);
  return result.startsWith('/') ? undefined : result;
}

/** The fast path: one scan, no allocation. False only means "look closer". */
function isCanonical(raw: string): boolean {
  if (raw.charCodeAt(0) !== 0x2f) return false;
  let previous = SLASH;
  for (let i = 1; i < raw.length; i += 1) {
    const kind = KIND[raw.charCodeAt(i)];
    if (kind !== PLAIN && (!kind || (previous === SLASH && (kind === SLASH || isDotSegment(raw, i))))) return false;
    previous = kind;
  }
  return true;
}

/** True when the segment that begins with the dot at `from` is `.` or `..`. */
function isDotSegment(raw: string, from: number): boolean {
  const next = raw.charCodeAt(from + 1) === 0x2e ? from + 2 : from + 1;
  return next === raw.length || raw.charCodeAt(next) === 0x2f;
}

/** The canonical path, or the reason why there is none: told apart by the first character, for a reason never begins with `/`. */
function canonicalise(raw: string): string {
  if (raw.charCodeAt(0) !== 0x2f) return 'the path does not begin with a slash';
  const parts = raw.split('/');
  const last = parts.length - 1;
  const kept: string[] = [];
  let merged = false;
  let climbed = false;
  let trailing = false;
  for (let i = 1; i <= last; i += 1) {
    const part = parts[i];
    if (part === '' || part === '.') {
      merged ||= part === '' && i < last;
      trailing = i === last;
    } else if (part === '..') {
      if (kept.length === 0) return 'dot segments climb above the root';
      climbed = true;
      trailing = i === last;
      kept.pop();
    } else if (isPlain(part)) {
      kept.push(part);
    } else {
      const segment = decodeSegment(part);
      const problem = segment.problem ?? segmentProblem(segment.bytes);
      if (problem !== undefined) return problem;
      kept.push(encodeSegment(segment.bytes));
    }
  }
  if (merged && climbed) return 'dot segments and empty segments together';
  return trailing && kept.length > 0 ? `/${kept.join('/')}/` : `/${kept.join('/')}`;
}

/** True for a segment that stands for itself. */
function isPlain(part: string): boolean {
  for (let i = 0; i < part.length; i += 1) {
    if (!KIND[part.charCodeAt(i)]) return false;
  }
  return true;
}

/** Decodes the escapes of one segment once; one character per byte. */
function decodeSegment(part: string): { bytes: string; problem?: string } {
  let bytes = '';
  for (let i = 0; i < part.length; i += 1) {
    const code = part.charCodeAt(i);
    if (code === 0x25) {
      const byte = hexByte(part.charCodeAt(i + 1), part.charCodeAt(i + 2));
      if (byte < 0) return { bytes, problem: 'a percent sign without two hexadecimal digits' };
      const problem = encodedProblem(byte);
      if (problem !== undefined) return { bytes, problem };
      bytes += String.fromCharCode(byte);
      i += 2;
    } else {
      const problem = rawProblem(code);
      if (problem !== undefined) return { bytes, problem };
      bytes += part[i];
    }
  }
  return { bytes };
}

function encodedProblem(byte: number): string | undefined {
  if (byte < 0x20 || byte === 0x7f) return 'an encoded control character';
  if (byte === 0x2f) return 'an encoded slash';
  if (byte === 0x5c) return 'an encoded backslash';
  if (byte === 0x3b) return 'an encoded semicolon';
  return undefined;
}

function rawProblem(code: number): string | undefined {
  if (code === 0x3b) return 'a path parameter';
  if (code === 0x5c) return 'a backslash';
  if (code < 0x21 || code > 0x7e) return 'a byte that is not visible ASCII';
  if (code === 0x23 || code === 0x3f) return 'a delimiter of another part of the target';
  return undefined;
}

const DECODES_AGAIN = /%(?:[0-9a-f]{2}|u[0-9a-f]{4})/i;
// In valid UTF-8 the byte C2 only ever leads, so that this cannot match inside another character.
const C1_CONTROL = /\xc2[\x80-\x9f]/;
const NOT_ASCII = /[\x80-\xff]/;

function segmentProblem(bytes: string): string | undefined {
  if (DECODES_AGAIN.test(bytes)) return 'a doubly encoded character';
  if (!NOT_ASCII.test(bytes)) return DOTS_AND_BLANKS.test(bytes) ? 'a dot segment in disguise' : undefined;
  const buffer = Buffer.from(bytes, 'latin1');
  if (!isUtf8(buffer)) return 'invalid UTF-8';
  if (C1_CONTROL.test(bytes)) return 'an encoded control character';
  return MAY_FOLD_TO_DOT.test(bytes) && isDisguisedDots(buffer.toString('utf8')) ? 'a dot segment in disguise' : undefined;
}

const DOTS_AND_BLANKS = /^ *\.{1,2} *$/;
// Everything that NFKC turns into a dot is a dot, or in U+2000–203F (E2 80), or in U+F000–FFFF (EF): other text needs no folding.
const MAY_FOLD_TO_DOT = /[.\xef]|\xe2\x80/;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
// Fraction slash, division slash, big solidus, set minus and their kin: no NFKC mapping, but Windows' best fit has one.
const SLASH_LIKE = /[/\\\u2044\u2215\u2216\u29f5\u29f8\u29f9]/;

/** True when some reader makes `.` or `..` of it. Plain dot segments never come here: they were resolved before decoding. */
function isDisguisedDots(text: string): boolean {
  const folded = text.normalize('NFKC').replace(INVISIBLE, '');
  for (const piece of folded.split(SLASH_LIKE)) {
    const name = piece.trim();
    if (name === '.' || name === '..') return true;
  }
  return false;
}

function encodeSegment(bytes: string): string {
  let out = '';
  for (let i = 0; i < bytes.length; i += 1) {
    const code = bytes.charCodeAt(i);
    const kind = KIND[code];
    out += kind === PLAIN || kind === DOT ? bytes[i] : ESCAPE[code];
  }
  return out;
}

/** The byte that two hexadecimal digits stand for, or a negative number. NaN (end of input) is no digit. */
function hexByte(high: number, low: number): number {
  const value = hexDigit(high) * 16 + hexDigit(low);
  return Number.isNaN(value) ? -1 : value;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}
