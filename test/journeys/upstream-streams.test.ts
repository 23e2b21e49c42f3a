/** Answers and requests that flow for long: server-sent events, and bodies larger than any memory the gateway may take for them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Asker, http1Asker, http2Asker } from '../support/ask.ts';
import { type AccessRecord, type Gateway, startGateway } from '../support/gateway.ts';
import { growthWhile } from '../support/memory.ts';
import {
  pattern,
  type RunningService,
  type ServiceAnswer,
  type ServiceHandler,
  type ServiceKind,
  startService,
} from '../support/services.ts';
import { type TlsFiles, tlsFiles } from '../support/tls.ts';

const MB = 1_000_000;
const BLOCK = pattern(MB);
const BLOCKS = 100;
const WHOLE = (() => {
  const hash = createHash('sha256');
  for (let i = 0; i < BLOCKS; i++) hash.update(BLOCK);
  return hash.digest('hex');
})();

function* blocks(): Generator<Buffer> {
  for (let i = 0; i < BLOCKS; i++) yield BLOCK;
}

/** Streams that are open at the service, by path: the test writes to them and sees them close. */
const streams = new Map<string, { answer: ServiceAnswer; closed: Promise<number> }>();
const opened = new Map<string, (stream: { answer: ServiceAnswer; closed: Promise<number> }) => void>();

const handler: ServiceHandler = (request, answer) => {
  const url = request.url ?? '';
  if (url.includes('/events')) {
    answer.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    if (url.includes('/late')) answer.flushHeaders();
    else answer.write(': hello\n\n');
    const stream = { answer, closed: once(answer, 'close').then(() => performance.now()) };
    streams.set(url, stream);
    opened.get(url)?.(stream);
  } else if (url.includes('/download')) {
    answer.writeHead(200, { 'content-length': BLOCKS * MB });
    Readable.from(blocks()).pipe(answer);
  } else if (url.includes('/upload')) void takeSlowly(request as Readable, answer);
  else answer.end('small');
};

/** Reads with pauses that are together longer than the service's timeout, each of them shorter. */
async function takeSlowly(request: Readable, answer: ServiceAnswer): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  let next = 0;
  try {
    for await (const piece of request) {
      bytes += (piece as Buffer).length;
      hash.update(piece as Buffer);
      if (bytes < next) continue;
      next += 16 * MB;
      await wait(700);
    }
  } catch {
    return;
  }
  answer.end(hash.digest('hex'));
}

/** The stream of that path at the service, as soon as it is there. */
async function streamOf(path: string): Promise<{ answer: ServiceAnswer; closed: Promise<number> }> {
  return streams.get(path) ?? new Promise((resolve) => opened.set(path, resolve));
}

const ways: { name: string; kind: ServiceKind; keys: string }[] = [
  { name: 'http1', kind: 'http', keys: '' },
  { name: 'undici', kind: 'http', keys: 'client: undici' },
  { name: 'https', kind: 'https', keys: 'tls: { ca: CA }' },
  { name: 'h2', kind: 'h2', keys: 'tls: { ca: CA }, protocol: h2' },
  { name: 'h2c', kind: 'h2c', keys: 'protocol: h2c' },
];

let files: TlsFiles;
let gateway: Gateway;
const services = new Map<string, RunningService>();
const askers: Asker[] = [];

before(async () => {
  files = await tlsFiles(['127.0.0.1']);
  const { certificate, key } = files.of('127.0.0.1');
  const tls = { cert: await readFile(certificate), key: await readFile(key) };
  for (const { name, kind } of ways) services.set(name, await startService(handler, { kind, tls }));
  const written = ways.map(({ name, keys }) => {
    const all = [`targets: ["${services.get(name)?.url}"]`, 'timeout: 4s', 'ejection: "off"', keys].filter(Boolean).join(', ');
    return `  ${name}: { ${all.replaceAll('CA', files.ca)} }`;
  });
  const routes = ways.map(({ name }) => `  - { path: /${name}/**, service: ${name}, authentication: none, body: 200MiB }`);
  gateway = await startGateway(
    `listeners: { plain: { address: 127.0.0.1:0 }, secure: { address: 127.0.0.1:0, tls: self-signed } }
services:\n${written.join('\n')}\nroutes:\n${routes.join('\n')}\n`,
  );
  askers.push(http1Asker(gateway.port('plain'), { fresh: true }), http2Asker(gateway.port('secure')));
});

after(async () => {
  for (const asker of askers) asker.close();
  await gateway?.stop();
  for (const service of services.values()) await service.close();
  await files?.remove();
});

async function recordOf(path: string): Promise<AccessRecord> {
  for (const end = performance.now() + 15_000; performance.now() < end; await wait(20)) {
    const found = (await gateway.records()).find((one) => one.http.path === path);
    if (found !== undefined) return found;
  }
  return assert.fail(`no record of ${path}`);
}

/** What of a stream of events a client has, and how it leaves. */
interface Listening {
  text(): string;
  readonly ended: Promise<string>;
  leave(): void;
}

async function listen1(path: string): Promise<Listening> {
  const request = http.get({ host: '127.0.0.1', port: gateway.port('plain'), path, agent: false });
  request.on('error', () => undefined);
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  assert.equal(answer.headers['content-type'], 'text/event-stream');
  assert.equal(answer.headers['content-length'], undefined);
  return collect(
    answer,
    () => answer.complete,
    () => request.destroy(),
  );
}

async function listen2(path: string): Promise<Listening> {
  const session = http2.connect(`https://127.0.0.1:${gateway.port('secure')}`, { rejectUnauthorized: false });
  session.on('error', () => undefined);
  const stream = session.request({ ':path': path });
  const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders];
  assert.equal(head['content-type'], 'text/event-stream');
  stream.on('close', () => session.close());
  return collect(
    stream,
    () => stream.rstCode === 0,
    () => stream.close(http2.constants.NGHTTP2_CANCEL),
  );
}

