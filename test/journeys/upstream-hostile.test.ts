/** Services that answer wrongly, slowly or too much, through the whole gateway: what their clients get, and what the next one gets. */
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type AnswerCase, answerCases, type Expected } from '../cases/hostile-answers.ts';
import { type Asker, http1Asker, http2Asker, type Reply } from '../support/ask.ts';
import { type AccessRecord, type Gateway, startGateway } from '../support/gateway.ts';
import { HostileService } from '../support/hostile-service.ts';

const TIMEOUT = 300;

/** One for each kind of client, so that cases of one do not play in the other's. */
const services: HostileService[] = [];
const kinds = ['lean', 'undici'] as const;
const clients = ['HTTP/1.1', 'HTTP/2'] as const;
const lanes = kinds.flatMap((kind) =>
  clients.map((client) => ({ kind, client, name: `${kind}-${client === 'HTTP/2' ? 2 : 1}` })),
);
let gateway: Gateway;

/** Those that take longer than the timeout, byte by byte, are for the tests of the clients alone. */
const cases = answerCases.filter((one) => one.script.pieces.length < 5000);

before(async () => {
  const written: string[] = [];
  for (const { kind, name } of lanes) {
    const service = await HostileService.start();
    services.push(service);
    const keys = `client: ${kind}, timeout: ${TIMEOUT}ms, head-bytes: 8KiB, retries: { tries: 1 }, ejection: "off"`;
    written.push(`  ${name}: { targets: ["http://127.0.0.1:${service.port}"], ${keys} }`);
  }
  const routes = lanes.map(({ name }) => `  - { path: /**, host: ${name}.test, service: ${name}, authentication: none }`);
  gateway = await startGateway(`
listeners: { plain: { address: 127.0.0.1:0 }, secure: { address: 127.0.0.1:0, tls: self-signed } }
admin: { address: 127.0.0.1:0 }
services:\n${written.join('\n')}\nroutes:\n${routes.join('\n')}\n`);
});

after(async () => {
  await gateway?.stop();
  for (const service of services) await service[Symbol.asyncDispose]();
});

function askerOf(client: (typeof clients)[number]): Asker {
  return client === 'HTTP/2' ? http2Asker(gateway.port('secure')) : http1Asker(gateway.port('plain'));
}

/** A handshake, whose answer is read as any other. */
function upgrade(host: string, path: string): Promise<Reply> {
  const headers = {
    host,
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  };
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port: gateway.port('plain'), path, headers, agent: false });
    request.on('error', reject);
    request.on('upgrade', (answer, socket) => {
      socket.destroy();
      resolve({ status: 101, headers: answer.headers, body: Buffer.alloc(0), trailers: {}, interim: [] });
    });
    request.on('response', (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(pieces),
          trailers: {},
          interim: [],
        }),
      );
    });
  });
}

/** Whole by its declared length before the fault was there: no client can tell, and one may be gone by then. */
function isWhole(reply: Reply | Error, expected: Expected): boolean {
  return !(reply instanceof Error) && reply.status === 200 && reply.headers['content-length'] === String(expected.body?.length);
}

/** What the client must see of a case. */
function checkReply(reply: Reply | Error, expected: Expected): void {
  const begun = (expected.status ?? 0) >= 200;
  if (expected.fault === undefined && expected.waits === undefined) {
    assert.ok(!(reply instanceof Error), String(reply));
    assert.equal(reply.status, expected.status);
    if (expected.body !== undefined) assert.equal(reply.body.toString('latin1'), expected.body);
    assert.equal(reply.headers['x-evil'], undefined);
  } else if (begun) {
    assert.ok(reply instanceof Error || isWhole(reply, expected), 'what has begun and cannot end must be seen to be cut off');
  } else {
    assert.ok(!(reply instanceof Error), String(reply));
    const code = expected.waits === true ? 'upstream-timeout' : expected.fault;
    assert.equal(reply.headers['content-type'], 'application/problem+json');
    const problem = JSON.parse(String(reply.body)) as { code: string; status: number; request_id: string };
    const status = expected.waits === true ? 504 : 502;
    assert.deepEqual([reply.status, problem.status, problem.code], [status, status, code]);
    assert.match(problem.request_id, /^[0-9a-f]{32}$/);
    assert.doesNotMatch(String(reply.body), /evil|hello|x-/i);
  }
}

