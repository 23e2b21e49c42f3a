/** Several targets, some of them in trouble: who gets a call, how often it is tried, and what its client is told. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import dns from 'node:dns';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, describe, mock, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { checkText } from '../../src/config/load.ts';
import { Gateway as InProcess } from '../../src/config/swap.ts';
import { type Asker, http1Asker, http2Asker, type Reply } from '../support/ask.ts';
import { type AccessRecord, type Gateway, startGateway } from '../support/gateway.ts';
import { bodyOf, type RunningService, type ServiceAnswer, type ServiceRequest, startService } from '../support/services.ts';

type Behaviour = (request: ServiceRequest, answer: ServiceAnswer) => void;

const well: Behaviour = (_, answer) => void answer.end('well');
const hang: Behaviour = () => undefined;
const status =
  (code: number): Behaviour =>
  (_, answer) =>
    void answer.writeHead(code).end(`status ${code}`);
/** Reads the whole request, then closes without a word. */
const close: Behaviour = (request, answer) => void bodyOf(request).then(() => answer.socket?.destroy());

/** One target: counts its calls, and does with them what the test says. */
class Target {
  calls = 0;
  readonly bodies: string[] = [];
  behaviour: Behaviour = well;
  service!: RunningService;
  readonly held: ServiceAnswer[] = [];

  async start(port = 0): Promise<this> {
    this.service = await startService((request, answer) => this.#serve(request, answer), { port });
    return this;
  }

  /** The next calls wait until `release`. */
  hold(): void {
    this.behaviour = (_, answer) => void this.held.push(answer);
  }

  release(): void {
    this.behaviour = well;
    for (const answer of this.held.splice(0)) answer.end('released');
  }

  get address(): string {
    return `127.0.0.1:${this.service.port}`;
  }

  #serve(request: ServiceRequest, answer: ServiceAnswer): void {
    if (request.url?.startsWith('/health') === true) {
      answer.writeHead(this.behaviour === well ? 200 : 500).end();
      return;
    }
    this.calls++;
    if (request.method === 'GET') this.behaviour(request, answer);
    else
      void bodyOf(request).then((body) => {
        this.bodies.push(String(body));
        this.behaviour(request, answer);
      });
  }
}

const NAMES = 'abcdefghijklmnopqrstuvwxyz'.split('').flatMap((letter) => [`${letter}1`, `${letter}2`, `${letter}3`]);
const targets = {} as Record<string, Target>;
let deadPort = 0;
let stuck: { port: number; process: ChildProcess; fillers: net.Socket[] };
let mute: { port: number; close(): void };
let gateway: Gateway;
let h1: Asker;
let h2: Asker;

function url(name: string): string {
  return `"${targets[name].service.url}"`;
}

const OFF = 'ejection: "off", retries: { tries: 1 }';

