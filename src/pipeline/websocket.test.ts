import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FakeService, FakeSocket, planOf, request } from '../../test/support/corridor.ts';
import { type Outcome, type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Message, Prepared } from './stage.ts';
import { openTunnel, type Tunnel } from './tunnel.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

const TEXT = 1;
const CLOSE = 8;
const PING = 9;

/** A frame as a client (masked) or a service sends it. The mask is zero, so that the text stays readable. */
function frame(opcode: number, payload: string | Buffer, masked: boolean): Buffer {
  const data = Buffer.from(payload as string);
  assert.ok(data.length < 126);
  const head = masked ? [0x80 | opcode, 0x80 | data.length, 0, 0, 0, 0] : [0x80 | opcode, data.length];
  return Buffer.concat([Buffer.from(head), data]);
}

const closing = (code: number, masked: boolean) => frame(CLOSE, Buffer.from([code >> 8, code & 255]), masked);

/** What was written to one end, frame by frame: `text hello`, `close 1008`. */
function framesOf(socket: FakeSocket): string[] {
  const bytes = Buffer.concat(socket.written);
  const names: Record<number, string> = { [TEXT]: 'text', [CLOSE]: 'close', [PING]: 'ping' };
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const name = names[bytes[at] & 15];
    const length = bytes[at + 1] & 127;
    const mask = bytes[at + 1] & 128 ? bytes.subarray(at + 2, at + 6) : Buffer.alloc(4);
    at += bytes[at + 1] & 128 ? 6 : 2;
    const data = Buffer.from(bytes.subarray(at, at + length).map((byte, i) => byte ^ mask[i & 3]));
    frames.push(name === 'close' ? `close ${length === 0 ? '' : data.readUInt16BE()}` : `${name} ${data}`);
    at += length;
  }
  return frames;
}

interface Conversation {
  readonly client: FakeSocket;
  readonly service: FakeSocket;
  readonly x: Exchange;
  readonly closed: (Refusal | undefined)[];
  tunnel?: Tunnel;
}

async function open(onMessage: Prepared['onMessage'], limit = 100): Promise<Conversation> {
  const x = request({ upgrade: true });
  const made: Conversation = { client: new FakeSocket(), service: new FakeSocket(), x, closed: [] };
  const plan = await planOf(new FakeService(), [{ needs: { request: { kind: 'messages', limit } }, onMessage }]);
  const rest = Buffer.alloc(0);
  const ends = [
    { socket: made.client, rest },
    { socket: made.service, rest },
  ] as const;
  made.tunnel = openTunnel(x, plan, ...ends, (refusal) => void made.closed.push(refusal));
  return made;
}

const passes = () => undefined;

/** A room that thinks about every message until it is told what to say. */
function thinking() {
  const waiting: ((outcome: Outcome) => void)[] = [];
  const seen: string[] = [];
  return {
    seen,
    waiting,
    onMessage: (_x: Exchange, message: Message) => {
      seen.push(String(message.data));
      return new Promise<Outcome>((resolve) => waiting.push(resolve));
    },
    async say(outcome: Outcome) {
      waiting.shift()?.(outcome);
      await turn();
    },
  };
}

function clock(t: TestContext): (ms: number) => Promise<void> {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return async (ms) => {
    t.mock.timers.tick(ms);
    await turn();
  };
}

test('a message that a room still thinks about arrives before the close that followed it', async () => {
  const room = thinking();
  const { client, service } = await open(room.onMessage);
  client.arrives(Buffer.concat([frame(TEXT, 'one', true), frame(TEXT, 'two', true), closing(1000, true)]));
  await turn();
  assert.deepEqual(framesOf(service), []);
  await room.say(undefined);
  await room.say(undefined);
  assert.deepEqual(framesOf(service), ['text one', 'text two', 'close 1000']);
  assert.equal(service.writableEnded, true);
});

test('so does one from a side that ends without a close', async () => {
  const room = thinking();
  const { client, service } = await open(room.onMessage);
  service.arrives(frame(TEXT, 'one', false));
  await turn();
  service.finishes();
  await turn();
  await room.say(undefined);
  assert.deepEqual(framesOf(client), ['text one', 'close 1001']);
  assert.equal(client.writableEnded, true);
});

