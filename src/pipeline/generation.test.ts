import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClient, FakeService, KeptLog, planOf, request } from '../../test/support/corridor.ts';
import { type Answer, type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Generation, type GenerationParts, type RouteFinder } from './generation.ts';
import type { Prepared } from './stage.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const redirect: Answer = { kind: 'answer', status: 308, headers: ['location', 'https://api.test/x'] };

interface House {
  readonly generation: Generation;
  readonly service: FakeService;
  readonly recorded: Exchange[];
  readonly log: KeptLog;
  released: number;
  handle(x?: Exchange): FakeClient;
}

async function house(parts: Partial<GenerationParts> = {}, rooms: Prepared[] = []): Promise<House> {
  const service = new FakeService();
  const plan = await planOf(service, rooms);
  const router: RouteFinder = {
    find: (_host, path, method) => {
      if (path !== '/x') return undefined;
      return method === 'GET' ? { match: plan, params: undefined } : { match: undefined, allow: ['GET'] };
    },
  };
  const log = new KeptLog();
  const recorded: Exchange[] = [];
  const made: House = {
    service,
    recorded,
    log,
    released: 0,
    generation: new Generation({
      router,
      plans: [plan],
      answerMethod: (): Refusal => refuse('method-not-allowed', 'r'),
      intercept: () => undefined,
      decorate: () => {},
      record: (x) => void recorded.push(x),
      log,
      release: () => void made.released++,
      ...parts,
    }),
    handle(x = request()) {
      const client = new FakeClient();
      made.generation.handle(x, client);
      return client;
    },
  };
  return made;
}

describe('a configuration at work', () => {
  test('what no route takes, what a listener answers, and what was refused while it was read are answered and recorded', async () => {
    const one = await house();
    assert.deepEqual(one.handle(request({ path: '/other' })).events, ['respond 404']);
    assert.deepEqual(one.handle(request({ method: 'POST' })).events, ['respond 405']);
    const client = new FakeClient();
    one.generation.refuse(request(), client, refuse('header-invalid', 'r'));
    assert.deepEqual(client.events, ['respond 400']);
    assert.deepEqual(
      one.recorded.map((x) => x.decision?.code),
      ['route-not-found', 'method-not-allowed', 'header-invalid'],
    );
    assert.equal(one.generation.running, 0);
    const redirecting = await house({ intercept: () => redirect });
    assert.deepEqual(redirecting.handle().events, ['respond 308']);
    assert.equal(redirecting.recorded.length, 1);
  });

  test('it is released when it has been replaced and its last exchange has ended, once, its rooms first', async () => {
    const story: string[] = [];
    const room: Prepared = {
      async close() {
        await turn();
        story.push('room closed');
      },
    };
    const one = await house({ release: () => void story.push('released') }, [room]);
    const [first, second] = [one.handle(), one.handle()];
    const gone = one.generation.retire().then(() => story.push('gone'));
    first.watcher?.clientGone();
    await turn();
    assert.deepEqual([one.generation.running, story], [1, []]);
    second.watcher?.clientGone();
    await gone;
    assert.deepEqual(story, ['room closed', 'released', 'gone']);
    // A request that is late by a hair finds the old configuration still able to serve, and releases nothing twice.
    one.handle().watcher?.clientGone();
    await one.generation.retire();
    assert.equal(story.length, 3);
  });

  test('a room that cannot close, or a release that fails, is told and holds nothing up', async () => {
    const room: Prepared = { close: () => Promise.reject(new Error('a room')) };
    const one = await house(
      {
        release: () => {
          throw new Error('a pool');
        },
      },
      [room],
    );
    await one.generation.retire();
    assert.match(one.log.text, /could not close.*\n.*could not be released/s);
  });
});

describe('a defect in what every request passes is a fault, not a hang', () => {
  const breaks = () => {
    throw new Error('broke');
  };
  const cases: [string, Partial<GenerationParts>, string[]][] = [
    ['the router', { router: { find: breaks } }, ['respond 500']],
    ['the answer of a listener', { intercept: breaks }, ['respond 500']],
    ['the answer for a method', { answerMethod: breaks }, ['respond 500']],
    ['the decoration of our own answers', { decorate: breaks }, ['abort']],
  ];
  for (const [name, parts, events] of cases) {
    test(name, async () => {
      const one = await house(parts);
      const x = request(name === 'the answer for a method' ? { method: 'POST' } : { path: '/other' });
      assert.deepEqual(one.handle(x).events, events);
      assert.deepEqual([x.decision?.code, one.recorded.length, one.generation.running], ['internal', 1, 0]);
      assert.match(one.log.text, /met a defect/);
    });
  }

  test('a client that cannot be answered', async () => {
    const one = await house();
    const client = new FakeClient();
    client.breaksAt = 'respond';
    one.generation.refuse(request(), client, refuse('header-invalid', 'r'));
    assert.deepEqual([client.events, one.recorded.length, one.generation.running], [['abort'], 1, 0]);
  });
});
