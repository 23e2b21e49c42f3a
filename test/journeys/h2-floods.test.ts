/** Clients that flood an HTTP/2 connection: each is sent away in time, at a bounded cost, and others are served meanwhile. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { floods } from '../cases/h2-floods.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import type { Field } from '../support/hpack.ts';
import { data, get, H2Raw, HEADERS, headers, ping, post, reset, RST_STREAM, settings, windowUpdate } from '../support/h2-raw.ts';

/** Answered by the gateway itself, without a body. */
const ASTERISK = get('*').map(([name, value]): Field => [name, name === ':method' ? 'OPTIONS' : value]);

/** So many events end any flood. It would take 1,000 if no time passed, which forgives a hundred in each second. */
const MOST_EVENTS = 2000;
const BATCH = 25;

let gateway: Gateway;
/** Calls that hang at the service. */
const hanging = new Set<net.Socket>();

/** Answers `/…` with 3 kB, and `/hang` never. */
const service = net.createServer((socket) => {
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    const text = bytes.toString('latin1');
    if (/^\w+ \/hang /.test(text)) {
      hanging.add(socket);
      socket.on('close', () => hanging.delete(socket));
    } else if (/^\w+ \//.test(text)) socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n${'x'.repeat(3000)}`);
  });
});

before(async () => {
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  gateway = await startGateway(`
listeners: { secure: { address: 127.0.0.1:0, tls: self-signed } }
services: { s: { targets: ["http://127.0.0.1:${(service.address() as net.AddressInfo).port}"], timeout: 60s } }
observe: { access: "off" }
routes: [ { path: /**, service: s, authentication: none } ]`);
});

after(async () => {
  await gateway?.stop();
  for (const socket of hanging) socket.destroy();
  service.close();
});

