/**
 * `npm run bench:validate`: what a contract costs, inside one process. The same recorded exchanges walk a route that reads bodies whole and
 * one that holds them against an OpenAPI document, in turn; the difference of each pair counts. No two bodies are alike.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CarryStore } from '../src/config/carry.ts';
import type { BodySink, BodySource } from '../src/exchange/body-source.ts';
import { Exchange } from '../src/exchange/exchange.ts';
import type { Prepared, RouteContext, World } from '../src/pipeline/stage.ts';
import { validateOptions } from '../src/validate/options.ts';
import { validateStage } from '../src/validate/stage.ts';
import { cpuOf, median, pairs, planWith, refused, walkAll } from './recorded.ts';
import { orderBody } from './workload.ts';

const EXCHANGES = 3000;
const ROUNDS = 40;
const TARGET_US = 15;

const text = (most: number) => ({ type: 'string', maxLength: most });
const amount = { type: 'number', minimum: 0 };
const strict = (properties: object) => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties),
  properties,
});

/** A contract as somebody would write it for the design's POST: every member declared, bounded and required. */
const document = {
  openapi: '3.1.0',
  info: { title: 'Orders', version: '1' },
  paths: {
    '/orders/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 0 } }],
      get: {
        parameters: [
          ...['customer', 'limit'].map((name) => ({ name, in: 'query', schema: { type: 'integer', minimum: 0 } })),
          { name: 'status', in: 'query', schema: { type: 'string', enum: ['shipped', 'open', 'returned', 'paid'] } },
          ...['sort', 'q'].map((name) => ({ name, in: 'query', schema: text(100) })),
          { name: 'fields', in: 'query', explode: false, schema: { type: 'array', maxItems: 10, items: text(20) } },
        ],
        responses: { 200: { description: 'ok' } },
      },
      post: {
        requestBody: {
          required: true,
          content: {
            'application/json': {
              schema: strict({
                customer: strict({
                  id: { type: 'integer', minimum: 0 },
                  name: text(80),
                  email: { type: 'string', format: 'email' },
                  phone: { type: 'string', pattern: '^\\+[0-9 ]{5,20}$' },
                }),
                address: strict({
                  street: text(100),
                  city: text(60),
                  zip: text(12),
                  country: { type: 'string', pattern: '^[A-Z]{2}$' },
                }),
                note: text(500),
                currency: { type: 'string', enum: ['EUR', 'GBP', 'USD'] },
                items: {
                  type: 'array',
                  maxItems: 50,
                  items: strict({
                    sku: { type: 'string', pattern: '^SKU-[0-9]{1,6}$' },
                    name: text(100),
                    qty: { type: 'integer', minimum: 0, maximum: 99 },
                    price: amount,
                  }),
                },
              }),
            },
          },
        },
        responses: { 201: { description: 'made' } },
      },
    },
  },
};

/** A body that is there at once. */
class Recorded implements BodySource {
  readonly #body: Buffer;
  readonly received = 0;
  readonly broken = undefined;
  limit = 0;

  constructor(body: Buffer) {
    this.#body = body;
  }

  get length(): number {
    return this.#body.length;
  }

  start(sink: BodySink): void {
    sink.onData(this.#body);
    sink.onEnd(undefined);
  }

  pause(): void {}
  resume(): void {}
}

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
  return new Exchange(`${i}`, connection, { ...head, headers: HEADERS.slice() }, body && new Recorded(body));
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
  writeFileSync(openapi, JSON.stringify(document));
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
