import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { BodySink, BodySource } from '../exchange/body-source.ts';
import { refuse } from '../exchange/decision.ts';
import { Bench, call, FakeAnswer, type Sent } from './fakes.ts';

const one = 'http://127.0.0.1:9001';
const two = ['http://127.0.0.1:9001', 'http://127.0.0.1:9002'];
const three = [...two, 'http://127.0.0.1:9003'];

/** A body that the test sends by hand. */
class FakeSource implements BodySource {
  length = undefined;
  received = 0;
  broken = undefined;
  limit = 1000;
  paused = false;
  sink: BodySink | undefined;

  start(sink: BodySink): void {
    this.sink = sink;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
}

/** What a wire client does with a streamed body. */
const bodySink: BodySink = { onData() {}, onEnd() {}, onBroken() {} };
const startBody = (sent: Sent): BodySource => {
  const body = sent.call.body as BodySource;
  body.start(bodySink);
  return body;
};

test('an answer passes through, and the trace tells where it came from', async () => {
  const bench = new Bench(one);
  const { answer, handle } = bench.send();
  const sent = bench.client(9001).last;
  assert.equal(sent.call.headers[1], 'api.test');
  bench.timing.time += 7;
  sent.head(200);
  assert.equal(sent.answer.onData(Buffer.from('abc')), true);
  answer.more = false;
  assert.equal(sent.answer.onData(Buffer.from('d')), false);
  handle.resume();
  assert.equal(sent.resumed, 1);
  sent.end();
  assert.deepEqual(answer.events, ['head 200', 'data 3', 'data 1', 'end']);
  assert.deepEqual(answer.trace, { target: '127.0.0.1:9001', status: 200, ms: 7, tries: 1 });
  assert.equal(bench.snapshot.running, 0);
  handle.cancel();
  assert.equal(sent.cancelled, false);
});

test('what a client leaves is cancelled, and counts against nobody', async () => {
  const bench = new Bench(one);
  const { answer, handle } = bench.send();
  handle.cancel();
  handle.cancel();
  assert.equal(bench.client(9001).last.cancelled, true);
  assert.deepEqual(answer.events, []);
  assert.equal(bench.snapshot.endpoints[0].failures, 0);
  assert.equal(bench.snapshot.endpoints[0].active, 0);
});

// ---- retries: [what, method, fault of the first try, is it tried again?]
const cases: [string, string, (sent: Sent) => void, boolean][] = [
  ['no connection', 'GET', (sent) => sent.fault('upstream-connect', true), true],
  ['no connection', 'POST', (sent) => sent.fault('upstream-connect', true), true],
  ['closed before an answer', 'GET', (sent) => sent.fault('upstream-closed'), true],
  ['closed before an answer', 'PUT', (sent) => sent.fault('upstream-closed'), true],
  ['closed before an answer', 'POST', (sent) => sent.fault('upstream-closed'), false],
  ['closed before an answer', 'PATCH', (sent) => sent.fault('upstream-closed'), false],
  ['closed, nothing was sent', 'POST', (sent) => sent.fault('upstream-closed', true), true],
  ['malformed answer', 'GET', (sent) => sent.fault('upstream-malformed'), false],
  ['fault of ours', 'GET', (sent) => sent.fault('internal', true), false],
];
for (const [what, method, happens, again] of cases) {
  test(`${method}, ${what}: ${again ? 'tried again on another target' : 'not tried again'}`, async () => {
    const bench = new Bench({ targets: two });
    const { answer } = bench.send(call(method, method === 'GET' ? undefined : Buffer.from('x')));
    happens(bench.client(9001).last);
    assert.equal(bench.client(9002).sent.length, again ? 1 : 0);
    if (!again) return assert.match(answer.events.join(), /^fault/);
    bench.client(9002).last.reply(200);
    assert.deepEqual(answer.events, ['head 200', 'end']);
    assert.equal(answer.trace.tries, 2);
    assert.equal(answer.trace.target, '127.0.0.1:9002');
  });
}

test('a handshake is tried again only when nothing of it was sent', async () => {
  for (const untouched of [true, false]) {
    const bench = new Bench({ targets: two });
    bench.send({ ...call(), upgrade: true });
    bench.client(9001).last.fault('upstream-closed', untouched);
    assert.equal(bench.client(9002).sent.length, untouched ? 1 : 0);
  }
});

test('a streamed body that was begun is never sent again, one that was not begun is', async () => {
  for (const begun of [true, false]) {
    const bench = new Bench({ targets: two });
    bench.send(call('PUT', new FakeSource()));
    const first = bench.client(9001).last;
    if (begun) startBody(first);
    first.fault('upstream-closed', true);
    assert.equal(bench.client(9002).sent.length, begun ? 0 : 1);
  }
});

test('no try after the head: what has begun to go to the client cannot be taken back', async () => {
  const bench = new Bench({ targets: two });
  const { answer } = bench.send();
  bench.client(9001).last.head(200);
  bench.client(9001).last.fault('upstream-closed');
  assert.deepEqual(answer.events, ['head 200', 'fault upstream-closed']);
  assert.equal(bench.client(9002).sent.length, 0);
});

test('there are never more tries than configured', async () => {
  for (const tries of [1, 2, 3]) {
    const bench = new Bench({ targets: three, retries: { tries } });
    for (const port of [9001, 9002, 9003]) bench.behave(port, (sent) => sent.fault('upstream-connect', true));
    const { answer } = bench.send();
    await turn();
    assert.deepEqual(answer.events, ['fault upstream-connect']);
    assert.equal(answer.trace.tries, tries);
  }
});

test('with one target the retry waits a moment and opens a new connection', async () => {
  const bench = new Bench(one);
  const { answer } = bench.send();
  const client = bench.client(9001);
  client.last.fault('upstream-closed');
  assert.equal(client.sent.length, 1);
  await bench.timing.advance(25);
  assert.equal(client.sent.length, 2);
  assert.equal(client.last.fresh, true);
  client.last.reply(200);
  assert.deepEqual(answer.events, ['head 200', 'end']);
});

test('a client that leaves in the pause before a retry stops it', async () => {
  const bench = new Bench(one);
  const { answer, handle } = bench.send();
  bench.client(9001).last.fault('upstream-connect', true);
  handle.cancel();
  await bench.timing.advance(5000);
  assert.equal(bench.client(9001).sent.length, 1);
  assert.deepEqual(answer.events, []);
  assert.equal(bench.snapshot.running, 0);
});

test('a stale connection costs one free try on a new one, for methods that may be repeated', async () => {
  const bench = new Bench({ targets: [one], retries: { tries: 1 } });
  const { answer } = bench.send();
  const client = bench.client(9001);
  client.last.fault('upstream-closed', false, true);
  assert.equal(client.sent.length, 2);
  assert.equal(client.last.fresh, true);
  assert.equal(bench.snapshot.endpoints[0].failures, 0);
  client.last.fault('upstream-closed', false, true);
  assert.deepEqual(answer.events, ['fault upstream-closed']);
  bench.send(call('POST', Buffer.from('x')));
  client.last.fault('upstream-closed', false, true);
  assert.equal(client.sent.length, 3);
  assert.deepEqual(bench.snapshot.retries, { allowed: 0, denied: 0 });
});

test('statuses are tried again only where the configuration says so, and the last answer passes', async () => {
  const bench = new Bench({ targets: two, retries: { on: ['503'] } });
  const first = bench.send();
  bench.client(9001).last.reply(503);
  assert.equal(bench.client(9001).last.cancelled, true);
  bench.client(9002).last.reply(503);
  assert.deepEqual(first.answer.events, ['head 503', 'end']);
  const post = bench.send(call('POST'));
  bench.client(9002).last.reply(503);
  assert.deepEqual(post.answer.events, ['head 503', 'end']);
  const other = bench.send();
  bench.client(9001).last.reply(502);
  assert.deepEqual(other.answer.events, ['head 502', 'end']);
});

test('the retry budget bounds what a broken service gets', async () => {
  const bench = new Bench({ targets: two, ejection: 'off' });
  for (const port of [9001, 9002]) bench.behave(port, (sent) => sent.fault('upstream-connect', true));
  for (let i = 0; i < 200; i++) {
    bench.send();
    await turn();
  }
  const { allowed, denied } = bench.snapshot.retries;
  assert.equal(allowed, 50);
  assert.equal(allowed + denied, 200);
});

// ---- timeouts
test('timeout covers all tries up to the head, fires never early and at most a second late', async () => {
  const bench = new Bench({ targets: two, timeout: '3s' });
  const { answer } = bench.send();
  await bench.timing.advance(2000);
  bench.client(9001).last.fault('upstream-closed');
  await bench.timing.advance(999);
  assert.deepEqual(answer.events, []);
  await bench.timing.advance(1001);
  assert.deepEqual(answer.events, ['fault upstream-timeout']);
  assert.equal(bench.client(9002).last.cancelled, true);
});

test('then it covers each silence in the body', async () => {
  const bench = new Bench({ targets: [one], timeout: '3s' });
  const { answer } = bench.send();
  const sent = bench.client(9001).last;
  await bench.timing.advance(2900);
  sent.head(200);
  for (let i = 0; i < 5; i++) {
    await bench.timing.advance(2900);
    sent.answer.onData(Buffer.from('x'));
  }
  assert.equal(answer.events.length, 6);
  await bench.timing.advance(2999);
  assert.equal(answer.events.length, 6);
  await bench.timing.advance(1001);
  assert.equal(answer.events.at(-1), 'fault upstream-timeout');
});

test('a client that reads slowly is not a silent service', async () => {
  const bench = new Bench({ targets: [one], timeout: '3s' });
  const { answer, handle } = bench.send();
  const sent = bench.client(9001).last;
  sent.head(200);
  answer.more = false;
  sent.answer.onData(Buffer.from('x'));
  await bench.timing.advance(60_000);
  assert.deepEqual(answer.events, ['head 200', 'data 1']);
  handle.resume();
  await bench.timing.advance(4000);
  assert.equal(answer.events.at(-1), 'fault upstream-timeout');
});

test('a client that sends slowly is not a silent service, a service that does not read is', async () => {
  const bench = new Bench({ targets: [one], timeout: '3s' });
  const source = new FakeSource();
  const { answer } = bench.send(call('POST', source));
  const body = startBody(bench.client(9001).last);
  await bench.timing.advance(60_000);
  source.sink?.onData(Buffer.from('x'));
  body.pause();
  await bench.timing.advance(2900);
  assert.deepEqual(answer.events, []);
  await bench.timing.advance(1100);
  assert.deepEqual(answer.events, ['fault upstream-timeout']);
});

test('after the whole body was sent the timeout runs', async () => {
  const bench = new Bench({ targets: [one], timeout: '3s' });
  const source = new FakeSource();
  const { answer } = bench.send(call('POST', source));
  startBody(bench.client(9001).last);
  source.sink?.onEnd(undefined);
  await bench.timing.advance(4000);
  assert.deepEqual(answer.events, ['fault upstream-timeout']);
});

test('a body that breaks is told in its own words and counts against nobody', async () => {
  const bench = new Bench({ targets: two });
  const source = new FakeSource();
  const { answer } = bench.send(call('PUT', source));
  const sent = bench.client(9001).last;
  startBody(sent);
  source.sink?.onBroken(refuse('body-too-large', 'test'));
  assert.deepEqual(answer.events, ['fault body-too-large']);
  assert.equal(sent.cancelled, true);
  assert.equal(bench.snapshot.endpoints[0].failures, 0);
});

test('a body that breaks while it is being started is told after the caller has its handle, and stops the wire', async () => {
  const bench = new Bench({ targets: [one] });
  const client = bench.client(9001);
  const send = client.send.bind(client);
  client.send = (sent, answer, fresh) => {
    (sent.body as BodySource).start(bodySink);
    return send(sent, answer, fresh);
  };
  const source = new FakeSource();
  source.start = (sink) => sink.onBroken(refuse('body-timeout', 'test'));
  const { answer } = bench.send(call('POST', source));
  assert.deepEqual(answer.events, []);
  await turn();
  assert.deepEqual(answer.events, ['fault body-timeout']);
  assert.equal(client.last.cancelled, true);
  assert.equal(bench.snapshot.running, 0);
});

test('total-time bounds the whole call', async () => {
  const bench = new Bench({ targets: [one], timeout: '3s', 'total-time': '5s' });
  const { answer } = bench.send();
  const sent = bench.client(9001).last;
  sent.head(200);
  for (let i = 0; i < 4; i++) {
    await bench.timing.advance(1200);
    sent.answer.onData(Buffer.from('x'));
  }
  assert.equal(answer.events.length, 5);
  await bench.timing.advance(1200);
  assert.equal(answer.fault?.code, 'upstream-timeout');
});

test('try-time gives one try up for another; the last try may take its time', async () => {
  const bench = new Bench({ targets: two, timeout: '10s', retries: { 'try-time': '1s', on: ['timeout'] } });
  const { answer } = bench.send();
  await bench.timing.advance(1200);
  assert.equal(bench.client(9001).last.cancelled, true);
  await bench.timing.advance(5000);
  bench.client(9002).last.reply(200);
  assert.deepEqual(answer.events, ['head 200', 'end']);
  const post = bench.send(call('POST'));
  await bench.timing.advance(5000);
  bench.client(9002).last.reply(200);
  assert.deepEqual(post.answer.events, ['head 200', 'end']);
});

test('the sweep stops when nothing runs and starts again with the next call', async () => {
  const bench = new Bench({ targets: [one], timeout: '1s' });
  const first = bench.send();
  bench.client(9001).last.reply(200);
  await bench.timing.advance(10_000);
  assert.equal(bench.timing.due.size, 0);
  assert.equal(first.answer.status, 200);
  const second = bench.send();
  await bench.timing.advance(2000);
  assert.equal(second.answer.fault?.code, 'upstream-timeout');
});

// ---- places
test('beyond `connections` calls wait in turn, and go as places come free', async () => {
  const bench = new Bench({ targets: [one], connections: 2 });
  const client = bench.client(9001);
  const calls = Array.from({ length: 4 }, () => bench.send());
  assert.equal(client.sent.length, 2);
  assert.equal(bench.snapshot.queued, 2);
  client.sent[0].reply(200);
  assert.equal(client.sent.length, 2, 'not while the connection is still being put back');
  await turn();
  assert.equal(client.sent.length, 3);
  calls[1].handle.cancel();
  await turn();
  assert.equal(client.sent.length, 4);
  client.sent[2].reply(201);
  client.sent[3].reply(202);
  assert.deepEqual(
    calls.map(({ answer }) => answer.status),
    [200, 0, 201, 202],
  );
  assert.deepEqual([bench.snapshot.running, bench.snapshot.queued], [0, 0]);
});

test('who waits too long gets 503, also when the queue is full', async () => {
  const bench = new Bench({ targets: [one], connections: 1, queue: { size: 1, wait: '1s' } });
  bench.send();
  const waits = bench.send();
  const excess = bench.send();
  assert.deepEqual(excess.answer.events, [], 'never before the caller has its handle');
  await turn();
  assert.equal(excess.answer.fault?.code, 'upstream-busy');
  await bench.timing.advance(900);
  assert.deepEqual(waits.answer.events, []);
  await bench.timing.advance(300);
  assert.equal(waits.answer.fault?.code, 'upstream-busy');
  assert.equal(waits.answer.fault?.retryAfter, 1);
  assert.deepEqual([bench.snapshot.running, bench.snapshot.queued], [1, 0]);
});

test('a call beyond the queue is served after all when places come free at that very moment', async () => {
  const bench = new Bench({ targets: [one], connections: 1, queue: { size: 1 } });
  const client = bench.client(9001);
  let answer = new FakeAnswer();
  // In a turn of its own, as callbacks of sockets are: there next ticks run before microtasks, so the place comes first.
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      bench.send();
      const waits = bench.send();
      answer = bench.send().answer;
      waits.handle.cancel();
      client.last.reply(200);
      resolve();
    });
  });
  await turn();
  assert.equal(client.sent.length, 2);
  client.last.reply(201);
  assert.deepEqual(answer.events, ['head 201', 'end']);
});

