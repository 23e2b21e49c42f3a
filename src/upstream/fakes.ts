import { setImmediate as turn } from 'node:timers/promises';
import type { HeaderList } from '../exchange/headers.ts';
import type { AnswerSink, Call, CallHandle, Service, UpstreamFault, UpstreamTrace } from '../exchange/service.ts';
import type { Carry, Log } from '../pipeline/stage.ts';
import type { WireClient, WireClientOptions } from './client/client.ts';
import { type ServiceOptions, serviceOptions } from './options.ts';
import type { ServiceSnapshot } from './service.ts';
import type { Timing } from './timing.ts';
import { createUpstreams, type UpstreamsOfConfiguration, type UpstreamsParts } from './upstreams.ts';

/** Stand-ins for the tests of this room: a clock that is set by hand, clients without sockets, sinks that remember. */

interface Due {
  at: number;
  every: number | undefined;
  task: () => void;
}

export class FakeTiming implements Timing {
  time = 1000;
  readonly due = new Set<Due>();

  now(): number {
    return this.time;
  }

  after(ms: number, task: () => void): () => void {
    return this.#add({ at: this.time + ms, every: undefined, task });
  }

  every(ms: number, task: () => void): () => void {
    return this.#add({ at: this.time + ms, every: ms, task });
  }

  /** Lets time pass: every timer at its moment, and between them whatever waits for a turn of the loop. */
  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    await turn();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.time = Math.max(this.time, next.at);
      if (next.every === undefined) this.due.delete(next);
      else next.at += next.every;
      next.task();
      await turn();
    }
    this.time = end;
  }

  #add(one: Due): () => void {
    this.due.add(one);
    return () => this.due.delete(one);
  }

  #next(end: number): Due | undefined {
    const ready = [...this.due].filter((one) => one.at <= end);
    return ready.sort((a, b) => a.at - b.at)[0];
  }
}

/** One call that reached a fake client. */
export class Sent implements CallHandle {
  readonly call: Call;
  readonly answer: AnswerSink;
  readonly fresh: boolean;
  readonly client: FakeClient;
  cancelled = false;
  resumed = 0;

  constructor(client: FakeClient, call: Call, answer: AnswerSink, fresh: boolean) {
    this.client = client;
    this.call = call;
    this.answer = answer;
    this.fresh = fresh;
  }

  resume(): void {
    this.resumed++;
  }

  cancel(): void {
    if (this.cancelled) throw new Error('cancelled twice');
    this.cancelled = true;
    this.client.active--;
  }

  head(status: number, headers: HeaderList = []): void {
    this.answer.onHead(status, headers, undefined);
  }

  end(): void {
    this.client.active--;
    this.answer.onEnd(undefined);
  }

  /** A complete answer. */
  reply(status: number): void {
    this.head(status);
    if (!this.cancelled) this.end();
  }

  fault(code: UpstreamFault['code'], untouched = false, stale = false): void {
    this.client.active--;
    this.answer.onFault({ code, reason: 'as the test says', untouched, stale });
  }
}

export class FakeClient implements WireClient {
  readonly options: WireClientOptions;
  readonly sent: Sent[] = [];
  active = 0;
  idle = 0;
  closed = false;
  /** What the endpoint does by itself with each call, a little later. Without it the test answers by hand. */
  behave: ((sent: Sent) => void) | undefined;

  constructor(options: WireClientOptions) {
    this.options = options;
  }

  get connections(): number {
    return this.active + this.idle;
  }

  get last(): Sent {
    const last = this.sent.at(-1);
    if (last === undefined) throw new Error('nothing was sent');
    return last;
  }

  send(call: Call, answer: AnswerSink, fresh: boolean): CallHandle {
    const sent = new Sent(this, call, answer, fresh);
    this.sent.push(sent);
    this.active++;
    queueMicrotask(() => {
      if (!sent.cancelled) this.behave?.(sent);
    });
    return sent;
  }

  dropIdle(): boolean {
    if (this.idle === 0) return false;
    this.idle--;
    return true;
  }

  close(): void {
    this.closed = true;
  }
}

