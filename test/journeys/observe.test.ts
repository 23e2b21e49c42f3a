import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { startGateway, type Gateway } from '../support/gateway.ts';

/** Events, metrics and records over the real process. */

const service = http.createServer((request, answer) => {
  request.resume().on('end', () => answer.end('reached'));
});
let target = '';
before(async () => {
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  target = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
});
after(async () => {
  service.closeAllConnections();
  await new Promise((resolve) => service.close(resolve));
});

const TOKEN = 'a-token-of-the-admin-listener';

const configuration = (observe: string, workers = 1, more = '') => `
listeners:
  plain: { address: 127.0.0.1:0 }
  secure: { address: 127.0.0.1:0, tls: self-signed }
services: { s: ${target} }
workers: ${workers}
admin: { address: 127.0.0.1:0, token: ${TOKEN} }
authentication:
  staff: { jwt: { issuer: https://id.example.com, audience: a, jwks: keys.json, algorithms: [RS256] } }
limits: { few: { rate: 1/hour, by: address } }
observe: ${observe}
routes:
  - { path: /open/**, service: s, authentication: none }
  - { path: '/users/{email}', service: s, authentication: none }
  - { path: /staff, service: s, authentication: [staff] }
  - { path: /few, service: s, authentication: none, limits: [few] }
${more}`;

/** A file of keys with one key of this name. */
function keysText(kid: string): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }] });
}

const files = { 'keys.json': keysText('old') };

function get(port: number, target: string, headers: Record<string, string> = {}, agent?: http.Agent) {
  return new Promise<{ status: number; text: string; id: string }>((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', path: target, headers, agent: agent ?? false }, (answer) => {
      let text = '';
      answer.on('data', (piece) => (text += piece));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, id: String(answer.headers['x-request-id']) }));
    });
    request.on('error', reject);
  });
}

interface Line {
  readonly event: { readonly code: string; readonly action: string };
  readonly [name: string]: unknown;
}