test('a client that leaves the queue leaves nothing behind', async () => {
  const bench = new Bench({ targets: [one], connections: 1 });
  bench.send();
  const waits = bench.send();
  waits.handle.cancel();
  assert.equal(bench.snapshot.queued, 0);
  bench.client(9001).last.reply(200);
  await turn();
  assert.equal(bench.client(9001).sent.length, 1);
  assert.deepEqual(waits.answer.events, []);
});

test('an upgraded connection keeps its place until it closes, and no timeout touches it', async () => {
  const bench = new Bench({ targets: [one], connections: 1, timeout: '1s', 'total-time': '2s' });
  const { answer } = bench.send({ ...call(), upgrade: true });
  const socket = new EventEmitter();
  bench.client(9001).last.answer.onUpgrade([], socket as Duplex, Buffer.alloc(0));
  await bench.timing.advance(60_000);
  assert.deepEqual(answer.events, ['upgrade']);
  assert.equal(answer.trace.status, 101);
  const waits = bench.send();
  assert.equal(bench.snapshot.queued, 1);
  socket.emit('close');
  await turn();
  bench.client(9001).last.reply(200);
  assert.equal(waits.answer.status, 200);
  assert.equal(bench.snapshot.endpoints[0].active, 0);
});

test('idle connections of one target make room for those of another', async () => {
  const bench = new Bench({ targets: two, connections: 3 });
  bench.client(9001).idle = 3;
  bench.send();
  bench.send();
  await bench.timing.advance(200);
  assert.equal(bench.client(9001).idle, 1);
});

