/** What one HTTP/2 client may take up, in time and in number; and how answers, calls and connections end. */
import assert from 'node:assert/strict';
import type http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type AccessRecord, type Gateway, startGateway } from '../support/gateway.ts';
import {
  data,
  frame,
  GOAWAY,
  get,
  H2Raw,
  HEADERS,
  headers,
  PREFACE,
  ping,
  post,
  reset,
  SETTINGS,
  settings,
  windowUpdate,
} from '../support/h2-raw.ts';
import type { Field } from '../support/hpack.ts';
import { type RunningService, type ServiceAnswer, type ServiceRequest, startService } from '../support/services.ts';

const MB = 1024 * 1024;
/** Each bound fires at most a second late; the rest is for a busy machine. */
const LATE = 5000;

/** Requests at the service, by their path: how they ended there. */
const calls = new Map<string, { request: ServiceRequest; answer: ServiceAnswer; closed: boolean }>();

function serve(request: ServiceRequest, answer: ServiceAnswer): void {
  const path = request.url ?? '';
  const call = { request, answer, closed: false };
  calls.set(path, call);
  answer.on('close', () => (call.closed = true));
  const kind = path.split('/')[1];
  if (kind === 'hang') return;
  if (kind === 'empty') answer.writeHead(204).end();
  else if (kind === 'unchanged') answer.writeHead(304, { etag: '"a"' }).end();
  else if (kind === 'large') answer.end(Buffer.alloc(20 * MB));
  else if (kind === 'begin') answer.write('begun');
  else if (kind.startsWith('no')) {
    answer.writeHead(413);
    answer.write('that is');
  } else if (kind === 'trailers') {
    answer.writeHead(200, { trailer: 'x-sum' });
    answer.write('body');
    answer.addTrailers({ 'x-sum': '42' });
    answer.end();
  } else if (kind === 'upload') {
    let bytes = 0;
    request.on('data', (piece: Buffer) => (bytes += piece.length));
    request.on('end', () => answer.end(String(bytes)));
  } else answer.end('small');
}

let service: RunningService;
let two: RunningService;
let gateway: Gateway;

const configuration = (bounds: string): string => `
listeners: { secure: { address: 127.0.0.1:0, tls: self-signed, bounds: { ${bounds} } } }
admin: { address: 127.0.0.1:0 }
services:
  s: { targets: ["${service.url}"], timeout: 60s }
  two: { targets: ["${two.url}"], protocol: h2c }
routes:
  - { path: /**, service: s, authentication: none, body: 10KiB }
  - { path: /upload/**, service: s, authentication: none, body: 100MiB }
  - { path: /hang/upload/**, service: s, authentication: none, body: 100MiB }
  - { path: /trailers, service: two, authentication: none }
  - { path: /no-h2c/**, service: two, authentication: none }`;

before(async () => {
  service = await startService(serve);
  two = await startService(serve, { kind: 'h2c' });
  gateway = await startGateway(
    configuration('head-time: 1s, body-time: 1500ms, idle-time: 2s, h2-streams: 10, h2-resets: 20, requests-per-connection: 30'),
  );
});

after(async () => {
  await gateway?.stop();
  await service?.close();
  await two?.close();
});

const port = (): number => gateway.port('secure');
const connect = (): Promise<H2Raw> => H2Raw.connect(port());

