import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Outcome, type Refusal, refuse } from '../exchange/decision.ts';
import { type Caller, type ConnectionInfo, Exchange } from '../exchange/exchange.ts';
import { headerValues } from '../exchange/headers.ts';
import type { Method } from './method.ts';
import { Authentication } from './stage.ts';

const connection: ConnectionInfo = { listener: 'l', secure: true, peerAddress: '127.0.0.1', peerPort: 1, serverName: undefined };

function exchange(headers: string[], query?: string): Exchange {
  const head = { method: 'GET', rawTarget: '/', version: '1.1', host: 'h', authority: 'h', path: '/', query, headers } as const;
  return new Exchange('id', connection, { ...head, headers }, undefined);
}

const bad = (code: 'token-expired' | 'token-issuer' | 'api-key-unknown' | 'keys-unavailable') => refuse(code, 'test');
const caller = (name: string): Caller => ({ by: 'test', name, subject: undefined, scopes: [], claims: {} });

interface Fake extends Partial<Method> {
  readonly says: Caller | Refusal;
  readonly later?: boolean;
}

/** A method that says one thing, and remembers what it was asked. */
function fake(name: string, { says, later, ...rest }: Fake): Method & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    name,
    asked,
    place: { kind: 'bearer' },
    challenge: undefined,
    verify: (_x, credential) => {
      asked.push(credential);
      return later === true ? Promise.resolve(says) : says;
    },
    ...rest,
  };
}

const key = (says: Caller | Refusal, name = 'keys') =>
  fake(name, { says, place: { kind: 'header', name: 'X-API-Key' }, challenge: 'ApiKey header="x-api-key"' });
const certificate = (says: Caller | Refusal, presented: boolean) =>
  fake('certs', { says, place: { kind: 'certificate' }, presented: () => presented });

async function ask(methods: readonly Method[], x: Exchange): Promise<Outcome> {
  return await new Authentication(methods).onRequestHead(x);
}

const codeOf = (outcome: Outcome) => (outcome?.kind === 'refusal' ? outcome.code : 'passed');
const challenges = (outcome: Outcome) => headerValues((outcome as Refusal).headers ?? [], 'www-authenticate');
const BEARER = ['authorization', 'Bearer t'];
const KEY = ['x-api-key', 'k'];

test('what is missing has a code for what the route takes', async () => {
  const missing = async (...methods: Method[]) => codeOf(await ask(methods, exchange([])));
  assert.equal(await missing(fake('a', { says: caller('a') })), 'token-missing');
  assert.equal(await missing(key(caller('k'))), 'key-missing');
  assert.equal(await missing(certificate(caller('c'), false)), 'certificate-missing');
  assert.equal(await missing(fake('a', { says: caller('a') }), key(caller('k'))), 'credentials-missing');
});

test('one credential goes to the methods of its place, whatever else the route has', async () => {
  const cases: [string[], boolean, string][] = [
    [BEARER, false, 'a'],
    [KEY, false, 'k'],
    [[], true, 'c'],
    [['authorization', 'Basic eA==', ...KEY], false, 'k'],
  ];
  for (const [headers, presented, expected] of cases) {
    const methods = [fake('a', { says: caller('a') }), key(caller('k')), certificate(caller('c'), presented)];
    const x = exchange(headers);
    assert.equal(await ask(methods, x), undefined);
    assert.equal(x.caller?.name, expected);
    assert.equal(methods.flatMap((method) => method.asked).length, 1);
  }
});

test('two credentials are refused and nobody is asked about them', async () => {
  const cases: [string[], string | undefined, boolean][] = [
    [[...BEARER, ...KEY], undefined, false],
    [[...BEARER, 'x-api-key', ''], undefined, false],
    [['authorization', 'Bearer  malformed', ...KEY], undefined, false],
    [[...KEY, ...KEY], undefined, false],
    [[...KEY, 'x-api-key', 'other'], undefined, false],
    [BEARER, undefined, true],
    [KEY, undefined, true],
    [BEARER, 'access_token=x', false],
    [KEY, 'access_token=x', false],
  ];
  for (const [headers, query, presented] of cases) {
    const methods = [fake('a', { says: caller('a') }), key(caller('k')), certificate(caller('c'), presented)];
    const x = exchange(headers, query);
    const outcome = await ask(methods, x);
    assert.equal(codeOf(outcome), 'credentials-ambiguous', JSON.stringify(headers));
    assert.equal((outcome as Refusal).status, 401);
    assert.equal(x.caller, undefined);
    assert.deepEqual(
      methods.flatMap((method) => method.asked),
      [],
    );
  }
});

