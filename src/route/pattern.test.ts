import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { conflictCases, malformedHosts, malformedPatterns } from '../../test/cases/routes.ts';
import { findConflicts } from './conflicts.ts';
import { parseHost, parsePattern } from './pattern.ts';

describe('patterns that do not load say why', () => {
  for (const [text, word] of malformedPatterns) {
    test(JSON.stringify(text).slice(0, 40), () => {
      const result = parsePattern(text);
      assert.ok('problem' in result, 'it is refused');
      assert.ok(result.problem.includes(word), result.problem);
    });
  }
});

describe('hosts that do not load say why', () => {
  for (const [text, word] of malformedHosts) {
    test(JSON.stringify(text), () => {
      const result = parseHost(text);
      assert.ok('problem' in result, 'it is refused');
      assert.ok(result.problem.includes(word), result.problem);
    });
  }
});

test('a pattern is taken apart', () => {
  assert.deepEqual(parsePattern('/é/{id}/*/**'), {
    text: '/é/{id}/*/**',
    segments: [
      { kind: 'literal', text: '%C3%A9' },
      { kind: 'single', name: 'id' },
      { kind: 'single', name: undefined },
      { kind: 'rest' },
    ],
    shape: '/%C3%A9/{}/{}/**',
    exact: false,
  });
});

test('hosts come out as requests have them', () => {
  assert.deepEqual(parseHost('*.BÜCHER.example.'), { name: '.xn--bcher-kva.example', wildcard: true });
  assert.deepEqual(parseHost('[2001:DB8::0:1]'), { name: '[2001:db8::1]', wildcard: false });
  assert.deepEqual(parseHost('127.0.0.1'), { name: '127.0.0.1', wildcard: false });
  assert.deepEqual(parseHost('localhost'), { name: 'localhost', wildcard: false });
});

describe('routes that nothing tells apart are found when the configuration loads', () => {
  for (const { name, routes, conflict } of conflictCases) {
    test(name, () => {
      const found = findConflicts(routes.map((route) => ({ ...route, value: undefined })));
      assert.deepEqual(
        found.map(({ first, second }) => [first, second]),
        conflict ? [[0, 1]] : [],
      );
    });
  }

  test('each pair is told once, with the other path', () => {
    const routes = ['/x/{a}', '/y', '/x/*', '/x/{a}'].map((path) => ({ path, value: undefined }));
    const found = findConflicts(routes);
    assert.deepEqual(
      found.map(({ first, second }) => [first, second]),
      [
        [0, 2],
        [0, 3],
      ],
    );
    assert.match(found[0].problem, /"\/x\/\{a\}"/);
  });
});