/** What each service is tested with; `NAME:` begins a service, a target's name stands for its URL. */
const configuration = () => `
  turn: { targets: [${url('a1')}, ${url('a2')}, ${url('a3')}] }
  weights: { targets: [{ url: ${url('b1')}, weight: 1 }, { url: ${url('b2')}, weight: 3 }, { url: ${url('b3')}, weight: 0 }] }
  least: { targets: [${url('c1')}, ${url('c2')}], balance: least-requests }
  random: { targets: [${url('d1')}, ${url('d2')}, ${url('d3')}], balance: random }
  half-dead: { targets: [${url('e1')}, "http://127.0.0.1:${deadPort}"], ejection: { for: 2m } }
  checked: { targets: [${url('f1')}, ${url('f2')}], health: { path: /health, every: 100ms, unhealthy-after: 2, healthy-after: 2 } }
  ejecting: { targets: [${url('g1')}, ${url('g2')}], ejection: { failures: 3, for: 600ms }, retries: { tries: 1 } }
  last: { targets: [${url('h1')}], ejection: { failures: 3, for: 600ms }, retries: { tries: 1 } }
  retrying: { targets: [${url('i1')}, ${url('i2')}], ejection: "off" }
  statuses: { targets: [${url('j1')}, ${url('j2')}], ejection: "off", retries: { on: [connect, closed, "503"] } }
  impatient: { targets: [${url('k1')}, ${url('k2')}], ejection: "off", retries: { on: [timeout], try-time: 200ms }, timeout: 2s }
  budget: { targets: [${url('l1')}], ejection: "off", retries: { tries: 3, budget: 0% } }
  breaker: { targets: [${url('m1')}], ${OFF}, breaker: { failures: 3, open-for: 500ms } }
  capped: { targets: [${url('n1')}], ${OFF}, connections: 2, queue: { size: 1, wait: 1500ms } }
  black-hole: { targets: ["http://127.0.0.1:${stuck.port}"], ${OFF}, connect-timeout: 400ms }
  mute: { targets: ["https://127.0.0.1:${mute.port}"], ${OFF}, connect-timeout: 400ms }
  slow-head: { targets: [${url('p1')}], ${OFF}, timeout: 400ms }
  slow-retry: { targets: [${url('p1')}, ${url('p2')}], ejection: "off", timeout: 400ms }
  total: { targets: [${url('q1')}], ${OFF}, timeout: 400ms, total-time: 900ms }
  named: { targets: ["http://localhost:${targets.r1.service.port}"] }
  nameless: { targets: ["http://no-such-name.invalid:80"] }
  dead: "http://127.0.0.1:${deadPort}"`;

before(async () => {
  for (const name of NAMES) targets[name] = await new Target().start();
  deadPort = await freePort();
  stuck = await startStuck();
  mute = await startMute();
  const text = configuration();
  const routes = [...text.matchAll(/^ {2}([a-z-]+):/gm)].map(
    ([, name]) => `  - { path: /${name}/**, service: ${name}, authentication: none }`,
  );
  gateway = await startGateway(
    `listeners: { plain: { address: 127.0.0.1:0 }, secure: { address: 127.0.0.1:0, tls: self-signed } }
admin: { address: 127.0.0.1:0 }\nservices:${text}\nroutes:\n${routes.join('\n')}\n`,
  );
  h1 = http1Asker(gateway.port('plain'));
  h2 = http2Asker(gateway.port('secure'));
});

after(async () => {
  h1?.close();
  h2?.close();
  await gateway?.stop();
  for (const target of Object.values(targets)) await target.service.close();
  for (const filler of stuck?.fillers ?? []) filler.destroy();
  stuck?.process.kill('SIGKILL');
  mute?.close();
});

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** An address that answers nothing at all: a process that is stopped, with all places for waiting connections taken. */
async function startStuck(): Promise<typeof stuck> {
  const code =
    'const s = require("net").createServer(); s.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(s.address().port));';
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [text] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  child.kill('SIGSTOP');
  const port = Number(text);
  const fillers: net.Socket[] = [];
  for (let full = false; !full; ) {
    const filler = net.connect(port, '127.0.0.1').on('error', () => undefined);
    fillers.push(filler);
    full = await Promise.race([once(filler, 'connect').then(() => false), wait(300, true)]);
  }
  return { port, process: child, fillers };
}

/** Accepts connections, and says nothing. */
async function startMute(): Promise<typeof mute> {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port: (server.address() as net.AddressInfo).port, close };
}

let asked = 0;

/** Asks a service under a path of its own, and gives back the answer with its record. */
async function ask(
  service: string,
  more: { method?: string; body?: string; client?: Asker } = {},
): Promise<Reply & { path: string }> {
  const path = `/${service}/${asked++}`;
  const { method, body, client = h1 } = more;
  return Object.assign(await client.ask({ path, method, body }), { path });
}

async function times(n: number, one: (i: number) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < n; i++) await one(i);
}

function codeOf(reply: Reply): string {
  return (JSON.parse(String(reply.body)) as { code: string }).code;
}