// ---- ejection, breaker
const fail = (sent: Sent) => sent.fault('upstream-closed');
const succeed = (sent: Sent) => sent.reply(200);

test('a target that fails again and again is out for a while, then longer', async () => {
  const bench = new Bench({ targets: two, retries: { tries: 1 }, ejection: { failures: 3, for: '10s' } });
  bench.behave(9001, fail);
  bench.behave(9002, succeed);
  const flood = async () => {
    for (let i = 0; i < 10; i++) {
      bench.send();
      await turn();
    }
  };
  await flood();
  assert.deepEqual(bench.states, ['ejected', 'up']);
  assert.equal(bench.client(9001).sent.length, 3);
  await bench.timing.advance(9800);
  assert.deepEqual(bench.states, ['ejected', 'up']);
  await bench.timing.advance(400);
  assert.deepEqual(bench.states, ['up', 'up']);
  await flood();
  await bench.timing.advance(19_000);
  assert.deepEqual(bench.states, ['ejected', 'up']);
  await bench.timing.advance(1200);
  assert.deepEqual(bench.states, ['up', 'up']);
});

test('the last target is never taken out', async () => {
  const bench = new Bench({ targets: three, retries: { tries: 1 } });
  for (const port of [9001, 9002, 9003]) bench.behave(port, fail);
  for (let i = 0; i < 100; i++) {
    bench.send();
    await turn();
  }
  assert.equal(bench.states.filter((state) => state === 'up').length, 1);
});

