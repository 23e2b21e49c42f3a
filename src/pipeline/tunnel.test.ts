import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FakeService, FakeSocket, planOf, request } from '../../test/support/corridor.ts';
import { type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { openTunnel } from './tunnel.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const nothing = Buffer.alloc(0);

interface Tunnel {
  readonly client: FakeSocket;
  readonly service: FakeSocket;
  readonly x: Exchange;
  closed: number;
  opened?: ReturnType<typeof openTunnel>;
  refusal?: Refusal;
}

async function open(client = nothing, service = nothing): Promise<Tunnel> {
  const x = request({ upgrade: true });
  const tunnel: Tunnel = { client: new FakeSocket(), service: new FakeSocket(), x, closed: 0 };
  const plan = await planOf(new FakeService());
  const ends = [
    { socket: tunnel.client, rest: client },
    { socket: tunnel.service, rest: service },
  ] as const;
  tunnel.opened = openTunnel(x, plan, ...ends, (refusal) => {
    tunnel.closed++;
    tunnel.refusal = refusal;
  });
  return tunnel;
}

/** Timers that are set by hand; streams do not need any. */
function clock(t: TestContext): (ms: number) => Promise<void> {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return async (ms) => {
    t.mock.timers.tick(ms);
    await turn();
  };
}

test('bytes pass both ways, those behind the heads first, and are counted', async () => {
  const { client, service, x } = await open(Buffer.from('c1'), Buffer.from('s1'));
  client.arrives('c2');
  service.arrives('s2s3');
  await turn();
  assert.deepEqual([service.text, client.text], ['c1c2', 's1s2s3']);
  assert.deepEqual([x.requestBytes, x.responseBytes], [4, 6]);
  client.destroy();
  service.destroy();
});

test('each half closes by itself, and what the other side still says arrives', async () => {
  const tunnel = await open();
  const { client, service } = tunnel;
  client.finishes();
  await turn();
  assert.equal(service.writableFinished, true, 'the service hears that the client has finished');
  service.arrives('the last word');
  await turn();
  assert.deepEqual([client.text, client.writableEnded, tunnel.closed], ['the last word', false, 0]);
  service.finishes();
  await turn();
  assert.deepEqual([client.destroyed, service.destroyed, tunnel.closed], [true, true, 1]);
});

test('a side that does not read stops the other side, and lets it go on', async () => {
  const { client, service } = await open();
  service.stalled = true;
  for (let i = 0; i < 10; i++) client.arrives(Buffer.alloc(500));
  await turn();
  assert.ok(service.writableLength <= 1500, `${service.writableLength} bytes wait in memory`);
  assert.equal(client.isPaused(), true);
  service.reads();
  await turn();
  assert.equal(Buffer.concat(service.written).length, 5000);
  client.destroy();
  service.destroy();
});

test('a reset of one side ends the other, within a second also when that one does not answer', async (t) => {
  for (const which of ['client', 'service'] as const) {
    const pass = clock(t);
    const tunnel = await open();
    const [one, other] = which === 'client' ? [tunnel.client, tunnel.service] : [tunnel.service, tunnel.client];
    one.destroy(new Error('ECONNRESET'));
    await turn();
    assert.deepEqual([other.writableFinished, other.destroyed, tunnel.closed], [true, false, 0]);
    await pass(1000);
    assert.deepEqual([other.destroyed, tunnel.closed], [true, 1]);
    t.mock.timers.reset();
  }
});

test('what a client sent before it left reaches a service that is slow to read', async (t) => {
  const pass = clock(t);
  const tunnel = await open();
  const { client, service } = tunnel;
  service.stalled = true;
  client.arrives('first');
  client.arrives('last');
  client.finishes();
  await turn();
  client.destroy();
  await turn();
  assert.equal(service.destroyed, false);
  service.reads();
  await turn();
  assert.deepEqual([service.text, service.writableFinished], ['firstlast', true]);
  await pass(1000);
  assert.equal(tunnel.closed, 1);
});

test('an end that the gateway wants puts nothing between the bytes of either side, and says why it was', async (t) => {
  const pass = clock(t);
  const tunnel = await open();
  const { client, service, opened } = tunnel;
  const refusal = refuse('tunnel-idle', 'told to');
  client.arrives('half a fr');
  await turn();
  assert.equal(opened?.polite, false);
  opened?.end(refusal);
  await turn();
  assert.deepEqual([service.text, client.text], ['half a fr', '']);
  assert.deepEqual([service.writableFinished, client.writableFinished], [true, true]);
  await pass(1000);
  assert.deepEqual([tunnel.closed, tunnel.refusal], [1, refusal]);
});
