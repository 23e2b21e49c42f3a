/**
 * `npm run bench:validate`: what a contract costs, inside one process. The same recorded exchanges walk a route that reads bodies whole and
 * one that holds them against an OpenAPI document, in turn; the difference of each pair counts. No two bodies are alike.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CarryStore } from '../src/config/carry.ts';
import { Exchange } from '../src/exchange/exchange.ts';
import type { Prepared, RouteContext, World } from '../src/pipeline/stage.ts';
import { validateOptions } from '../src/validate/options.ts';
import { validateStage } from '../src/validate/stage.ts';
import { ordersDocument } from './contract.ts';
import { cpuOf, median, pairs, planWith, RecordedBody, refused, walkAll } from './recorded.ts';
import { orderBody } from './workload.ts';

const EXCHANGES = 3000;
const ROUNDS = 40;
const TARGET_US = 15;

const HEADERS = ['host', 'api.example.com', 'accept', 'application/json', 'content-type', 'application/json'];
const connection = { listener: 'public', secure: true, peerAddress: '198.18.0.1', peerPort: 4711, serverName: undefined };
const host = 'api.example.com';

function exchange(method: string, i: number, query: string | undefined, body: Buffer | undefined): Exchange {
  const target = `/orders/${i}`;
  const head = {
    method,
    rawTarget: target,
    version: '1.1',
    host,
    authority: host,
    path: target,
    query,
    headers: HEADERS,
  } as const;
  return new Exchange(`${i}`, connection, { ...head, headers: HEADERS.slice() }, body && new RecordedBody(body));
}

const post = (i: number) => exchange('POST', i, undefined, Buffer.from(orderBody()));
const get = (i: number) =>
  exchange(
    'GET',
    i,
    `customer=${i}&status=open&sort=-created_at&q=blue%20running%20shoes&limit=${i % 100}&fields=id,total,items`,
    undefined,
  );

const context: RouteContext = { path: '/orders/**', methods: ['GET', 'POST'], service: 'orders', bodyLimit: 100_000 };

/** Reads bodies whole, and looks at none. */
const reader: Prepared = { needs: { request: { kind: 'whole', limit: context.bodyLimit } } };

async function roomOf(options: object): Promise<Prepared> {
  const world = { carry: new CarryStore().open() } as unknown as World;
  const room = await validateStage.prepare(validateOptions.parse(options), world, context);
  if (room === undefined) throw new Error('the room is not here');
  return room;
}

async function measure(what: string, room: Prepared, make: (i: number) => Exchange): Promise<number> {
  const [base, checked] = [await planWith([reader], context.bodyLimit), await planWith([room], context.bodyLimit)];
  const run = (plan: typeof base) => {
    const exchanges = Array.from({ length: EXCHANGES }, (_, i) => make(i));
    return cpuOf(EXCHANGES, () => walkAll(plan, exchanges));
  };
  const all = pairs(
    ROUNDS,
    () => run(base),
    () => run(checked),
  );
  const cost = median(all.map(([one, other]) => other - one));
  console.log(`${what.padEnd(52)} ${cost.toFixed(2).padStart(6)} µs beyond ${median(all.map(([one]) => one)).toFixed(2)} µs`);
  if (refused.count > 0) throw new Error(`${refused.count} requests were refused: that is not what was to be measured`);
  return cost;
}

const folder = mkdtempSync(path.join(tmpdir(), 'portcullis-bench-'));
try {
  const openapi = path.join(folder, 'orders.json');
  writeFileSync(openapi, JSON.stringify(ordersDocument('/orders/{id}')));
  const bytes = orderBody().length;
  const read = await measure(`POST, ${bytes} bytes: read as JSON, no contract`, await roomOf({}), post);
  const contract = await roomOf({ openapi });
  const held = await measure(`POST, ${bytes} bytes: read and held against its schema`, contract, post);
  await measure('GET, six query arguments, no body', contract, get);
  console.log(`of these the schema and the rest of the contract: ${(held - read).toFixed(2)} µs`);
  console.log(`a contract on the POST: ${held.toFixed(2)} µs, target ${TARGET_US} µs`);
} finally {
  rmSync(folder, { recursive: true });
}
