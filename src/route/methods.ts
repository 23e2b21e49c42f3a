import { type Answer, type Refusal, refuse } from '../exchange/decision.ts';

/** What a route without `methods` serves. */
export const DEFAULT_METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/**
 * The methods in the order of an `Allow` field. HEAD comes with GET and OPTIONS with everything: the gateway answers
 * it where no route lists it.
 */
export function allowedMethods(methods: Iterable<string>): readonly string[] {
  const all = new Set(methods);
  if (all.has('GET')) all.add('HEAD');
  all.add('OPTIONS');
  return [...all].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

function rank(method: string): number {
  const index = DEFAULT_METHODS.indexOf(method);
  return index === -1 ? DEFAULT_METHODS.length : index;
}

/**
 * What a request gets whose path exists, but not with its method: 405 with `Allow`. OPTIONS asks for just this field,
 * so it gets 204 (RFC 9110 section 9.3.7).
 */
export function answerMethod(method: string, allow: readonly string[]): Answer | Refusal {
  const headers = ['allow', allow.join(', ')];
  if (method === 'OPTIONS') return { kind: 'answer', status: 204, headers };
  return refuse('method-not-allowed', 'no route for this path has this method', { headers });
}
