import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Bench, call, FakeAnswer, FakeCarry, FakeLog, parsed } from './fakes.ts';
import { createUpstreams } from './upstreams.ts';

const two = ['http://127.0.0.1:9001', 'http://127.0.0.1:9002'];

test('a service that the configuration does not have is undefined', () => {
  assert.equal(new Bench(two[0]).upstreams.service('other'), undefined);
});

test('a reload that changes nothing keeps pools, health and ejection', async () => {
  const written = { targets: two, ejection: { failures: 1 }, retries: { tries: 1 } };
  const bench = new Bench(written);
  bench.send();
  bench.client(9001).last.fault('upstream-closed');
  assert.deepEqual(bench.states, ['ejected', 'up']);
  const { service } = bench;
  bench.upstreams = bench.load(written);
  bench.carry.swap();
  assert.equal(bench.service, service);
  assert.deepEqual(bench.states, ['ejected', 'up']);
  assert.equal(bench.clients.length, 2);
  assert.ok(bench.clients.every((client) => !client.closed));
});

test('a reload that changes an option makes a new service; what runs on the old one ends there, timeouts and all', async () => {
  const bench = new Bench({ targets: [two[0]], timeout: '5s' });
  const old = bench.service;
  const ends = bench.send();
  const hangs = bench.send();
  const [oldClient] = bench.clients;
  bench.upstreams = bench.load({ targets: [two[0]], timeout: '6s' });
  bench.carry.swap();
  assert.notEqual(bench.service, old);
  assert.equal(oldClient.closed, true);
  oldClient.sent[0].reply(200);
  assert.equal(ends.answer.status, 200);
  await bench.timing.advance(5500);
  assert.equal(hangs.answer.fault?.code, 'upstream-timeout');
});

test('a request that comes late to a service that has left is served, and its pool closes behind it', async () => {
  const bench = new Bench({ targets: [two[0]], timeout: '5s' });
  const old = bench.service;
  bench.upstreams = bench.load({ targets: [two[0]], timeout: '6s' });
  bench.carry.swap();
  const answer = new FakeAnswer();
  old.call(call(), answer, answer.trace);
  const late = bench.clients[2];
  assert.equal(late.closed, false);
  late.last.reply(200);
  assert.equal(answer.status, 200);
  assert.equal(late.closed, true);
});

test('checks and resolutions end with their service', async () => {
  let asked = 0;
  const lookup = async () => {
    asked++;
    return ['192.0.2.1'];
  };
  const bench = new Bench({ targets: ['http://a.test'], health: { every: '1s' } }, { lookup });
  await turn();
  bench.carry.swap();
  bench.carry.swap();
  const sent = bench.clients[0].sent.length;
  await bench.timing.advance(120_000);
  assert.equal(asked, 1);
  assert.equal(bench.clients[0].sent.length, sent);
  assert.equal(bench.timing.due.size, 0);
});

test('new addresses of a name get pools, vanished ones drain, the others keep theirs', async () => {
  let addresses = ['192.0.2.1', '192.0.2.2'];
  const bench = new Bench({ targets: ['http://a.test:81'], timeout: '5m' }, { lookup: async () => addresses });
  const early = bench.send();
  await turn();
  assert.match(early.answer.fault?.reason ?? '', /resolved/);
  await bench.upstreams.ready();
  assert.deepEqual(
    bench.snapshot.endpoints.map((one) => one.address),
    ['192.0.2.1:81', '192.0.2.2:81'],
  );
  const running = bench.send();
  addresses = ['192.0.2.2', '192.0.2.3'];
  await bench.timing.advance(30_000);
  assert.deepEqual(
    bench.snapshot.endpoints.map((one) => one.address),
    ['192.0.2.2:81', '192.0.2.3:81'],
  );
  assert.deepEqual(
    bench.clients.map((client) => client.closed),
    [true, false, false],
  );
  bench.clients[0].last.reply(200);
  assert.equal(running.answer.status, 200);
  assert.equal(bench.clients[0].options.host, 'a.test');
});

test('IP addresses are never resolved', async () => {
  const bench = new Bench(
    { targets: ['http://[2001:db8::1]:81', 'https://192.0.2.7'] },
    { lookup: async () => assert.fail('asked') },
  );
  await bench.upstreams.ready();
  assert.deepEqual(
    bench.clients.map(({ options }) => [options.address, options.port, options.tls !== undefined]),
    [
      ['2001:db8::1', 81, false],
      ['192.0.2.7', 443, true],
    ],
  );
});

test('`ready` waits for a slow resolver, but not for ever', async () => {
  const bench = new Bench('http://a.test', { lookup: () => new Promise(() => {}) });
  let ready = false;
  void bench.upstreams.ready().then(() => {
    ready = true;
  });
  await bench.timing.advance(9000);
  assert.equal(ready, false);
  await bench.timing.advance(1001);
  assert.equal(ready, true);
});

test('TLS files are read when the configuration loads; other contents make a new pool, a missing file is an error', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-upstreams-'));
  try {
    const ca = join(folder, 'ca.pem');
    const written = { targets: ['https://192.0.2.7'], tls: { ca, 'server-name': 'api' } };
    writeFileSync(ca, 'first');
    const bench = new Bench(written);
    assert.deepEqual([bench.clients[0].options.tls?.ca, bench.clients[0].options.tls?.serverName], ['first', 'api']);
    const { service } = bench;
    writeFileSync(ca, 'second');
    bench.upstreams = bench.load(written);
    bench.carry.swap();
    assert.notEqual(bench.service, service);
    rmSync(ca);
    assert.throws(() => bench.load(written), /ca\.pem/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a service without verification is warned of', () => {
  const bench = new Bench({ targets: ['https://192.0.2.7'], tls: { verify: false } });
  assert.deepEqual(bench.log.lines, ['warn certificates of the service are not verified']);
});

test('weight 0 takes a target out', () => {
  const bench = new Bench({ targets: [{ url: two[0], weight: 0 }, two[1]] });
  for (let i = 0; i < 3; i++) bench.send();
  assert.equal(bench.client(9001).sent.length, 0);
  assert.deepEqual(bench.states, ['drained', 'up']);
});

test('a client that cannot be made is told by ready, and by nothing else when nobody asks', async () => {
  const make = () => {
    throw new Error('the key has a passphrase');
  };
  const load = () => createUpstreams({ s: parsed({ targets: two }) }, new FakeCarry(), new FakeLog(), make);
  // The test runner fails a test that leaves a rejected promise behind.
  load();
  await turn();
  await assert.rejects(load().ready(), /passphrase/);
});
