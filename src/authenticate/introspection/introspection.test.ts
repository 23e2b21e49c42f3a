import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { inheritsNothing } from '../../../test/support/inherits.ts';
import { request } from '../../../test/support/corridor.ts';
import { type Answered, FakeEgress, methodWorld } from '../../../test/support/method-world.ts';
import type { Refusal } from '../../exchange/decision.ts';
import type { Caller } from '../../exchange/exchange.ts';
import { makeIntrospection } from './introspection.ts';
import { introspectionOptions } from './options.ts';

const ENDPOINT = 'https://id.example.com/introspect';
const ISSUER = 'https://id.example.com';
const S = 1000;

const client = { id: 'gateway', secret: 'open sesame' };
const NOW = Date.parse('2027-01-01T00:00:00Z') / 1000;
const GOOD = {
  active: true,
  sub: 'u-17',
  client_id: 'app',
  scope: 'orders:read orders:write',
  aud: 'orders',
  iss: ISSUER,
  exp: NOW + 300,
};

/** A method whose server answers as the test says. */
async function setUp(t: TestContext, answer: FakeEgress['answer'] | Answered, options: Record<string, unknown> = {}) {
  const egress = new FakeEgress(typeof answer === 'function' ? answer : () => answer);
  const world = methodWorld(egress);
  t.after(() => world[Symbol.dispose]());
  const parsed = introspectionOptions.parse({ endpoint: ENDPOINT, issuer: ISSUER, client, audience: 'orders', ...options });
  const method = await makeIntrospection('opaque', parsed, world);
  return { ...world, egress, method, ask: async (token = 'token') => await method.verify(request(), token) };
}

const says = (body: unknown): Answered => ({ body });
const code = (found: Caller | Refusal) => ('kind' in found ? found.code : `passed ${found.subject}`);

describe('an active token', () => {
  test('gives the caller', async (t) => {
    const { ask } = await setUp(t, says({ ...GOOD, plan: 'pro', ext: { tier: 2 } }), { 'plan-claim': 'plan' });
    const caller = (await ask()) as Caller;
    assert.deepEqual(
      { ...caller, claims: undefined },
      {
        by: 'introspection',
        name: 'opaque',
        subject: 'u-17',
        scopes: ['orders:read', 'orders:write'],
        plan: 'pro',
        expires: (NOW + 300) * 1000,
        header: 'authorization',
        claims: undefined,
      },
    );
    assert.ok(inheritsNothing(caller.claims));
    assert.deepEqual(JSON.parse(JSON.stringify(caller.claims.ext)), { tier: 2 });
    assert.ok(Object.isFrozen(caller));
  });

  const passes: [name: string, answer: Record<string, unknown>, options?: Record<string, unknown>, subject?: string][] = [
    ['of a client alone', { ...GOOD, sub: undefined }, {}, 'app'],
    ['with nothing but what must be', { active: true, aud: 'orders' }, {}, 'undefined'],
    ['for several audiences', { ...GOOD, aud: ['other', 'orders'] }],
    ['for one of our audiences', { ...GOOD, aud: 'stock' }, { audience: ['orders', 'stock'] }],
    ['for whatever, where that is written', { ...GOOD, aud: undefined }, { audience: 'any' }],
    ['without issuer', { ...GOOD, iss: undefined }],
    ['of any issuer where none is written', { ...GOOD, iss: 'https://other.example' }, { issuer: undefined }],
    ['with its type', { ...GOOD, token_type: 'Bearer', typ: 'Bearer' }],
    ['with its type in small letters', { ...GOOD, token_type: 'bearer', token_use: 'access_token' }],
    ['that ended within the skew', { ...GOOD, exp: NOW - 4 }],
    ['without end', { ...GOOD, exp: undefined }],
    ['that begins within the skew', { ...GOOD, nbf: NOW + 4 }],
  ];
  for (const [name, answer, options = {}, subject = 'u-17'] of passes) {
    test(`${name} passes`, async (t) =>
      assert.equal(code(await (await setUp(t, says(answer), options)).ask()), `passed ${subject}`));
  }
});

