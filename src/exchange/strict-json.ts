import { isUtf8 } from 'node:buffer';

/**
 * Small JSON objects that decide about identity: parts of a token, keys of an issuer, answers of an authorization server. What has two
 * readings is refused: invalid UTF-8, a byte order mark, a member that comes twice at any level, in any spelling (RFC 8259 section 4).
 */

/** Deeper than any token that is meant, and far from what a recursive reader could not stand. */
const DEPTH = 32;

/**
 * The object that these bytes are, or undefined when they are none or have two readings. Neither it nor any object in it has a
 * prototype, and none has a member `__proto__`: no look-up by a name that a client chose can find what is not there (CWE-1321).
 */
export function readJsonObject(bytes: Buffer): Record<string, unknown> | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString('utf8');
  const members = countMembers(text);
  if (members < 0) return undefined;
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  // Of members with the same name JSON.parse keeps the last: where one came twice, fewer are found than stand in the text.
  return harden(value) === members ? (value as Record<string, unknown>) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** How many members the objects of a JSON text have: the colons outside of strings. -1: it is nested too deeply. */
function countMembers(text: string): number {
  let members = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) i = endOfString(text, i + 1);
    else if (c === 0x3a) members++;
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > DEPTH) return -1;
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  return members;
}

/** Where the closing quote stands, or the end of a text that has none. */
function endOfString(text: string, from: number): number {
  let i = from;
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) break;
    if (c === BACKSLASH) i++;
  }
  return i;
}

/** Takes the prototypes away and counts the members. -Infinity where one of them is `__proto__`. */
function harden(value: object): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + inner(item), 0);
  const members = value as Record<string, unknown>;
  let count = 0;
  for (const name of Object.keys(members)) {
    if (name === '__proto__') return Number.NEGATIVE_INFINITY;
    count += 1 + inner(members[name]);
  }
  Object.setPrototypeOf(value, null);
  return count;
}

function inner(value: unknown): number {
  return typeof value === 'object' && value !== null ? harden(value) : 0;
}