async function linesOf(file: string): Promise<Line[]> {
  const text = existsSync(file) ? await readFile(file, 'utf8') : '';
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** Asks until it is so: everything here happens in the background. */
async function until<T>(what: string, ask: () => Promise<T | undefined> | T | undefined, ms = 30_000): Promise<T> {
  for (const end = performance.now() + ms; performance.now() < end; await wait(20)) {
    const found = await ask();
    if (found !== undefined) return found;
  }
  return assert.fail(`not within ${ms} ms: ${what}`);
}

const metricsOf = async (gateway: Gateway) =>
  (await get(gateway.port('admin'), '/metrics', { authorization: `Bearer ${TOKEN}` })).text;

/** The sum of all series of a metric. */
function sumOf(text: string, name: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

for (const workers of [1, 2]) {
  describe(`what is told with ${workers === 1 ? 'one process' : 'several workers'}`, () => {
    let gateway: Gateway;
    const file = () => path.join(gateway.dir, 'events.jsonl');
    const event = (code: string) =>
      until(`event ${code}`, async () => (await linesOf(file())).find((line) => line.event.code === code));
    before(async () => {
      gateway = await startGateway(configuration('{ access: access.jsonl, events: events.jsonl }', workers), {
        files,
        timeout: 60_000,
      });
    });
    after(() => gateway.stop());

    test('requests that pass are no events, refused ones are, under the id that the client got', async () => {
      const port = gateway.port('plain');
      assert.equal((await get(port, '/open/a')).status, 200);
      const refused = await get(port, '/staff', { authorization: 'Bearer nonsense' });
      assert.equal(refused.status, 401);
      const line = await event('token-malformed');
      assert.equal(line.request_id, refused.id);
      assert.equal(line.route, '/staff');
      assert.deepEqual(line.client, { address: '127.0.0.1' });
      assert.ok((await linesOf(file())).every((one) => one.request_id === undefined || one.route !== '/open/**'));
    });

    test('a flood of refusals is few lines, and the metrics know the rest', async () => {
      const port = gateway.port('plain');
      const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
      const answers = await Promise.all(Array.from({ length: 300 }, () => get(port, '/few', {}, agent)));
      agent.destroy();
      assert.equal(answers.filter(({ status }) => status === 429).length, 299);
      await event('rate-limited');
      const told = (await linesOf(file())).filter((line) => line.event.code === 'rate-limited').length;
      assert.ok(told <= 5 * workers, `${told} lines`);
      const text = await metricsOf(gateway);
      assert.equal(sumOf(text, 'portcullis_events_suppressed_total') + told, 299);
    });

    test('a wrong token on the admin listener is one', async () => {
      assert.equal(
        (await get(gateway.port('admin'), '/metrics', { authorization: 'Bearer wrong-token-of-somebody' })).status,
        401,
      );
      const line = await event('admin-token-wrong');
      assert.deepEqual(line.client, { address: '127.0.0.1' });
      assert.ok(!JSON.stringify(line).includes('wrong-token-of-somebody'));
    });

    test('a configuration that is taken over, and one that is not', async () => {
      const good = await readFile(gateway.config, 'utf8');
      await writeFile(gateway.config, `${good}\nnonsense: true\n`);
      await event('configuration-refused');
      await writeFile(gateway.config, good.replace('1/hour', '2/hour'));
      await event('configuration-reloaded');
    });

    test('changed keys of an issuer', async () => {
      await writeFile(path.join(gateway.dir, 'keys.json'), keysText('new'));
      const line = await event('keys-rotated');
      assert.equal((line.detail as { issuer: string }).issuer, 'https://id.example.com');
    });

    test('the metrics have what there is, once each', async () => {
      const text = await metricsOf(gateway);
      for (const name of [
        'portcullis_requests_in_flight',
        'portcullis_issuer_keys_age_seconds{issuer="https://id.example.com"}',
        'portcullis_issuer_keys{issuer="https://id.example.com"} 1',
        'portcullis_certificate_not_after_timestamp_seconds{listener="secure",certificate="self-signed"}',
        'portcullis_event_loop_delay_seconds_bucket',
        'portcullis_events_total{code="rate-limited"}',
        'portcullis_events_lost_total 0',
        'process_open_fds',
      ])
        assert.ok(text.includes(`\n${name}`), `${name} is missing\n${text}`);
      assert.equal(sumOf(text, 'portcullis_processes'), workers);
      const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
      const names = series.map((line) => line.slice(0, line.lastIndexOf(' ')));
      assert.equal(new Set(names).size, names.length, 'a series stands twice');
      const families = text.split('\n').filter((line) => line.startsWith('# TYPE '));
      assert.equal(new Set(families).size, families.length, 'a family stands twice');
    });

    const promtool = spawnSync('promtool', ['--version']).status === 0;
    test('promtool finds nothing wrong', { skip: promtool ? false : 'promtool is not installed' }, async () => {
      const checked = spawnSync('promtool', ['check', 'metrics'], { input: await metricsOf(gateway), encoding: 'utf8' });
      assert.equal(checked.stdout + checked.stderr, '');
      assert.equal(checked.status, 0);
    });
  });
}

test('a record is in the file within 200 ms of the end of its request', async () => {
  await using gateway = await startGateway(configuration('{ access: access.jsonl }'), { files });
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const { id } = await get(gateway.port('plain'), `/open/${i}`);
    const began = performance.now();
    await until('the record', () => readFileSync(path.join(gateway.dir, 'access.jsonl'), 'utf8').includes(id) || undefined);
    times.push(performance.now() - began);
  }
  // The median, since a busy machine may keep anyone waiting.
  assert.ok(times.toSorted((a, b) => a - b)[10] < 200, times.join(' '));
});

test('what is marked as personal stands in neither record nor event', async () => {
  const redact = '{ parameters: [email], subject: hide, address: network }';
  const observe = `{ access: access.jsonl, events: events.jsonl, redact: ${redact} }`;
  await using gateway = await startGateway(configuration(observe), { files });
  const port = gateway.port('plain');
  await get(port, '/users/bob%40example.com');
  await get(port, '/users/bob%40example.com/else');
  await get(port, '/users/bob%40example.com%zz');
  await get(port, '/%75sers%2fbob');
  await get(port, '/few');
  await get(port, '/few');
  const records = await gateway.records(6);
  const lines = await until('the event', async () => {
    const found = await linesOf(path.join(gateway.dir, 'events.jsonl'));
    return found.some((line) => line.event.code === 'rate-limited') ? found : undefined;
  });
  assert.deepEqual(
    records.map((record) => record.http.path),
    ['/users/{email}', '/users/…', '…', '…', '/few', '/few'],
  );
  for (const text of [JSON.stringify(records), JSON.stringify(lines)]) {
    assert.ok(!text.includes('bob') && !text.includes('127.0.0.1"}'), text);
    assert.ok(text.includes('127.0.0.0'), text);
  }
});

/** Long paths, so that few requests make many bytes of record. */
async function load(port: number, requests: number): Promise<{ p99: number; bad: number }> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const times: number[] = [];
  let bad = 0;
  let left = requests;
  const one = async () => {
    while (left-- > 0) {
      const began = performance.now();
      if ((await get(port, `/open/${'x'.repeat(7000)}`, {}, agent)).status !== 200) bad++;
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: 16 }, one));
  agent.destroy();
  return { p99: times.toSorted((a, b) => a - b)[Math.floor(requests * 0.99)], bad };
}

test('a full disk and a pipe that nobody reads delay no request, and losses are counted', {
  skip: !existsSync('/dev/full'),
}, async () => {
  await using healthy = await startGateway(configuration('{ access: access.jsonl, rotate: false }'), { files });
  const dir = healthy.dir;
  const fifo = path.join(dir, 'events.fifo');
  execFileSync('mkfifo', [fifo]);
  await using stuck = await startGateway(configuration(`{ access: /dev/full, events: ${fifo} }`), { files });
  await load(healthy.port('plain'), 200);
  await load(stuck.port('plain'), 200);
  const good = await load(healthy.port('plain'), 3000);
  const bad = await load(stuck.port('plain'), 3000);
  assert.deepEqual([good.bad, bad.bad], [0, 0]);
  const text = await metricsOf(stuck);
  // 3,200 records of some 7.4 kB are more than the 16 MiB that may wait.
  assert.ok(sumOf(text, 'portcullis_access_log_lost_total') > 100, text);
  assert.ok(bad.p99 < good.p99 * 3 + 100, `p99 ${bad.p99} ms beside ${good.p99} ms`);
  assert.match(stuck.stderr(), /lines cannot be written/);
});
