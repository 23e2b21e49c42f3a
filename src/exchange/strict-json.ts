import { readJson } from './body/json.ts';
import type { BodyBounds, FlagCode } from './body/parsed.ts';

/**
 * Small JSON objects that decide about identity: parts of a token, keys of an issuer, answers of an authorization server. What has two
 * readings is refused: invalid UTF-8, a byte order mark, a member that comes twice at any level, in any spelling (RFC 8259 section 4).
 */

/** Deeper than any token that is meant. How long these texts are is bounded by who reads them. */
const BOUNDS: BodyBounds = {
  depth: 32,
  keys: Number.POSITIVE_INFINITY,
  items: Number.POSITIVE_INFINITY,
  number: Number.POSITIVE_INFINITY,
};

/** What readers agree on as far as it matters here: claims are compared as they are read, and a text that is no UTF-8 has no value. */
const TOLERATED: ReadonlySet<FlagCode> = new Set(['nul', 'utf8-invalid', 'json-number', 'json-number-precision']);

/**
 * The object that these bytes are, or undefined when they are none or have two readings. It and every object in it inherit nothing (their
 * prototype is empty, see the reader), and none has a member `__proto__`: no look-up by a name that a client chose can find what is not
 * there (CWE-1321).
 */
export function readJsonObject(bytes: Buffer): Record<string, unknown> | undefined {
  const { value, flags } = readJson(bytes, BOUNDS);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (flags.length > 0 && !flags.every(({ code }) => TOLERATED.has(code))) return undefined;
  return value as Record<string, unknown>;
}
