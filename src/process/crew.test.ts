import assert from 'node:assert/strict';
import type { Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { KeptLog } from '../../test/support/corridor.ts';
import type { GatewayOptions } from '../config/schema.ts';
import type { MetricsSnapshot } from '../observe/stage.ts';
import type { LimitsAsked, LimitsDecided } from '../stores/shared-memory-messages.ts';
import { Crew } from './crew.ts';
import type { Order, Reply } from './messages.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await turn();
}

/** Time passes: timers fire, and what they set going has a while. */
async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  await settle();
}

/** A worker without a process. It follows every order, unless the test says otherwise. */
class FakeWorker extends EventEmitter {
  readonly orders: Order[] = [];
  readonly signals: string[] = [];
  dead = false;
  connected = true;
  /** What it answers; undefined: nothing. */
  answer: (order: Order) => Omit<Reply, 'number'> | undefined = () => ({});
  /** Ends when it is told to by the end of its channel. */
  obedient = true;
  readonly process: { pid: number; kill(signal: string): boolean };

  constructor(pid: number) {
    super();
    const kill = (signal: string) => {
      this.signals.push(signal);
      setImmediate(() => this.die(null, signal));
      return true;
    };
    this.process = { pid, kill };
  }

  /** The kinds of the orders it got. */
  get kinds(): string {
    return this.orders.map((order) => order.kind).join(' ');
  }

  /** What it was told last to serve. */
  get serves(): GatewayOptions | undefined {
    return this.orders.findLast((order) => 'options' in order)?.options;
  }

  send(order: Order): void {
    this.orders.push(order);
    const answer = 'packed' in order ? undefined : this.answer(order);
    if (answer !== undefined) setImmediate(() => this.emit('message', { number: order.number, ...answer }));
  }

  isConnected(): boolean {
    return this.connected;
  }

  isDead(): boolean {
    return this.dead;
  }

  disconnect(): void {
    this.connected = false;
    if (this.obedient) setImmediate(() => this.die(0, null));
  }

  die(code: number | null, signal: string | null): void {
    if (this.dead) return;
    this.dead = true;
    this.connected = false;
    this.emit('exit', code, signal);
  }
}

const optionsOf = (name: string) => ({ name }) as unknown as GatewayOptions;
const [OLD, NEW, NEWEST] = ['old', 'new', 'newest'].map(optionsOf);

let workers: FakeWorker[];
let log: KeptLog;
let crew: Crew;
/** Prepares the next workers. */
let prepared: ((worker: FakeWorker) => void)[];

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  workers = [];
  prepared = [];
  log = new KeptLog();
  const shared = { ticketSecret: Buffer.alloc(48), instance: 'one' };
  const decide = ({ number }: LimitsAsked): LimitsDecided => ({ kind: 'limits', number, packed: [1, 4, 0, 0] });
  const fork = () => {
    const worker = new FakeWorker(1000 + workers.length);
    prepared.shift()?.(worker);
    workers.push(worker);
    return worker as unknown as Worker;
  };
  crew = new Crew(OLD, { shared, log, fork, decide });
});

afterEach(async () => {
  void crew.leave();
  await pass(60_000);
  mock.timers.reset();
});

const refuses = (kind: Order['kind'], error: string) => (worker: FakeWorker) => {
  worker.answer = (order) => (order.kind === kind ? { error } : {});
};

test('what a worker asks about limits is answered to that worker, and holds up no order', async () => {
  await crew.start(2);
  const asked: LimitsAsked = { kind: 'limits', number: 1, deadline: 1, packed: [] };
  workers[1].emit('message', asked);
  const [said] = workers[1].orders.slice(1) as unknown[];
  assert.deepEqual(said, { kind: 'limits', number: 1, packed: [1, 4, 0, 0] });
  assert.equal(workers[0].orders.length, 1);
  workers[1].connected = false;
  workers[1].emit('message', asked);
  assert.equal(workers[1].orders.length, 2);
});

