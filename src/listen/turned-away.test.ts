import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { refuse } from '../exchange/decision.ts';
import { type Doorman, TurnedAway, type TurnedAwayRecord } from './turned-away.ts';

const INFO = { listener: 'public', secure: false, peerAddress: '192.0.2.1', peerPort: 4711, serverName: undefined };
const CAP = refuse('connection-cap', 'no room');

class Notes implements Doorman {
  readonly counted: string[] = [];
  readonly records: TurnedAwayRecord[] = [];

  refused(listener: string, code: string): void {
    this.counted.push(`${listener} ${code}`);
  }

  record(record: TurnedAwayRecord): void {
    this.records.push(record);
  }
}

/** A clock that is moved by hand. */
function clock(t: TestContext): (ms: number) => void {
  let now = 5000;
  t.mock.method(performance, 'now', () => now);
  return (ms) => (now += ms);
}

test('a flood is counted in full, and recorded ten times a second', (t) => {
  const pass = clock(t);
  const notes = new Notes();
  const turnedAway = new TurnedAway(notes);
  for (let i = 0; i < 5000; i++) turnedAway.note(INFO, CAP, 4000);
  assert.deepEqual([notes.counted.length, notes.records.length], [5000, 10]);
  assert.deepEqual(new Set(notes.counted), new Set(['public connection-cap']));
  pass(999);
  turnedAway.note(INFO, CAP, 4000);
  assert.equal(notes.records.length, 10);
  pass(1);
  for (let i = 0; i < 20; i++) turnedAway.note(INFO, CAP, 4000);
  assert.equal(notes.records.length, 20);
  assert.deepEqual(
    notes.records.slice(9, 12).map(({ refusal }) => refusal.reason),
    ['no room', 'no room (4991 more were turned away without a record)', 'no room'],
  );
});

test('a record says who it was, since when, and what was read', (t) => {
  const pass = clock(t);
  const notes = new Notes();
  const before = Date.now();
  pass(1500);
  new TurnedAway(notes).note(INFO, CAP, 5000, { method: 'GET', rawTarget: '/x', host: 'a.test', version: '2' });
  const [record] = notes.records;
  const { id, time, ...rest } = record;
  assert.match(id, /^[0-9a-f]{32}$/);
  assert.ok(time >= before - 1500 && time <= Date.now() - 1500);
  const read = { method: 'GET', rawTarget: '/x', host: 'a.test', version: '2' };
  const nothing = { status: 0, requestBytes: 0, responseBytes: 0 };
  assert.deepEqual(rest, { ...read, began: 5000, connection: INFO, refusal: CAP, ...nothing });
});
