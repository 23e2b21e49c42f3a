import type { Claims } from '../../src/exchange/exchange.ts';

/** Claims as methods make them: without a prototype, own members only, `__proto__` among them where a token has it. */
export function claimsOf(members: Readonly<Record<string, unknown>>): Claims {
  const claims = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(members)) claims[name] = value;
  return claims;
}
