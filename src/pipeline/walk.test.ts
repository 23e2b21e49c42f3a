import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PieceSource } from '../../test/support/body-sources.ts';
import { FakeClient, FakeService, FakeSocket, planOf, type RequestParts, request } from '../../test/support/corridor.ts';
import { type Outcome, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Prepared } from './stage.ts';
import { Walk } from './walk.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const handshake: RequestParts = { upgrade: true, headers: ['sec-websocket-key', KEY, 'sec-websocket-version', '13'] };

class Journey {
  readonly client = new FakeClient();
  readonly service = new FakeService();
  readonly ended: Exchange[] = [];
  readonly broke: unknown[] = [];
  x!: Exchange;
  walk!: Walk;

  static async begin(rooms: Prepared[] = [], parts: RequestParts = {}, prepare?: (journey: Journey) => void): Promise<Journey> {
    const journey = new Journey();
    prepare?.(journey);
    journey.x = request(parts);
    const owner = {
      ended: (x: Exchange) => journey.ended.push(x),
      broke: (_x: Exchange, fault: unknown) => journey.broke.push(fault),
    };
    journey.walk = new Walk(journey.x, journey.client, await planOf(journey.service, rooms), owner);
    journey.walk.begin();
    await turn();
    return journey;
  }

  get code(): string | undefined {
    return this.x.decision?.code;
  }

  get story(): string {
    return this.client.events.join(', ');
  }
}

/** A room that thinks until it is told what to say. */
function thinking(hook: 'onRequestHead' | 'onResponseHead'): { room: Prepared; say(outcome: Outcome): Promise<void> } {
  let resolve: ((outcome: Outcome) => void) | undefined;
  const promise = new Promise<Outcome>((done) => (resolve = done));
  return {
    room: { [hook]: () => promise },
    async say(outcome) {
      resolve?.(outcome);
      await turn();
    },
  };
}

const whole = (limit: number, over: 'pass' | 'refuse' = 'refuse'): Prepared => ({
  needs: { response: { kind: 'whole', limit, over } },
});
const throws = (): never => {
  throw new Error('a room broke');
};

describe('the way through', () => {
  test('an answer streams past, and the exchange ends once', async () => {
    const one = await Journey.begin();
    one.service.answer.onHead(200, ['a', '1'], undefined);
    one.service.answer.onData(Buffer.from('x'));
    one.service.answer.onEnd(['x-sum', '1']);
    assert.equal(one.story, 'start 200 unknown, write x, end x-sum,1');
    assert.deepEqual(one.ended, [one.x]);
    assert.equal(one.x.decision, undefined);
  });

  test('a slow client stops the service, and lets it go on', async () => {
    const one = await Journey.begin();
    one.service.answer.onHead(200, [], undefined);
    one.client.flowing = false;
    assert.equal(one.service.answer.onData(Buffer.from('x')), false);
    one.client.watcher?.clientDrained();
    assert.equal(one.service.last.resumed, 1);
    one.client.watcher?.clientDrained();
    assert.equal(one.service.last.resumed, 1, 'once');
  });

  test('while a room thinks about the head of the answer, its body waits, and comes whole', async () => {
    const room = thinking('onResponseHead');
    const one = await Journey.begin([room.room]);
    one.service.answer.onHead(200, [], 2);
    assert.equal(one.service.answer.onData(Buffer.from('a')), false, 'the service is asked to wait');
    one.service.answer.onData(Buffer.from('b'));
    one.service.answer.onEnd(undefined);
    assert.equal(one.story, '');
    await room.say(undefined);
    assert.equal(one.story, 'start 200 2, write a, write b, end');
    assert.equal(one.ended.length, 1);
  });

  test('a held answer that is not complete flows again when the room has thought', async () => {
    const room = thinking('onResponseHead');
    const one = await Journey.begin([room.room]);
    one.service.answer.onHead(200, [], undefined);
    one.service.answer.onData(Buffer.from('a'));
    await room.say(undefined);
    assert.equal(one.service.last.resumed, 1);
  });

  test('an answer that is larger than a room reads goes on unread or is refused, as the room says', async () => {
    const passing = await Journey.begin([whole(3, 'pass')]);
    passing.service.answer.onHead(200, [], undefined);
    passing.service.answer.onData(Buffer.from('ab'));
    passing.service.answer.onData(Buffer.from('cd'));
    passing.service.answer.onData(Buffer.from('ef'));
    passing.service.answer.onEnd(undefined);
    assert.equal(passing.story, 'start 200 unknown, write ab, write cd, write ef, end');
    const refused = await Journey.begin([whole(3)]);
    refused.service.answer.onHead(200, [], undefined);
    refused.service.answer.onData(Buffer.from('abcd'));
    assert.deepEqual([refused.story, refused.code, refused.service.last.cancelled], ['respond 502', 'response-refused', true]);
  });

  test('HEAD, 204 and 304 tell the length that the service told, also where the body is held', async () => {
    for (const [method, status, length] of [
      ['HEAD', 200, 7],
      ['GET', 304, 7],
      ['GET', 204, 0],
    ] as const) {
      const one = await Journey.begin([whole(100)], { method });
      one.service.answer.onHead(status, [], 7);
      one.service.answer.onEnd(undefined);
      assert.match(one.story, new RegExp(`^start ${status} ${length}`));
      assert.equal(one.ended.length, 1);
    }
  });

  test('a body that a room wants is read whole before the service is called', async () => {
    const room: Prepared = { needs: { request: { kind: 'whole', limit: 10 } } };
    const one = await Journey.begin([room], { method: 'POST', source: new PieceSource(['ab', 'cd']) });
    while (one.service.calls.length === 0) await turn();
    assert.equal(String(one.service.last.call.body), 'abcd');
  });

  test('an upgrade has an empty body, and the rooms that judge bodies judge it too', async () => {
    const seen: (number | undefined)[] = [];
    const room: Prepared = {
      needs: { request: { kind: 'whole', limit: 10 } },
      onRequestBody: (x) => {
        seen.push(x.body?.length);
        return refuse('method-not-allowed', 'told to');
      },
    };
    const one = await Journey.begin([room], handshake);
    assert.deepEqual(seen, [0]);
    assert.deepEqual([one.story, one.service.calls.length], ['respond 405', 0]);
  });
});

