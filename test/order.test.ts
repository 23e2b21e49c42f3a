/**
 * Holds the order of the corridor (`src/pipeline/order.ts`) to the folders of `src/`: one vocabulary for both, nothing
 * that stands in a folder and is never run, nothing that is run without a reason for its place.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { catalogue } from '../src/errors/catalogue.ts';
import { ROOT, readText } from './support/sources.ts';
import { ROOMS } from './support/walls.ts';

const ORDER = 'src/pipeline/order.ts';
const isThere = (file: string): boolean => existsSync(path.join(ROOT, file));
const skip = isThere(ORDER) ? false : `${ORDER} is not there yet`;

/** An entry of the list: a room or one of its hooks, such as `limit.byAddress`, and why it stands where it stands. */
interface Entry {
  readonly hook: string;
  readonly reason: string;
}

async function readOrder(): Promise<readonly Entry[]> {
  const { order } = (await import(`../${ORDER}`)) as { order: readonly Entry[] };
  return order;
}

const roomOf = (hook: string): string => hook.split('.')[0];

test('the rooms are the same words for the walls and for the type StageName', () => {
  const union = /export type StageName =([^;]+);/.exec(readText('src/exchange/decision.ts'));
  const names = [...(union?.[1].matchAll(/'(\w+)'/g) ?? [])].map((match) => match[1]);
  assert.deepEqual(names.toSorted(), ROOMS.toSorted());
});

test('every code of the catalogue is spoken by a room', () => {
  for (const [code, entry] of Object.entries(catalogue)) assert.ok(ROOMS.includes(entry.room), code);
});

test('every entry of the order is a room with a door', { skip }, async () => {
  for (const { hook } of await readOrder()) {
    assert.ok(ROOMS.includes(roomOf(hook)), `${hook} is no room`);
    assert.ok(isThere(`src/${roomOf(hook)}/stage.ts`), `src/${roomOf(hook)}/stage.ts is missing`);
  }
});

test('every room with a door is in the order', { skip }, async () => {
  const listed = (await readOrder()).map(({ hook }) => roomOf(hook));
  for (const room of ROOMS.filter((name) => isThere(`src/${name}/stage.ts`))) {
    assert.ok(listed.includes(room), `src/${room}/stage.ts is in no entry of ${ORDER}: it would never run`);
  }
});

test('no hook stands twice, and each has a reason', { skip }, async () => {
  const order = await readOrder();
  assert.equal(new Set(order.map(({ hook }) => hook)).size, order.length);
  for (const { hook, reason } of order) assert.ok(reason.trim().length >= 20, `${hook} has no reason for its place`);
});

/** What must come before what, whatever else moves; each with what breaks otherwise. */
const BEFORE: [string, string, string][] = [
  ['route', 'authenticate', 'the route says who may authenticate, and preflights are answered before identity'],
  ['limit.byAddress', 'authenticate', 'guessing credentials must cost the guesser'],
  ['authenticate', 'authorize', 'permission is of somebody'],
  ['authenticate', 'limit.byCaller', 'a limit by caller needs the caller'],
  ['limit.byCaller', 'validate', 'a request over its limit must not cost the reading of its body'],
  ['authorize', 'validate', 'only who may call sees what is wrong with a call'],
  ['validate', 'waf', 'the cheap and exact check goes first'],
  ['waf', 'translate', 'the WAF sees what the client sent'],
  ['waf', 'compose', 'nothing is sent to a service that the WAF has not seen'],
  ['waf', 'upstream', 'nothing is sent to a service that the WAF has not seen'],
];

test('what must come first comes first', { skip }, async () => {
  const hooks = (await readOrder()).map(({ hook }) => hook);
  for (const [first, second, reason] of BEFORE) {
    const [a, b] = [first, second].map((name) => hooks.findIndex((hook) => hook === name || roomOf(hook) === name));
    if (a >= 0 && b >= 0) assert.ok(a < b, `${first} must come before ${second}: ${reason}`);
  }
});
