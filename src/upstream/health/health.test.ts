import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Bench, type Sent } from '../fakes.ts';

const two = ['http://127.0.0.1:9001', 'http://127.0.0.1:9002'];
const health = { path: '/healthz?deep', every: '5s', timeout: '1s' };

const answers = (status: number) => (sent: Sent) => sent.reply(status);
const isCheck = (sent: Sent) => sent.call.target === '/healthz?deep';

/** Checks answered by one status, calls by 200. */
const checked = (status: number) => (sent: Sent) => sent.reply(isCheck(sent) ? status : 200);

function bench(first: (sent: Sent) => void, second: (sent: Sent) => void, options: object = {}): Bench {
  const made = new Bench({ targets: two, health: { ...health, ...options } });
  made.behave(9001, first);
  made.behave(9002, second);
  return made;
}

test('a check is a small GET with the Host of its target', async () => {
  const one = bench(answers(200), answers(200));
  await one.upstreams.ready();
  const { call } = one.client(9001).sent[0];
  assert.deepEqual([call.method, call.target, call.headers[1], call.body], ['GET', '/healthz?deep', '127.0.0.1:9001', undefined]);
  assert.equal(one.client(9001).active, 0);
});

test('the first check decides alone, and `ready` waits for it', async () => {
  const one = bench(answers(503), answers(200));
  await one.upstreams.ready();
  assert.deepEqual(one.states, ['down', 'up']);
  assert.equal(one.snapshot.endpoints[0].reason, 'status 503');
  for (let i = 0; i < 4; i++) one.send();
  assert.equal(one.client(9001).sent.filter((sent) => !isCheck(sent)).length, 0);
});

test('later it takes `unhealthy-after` failures to go down and `healthy-after` successes to come up', async () => {
  const one = bench(checked(200), checked(200));
  await one.upstreams.ready();
  one.behave(9001, checked(500));
  await one.timing.advance(10_500);
  assert.deepEqual(one.states, ['up', 'up']);
  await one.timing.advance(5000);
  assert.deepEqual(one.states, ['down', 'up']);
  one.behave(9001, checked(200));
  await one.timing.advance(5000);
  assert.deepEqual(one.states, ['down', 'up']);
  await one.timing.advance(5000);
  assert.deepEqual(one.states, ['up', 'up']);
});

test('one success between failures begins the count anew', async () => {
  let count = 0;
  const one = bench((sent) => sent.reply(++count % 3 === 1 ? 200 : 500), answers(200));
  await one.upstreams.ready();
  await one.timing.advance(60_000);
  assert.deepEqual(one.states, ['up', 'up']);
});

const findings: [string, (sent: Sent) => void, 'up' | 'down'][] = [
  ['a redirect', answers(302), 'up'],
  ['not found', answers(404), 'down'],
  ['no connection', (sent) => sent.fault('upstream-connect', true), 'down'],
  ['malformed', (sent) => sent.fault('upstream-malformed'), 'down'],
  ['silence', () => {}, 'down'],
  ['a body that does not end', (sent) => sent.head(200), 'down'],
  ['no place for a check', (sent) => sent.fault('upstream-busy', true), 'up'],
  [
    'a stale connection, then an answer',
    (sent) => (sent.fresh ? sent.reply(200) : sent.fault('upstream-closed', false, true)),
    'up',
  ],
  ['stale again and again', (sent) => sent.fault('upstream-closed', false, true), 'down'],
];
for (const [what, behave, state] of findings) {
  test(`check: ${what} means ${state}`, async () => {
    const one = bench(behave, answers(200));
    await one.timing.advance(1000);
    assert.equal(one.states[0], state);
    assert.equal(one.client(9001).active, 0);
  });
}

test('of a huge body only the beginning is read', async () => {
  const one = bench((sent) => {
    sent.head(200);
    for (let i = 0; i < 20 && !sent.cancelled; i++) sent.answer.onData(Buffer.alloc(8192));
  }, answers(200));
  await turn();
  assert.equal(one.client(9001).last.cancelled, true);
  assert.equal(one.states[0], 'up');
});

test('all targets down: 503 with Retry-After, no panic, and calls again when one is back', async () => {
  const one = bench(checked(500), checked(500));
  await one.upstreams.ready();
  const { answer } = one.send();
  await turn();
  assert.deepEqual([answer.fault?.code, answer.fault?.retryAfter], ['upstream-unavailable', 5]);
  one.behave(9002, checked(200));
  await one.timing.advance(10_600);
  const later = one.send();
  await turn();
  assert.equal(later.answer.status, 200);
});

test('when the only target that is up was taken out by failed calls, it is called', async () => {
  const one = bench(checked(200), checked(200));
  await one.upstreams.ready();
  one.behave(9001, (sent) => (isCheck(sent) ? sent.reply(200) : sent.fault('upstream-closed')));
  for (let i = 0; i < 12; i++) {
    one.send();
    await turn();
  }
  assert.deepEqual(one.states, ['ejected', 'up']);
  one.behave(9001, checked(200));
  one.behave(9002, checked(500));
  await one.timing.advance(15_600);
  const { answer } = one.send();
  await turn();
  assert.equal(answer.status, 200);
});