interface Upstream {
  target?: string;
  status?: number;
  ms?: number;
  tries?: number;
}

async function recordOf(path: string): Promise<AccessRecord & { upstream?: Upstream }> {
  for (const end = performance.now() + 15_000; performance.now() < end; await wait(10)) {
    const found = (await gateway.records()).find((one) => one.http.path === path);
    if (found !== undefined) return found as AccessRecord & { upstream?: Upstream };
  }
  return assert.fail(`no record of ${path}`);
}

function callsOf(...names: string[]): number[] {
  return names.map((name) => targets[name].calls);
}

/** For a busy machine; less than the usual times, so that it is seen which of them was used. */
const LATE = 4000;

async function until(condition: () => boolean | Promise<boolean>, what: string, ms = 15_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > end) assert.fail(`not within ${ms} ms: ${what}`);
    await wait(5);
  }
}

describe('balance', () => {
  test('round-robin: each target in turn', async () => {
    await times(30, (i) => ask('turn', { client: i % 2 === 0 ? h1 : h2 }));
    assert.deepEqual(callsOf('a1', 'a2', 'a3'), [10, 10, 10]);
  });

  test('weights: exact shares, smoothly; weight 0 is never called', async () => {
    const order: string[] = [];
    await times(40, async () => {
      const { path } = await ask('weights');
      order.push(path);
    });
    assert.deepEqual(callsOf('b1', 'b2', 'b3'), [10, 30, 0]);
    const records = await Promise.all(order.map(recordOf));
    const called = records.map(({ upstream }) => (upstream?.target === targets.b1.address ? '1' : '3')).join('');
    assert.doesNotMatch(called, /3{4}|11/, 'the heavier one is not called four times in a row');
  });

  test('least-requests: the idle target gets all while the other one is at work', async () => {
    targets.c1.hold();
    targets.c2.hold();
    const first = ask('least');
    await until(() => targets.c1.calls + targets.c2.calls === 1, 'the first call arrives');
    const [busy, idle] = targets.c1.calls === 1 ? ['c1', 'c2'] : ['c2', 'c1'];
    targets[idle].release();
    await times(10, () => ask('least'));
    assert.deepEqual(callsOf(busy, idle), [1, 10]);
    targets[busy].release();
    await first;
    await times(10, () => ask('least'));
    assert.deepEqual(callsOf(busy, idle), [6, 15], 'equals take turns');
  });

  test('random: everyone gets a part', async () => {
    await times(300, () => ask('random'));
    for (const count of callsOf('d1', 'd2', 'd3')) assert.ok(count > 50 && count < 150, `${callsOf('d1', 'd2', 'd3')}`);
  });
});