function checkRecord(record: AccessRecord, expected: Expected, address: string): void {
  const upstream = record.upstream as { target: string; status?: number };
  assert.equal(upstream.target, address);
  const code = expected.waits === true ? 'upstream-timeout' : expected.fault;
  assert.equal(record.decision?.code, code);
  // A wrong handshake is seen after its 101.
  if (upstream.status !== 101) assert.equal(upstream.status, (expected.status ?? 0) >= 200 ? expected.status : undefined);
}

/** Records by path, as they come. */
async function recordsOf(paths: ReadonlySet<string>): Promise<Map<string, AccessRecord[]>> {
  for (let i = 0; ; i++) {
    const found = new Map<string, AccessRecord[]>();
    for (const record of await gateway.records()) {
      const path = String(record.http.path);
      if (paths.has(path)) found.set(path, [...(found.get(path) ?? []), record]);
    }
    if (found.size === paths.size) return found;
    if (i > 200) assert.fail(`records of ${found.size} of ${paths.size} requests`);
    await wait(20);
  }
}

describe('answers of services', { concurrency: true }, () => {
  for (const [lane, { kind, client, name }] of lanes.entries()) {
    test(`${cases.length} of them, ${client} client, read by the ${kind} client`, async (t) => {
      const service = services[lane];
      const host = `${name}.test`;
      const seen = new Map<string, { one: AnswerCase; expected: Expected }>();
      for (const [index, one] of cases.entries()) {
        if (one.upgrade === true && client === 'HTTP/2') continue;
        await t.test(`${one.name} (${one.threats.join(', ')})`, async () => {
          const other = kind === 'undici' ? one.undici : undefined;
          // A 101 that passed the reader has no right answer to the key of this handshake.
          const given = other?.expected ?? one.expected;
          const expected = given.status === 101 ? { fault: 'upstream-malformed' as const } : given;
          const reused = other?.reused ?? one.reused;
          const asker = askerOf(client);
          const path = `/script/${name}/${index}`;
          service.script = one.script;
          const asked = one.upgrade === true ? upgrade(host, path) : asker.ask({ path, method: one.method, headers: { host } });
          const reply = await asked.catch((error: Error) => error);
          checkReply(reply, expected);
          if (!isWhole(reply, expected) || expected.fault === undefined) seen.set(path, { one, expected });
          if (one.script.pause !== undefined && expected.fault === undefined && expected.waits === undefined) await wait(50);
          asker.close();
          const connection = service.seen.findLast((request) => request.head.includes(path))?.connection;
          await checkNext(client, host, reused ? undefined : connection);
        });
      }
      await t.test('each has one record, with the target, its status and the code', async () => {
        const records = await recordsOf(new Set(seen.keys()));
        for (const [path, { one, expected }] of seen) {
          const [record, more] = records.get(path) ?? [];
          assert.equal(more, undefined, `${one.name}: a second record`);
          try {
            checkRecord(record, expected, `127.0.0.1:${service.port}`);
          } catch (error) {
            throw new Error(`${one.name}: ${JSON.stringify(record)}`, { cause: error });
          }
        }
      });
    });
  }
});

/** The next users get their own answers, and not over a connection that is not to be trusted. */
async function checkNext(client: (typeof clients)[number], host: string, not: number | undefined): Promise<void> {
  const asker = askerOf(client);
  for (const word of ['one', 'two']) {
    const reply = await asker.ask({ path: `/right/${word}`, headers: { host } });
    assert.deepEqual([reply.status, String(reply.body)], [200, `right ${word}`]);
    if (not !== undefined) assert.notEqual(reply.headers['x-connection'], String(not));
  }
  asker.close();
}

test('after all of them the gateway has met no defect, and holds nothing', async () => {
  const metrics = await (await fetch(`http://127.0.0.1:${gateway.port('admin')}/metrics`)).text();
  assert.match(metrics, /^portcullis_faults_total 0$/m);
  assert.equal(gateway.stderr().match(/"level":"error"/g), null, gateway.stderr());
  for (const service of services) {
    service.dropConnections();
    await service.empty();
  }
});