/** Runs it, and says how long it took. */
async function timed(run: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

const between = (value: number, low: number, high: number): void =>
  assert.ok(value > low && value < high, `${value} is not in ${low}…${high}`);

async function recordOf(path: string, from: Gateway = gateway): Promise<AccessRecord> {
  for (const end = performance.now() + 15_000; performance.now() < end; await wait(20)) {
    const found = (await from.records()).find(({ http }) => http.path === path);
    if (found !== undefined) return found;
  }
  return assert.fail(`no record of ${path}`);
}

async function callOf(path: string): Promise<{ request: ServiceRequest; answer: ServiceAnswer; closed: boolean }> {
  for (const end = performance.now() + 15_000; performance.now() < end; await wait(5)) {
    const call = calls.get(path);
    if (call !== undefined) return call;
  }
  return assert.fail(`${path} did not reach the service`);
}

async function closedAtService(path: string): Promise<void> {
  const call = await callOf(path);
  for (const end = performance.now() + 15_000; performance.now() < end && !call.closed; ) await wait(5);
  assert.ok(call.closed, `${path} goes on at the service`);
}

describe('times', { concurrency: true }, () => {
  const openings: [string, readonly Buffer[]][] = [
    ['nothing', []],
    ['half a preface', [PREFACE.subarray(0, 10)]],
    ['a preface alone', [PREFACE]],
    ['preface and settings', [PREFACE, settings()]],
    ['half a frame of settings', [PREFACE, settings([4, 1]).subarray(0, 11)]],
    ['half HEADERS', [PREFACE, settings(), headers(1, get()).subarray(0, 20)]],
    ['HEADERS without an end', [PREFACE, settings(), frame(HEADERS, 1, 1, 'x')]],
    ['pings', [PREFACE, settings(), ping(), ping()]],
  ];
  for (const [why, bytes] of openings) {
    test(`head-time: ${why}, and silence`, async () => {
      using client = await H2Raw.connect(port(), { settings: false });
      client.send(...bytes);
      between(await timed(() => client.end()), 900, 1000 + LATE);
      assert.equal(client.goaway, 'NO_ERROR');
    });
  }

  test('head-time: a head that dribbles in, on a new connection and on a kept one', async () => {
    using client = await connect();
    client.send(headers(1, get('/a')));
    assert.equal((await client.answer(1)).status, 200);
    const bytes = headers(3, get('/b', [['x-a', 'v'.repeat(200)]]));
    const took = await timed(async () => {
      for (let at = 0; at < bytes.length && !client.closed; at++) {
        client.send(bytes.subarray(at, at + 1));
        await wait(30);
      }
      await client.end();
    });
    between(took, 900, 1000 + LATE);
    assert.equal(calls.has('/b'), false);
  });

  test('idle-time: a connection between two requests, however much it pings', async () => {
    using client = await connect();
    client.send(headers(1, get('/c')));
    await client.answer(1);
    const pinging = setInterval(() => client.send(ping()), 100).unref();
    between(await timed(() => client.end()), 1900, 2000 + LATE);
    clearInterval(pinging);
    assert.equal(client.goaway, 'NO_ERROR');
  });

  for (const [why, dribble] of [
    ['is not ended', false],
    ['dribbles in', true],
  ] as const) {
    test(`body-time: a body that ${why} gets 408, and its connection goes on`, async () => {
      using client = await connect();
      const path = `/upload/${dribble ? 'slow' : 'silent'}`;
      client.send(headers(1, post(path), { end: false }), data(1, 'x'));
      const dribbling = dribble ? setInterval(() => client.on(1).over || client.send(data(1, 'x')), 100).unref() : undefined;
      between(await timed(() => client.until(() => client.on(1).reset !== undefined, 'a reset')), 1400, 1500 + LATE);
      clearInterval(dribbling);
      assert.deepEqual([client.on(1).status, client.on(1).reset], [408, 'NO_ERROR']);
      client.send(headers(3, get('/d')));
      assert.equal((await client.answer(3)).status, 200);
      assert.equal((await recordOf(path)).decision?.code, 'body-timeout');
      await closedAtService(path);
    });
  }

  test('body-time stands still while the service takes nothing', async () => {
    using client = await connect();
    client.send(headers(1, post('/hang/upload'), { end: false }));
    const { request, answer } = await callOf('/hang/upload');
    // Fills all that lies between, and then some: no more than the windows let through.
    let sent = 0;
    let window = 256 * 1024;
    const top = setInterval(() => {
      const given = client.frames.splice(0).filter((one) => one.type === 8);
      for (const one of given) if (one.stream === 1) window += one.payload.readUInt32BE(0);
      for (; window >= 16_384 && sent < 50 * MB; window -= 16_384, sent += 16_384) client.send(data(1, Buffer.alloc(16_384)));
    }, 10).unref();
    await wait(2500);
    assert.equal(client.on(1).over, false);
    (request as http.IncomingMessage).resume();
    answer.end('thanks');
    await client.answer(1);
    clearInterval(top);
    assert.equal(client.on(1).status, 200);
  });

  test('a reader whose window stays shut is reset after idle-time', async () => {
    using client = await H2Raw.connect(port(), { settings: [[4, 0]] });
    client.send(headers(1, get('/large/shut')), headers(3, get('/e')));
    between(await timed(() => client.until(() => client.on(1).over && client.on(3).over, 'resets')), 1900, 2000 + LATE);
    assert.deepEqual(
      [client.on(1).status, client.on(1).reset, client.on(3).status, client.on(3).reset],
      [200, 'CANCEL', 200, 'CANCEL'],
    );
    await closedAtService('/large/shut');
    assert.equal((await recordOf('/large/shut')).decision?.code, 'client-gone');
  });

  test('a reader that takes nothing off the wire is cut off after idle-time', async () => {
    using client = await H2Raw.connect(port(), { settings: [[4, 0x7fff_ffff]] });
    client.send(windowUpdate(0, 0x7000_0000), headers(1, get('/large/stuck')));
    await client.until(() => client.on(1).status === 200, 'a head');
    client.socket.pause();
    await callOf('/large/stuck');
    between(await timed(() => closedAtService('/large/stuck')), 0, 2000 + LATE);
    assert.equal((await recordOf('/large/stuck')).decision?.code, 'client-gone');
  });

  test('a slow reader that takes a little now and then is not', async () => {
    using client = await H2Raw.connect(port(), { settings: [[4, 1000]], windows: false });
    client.send(headers(1, get('/large/slow')));
    for (let i = 0; i < 6; i++) {
      await wait(600);
      client.send(windowUpdate(1, 1000));
    }
    await client.until(() => client.on(1).body.length >= 6000, 'some of it');
    assert.equal(client.on(1).over, false);
  });
});

describe('numbers', { concurrency: true }, () => {
  test('h2-streams: told, and held', async () => {
    using client = await connect();
    await client.until(() => client.count(SETTINGS) > 0, 'settings');
    const told = client.frames.find((one) => one.type === SETTINGS && one.payload.length > 0)?.payload.toString('hex');
    assert.match(told ?? '', /00030000000a/);
    for (let i = 0; i <= 10; i++) client.send(headers(2 * i + 1, get(`/hang/streams-${i}`)));
    assert.equal((await client.answer(21)).reset, 'REFUSED_STREAM');
    assert.equal(calls.has('/hang/streams-10'), false);
    client.send(reset(1), headers(23, get('/f')));
    assert.equal((await client.answer(23)).status, 200);
  });

  test('h2-resets: 20 are allowed, 21 are not', async () => {
    using client = await connect();
    for (let i = 0; i < 20; i++) client.send(headers(2 * i + 1, get('/hang/resets')), reset(2 * i + 1));
    client.send(ping());
    await client.until(() => client.count(6) === 1, 'a pong');
    assert.equal(client.closed, false);
    client.send(headers(41, get('/hang/resets')), reset(41));
    await client.end();
    assert.equal(client.goaway, 'ENHANCE_YOUR_CALM');
  });

  test('requests-per-connection: then it ends in good order', async () => {
    using client = await connect();
    for (let i = 0; i < 30; i += 10) {
      for (let k = i; k < i + 10; k++) client.send(headers(2 * k + 1, get('/g')));
      for (let k = i; k < i + 10; k++) assert.equal((await client.answer(2 * k + 1)).status, 200);
    }
    await client.end();
    assert.equal(client.goaway, 'NO_ERROR');
    const last = client.frames.filter((one) => one.type === GOAWAY).map((one) => one.payload.readUInt32BE(0));
    assert.equal(last.at(-1), 59);
  });

  test('more than the window of a stream ends the connection', async () => {
    using client = await connect();
    // Nobody at the service reads: far more than what lies between can hold.
    client.send(headers(1, post('/hang/upload/window'), { end: false }));
    const pieces = Buffer.concat(Array<Buffer>(10).fill(data(1, Buffer.alloc(16_384))));
    for (let i = 0; i < 400 && !client.closed && client.goaway === undefined; i++) await client.pour(pieces);
    await client.end();
    assert.equal(client.goaway, 'FLOW_CONTROL_ERROR');
  });
});

test('many idle connections end all, and leave nothing behind', async () => {
  const clients = await Promise.all(Array.from({ length: 150 }, connect));
  await Promise.all(clients.map((client) => client.end()));
  let open = -1;
  for (const end = performance.now() + 15_000; performance.now() < end && open !== 0; await wait(50)) {
    const metrics = await (await fetch(`http://127.0.0.1:${gateway.port('admin')}/metrics`)).text();
    open = Number(/^portcullis_connections\{[^}]*\} (\d+)$/m.exec(metrics)?.[1] ?? -1);
  }
  assert.equal(open, 0);
});

