import { needsCaller } from './keys.ts';

/** What is said of a limit, as far as it matters who calls. */
interface Asks {
  readonly by: readonly string[];
  readonly plans?: unknown;
}

/** Why a limit cannot work on a route with these kinds of methods: it would count everybody together, or nobody. */
export function callerProblem({ by, plans }: Asks, kinds: readonly string[]): string | undefined {
  if (kinds.length === 0) {
    const word = by.find(needsCaller);
    if (word !== undefined) return `a limit by ${word} needs a caller, and this route has \`authentication: none\``;
    return plans === undefined ? undefined : 'a limit with `plans` needs a caller, and this route has `authentication: none`';
  }
  if (by.includes('api-key') && !kinds.includes('api-key'))
    return 'a limit by api-key needs an API key, and no method of this route takes one';
  return undefined;
}