describe('a token that does not pass', () => {
  const refused: [name: string, answer: Record<string, unknown>, expected: string, options?: Record<string, unknown>][] = [
    ['is inactive', { active: false }, 'token-inactive'],
    ['is inactive, whatever else is said', { ...GOOD, active: false }, 'token-inactive'],
    ['is for somebody else', { ...GOOD, aud: 'stock' }, 'token-audience'],
    ['is for somebody whose name begins like ours', { ...GOOD, aud: ['orders2', 'Orders', 'order'] }, 'token-audience'],
    ['is for nobody', { ...GOOD, aud: undefined }, 'token-audience'],
    ['is for an empty list', { ...GOOD, aud: [] }, 'token-audience'],
    ['is for `any` among others', { ...GOOD, aud: 'whatever' }, 'token-audience', { audience: ['any', 'orders'] }],
    ['is of another issuer', { ...GOOD, iss: 'https://evil.example' }, 'token-issuer'],
    ['is of an issuer with a slash too many', { ...GOOD, iss: `${ISSUER}/` }, 'token-issuer'],
    ['is over', { ...GOOD, exp: NOW - 6 }, 'token-expired'],
    ['has not begun', { ...GOOD, nbf: NOW + 6 }, 'token-not-yet-valid'],
    ['is a refresh token', { ...GOOD, token_use: 'refresh_token' }, 'token-type'],
    ['is a refresh token in other words', { ...GOOD, typ: 'Refresh' }, 'token-type'],
    ['is an id token', { ...GOOD, typ: 'ID' }, 'token-type'],
    ['is not of the type to be used', { ...GOOD, token_type: 'N_A' }, 'token-type'],
    ['is bound to a certificate that did not come', { ...GOOD, cnf: { 'x5t#S256': 'A'.repeat(43) } }, 'token-bound'],
    ['is bound to a key', { ...GOOD, cnf: { jkt: 'A'.repeat(43) } }, 'token-bound'],
    ['is bound to who knows what', { ...GOOD, cnf: null }, 'token-bound'],
  ];
  for (const [name, answer, expected, options] of refused) {
    test(`${name}: ${expected}`, async (t) => {
      const found = await (await setUp(t, says(answer), options)).ask();
      assert.equal(code(found), expected);
      assert.equal((found as Refusal).status, 401);
    });
  }
});

