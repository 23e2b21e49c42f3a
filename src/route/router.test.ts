import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  type CaseRequest,
  type CaseRoute,
  preflightForMissingMethod,
  type RouteCase,
  routeCases,
} from '../../test/cases/routes.ts';
import { createRouter, type Router } from './router.ts';

export function routerOf(routes: readonly CaseRoute[]): Router<string> {
  return createRouter(routes.map((route) => ({ ...route, value: route.id })));
}

/** What the router says, in the words of the cases. */
function outcome(
  router: Router<string>,
  { host = 'any.test', path, method = 'GET', headers = [] }: CaseRequest,
): CaseRequest['gives'] {
  const result = router.find(host, path, method, [...headers]);
  if (result === undefined) return 404;
  if (result.allow !== undefined) return { allow: result.allow.join(', ') };
  return result.params === undefined ? result.match : { id: result.match, params: { ...result.params } };
}

function check(routeCase: RouteCase): void {
  for (const routes of [routeCase.routes, routeCase.routes.toReversed()]) {
    const router = routerOf(routes);
    for (const request of routeCase.requests) {
      assert.deepEqual(
        outcome(router, request),
        request.gives,
        `${request.method ?? 'GET'} ${request.host ?? ''}${request.path}`,
      );
    }
  }
}

describe('which route takes which request, in either order of the routes', () => {
  for (const routeCase of [...routeCases, preflightForMissingMethod]) test(routeCase.name, () => check(routeCase));
});

test('parameters inherit nothing', () => {
  const result = routerOf([{ id: 'x', path: '/{a}' }]).find('', '/1', 'GET', []);
  assert.equal(result?.params?.a, '1');
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
    assert.equal(result?.params?.[name], undefined, name);
});

test('a malformed pattern or host does not make a router', () => {
  assert.throws(() => routerOf([{ id: 'x', path: 'x' }]), /begins with/);
  assert.throws(() => routerOf([{ id: 'x', path: '/x', host: 'a b' }]), /not a host name/);
});

/** Stands in for a path and counts how often a character is read. */
class CountingPath {
  reads = 0;
  readonly length: number;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
    this.length = text.length;
  }

  charCodeAt(index: number): number {
    this.reads++;
    return this.text.charCodeAt(index);
  }

  startsWith(text: string, start: number): boolean {
    this.reads += text.length;
    return this.text.startsWith(text, start);
  }
}

function readsOf(patterns: readonly string[], path: string): number {
  const counting = new CountingPath(path);
  const result = routerOf(patterns.map((pattern) => ({ id: pattern, path: pattern }))).find(
    '',
    counting as unknown as string,
    'GET',
    [],
  );
  assert.equal(result, undefined, 'an adversarial path matches nothing');
  return counting.reads;
}

/** All patterns of `depth` segments of which each is `a` or a wildcard. */
function everyMixture(depth: number, end: string): string[] {
  return Array.from({ length: 2 ** depth }, (_, bits) => {
    const segments = Array.from({ length: depth }, (_unused, i) => ((bits >> i) & 1 ? 'a' : '*'));
    return `/${segments.join('/')}/${end}`;
  });
}

describe('the cost of a path is bounded by the patterns, however they branch', () => {
  const deep = 60;
  test('one long pattern of wildcards: each character is read a few times', () => {
    const reads = readsOf(
      [`/${'*/'.repeat(deep)}end`, `/${'{p}/'.repeat(3)}a/**`.replaceAll('{p}', '*')],
      `${'/a'.repeat(3)}/b${'/a'.repeat(deep)}`,
    );
    assert.ok(reads <= 8 * deep, `${reads} reads`);
  });

  test('a literal and a wildcard at every step: each step is gone once, not twice', () => {
    // After k steps `/a/a/…/*` leads away and ends: 2^k ways for a matcher that does not share them.
    const patterns = Array.from({ length: deep - 1 }, (_, k) => `${'/a'.repeat(k)}/*${'/a'.repeat(deep - 1 - k)}/end`);
    const reads = readsOf(patterns, `${'/a'.repeat(deep)}/no`);
    assert.ok(reads <= 4 * deep * deep, `${reads} reads`);
  });

  test('all mixtures: never more than there are nodes', () => {
    const reads = readsOf(everyMixture(10, 'end'), `${'/a'.repeat(10)}/no`);
    assert.ok(reads <= 6 * 2 ** 11, `${reads} reads`);
  });

  test('ten times as many segments behind the last branch cost nothing', () => {
    const patterns = ['/a/*/b/end', '/a/{x}/*/c', '/*/*/*/d'];
    assert.equal(readsOf(patterns, `/a${'/b'.repeat(4000)}`), readsOf(patterns, `/a${'/b'.repeat(400)}`));
  });
});

const KINDS = [
  '/api/NAME/orders',
  '/api/NAME/orders/{id}',
  '/api/NAME/orders/{id}/lines/{line}',
  '/api/NAME/files/**',
  '/NAME/**',
];

function manyRoutes(count: number): CaseRoute[] {
  return Array.from({ length: count }, (_, i) => {
    const path = KINDS[i % KINDS.length].replace('NAME', `service-${Math.floor(i / KINDS.length)}`);
    return { id: path, path };
  });
}

function somePaths(count: number): string[] {
  return manyRoutes(count).map(({ path }, i) => path.replace(/\{\w+\}/g, `${i}`).replace('**', `a/${i}`));
}

/** Nanoseconds for one `find`, over paths that all match. */
function cost(router: Router<string>, paths: readonly string[]): number {
  const headers = ['host', 'a.test', 'accept', '*/*'];
  const rounds = Math.ceil(20_000 / paths.length);
  const began = process.hrtime.bigint();
  for (let round = 0; round < rounds; round++) {
    for (const path of paths) if (router.find('a.test', path, 'GET', headers) === undefined) throw new Error(path);
  }
  return Number(process.hrtime.bigint() - began) / (rounds * paths.length);
}

test('a thousand routes match as fast as ten', () => {
  const small = routerOf(manyRoutes(10));
  const large = routerOf(manyRoutes(1000));
  let ten = Number.POSITIVE_INFINITY;
  let thousand = Number.POSITIVE_INFINITY;
  // The best of interleaved rounds: what else runs on the machine can only slow a round down.
  for (let round = 0; round < 40; round++) {
    ten = Math.min(ten, cost(small, somePaths(10)));
    thousand = Math.min(thousand, cost(large, somePaths(1000)));
  }
  assert.ok(thousand <= 3 * ten + 50, `10 routes: ${ten.toFixed(0)} ns, 1,000 routes: ${thousand.toFixed(0)} ns`);
});