/** Remembers what a caller is told. */
export class FakeAnswer implements AnswerSink {
  readonly events: string[] = [];
  status = 0;
  fault: UpstreamFault | undefined;
  /** What `onData` answers. */
  more = true;
  readonly trace: UpstreamTrace = { target: undefined, status: undefined, ms: undefined, tries: 0 };

  onHead(status: number): void {
    this.status = status;
    this.events.push(`head ${status}`);
  }

  onData(chunk: Buffer): boolean {
    this.events.push(`data ${chunk.length}`);
    return this.more;
  }

  onEnd(): void {
    this.events.push('end');
  }

  onFault(fault: UpstreamFault): void {
    this.fault = fault;
    this.events.push(`fault ${fault.code}`);
  }

  onUpgrade(): void {
    this.events.push('upgrade');
  }
}

/** Keeps everything by key and counts who holds it, as the real one does. */
export class FakeCarry implements Carry {
  readonly made: string[] = [];
  #held = new Map<string, { value: object; dispose: (() => void) | undefined }>();
  #next = new Map<string, { value: object; dispose: (() => void) | undefined }>();

  take<T extends object>(key: string, make: () => T, dispose?: (value: T) => void): T {
    const known = this.#next.get(key) ?? this.#held.get(key);
    if (known !== undefined) {
      this.#next.set(key, known);
      return known.value as T;
    }
    this.made.push(key);
    const value = make();
    this.#next.set(key, { value, dispose: dispose === undefined ? undefined : () => dispose(value) });
    return value;
  }

  /** The configuration that was taken last is the only one now. */
  swap(): void {
    for (const [key, one] of this.#held) if (!this.#next.has(key)) one.dispose?.();
    this.#held = this.#next;
    this.#next = new Map();
  }
}

export class FakeLog implements Log {
  readonly lines: string[] = [];

  info(message: string): void {
    this.lines.push(`info ${message}`);
  }

  warn(message: string): void {
    this.lines.push(`warn ${message}`);
  }

  error(message: string): void {
    this.lines.push(`error ${message}`);
  }
}

export type WrittenService = Parameters<typeof serviceOptions.parse>[0];

export function parsed(written: WrittenService): ServiceOptions {
  return serviceOptions.parse(written);
}

export function call(method = 'GET', body?: Call['body']): Call {
  return {
    method,
    target: '/',
    headers: ['host', 'api.test', 'accept', '*/*'],
    body,
    upgrade: false,
    clientAddress: '192.0.2.1',
  };
}

/** One service on fake clients, with all that a test wants to look at. */
export class Bench {
  readonly timing = new FakeTiming();
  readonly carry = new FakeCarry();
  readonly log = new FakeLog();
  readonly clients: FakeClient[] = [];
  upstreams: UpstreamsOfConfiguration;
  readonly parts: UpstreamsParts;

  constructor(written: WrittenService, parts: UpstreamsParts = {}) {
    this.parts = { timing: this.timing, random: () => 0, ...parts };
    this.upstreams = this.load(written);
    this.carry.swap();
  }

  /** A new configuration, not yet swapped in. */
  load(written: WrittenService): UpstreamsOfConfiguration {
    const make = (options: WireClientOptions) => {
      const client = new FakeClient(options);
      this.clients.push(client);
      return client;
    };
    return createUpstreams({ s: parsed(written) }, this.carry, this.log, make, this.parts);
  }

  get service(): Service {
    const service = this.upstreams.service('s');
    if (service === undefined) throw new Error('no service');
    return service;
  }

  get snapshot(): ServiceSnapshot {
    return this.upstreams.snapshot()[0];
  }

  get states(): string[] {
    return this.snapshot.endpoints.map((one) => one.state);
  }

  client(port: number): FakeClient {
    const client = this.clients.findLast((one) => one.options.port === port);
    if (client === undefined) throw new Error(`no client for port ${port}`);
    return client;
  }

  /** What the endpoint on this port does with each call from now on. */
  behave(port: number, behave: ((sent: Sent) => void) | undefined): void {
    for (const client of this.clients) if (client.options.port === port) client.behave = behave;
  }

  send(one: Call = call()): { answer: FakeAnswer; handle: CallHandle } {
    const answer = new FakeAnswer();
    const handle = this.service.call(one, answer, answer.trace);
    return { answer, handle };
  }
}
