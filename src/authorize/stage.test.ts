import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { type AuthorizeCase, authorizeCases, type CaseCall, type CaseCaller } from '../../test/cases/authorize.ts';
import { claimsOf } from '../../test/support/callers.ts';
import type { Refusal } from '../exchange/decision.ts';
import { type Caller, Exchange } from '../exchange/exchange.ts';
import { readTarget } from '../exchange/target.ts';
import { createRouter } from '../route/router.ts';
import { problemBody } from '../errors/problem.ts';
import { authorizeOptions } from './options.ts';
import { authorizeStage } from './stage.ts';

const CONNECTION = { listener: 'l', secure: true, peerAddress: '192.0.2.1', peerPort: 1, serverName: undefined };

/** An exchange as it comes to the room: read and routed by the real reader and router. */
function exchange(one: AuthorizeCase, call: CaseCall): Exchange {
  const rawTarget = call.target ?? '/x';
  const target = readTarget('GET', rawTarget);
  assert.equal(target.kind, 'target', `${rawTarget} is refused before`);
  assert.ok(target.kind === 'target');
  const { path, query } = target;
  const headers = call.body?.[0] === undefined ? [] : ['content-type', call.body[0]];
  const head = { method: 'GET', rawTarget, version: '2' as const, host: 'a', authority: 'a', path, query, headers };
  const x = new Exchange('r', CONNECTION, head, undefined);
  const found = createRouter([{ path: one.path ?? '/x', value: 1 }]).find('a', path, 'GET', []);
  assert.equal(found?.match, 1, `${rawTarget} is not for this route`);
  x.params = found?.params;
  x.clientAddress = call.address ?? '192.0.2.1';
  const caller = call.caller ?? one.caller;
  x.caller = caller === undefined || caller === 'none' ? undefined : callerOf(caller);
  return x;
}

function callerOf({ by = 'jwt', name = 'staff', subject, scopes = [], claims = {} }: CaseCaller): Caller {
  return { by, name, subject, scopes, claims: claimsOf(claims) };
}

async function check(one: AuthorizeCase, call: CaseCall): Promise<Refusal | undefined> {
  const room = await authorizeStage.prepare(
    authorizeOptions.parse(one.rules),
    { clock: { now: () => Date.parse(call.at ?? '2026-11-24T12:00:00Z') } },
    { path: one.path ?? '/x', bodyLimit: 1000 },
  );
  const x = exchange(one, call);
  const refusal = room?.onRequestHead?.(x) as Refusal | undefined;
  if (refusal !== undefined || room?.onRequestBody === undefined) return refusal;
  assert.deepEqual(room.needs, { request: { kind: 'whole', limit: 1000 } });
  x.body = Buffer.from(call.body?.[1] ?? '', 'latin1');
  return room.onRequestBody(x) as Refusal | undefined;
}

suite('who may do what', () => {
  for (const one of authorizeCases) {
    test(one.name, async () => {
      for (const call of one.calls) {
        const refusal = await check(one, call);
        assert.equal(refusal?.code ?? 'pass', call.gives, JSON.stringify(call));
        if (refusal !== undefined) assert.equal(refusal.status, 403);
      }
    });
  }
});

test('a reason names the rule and holds nothing that the client sent', async () => {
  for (const one of authorizeCases) {
    for (const call of one.calls.filter(({ gives }) => gives !== 'pass')) {
      const refusal = await check(one, call);
      assert.ok(refusal !== undefined && refusal.reason.length > 10);
      for (const word of ['bob', 'carol', 'guest', '11.0.0.1', 'readonly'])
        assert.ok(!refusal.reason.includes(word), refusal.reason);
    }
  }
});

test('the client is told one thing, whichever rule was missing', async () => {
  const bodies = new Set<string>();
  for (const one of authorizeCases) {
    for (const call of one.calls) {
      const refusal = await check(one, call);
      if (refusal !== undefined) bodies.add(problemBody(refusal, 'r'));
    }
  }
  assert.deepEqual(
    [...bodies],
    ['{"type":"urn:portcullis:problem:forbidden","title":"Forbidden","status":403,"code":"forbidden","request_id":"r"}'],
  );
});

test('who came with a bearer token is told the scopes (RFC 6750 section 3.1), nobody else is', async () => {
  const one: AuthorizeCase = { name: '', rules: { scopes: ['orders:read', 'orders:write'] }, calls: [] };
  const headersFor = async (caller: CaseCaller, rules = one.rules) =>
    (await check({ ...one, rules }, { caller, gives: '' }))?.headers;
  const challenge = ['www-authenticate', 'Bearer error="insufficient_scope", scope="orders:read orders:write"'];
  assert.deepEqual(await headersFor({ by: 'jwt' }), challenge);
  assert.deepEqual(await headersFor({ by: 'introspection' }), challenge);
  assert.equal(await headersFor({ by: 'api-key' }), undefined);
  assert.equal(await headersFor({ by: 'mtls' }), undefined);
  assert.equal(await headersFor({ by: 'jwt' }, { roles: ['x'] }), undefined);
  assert.equal(await headersFor({ by: 'jwt' }, { 'any-of': [{ roles: ['x'] }, { scopes: ['admin'] }] }), undefined);
  assert.deepEqual(await headersFor({ by: 'jwt' }, { 'any-of': [{ scopes: ['a'] }, { scopes: ['b'] }] }), [
    'www-authenticate',
    'Bearer error="insufficient_scope", scope="a"',
  ]);
});

test('only a parameter of the query makes a route wait for the body', async () => {
  const prepare = (rules: unknown, path: string) =>
    authorizeStage.prepare(authorizeOptions.parse(rules), { clock: { now: Date.now } }, { path, bodyLimit: 1 });
  const owner = { owner: { parameter: 'id', claim: 'sub' } };
  assert.equal((await prepare(owner, '/{id}'))?.onRequestBody, undefined);
  assert.equal((await prepare({ scopes: ['a'], 'any-of': [{ roles: ['b'] }] }, '/x'))?.needs, undefined);
  assert.notEqual((await prepare({ 'any-of': [{ roles: ['b'] }, { 'all-of': [owner] }] }, '/x'))?.onRequestBody, undefined);
});

test('where no alternative holds, the reason tells of all', async () => {
  const rules = { 'any-of': [{ owner: { parameter: 'id', claim: 'sub' } }, { roles: ['admin'] }] };
  const refusal = await check(
    { name: '', path: '/users/{id}', rules, calls: [] },
    { target: '/users/bob', caller: {}, gives: '' },
  );
  assert.equal(
    refusal?.reason,
    'none of these: the parameter id is not what the claim sub says; none of the roles admin is in the claim roles',
  );
});
