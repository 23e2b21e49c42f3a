/**
 * `npm run bench:waf`: what the firewall costs, inside one process, with OWASP CRS at paranoia 1, blocking. The same kind of requests as
 * the load bench, no two of them alike, walk a route without and one with the room, in turn; the difference of each pair counts. The
 * rules are looked for in `../shared/crs`; `-- builtin` takes those of this repository. Then each of many requests with a body of 2 kB is
 * timed by itself, with all that its walk through the room takes: what half of them and what all but one in a thousand stay below.
 */
import { existsSync } from 'node:fs';
import { loadavg } from 'node:os';
import { CarryStore } from '../src/config/carry.ts';
import { Exchange } from '../src/exchange/exchange.ts';
import type { Prepared } from '../src/pipeline/stage.ts';
import { effectiveWaf } from '../src/waf/effective.ts';
import { wafOptions } from '../src/waf/options.ts';
import { wafStage } from '../src/waf/stage.ts';
import { CRS } from './firewall.ts';
import { cpuOf, median, planWith, RecordedBody, refused, walkAll } from './recorded.ts';
import { orderBody, ordersTarget, proseBody } from './workload.ts';

const EXCHANGES = 1000;
const ROUNDS = 15;

const hex = (length: number) => Array.from({ length }, () => Math.floor(Math.random() * 16).toString(16)).join('');
const uuid = () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
const digits = () => String(Math.floor(Math.random() * 1e9));

const connection = { listener: 'public', secure: true, peerAddress: '198.18.0.1', peerPort: 4711, serverName: undefined };
const host = 'api.example.com';
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36';
/** As the reader of a head makes them: pieces of one text of the request. */
const flat = (text: string) => Buffer.from(text, 'latin1').toString('latin1');

function getRequest(i: number): Exchange {
  const target = flat(ordersTarget());
  const [canonical, query] = target.split('?');
  const headers = [
    ...['host', host, 'user-agent', AGENT, 'accept', 'application/json, text/plain, */*', 'accept-language', 'en-US,en;q=0.9'],
    ...['accept-encoding', 'gzip, deflate, br', 'cookie'],
    `session=s%3A${hex(32)}.${hex(10)}; theme=dark; _ga=GA1.2.${digits()}.${digits()}`,
    ...['referer', `https://app.example.com/orders?page=${i % 400}`, 'x-request-id', uuid()],
  ].map(flat);
  const head = {
    method: 'GET',
    rawTarget: target,
    version: '1.1',
    host,
    authority: host,
    path: canonical,
    query,
    headers,
  } as const;
  return new Exchange(`${i}`, connection, head, undefined);
}

function postRequest(i: number, text = orderBody()): Exchange {
  const body = Buffer.from(text);
  const target = '/api/v1/orders';
  const headers = [
    ...['host', host, 'user-agent', AGENT, 'accept', 'application/json', 'content-type', 'application/json'],
    ...['x-request-id', uuid(), 'content-length', String(body.length)],
  ].map(flat);
  const head = {
    method: 'POST',
    rawTarget: target,
    version: '1.1',
    host,
    authority: host,
    path: target,
    query: undefined,
    headers,
  } as const;
  return new Exchange(`${i}`, connection, head, new RecordedBody(body));
}

/** Reads the body as the firewall has it read, and nothing more. */
const readsBody: Prepared = { needs: { request: { kind: 'whole', limit: 131_072 } }, onRequestBody: () => undefined };

const rules =
  process.argv.includes('builtin') || !existsSync(CRS) ? ['builtin'] : [`${CRS}/crs-setup.conf.example`, `${CRS}/rules/*.conf`];
const options = effectiveWaf(wafOptions.parse({ rules, mode: 'block', paranoia: 1 }), undefined);
if (options === undefined) throw new Error('the firewall is off');
const began = performance.now();
const room = await wafStage.prepare(options, { carry: new CarryStore().open() } as never, { bodyLimit: 131_072 });
if (room === undefined) throw new Error('the room is absent');
console.log(`${rules.length === 1 ? 'built-in rules' : 'CRS'}, loaded in ${(performance.now() - began).toFixed(0)} ms`);

const off = await planWith([readsBody], 131_072);
const on = await planWith([room], 131_072);
for (const [name, make] of [
  ['GET', getRequest],
  ['POST', (i: number) => postRequest(i)],
  ['POST, prose', (i: number) => postRequest(i, proseBody())],
] as const) {
  const times = { off: [] as number[], on: [] as number[] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of round % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const)) {
      const exchanges = Array.from({ length: EXCHANGES }, (_, i) => make(i));
      const plan = kind === 'off' ? off : on;
      times[kind].push(cpuOf(EXCHANGES, () => walkAll(plan, exchanges)));
    }
  }
  const added = times.on.map((time, i) => time - times.off[i]).slice(3);
  console.log(
    `${name}: ${median(added).toFixed(1)} µs (${Math.min(...added).toFixed(1)} to ${Math.max(...added).toFixed(1)}), refused ${refused.count}`,
  );
}

const TIMED = 20_000;
const BATCH = 500;
/** An order of 2 kB has 21 items, 94 values in all. */
const LONG_ORDER = 21;
/** Milliseconds. */
const BOUNDS = { median: 0.2, p999: 1 };

interface Times {
  /** Milliseconds of each request. */
  readonly all: number[];
  /** Without those during which the system gave the core to somebody else. */
  readonly undisturbed: number[];
}

/** Times each request by the clock; they are made in batches, so that making them is not in between. */
function timeEach(count: number): Times {
  const times: Times = { all: [], undisturbed: [] };
  const interruptions = () => process.resourceUsage().involuntaryContextSwitches;
  for (let done = 0; done < count; done += BATCH) {
    const exchanges = Array.from({ length: BATCH }, (_, i) => [postRequest(done + i, orderBody(LONG_ORDER))]);
    for (const one of exchanges) {
      const before = interruptions();
      const start = process.hrtime.bigint();
      walkAll(on, one);
      const time = Number(process.hrtime.bigint() - start) / 1e6;
      times.all.push(time);
      if (interruptions() === before) times.undisturbed.push(time);
    }
  }
  return times;
}

const share = (values: readonly number[], part: number) => values[Math.min(values.length - 1, Math.floor(values.length * part))];

timeEach(2000);
const bytes = Math.round(median(Array.from({ length: 99 }, () => Buffer.byteLength(orderBody(LONG_ORDER)))));
console.log(`\nJSON body of ${bytes} B, ${TIMED} requests; load of the machine ${loadavg()[0].toFixed(2)}`);
const times = timeEach(TIMED);
for (const [name, values] of [
  ['all', times.all],
  ['undisturbed', times.undisturbed],
] as const) {
  const sorted = values.toSorted((a, b) => a - b);
  const [half, most, nearlyAll] = [0.5, 0.99, 0.999].map((part) => share(sorted, part));
  const isMet = half <= BOUNDS.median && nearlyAll <= BOUNDS.p999;
  const figures = [half, most, nearlyAll].map((one) => (one * 1e3).toFixed(0).padStart(5));
  const [middle, p99, p999] = figures;
  console.log(
    `${name.padEnd(11)} ${String(values.length).padStart(6)}: median ${middle} µs, p99 ${p99} µs, p99.9 ${p999} µs; 200 and 1000 are ${isMet ? 'met' : 'MISSED'}`,
  );
}
if (refused.count > 0) throw new Error(`${refused.count} requests were refused: something else was measured than was meant`);
