/**
 * A real authorization server (`oidc-provider`) behind the gateway: where its keys are found, what happens when they change, when it
 * is slow and when it is gone, and what it says about opaque tokens.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, test, type TestContext } from 'node:test';
import { type Echo, startEcho } from '../support/echo.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { type IdentityProvider, startIdentityProvider } from '../support/identity-provider.ts';

interface House {
  readonly provider: IdentityProvider;
  readonly echo: Echo;
  readonly gateway: Gateway;
  readonly configuration: string;
}

/** `keys` goes into `jwt`, `ask` into `introspection`. */
interface Settings {
  readonly keys?: string;
  readonly jwks?: (provider: IdentityProvider) => string;
  readonly ask?: string;
  readonly before?: (provider: IdentityProvider) => void | Promise<void>;
}

function configurationOf(provider: IdentityProvider, echo: Echo, { keys = '', jwks, ask = '' }: Settings): string {
  const place = jwks === undefined ? '' : `, jwks: ${jwks(provider)}`;
  return `
listeners: { local: { address: 127.0.0.1:0 } }
services: { s: ${echo.url} }
authentication:
  staff: { jwt: { issuer: ${provider.issuer}, audience: orders, algorithms: [RS256, ES256], keys: { ${keys} }${place} } }
  opaque:
    introspection:
      issuer: ${provider.issuer}
      client: { id: ${provider.client.id}, secret: "\${SECRET}" }
      audience: orders
      ${ask}
routes:
  - { path: /jwt/**, service: s, authentication: [staff] }
  - { path: /opaque/**, service: s, authentication: [opaque] }
  - { path: /both/**, service: s, authentication: [staff, opaque] }
`;
}

async function setUp(t: TestContext, settings: Settings = {}): Promise<House> {
  const provider = await startIdentityProvider();
  t.after(() => provider[Symbol.asyncDispose]());
  const echo = await startEcho();
  t.after(() => echo.stop());
  await settings.before?.(provider);
  const configuration = configurationOf(provider, echo, settings);
  const gateway = await startGateway(configuration, { env: { SECRET: provider.client.secret }, timeout: 60_000 });
  t.after(() => gateway.stop());
  return { provider, echo, gateway, configuration };
}

interface Reply {
  readonly status: number;
  readonly code: string | undefined;
  readonly headers: Headers;
  readonly body: { readonly headers?: readonly (readonly [string, string])[] };
}

