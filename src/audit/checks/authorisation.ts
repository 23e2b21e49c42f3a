import type { AuthorizeOptions } from '../../authorize/options.ts';
import { canonicalJson } from '../../config/hash.ts';
import type { Segment } from '../../route/pattern.ts';
import { type AuditedRoute, unsafeMethods } from '../audited.ts';
import { type Check, met, open } from '../model.ts';
import { eachAuthenticatedRoute } from '../scopes.ts';

type Rules = AuthorizeOptions;

/** Whether every way through these rules asks for something that not every caller has. */
function asksPermission(rules: Rules): boolean {
  return (
    [rules.scopes, rules['any-scope'], rules.roles, rules.claims, rules.callers].some((rule) => rule !== undefined) ||
    (rules['all-of'] ?? []).some(asksPermission) ||
    ((rules['any-of'] ?? []).length > 0 && (rules['any-of'] ?? []).every(asksPermission))
  );
}

function namesOwner(rules: Rules): boolean {
  return rules.owner !== undefined || [...(rules['all-of'] ?? []), ...(rules['any-of'] ?? [])].some(namesOwner);
}

/** Whether a role or claim is asked for, such as that of support: who has it may see the objects of others. */
function isPrivileged(rules: Rules): boolean {
  return rules.roles !== undefined || rules.claims !== undefined || (rules['all-of'] ?? []).some(isPrivileged);
}

/** Whether every way through binds the object to the caller, or is for people with a role or claim of their own. */
function bindsOwner(rules: Rules): boolean {
  const ways = rules['any-of'] ?? [];
  return (
    rules.owner !== undefined ||
    (rules['all-of'] ?? []).some(bindsOwner) ||
    (ways.some(bindsOwner) && ways.every((way) => bindsOwner(way) || isPrivileged(way)))
  );
}

/** What of a path can name an object. */
function objectPart(segments: readonly Segment[]): string | undefined {
  const segment = segments.find(({ kind }) => kind !== 'literal');
  if (segment === undefined) return undefined;
  if (segment.kind === 'single') return segment.name === undefined ? '*' : `{${segment.name}}`;
  return '**';
}

function ownerFix(part: string): string {
  return part.startsWith('{')
    ? `authorize: { owner: { parameter: ${part.slice(1, -1)}, claim: sub } }`
    : `write ${part} as a parameter, such as {id}, and authorize: { owner: { parameter: id, claim: sub } }`;
}

const places = new WeakMap<readonly AuditedRoute[], ReadonlyMap<string, readonly AuditedRoute[]>>();

/** Grouped once for each configuration: a thousand routes are not compared with a thousand. */
function byPlace(routes: readonly AuditedRoute[]): ReadonlyMap<string, readonly AuditedRoute[]> {
  const known = places.get(routes) ?? Map.groupBy(routes, ({ place }) => place);
  places.set(routes, known);
  return known;
}

/** Another route for the same paths that reads, and asks for the same. */
function twinThatReads(one: AuditedRoute, routes: readonly AuditedRoute[]): AuditedRoute | undefined {
  const rules = canonicalJson(one.route.authorize);
  return byPlace(routes)
    .get(one.place)
    ?.find((other) => other !== one && other.safe && other.authenticated && canonicalJson(other.route.authorize) === rules);
}

export const authorisation: readonly Check[] = [
  {
    name: 'route-permission',
    title: 'Being known is not enough: each route asks for a permission',
    heading: 'authorisation',
    owasp: ['API5'],
    why: 'Without a rule every known caller may use the route, the newest partner like the administrator.',
    fix: 'authorize: { scopes: [NAME:read] }',
    applies: 'routes with authentication',
    judge: eachAuthenticatedRoute(({ route: { authorize } }) => {
      if (authorize === undefined) return open('every known caller may use it', ['authorize']);
      if (asksPermission(authorize) || namesOwner(authorize)) return met('a permission is asked for', 'authorize');
      return open('no scope, role or claim is asked for on every way through the rules', ['authorize']);
    }),
  },
  {
    name: 'object-owner',
    title: 'Whose object it is decides',
    heading: 'authorisation',
    owasp: ['API1'],
    why: 'Who may read one order must not read another one by changing its number.',
    fix: 'authorize: { owner: { parameter: id, claim: sub } }',
    applies: 'paths to objects ({name}, *, **) with callers',
    judge: eachAuthenticatedRoute(({ route: { authorize }, segments }) => {
      const part = objectPart(segments);
      if (part === undefined) return undefined;
      if (authorize !== undefined && namesOwner(authorize)) {
        if (bindsOwner(authorize)) return met('objects are bound to their owners', 'authorize');
        return open('there is a way through the rules without `owner`, and without a role or claim', ['authorize']);
      }
      return open(`${part} names an object, and nothing binds it to the caller`, ['authorize'], ownerFix(part));
    }),
  },
  {
    name: 'function-level',
    title: 'Changing asks for more than reading',
    heading: 'authorisation',
    owasp: ['API5'],
    why: 'Who may look must not be able to change or delete by sending another method.',
    fix: 'give the unsafe methods a route of their own: authorize: { scopes: [NAME:write] }',
    applies: 'routes with callers that change something',
    judge: eachAuthenticatedRoute((one, { routes }) => {
      const { route, unsafe, safe } = one;
      if (!unsafe) return undefined;
      const changing = unsafeMethods(route.methods).join(', ');
      if (route.authorize === undefined || !asksPermission(route.authorize))
        return open(`${changing} ${changing.includes(',') ? 'ask' : 'asks'} for no permission`, ['authorize']);
      if (safe) return open(`${changing} and reading ask for the same`, ['methods']);
      if (twinThatReads(one, routes) !== undefined)
        return open(`${changing} and the route that reads ask for the same`, ['authorize']);
      return met(`${changing} have rules of their own`, 'authorize');
    }),
  },
];
