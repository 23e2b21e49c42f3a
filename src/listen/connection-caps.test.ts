import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { addressKey, ConnectionCaps, type Slot } from './connection-caps.ts';

/** A connection that remembers whether it was closed to make room. */
class Connection {
  closed = false;
  readonly slot: Slot | 'full' | 'address-full';

  constructor(caps: ConnectionCaps, address: string | undefined) {
    this.slot = caps.admit(address, this);
  }

  closeForRoom(): void {
    assert.equal(this.closed, false, 'closed twice');
    this.closed = true;
  }

  get admitted(): Slot {
    assert.ok(typeof this.slot === 'object', 'not admitted');
    return this.slot;
  }
}

const A = '203.0.113.7';
const B = '203.0.113.8';
const capsOf = (connections: number, connectionsPerAddress: number): ConnectionCaps =>
  new ConnectionCaps({ connections, connectionsPerAddress });

describe('at a cap', () => {
  test('the oldest connection without a complete head is closed', () => {
    const caps = capsOf(3, 3);
    const [first, second, third] = [A, A, A].map((address) => new Connection(caps, address));
    caps.headComplete(first.admitted);
    new Connection(caps, B);
    assert.deepEqual([first.closed, second.closed, third.closed], [false, true, false]);
    assert.equal(caps.open, 3);
  });

  test('a slow head goes before an older idle connection, an idle one before a refusal', () => {
    const caps = capsOf(3, 3);
    const [idle, slow, busy] = [A, A, A].map((address) => new Connection(caps, address));
    caps.headComplete(idle.admitted);
    caps.idle(idle.admitted);
    caps.headComplete(busy.admitted);
    const next = new Connection(caps, B);
    assert.deepEqual([idle.closed, slow.closed, busy.closed], [false, true, false]);
    caps.headComplete(next.admitted);
    const last = new Connection(caps, B);
    assert.equal(idle.closed, true);
    caps.headComplete(last.admitted);
    assert.equal(new Connection(caps, B).slot, 'full');
  });

  test('of an address its own connections go, not those of others', () => {
    const caps = capsOf(10, 2);
    const older = new Connection(caps, B);
    const [first, second] = [new Connection(caps, A), new Connection(caps, A)];
    const third = new Connection(caps, A);
    assert.deepEqual(
      [older, first, second].map(({ closed }) => closed),
      [false, true, false],
    );
    for (const one of [second, third]) caps.headComplete(one.admitted);
    assert.equal(new Connection(caps, A).slot, 'address-full');
    assert.equal(caps.open, 3);
  });

  test('a head that begins on a kept connection counts as slow from then on', () => {
    const caps = capsOf(2, 2);
    const [kept, fresh] = [new Connection(caps, A), new Connection(caps, A)];
    caps.headComplete(kept.admitted);
    caps.idle(kept.admitted);
    caps.headBegun(kept.admitted);
    new Connection(caps, B);
    assert.deepEqual([kept.closed, fresh.closed], [false, true]);
    new Connection(caps, B);
    assert.equal(kept.closed, true);
  });

  test('a connection whose address becomes known later counts there from then on', () => {
    const caps = capsOf(10, 2);
    const first = new Connection(caps, A);
    const [second, third] = [new Connection(caps, undefined), new Connection(caps, undefined)];
    assert.equal(caps.identify(second.admitted, A), true);
    caps.headComplete(first.admitted);
    caps.headComplete(second.admitted);
    assert.equal(caps.identify(third.admitted, A), false);
    caps.release(third.admitted);
    caps.release(second.admitted);
    assert.equal(new Connection(caps, A).slot instanceof Object, true);
    assert.equal(caps.open, 2);
  });

  test('nothing is left of connections that have gone', () => {
    const caps = capsOf(10, 10);
    const all = [A, B, '2001:db8::1', undefined].map((address) => new Connection(caps, address).admitted);
    for (const slot of [...all, ...all]) caps.release(slot);
    caps.idle(all[0]);
    assert.deepEqual([caps.open, caps.addresses], [0, 0]);
  });
});

test('with 1,900 slow connections of one address its other requests pass', () => {
  // At the defaults, and at caps that the slow ones fill several times over.
  for (const caps of [capsOf(10_000, 4096), capsOf(10_000, 1000), capsOf(500, 4096)]) {
    const served: Connection[] = [];
    for (let i = 0; i < 1900; i++) {
      new Connection(caps, A);
      if (i % 10 !== 0) continue;
      const request = new Connection(caps, A);
      caps.headComplete(request.admitted);
      served.push(request);
      if (served.length > 200) caps.release((served.shift() as Connection).admitted);
    }
    assert.ok(served.every(({ closed }) => !closed));
    assert.ok(caps.open <= caps.bounds.connections);
  }
});

/** The same rules as plainly as possible: one list in order of age, searched from the front. */
class Model {
  list: { id: number; key: string | undefined; state: 'headless' | 'idle' | 'busy' }[] = [];
  closed: number[] = [];
  readonly connections: number;
  readonly perAddress: number;

  constructor(connections: number, perAddress: number) {
    this.connections = connections;
    this.perAddress = perAddress;
  }

