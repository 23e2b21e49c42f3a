import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { TrustedProxies } from '../exchange/client-address.ts';
import type { Corridor } from './corridor.ts';
import { Listener } from './listener.ts';
import { listenerOptions } from './options.ts';
import type { TurnedAwayRecord } from './turned-away.ts';

// What becomes of connections before anybody speaks HTTP on them.

const ANSWERING: Corridor = {
  handle: (_x, client) => client.respond(200, [], 'ok'),
  refuse: (_x, client, { status }) => client.respond(status, [], undefined),
};
const log = { info() {}, warn() {}, error: (text: string) => assert.fail(text) };

interface Opened {
  readonly listener: Listener;
  readonly port: number;
  readonly records: TurnedAwayRecord[];
  readonly counted: string[];
  /** Connections that were let in so far. */
  admitted(): number;
}

async function open(t: TestContext, more: object): Promise<Opened> {
  const [records, counted]: [TurnedAwayRecord[], string[]] = [[], []];
  let admitted = 0;
  const count = {
    opened: () => void admitted++,
    closed() {},
    refused: (_listener: string, code: string) => void counted.push(code),
    record: (record: TurnedAwayRecord) => void records.push(record),
  };
  const options = listenerOptions.parse({ address: '127.0.0.1:0', tls: 'none', ...more });
  const trusted = new TrustedProxies(['127.0.0.1']);
  const listener = new Listener({ name: 'door', options, corridor: ANSWERING, trusted, tls: undefined, log, count });
  const { port } = await listener.listen();
  t.after(async () => {
    const drained = listener.drain();
    listener.destroy();
    await drained;
  });
  return { listener, port, records, counted, admitted: () => admitted };
}

/** A client that has connected, and that the listener has seen. */
async function join({ port, admitted }: Opened, text = ''): Promise<net.Socket> {
  const before = admitted();
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  await until(() => admitted() > before, 'the connection is not let in');
  return socket;
}

async function until(holds: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 10_000; !holds(); await wait(5)) if (performance.now() > end) assert.fail(what);
}

const closed = (socket: net.Socket) => until(() => socket.closed, 'the connection is not closed');

for (const opening of ['', 'PROXY TCP4 203.0.113.7 10.0.0.1 54', '\r\n\r\n\0\r\nQUIT']) {
  for (const way of ['drain', 'destroy'] as const) {
    test(`${way} ends a connection that has sent ${JSON.stringify(opening)} of its PROXY header`, async (t) => {
      const opened = await open(t, { 'proxy-protocol': true });
      const socket = await join(opened, opening);
      const drained = opened.listener[way]();
      await closed(socket);
      await drained;
      await until(() => opened.listener.open === 0, 'its place is not given back');
      assert.deepEqual(opened.records, []);
    });
  }
}

test('a connection without the PROXY header that must be there leaves a record', async (t) => {
  const cases: [string, string, string][] = [
    ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'protocol-error', 'no PROXY header'],
    ['PROXY TCP4 nonsense\r\n', 'protocol-error', 'PROXY header has not five fields'],
    ['PROXY TCP4', 'head-timeout', 'PROXY header did not come in time'],
  ];
  for (const [text, code, reason] of cases) {
    const opened = await open(t, { 'proxy-protocol': true, bounds: { 'head-time': code === 'head-timeout' ? '50ms' : '60s' } });
    await closed(await join(opened, text));
    await until(() => opened.records.length > 0, 'there is no record');
    const [{ refusal, connection, status }] = opened.records;
    assert.deepEqual([opened.records.length, opened.counted, status], [1, [code], 0]);
    assert.deepEqual([refusal.room, refusal.code, refusal.reason], ['listen', code, reason]);
    assert.deepEqual([connection.listener, connection.peerAddress], ['door', '127.0.0.1']);
  }
});

test('a peer that leaves within its PROXY header leaves none', async (t) => {
  const opened = await open(t, { 'proxy-protocol': true });
  const socket = await join(opened, 'PROXY TCP4');
  socket.end();
  await until(() => opened.listener.open === 0, 'the connection is still there');
  assert.deepEqual(opened.records, []);
});

test('the address of the PROXY header counts, and stands in the record', async (t) => {
  const opened = await open(t, { 'proxy-protocol': true, bounds: { 'connections-per-address': 1 } });
  const first = await join(opened, 'PROXY TCP4 203.0.113.7 10.0.0.1 1000 80\r\n');
  const other = await join(opened, 'PROXY TCP4 203.0.113.8 10.0.0.1 1000 80\r\n');
  const second = await join(opened, 'PROXY TCP4 203.0.113.7 10.0.0.1 1001 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await closed(first);
  assert.deepEqual([other.destroyed, second.destroyed], [false, false]);
  assert.deepEqual(
    opened.records.map(({ refusal, connection }) => [refusal.code, connection.peerAddress, connection.peerPort]),
    [['connection-cap', '203.0.113.7', 1000]],
  );
});

test('an idle connection that is closed to make room had its requests, and leaves no record', async (t) => {
  const opened = await open(t, { bounds: { connections: 2 } });
  const idle = await join(opened);
  idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(idle, 'data');
  const silent = await join(opened);
  const third = await join(opened);
  await closed(silent);
  await join(opened);
  await closed(third);
  assert.deepEqual([idle.destroyed, opened.records.length], [false, 2], 'those without a head go before it');
  assert.ok(opened.records.every(({ refusal }) => refusal.code === 'connection-cap'));
});
