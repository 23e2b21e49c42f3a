/**
 * What benchmarks of single rooms share: recorded exchanges that walk a route, with nobody at either end, and measurements in pairs.
 * Runs of `node --expose-gc` only.
 */
import type { BodySink, BodySource } from '../src/exchange/body-source.ts';
import { Exchange } from '../src/exchange/exchange.ts';
import { ForwardRules } from '../src/exchange/forward.ts';
import type { AnswerSink, Call, CallHandle, Service } from '../src/exchange/service.ts';
import type { ClientSide } from '../src/pipeline/client.ts';
import { makePlan, type RoutePlan } from '../src/pipeline/plan.ts';
import type { Prepared, World } from '../src/pipeline/stage.ts';
import { Walk } from '../src/pipeline/walk.ts';
import { routeOptions } from '../src/route/options.ts';
import { routeStage } from '../src/route/stage.ts';

const EXCHANGES = 5000;

const HEADERS =
  'host|api.example.com|user-agent|Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0|accept|application/json|accept-language|de,en-US;q=0.7,en;q=0.3|accept-encoding|gzip, deflate, br, zstd|referer|https://app.example.com/orders|origin|https://app.example.com|cookie|session=8f14e45fceea167a; theme=dark; consent=yes|sec-fetch-dest|empty|sec-fetch-mode|cors|sec-fetch-site|same-site'.split(
    '|',
  );

const service: Service = {
  name: 'orders',
  call(_call: Call, answer: AnswerSink): CallHandle {
    answer.onHead(200, ['content-type', 'application/json'], 2);
    answer.onData(Buffer.from('{}'));
    answer.onEnd(undefined);
    return { resume: () => undefined, cancel: () => undefined };
  },
};

/** Requests that did not pass: then something else was measured than was meant. */
export const refused = { count: 0 };
const client: ClientSide = {
  watcher: undefined,
  respond: () => void refused.count++,
  start: () => undefined,
  write: () => true,
  end: () => undefined,
  abort: () => undefined,
  upgrade: () => {
    throw new Error('nobody upgrades here');
  },
};
const owner = {
  ended: () => undefined,
  broke: (_x: Exchange, fault: unknown) => {
    throw fault;
  },
};

export const world = { clock: { now: Date.now } } as unknown as World;

/** A body that is there at once. */
export class RecordedBody implements BodySource {
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

/** A route with these rooms behind the room `route`. */
export async function planWith(rooms: readonly Prepared[], bodyLimit = 1000): Promise<RoutePlan> {
  const route = await routeStage.prepare(routeOptions.parse({ path: '/orders/**' }), world, { methods: ['GET'] });
  return await makePlan({ path: '/orders/**', service, forward: new ForwardRules({ authority: 'orders.internal' }), bodyLimit }, [
    route,
    ...rooms,
  ]);
}

/** A request of a browser with one more field, its value a new text each time, as the reader of a head makes it. */
export function exchange(i: number, name: string, value: string, peerAddress = '198.18.0.1'): Exchange {
  const connection = { listener: 'public', secure: true, peerAddress, peerPort: 4711, serverName: undefined };
  const path = `/orders/${i}`;
  const host = 'api.example.com';
  const headers = [...HEADERS, name, Buffer.from(value, 'latin1').toString('latin1')];
  const head = { method: 'GET', rawTarget: path, version: '1.1', host, authority: host, path, query: 'a=1&b=2' } as const;
  return new Exchange(`${i}`, connection, { ...head, headers }, undefined);
}

/** Lets many requests walk the plan, each with one of these values in the field; gives the CPU of one. */
export function walk(plan: RoutePlan, name: string, values: readonly string[]): number {
  const exchanges = Array.from({ length: EXCHANGES }, (_, i) => exchange(i, name, values[i % values.length]));
  return cpuOf(EXCHANGES, () => walkAll(plan, exchanges));
}

export function walkAll(plan: RoutePlan, exchanges: readonly Exchange[]): void {
  for (const x of exchanges) new Walk(x, client, plan, owner).begin();
}

/** Microseconds of CPU for each: what else runs on this machine does not count, nor what was allocated before. */
export function cpuOf(count: number, work: () => void): number {
  // Twice, so that the exchanges are old: copying them would be counted as work.
  globalThis.gc?.({ type: 'minor', execution: 'sync' });
  globalThis.gc?.({ type: 'minor', execution: 'sync' });
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Pairs of measurements; who goes first takes turns, because what one leaves behind the other finds. */
export function pairs(rounds: number, one: () => number, other: () => number): [number, number][] {
  const warm = Math.ceil(rounds / 5);
  return Array.from({ length: rounds + warm }, (_, i): [number, number] => {
    if (i % 2 === 0) return [one(), other()];
    const second = other();
    return [one(), second];
  }).slice(warm);
}