describe('a start', () => {
  test('is over when all workers serve', async () => {
    const addresses = { a: { address: '127.0.0.1', port: 1, family: 'IPv4' } };
    prepared = [(worker) => (worker.answer = () => ({ addresses }))];
    assert.deepEqual((await crew.start(3)).addresses, addresses);
    assert.equal(crew.size, 3);
    assert.deepEqual(
      workers.map((worker) => [worker.kinds, worker.serves]),
      [1, 2, 3].map(() => ['start', OLD]),
    );
  });

  test('fails when one worker cannot, and none is left', async () => {
    prepared = [() => {}, refuses('start', 'the port is taken')];
    await assert.rejects(crew.start(3), /the port is taken/);
    assert.ok(workers.every((worker) => worker.dead));
    assert.deepEqual([workers[0].kinds, workers[0].signals, workers[1].signals[0]], ['start drain', [], 'SIGKILL']);
    await pass(60_000);
    assert.equal(workers.length, 3, 'and none comes later');
  });
});

describe('a reload', () => {
  test('goes from one worker to the next', async () => {
    await crew.start(3);
    await crew.reload(NEW);
    assert.deepEqual(
      workers.map((worker) => worker.serves),
      [NEW, NEW, NEW],
    );
  });

  test('that the first worker refuses has changed nothing anywhere', async () => {
    prepared = [refuses('reload', 'no such file')];
    await crew.start(2);
    await assert.rejects(crew.reload(NEW), /no such file/);
    assert.deepEqual([workers[1].kinds, crew.size], ['start', 2]);
    workers[1].die(null, 'SIGKILL');
    await pass(10_000);
    assert.equal(workers[2].serves, OLD, 'a replaced worker begins with the old one');
  });

  test('that kills the first worker is not taken over by the others', async () => {
    prepared = [
      (worker) => {
        worker.answer = (order) => {
          if (order.kind === 'reload') setImmediate(() => worker.die(70, null));
          return order.kind === 'reload' ? undefined : {};
        };
      },
    ];
    await crew.start(2);
    await assert.rejects(crew.reload(NEW), /the worker died/);
    await pass(10_000);
    assert.deepEqual([workers[1].serves, workers[2].serves, crew.size], [OLD, OLD, 2]);
  });

  test('that the first worker does not answer fails, and that worker is replaced: nobody knows what it serves', async () => {
    prepared = [(worker) => (worker.answer = (order) => (order.kind === 'reload' ? undefined : {}))];
    await crew.start(2);
    const failed = assert.rejects(crew.reload(NEW), /does not answer/);
    await pass(40_000);
    await failed;
    await settle();
    assert.deepEqual([workers[0].kinds, workers[0].dead], ['start reload drain', true]);
    assert.deepEqual([workers[1].serves, workers[2].serves, crew.size], [OLD, OLD, 2]);
  });

  test('that another worker refuses holds all the same: that one is replaced, in peace', async () => {
    prepared = [() => {}, refuses('reload', 'too many files')];
    await crew.start(3);
    await crew.reload(NEW);
    await settle();
    assert.deepEqual([workers[1].kinds, workers[1].signals], ['start reload drain', []]);
    assert.deepEqual([workers[3].kinds, workers[3].serves, crew.size], ['start', NEW, 3]);
    assert.match(log.text, /is replaced.*too many files/);
  });

  test('also reaches a worker that is just starting', async () => {
    await crew.start(2);
    let started: (() => void) | undefined;
    prepared = [
      (worker) => {
        worker.answer = (order) => {
          if (order.kind !== 'start') return {};
          started = () => worker.emit('message', { number: order.number });
          return undefined;
        };
      },
    ];
    workers[1].die(null, 'SIGKILL');
    await pass(1000);
    assert.equal(workers[2].serves, OLD);
    await crew.reload(NEW);
    await crew.reload(NEWEST);
    assert.equal(crew.size, 1);
    started?.();
    await settle();
    assert.deepEqual([workers[2].serves, crew.size], [NEWEST, 2]);
  });

  test('needs somebody to try it', async () => {
    await crew.start(1);
    workers[0].die(null, 'SIGKILL');
    await assert.rejects(crew.reload(NEW), /no worker serves/);
    await pass(1000);
    await crew.reload(NEW);
    assert.equal(workers[1].serves, NEW);
  });
});

