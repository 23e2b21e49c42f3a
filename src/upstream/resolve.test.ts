import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { FakeLog, FakeTiming, parsed } from './fakes.ts';
import { Resolver, systemAccepts, systemLookup } from './resolve.ts';

type Answer = string[] | 'fails';

class Zone {
  readonly timing = new FakeTiming();
  readonly log = new FakeLog();
  readonly told: string[][] = [];
  answer: Answer;
  listening: string[] = [];
  asked = 0;
  readonly resolver: Resolver;

  constructor(answer: Answer, dns: object = {}) {
    this.answer = answer;
    const options = parsed({ targets: ['http://a.test'], dns }).dns;
    const lookup = async () => {
      this.asked++;
      if (this.answer === 'fails') throw new Error('ENOTFOUND');
      return this.answer;
    };
    const accepts = async (address: string) => this.listening.includes(address);
    this.resolver = new Resolver('a.test', 80, options, { lookup, accepts, timing: this.timing, log: this.log }, (found) => {
      this.told.push(found);
    });
  }
}

test('resolves when it starts, again after each refresh, and tells changes only', async () => {
  const zone = new Zone(['192.0.2.1']);
  await zone.resolver.start();
  assert.deepEqual(zone.told, [['192.0.2.1']]);
  await zone.timing.advance(29_999);
  assert.equal(zone.asked, 1);
  await zone.timing.advance(1);
  assert.equal(zone.asked, 2);
  zone.answer = ['192.0.2.3', '192.0.2.2', '192.0.2.3'];
  await zone.timing.advance(30_000);
  assert.deepEqual(zone.told, [['192.0.2.1'], ['192.0.2.2', '192.0.2.3']]);
  zone.answer = ['192.0.2.2', '192.0.2.3'];
  await zone.timing.advance(60_000);
  assert.equal(zone.told.length, 2);
});

test('a resolution that fails keeps the old addresses, and is said once', async () => {
  const zone = new Zone(['192.0.2.1']);
  await zone.resolver.start();
  for (const broken of ['fails', []] as Answer[]) {
    zone.answer = broken;
    await zone.timing.advance(40_000);
    assert.deepEqual(zone.told, [['192.0.2.1']]);
  }
  assert.deepEqual(zone.log.lines.filter((line) => line.startsWith('warn')).length, 1);
});

test('a name that never resolved is tried after 1, 2, 4 … seconds', async () => {
  const zone = new Zone('fails');
  await zone.resolver.start();
  await zone.timing.advance(1000);
  assert.equal(zone.asked, 2);
  await zone.timing.advance(2000);
  assert.equal(zone.asked, 3);
  zone.answer = ['192.0.2.1'];
  await zone.timing.advance(4000);
  assert.deepEqual(zone.told, [['192.0.2.1']]);
});

test('nothing is resolved after stop', async () => {
  const zone = new Zone(['192.0.2.1']);
  await zone.resolver.start();
  zone.resolver.stop();
  await zone.timing.advance(300_000);
  assert.equal(zone.asked, 1);
  assert.equal(zone.timing.due.size, 0);
});

const both = ['192.0.2.1', '2001:db8::1'];
const families: [string, string[], string[]][] = [
  ['auto', [], ['192.0.2.1']],
  ['auto', ['192.0.2.1', '2001:db8::1'], ['192.0.2.1']],
  ['auto', ['2001:db8::1'], ['2001:db8::1']],
  ['ipv4', ['2001:db8::1'], ['192.0.2.1']],
  ['ipv6', ['192.0.2.1'], ['2001:db8::1']],
  ['both', [], both],
];
for (const [family, listening, expected] of families) {
  test(`family ${family} with ${listening.join(' and ') || 'nobody'} listening: ${expected.join(' and ')}`, async () => {
    const zone = new Zone(both, { family });
    zone.listening = listening;
    await zone.resolver.start();
    assert.deepEqual(zone.told, [expected]);
    zone.resolver.stop();
  });
}

test('auto looks again soon while nobody listens', async () => {
  const zone = new Zone(both);
  await zone.resolver.start();
  zone.listening = ['2001:db8::1'];
  await zone.timing.advance(1000);
  assert.deepEqual(zone.told, [['192.0.2.1'], ['2001:db8::1']]);
  zone.resolver.stop();
});

test('the system knows localhost, and who listens there', async () => {
  const found = await systemLookup('localhost');
  assert.ok(found.includes('127.0.0.1') || found.includes('::1'), String(found));
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  assert.equal(await systemAccepts('127.0.0.1', port), true);
  await new Promise((resolve) => server.close(resolve));
  assert.equal(await systemAccepts('127.0.0.1', port), false);
});