describe('targets in trouble', () => {
  test('one of two refuses connections: no client notices, and it is taken out', async () => {
    const paths: string[] = [];
    await times(30, async (i) => {
      const post = i % 3 === 0;
      const reply = await ask('half-dead', {
        client: i % 2 === 0 ? h1 : h2,
        ...(post ? { method: 'POST', body: `body ${i}` } : {}),
      });
      assert.equal(String(reply.body), 'well');
      paths.push(reply.path);
    });
    assert.equal(targets.e1.calls, 30);
    assert.deepEqual(
      targets.e1.bodies,
      Array.from({ length: 10 }, (_, i) => `body ${i * 3}`),
      'no connection, nothing sent: even a POST is tried again',
    );
    const records = await Promise.all(paths.map(recordOf));
    const twice = records.filter(({ upstream }) => upstream?.tries === 2).length;
    assert.equal(twice, 5, 'after five failures nobody is sent there any more');
    for (const { upstream } of records) assert.deepEqual([upstream?.target, upstream?.status], [targets.e1.address, 200]);
    assert.match(gateway.stderr(), /target is taken out/);
  });

  test('all refuse: 502 with the address in the record', async () => {
    const reply = await ask('dead');
    assert.deepEqual([reply.status, codeOf(reply)], [502, 'upstream-connect']);
    const { upstream, decision } = await recordOf(reply.path);
    assert.deepEqual(upstream, { target: `127.0.0.1:${deadPort}`, tries: 2 });
    assert.match(decision?.reason ?? '', /ECONNREFUSED/);
    assert.doesNotMatch(String(reply.body), /127\.0\.0\.1|ECONNREFUSED/);
  });

  test('active checks take a target out and back in', async () => {
    await times(4, () => ask('checked'));
    assert.deepEqual(callsOf('f1', 'f2'), [2, 2]);
    targets.f1.behaviour = status(500);
    await until(() => /target is down.*/.test(gateway.stderr()), 'the check takes it out');
    await times(6, async () => assert.equal((await ask('checked')).status, 200));
    assert.deepEqual(callsOf('f1', 'f2'), [2, 8]);
    targets.f2.behaviour = status(500);
    await until(async () => (await ask('checked')).status === 503, 'both are down');
    const reply = await ask('checked');
    assert.deepEqual([reply.status, codeOf(reply), reply.headers['retry-after']], [503, 'upstream-unavailable', '1']);
    assert.equal((await recordOf(reply.path)).upstream, undefined, 'nobody was called');
    targets.f1.behaviour = well;
    targets.f2.behaviour = well;
    await until(async () => (await ask('checked')).status === 200, 'they come back');
    await wait(400);
    const before_ = callsOf('f1', 'f2');
    await times(10, () => ask('checked'));
    assert.deepEqual(
      callsOf('f1', 'f2'),
      before_.map((calls) => calls + 5),
    );
  });

  test('failed calls take a target out, for twice as long each time', async () => {
    targets.g1.behaviour = status(503);
    const calls = async (n: number) => {
      const from = targets.g1.calls;
      await times(n, () => ask('ejecting'));
      return targets.g1.calls - from;
    };
    assert.equal(await calls(6), 3, 'three failures');
    assert.equal(await calls(10), 0, 'out');
    await until(async () => (await calls(2)) > 0, 'back after 600 ms');
    await calls(4);
    const out = performance.now();
    assert.equal(await calls(10), 0, 'out again');
    await wait(700);
    assert.equal(await calls(4), 0, 'and for longer than the first time');
    await until(async () => (await calls(2)) > 0, 'back after 1,200 ms');
    assert.ok(performance.now() - out > 1100);
  });

  test('the last target is never taken out', async () => {
    targets.h1.behaviour = status(503);
    await times(10, async () => {
      const reply = await ask('last');
      assert.deepEqual([reply.status, String(reply.body)], [503, 'status 503'], 'its own answer passes on');
    });
    assert.equal(targets.h1.calls, 10);
  });

  test('a name that does not resolve is 503, and one in /etc/hosts is found', async () => {
    const reply = await ask('nameless');
    assert.deepEqual([reply.status, codeOf(reply)], [503, 'upstream-unavailable']);
    assert.equal((await ask('named')).status, 200);
    assert.equal(targets.r1.calls, 1);
  });
});

