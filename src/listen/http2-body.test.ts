import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BodySink } from '../exchange/body-source.ts';
import { refuse } from '../exchange/decision.ts';
import { Http2Body } from './http2-body.ts';

function setUp(length?: number, times = { body: 1000, request: 5000 }) {
  const told: string[] = [];
  let consumed = 0;
  const owner = {
    bodyWanted: () => told.push('wanted'),
    consumed: (bytes: number) => (consumed += bytes),
    // Here, each frame arrives alone.
    gathers: () => body.flush(),
    malformed: () => told.push('malformed'),
    errorTold: false,
  };
  const now = performance.now();
  const body: Http2Body = new Http2Body(owner, length, { body: now + times.body, request: now + times.request });
  const sink: BodySink = {
    onData: (piece) => told.push(piece.toString()),
    onEnd: () => told.push('end'),
    onBroken: ({ code }) => told.push(code),
  };
  const feed = (text: string, last = false) => body.feed(Buffer.from(text), last);
  return { body, owner, sink, told, feed, now, consumed: () => consumed };
}

test('holds what comes before somebody wants it, and gives nothing of it back to the window', () => {
  const { body, sink, told, feed, consumed } = setUp();
  feed('a');
  feed('b');
  assert.deepEqual([told, consumed(), body.received], [[], 0, 2]);
  body.start(sink);
  assert.deepEqual([told, consumed()], [['ab', 'wanted'], 2]);
  feed('c', true);
  assert.deepEqual([told.slice(2), consumed(), body.complete], [['c', 'end'], 3, true]);
});

test('puts small pieces together that arrive together, and keeps their order', () => {
  const told: string[] = [];
  const owner = { bodyWanted() {}, consumed() {}, malformed() {}, gathers() {}, errorTold: false };
  const body = new Http2Body(owner, undefined, { body: 0, request: 0 });
  body.start({ onData: (piece) => told.push(piece.toString()), onEnd: () => told.push('end'), onBroken() {} });
  for (const letter of 'abc') body.feed(Buffer.from(letter), false);
  assert.deepEqual(told, []);
  body.feed(Buffer.alloc(300, 'x'), false);
  assert.deepEqual(told, ['abc', 'x'.repeat(300)]);
  for (let i = 0; i < 1500; i++) body.feed(Buffer.from('y'), false);
  body.flush();
  body.feed(Buffer.from('z'), true);
  assert.deepEqual(told.slice(2), ['y'.repeat(1024), 'y'.repeat(476), 'z', 'end']);
});

test('a megabyte of single bytes that nobody wants takes little more than that', () => {
  const { body } = setUp();
  const byte = Buffer.from('x');
  const before = process.memoryUsage();
  for (let i = 0; i < 1_000_000; i++) body.feed(byte, false);
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.external - before.heapUsed - before.external;
  assert.ok(grown < 16_000_000, `${grown} bytes more`);
});

test('is complete at once where all of it has come before', () => {
  const { body, sink, told, feed } = setUp(2);
  feed('ab', true);
  body.start(sink);
  assert.deepEqual(told, ['ab', 'end']);
});

test('stands still while it is paused, also within what it delivers', () => {
  const { body, told, feed } = setUp();
  body.start({
    onData(piece) {
      told.push(piece.toString());
      body.pause();
    },
    onEnd: () => told.push('end'),
    onBroken: () => told.push('broken'),
  });
  feed('a');
  feed('b');
  feed('c', true);
  assert.deepEqual(told, ['wanted', 'a']);
  body.resume();
  body.resume();
  assert.deepEqual(told, ['wanted', 'a', 'b', 'c', 'end']);
});

test('does not end while small pieces wait', () => {
  const { body, sink, told, feed } = setUp();
  body.start(sink);
  body.pause();
  feed('a');
  feed('b');
  feed('', true);
  assert.deepEqual([told, body.complete], [['wanted'], false]);
  body.resume();
  assert.deepEqual([told, body.complete], [['wanted', 'ab', 'end'], true]);
});

test('the piece that makes the length full waits for the end of the stream', () => {
  const { body, sink, told, feed } = setUp(5);
  body.start(sink);
  feed('hel');
  feed('lo');
  assert.deepEqual(told, ['wanted', 'hel']);
  feed('', true);
  assert.deepEqual(told, ['wanted', 'hel', 'lo', 'end']);
});

for (const [why, pieces] of [
  ['longer in one piece', ['hello!']],
  ['longer in a further piece', ['hello', '!']],
  ['shorter', ['hel', '']],
] as const) {
  test(`a body that is ${why} than it says is never whole at the service`, () => {
    const { body, sink, told, feed, consumed } = setUp(5);
    body.start(sink);
    pieces.forEach((piece, i) => feed(piece, i === pieces.length - 1));
    assert.deepEqual(told.slice(-2), ['malformed', 'body-framing']);
    assert.ok(!told.includes('end') && !told.join('').includes('hello'));
    assert.equal(consumed(), pieces.join('').length, 'all of it is given back to the window');
  });
}

test('more than the limit breaks it off, and what still comes is thrown away', () => {
  const { body, sink, told, feed, consumed } = setUp();
  body.limit = 3;
  body.start(sink);
  feed('abc');
  feed('d');
  feed('e', true);
  assert.deepEqual([told, consumed(), body.complete], [['wanted', 'abc', 'body-too-large'], 5, false]);
});

test('body-time runs while bytes are wanted, request-time always', () => {
  const { body, sink, now } = setUp(undefined, { body: 1000, request: 5000 });
  assert.equal(body.overdue(now + 4900), undefined, 'a room is thinking');
  body.start(sink);
  assert.equal(body.overdue(now + 900), undefined);
  assert.equal(body.overdue(now + 1500)?.code, 'body-timeout');
  body.pause();
  assert.equal(body.overdue(now + 4900), undefined, 'the service is slow');
  assert.equal(body.overdue(now + 5000)?.code, 'request-timeout');
  body.resume();
  body.feed(Buffer.alloc(0), true);
  assert.equal(body.overdue(now + 9000), undefined, 'all of it is there');
});

test('somebody who comes too late hears why', () => {
  const { body, sink, told, feed } = setUp(1);
  feed('ab');
  body.start(sink);
  assert.deepEqual(told, ['malformed', 'body-framing']);
});

test('a client that is told an error may leave its body, which then never ends', () => {
  for (const paused of [false, true]) {
    const { body, owner, sink, told, feed, consumed } = setUp(10);
    body.start(sink);
    feed('abc');
    if (paused) body.pause();
    owner.errorTold = true;
    feed('def', true);
    body.resume();
    body.flush();
    body.breakOff(refuse('client-gone', 'later'));
    assert.deepEqual(told, ['wanted', 'abc', 'client-gone'], 'no piece that came with the end, and no end');
    assert.deepEqual([body.complete, consumed(), body.overdue(Number.MAX_VALUE)], [false, 6, undefined]);
  }
});

test('a body that is too long is malformed, whatever the client was told', () => {
  const { body, owner, sink, told, feed } = setUp(2);
  body.start(sink);
  owner.errorTold = true;
  feed('abc', true);
  assert.deepEqual(told, ['wanted', 'malformed', 'body-framing']);
});
