/**
 * Holds the order of the corridor (`src/pipeline/order.ts`) to the folders of `src/`: one vocabulary for both, nothing
 * that stands in a folder and is never run, nothing that is run without a reason for its place.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { catalogue } from '../src/errors/catalogue.ts';
import { order } from '../src/pipeline/order.ts';
import { ROOT, readText } from './support/sources.ts';
import { ROOMS } from './support/walls.ts';

const isThere = (file: string): boolean => existsSync(path.join(ROOT, file));

test('the rooms are the same words for the walls and for the type StageName', () => {
  const union = /export type StageName =([^;]+);/.exec(readText('src/exchange/decision.ts'));
  const names = [...(union?.[1].matchAll(/'(\w+)'/g) ?? [])].map((match) => match[1]);
  assert.deepEqual(names.toSorted(), ROOMS.toSorted());
});

test('every code of the catalogue is spoken by a room', () => {
  for (const [code, entry] of Object.entries(catalogue)) assert.ok(ROOMS.includes(entry.room), code);
});

test('every place of the order is a room, and one that is prepared for routes has a door', () => {
  for (const { hook, room, prepare } of order) {
    assert.ok(ROOMS.includes(room), `${hook} is in no room`);
    assert.ok(hook === room || hook.startsWith(`${room}.`), `${hook} does not bear the name of its room`);
    assert.ok(isThere(`src/${room}`), `src/${room} is missing`);
    assert.ok(prepare === undefined || isThere(`src/${room}/stage.ts`), `src/${room}/stage.ts is missing`);
  }
});

test('every room with a door is in the order', () => {
  const listed = order.map(({ room }) => String(room));
  for (const room of ROOMS.filter((name) => isThere(`src/${name}/stage.ts`))) {
    assert.ok(listed.includes(room), `src/${room}/stage.ts has no place in pipeline/order.ts: it would never run`);
  }
});

test('no hook stands twice, and each says why it stands there', () => {
  assert.equal(new Set(order.map(({ hook }) => hook)).size, order.length);
  for (const { hook, why } of order) assert.ok(why.trim().length >= 20, `${hook} has no reason for its place`);
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

test('what must come first comes first', () => {
  const at = (name: string): number => order.findIndex(({ hook, room }) => hook === name || room === name);
  for (const [first, second, reason] of BEFORE) {
    if (at(first) >= 0 && at(second) >= 0) assert.ok(at(first) < at(second), `${first} must come before ${second}: ${reason}`);
  }
});
