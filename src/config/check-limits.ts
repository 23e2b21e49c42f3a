import { callerProblem } from '../limit/needs.ts';
import { list, mapping } from './checks.ts';
import type { Report } from './findings.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** Limits that ask for a caller where a route has none, or for a key where it takes none. */
export function checkLimits(raw: unknown, report: Report): void {
  const file = mapping(raw);
  for (const [index, value] of list(file.routes).entries()) {
    const route = mapping(value);
    const kinds = kindsOf(route.authentication, mapping(file.authentication));
    if (kinds === undefined) continue;
    for (const [at, limit] of list(route.limits).entries()) {
      const problem = callerProblem(asksOf(limit, mapping(file.limits)), kinds);
      if (problem !== undefined) report(['routes', index, 'limits', at], problem);
    }
  }
}

/** The kinds of the methods of a route; undefined where that cannot be told, which others say. */
function kindsOf(authentication: unknown, methods: Mapping): string[] | undefined {
  if (authentication === 'none') return [];
  const kinds = list(authentication).flatMap((name) =>
    typeof name === 'string' && Object.hasOwn(methods, name) ? Object.keys(mapping(methods[name])) : [],
  );
  return kinds.length === 0 ? undefined : kinds;
}

function asksOf(written: unknown, named: Mapping): { by: string[]; plans: unknown } {
  const limit = mapping(typeof written === 'string' && Object.hasOwn(named, written) ? named[written] : written);
  const by = typeof limit.by === 'string' ? [limit.by] : list(limit.by);
  return { by: by.filter((word) => typeof word === 'string'), plans: limit.plans };
}
