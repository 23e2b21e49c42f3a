import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Gateway, startGateway } from '../support/gateway.ts';

/**
 * Access log and events on a disk with room for a few lines: no request is delayed or dropped for it, what is lost is counted, and when
 * there is room again what waited is written, and so is what comes then.
 */

const TOKEN = 'a-token-of-the-admin-listener';
const ROOM = 64 * 1024;
/** As long as one record may become, nearly: few requests make more than the 16 MiB that wait in memory. */
const LONG = 'x'.repeat(7500);
const REQUESTS = 2600;

const service = http.createServer((request, answer) => void request.resume().on('end', () => answer.end('reached')));
let folder = '';
let target = '';

before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'portcullis-disk-'));
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  target = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
});

after(async () => {
  service.closeAllConnections();
  await new Promise((resolve) => service.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const start = (place: string) =>
  startGateway(`
listeners: { plain: { address: 127.0.0.1:0 } }
services: { s: "${target}" }
admin: { address: 127.0.0.1:0, token: ${TOKEN} }
observe: { access: ${place}/access.jsonl, events: ${place}/events.jsonl, rotate: false }
routes:
  - { path: /open/**, service: s, authentication: none }
  - { path: /read, service: s, authentication: none, validate: { types: [application/json] } }
`);

/** A disk that becomes full, and has room again. */
interface Disk {
  readonly skip: string | false;
  /** Before the gateway is there. */
  make(place: string): void;
  fill(gateway: Gateway): void;
  free(gateway: Gateway, place: string): void;
  remove(place: string): void;
}

function runs(command: string, ...argv: string[]): boolean {
  return spawnSync(command, argv, { stdio: 'ignore' }).status === 0;
}

function mountable(): boolean {
  const place = mkdtempSync(path.join(tmpdir(), 'portcullis-mount-'));
  const works = runs('mount', '-t', 'tmpfs', '-o', 'size=64k', 'none', place);
  if (works) execFileSync('umount', [place]);
  rmSync(place, { recursive: true });
  return works;
}

const limit = (gateway: Gateway, bytes: string) =>
  void execFileSync('prlimit', ['--pid', String(gateway.process.pid), `--fsize=${bytes}:`]);

const DISKS: Readonly<Record<string, Disk>> = {
  'a file system of 64 KiB': {
    skip: mountable() ? false : 'this user may mount nothing',
    make: (place) => void execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${ROOM}`, 'none', place]),
    fill: () => undefined,
    free: (_, place) => void execFileSync('mount', ['-o', 'remount,size=64m', place]),
    remove: (place) => void execFileSync('umount', [place]),
  },
  'files of at most 64 KiB': {
    skip: runs('prlimit', '--version') ? false : 'prlimit is not installed',
    make: () => undefined,
    fill: (gateway) => limit(gateway, String(ROOM)),
    free: (gateway) => limit(gateway, 'unlimited'),
    remove: () => undefined,
  },
};

const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
after(() => agent.destroy());

function ask(port: number, target: string, body?: string): Promise<{ status: number; id: string }> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path: target, agent, method: body === undefined ? 'GET' : 'POST' };
    const request = http.request(
      { ...options, headers: body === undefined ? {} : { 'content-type': 'application/json' } },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, id: String(answer.headers['x-request-id']) }));
      },
    );
    request.on('error', reject).end(body);
  });
}

interface Load {
  /** Milliseconds. */
  readonly p99: number;
  /** Answers that were not 200. */
  readonly bad: number;
}

async function load(port: number, requests: number): Promise<Load> {
  const times: number[] = [];
  let bad = 0;
  let left = requests;
  const one = async () => {
    while (left-- > 0) {
      const began = performance.now();
      if ((await ask(port, `/open/${LONG}`)).status !== 200) bad++;
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: 16 }, one));
  return { p99: times.toSorted((a, b) => a - b)[Math.floor(requests * 0.99)], bad };
}

async function metric(gateway: Gateway, name: string): Promise<number> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const text = await (await fetch(`http://127.0.0.1:${gateway.port('admin')}/metrics`, { headers })).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name} `)) ?? assert.fail(`${name} is missing`);
  return Number(line.slice(name.length));
}

/** The lines that are whole: one that the end of the disk cut off is ended, and written anew. */
function wholeLines(file: string): Record<string, unknown>[] {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Record<string, unknown>];
      } catch {
        return [];
      }
    });
}

async function until(what: string, ask: () => Promise<boolean> | boolean): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; await wait(50)) if (await ask()) return;
  assert.fail(`not within 30 s: ${what}`);
}

for (const [name, disk] of Object.entries(DISKS)) {
  describe(`a full disk: ${name}`, { skip: disk.skip }, () => {
    let place = '';
    let gateway: Gateway;
    let healthy: Gateway;
    let refused = { status: 0, id: '' };
    let sent = 0;
    const file = (what: string) => path.join(place, `${what}.jsonl`);
    const has = (what: string, id: string) => wholeLines(file(what)).some((line) => line.request_id === id);

    before(async () => {
      place = path.join(folder, String(Object.keys(DISKS).indexOf(name)));
      mkdirSync(place);
      disk.make(place);
      healthy = await startGateway(`
listeners: { plain: { address: 127.0.0.1:0 } }
services: { s: "${target}" }
observe: { access: access.jsonl, rotate: false }
routes: [ { path: /open/**, service: s, authentication: none } ]
`);
      gateway = await start(place);
      disk.fill(gateway);
    });
    after(async () => {
      await gateway?.stop();
      await healthy?.stop();
      disk.remove(place);
    });

    test('delays and drops no request, and losses are counted', async () => {
      // Both are warm before they are compared.
      await load(healthy.port('plain'), 200);
      await load(gateway.port('plain'), 200);
      const good = await load(healthy.port('plain'), 600);
      const bad = await load(gateway.port('plain'), REQUESTS);
      sent = 200 + REQUESTS;
      assert.deepEqual([good.bad, bad.bad], [0, 0]);
      assert.ok(bad.p99 < good.p99 * 3 + 100, `p99 ${bad.p99} ms beside ${good.p99} ms`);
      refused = await ask(gateway.port('plain'), '/read', '{"a":1,"a":2}');
      sent += 1;
      assert.equal(refused.status, 400);
      const lost = await metric(gateway, 'portcullis_access_log_lost_total');
      assert.ok(lost > 50, `${lost} records lost`);
      await until('a warning', () => gateway.stderr().includes('lines cannot be written'));
      assert.ok(readFileSync(file('access')).length <= ROOM, 'the disk is full');
    });

    test('and when there is room again all that waited is written, and what comes then', async () => {
      const lost = await metric(gateway, 'portcullis_access_log_lost_total');
      disk.free(gateway, place);
      await until('what waited', () => wholeLines(file('access')).length >= sent - lost);
      const later = await ask(gateway.port('plain'), '/open/later');
      const again = await ask(gateway.port('plain'), '/read', '{');
      sent += 2;
      await until('what comes then', () => has('access', later.id) && has('access', again.id));
      await until('the event of the time without room', () => has('events', refused.id));
      await until('the event of the time after', () => has('events', again.id));
      const records = wholeLines(file('access'));
      assert.equal(records.length + (await metric(gateway, 'portcullis_access_log_lost_total')), sent);
      assert.equal(new Set(records.map((line) => line.request_id)).size, records.length, 'a record stands twice');
      assert.equal(await metric(gateway, 'portcullis_events_lost_total'), 0);
    });
  });
}
