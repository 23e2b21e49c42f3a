import type { AlternativeNames } from '../../exchange/client-certificate.ts';

/**
 * SPIFFE ids by the letter of their specification: one spelling for one id. No port, no user, no query, no escapes, no empty or relative
 * segments, and no slash at the end, so that comparing texts is comparing ids.
 */
const ID = /^spiffe:\/\/[a-z0-9._-]{1,255}((?:\/[a-zA-Z0-9._-]+)*)$/;
const RELATIVE = /\/\.\.?(?:\/|$)/;
const MAX_BYTES = 2048;

function isSpiffeId(text: string): boolean {
  return text.length <= MAX_BYTES && ID.test(text) && !RELATIVE.test(text);
}

/** The SPIFFE id of a certificate: its only URI (X.509-SVID section 2), and one that has a path, because an id without is an authority's. */
export function spiffeIdOf({ uri, malformed }: AlternativeNames): string | undefined {
  const [id] = uri;
  return uri.length === 1 && !malformed && isSpiffeId(id) && ID.exec(id)?.[1] !== '' ? id : undefined;
}

/** Reads `spiffe://td/path` or `spiffe://td/path/*`. */
export function parseSpiffePattern(text: string): string | { problem: string } {
  const id = text.endsWith('/*') ? text.slice(0, -2) : text;
  return isSpiffeId(id)
    ? text
    : { problem: 'expected spiffe://TRUST-DOMAIN/PATH, with nothing but `/*` at the end as a wildcard' };
}

/** Whether an id is the one that was written, or below it. Never another one that begins with the same letters. */
export function matchesSpiffe(id: string, pattern: string): boolean {
  return pattern.endsWith('/*') ? id.startsWith(pattern.slice(0, -1)) : id === pattern;
}