describe('nothing can be known', () => {
  const nonsense: [name: string, answer: Answered][] = [
    ['the server is down', 'nothing accepts connections there'],
    ['an empty body', { body: Buffer.alloc(0) }],
    ['no JSON', { body: Buffer.from('active') }],
    ['a list', says([GOOD])],
    ['null', says(null)],
    ['an empty object', says({})],
    ['active as a text', says({ ...GOOD, active: 'true' })],
    ['active as a number', says({ ...GOOD, active: 1 })],
    ['active as a list', says({ ...GOOD, active: [true] })],
    ['active as null', says({ ...GOOD, active: null })],
    ['active twice', { body: Buffer.from('{"active":false,"active":true,"aud":"orders"}') }],
    ['a claim twice', { body: Buffer.from('{"active":true,"aud":"stock","aud":"orders"}') }],
    ['a prototype', { body: Buffer.from('{"active":true,"aud":"orders","__proto__":{"sub":"root"}}') }],
    ['scope as a number', says({ ...GOOD, scope: 7 })],
    ['scope as a list', says({ ...GOOD, scope: ['orders:read'] })],
    ['scope with a control character', says({ ...GOOD, scope: 'a\nb' })],
    ['exp as a text', says({ ...GOOD, exp: String(NOW + 300) })],
    ['exp without end', { body: Buffer.from('{"active":true,"aud":"orders","exp":1e999}') }],
    ['exp as null', says({ ...GOOD, exp: null })],
    ['nbf as a list', says({ ...GOOD, nbf: [NOW] })],
    ['iat as true', says({ ...GOOD, iat: true })],
    ['sub as a number', says({ ...GOOD, sub: 17 })],
    ['sub as an object', says({ ...GOOD, sub: { id: 17 } })],
    ['client_id as a list', says({ ...GOOD, client_id: ['app'] })],
    ['iss as a list', says({ ...GOOD, iss: [ISSUER] })],
    ['aud as a number', says({ ...GOOD, aud: 7 })],
    ['aud with a number in it', says({ ...GOOD, aud: ['orders', 7] })],
    ['token_type as a number', says({ ...GOOD, token_type: 1 })],
    ['a plan that is no text', says({ ...GOOD, plan: 7 })],
    ['no status of success', { status: 500, body: GOOD }],
    ['another status of success', { status: 201, body: GOOD }],
    ['a redirect', { status: 302, headers: { location: ENDPOINT }, body: GOOD }],
    ['a challenge', { status: 401, headers: { 'www-authenticate': 'Basic' }, body: { error: 'invalid_client' } }],
    ['a refusal of the question', { status: 400, body: { error: 'invalid_request' } }],
    ['another type', { headers: { 'content-type': 'text/html' }, body: GOOD }],
    ['no type', { headers: {}, body: GOOD }],
    [
      'an answer as a token, which nobody verified',
      { headers: { 'content-type': 'application/token-introspection+jwt' }, body: GOOD },
    ],
  ];
  for (const [name, answer] of nonsense) {
    test(`from ${name}: 503 with Retry-After, and the next one is asked about again`, async (t) => {
      const { ask, egress, log } = await setUp(t, answer, { 'plan-claim': 'plan' });
      const found = (await ask()) as Refusal;
      assert.deepEqual([code(found), found.status, found.headers], ['introspection-unavailable', 503, ['retry-after', '2']]);
      await ask();
      assert.equal(egress.count(), 2);
      const warnings = log.lines.filter((line) => line.level === 'warn');
      assert.equal(warnings.length, 1);
      assert.ok(!log.text.includes('sesame') && !log.text.includes('u-17'), log.text);
    });
  }

  test('is over with the next answer, which is told', async (t) => {
    let down = true;
    const { ask, log } = await setUp(t, () => (down ? 'cannot be reached' : says(GOOD)));
    await ask();
    down = false;
    assert.equal(code(await ask()), 'passed u-17');
    assert.match(log.text, /warn introspection gets no answer.*"reason":"id\.example\.com: cannot be reached"/);
    assert.match(log.text, /info introspection gets answers again/);
  });

  test('for a while: the server is left alone, but for one question after each pause', async (t) => {
    let down = true;
    const { ask, egress, clock } = await setUp(t, () => (down ? 'cannot be reached' : says(GOOD)));
    for (let i = 0; i < 100; i++) assert.equal(code(await ask(`token-${i}`)), 'introspection-unavailable');
    assert.equal(egress.count(), 5);
    clock.move(2 * S);
    await Promise.all(Array.from({ length: 100 }, (_, i) => ask(`later-${i}`)));
    assert.equal(egress.count(), 6);
    // A clock that was set back makes no pause longer.
    clock.move(-3600 * S);
    await ask();
    assert.equal(egress.count(), 7);
    clock.move(2 * S);
    down = false;
    assert.equal(code(await ask()), 'passed u-17');
    assert.equal(code(await ask('another')), 'passed u-17');
  });

  test('of one token is no reason to leave the server alone', async (t) => {
    const { ask, egress } = await setUp(t, (_, { body }) =>
      body?.includes('odd') ? { status: 400, body: { error: 'invalid_request' } } : says(GOOD),
    );
    for (let i = 0; i < 20; i++) assert.equal(code(await ask(`odd-${i}`)), 'introspection-unavailable');
    assert.equal(egress.count(), 20);
    assert.equal(code(await ask()), 'passed u-17');
  });
});

test('a token that the server has nothing to do with is inactive', async (t) => {
  const { ask, egress } = await setUp(t, { status: 400, body: { error: 'unsupported_token_type' } });
  assert.equal(code(await ask()), 'token-inactive');
  assert.equal(code(await ask()), 'token-inactive');
  assert.equal(egress.count(), 1);
});

