import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkText } from './load.ts';
import { problemLine } from './problem.ts';

function problems(route: string): string[] {
  const text = `listeners: { plain: { address: 127.0.0.1:0 } }
services: { s: http://127.0.0.1:1 }
authentication:
  staff: { jwt: { issuer: https://id.example.com, audience: x, algorithms: [RS256] } }
  other: { jwt: { issuer: https://id.example.org, audience: x, algorithms: [RS256] } }
routes:
  - { service: s, path: "/users/{user_id}", ${route} }
`;
  const result = checkText('a.yaml', text, {});
  return result.ok ? [] : result.problems.map(problemLine);
}

test('rules about a caller are errors on an open route, however deep, and rules about the request are fine', () => {
  const nested = 'any-of: [ { all-of: [ { owner: { parameter: user_id } } ] }, { addresses: [10.0.0.0/8] } ]';
  assert.deepEqual(problems(`authentication: none, authorize: { scopes: [a], ${nested} }`), [
    'a.yaml:7:80: `scopes` needs a caller, but the route is open: `authentication: none` looks at no credential',
    'a.yaml:7:117: `owner` needs a caller, but the route is open: `authentication: none` looks at no credential',
  ]);
  for (const rule of ['any-scope: [a]', 'roles: [a]', 'claims: { a: b }', 'callers: [staff]']) {
    assert.equal(problems(`authentication: none, authorize: { ${rule} }`).length, 1, rule);
  }
  assert.deepEqual(problems('authentication: none, authorize: { addresses: [10.0.0.0/8], time: { days: [mon] } }'), []);
});

test('a method that the route does not name is nobody', () => {
  assert.deepEqual(problems('authentication: [staff], authorize: { callers: [staff, other] }'), [
    'a.yaml:7:100: nobody comes to this route by "other": its `authentication` does not name it',
  ]);
  assert.deepEqual(problems('authentication: [staff, other], authorize: { callers: [other] }'), []);
});

test('a slip in the name of a path parameter is found; another name is one of the query', () => {
  assert.deepEqual(problems('authentication: [staff], authorize: { owner: { parameter: userId } }'), [
    'a.yaml:7:103: the path has no parameter "userId" (did you mean "user_id"?)',
  ]);
  assert.deepEqual(problems('authentication: [staff], authorize: { owner: { parameter: usr_id } }'), [
    'a.yaml:7:103: the path has no parameter "usr_id" (did you mean "user_id"?)',
  ]);
  assert.deepEqual(problems('authentication: [staff], authorize: { owner: { parameter: account } }'), []);
});