function collect(stream: Readable, complete: () => boolean, leave: () => void): Listening {
  let text = '';
  stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  stream.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => stream.on('close', () => resolve(complete() ? 'complete' : 'cut off')));
  return { text: () => text, ended, leave };
}

async function until(condition: () => boolean, what: string, ms = 15_000): Promise<void> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) assert.fail(`not within ${ms} ms: ${what}`);
    await wait(1);
  }
}

describe('server-sent events', { concurrency: true }, () => {
  for (const { name } of ways) {
    for (const [client, listen] of [
      ['1', listen1],
      ['2', listen2],
    ] as const) {
      test(`HTTP/${client} client, service by ${name}: each event at once, far beyond the timeout, and the end of one is that of the other`, async () => {
        const path = `/${name}/events/${client}`;
        const listening = await listen(path);
        const { answer, closed } = await streamOf(path);
        const late: number[] = [];
        for (let i = 0; i < 12; i++) {
          const written = performance.now();
          answer.write(`id: ${i}\ndata: event ${i}\n\n`);
          await until(() => listening.text().endsWith(`data: event ${i}\n\n`), `event ${i}`);
          late.push(performance.now() - written);
          await wait(400);
        }
        // Twelve at a time run on two cores here, and other things beside: many may be late, but not all, as behind a timer that gathers.
        const early = late.toSorted((a, b) => a - b)[2];
        assert.ok(early < 50, `events came late by ${late.map(Math.round)} ms`);
        const left = performance.now();
        listening.leave();
        // A client that closes its half may still want the answer: it is believed for a second.
        assert.ok((await closed) - left < 6000, 'the service learns that nobody listens any more');
        const record = await recordOf(path);
        assert.deepEqual([record.http.status, record.decision?.code], [200, 'client-gone']);
        assert.ok((record.ms as number) > 4500);
      });
    }

    test(`service by ${name}: silence beyond its timeout ends the stream so that the client can tell`, async () => {
      for (const [client, listen] of [
        ['1', listen1],
        ['2', listen2],
      ] as const) {
        const path = `/${name}/events/silent/${client}`;
        const listening = await listen(path);
        const { answer, closed } = await streamOf(path);
        answer.write('data: the last one\n\n');
        const silent = performance.now();
        assert.equal(await listening.ended, 'cut off');
        const after_ = performance.now() - silent;
        assert.ok(after_ > 3900 && after_ < 15_000, `${after_} ms`);
        assert.match(listening.text(), /the last one\n\n$/);
        await closed;
        const { decision, http: told, upstream } = await recordOf(path);
        assert.deepEqual([decision?.code, told.status, (upstream as { status: number }).status], ['upstream-timeout', 200, 200]);
      }
    });

    test(`service by ${name}: comments as heartbeats keep it, and a head without an event is passed on at once`, async () => {
      const path = `/${name}/events/late`;
      const listening = await listen1(path);
      const { answer } = await streamOf(path);
      assert.equal(listening.text(), '');
      for (let i = 0; i < 7; i++) {
        await wait(700);
        answer.write(':\n\n');
      }
      answer.end('data: the end\n\n');
      assert.equal(await listening.ended, 'complete');
      assert.match(listening.text(), /the end\n\n$/);
    });
  }
});

/** More than the buffers of all these streams together, much less than one of their bodies. */
const GROWTH = 150;

const pairs = [
  ['http1', 0],
  ['http1', 1],
  ['undici', 1],
  ['https', 0],
  ['h2', 1],
  ['h2c', 0],
] as const;

describe('100 MB at a time for each of six', () => {
  test('to readers that pause for longer than the timeout', async () => {
    const growth = await growthWhile(gateway.process.pid, () => Promise.all(pairs.map(([way, client]) => download(way, client))));
    assert.ok(growth < GROWTH, `the gateway grew by ${growth} MiB`);
  });

  test('from writers to services that take it slowly', async () => {
    const growth = await growthWhile(gateway.process.pid, () => Promise.all(pairs.map(([way, client]) => upload(way, client))));
    assert.ok(growth < GROWTH, `the gateway grew by ${growth} MiB`);
  });
});

async function download(way: string, client: 0 | 1): Promise<void> {
  const path = `/${way}/download/${client}`;
  const hash = createHash('sha256');
  const body = await (client === 0 ? get1(path) : get2(path));
  body.pause();
  await wait(4300);
  for await (const piece of body) hash.update(piece as Buffer);
  assert.equal(hash.digest('hex'), WHOLE, path);
  const { http: told, decision } = await recordOf(path);
  assert.deepEqual([told.response_bytes, decision], [BLOCKS * MB, undefined]);
}

async function upload(way: string, client: 0 | 1): Promise<void> {
  const path = `/${way}/upload/${client}`;
  const reply = await askers[client].ask({ path, method: 'POST', body: Readable.from(blocks()) });
  assert.deepEqual([reply.status, String(reply.body)], [200, WHOLE], path);
  assert.equal((await recordOf(path)).http.request_bytes, BLOCKS * MB);
}

async function get1(path: string): Promise<Readable> {
  const request = http.get({ host: '127.0.0.1', port: gateway.port('plain'), path, agent: false });
  return ((await once(request, 'response')) as [http.IncomingMessage])[0];
}

async function get2(path: string): Promise<Readable> {
  const session = http2.connect(`https://127.0.0.1:${gateway.port('secure')}`, { rejectUnauthorized: false });
  const stream = session.request({ ':path': path });
  await once(stream, 'response');
  stream.on('close', () => session.close());
  return stream;
}
