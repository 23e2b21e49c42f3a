/**
 * What a request costs for being observed, in pairs inside one process: record, metrics and events together against nothing. The record
 * goes to /dev/null. One request in a hundred is refused: `node --expose-gc bench/observe.ts`.
 */
import { refuse } from '../src/exchange/decision.ts';
import type { Exchange } from '../src/exchange/exchange.ts';
import { observeOptions } from '../src/observe/options.ts';
import { createObserve } from '../src/observe/stage.ts';
import { cpuOf, exchange, median, pairs } from './recorded.ts';

const COUNT = 5000;
const ROUNDS = 40;

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const observe = createObserve(observeOptions.parse({ access: '/dev/null', events: '/dev/null' }), silent);

const refusal = refuse('rate-limited', 'the limit few is used up');
const caller = { by: 'jwt', name: 'staff', subject: 'u-17', scopes: ['orders:read'], claims: {} };

/** As `observe` gets them, at the end. */
function ended(i: number): Exchange {
  const x = exchange(i, 'x-number', String(i));
  const passed = i % 100 !== 0;
  const known = {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    route: '/orders/{id}',
    service: 'orders',
    caller,
    responseBytes: 182,
  };
  Object.assign(x, known, { status: passed ? 200 : 429, decision: passed ? undefined : refusal });
  if (passed) Object.assign(x.upstream, { target: '127.0.0.1:9001', status: 200, ms: 1.9 + i / 1e6, tries: 1 });
  return x;
}

let seen = 0;
function run(observed: boolean): number {
  const exchanges = Array.from({ length: COUNT }, (_, i) => ended(i));
  return cpuOf(COUNT, () => {
    for (const x of exchanges) {
      if (observed) observe.record(x);
      else seen += x.status;
    }
  });
}

const results = pairs(
  ROUNDS,
  () => run(true),
  () => run(false),
);
await observe.close();
const differences = results.map(([one, other]) => one - other);
process.stdout.write(
  `record, metrics and events ${median(differences).toFixed(2)} µs a request (least ${Math.min(...differences).toFixed(2)}), asked: at most 8; ${seen} seen\n`,
);