describe('retries', () => {
  for (const [method, body, sent] of [
    ['GET', undefined, 2],
    ['HEAD', undefined, 2],
    ['DELETE', undefined, 2],
    ['OPTIONS', undefined, 2],
    ['POST', undefined, 1],
    ['POST', 'pay once', 1],
    ['PATCH', 'pay once', 1],
    // The body has gone by and is kept nowhere, so that it can be sent only once.
    ['PUT', 'put once', 1],
  ] as const) {
    for (const client of ['HTTP/1.1', 'HTTP/2'] as const) {
      test(`${method}${body === undefined ? '' : ' with a body'} over ${client}: a service that closes without an answer sees it ${sent === 1 ? 'once' : 'twice'}`, async () => {
        for (const name of ['i1', 'i2']) Object.assign(targets[name], { behaviour: close, calls: 0 });
        const reply = await ask('retrying', { method, body, client: client === 'HTTP/2' ? h2 : h1 });
        assert.equal(reply.status, 502);
        assert.equal(targets.i1.calls + targets.i2.calls, sent);
        const { decision, upstream } = await recordOf(reply.path);
        assert.equal(decision?.code, 'upstream-closed');
        assert.deepEqual([upstream?.tries, upstream?.status], [sent === 2 ? 2 : undefined, undefined]);
      });
    }
  }

  test('the second target answers what the first one left', async () => {
    Object.assign(targets.i1, { behaviour: close, calls: 0 });
    Object.assign(targets.i2, { behaviour: well, calls: 0 });
    await times(10, async () => assert.equal((await ask('retrying')).status, 200));
    assert.deepEqual(callsOf('i1', 'i2'), [5, 10]);
  });

  test('statuses that are listed are tried again, for GET and not for POST', async () => {
    targets.j1.behaviour = status(503);
    await times(4, async () => assert.equal((await ask('statuses')).status, 200));
    assert.deepEqual(callsOf('j1', 'j2'), [2, 4]);
    const replies: number[] = [];
    await times(4, async () => void replies.push((await ask('statuses', { method: 'POST', body: 'x' })).status));
    assert.deepEqual(
      replies.toSorted((a, b) => a - b),
      [200, 200, 503, 503],
    );
    targets.j2.behaviour = status(502);
    targets.j1.behaviour = status(502);
    const reply = await ask('statuses');
    assert.deepEqual([reply.status, String(reply.body)], [502, 'status 502'], 'others pass on as they are');
  });

  test('try-time gives a slow target up for another one', async () => {
    targets.k1.behaviour = hang;
    await times(4, async () => {
      const began = performance.now();
      const reply = await ask('impatient');
      assert.equal(reply.status, 200);
      const { upstream } = await recordOf(reply.path);
      const twice = upstream?.tries === 2;
      assert.equal(upstream?.target, targets.k2.address);
      assert.ok(!twice || performance.now() - began > 190);
    });
    assert.deepEqual(callsOf('k1', 'k2'), [2, 4]);
  });

  test('under a dead service the budget bounds them', async () => {
    targets.l1.behaviour = close;
    await times(40, async () => assert.equal((await ask('budget')).status, 502));
    assert.equal(targets.l1.calls, 50, 'ten retries within ten seconds, whatever the traffic');
  });
});

describe('breaker', () => {
  test('opens after failures, lets one call through after its time, and closes when that is well', async () => {
    const one = targets.m1;
    one.behaviour = status(502);
    await times(3, async () => assert.equal((await ask('breaker')).status, 502));
    const began = performance.now();
    await times(5, async () => {
      const reply = await ask('breaker');
      assert.deepEqual([reply.status, codeOf(reply), reply.headers['retry-after']], [503, 'upstream-unavailable', '1']);
      const { decision, upstream } = await recordOf(reply.path);
      assert.deepEqual([decision?.reason, upstream], ['the breaker is open', undefined]);
    });
    assert.equal(one.calls, 3);
    await wait(520 - (performance.now() - began));
    // The trial fails: open for as long again.
    assert.equal((await ask('breaker')).status, 502);
    assert.equal((await ask('breaker')).status, 503);
    assert.equal(one.calls, 4);
    await wait(520);
    one.hold();
    const trial = ask('breaker');
    await until(() => one.calls === 5, 'the trial arrives');
    const others = await Promise.all(Array.from({ length: 5 }, () => ask('breaker')));
    assert.deepEqual(
      others.map((reply) => reply.status),
      [503, 503, 503, 503, 503],
    );
    assert.equal(one.calls, 5, 'one call, however many wait');
    one.release();
    assert.equal((await trial).status, 200);
    await times(5, async () => assert.equal((await ask('breaker')).status, 200));
  });
});

