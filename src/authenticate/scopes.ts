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
  if (typeof value === 'string') return WORDS.test(value) ? Object.freeze(value.split(' ')) : undefined;
  return isWords(value) ? Object.freeze(value.slice()) : undefined;
}

function isWords(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((word) => typeof word === 'string' && WORD.test(word));
}
