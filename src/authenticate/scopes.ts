import type { Claims } from '../exchange/exchange.ts';

const NONE: readonly string[] = Object.freeze([]);

/** RFC 6749 section 3.3: words of visible ASCII without quote and backslash. */
const WORD = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const WORDS = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

/**
 * The scopes of a token or an introspection answer: `scope`, or `scp` where there is none (RFC 8693 section 4.2, and what Microsoft and
 * Okta write), as a text of words with one space between, or as an array of words. undefined: one of the two is something else.
 */
export function readScopes(claims: Claims): readonly string[] | undefined {
  const scope = read(claims.scope);
  const scp = read(claims.scp);
  return scope === undefined || scp === undefined ? undefined : claims.scope === undefined ? scp : scope;
}

function read(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === '') return NONE;
  if (typeof value === 'string') return known.get(value) ?? learn(value);
  return isWords(value) ? Object.freeze(value.slice()) : undefined;
}

/** What one issuer writes into its tokens is nearly always one of a few texts. Pure, so one memory serves all methods. */
const known = new Map<string, readonly string[]>();
const MOST_KNOWN = 256;
const LONGEST_KNOWN = 256;

function learn(text: string): readonly string[] | undefined {
  if (!WORDS.test(text)) return undefined;
  if (text.length > LONGEST_KNOWN) return Object.freeze(text.split(' '));
  if (known.size >= MOST_KNOWN) known.clear();
  // A copy: a text cut out of a payload would keep all of it in memory. It is ASCII.
  const copy = Buffer.from(text, 'latin1').toString('latin1');
  const words = Object.freeze(copy.split(' '));
  known.set(copy, words);
  return words;
}

function isWords(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((word) => typeof word === 'string' && WORD.test(word));
}
