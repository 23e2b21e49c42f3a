import type { HeaderList } from '../exchange/headers.ts';
import { type Condition, compareConditions, conditionsHold, conditionsKey, type Preflight } from './conditions.ts';
import { allowedMethods } from './methods.ts';

/** A route serves the request. `params` is undefined when its path has no `{name}`. */
export interface Found<T> {
  readonly match: T;
  readonly params: Record<string, string> | undefined;
  readonly allow: undefined;
}

/** The path exists, but not with this method: 405, or 204 for OPTIONS. See `answerMethod`. */
export interface MethodMiss {
  readonly match: undefined;
  readonly params: undefined;
  readonly allow: readonly string[];
}

/** A route as a leaf keeps it. */
export interface Candidate<T> {
  readonly value: T;
  readonly methods: readonly string[];
  readonly conditions: readonly Condition[];
  /** True when the route answers CORS preflights itself. */
  readonly preflight: boolean;
  /** The parameters of its path: their names, and the index of the segment that each one is. */
  readonly names: readonly string[];
  readonly positions: readonly number[];
}

/** What a leaf picked: `result` is ready to hand out, unless there are parameters to read from the path. */
export interface Picked<T> {
  readonly result: Found<T> | MethodMiss;
  readonly names: readonly string[];
  readonly positions: readonly number[];
}

interface Served<T> extends Picked<T> {
  readonly result: Found<T>;
  readonly preflight: boolean;
}

/** The routes of one leaf that have the same header conditions. */
interface Group<T> {
  readonly conditions: readonly Condition[];
  readonly byMethod: Map<string, Served<T>>;
}

/** The routes that share a host and a pattern. Which one serves a request, its headers and its method decide. */
export class Leaf<T> {
  private readonly groups: Group<T>[] = [];
  /** Where no route has header conditions, which is nearly everywhere: the routes by method, and the 405, made once. */
  private simple: Map<string, Served<T>> | undefined = undefined;
  private miss: Picked<T> | undefined = undefined;

  /** Where two routes compete for everything the first one stays; `findConflicts` tells the user. */
  add(candidate: Candidate<T>): void {
    const { value, names, positions, preflight } = candidate;
    const served: Served<T> = { result: { match: value, params: undefined, allow: undefined }, names, positions, preflight };
    const { byMethod } = this.group(candidate.conditions);
    for (const method of candidate.methods) {
      if (!byMethod.has(method)) byMethod.set(method, served);
    }
    const conditional = this.groups.some(({ conditions }) => conditions.length > 0);
    this.simple = conditional ? undefined : byMethod;
    this.miss = conditional ? undefined : missOf(byMethod.keys());
  }

  /** undefined: the header conditions of no route hold, so that a less specific pattern may have its turn. */
  pick(method: string, headers: HeaderList, preflight: Preflight | undefined): Picked<T> | undefined {
    if (preflight !== undefined) return this.pickForPreflight(preflight, headers);
    if (this.simple !== undefined) return lookUp(this.simple, method) ?? this.miss;
    return this.serving(method, headers, undefined) ?? this.missFor(headers, undefined);
  }

  /**
   * A preflight belongs to the route of the request that it asks for, which answers it if it has `cors`. Otherwise it
   * is an OPTIONS request like any other: the service may do CORS by itself.
   */
  private pickForPreflight(preflight: Preflight, headers: HeaderList): Picked<T> | undefined {
    const wanted = this.serving(preflight.method, headers, preflight);
    if (wanted?.preflight) return wanted;
    const plain = this.serving('OPTIONS', headers, preflight);
    if (plain !== undefined) return plain;
    if (wanted === undefined) {
      // No route has the method that is asked for. One with `cors` is to say so in the words of CORS.
      const refusing = this.anyPreflight(headers, preflight);
      if (refusing !== undefined) return refusing;
    }
    return this.missFor(headers, preflight);
  }

  private serving(method: string, headers: HeaderList, preflight: Preflight | undefined): Served<T> | undefined {
    for (const group of this.groups) {
      if (group.conditions.length !== 0 && !conditionsHold(group.conditions, headers, preflight)) continue;
      const served = lookUp(group.byMethod, method);
      if (served !== undefined) return served;
    }
    return undefined;
  }

  private anyPreflight(headers: HeaderList, preflight: Preflight): Picked<T> | undefined {
    for (const { byMethod } of this.holding(headers, preflight)) {
      // In the order of `Allow`, so that the order in the file does not decide.
      for (const method of allowedMethods(byMethod.keys())) {
        const served = byMethod.get(method);
        if (served?.preflight) return served;
      }
    }
    return undefined;
  }

  private missFor(headers: HeaderList, preflight: Preflight | undefined): Picked<T> | undefined {
    const groups = this.holding(headers, preflight);
    return groups.length === 0 ? undefined : missOf(groups.flatMap((group) => [...group.byMethod.keys()]));
  }

  private holding(headers: HeaderList, preflight: Preflight | undefined): Group<T>[] {
    return this.groups.filter(({ conditions }) => conditionsHold(conditions, headers, preflight));
  }

  private group(conditions: readonly Condition[]): Group<T> {
    const key = conditionsKey(conditions);
    const known = this.groups.find((group) => conditionsKey(group.conditions) === key);
    if (known !== undefined) return known;
    const group: Group<T> = { conditions, byMethod: new Map() };
    this.groups.push(group);
    this.groups.sort((a, b) => compareConditions(a.conditions, b.conditions));
    return group;
  }
}

/** HEAD is served where GET is (RFC 9110 section 9.3.2). */
function lookUp<T>(byMethod: ReadonlyMap<string, T>, method: string): T | undefined {
  return byMethod.get(method) ?? (method === 'HEAD' ? byMethod.get('GET') : undefined);
}

function missOf<T>(methods: Iterable<string>): Picked<T> {
  return { result: { match: undefined, params: undefined, allow: allowedMethods(methods) }, names: [], positions: [] };
}
