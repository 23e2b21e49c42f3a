import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clearSecrets } from './clear-secrets.ts';
import { checkWithSource } from './load.ts';
import { formatProblem } from './problem.ts';

const BASE = `listeners: { plain: { address: 127.0.0.1:0 } }
services: { s: http://127.0.0.1:9001 }
routes: [{ path: /**, service: s, authentication: none }]
`;
const ENVIRONMENT = { TOKEN: 'sixteen-characters', PASSWORD: 'hunter2', STORE: 'redis://:hunter2@127.0.0.1' };

function told(more: string): string[] {
  const { result, source } = checkWithSource('a.yaml', BASE + more, ENVIRONMENT);
  assert.ok(result.ok, JSON.stringify(result));
  return clearSecrets(result.options, source ?? assert.fail()).map((problem) => formatProblem(problem));
}

test('a secret that stands in the file is told with its place and what to do, and not shown', () => {
  const cases: [string, RegExp][] = [
    ['store: redis://:hunter2@127.0.0.1\n', /^a\.yaml:4:8: store: the password of the store .*password: secret:NAME/],
    ['store: { redis: "redis://u:hunter2@127.0.0.1" }\n', /^a\.yaml:4:17: store\.redis: the password of the store/],
    ['store: { redis: redis://h, password: hunter2 }\n', /^a\.yaml:4:38: store\.password: this secret .*write secret:NAME/],
    ["store: 'redis://:hunter2${PASSWORD}@h'\n", /^a\.yaml:4:8: store: the password/],
    ['admin: { address: 127.0.0.1:0, token: hunter2-hunter2-hunter2 }\n', /^a\.yaml:4:39: admin\.token: this secret/],
  ];
  for (const [more, expected] of cases) {
    const problems = told(more);
    assert.equal(problems.length, 1, more);
    assert.match(problems[0], expected);
    assert.doesNotMatch(problems[0], /hunter2/);
  }
});

test('a reference is none', () => {
  for (const more of [
    '',
    'store: redis://127.0.0.1\n',
    'store: redis://u@127.0.0.1\n',
    'store: secret:STORE\n',
    "store: '${STORE}'\n",
    "store: 'redis://:${PASSWORD}@127.0.0.1'\n",
    'store: { redis: secret:STORE }\n',
    'store: { redis: redis://127.0.0.1, password: secret:PASSWORD }\n',
    "store: { redis: redis://127.0.0.1, password: '${PASSWORD}' }\n",
    'admin: { address: 127.0.0.1:0, token: secret:TOKEN }\n',
  ])
    assert.deepEqual(told(more), [], more);
});