describe('places', () => {
  test('beyond connections calls wait in the queue, and beyond that they get 503', async () => {
    const one = targets.n1;
    one.hold();
    const running = [ask('capped'), ask('capped', { client: h2 })];
    await until(() => one.calls === 2, 'both arrive');
    const began = performance.now();
    const waiting = ask('capped');
    await wait(20);
    const asked_ = performance.now();
    const refused = await ask('capped');
    const refusedAfter = performance.now() - asked_;
    assert.deepEqual([refused.status, codeOf(refused), refused.headers['retry-after']], [503, 'upstream-busy', '1']);
    assert.ok(refusedAfter < 1400, 'at once, when the queue is full');
    const expired = await waiting;
    assert.deepEqual([expired.status, codeOf(expired)], [503, 'upstream-busy']);
    const ms = performance.now() - began;
    assert.ok(ms >= 1490 && ms < 1500 + LATE, `after ${ms} ms`);
    const served = ask('capped');
    await wait(50);
    assert.equal(one.calls, 2);
    one.release();
    assert.deepEqual(
      (await Promise.all([...running, served])).map((reply) => reply.status),
      [200, 200, 200],
    );
    for (const reply of [refused, expired]) assert.equal((await recordOf(reply.path)).upstream, undefined);
  });

  test('a client that leaves gives its place back', async () => {
    const one = targets.n1;
    one.hold();
    const from = one.calls;
    const leaving = Array.from({ length: 2 }, () => {
      const socket = net.connect(gateway.port('plain'), '127.0.0.1');
      socket.write('GET /capped/leaving HTTP/1.1\r\nHost: x.test\r\n\r\n');
      return socket;
    });
    await until(() => one.calls === from + 2, 'both arrive');
    for (const socket of leaving) socket.resetAndDestroy();
    one.release();
    await until(async () => (await ask('capped')).status === 200, 'places are free');
  });
});

describe('time', () => {
  test('connect-timeout: an address that does not answer, and a TLS handshake that does not go on', async () => {
    for (const service of ['black-hole', 'mute']) {
      const began = performance.now();
      const reply = await ask(service);
      const ms = performance.now() - began;
      assert.deepEqual([reply.status, codeOf(reply)], [502, 'upstream-connect']);
      assert.ok(ms >= 395 && ms < 400 + LATE, `${service} after ${ms} ms`);
      const { upstream, decision } = await recordOf(reply.path);
      assert.equal(upstream?.status, undefined);
      assert.match(decision?.reason ?? '', /time to connect/);
    }
  });

  test('timeout: no head is 504, and all tries share it', async () => {
    targets.p1.behaviour = hang;
    targets.p2.behaviour = hang;
    for (const service of ['slow-head', 'slow-retry']) {
      for (const client of [h1, h2]) {
        const began = performance.now();
        const reply = await ask(service, { client });
        const ms = performance.now() - began;
        assert.deepEqual([reply.status, codeOf(reply)], [504, 'upstream-timeout']);
        assert.ok(ms >= 395 && ms < 400 + LATE, `${service} after ${ms} ms`);
        const record = await recordOf(reply.path);
        assert.equal(record.upstream?.status, undefined);
        assert.match(record.decision?.reason ?? '', /no answer within 400 ms/);
      }
    }
  });

  test('total-time ends also what flows', async () => {
    targets.q1.behaviour = (_, answer) => {
      const timer = setInterval(() => answer.write('still going\n'), 50);
      answer.on('close', () => clearInterval(timer));
    };
    for (const client of [h1, h2]) {
      const path = `/total/${asked++}`;
      const began = performance.now();
      await assert.rejects(client.ask({ path }), 'the client can tell that it is not whole');
      const ms = performance.now() - began;
      assert.ok(ms >= 895 && ms < 900 + LATE, `after ${ms} ms`);
      const { decision, upstream, http } = await recordOf(path);
      assert.deepEqual([decision?.code, upstream?.status, http.status], ['upstream-timeout', 200, 200]);
      assert.match(decision?.reason ?? '', /not over within 900 ms/);
    }
  });
});

