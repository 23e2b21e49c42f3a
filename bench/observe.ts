/**
 * What a request costs for being observed, in pairs inside one process: record, metrics and events together against nothing. The record
 * goes to /dev/null. One request in a hundred is refused: `node --expose-gc bench/observe.ts`.
 */
import { refuse } from '../src/exchange/decision.ts';
import type { Exchange } from '../src/exchange/exchange.ts';
import { observeOptions } from '../src/observe/options.ts';
import { createObserve } from '../src/observe/stage.ts';
import { exchange, median } from './recorded.ts';

const COUNT = 5000;
const WARM = 8;
const ROUNDS = 40;
/** Longer than a line waits in memory. */
const WRITTEN_MS = 120;

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

/** What is written in the background counts, and for it to be written the loop has to run: both wait the same time. */
async function run(observed: boolean): Promise<number> {
  const exchanges = Array.from({ length: COUNT }, (_, i) => ended(i));
  globalThis.gc?.({ type: 'minor', execution: 'sync' });
  globalThis.gc?.({ type: 'minor', execution: 'sync' });
  const before = process.cpuUsage();
  for (const x of exchanges) {
    if (observed) observe.record(x);
    else seen += x.status;
  }
  await new Promise((resolve) => setTimeout(resolve, WRITTEN_MS));
  const { user, system } = process.cpuUsage(before);
  return (user + system) / COUNT;
}

const differences: number[] = [];
for (let round = 0; round < WARM + ROUNDS; round++) {
  // Who goes first takes turns, because what one leaves behind the other finds.
  const first = await run(round % 2 === 0);
  const second = await run(round % 2 === 1);
  if (round >= WARM) differences.push(round % 2 === 0 ? first - second : second - first);
}
await observe.close();
const lost = observe.metrics.snapshot().families.find((family) => family.name === 'portcullis_access_log_lost_total');
if (lost?.series[0].value !== 0) throw new Error('records were lost: something else was measured than was meant');
process.stdout.write(
  `record, metrics and events ${median(differences).toFixed(2)} µs a request (least ${Math.min(...differences).toFixed(2)}), asked: at most 8; ${seen} seen\n`,
);