test('a close is answered by the other side, and ends the exchange', async () => {
  const one = await open(passes);
  one.client.arrives(closing(4000, true));
  await turn();
  one.service.arrives(closing(4000, false));
  one.service.finishes();
  one.client.finishes();
  await turn();
  assert.deepEqual([framesOf(one.service), framesOf(one.client)], [['close 4000'], ['close 4000']]);
  assert.deepEqual(one.closed, [undefined]);
});

test('a refused message closes both sides with 1008, and nothing behind it passes', async (t) => {
  const pass = clock(t);
  const refusal = refuse('message-malformed', 'told to');
  const one = await open((_x, message) => (String(message.data) === 'attack' ? refusal : undefined));
  one.client.arrives(Buffer.concat([frame(TEXT, 'attack', true), frame(PING, 'p', true), frame(TEXT, 'more', true)]));
  await turn();
  assert.deepEqual([framesOf(one.service), framesOf(one.client)], [['close 1008'], ['close 1008']]);
  assert.deepEqual(one.closed, []);
  // Neither side closes its half: the gateway does not wait for ever.
  await pass(2000);
  assert.deepEqual(one.closed, [refusal]);
  assert.deepEqual([one.client.destroyed, one.service.destroyed], [true, true]);
});

test('a room that throws, or answers, is a fault', async () => {
  const throws = () => {
    throw new Error('broke');
  };
  const answers = (): Outcome => ({ kind: 'answer', status: 200, headers: [] });
  for (const onMessage of [throws, answers, async () => throws()]) {
    const one = await open(onMessage);
    one.client.arrives(frame(TEXT, 'x', true));
    await turn();
    one.client.destroy();
    one.service.destroy();
    await turn();
    assert.deepEqual([framesOf(one.service), one.closed[0]?.code], [['close 1008'], 'internal']);
  }
});

test('what is no frame, and what is too large, closes both sides', async () => {
  const cases: [Buffer, string, string][] = [
    [frame(3, 'x', true), 'close 1002', 'message-malformed'],
    [frame(TEXT, 'not masked', false), 'close 1002', 'message-malformed'],
    [frame(TEXT, 'x'.repeat(101), true), 'close 1009', 'message-too-large'],
  ];
  for (const [bytes, close, code] of cases) {
    const one = await open(passes);
    one.client.arrives(bytes);
    await turn();
    one.client.destroy();
    one.service.destroy();
    await turn();
    assert.deepEqual([framesOf(one.service), framesOf(one.client), one.closed[0]?.code], [[close], [close], code]);
  }
});

test('a side that does not read stops the other side, whatever that sends', async () => {
  for (const opcode of [TEXT, PING]) {
    const { client, service } = await open(passes);
    service.stalled = true;
    for (let i = 0; i < 40; i++) {
      client.arrives(frame(opcode, 'x'.repeat(100), true));
      await turn();
    }
    assert.ok(service.writableLength <= 1300, `${service.writableLength} bytes wait in memory`);
    assert.equal(client.isPaused(), true);
    service.reads();
    while (framesOf(service).length < 40) await turn();
    client.destroy();
    service.destroy();
  }
});

test('while a room thinks, no more than a few messages wait, and not more than one of the largest in bytes', async () => {
  const room = thinking();
  const { client, service } = await open(room.onMessage, 100);
  for (let i = 0; i < 10; i++) {
    client.arrives(frame(TEXT, 'x'.repeat(60), true));
    await turn();
  }
  assert.equal(client.isPaused(), true);
  assert.ok(client.readableLength >= 7 * 66, 'the rest has not been read');
  while (framesOf(service).length < 10) await room.say(undefined);
  client.destroy();
  service.destroy();
});

test('an end that the gateway wants is told to both sides with 1001, behind what has passed', async (t) => {
  const pass = clock(t);
  const refusal = refuse('shutting-down', 'told to');
  const one = await open(passes);
  one.client.arrives(frame(TEXT, 'before', true));
  await turn();
  assert.equal(one.tunnel?.polite, true);
  one.tunnel?.end(refusal);
  one.client.arrives(frame(TEXT, 'behind', true));
  await turn();
  assert.deepEqual([framesOf(one.service), framesOf(one.client)], [['text before', 'close 1001'], ['close 1001']]);
  await pass(2000);
  assert.deepEqual(one.closed, [refusal]);
});
