import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { BodySource } from '../../src/exchange/body-source.ts';
import { refuse } from '../../src/exchange/decision.ts';
import type { ConnectionInfo, Exchange } from '../../src/exchange/exchange.ts';
import { ForwardRules } from '../../src/exchange/forward.ts';
import { HeadReader } from '../../src/exchange/http1/head-reader.ts';
import type { AnswerSink, Call, CallHandle, Service } from '../../src/exchange/service.ts';
import type { Bounds, ConnectionOwner, Corridor } from '../../src/listen/corridor.ts';
import { Http1Connection } from '../../src/listen/http1-connection.ts';
import { Generation } from '../../src/pipeline/generation.ts';
import { makePlan } from '../../src/pipeline/plan.ts';

/** A client's connection in memory: what is fed comes out as `data`, what is written is collected. */
export class FakeSocket extends Duplex {
  readonly written: Buffer[] = [];
  /** True once our side has been ended in good order. */
  finished = false;
  /** Holds writes back, as a client does that does not read. */
  blocked = false;
  #waiting: (() => void) | undefined;

  constructor() {
    super({ allowHalfOpen: true });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk);
    if (this.blocked) this.#waiting = done;
    else done();
  }

  override _final(done: () => void): void {
    this.finished = true;
    done();
  }

  /** The client reads what was held back. */
  unblock(): void {
    this.blocked = false;
    const done = this.#waiting;
    this.#waiting = undefined;
    done?.();
  }

  get text(): string {
    return Buffer.concat(this.written).toString('latin1');
  }

  get over(): boolean {
    return this.finished || this.destroyed;
  }
}

/** What reached the service. */
export interface Reached {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: string;
}

export const BOUNDS: Bounds = {
  headBytes: 16 * 1024,
  headCount: 100,
  targetBytes: 8192,
  headTime: 10_000,
  bodyTime: 30_000,
  requestTime: 300_000,
  tunnelIdle: 3_600_000,
  idleTime: 60_000,
  requestsPerConnection: 100_000,
  h2Streams: 100,
  h2Resets: 1000,
};

/** A service in memory: takes the whole body, then answers `200` with a body that says what came. */
export class FakeService implements Service {
  readonly name = 's';
  readonly reached: Reached[] = [];
  /** Calls that were given up. */
  cancelled = 0;
  /** Overrides what is done with a call once its request is complete. */
  answer: ((answer: AnswerSink, call: Call) => void) | undefined;
  /** Hands out `answer` before the body is complete. */
  early = false;
  onPiece: ((piece: Buffer) => void) | undefined;

  call(call: Call, answer: AnswerSink): CallHandle {
    const done = (body: Buffer): void => {
      this.reached.push({ method: call.method, target: call.target, headers: call.headers, body: body.toString('latin1') });
      if (this.answer !== undefined) this.answer(answer, call);
      else this.#answer(answer, `${call.method} ${call.target} ${body.length}`);
    };
    if (call.body === undefined || Buffer.isBuffer(call.body)) done(call.body ?? Buffer.alloc(0));
    else this.#gather(call.body, done, answer);
    if (this.early) this.answer?.(answer, call);
    return { resume() {}, cancel: () => this.cancelled++ };
  }

  #gather(source: BodySource, done: (body: Buffer) => void, answer: AnswerSink): void {
    const pieces: Buffer[] = [];
    source.start({
      onData: (piece) => {
        this.onPiece?.(piece);
        pieces.push(Buffer.from(piece));
      },
      onEnd: () => {
        if (!this.early) done(Buffer.concat(pieces));
      },
      onBroken: ({ code, reason }) => answer.onFault({ code, reason, untouched: false }),
    });
  }

  #answer(answer: AnswerSink, text: string): void {
    answer.onHead(200, [], text.length);
    answer.onData(Buffer.from(text));
    answer.onEnd(undefined);
  }
}

/** A listener in memory: the real connection, the real corridor with one route for everything but `/nowhere`, a service that remembers. */
export class Harness {
  readonly service = new FakeService();
  readonly records: Exchange[] = [];
  readonly defects: unknown[] = [];
  readonly turnedAway: string[] = [];
  corridor!: Corridor;
  draining = false;
  readonly #owner: ConnectionOwner<Http1Connection>;
  readonly #reader: HeadReader;

  private constructor(bounds: Bounds) {
    const harness = this;
    this.#reader = new HeadReader('request', { target: bounds.targetBytes, head: bounds.headBytes, fields: bounds.headCount });
    this.#owner = {
      get corridor() {
        return harness.corridor;
      },
      bounds,
      get draining() {
        return harness.draining;
      },
      busy() {},
      idle() {},
      headBegun() {},
      closed() {},
      reset: ({ socket }) => socket.destroy(),
      turnedAway: (_connection, refusal) => this.turnedAway.push(refusal.code),
      broke: (error) => this.defects.push(error),
      locate: () => undefined,
    };
  }

  static async make(bounds: Partial<Bounds> = {}, bodyLimit = 1024): Promise<Harness> {
    const harness = new Harness({ ...BOUNDS, ...bounds });
    const log = {
      info() {},
      warn() {},
      error: (_text: string, fields?: Record<string, unknown>) => harness.defects.push(fields?.error),
    };
    const plan = await makePlan(
      { path: '/**', service: harness.service, forward: new ForwardRules({ authority: 's' }), bodyLimit },
      [],
    );
    harness.corridor = new Generation({
      router: {
        find(_host, path, method) {
          if (path === '/nowhere') return undefined;
          if (path === '/get-only' && method !== 'GET') return { match: undefined, allow: ['GET'] };
          return { match: plan, params: undefined };
        },
      },
      plans: [plan],
      answerMethod: () => refuse('method-not-allowed', 'test'),
      intercept: () => undefined,
      decorate() {},
      record: (x) => harness.records.push(x),
      log,
      release() {},
    });
    return harness;
  }

  open(info: Partial<ConnectionInfo> = {}): { socket: FakeSocket; connection: Http1Connection } {
    const socket = new FakeSocket();
    const whole = { listener: 'test', secure: false, peerAddress: '127.0.0.1', peerPort: 1, serverName: undefined, ...info };
    return { socket, connection: new Http1Connection(socket, whole, this.#owner, this.#reader) };
  }
}

/** Feeds pieces one after the other, each after everything that the one before set off has settled. */
export async function feed(socket: FakeSocket, pieces: readonly (string | Buffer)[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed || piece.length === 0) continue;
    socket.push(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
    await turn();
  }
  await settle(socket);
}

/** Waits until nothing more is written or closed. */
export async function settle(socket: FakeSocket): Promise<void> {
  for (let quiet = 0, seen = -1; quiet < 3; quiet++) {
    await turn();
    const now = socket.written.length + (socket.over ? 1 : 0);
    if (now !== seen) quiet = 0;
    seen = now;
  }
}
