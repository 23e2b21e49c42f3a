import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeRules } from './describe.ts';
import { authorizeOptions } from './options.ts';

test('the rules of a route are told in short', () => {
  const options = authorizeOptions.parse({
    callers: ['staff'],
    scopes: ['a', 'b'],
    'any-scope': ['c', 'd'],
    roles: { claim: 'realm_access.roles', any: ['x', 'y'] },
    claims: { tenant: 'acme', level: [1, 2] },
    addresses: ['10.0.0.0/8'],
    time: [
      { days: ['mon', 'tue'], zone: 'Europe/Berlin' },
      { from: '22:00', to: '06:30' },
    ],
    'all-of': [{ scopes: ['e'] }],
    'any-of': [{ owner: { parameter: 'id' } }, { roles: ['admin'], scopes: ['f'] }],
  });
  assert.deepEqual(describeRules(options), [
    'caller staff',
    'scope a and b',
    'scope c or d',
    'role x or y in realm_access.roles',
    'claim tenant="acme"',
    'claim level=1 or 2',
    'from 10.0.0.0/8',
    'mon tue Europe/Berlin or 22:00–06:30 UTC',
    'scope e',
    '(owner id=sub or else scope f and role admin)',
  ]);
});
