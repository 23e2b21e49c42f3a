import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import querystring from 'node:querystring';
import { after, before, suite, test } from 'node:test';
import { readBody } from '../../src/exchange/body/body.ts';
import { DEFAULT_BOUNDS, type ParsedBody } from '../../src/exchange/body/parsed.ts';
import { headerValue } from '../../src/exchange/headers.ts';
import { readQuery } from '../../src/exchange/query.ts';
import type { AmbiguousCase, Reader } from '../cases/ambiguous.ts';
import { ambiguousBodies } from '../cases/ambiguous-bodies.ts';
import { ambiguousHeads } from '../cases/ambiguous-heads.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { feed, Harness, type Reached } from '../support/http1-harness.ts';
import { parseResponses, type RawResponse, rawRequest } from '../support/raw.ts';
import { canonical, fieldsOf, valueOf } from '../support/readings.ts';
import { type ReaderReport, type StandardReader, startNodeReader, startPythonReader } from '../support/standard-readers.ts';

/**
 * One reading: what the standard parsers of Node and Python see behind the gateway is what the gateway saw, or nothing. The gateway's own
 * reading is that of its parsers in memory, on the same bytes.
 */

const hasPython = spawnSync('python3', ['--version']).status === 0;
const READERS: readonly Reader[] = hasPython ? ['node', 'python'] : ['node'];
const CASES = [...ambiguousHeads, ...ambiguousBodies];

let gateway: Gateway;
let harness: Harness;
const services = new Map<Reader, StandardReader>();
const passed = new Map<Reader, number>();
const times: number[] = [];

before(async () => {
  services.set('node', await startNodeReader());
  if (hasPython) services.set('python', await startPythonReader());
  harness = await Harness.make({}, 1024 * 1024);
  const names = [...services.keys()];
  gateway = await startGateway(`
listeners: { plain: { address: 127.0.0.1:0 } }
services: { ${names.map((name) => `${name}: "${services.get(name)?.url}"`).join(', ')} }
routes: [ ${names.map((name) => `{ path: /**, headers: { x-reader: ${name} }, service: ${name}, authentication: none, validate: {} }`).join(', ')} ]
`);
});

after(async () => {
  await gateway?.stop();
  for (const service of services.values()) await service.stop();
});

const chosen = (bytes: string, reader: Reader) => bytes.replace(/\r\n/, `\r\nX-Reader: ${reader}\r\n`);
const isWhole = ({ status, complete }: RawResponse) => status >= 200 && complete;

async function ask(bytes: string): Promise<RawResponse> {
  const began = performance.now();
  const until = (received: Buffer) => parseResponses(received).some(isWhole);
  const answer = parseResponses(await rawRequest(gateway.port('plain'), bytes, { until, timeout: 20_000 })).find(isWhole);
  assert.ok(answer, 'no answer');
  // Of refusals: how long a service takes is its own affair.
  if (answer.headers.get('content-type') === 'application/problem+json') times.push(performance.now() - began);
  return answer;
}

/** What the gateway makes of it: its head, what it would send on, and its body. */
async function ownReading(bytes: string): Promise<{ reached: Reached; parsed: ParsedBody; body: Buffer }> {
  harness.service.reached.length = 0;
  const { socket } = harness.open();
  await feed(socket, [bytes]);
  const [reached] = harness.service.reached;
  assert.ok(reached, `the reader in memory refuses: ${socket.text}`);
  socket.destroy();
  const body = Buffer.from(reached.body, 'latin1');
  const parsed = readBody(body, headerValue([...reached.headers], 'content-type'), DEFAULT_BOUNDS);
  assert.deepEqual(parsed.flags, []);
  return { reached, parsed, body };
}

/** What the gateway says of itself and of the connection. */
const OURS = /^(?:host|x-reader|x-request-id|x-forwarded-.*|traceparent|content-length|connection)$/;
const sent = (headers: readonly (readonly [string, string])[]) => headers.filter(([name]) => !OURS.test(name));

function pairsOf(list: readonly string[]): [string, string][] {
  return list.flatMap((name, i) => (i % 2 === 0 ? [[name, list[i + 1]] as [string, string]] : []));
}

async function compare(one: AmbiguousCase, reader: Reader, report: ReaderReport): Promise<void> {
  const { reached, parsed, body } = await ownReading(chosen(one.bytes, reader));
  const [path, query] = [reached.target.split('?', 1)[0], reached.target.slice(reached.target.indexOf('?') + 1)];
  assert.deepEqual([report.method, report.target], [reached.method, reached.target]);
  assert.equal(report.path, querystring.unescape(path));
  assert.deepEqual(report.query, reached.target.includes('?') ? fieldsOf(readQuery(query).fields) : []);
  assert.deepEqual(sent(report.headers), sent(pairsOf(reached.headers)));
  assert.equal(report.kind, parsed.kind);
  for (const [parser, reading] of Object.entries(report.readings)) {
    const isDeaf = one.deaf?.includes(parser) === true;
    assert.equal(reading === null, isDeaf, `${parser} ${isDeaf ? 'reads it after all' : 'refuses it'}`);
    if (reading !== null)
      assert.deepEqual(canonical(report.kind, reading), canonical(parsed.kind, valueOf(parsed, body)), parser);
  }
}

for (const reader of READERS) {
  suite(`behind the gateway, ${reader} reads what the gateway read, or nothing`, () => {
    for (const one of CASES) {
      test(one.name.replaceAll(/[^\x20-\x7e]/g, '.'), async () => {
        const answer = await ask(chosen(one.bytes, reader));
        const told = answer.body.toString('utf8');
        assert.equal(answer.status, one.status ?? 200, told.slice(0, 500));
        if (one.status !== undefined) {
          assert.equal(answer.headers.get('content-type'), 'application/problem+json');
          return;
        }
        passed.set(reader, (passed.get(reader) ?? 0) + 1);
        await compare(one, reader, JSON.parse(told) as ReaderReport);
      });
    }

    test('what was refused never came', async () => {
      assert.equal(await services.get(reader)?.count(), passed.get(reader));
    });
  });
}

suite('Python', { skip: hasPython ? false : 'python3 is not installed' }, () => {
  test('was one of the readers', () => assert.ok((passed.get('python') ?? 0) > 100));
});

test('there are enough cases, and a refusal takes no time', (t) => {
  assert.ok(CASES.length >= 150, String(CASES.length));
  assert.equal(new Set(CASES.map(({ bytes }) => bytes)).size, CASES.length, 'a case stands twice');
  const sorted = times.toSorted((a, b) => a - b);
  const [median, p99, most] = [0.5, 0.99, 1].map((part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]);
  t.diagnostic(
    `${sorted.length} refusals: median ${median.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, at most ${most.toFixed(1)} ms`,
  );
  assert.ok(median < 50, `half of the refusals took more than ${median} ms`);
  assert.ok(most < 5000, `the slowest refusal took ${most} ms`);
});