describe('how answers end', { concurrency: true }, () => {
  const head = (path: string): Field[] => get(path).map(([name, value]) => [name, name === ':method' ? 'HEAD' : value]);
  for (const [why, fields, status, length] of [
    ['HEAD', head('/h'), 200, undefined],
    ['204', get('/empty'), 204, undefined],
    ['304', get('/unchanged'), 304, undefined],
    ['HEAD of what does not exist', head('/a%2fb'), 400, '158'],
  ] as const) {
    test(`${why}: a head and nothing else`, async () => {
      using client = await connect();
      client.send(headers(1, fields));
      const answer = await client.answer(1);
      assert.deepEqual([answer.status, answer.body.length, answer.ended, answer.reset], [status, 0, true, undefined]);
      assert.equal(client.count(0), 0);
      if (length !== undefined) assert.equal(answer.headers.get('content-length'), length);
    });
  }

  test('trailers of an HTTP/2 service come behind the body', async () => {
    using client = await connect();
    client.send(headers(1, get('/trailers', [['te', 'trailers']])));
    const answer = await client.answer(1);
    assert.equal(answer.body.toString(), 'body');
    assert.deepEqual(
      answer.heads.map((one) => one.get('x-sum')),
      [undefined, '42'],
    );
    assert.equal(answer.ended, true);
  });

  test('expect: 100-continue is answered before the body is sent', async () => {
    using client = await connect();
    client.send(headers(1, post('/upload/continue', [['expect', '100-continue']]), { end: false }));
    await client.until(() => client.on(1).heads.length > 0, '100');
    assert.equal(client.on(1).status, 100);
    client.send(data(1, 'hello', true));
    await client.answer(1);
    assert.deepEqual([client.on(1).heads.at(-1)?.get(':status'), client.on(1).body.toString()], ['200', '5']);
  });

  for (const [why, more] of [
    ['declared', [['content-length', '20000']]],
    ['undeclared', []],
  ] as [string, Field[]][]) {
    test(`an upload that is too large (${why}) is answered while it runs, and told to stop`, async () => {
      using client = await connect();
      const path = `/early/${why}`;
      client.send(headers(1, post(path, more), { end: false }), data(1, Buffer.alloc(11_000)));
      await client.until(() => client.on(1).reset !== undefined, 'a reset');
      assert.deepEqual([client.on(1).status, client.on(1).ended, client.on(1).reset], [413, true, 'NO_ERROR']);
      // The client has not known: what was under way is no fault.
      client.send(data(1, Buffer.alloc(9000), true), headers(3, get('/i')));
      assert.equal((await client.answer(3)).status, 200);
      assert.equal((await recordOf(path)).http.status, 413);
    });
  }

  test('a client that leaves its body at the head of an error gets all of that; nobody gets half a body for a whole one', async () => {
    using client = await connect();
    for (const [id, service] of [
      [1, '/no'],
      [3, '/no-h2c'],
    ] as const) {
      const path = `${service}/early`;
      client.send(headers(id, post(path, [['content-length', '9000']]), { end: false }), data(id, 'some'));
      await client.until(() => client.on(id).body.length > 0, 'the beginning of an answer');
      client.send(data(id, '', true), ping());
      await client.until(() => client.count(6) >= (id + 1) / 2, 'that it was read');
      const call = await callOf(path);
      assert.deepEqual([call.closed, call.request.complete], [false, false]);
      call.answer.end(' too much');
      const answer = await client.answer(id);
      assert.deepEqual(
        [answer.status, answer.body.toString(), answer.ended, answer.reset],
        [413, 'that is too much', true, undefined],
      );
      // Over HTTP/2 `complete` is true of a stream that was reset, too.
      if (service === '/no') assert.equal(call.request.complete, false);
      assert.equal((await recordOf(path)).decision, undefined);
    }
    // Where the answer is no error, a short body is what it was: malformed.
    client.send(headers(5, post('/begin/short', [['content-length', '9000']]), { end: false }), data(5, 'some'));
    await client.until(() => client.on(5).body.length > 0, 'the beginning of an answer');
    client.send(data(5, '', true));
    assert.equal((await client.answer(5)).reset, 'PROTOCOL_ERROR');
    assert.equal((await recordOf('/begin/short')).decision?.code, 'body-framing');
  });

  test('a service that dies in its answer: the stream is reset, not ended', async () => {
    using client = await connect();
    client.send(headers(1, get('/begin/dies')));
    await client.until(() => client.on(1).body.length > 0, 'the beginning');
    (await callOf('/begin/dies')).answer.destroy();
    const answer = await client.answer(1);
    assert.deepEqual([answer.status, answer.ended, answer.reset], [200, false, 'INTERNAL_ERROR']);
    assert.equal((await recordOf('/begin/dies')).decision?.code, 'upstream-closed');
    client.send(headers(3, get('/j')));
    assert.equal((await client.answer(3)).status, 200);
  });

  test('a reset by the client ends the call, and that one only', async () => {
    using client = await connect();
    client.send(headers(1, get('/begin/reset')), headers(3, get('/begin/other')));
    await client.until(() => client.on(1).body.length > 0 && client.on(3).body.length > 0, 'beginnings');
    client.send(reset(1));
    await closedAtService('/begin/reset');
    const { code, room } = (await recordOf('/begin/reset')).decision ?? {};
    assert.deepEqual([room, code], ['listen', 'client-gone']);
    const other = await callOf('/begin/other');
    assert.equal(other.closed, false);
    other.answer.end(' and ended');
    assert.equal((await client.answer(3)).body.toString(), 'begun and ended');
  });

  test('a reset within an upload ends the call', async () => {
    using client = await connect();
    client.send(headers(1, post('/upload/reset'), { end: false }), data(1, 'some'));
    await callOf('/upload/reset');
    client.send(reset(1));
    await closedAtService('/upload/reset');
    assert.equal((await recordOf('/upload/reset')).decision?.code, 'client-gone');
  });

  test('a client that is gone ends all of its calls', async () => {
    const client = await connect();
    for (let i = 0; i < 5; i++) client.send(headers(2 * i + 1, get(`/hang/gone-${i}`)));
    for (let i = 0; i < 5; i++) await callOf(`/hang/gone-${i}`);
    client.close();
    for (let i = 0; i < 5; i++) await closedAtService(`/hang/gone-${i}`);
    assert.equal((await recordOf('/hang/gone-4')).decision?.code, 'client-gone');
  });

  test('a client that says GOAWAY gets its answers, and then the end', async () => {
    using client = await connect();
    client.send(headers(1, get('/begin/goaway')));
    await client.until(() => client.on(1).body.length > 0, 'the beginning');
    client.send(frame(GOAWAY, 0, 0, Buffer.alloc(8)));
    (await callOf('/begin/goaway')).answer.end(' and ended');
    assert.equal((await client.answer(1)).body.toString(), 'begun and ended');
    await client.end();
    assert.equal(client.goaway, 'NO_ERROR');
  });
});

