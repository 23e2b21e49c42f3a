import assert from 'node:assert/strict';
import { it } from 'node:test';
import { HeavyClients } from './heavy-clients.ts';

it('who sent a heavy chain in vain waits a minute, and nobody else', () => {
  const heavy = new HeavyClients();
  assert.equal(heavy.any, false);
  heavy.add('192.0.2.1', 0);
  assert.equal(heavy.blocks('192.0.2.1', 59_999), true);
  assert.equal(heavy.blocks('192.0.2.2', 0), false);
  assert.equal(heavy.blocks('192.0.2.1', 60_000), false);
  assert.equal(heavy.any, false);
});

it('endless addresses are bounded, and the latest are remembered', () => {
  const heavy = new HeavyClients();
  for (let i = 0; i < 30_000; i++) heavy.add(`address ${i}`, 0);
  assert.equal(heavy.blocks('address 19999', 1), false);
  assert.equal(heavy.blocks('address 20000', 1), true);
});
