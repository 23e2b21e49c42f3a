import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { request } from '../../../test/support/corridor.ts';
import { FakeEgress, methodWorld } from '../../../test/support/method-world.ts';
import { audience, claims, foreign, issuer, keys, type Pair, token } from '../../../test/support/tokens.ts';
import { openKeySource } from './jwks.ts';
import { JwtMethod } from './jwt.ts';
import { jwtOptions } from './options.ts';

const jwk = (pair: Pair, kid?: string) => ({
  ...pair.publicKey.export({ format: 'jwk' }),
  ...(kid === undefined ? {} : { kid }),
});

/** An issuer whose keys the test changes. */
async function setUp(t: TestContext) {
  const state = { keys: [jwk(keys.es)], down: false };
  const egress = new FakeEgress(() => (state.down ? 'cannot be reached' : { body: { keys: state.keys } }));
  const world = methodWorld(egress);
  t.after(() => world[Symbol.dispose]());
  const options = jwtOptions.parse({ issuer, audience, algorithms: ['ES256'], jwks: `${issuer}/jwks` });
  const source = await openKeySource(options, world);
  await source.ready();
  const method = new JwtMethod('staff', options, source, world.clock);
  const ask = async (one: string): Promise<string> => {
    const answer = await method.verify(request(), one);
    return 'kind' in answer ? answer.code : 'passed';
  };
  const signed = (pair: Pair, kid?: string): string => {
    const second = Math.floor(world.clock.now() / 1000);
    return token(claims({ iat: second, exp: second + 3600 }), { kid }, pair);
  };
  return { state, egress, clock: world.clock, ask, method, signed, pause: options.keys['cool-down'] };
}

describe('keys without kid', () => {
  test('that are changed are read at the first token of the new one; all who come meanwhile get in', async (t) => {
    const { state, egress, ask, signed } = await setUp(t);
    assert.equal(await ask(signed(keys.es)), 'passed');
    assert.equal(egress.count(), 1);
    state.keys = [jwk(foreign.es)];
    const old = signed(keys.es);
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(signed(foreign.es))));
    assert.deepEqual(new Set(answers), new Set(['passed']));
    assert.equal(egress.count(), 2);
    assert.equal(await ask(old), 'token-signature', 'the old one counts no more');
  });

  test('are read once per cool-down, however many signatures are wrong', async (t) => {
    const { state, egress, clock, ask, method, signed, pause } = await setUp(t);
    const wrong = signed(foreign.es);
    for (let i = 0; i < 1000; i++) assert.equal(await ask(wrong), 'token-signature');
    assert.equal(egress.count(), 2);
    const told = method.verify(request(), wrong);
    assert.ok(!(told instanceof Promise), 'nobody waits when it is not due');
    state.keys = [jwk(foreign.es), jwk(keys.es)];
    clock.move(pause - 1);
    assert.equal(await ask(wrong), 'token-signature');
    clock.move(1);
    assert.equal(await ask(wrong), 'passed');
    assert.equal(await ask(signed(keys.es)), 'passed');
    assert.equal(egress.count(), 3);
  });

  test('of an issuer that is down: known ones count, a wrong signature is one', async (t) => {
    const { state, ask, signed } = await setUp(t);
    state.down = true;
    assert.equal(await ask(signed(foreign.es)), 'token-signature');
    assert.equal(await ask(signed(keys.es)), 'passed');
  });

  test('a wrong signature of a token that names its key has nothing read', async (t) => {
    const { state, egress, clock, ask, signed, pause } = await setUp(t);
    state.keys = [jwk(keys.es, 'a')];
    assert.equal(await ask(signed(keys.es, 'a')), 'passed');
    assert.equal(egress.count(), 2);
    clock.move(pause);
    assert.equal(await ask(signed(foreign.es, 'a')), 'token-signature');
    assert.equal(egress.count(), 2);
  });
});
