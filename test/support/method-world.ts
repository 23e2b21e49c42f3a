import { CarryStore } from '../../src/config/carry.ts';
import type { Egress, EgressAnswer, EgressRequest } from '../../src/egress/egress.ts';
import { EgressError } from '../../src/egress/egress.ts';
import type { MethodWorld } from '../../src/authenticate/method.ts';
import { KeptLog } from './corridor.ts';

/** A clock that stands until it is moved. */
export class MovedClock {
  time = Date.parse('2027-01-01T00:00:00Z');

  now(): number {
    return this.time;
  }

  move(ms: number): void {
    this.time += ms;
  }
}

/** Somebody outside who answers as the test says: what a call gets, or a promise of it; a text is thrown as the reason. */
export type Outside = (url: URL, request: EgressRequest) => Answered | Promise<Answered>;
export type Answered = string | { readonly status?: number; readonly headers?: Record<string, string>; readonly body: unknown };

export class FakeEgress implements Egress {
  readonly key = 'test';
  readonly calls: { url: URL; request: EgressRequest }[] = [];
  answer: Outside;

  constructor(answer: Outside) {
    this.answer = answer;
  }

  /** How often this URL was called; in all without one. */
  count(url?: string): number {
    return this.calls.filter((call) => url === undefined || call.url.href === url).length;
  }

  async fetch(url: URL, request: EgressRequest): Promise<EgressAnswer> {
    this.calls.push({ url, request });
    const answered = await this.answer(url, request);
    if (typeof answered === 'string') throw new EgressError(`${url.host}: ${answered}`);
    const { status = 200, headers = { 'content-type': 'application/json' }, body } = answered;
    return { status, headers, body: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)) };
  }
}

/** What a method is made with, all of it in the test's hand. */
export function methodWorld(egress: Egress) {
  const store = new CarryStore();
  const carry = store.open();
  const world = { carry, egress, clock: new MovedClock(), log: new KeptLog() } satisfies MethodWorld;
  return { ...world, store, [Symbol.dispose]: () => carry.release() };
}
