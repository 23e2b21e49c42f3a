import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameReader } from './frame-reader.ts';
import { MOST_PAYLOAD, newFrame, PREFACE } from './frames.ts';
import { FRAME_SIZE_ERROR, Http2Error, PROTOCOL_ERROR } from './http2-error.ts';

interface Seen {
  type: number;
  flags: number;
  stream: number;
  payload: string;
}

function reader(): { reader: FrameReader; seen: Seen[] } {
  const seen: Seen[] = [];
  const sink = {
    onFrame(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number) {
      seen.push({ type, flags, stream, payload: bytes.toString('latin1', from, to) });
    },
  };
  return { reader: new FrameReader(sink), seen };
}

function bytesOf({ type, flags, stream, payload }: Seen): Buffer {
  const frame = newFrame(type, flags, stream, payload.length);
  frame.write(payload, 9, 'latin1');
  return frame;
}

const frames = fc.array(
  fc
    .tuple(fc.nat(255), fc.nat(255), fc.nat(0x7fff_ffff), fc.nat(40))
    .map(([type, flags, stream, length]): Seen => ({ type, flags, stream, payload: 'x'.repeat(length) })),
  { maxLength: 8 },
);

test('however the bytes are cut, the frames are the same', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (expected, cuts) => {
      const bytes = Buffer.concat([PREFACE, ...expected.map(bytesOf)]);
      const { reader: one, seen } = reader();
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const size = cuts[i % cuts.length];
        one.read(bytes.subarray(at, at + size));
        at += size;
      }
      assert.deepEqual(seen, expected);
      assert.equal(one.pending, undefined);
    }),
  );
});

test('the reserved bit of a stream is not looked at', () => {
  const { reader: one, seen } = reader();
  const frame = bytesOf({ type: 6, flags: 0, stream: 5, payload: '' });
  frame[5] |= 0x80;
  one.read(Buffer.concat([PREFACE, frame]));
  assert.equal(seen[0].stream, 5);
});

test('tells what it waits for', () => {
  const { reader: one } = reader();
  assert.equal(one.pending, -1);
  one.read(PREFACE);
  assert.equal(one.pending, undefined);
  const frame = bytesOf({ type: 1, flags: 4, stream: 1, payload: 'abc' });
  one.read(frame.subarray(0, 2));
  assert.equal(one.pending, -1);
  one.read(frame.subarray(2, 10));
  assert.equal(one.pending, 1);
  one.read(frame.subarray(10));
  assert.equal(one.pending, undefined);
});

test('the largest frame passes, one byte more does not, whatever has come of it', () => {
  const { reader: one, seen } = reader();
  one.read(Buffer.concat([PREFACE, bytesOf({ type: 0, flags: 0, stream: 1, payload: 'x'.repeat(MOST_PAYLOAD) })]));
  assert.equal(seen[0].payload.length, MOST_PAYLOAD);
  const larger = newFrame(0, 0, 1, MOST_PAYLOAD + 1);
  for (const size of [9, 5]) {
    const { reader: other } = reader();
    other.read(PREFACE);
    assert.throws(
      () => {
        other.read(larger.subarray(0, size));
        other.read(larger.subarray(size, 9));
      },
      (error) => error instanceof Http2Error && error.code === FRAME_SIZE_ERROR,
    );
  }
});

test('anything but the preface is refused at its first wrong byte', () => {
  for (const text of ['GET', 'PRI * HTTP/1.1', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\rx']) {
    const { reader: one } = reader();
    const bytes = Buffer.from(text, 'latin1');
    assert.throws(
      () => one.read(bytes),
      (error) => error instanceof Http2Error && error.code === PROTOCOL_ERROR,
    );
  }
});

test('reads nothing more once it is stopped, also within a chunk', () => {
  const seen: number[] = [];
  const one: FrameReader = new FrameReader({
    onFrame(_type, _flags, stream) {
      seen.push(stream);
      if (stream === 2) one.stop();
    },
  });
  const all = [1, 2, 3].map((stream) => bytesOf({ type: 0, flags: 0, stream, payload: 'x' }));
  one.read(Buffer.concat([PREFACE, ...all]));
  one.read(all[0]);
  assert.deepEqual(seen, [1, 2]);
});
