import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findConflicts } from './conflicts.ts';
import { createRouter, type RouteEntry } from './router.ts';

/**
 * The slow twin of the router: it tries every route and ranks those that match by the order in `docs/routing.md`,
 * written down anew and with nothing shared but the words.
 */

type Entry = RouteEntry<number>;
const METHODS = ['GET', 'POST'];

function segmentsOf(path: string): string[] {
  return path.slice(1).split('/');
}

function takes(pattern: string[], path: string[]): boolean {
  if (pattern.at(-1) === '**') {
    const before = pattern.slice(0, -1);
    return path.length >= before.length && takes(before, path.slice(0, before.length));
  }
  return pattern.length === path.length && pattern.every((part, i) => (isSingle(part) ? path[i] !== '' : part === path[i]));
}

function isSingle(part: string): boolean {
  return part === '*' || part.startsWith('{');
}

/** Ranks segment by segment: literal, one segment, the end of the pattern, `**`. */
function pathRank(pattern: string[]): string {
  return pattern.map((part) => (part === '**' ? 'd' : isSingle(part) ? 'b' : 'a')).join('') + 'c';
}

function hostRank(pattern: string | undefined, host: string): string | undefined {
  if (pattern === undefined) return 'z';
  if (pattern.startsWith('*.')) return host.endsWith(pattern.slice(1)) ? `b${String(999 - pattern.length)}` : undefined;
  return pattern === host ? 'a' : undefined;
}

function holds(conditions: Readonly<Record<string, string>>, headers: readonly string[]): boolean {
  return Object.entries(conditions).every(([name, value]) => {
    const values = headers.filter((_, i) => i % 2 === 1 && headers[i - 1] === name);
    return value === 'present' ? values.length > 0 : values.length === 1 && values[0] === value;
  });
}

function conditionRank(conditions: Readonly<Record<string, string>>): string {
  const entries = Object.entries(conditions).sort(([a], [b]) => (a < b ? -1 : 1));
  const exact = entries.filter(([, value]) => value !== 'present').length;
  return `${9 - entries.length}${9 - exact}${JSON.stringify(entries.map(([name, value]) => [name, value === 'present' ? null : value]))}`;
}

function slowFind(routes: readonly Entry[], host: string, path: string, method: string, headers: readonly string[]): string {
  const ranked = routes.flatMap((route) => {
    const pattern = segmentsOf(route.path);
    const byHost = hostRank(route.host as string | undefined, host);
    if (byHost === undefined || !takes(pattern, segmentsOf(path)) || !holds(route.headers ?? {}, headers)) return [];
    return [{ route, owner: `${byHost}|${pathRank(pattern)}`, rank: conditionRank(route.headers ?? {}) }];
  });
  ranked.sort((a, b) => (a.owner + a.rank < b.owner + b.rank ? -1 : 1));
  const owners = ranked.filter(({ owner }) => owner === ranked[0].owner);
  if (owners.length === 0) return '404';
  const serving = owners.find(({ route }) => route.methods?.includes(method));
  if (serving !== undefined) return String(serving.route.value);
  return `405 ${METHODS.filter((name) => owners.some(({ route }) => route.methods?.includes(name))).join()}`;
}

function fastFind(routes: readonly Entry[], host: string, path: string, method: string, headers: readonly string[]): string {
  const result = createRouter(routes).find(host, path, method, [...headers]);
  if (result === undefined) return '404';
  if (result.allow === undefined) return String(result.match);
  return `405 ${result.allow.filter((name) => METHODS.includes(name)).join()}`;
}

const literal = fc.constantFrom('a', 'b', 'ab', '__proto__');
const part = fc.oneof({ weight: 3, arbitrary: literal }, { weight: 2, arbitrary: fc.constantFrom('*', '{p}') });
const pattern = fc
  .tuple(
    fc.uniqueArray(part, { maxLength: 4, selector: (text) => (text === '{p}' ? text : {}) }),
    fc.constantFrom('', '', '/', '/**', '/**'),
  )
  .map(([parts, end]) => `/${parts.join('/')}${end}`.replace('//', '/'));
const path = fc
  .tuple(fc.array(literal, { maxLength: 5 }), fc.constantFrom('', '', '/'))
  .map(([parts, end]) => `/${parts.join('/')}${end}`.replace('//', '/'));
const host = fc.constantFrom(undefined, undefined, 'a.test', '*.test', '*.a.test', 'x.a.test');
const conditions = fc.dictionary(fc.constantFrom('x-a', 'x-b'), fc.constantFrom('1', '2', 'present'), {
  maxKeys: 2,
  noNullPrototype: true,
});
const route = fc.record({
  path: pattern,
  host,
  methods: fc.constantFrom(['GET'], ['POST'], ['GET', 'POST']),
  headers: fc.oneof(fc.constant({}), conditions),
});
const routes = fc.array(route, { minLength: 1, maxLength: 12 }).map((list) => {
  const entries = list.map((entry, value) => ({ ...entry, value }));
  const doubled = new Set(findConflicts(entries).map(({ second }) => second));
  return entries.filter((_, index) => !doubled.has(index));
});
const headers = fc
  .array(fc.tuple(fc.constantFrom('x-a', 'x-b'), fc.constantFrom('1', '2')), { maxLength: 3 })
  .map((pairs) => pairs.flat());
const hosts = fc.constantFrom('a.test', 'x.a.test', 'y.x.a.test', 'b.test', 'test', '');

test('the router agrees with its slow twin', () => {
  fc.assert(
    fc.property(routes, hosts, path, fc.constantFrom(...METHODS), headers, (list, name, target, method, fields) => {
      assert.equal(fastFind(list, name, target, method, fields), slowFind(list, name, target, method, fields));
    }),
    { numRuns: 5000 },
  );
});

test('the order of the routes never matters', () => {
  const shuffled = routes.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
  fc.assert(
    fc.property(
      shuffled,
      hosts,
      path,
      fc.constantFrom(...METHODS, 'OPTIONS'),
      headers,
      ([list, other], name, target, method, fields) => {
        const preflight =
          method === 'OPTIONS' ? ['origin', 'https://a.test', 'access-control-request-method', 'GET', ...fields] : fields;
        const withCors = (entries: Entry[]) => entries.map((entry) => ({ ...entry, preflight: entry.value % 2 === 0 }));
        assert.equal(
          fastFind(withCors(list), name, target, method, preflight),
          fastFind(withCors(other), name, target, method, preflight),
        );
      },
    ),
    { numRuns: 3000 },
  );
});
