import { createEgress } from '../egress/direct.ts';
import { createStores } from '../stores/stores.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeptLog } from '../../test/support/corridor.ts';
import { order, type Place } from '../pipeline/order.ts';
import type { Prepared } from '../pipeline/stage.ts';
import { CarryStore } from './carry.ts';
import { checkText } from './load.ts';
import { prepare } from './prepare.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function configuration(paths: string[]) {
  const routes = paths.map((path) => `  - { path: ${path}, service: s, authentication: none }`).join('\n');
  const text = `listeners: { l: { address: 127.0.0.1:0 } }\nservices: { s: http://127.0.0.1:1 }\nroutes:\n${routes}`;
  const result = checkText('test.yaml', text, {});
  assert.ok(result.ok, JSON.stringify(result));
  return result.options;
}

test('when a room of one route cannot be prepared, rooms that were are closed and nothing stays held', async () => {
  const store = new CarryStore();
  const closed: string[] = [];
  const closes = (name: string): Prepared => ({
    close: async () => {
      closed.push(name);
      if (name.startsWith('first /a')) throw new Error('cannot even close');
    },
  });
  const first: Place = { hook: 'first', room: 'limit', why: 't', prepare: async (route) => closes(`first ${route.path}`) };
  const second: Place = {
    hook: 'second',
    room: 'validate',
    why: 't',
    async prepare(route, world) {
      if (route.path === '/b') throw new Error('no such contract');
      // Routes are prepared side by side: this one is still at it when the other has failed.
      await turn();
      world.carry.take(`late ${route.path}`, () => ({}));
      return closes(`second ${route.path}`);
    },
  };
  const carry = store.open();
  const parts = {
    carry,
    log: new KeptLog(),
    egress: createEgress(),
    stores: await createStores('memory', { carry, log: new KeptLog(), instance: 'one', workers: 1 }),
    clock: { now: Date.now },
    record: () => {},
  };
  await assert.rejects(
    prepare(configuration(['/a', '/b', '/c']), { ...parts, order: [...order, first, second] }),
    /no such contract/,
  );
  assert.deepEqual(closed.sort(), ['first /a', 'first /b', 'first /c', 'second /a', 'second /c']);
  assert.equal(store.size, 0);
});
