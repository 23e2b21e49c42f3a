import { conditionsKey, readConditions } from './conditions.ts';
import { DEFAULT_METHODS } from './methods.ts';
import { parseHost, parsePattern } from './pattern.ts';
import { hostList, type RouteEntry } from './router.ts';

/** Two routes of which no request can tell which one is meant. */
export interface Conflict {
  /** Indexes into the list that was given; `second` is the larger. */
  readonly first: number;
  readonly second: number;
  readonly problem: string;
}

/**
 * Finds routes that compete for the same requests: the same host, the same pattern (names of parameters do not count),
 * the same header conditions and a method in common. Malformed patterns and hosts are passed over: they have errors of
 * their own. Each pair is told once.
 */
export function findConflicts(routes: readonly RouteEntry<unknown>[]): Conflict[] {
  const taken = new Map<string, number>();
  const conflicts = new Map<string, Conflict>();
  for (const [second, route] of routes.entries()) {
    for (const { key, method } of claims(route)) {
      const first = taken.get(key);
      if (first === undefined) taken.set(key, second);
      else if (first !== second && !conflicts.has(`${first} ${second}`)) {
        conflicts.set(`${first} ${second}`, { first, second, problem: describe(routes[first], route, method) });
      }
    }
  }
  return [...conflicts.values()];
}

/** Every (host, shape, conditions, method) that a route claims, each as one text. */
function claims(route: RouteEntry<unknown>): { key: string; method: string }[] {
  const pattern = parsePattern(route.path);
  if ('problem' in pattern) return [];
  const conditions = conditionsKey(readConditions(route.headers));
  return hostKeys(route).flatMap((host) =>
    (route.methods ?? DEFAULT_METHODS).map((method) => ({
      key: JSON.stringify([host, pattern.shape, conditions, method]),
      method,
    })),
  );
}

function hostKeys(route: RouteEntry<unknown>): string[] {
  if (route.host === undefined) return ['any'];
  return hostList(route.host).flatMap((text) => {
    const host = parseHost(text);
    return 'problem' in host ? [] : [`${host.wildcard ? '*' : '='}${host.name}`];
  });
}

function describe(first: RouteEntry<unknown>, second: RouteEntry<unknown>, method: string): string {
  const paths = first.path === second.path ? 'has this path' : `takes the same paths with ${JSON.stringify(first.path)}`;
  return `another route ${paths}, for the same host, with the same header conditions, and ${method} too: nothing tells them apart`;
}