test('metrics count calls and tries of each service, and tell the state of each target', async () => {
  await ask('turn');
  const text = await (await fetch(`http://127.0.0.1:${gateway.port('admin')}/metrics`)).text();
  const value = (line: string) => Number(new RegExp(`^${line.replaceAll(/[{}]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1]);
  assert.equal(value('portcullis_upstream_responses_total{service="turn",status="2xx"}'), 31);
  assert.equal(value('portcullis_upstream_tries_total{service="turn"}'), 31);
  assert.equal(value('portcullis_upstream_responses_total{service="half-dead",status="2xx"}'), 30);
  assert.equal(value('portcullis_upstream_tries_total{service="half-dead"}'), 35);
  assert.equal(value('portcullis_upstream_tries_total{service="budget"}'), 50);
  assert.equal(value('portcullis_upstream_responses_total{service="budget",status="none"}'), 40);
  assert.equal(value('portcullis_upstream_duration_seconds_count{service="turn"}'), 31);
  assert.equal(value('portcullis_upstream_retries_total{service="half-dead",outcome="allowed"}'), 5);
  assert.equal(value('portcullis_upstream_retries_total{service="budget",outcome="denied"}'), 35);
  assert.equal(value('portcullis_upstream_calls{service="turn"}'), 0);
  assert.equal(value('portcullis_upstream_queue{service="turn"}'), 0);
  assert.equal(value('portcullis_upstream_breaker_open{service="breaker"}'), 0);
  const of = (service: string, target: string) => `{service="${service}",target="http://${target}",address="${target}"}`;
  const dead = `127.0.0.1:${deadPort}`;
  assert.equal(value(`portcullis_target_up${of('half-dead', targets.e1.address)}`), 1);
  assert.equal(value(`portcullis_target_up${of('half-dead', dead)}`), 0);
  assert.equal(value(`portcullis_target_failures_total${of('half-dead', dead)}`), 5);
  const kept = ['a1', 'a2', 'a3'].map((name) => value(`portcullis_target_connections${of('turn', targets[name].address)}`));
  assert.ok(
    kept.some((count) => count >= 1),
    `${kept}`,
  );
  assert.equal(value(`portcullis_target_calls${of('turn', targets.a1.address)}`), 0);
});

describe('names', () => {
  test('they are resolved again, and a resolver in trouble changes nothing', async () => {
    const one = await new Target().start();
    const answers = ['127.0.0.1'];
    const lookup = mock.method(dns.promises, 'lookup', async () => {
      if (answers[0] === 'broken') throw new Error('the resolver is in trouble');
      return answers.map((address) => ({ address, family: 4 }));
    });
    let other = 0;
    const server = net.createServer((socket) => {
      other++;
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother'));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(one.service.port, '127.0.0.2', resolve));
    const inside = new InProcess({ log: { info() {}, warn() {}, error() {} } });
    const checked = checkText(
      'test.yaml',
      `listeners: { plain: { address: 127.0.0.1:0 } }
services: { s: { targets: ["http://changing.test:${one.service.port}"], dns: { refresh: 1s } } }
observe: { access: "off" }\nroutes: [ { path: /**, service: s, authentication: none } ]`,
      {},
    );
    assert.ok(checked.ok);
    await inside.start(checked.options);
    const body = async () => (await fetch(`http://127.0.0.1:${inside.addresses().plain.port}/`)).text();
    try {
      assert.equal(await body(), 'well');
      answers[0] = '127.0.0.2';
      await until(async () => (await body()) === 'other', 'the new address is used');
      answers[0] = 'broken';
      const looked = lookup.mock.callCount();
      await until(() => lookup.mock.callCount() > looked, 'it is looked up again');
      assert.equal(await body(), 'other');
      answers.splice(0, 1, '127.0.0.1', '127.0.0.2');
      await until(async () => (await body()) === 'well' && (await body()) === 'other', 'two addresses take turns');
      assert.ok(other > 1);
    } finally {
      lookup.mock.restore();
      await inside.drain();
      await one.service.close();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