describe('a worker that dies', () => {
  test('is replaced, after a pause that grows while they keep dying', async () => {
    await crew.start(1);
    for (let i = 0; i < 4; i++) {
      workers[i].die(1, null);
      await settle();
      assert.equal(crew.size, 0);
      await pass(100 * 2 ** (i + 1));
      assert.equal(crew.size, 1, `after ${100 * 2 ** (i + 1)} ms`);
    }
  });

  test('is tried again when its replacement cannot start', async () => {
    await crew.start(1);
    prepared = [refuses('start', 'no memory'), refuses('start', 'no memory')];
    workers[0].die(1, null);
    await pass(200);
    assert.equal(crew.size, 0);
    await pass(400);
    await pass(800);
    assert.equal(crew.size, 1);
    assert.equal(log.text.match(/cannot be replaced/g)?.length, 2);
  });
});

describe('metrics', () => {
  const counted = (value: number): MetricsSnapshot => ({
    families: [{ name: 'n', help: '', type: 'counter', series: [{ labels: {}, value }] }],
  });
  const sum = async () => {
    const reading = crew.metrics();
    await settle();
    await pass(2000);
    return (await reading).map(({ families }) => families[0].series[0].value).reduce((a, b) => (a as number) + (b as number), 0);
  };

  test('count on over the death of a worker, and wait for none that is busy', async () => {
    const counts = [5, 7];
    const counts5 = (n: number) => (worker: FakeWorker) => {
      worker.answer = (order) => (order.kind === 'metrics' ? { metrics: counted(counts[n]) } : {});
    };
    prepared = [counts5(0), counts5(1)];
    await crew.start(2);
    assert.equal(await sum(), 12);
    workers[0].die(null, 'SIGKILL');
    await settle();
    assert.equal(await sum(), 12);
    counts[1] = 9;
    assert.equal(await sum(), 14);
    workers[1].answer = () => undefined;
    assert.equal(await sum(), 14);
  });
});

describe('leaving', () => {
  test('drains who serves, ends who does not yet, and replaces nobody', async () => {
    await crew.start(2);
    prepared = [(worker) => (worker.answer = () => undefined)];
    workers[1].die(null, 'SIGKILL');
    await pass(1000);
    await crew.leave();
    assert.deepEqual([workers[0].kinds, workers[0].signals], ['start drain', []]);
    assert.deepEqual([workers[2].kinds, workers[2].signals[0]], ['start', 'SIGKILL']);
    await pass(60_000);
    assert.equal(workers.length, 3);
    await assert.rejects(crew.reload(NEW), /leaving/);
  });

  test('waits for nobody for ever: not for one that does not answer, and not for one that does not end', async () => {
    await crew.start(2);
    workers[0].answer = () => undefined;
    workers[0].obedient = false;
    workers[1].obedient = false;
    const left = crew.leave();
    await settle();
    await pass(2000);
    assert.deepEqual([workers[0].dead, workers[1].signals], [false, ['SIGKILL']]);
    await pass(40_000);
    await pass(2000);
    await left;
    assert.deepEqual(workers[0].signals, ['SIGKILL']);
  });

  test('while a worker is replaced that still ends its requests: those are not cut off', async () => {
    prepared = [() => {}, refuses('reload', 'r')];
    await crew.start(2);
    let drained: (() => void) | undefined;
    workers[1].answer = (order) => {
      if (order.kind === 'drain') drained = () => workers[1].emit('message', { number: order.number });
      return order.kind === 'reload' ? { error: 'r' } : undefined;
    };
    await crew.reload(NEW);
    const left = crew.leave();
    await settle();
    assert.deepEqual([workers[1].dead, workers[1].signals], [false, []]);
    drained?.();
    await left;
    assert.deepEqual([workers[1].signals, workers[1].dead], [[], true]);
  });
});