  admit(id: number, key: string | undefined): 'ok' | 'full' | 'address-full' {
    if (key !== undefined && !this.makeRoom((one) => one.key === key, this.perAddress)) return 'address-full';
    if (!this.makeRoom(() => true, this.connections)) return 'full';
    this.list.push({ id, key, state: 'headless' });
    return 'ok';
  }

  makeRoom(belongs: (one: { key: string | undefined }) => boolean, bound: number): boolean {
    const members = this.list.filter(belongs);
    if (members.length < bound) return true;
    const victim = members.find(({ state }) => state === 'headless') ?? members.find(({ state }) => state === 'idle');
    if (victim === undefined) return false;
    this.list = this.list.filter((one) => one !== victim);
    this.closed.push(victim.id);
    return true;
  }

  identify(id: number, key: string): boolean {
    const one = this.list.find((other) => other.id === id);
    if (one === undefined) return false;
    if (one.key !== undefined) return true;
    if (!this.makeRoom((other) => other.key === key, this.perAddress)) return false;
    one.key = key;
    return true;
  }

  /** A connection that changes its state counts as the youngest in it. */
  move(id: number, state: 'headless' | 'idle' | 'busy'): void {
    const one = this.list.find((other) => other.id === id);
    if (one === undefined || one.state === state) return;
    this.list = [...this.list.filter((other) => other !== one), { ...one, state }];
  }

  release(id: number): void {
    this.list = this.list.filter((one) => one.id !== id);
  }
}

test('it does what a plain model does', () => {
  const address = fc.constantFrom(A, B, '2001:db8::1', '2001:db8::ffff', '2001:db8:0:1::1');
  const command = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(fc.constant('admit' as const), fc.option(address, { nil: undefined }), fc.nat(50)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('identify' as const), address, fc.nat(50)) },
    {
      weight: 6,
      arbitrary: fc.tuple(
        fc.constantFrom('busy' as const, 'idle' as const, 'headless' as const, 'release' as const),
        address,
        fc.nat(50),
      ),
    },
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 120 }), fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 5 }), run),
    { numRuns: 1000 },
  );
});

type Command = ['admit' | 'identify' | 'busy' | 'idle' | 'headless' | 'release', string | undefined, number];

function run(commands: Command[], connections: number, perAddress: number): void {
  const caps = capsOf(connections, perAddress);
  const model = new Model(connections, perAddress);
  const slots: Slot[] = [];
  const closed: number[] = [];
  for (const [what, address, which] of commands) {
    const id = which % Math.max(slots.length, 1);
    if (what === 'admit') {
      const next = slots.length;
      const slot = caps.admit(address, { closeForRoom: () => closed.push(next) });
      const expected = model.admit(next, address === undefined ? undefined : addressKey(address));
      assert.equal(typeof slot === 'object' ? 'ok' : slot, expected);
      if (typeof slot === 'object') slots.push(slot);
    } else if (slots.length > 0) {
      apply(caps, model, slots[id], id, what, address as string);
    }
    assert.deepEqual(closed, model.closed);
    assert.equal(caps.open, model.list.length);
    assert.equal(caps.addresses, new Set(model.list.flatMap(({ key }) => key ?? [])).size);
  }
}

function apply(caps: ConnectionCaps, model: Model, slot: Slot, id: number, what: Command[0], address: string): void {
  if (what === 'identify') {
    assert.equal(caps.identify(slot, address), model.identify(id, addressKey(address)));
    return;
  }
  if (what === 'release') caps.release(slot);
  else if (what === 'busy') caps.headComplete(slot);
  else if (what === 'idle') caps.idle(slot);
  else caps.headBegun(slot);
  if (what === 'release') model.release(id);
  else if (what !== 'admit') model.move(id, what);
}

test('an operation costs the same with few and with many connections', () => {
  const few = operationCost(100);
  const many = operationCost(20_000);
  // A linear search would make this 200 times as much; the factor leaves room for caches and a busy machine.
  assert.ok(many < few * 30, `${few.toFixed(0)} ns with few, ${many.toFixed(0)} ns with many`);
});

/** Nanoseconds for letting in one more at the cap; the best of five rounds. */
function operationCost(connections: number): number {
  const owner = { closeForRoom: () => undefined };
  const caps = capsOf(connections, connections);
  for (let i = 0; i < connections; i++) caps.admit(A, owner);
  const rounds = Array.from({ length: 5 }, () => {
    const began = process.hrtime.bigint();
    for (let i = 0; i < 20_000; i++) caps.admit(A, owner);
    return Number(process.hrtime.bigint() - began) / 20_000;
  });
  return Math.min(...rounds);
}

test('what counts as one address', () => {
  const cases: [string, string][] = [
    ['203.0.113.7', '203.0.113.7'],
    ['::1', '0:0:0:0'],
    ['::', '0:0:0:0'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8::', '2001:db8:0:0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::6', '2001:db8:1:2'],
    ['2001:db8:1::3:4:5:6', '2001:db8:1:0'],
    ['1::4:5:6:7:8', '1:0:0:4'],
    ['::4:5:6:7:8', '0:0:0:4'],
    ['::1.2.3.4', '0:0:0:0'],
    ['::5:6:7:1.2.3.4', '0:0:0:5'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ];
  for (const [address, key] of cases) assert.equal(addressKey(address), key, address);
  assert.notEqual(addressKey('2001:db8:0:1::1'), addressKey('2001:db8:0:2::1'));
});
