import type { Claims } from './exchange.ts';

/**
 * A claim by its name, or by names with dots between for what lies deeper (`realm_access.roles`). The whole name wins: claims of other
 * people are named by URLs (RFC 7519 section 4.2). Only own members count, so `__proto__` and `constructor` are nothing (CWE-1321).
 */
export function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, part)) return undefined;
    value = (value as Claims)[part];
  }
  return value;
}