test('a success in between, and an error of the program, take nobody out', async () => {
  const bench = new Bench({ targets: two, retries: { tries: 1 }, ejection: { failures: 3 } });
  let count = 0;
  bench.behave(9001, (sent) => (++count % 3 === 0 ? sent.reply(500) : sent.reply(502)));
  bench.behave(9002, succeed);
  for (let i = 0; i < 60; i++) {
    bench.send();
    await turn();
  }
  assert.deepEqual(bench.states, ['up', 'up']);
  assert.equal(bench.snapshot.endpoints[0].failures, 20);
});

test('the breaker refuses while it is open, and one trial closes it', async () => {
  const bench = new Bench({ targets: [one], retries: { tries: 1 }, breaker: { failures: 2, 'open-for': '5s' } });
  const client = bench.client(9001);
  for (let i = 0; i < 2; i++) {
    bench.send();
    client.last.fault('upstream-closed');
  }
  const refused = bench.send();
  await turn();
  assert.equal(refused.answer.fault?.code, 'upstream-unavailable');
  assert.equal(refused.answer.fault?.retryAfter, 5);
  assert.equal(client.sent.length, 2);
  await bench.timing.advance(5000);
  const left = bench.send();
  left.handle.cancel();
  const trial = bench.send();
  const second = bench.send();
  await turn();
  assert.equal(second.answer.fault?.code, 'upstream-unavailable');
  client.last.reply(200);
  assert.equal(trial.answer.status, 200);
  bench.send();
  client.last.reply(200);
  assert.equal(bench.snapshot.breaker, 'closed');
  assert.equal(bench.snapshot.running, 0);
});

// ---- what the service sees
test('host: service calls each target by its own name, also in a retry', async () => {
  const bench = new Bench({ targets: two, host: 'service' });
  const headers = ['host', 'api.test', 'x', '2'];
  bench.send({ ...call(), headers });
  assert.deepEqual(bench.client(9001).last.call.headers, ['host', '127.0.0.1:9001', 'x', '2']);
  bench.client(9001).last.fault('upstream-connect', true);
  assert.deepEqual(bench.client(9002).last.call.headers, ['host', '127.0.0.1:9002', 'x', '2']);
  assert.equal(headers.length, 4);
});