describe('the gateway leaves', () => {
  test('idle connections at once, running answers end, new streams go elsewhere, and it exits with 0', async () => {
    await using own = await startGateway(configuration('head-time: 10s'));
    using idle = await H2Raw.connect(own.port('secure'));
    using deaf = await H2Raw.connect(own.port('secure'));
    using busy = await H2Raw.connect(own.port('secure'), { acks: false });
    idle.send(headers(1, get('/k')));
    deaf.send(headers(1, get('/k')));
    await Promise.all([idle.answer(1), deaf.answer(1)]);
    busy.send(headers(1, get('/begin/leaving')));
    await busy.until(() => busy.on(1).body.length > 0, 'the beginning');
    deaf.socket.pause();
    const stopped = own.stop();
    await idle.end();
    assert.equal(idle.goaway, 'NO_ERROR');
    await busy.until(() => busy.count(6) > 0, 'a ping that asks whether it has heard');
    // What it had sent before it heard is still served; what it sends afterwards is not.
    busy.send(headers(3, get('/k')));
    assert.equal((await busy.answer(3)).status, 200);
    const asked = busy.frames.find((one) => one.type === 6);
    busy.send(frame(6, 1, 0, asked?.payload));
    await busy.until(() => busy.count(GOAWAY) === 2, 'the last word');
    busy.send(headers(5, get('/too-late')));
    assert.equal((await busy.answer(5)).reset, 'REFUSED_STREAM');
    const late = await recordOf('/too-late', own);
    assert.deepEqual([late.http.status, late.decision?.room, late.decision?.code], [0, 'listen', 'shutting-down']);
    (await callOf('/begin/leaving')).answer.end(' and ended');
    assert.equal((await busy.answer(1)).body.toString(), 'begun and ended');
    await busy.end();
    assert.equal(busy.goaway, 'NO_ERROR');
    await stopped;
  });
});