describe('an answer is remembered', () => {
  test('for the time that is written', async (t) => {
    const { ask, egress, clock } = await setUp(t, says(GOOD), { cache: { active: '10s' } });
    const first = await ask();
    clock.move(10 * S - 1);
    assert.equal(await ask(), first);
    assert.equal(egress.count(), 1);
    clock.move(1);
    assert.equal(code(await ask()), 'passed u-17');
    assert.equal(egress.count(), 2);
  });

  test('never past its exp', async (t) => {
    const { ask, egress, clock } = await setUp(t, says({ ...GOOD, exp: NOW + 3 }));
    await ask();
    clock.move(3 * S - 1);
    await ask();
    assert.equal(egress.count(), 1);
    clock.move(1);
    await ask();
    assert.equal(egress.count(), 2);
    clock.move(6 * S);
    assert.equal(code(await ask()), 'token-expired');
  });

  test('for a short time when the token is none, and revoked ones are found out', async (t) => {
    let active = false;
    const { ask, egress, clock } = await setUp(t, () => says({ ...GOOD, active }));
    assert.equal(code(await ask()), 'token-inactive');
    active = true;
    assert.equal(code(await ask()), 'token-inactive');
    assert.equal(egress.count(), 1);
    clock.move(5 * S);
    assert.equal(code(await ask()), 'passed u-17');
    active = false;
    clock.move(30 * S);
    assert.equal(code(await ask()), 'token-inactive');
    assert.equal(egress.count(), 3);
  });

  test('not at all where that is written', async (t) => {
    const { ask, egress } = await setUp(t, says(GOOD), { cache: { active: '0s', inactive: '0s' } });
    await ask();
    await ask();
    assert.equal(egress.count(), 2);
  });

  test('of one token says nothing about another, however alike', async (t) => {
    const { ask, egress } = await setUp(t, (_, { body }) =>
      says({ ...GOOD, active: new URLSearchParams(body).get('token') === 'abc' }),
    );
    assert.equal(code(await ask('abc')), 'passed u-17');
    for (const other of ['abd', 'ab', 'abcc', 'ABC', 'abc=']) assert.equal(code(await ask(other)), 'token-inactive');
    assert.equal(egress.count(), 6);
  });

  test('within a bound, and tokens that are none evict no good one', async (t) => {
    const { ask, egress, method } = await setUp(t, (_, { body }) => says({ ...GOOD, active: body?.includes('good') === true }), {
      cache: { entries: 50, inactive: '1h' },
    });
    await ask('good');
    for (let i = 0; i < 1000; i++) await ask(`bad-${i}`);
    const before = egress.count();
    assert.equal(code(await ask('good')), 'passed u-17');
    assert.equal(egress.count(), before);
    const { cached } = (method as unknown as { snapshot(): { cached: number } }).snapshot();
    assert.ok(cached <= 51, String(cached));
  });
});