const connect = (): Promise<H2Raw> => H2Raw.connect(gateway.port('secure'));
const memory = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.process.pid}/status`, 'utf8'))?.[1]) / 1024;

/** Asks on another connection, again and again, until it is told to stop: the longest that an answer took. */
function neighbour(): { stop(): Promise<number> } {
  let stopped = false;
  const asking = (async () => {
    using client = await connect();
    let longest = 0;
    for (let i = 0; !stopped || i === 0; i++) {
      const began = performance.now();
      client.send(headers(2 * i + 1, get('/neighbour')));
      assert.equal((await client.answer(2 * i + 1)).body.length, 3000);
      longest = Math.max(longest, performance.now() - began);
    }
    return longest;
  })();
  return {
    stop() {
      stopped = true;
      return asking;
    },
  };
}

/** Sends events until the connection is closed; how many were sent. */
async function flood(client: H2Raw, make: (i: number) => Buffer, most: number): Promise<number> {
  let sent = 0;
  while (!client.closed && client.goaway === undefined && sent < most) {
    const events = Array.from({ length: Math.min(BATCH, most - sent) }, (_, i) => make(sent + i));
    sent += events.length;
    if (!(await client.pour(Buffer.concat(events)))) break;
    // Gives the other side the time to say something.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return sent;
}

describe('a flood is ended', () => {
  for (const { why, make, most = MOST_EVENTS, error } of floods) {
    test(why, async () => {
      using client = await connect();
      await client.until(() => client.frames.length > 0, 'settings');
      const before = memory();
      const others = neighbour();
      // So many events must be enough by themselves: nothing else is sent, and the end comes.
      await flood(client, make, most + 2);
      await client.end();
      if (error !== undefined) assert.equal(client.goaway, error);
      assert.ok((await others.stop()) < 3000, 'others have to wait');
      assert.ok(memory() - before < 40, `${memory() - before} MB more`);
    });
  }

  test('nothing of them is still running at the service', async () => {
    const end = performance.now() + 15_000;
    while (hanging.size > 0 && performance.now() < end) await wait(10);
    assert.equal(hanging.size, 0);
  });

  test('body bytes one by one are no flood, and bounded by `body`', async () => {
    using client = await connect();
    client.send(headers(1, post('/x'), { end: false }));
    for (let i = 0; i < 100; i++) await client.pour(Buffer.concat(Array<Buffer>(100).fill(data(1, 'x'))));
    client.send(data(1, '', true));
    assert.equal((await client.answer(1)).status, 200);
  });
});

describe('a client that takes nothing', () => {
  test('windows that never open: 100 answers wait, and little of each', async () => {
    const before = memory();
    const clients = await Promise.all(
      Array.from({ length: 10 }, () => H2Raw.connect(gateway.port('secure'), { settings: [[4, 0]] })),
    );
    for (const client of clients) {
      for (let i = 0; i < 100; i++) client.send(headers(2 * i + 1, get('/x')));
      await client.until(() => client.on(199).status === 200, 'the head of the last answer');
      assert.equal(client.on(199).body.length, 0);
    }
    assert.ok(memory() - before < 60, `${memory() - before} MB more`);
    // As soon as they open, everything comes.
    const [first] = clients;
    first.send(settings([4, 65_535]));
    await first.until(() => Array.from({ length: 100 }, (_, i) => first.on(2 * i + 1)).every((one) => one.over), 'the rest');
    assert.ok(Array.from({ length: 100 }, (_, i) => first.on(2 * i + 1)).every((one) => one.body.length === 3000));
    for (const client of clients) client.close();
  });

  test('the window of the connection byte by byte gets answers byte by byte, and not for long', async () => {
    using client = await H2Raw.connect(gateway.port('secure'), { windows: false });
    for (let i = 0; i < 30; i++) client.send(headers(2 * i + 1, get('/x')));
    await client.until(() => client.frames.some((one) => one.stream === 59), 'heads');
    await flood(client, () => windowUpdate(0, 1), 2000);
    await client.end();
    assert.equal(client.goaway, 'ENHANCE_YOUR_CALM');
  });

  test('answers that nobody reads stop the reading, and all of them are there in the end', async () => {
    const before = memory();
    // Without a table, each head is some hundred bytes; without bodies, no window holds them back.
    using client = await H2Raw.connect(gateway.port('secure'), { settings: [[1, 0]] });
    await client.until(() => client.frames.length > 1, 'settings');
    client.socket.pause();
    let sent = 0;
    let stuck = false;
    while (!stuck && client.socket.writable && sent < 90_000) {
      const asked = Array.from({ length: 50 }, (_, i) => headers(2 * (sent + i) + 1, ASTERISK));
      sent += 50;
      stuck = (await Promise.race([client.pour(Buffer.concat(asked)), wait(1000, 'stuck')])) === 'stuck';
    }
    if (!stuck) client.socket.resume();
    if (!stuck) await client.until(() => client.goaway !== undefined, 'a reason');
    assert.ok(stuck, `it reads on and on, for ${sent} requests, ${client.goaway}`);
    assert.ok(memory() - before < 60, `${memory() - before} MB more`);
    client.socket.resume();
    await client.until(() => client.on(2 * sent - 1).over, 'the last answer', 30_000);
    assert.equal(client.count(HEADERS), sent);
  });
});

describe('honest clients are not taken for a flood', () => {
  test('10,000 requests on one connection, some of them cancelled', async () => {
    using client = await connect();
    let answered = 0;
    for (let i = 0; i < 10_000; i += 50) {
      const streams = Array.from({ length: 50 }, (_, k) => 2 * (i + k) + 1);
      client.send(
        ...streams.flatMap((stream, k) =>
          k % 6 === 0 ? [headers(stream, get('/hang')), reset(stream)] : [headers(stream, get('/x'))],
        ),
      );
      const kept = streams.filter((_, k) => k % 6 !== 0);
      await client.until(() => kept.every((stream) => client.on(stream).over), `answers ${i}`);
      answered += kept.filter((stream) => client.on(stream).body.length === 3000).length;
    }
    assert.equal(answered, 10_000 - 200 * 9);
    assert.equal(client.goaway, undefined);
  });

  test('a ping each second, for hours: a thousand and more with answers to other requests in between', async () => {
    using client = await connect();
    for (let i = 0; i < 1500; i++) {
      client.send(ping(String(i).padStart(8, '0')));
      if (i % 2 === 0) client.send(headers(i + 1, get('/x')));
      if (i % 2 === 0) assert.equal((await client.answer(i + 1)).status, 200);
    }
    await client.until(() => client.count(6) === 1500, 'pongs');
    assert.equal(client.goaway, undefined);
  });

  test('100 uploads at a time, as much as the windows let through', async () => {
    using client = await connect();
    const piece = Buffer.alloc(8000, 'x');
    for (let i = 0; i < 100; i++) client.send(headers(2 * i + 1, post('/x'), { end: false }));
    for (let i = 0; i < 100; i++) client.send(data(2 * i + 1, piece, true));
    await client.until(() => Array.from({ length: 100 }, (_, i) => client.on(2 * i + 1)).every((one) => one.over), 'answers');
    assert.equal(client.count(RST_STREAM), 0);
    assert.equal(client.on(199).status, 200);
  });
});
