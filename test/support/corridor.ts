import { Duplex } from 'node:stream';
import type { BodySource } from '../../src/exchange/body-source.ts';
import { Exchange } from '../../src/exchange/exchange.ts';
import { ForwardRules } from '../../src/exchange/forward.ts';
import type { HeaderList } from '../../src/exchange/headers.ts';
import type { AnswerSink, Call, CallHandle, Service } from '../../src/exchange/service.ts';
import type { ClientSide, ClientWatcher } from '../../src/pipeline/client.ts';
import { makePlan, type RoutePlan } from '../../src/pipeline/plan.ts';
import type { Log, Prepared } from '../../src/pipeline/stage.ts';

/** Stand-ins for both ends of the corridor, so that a test can say what happens when. No sockets, no clocks. */

const CONNECTION = {
  listener: 'public',
  secure: false,
  peerAddress: '192.0.2.1',
  peerPort: 4711,
  serverName: undefined,
};

export interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: HeaderList;
  readonly source?: BodySource;
  readonly upgrade?: boolean;
}

export function request(parts: RequestParts = {}): Exchange {
  const { method = 'GET', path = '/x', headers = [], source, upgrade = false } = parts;
  const host = 'api.test';
  const head = { method, rawTarget: path, version: '1.1' as const, host, authority: host, path, query: undefined, headers };
  return new Exchange('r-1', CONNECTION, head, source, upgrade);
}

/** The client of one exchange. It notes what it is told, and throws where the test says so. */
export class FakeClient implements ClientSide {
  watcher: ClientWatcher | undefined;
  readonly events: string[] = [];
  body = '';
  /** What `write` answers. */
  flowing = true;
  /** The call that throws. */
  breaksAt: 'respond' | 'start' | 'write' | 'end' | 'upgrade' | undefined;
  readonly socket = new FakeSocket();

  respond(status: number, _headers: HeaderList, body: Buffer | string | undefined): void {
    this.#note('respond', `respond ${status}`);
    this.body += body ?? '';
  }

  start(status: number, _headers: HeaderList, length: number | undefined): void {
    this.#note('start', `start ${status} ${length ?? 'unknown'}`);
  }

  write(chunk: Buffer): boolean {
    this.#note('write', `write ${chunk}`);
    return this.flowing;
  }

  end(trailers: HeaderList | undefined): void {
    this.#note('end', trailers === undefined ? 'end' : `end ${trailers}`);
  }

  abort(): void {
    this.events.push('abort');
  }

  upgrade(): { socket: Duplex; rest: Buffer } {
    this.#note('upgrade', 'upgrade');
    return { socket: this.socket, rest: Buffer.alloc(0) };
  }

  #note(kind: FakeClient['breaksAt'], event: string): void {
    if (this.breaksAt === kind) throw new Error(`${kind} breaks`);
    this.events.push(event);
  }
}

/** A service whose answer the test gives by hand. */
export class FakeService implements Service {
  readonly name = 's';
  readonly calls: { call: Call; answer: AnswerSink; cancelled: boolean; resumed: number }[] = [];

  call(call: Call, answer: AnswerSink): CallHandle {
    const made = { call, answer, cancelled: false, resumed: 0 };
    this.calls.push(made);
    return {
      resume: () => void made.resumed++,
      cancel: () => {
        made.cancelled = true;
      },
    };
  }

  get last(): FakeService['calls'][number] {
    const last = this.calls.at(-1);
    if (last === undefined) throw new Error('nothing was called');
    return last;
  }

  get answer(): AnswerSink {
    return this.last.answer;
  }
}

/** The plan of a route `/x` with these rooms. */
export function planOf(service: Service, rooms: readonly Prepared[] = [], bodyLimit = 1000): Promise<RoutePlan> {
  const forward = new ForwardRules({ authority: 'service.test', host: 'service', drop: [], keep: [] });
  return makePlan({ path: '/x', service, forward, bodyLimit }, rooms);
}

/** One end of a connection: what the other side sends is pushed by the test, what is written to it is kept. */
export class FakeSocket extends Duplex {
  readonly written: Buffer[] = [];
  /** Takes nothing more until `reads`, as a socket whose peer does not read. */
  stalled = false;
  #waiting: (() => void) | undefined;

  constructor() {
    super({ allowHalfOpen: true, highWaterMark: 1000 });
  }

  /** The peer sends. */
  arrives(bytes: Buffer | string): void {
    this.push(bytes);
  }

  /** The peer has closed its half. */
  finishes(): void {
    this.push(null);
  }

  /** The peer reads again. */
  reads(): void {
    this.stalled = false;
    this.#waiting?.();
    this.#waiting = undefined;
  }

  get text(): string {
    return Buffer.concat(this.written).toString('latin1');
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk);
    if (this.stalled) this.#waiting = done;
    else done();
  }
}

/** Keeps what is logged. */
export class KeptLog implements Log {
  readonly lines: { level: 'info' | 'warn' | 'error'; message: string; fields: Record<string, unknown> }[] = [];

  info(message: string, fields: Record<string, unknown> = {}): void {
    this.lines.push({ level: 'info', message, fields });
  }

  warn(message: string, fields: Record<string, unknown> = {}): void {
    this.lines.push({ level: 'warn', message, fields });
  }

  error(message: string, fields: Record<string, unknown> = {}): void {
    this.lines.push({ level: 'error', message, fields });
  }

  get text(): string {
    return this.lines.map((line) => `${line.level} ${line.message} ${JSON.stringify(line.fields)}`).join('\n');
  }
}