describe('questions', () => {
  test('about the same token at the same time are one', async (t) => {
    const gate = Promise.withResolvers<Answered>();
    const { ask, egress } = await setUp(t, () => gate.promise);
    const asked = Array.from({ length: 100 }, () => ask());
    gate.resolve(says(GOOD));
    assert.deepEqual([...new Set((await Promise.all(asked)).map(code))], ['passed u-17']);
    assert.equal(egress.count(), 1);
  });

  test('are so many at once and no more: further new tokens get 503, known ones pass', async (t) => {
    const gate = Promise.withResolvers<Answered>();
    let first = true;
    const { ask, egress } = await setUp(
      t,
      () => {
        if (!first) return gate.promise;
        first = false;
        return says(GOOD);
      },
      { concurrency: 3 },
    );
    await ask('known');
    const pending = ['a', 'b', 'c'].map((token) => ask(token));
    const found = (await ask('d')) as Refusal;
    assert.deepEqual([code(found), found.status, found.headers], ['introspection-busy', 503, ['retry-after', '1']]);
    assert.equal(code(await ask('known')), 'passed u-17');
    gate.resolve(says(GOOD));
    await Promise.all(pending);
    assert.equal(code(await ask('d')), 'passed u-17');
    assert.equal(egress.count(), 5);
  });

  test('are asked as RFC 7662 says, with the time limit, to a host that is written', async (t) => {
    const { ask, egress } = await setUp(t, says(GOOD), { timeout: '750ms', client: { id: 'a:b', secret: 'c d+é%' } });
    await ask('x&token=y');
    const [{ url, request: sent }] = egress.calls;
    assert.equal(url.href, ENDPOINT);
    assert.equal(sent.method, 'POST');
    assert.deepEqual(Object.fromEntries(new URLSearchParams(sent.body)), { token: 'x&token=y', token_type_hint: 'access_token' });
    // RFC 6749 section 2.3.1: both halves form-encoded.
    assert.equal(sent.headers?.authorization, `Basic ${Buffer.from('a%3Ab:c+d%2B%C3%A9%25').toString('base64')}`);
    assert.ok(sent.timeout > 0 && sent.timeout <= 750);
    assert.deepEqual(sent.written, ['id.example.com']);
    assert.equal(sent.repeatable, true);
  });

  test('bring the secret in the body where that is written', async (t) => {
    const { ask, egress } = await setUp(t, says(GOOD), { client: { ...client, 'secret-in': 'body' } });
    await ask();
    const { body, headers } = egress.calls[0].request;
    assert.equal(headers?.authorization, undefined);
    assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), {
      token: 'token',
      token_type_hint: 'access_token',
      client_id: 'gateway',
      client_secret: 'open sesame',
    });
  });

  test('bring an assertion that the private key signed', async (t) => {
    const dir = await mkdtemp(path.join(tmpdir(), 'portcullis-introspection-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    const file = path.join(dir, 'client.key');
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await writeFile(file, pair.privateKey.export({ format: 'pem', type: 'pkcs8' }));
    const { ask, egress } = await setUp(t, says(GOOD), {
      client: { id: 'gateway', 'private-key': file, 'private-key-id': 'k1' },
    });
    assert.equal(code(await ask()), 'passed u-17');
    const fields = new URLSearchParams(egress.calls[0].request.body);
    assert.equal(fields.get('client_assertion_type'), 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    const [header, payload, signature] = (fields.get('client_assertion') as string).split('.');
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
    assert.deepEqual(read(header), { alg: 'ES256', kid: 'k1' });
    const { aud, iss, sub } = read(payload);
    assert.deepEqual([aud, iss, sub], [ISSUER, 'gateway', 'gateway']);
    const key = { key: createPublicKey(pair.privateKey), dsaEncoding: 'ieee-p1363' as const };
    assert.ok(verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url')));
    const wrong = { client: { id: 'gateway', 'private-key': file, algorithm: 'RS256' } };
    await assert.rejects(setUp(t, says(GOOD), wrong), /client\.key is no private key for RS256/);
    await assert.rejects(
      setUp(t, says(GOOD), { client: { id: 'gateway', 'private-key': '/nowhere' } }),
      /cannot be read \(ENOENT\)/,
    );
  });
});

describe('the endpoint', () => {
  const metadata = { issuer: ISSUER, introspection_endpoint: 'https://ask.example.net/i' };

  test('is found by the issuer, before it is needed, and remembered', async (t) => {
    const { method, ask, egress } = await setUp(
      t,
      (url) => (url.pathname.startsWith('/.well-known/') ? says(metadata) : says(GOOD)),
      {
        endpoint: undefined,
      },
    );
    await method.ready?.();
    assert.equal(egress.count(), 1);
    await ask();
    await ask('another');
    assert.deepEqual(
      egress.calls.map((call) => [call.url.href, call.request.written]),
      [
        ['https://id.example.com/.well-known/openid-configuration', ['id.example.com']],
        ['https://ask.example.net/i', ['id.example.com']],
        ['https://ask.example.net/i', ['id.example.com']],
      ],
    );
  });

  test('that cannot be found does not stop the start; tokens get 503 until it is', async (t) => {
    let down = true;
    const { method, ask } = await setUp(
      t,
      (url) => (down ? 'cannot be reached' : url.pathname.startsWith('/.well-known/') ? says(metadata) : says(GOOD)),
      { endpoint: undefined },
    );
    await method.ready?.();
    assert.equal(code(await ask()), 'introspection-unavailable');
    down = false;
    assert.equal(code(await ask()), 'passed u-17');
  });

  test('is looked for once, however many tokens wait for it', async (t) => {
    const { ask, egress } = await setUp(t, (url) => (url.pathname.startsWith('/.well-known/') ? says(metadata) : says(GOOD)), {
      endpoint: undefined,
    });
    await Promise.all(Array.from({ length: 20 }, (_, i) => ask(`token-${i}`)));
    assert.equal(egress.count('https://id.example.com/.well-known/openid-configuration'), 1);
  });

  test('of another issuer is not asked', async (t) => {
    const { ask, egress } = await setUp(t, says({ ...metadata, issuer: 'https://evil.example' }), { endpoint: undefined });
    assert.equal(code(await ask()), 'introspection-unavailable');
    assert.equal(egress.count('https://ask.example.net/i'), 0);
  });
});

test('a token that says of itself that it is of another issuer is not shown to this one', async (t) => {
  const { method } = await setUp(t, says(GOOD));
  const jwt = (claims: unknown) =>
    ['{"alg":"ES256"}', JSON.stringify(claims), 'signature'].map((part) => Buffer.from(part).toString('base64url')).join('.');
  assert.equal(method.accepts?.(jwt({ iss: 'https://evil.example' })), false);
  assert.equal(method.accepts?.(jwt({ iss: [ISSUER] })), false);
  assert.equal(method.accepts?.(jwt({ iss: ISSUER })), true);
  assert.equal(method.accepts?.(jwt({})), true);
  for (const opaque of ['opaque', 'a.b.c', '..', 'A'.repeat(10_000)]) assert.equal(method.accepts?.(opaque), true);
});

describe('the options', () => {
  const wrong: [name: string, options: Record<string, unknown>, message: RegExp][] = [
    ['no place to ask', { endpoint: undefined, issuer: undefined }, /write `endpoint`, or `issuer`/],
    ['plain http: to another machine', { endpoint: 'http://id.example.com/introspect' }, /plain http: goes to this machine only/],
    ['plain http: to another machine by discovery', { endpoint: undefined, issuer: 'http://id.example.com' }, /plain http:/],
    ['a password in the URL', { endpoint: 'https://a:b@id.example.com/' }, /user name or password/],
    ['no client', { client: undefined }, /client|expected/i],
    ['no secret', { client: { id: 'a' } }, /exactly one of `secret` and `private-key`/],
    ['two secrets', { client: { id: 'a', secret: 'b', 'private-key': 'c' } }, /exactly one/],
    ['a key without issuer', { issuer: undefined, client: { id: 'a', 'private-key': 'c' } }, /`private-key` needs `issuer`/],
    ['no audience', { audience: undefined }, /audience|expected/i],
    ['a time limit of nothing', { timeout: '0s' }, /from 50ms to 1m/],
  ];
  for (const [name, options, message] of wrong) {
    test(`with ${name} do not load`, () => {
      const result = introspectionOptions.safeParse({
        endpoint: ENDPOINT,
        issuer: ISSUER,
        client,
        audience: 'orders',
        ...options,
      });
      assert.match(result.error?.message ?? 'loaded', message);
    });
  }

  test('with plain http: to this machine load', () => {
    for (const endpoint of ['http://127.0.0.1:9000/i', 'http://localhost/i', 'http://[::1]:9000/i', ENDPOINT]) {
      assert.ok(introspectionOptions.safeParse({ endpoint, client, audience: 'orders' }).success, endpoint);
    }
  });
});
