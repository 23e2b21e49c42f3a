import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { audience, issuer, keySet, token } from '../../test/support/tokens.ts';
import { CarryStore } from '../config/carry.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { World } from '../pipeline/stage.ts';
import { JwtMethod } from './jwt/jwt.ts';
import { takeMethod } from './methods.ts';
import { type MethodOptions, methodOptions } from './options.ts';

let dir: string;

before(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'portcullis-methods-'));
  await writeFile(path.join(dir, 'jwks.json'), JSON.stringify(keySet()));
});
after(() => rm(dir, { recursive: true }));

const log = { info() {}, warn() {}, error() {} };

/** One configuration after another, as a gateway holds them. */
class House {
  readonly store = new CarryStore();

  open(egress = 'e'): World & { release(): void } {
    const carry = this.store.open();
    const world = { carry, egress: { key: egress }, clock: { now: Date.now }, log, release: () => carry.release() };
    return world as unknown as World & { release(): void };
  }
}

const staff = (other: Record<string, unknown> = {}): MethodOptions =>
  methodOptions.parse({ jwt: { issuer, audience, algorithms: ['RS256'], jwks: path.join(dir, 'jwks.json'), ...other } });

test('one method for all routes, and over reloads as long as nothing of it changes', async () => {
  const house = new House();
  const first = house.open();
  const [one, same] = await Promise.all([takeMethod('staff', staff(), first), takeMethod('staff', staff(), first)]);
  assert.equal(one, same);
  assert.ok(one instanceof JwtMethod);
  await one.verify({ connection: {} } as Exchange, token());
  const second = house.open();
  const kept = await takeMethod('staff', staff(), second);
  first.release();
  assert.equal(kept, one);
  assert.equal(one.cached.entries, 1);
  // Its keys have not been given back with the configuration that it was made for.
  const caller = await one.verify({ connection: {} } as Exchange, token());
  assert.ok(!('kind' in caller));
  second.release();
  assert.equal(house.store.size, 0);
});

test('another option, name or way out makes another method', async () => {
  const house = new House();
  const world = house.open();
  const made = await Promise.all([
    takeMethod('staff', staff(), world),
    takeMethod('others', staff(), world),
    takeMethod('staff', staff({ audience: ['stock'] }), world),
    takeMethod('staff', staff({ 'clock-skew': '6s' }), world),
    takeMethod('staff', staff(), { ...world, egress: { key: 'other' } as World['egress'] }),
  ]);
  assert.equal(new Set(made).size, made.length);
  world.release();
  assert.equal(house.store.size, 0);
});

test('a method that cannot be made says why, and leaves nothing behind', async () => {
  const house = new House();
  const world = house.open();
  await assert.rejects(takeMethod('staff', staff({ jwks: path.join(dir, 'missing.json') }), world), /missing\.json/);
  world.release();
  assert.equal(house.store.size, 0);
  const next = house.open();
  await takeMethod('staff', staff(), next);
  next.release();
});
