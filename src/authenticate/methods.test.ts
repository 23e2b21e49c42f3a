import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptLog, request } from '../../test/support/corridor.ts';
import { FakeEgress } from '../../test/support/method-world.ts';
import { algorithms, audience, claims, issuer, keySet, token } from '../../test/support/tokens.ts';
import { CarryStore } from '../config/carry.ts';
import type { World } from '../pipeline/stage.ts';
import { takeMethod } from './methods.ts';
import { methodOptions } from './options.ts';

const optionsOf = (more: Record<string, unknown>) =>
  methodOptions.parse({ jwt: { issuer, audience, algorithms, jwks: 'https://id.test/jwks', ...more } });

function house() {
  const store = new CarryStore();
  const egress = new FakeEgress(() => ({ body: keySet() }));
  const open = () => {
    const carry = store.open();
    const parts = { carry, egress, clock: { now: Date.now }, log: new KeptLog() };
    return { world: parts as unknown as World, release: () => carry.release() };
  };
  return { store, egress, open };
}

test('a method is one for all routes and over reloads, and ends with the last configuration that has it', async () => {
  const { store, egress, open } = house();
  const first = open();
  const [one, other] = await Promise.all([
    takeMethod('staff', optionsOf({}), first.world),
    takeMethod('staff', optionsOf({}), first.world),
  ]);
  assert.equal(one, other);
  const second = open();
  assert.equal(await takeMethod('staff', optionsOf({}), second.world), one);
  first.release();
  await one.ready?.();
  assert.ok(!('kind' in (await one.verify(request(), token(claims({}))))));
  assert.equal(egress.count(), 1);
  second.release();
  assert.equal(store.size, 0);
});

test('a method that is made anew with another option keeps the keys of its issuer, and so does another name', async () => {
  const { store, egress, open } = house();
  const first = open();
  await (await takeMethod('staff', optionsOf({}), first.world)).ready?.();
  egress.answer = () => 'cannot be reached';
  const second = open();
  const changed = await takeMethod('staff', optionsOf({ 'clock-skew': '7s' }), second.world);
  const named = await takeMethod('people', optionsOf({}), second.world);
  first.release();
  for (const method of [changed, named]) {
    await method.ready?.();
    assert.ok(!('kind' in (await method.verify(request(), token(claims({}))))), method.name);
  }
  const third = open();
  assert.equal(await takeMethod('people', optionsOf({}), third.world), named);
  second.release();
  // The method, its keys, and the list of issuers' keys: they do not end with the configuration that they were made for.
  assert.equal(store.size, 3);
  assert.ok(!('kind' in (await named.verify(request(), token(claims({}))))));
  third.release();
  assert.equal(egress.count(), 1);
  assert.equal(store.size, 0);
});

test('a method that cannot be made is told, and nothing of it is left', async () => {
  const { store, open } = house();
  const { world, release } = open();
  await assert.rejects(takeMethod('staff', optionsOf({ jwks: '/nowhere/jwks.json' }), world), /there is no such file/);
  release();
  assert.equal(store.size, 0);
});