async function get({ gateway }: Pick<House, 'gateway'>, path: string, token: string): Promise<Reply> {
  const answer = await fetch(`http://127.0.0.1:${gateway.port('local')}${path}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const body = (await answer.json()) as Reply['body'] & { code?: string };
  return { status: answer.status, code: body.code, headers: answer.headers, body };
}

async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!(await done())) {
    assert.ok(performance.now() < end, `not in time: ${what}`);
    await wait(50);
  }
}

const seconds = () => Math.floor(Date.now() / 1000);

/** A token that would be good, were its key known. */
function strange(provider: IdentityProvider, kid: string): Promise<string> {
  const claims = { iss: provider.issuer, aud: 'orders', sub: 'x', client_id: 'x', jti: kid, iat: seconds(), exp: seconds() + 60 };
  return provider.sign(claims, { kid });
}

describe('access tokens of an issuer', () => {
  test('pass when the keys are found by discovery, and the service learns who calls', async (t) => {
    const house = await setUp(t);
    const { provider, echo } = house;
    for (const algorithm of ['ES256', 'RS256'] as const) {
      assert.equal((await get(house, '/jwt/x', await provider.token({ algorithm }))).status, 200);
    }
    const fields = new Map(echo.requests.at(-1)?.headers.map(([name, value]) => [name.toLowerCase(), value]));
    assert.equal(fields.get('x-portcullis-subject'), provider.client.id);
    assert.equal(fields.get('x-portcullis-scopes'), 'orders:read');
    assert.equal(fields.has('authorization'), false);
    assert.deepEqual([provider.requests('/.well-known/openid-configuration'), provider.requests('/jwks')], [2, 1]);
    const seen = echo.requests.length;
    assert.equal((await get(house, '/jwt/x', await provider.token({ audience: 'stock' }))).code, 'token-audience');
    assert.equal((await get(house, '/jwt/x', await strange(provider, 'nobody'))).code, 'token-key-unknown');
    assert.equal((await get(house, '/jwt/x', await provider.opaqueToken())).code, 'token-malformed');
    assert.equal(echo.requests.length, seen);
  });

  test('pass while keys change under load: no good one is refused', async (t) => {
    const house = await setUp(t, { keys: 'cool-down: 1s' });
    const { provider } = house;
    const replies = new Map<string, number>();
    let running = true;
    const client = async () => {
      while (running) {
        const reply = await get(house, '/jwt/x', await provider.token());
        const word = reply.code ?? String(reply.status);
        replies.set(word, (replies.get(word) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 4 }, client);
    for (let round = 0; round < 3; round++) {
      await provider.rotate({ keep: true });
      const before = replies.get('200') ?? 0;
      // More than the cool-down, and long enough to have used the new keys.
      await wait(1500);
      await until('tokens with the new keys', () => (replies.get('200') ?? 0) > before + 8);
    }
    running = false;
    await Promise.all(clients);
    assert.deepEqual([...replies.keys()], ['200']);
    assert.ok(provider.requests('/jwks') <= 5, `${provider.requests('/jwks')} fetches`);
  });

  test('with keys that nobody has cost the issuer one fetch, and the service sees none of them', async (t) => {
    const house = await setUp(t);
    const { provider, echo } = house;
    const before = provider.requests('/jwks');
    const tokens = await Promise.all(Array.from({ length: 300 }, (_, i) => strange(provider, `kid-${i}`)));
    const replies = await Promise.all(tokens.map((token) => get(house, '/jwt/x', token)));
    assert.deepEqual([...new Set(replies.map((reply) => reply.code))], ['token-key-unknown']);
    assert.equal(provider.requests('/jwks'), before + 1);
    assert.equal(echo.requests.length, 0);
  });

  test('pass when their keys are known although the issuer hangs; others wait for a bounded time', async (t) => {
    const house = await setUp(t, { keys: 'timeout: 500ms' });
    const { provider } = house;
    const [good, late] = [await provider.token(), await strange(provider, 'late')];
    provider.behave('hang');
    const waiting = get(house, '/jwt/x', late);
    await until('the fetch has begun', () => provider.requests('/jwks') === 2);
    assert.equal((await get(house, '/jwt/x', good)).status, 200);
    assert.equal((await waiting).code, 'token-key-unknown');
    const told = /the keys of an issuer cannot be read, the known ones are kept.*no complete answer within 500 ms/;
    await until('the log says why', () => told.test(house.gateway.stderr()));
  });

  test('get 503 while nothing is known, which is no reason not to start, and pass when the issuer is back', async (t) => {
    let token = '';
    const house = await setUp(t, {
      before: async (provider) => {
        token = await provider.token();
        await provider.die();
      },
    });
    const { provider, echo, gateway } = house;
    const reply = await get(house, '/jwt/x', token);
    assert.deepEqual([reply.status, reply.code], [503, 'keys-unavailable']);
    assert.match(reply.headers.get('retry-after') ?? '', /^\d+$/);
    assert.equal((await get(house, '/opaque/x', 'token')).code, 'introspection-unavailable');
    assert.equal(echo.requests.length, 0);
    await provider.revive();
    await until('the keys are known', async () => (await get(house, '/jwt/x', token)).status === 200);
    await until('the log says so', () => gateway.stderr().includes('the keys of an issuer are read again'));
  });

  test('are known over reloads while the issuer is gone', async (t) => {
    const house = await setUp(t);
    const { provider, gateway, configuration } = house;
    const token = await provider.token();
    await provider.die();
    const observe = '\nobserve: { access: access.jsonl }\n';
    const changed = configuration
      .replace('algorithms: [RS256', 'clock-skew: 7s, algorithms: [RS256')
      .replace('/both/**', '/all/**');
    await writeFile(gateway.config, changed + observe);
    await until('the new configuration serves', async () => (await get(house, '/all/x', token)).status !== 404);
    assert.equal((await get(house, '/jwt/x', token)).status, 200);
    assert.equal((await get(house, '/all/x', token)).status, 200);
  });
});

describe('opaque tokens', () => {
  test('pass when the issuer says that they are active, until it is known that they are not', async (t) => {
    const house = await setUp(t, { ask: 'cache: { active: 100ms }' });
    const { provider, echo } = house;
    const token = await provider.opaqueToken({ claims: { plan: 'pro' } });
    assert.equal((await get(house, '/opaque/x', token)).status, 200);
    const fields = new Map(echo.requests.at(-1)?.headers.map(([name, value]) => [name.toLowerCase(), value]));
    assert.deepEqual([fields.get('x-portcullis-caller'), fields.get('x-portcullis-subject')], ['opaque', provider.client.id]);
    assert.equal(fields.has('authorization'), false);
    await provider.revoke(token);
    await until('the token is known to be revoked', async () => (await get(house, '/opaque/x', token)).code === 'token-inactive');
    const reply = await get(house, '/opaque/x', 'made-up');
    assert.deepEqual([reply.status, reply.code], [401, 'token-inactive']);
    assert.match(reply.headers.get('www-authenticate') ?? '', /^Bearer .*error="invalid_token"/);
    assert.equal((await get(house, '/opaque/x', await provider.opaqueToken({ audience: 'stock' }))).code, 'token-audience');
    const [record] = await house.gateway.records(1);
    assert.deepEqual(record.caller, { by: 'introspection', name: 'opaque', subject: provider.client.id });
  });

  test('are asked about once, however often they come', async (t) => {
    const house = await setUp(t);
    const { provider } = house;
    const token = await provider.opaqueToken();
    const replies = await Promise.all(Array.from({ length: 50 }, () => get(house, '/opaque/x', token)));
    assert.deepEqual([...new Set(replies.map((reply) => reply.status))], [200]);
    assert.equal(provider.requests('/token/introspection'), 1);
  });

  test('get 503 in time when the issuer hangs or is gone, and known ones pass for as long as they are remembered', async (t) => {
    const house = await setUp(t, { ask: 'timeout: 300ms' });
    const { provider, echo, gateway } = house;
    const [known, fresh] = [await provider.opaqueToken(), await provider.opaqueToken()];
    assert.equal((await get(house, '/opaque/x', known)).status, 200);
    const seen = echo.requests.length;
    provider.behave('hang');
    const reply = await get(house, '/opaque/x', fresh);
    assert.deepEqual([reply.status, reply.code, reply.headers.get('retry-after')], [503, 'introspection-unavailable', '2']);
    assert.equal(reply.headers.get('www-authenticate'), null);
    provider.behave('fail');
    assert.equal((await get(house, '/opaque/x', fresh)).status, 503);
    await provider.die();
    assert.equal((await get(house, '/opaque/x', fresh)).status, 503);
    assert.equal(echo.requests.length, seen);
    assert.equal((await get(house, '/opaque/x', known)).status, 200);
    provider.behave('normal');
    await provider.revive();
    await until('the token passes', async () => (await get(house, '/opaque/x', fresh)).status === 200);
    assert.ok(!gateway.stderr().includes(provider.client.secret) && !gateway.stderr().includes(fresh));
  });

  test('and JWTs stand side by side on one route', async (t) => {
    const house = await setUp(t);
    const { provider } = house;
    assert.equal((await get(house, '/both/x', await provider.token())).status, 200);
    assert.equal(provider.requests('/token/introspection'), 0);
    assert.equal((await get(house, '/both/x', await provider.opaqueToken())).status, 200);
    assert.equal((await get(house, '/both/x', await provider.token({ audience: 'stock' }))).status, 401);
    assert.equal((await get(house, '/both/x', 'made-up')).status, 401);
  });
});