test('what no method of the route reads is no credential', async () => {
  const x = exchange([...BEARER, ...KEY]);
  assert.equal(await ask([key(caller('k'))], x), undefined);
  assert.equal(await ask([fake('a', { says: caller('a') })], exchange([...BEARER, ...KEY])), undefined);
});

test('of several methods for one credential the first that knows it counts, in the order of the route', async () => {
  for (const later of [false, true]) {
    const one = (name: string, says: Caller | Refusal, accepts?: boolean) =>
      fake(name, { says, later, ...(accepts === undefined ? {} : { accepts: () => accepts }) });
    const cases: [Method[], string][] = [
      [[one('a', bad('token-expired')), one('b', caller('b'))], 'b'],
      [[one('a', caller('a')), one('b', caller('b'))], 'a'],
      [[one('a', caller('a'), false), one('b', caller('b'), true)], 'b'],
      [[one('a', bad('token-expired')), one('b', bad('token-issuer'))], 'token-expired'],
      [[one('a', bad('token-issuer'), false), one('b', bad('token-expired'), true)], 'token-expired'],
      [[one('a', bad('token-issuer'), false), one('b', bad('token-expired'), false)], 'token-issuer'],
      [[one('a', bad('token-expired')), one('b', bad('keys-unavailable')), one('c', bad('token-issuer'))], 'keys-unavailable'],
      [[one('a', bad('keys-unavailable')), one('b', caller('b'))], 'b'],
    ];
    for (const [methods, expected] of cases) {
      const x = exchange(BEARER);
      const outcome = await ask(methods, x);
      assert.equal(x.caller?.name ?? codeOf(outcome), expected);
    }
  }
});

test('nothing waits where no method waits', () => {
  const room = new Authentication([fake('a', { says: bad('token-expired') }), fake('b', { says: caller('b') })]);
  assert.equal(room.onRequestHead(exchange(BEARER)), undefined);
});

test('challenges say every way in once, and what is wrong with a token only where there was one', async () => {
  const methods = [
    fake('a', { says: bad('token-expired') }),
    fake('b', { says: bad('token-expired') }),
    key(bad('api-key-unknown')),
  ];
  assert.deepEqual(challenges(await ask(methods, exchange([]))), ['Bearer realm="api"', 'ApiKey header="x-api-key"']);
  assert.deepEqual(challenges(await ask(methods, exchange(BEARER))), [
    'Bearer realm="api", error="invalid_token"',
    'ApiKey header="x-api-key"',
  ]);
  assert.deepEqual(challenges(await ask(methods, exchange(KEY))), ['Bearer realm="api"', 'ApiKey header="x-api-key"']);
  assert.deepEqual(
    challenges(await ask(methods, exchange([...BEARER, ...KEY])))[0],
    'Bearer realm="api", error="invalid_request"',
  );
  assert.deepEqual(challenges(await ask([key(bad('api-key-unknown'))], exchange(KEY))), ['ApiKey header="x-api-key"']);
  assert.deepEqual(challenges(await ask([fake('a', { says: bad('keys-unavailable') })], exchange(BEARER))), []);
});

test('a method that breaks is a fault: nobody passes', async () => {
  const broken = fake('a', { says: caller('a'), verify: () => assert.fail('broken') });
  const x = exchange(BEARER);
  await assert.rejects(async () => await ask([broken, fake('b', { says: caller('b') })], x), /broken/);
  assert.equal(x.caller, undefined);
});

test('a key in `authorization` would have two readings', () => {
  const method = fake('a', { says: caller('a'), place: { kind: 'header', name: 'Authorization' } });
  assert.throws(() => new Authentication([method]), /authentication\.a: `authorization` is for tokens/);
});