describe('the ways out', () => {
  test('a body beyond its bound, declared or not', async () => {
    const declared = await Journey.begin([], { method: 'POST', source: new PieceSource(['x'], 5000) });
    assert.deepEqual([declared.code, declared.service.calls.length], ['body-too-large', 0]);
    const small: Prepared = { needs: { request: { kind: 'whole', limit: 3 } } };
    const held = await Journey.begin([small], { method: 'POST', source: new PieceSource(['abcd'], 4) });
    assert.deepEqual([held.code, held.service.calls.length], ['body-too-large', 0]);
  });

  test('a service that fails: before its head the client hears of it, behind it the answer breaks off', async () => {
    const before = await Journey.begin();
    before.service.answer.onFault({ code: 'upstream-connect', reason: 'r', untouched: true, retryAfter: 3 });
    assert.deepEqual([before.story, before.code], ['respond 502', 'upstream-connect']);
    const within = await Journey.begin();
    within.service.answer.onHead(200, [], undefined);
    within.service.answer.onFault({ code: 'upstream-closed', reason: 'r', untouched: false });
    assert.deepEqual([within.story, within.code], ['start 200 unknown, abort', 'upstream-closed']);
    assert.deepEqual([before.ended.length, within.ended.length], [1, 1]);
  });

  test('the client leaves: in a room, at the service, within the answer', async () => {
    const room = thinking('onRequestHead');
    const early = await Journey.begin([room.room]);
    early.client.watcher?.clientGone();
    await room.say(undefined);
    assert.deepEqual([early.code, early.ended.length, early.service.calls.length], ['client-gone', 1, 0]);
    const waiting = await Journey.begin();
    waiting.client.watcher?.clientGone();
    assert.deepEqual([waiting.code, waiting.ended.length, waiting.service.last.cancelled], ['client-gone', 1, true]);
    const within = await Journey.begin();
    within.service.answer.onHead(200, [], undefined);
    within.client.watcher?.clientGone();
    within.client.watcher?.clientGone();
    assert.deepEqual([within.code, within.ended.length, within.service.last.cancelled], ['client-gone', 1, true]);
  });

  test('rooms that think hear nothing more of an exchange that is over', async () => {
    const first = thinking('onRequestHead');
    let asked = 0;
    const second: Prepared = { onRequestHead: () => void asked++ };
    const one = await Journey.begin([first.room, second]);
    one.client.watcher?.clientGone();
    await first.say({ kind: 'answer', status: 200, headers: [] });
    assert.deepEqual([asked, one.story, one.ended.length], [0, '', 1]);
  });

  test('a handshake that the service answers to another key is refused, and its connection closed', async () => {
    const one = await Journey.begin([], handshake);
    const socket = new FakeSocket();
    one.service.answer.onUpgrade(['sec-websocket-accept', 'AAAA'], socket, Buffer.alloc(0));
    assert.deepEqual([one.story, one.code, socket.destroyed], ['respond 502', 'upstream-malformed', true]);
  });

  test('an upgrade lasts until both ends are closed', async () => {
    const one = await Journey.begin([], handshake);
    const socket = new FakeSocket();
    one.service.answer.onUpgrade(['sec-websocket-accept', ACCEPT], socket, Buffer.from('hello'));
    await turn();
    assert.deepEqual([one.story, one.client.socket.text, one.ended.length], ['upgrade', 'hello', 0]);
    socket.destroy();
    one.client.socket.destroy();
    await turn();
    assert.equal(one.ended.length, 1);
    assert.equal(one.x.decision, undefined);
  });
});

describe('what breaks ends the exchange, once, and is told', () => {
  const places: [string, Prepared, RequestParts, (journey: Journey) => void][] = [
    ['request head', { onRequestHead: throws }, {}, () => {}],
    ['request head, later', { onRequestHead: () => Promise.reject(new Error('later')) }, {}, () => {}],
    ['request body', { needs: { request: { kind: 'whole', limit: 9 } }, onRequestBody: throws }, {}, () => {}],
    ['response head', { onResponseHead: throws }, {}, (journey) => journey.service.answer.onHead(200, [], 0)],
    [
      'response body',
      { ...whole(9), onResponseBody: throws },
      {},
      (journey) => {
        journey.service.answer.onHead(200, [], 0);
        journey.service.answer.onEnd(undefined);
      },
    ],
  ];
  for (const [name, room, parts, then] of places) {
    test(`a room, at the ${name}`, async () => {
      const one = await Journey.begin([room], parts);
      then(one);
      await turn();
      assert.deepEqual([one.story, one.code, one.ended.length, one.broke.length], ['respond 500', 'internal', 1, 1]);
      if (one.service.calls.length > 0) assert.equal(one.service.last.cancelled, true);
    });
  }

  test('an end hook: the others still run', async () => {
    let ran = 0;
    const one = await Journey.begin([{ onEnd: throws }, { onEnd: () => void ran++ }]);
    one.client.watcher?.clientGone();
    assert.deepEqual([ran, one.ended.length, one.broke.length], [1, 1, 1]);
  });

  const refusing: Prepared = { onRequestHead: () => refuse('method-not-allowed', 'r') };
  const answering: Prepared = { onRequestHead: async () => ({ kind: 'answer', status: 200, headers: [], body: 'x' }) };
  const answers = (journey: Journey) => {
    journey.service.answer.onHead(200, [], undefined);
    journey.service.answer.onData(Buffer.from('x'));
    journey.service.answer.onEnd(undefined);
  };
  const clients: [string, FakeClient['breaksAt'], Prepared[], RequestParts, (journey: Journey) => void][] = [
    ['a refusal', 'respond', [refusing], {}, () => {}],
    ['an answer of a room', 'respond', [answering], {}, () => {}],
    ['the head', 'start', [], {}, answers],
    ['the body', 'write', [], {}, answers],
    ['the end', 'end', [], {}, answers],
    ['a held body', 'write', [whole(100)], {}, answers],
    ['the end of a held body', 'end', [whole(100)], {}, answers],
    [
      'a fault',
      'respond',
      [],
      {},
      (journey) => journey.service.answer.onFault({ code: 'upstream-closed', reason: 'r', untouched: false }),
    ],
    [
      'an upgrade',
      'upgrade',
      [],
      handshake,
      (journey) => journey.service.answer.onUpgrade(['sec-websocket-accept', ACCEPT], journey.client.socket, Buffer.alloc(0)),
    ],
  ];
  for (const [name, breaksAt, rooms, parts, then] of clients) {
    test(`the client's side, at ${name}`, async () => {
      const one = await Journey.begin(rooms, parts, (journey) => (journey.client.breaksAt = breaksAt));
      assert.doesNotThrow(() => then(one));
      await turn();
      assert.equal(one.ended.length, 1);
      assert.ok(one.broke.length >= 1);
      assert.equal(one.code, 'internal');
      // What cannot be answered is cut off: the client must not wait for ever.
      if (breaksAt === 'respond' || name !== 'an upgrade') assert.equal(one.client.events.at(-1), 'abort');
    });
  }
});
