import type { Duplex } from 'node:stream';
import type { HeaderList } from '../../src/exchange/headers.ts';
import type { AnswerSink, Call, CallHandle, UpstreamFault } from '../../src/exchange/service.ts';
import type { WireClient, WireClientOptions } from '../../src/upstream/client/client.ts';

/** How a call ended: with an answer, a fault, or a switch of protocols. */
export interface Outcome {
  readonly status: number;
  readonly headers: HeaderList;
  readonly length: number | undefined;
  readonly body: string;
  readonly trailers: HeaderList | undefined;
  /** Set when the call ended badly; `status` is then that of a head that came before, or 0. */
  readonly fault: UpstreamFault | undefined;
  readonly socket: Duplex | undefined;
  readonly rest: string;
}

/** Takes an answer, notes the order of callbacks, and complains about any order that `AnswerSink` does not allow. */
export class Recorder implements AnswerSink {
  readonly outcome: Promise<Outcome>;
  /** Resolves with the head, for tests that look at what happens behind it. */
  readonly head: Promise<number>;
  handle: CallHandle | undefined;
  bytes = 0;
  ended = false;
  /** False makes `onData` ask for a pause. */
  flowing = true;
  onChunk: ((chunk: Buffer) => void) | undefined;
  #status = 0;
  #headers: HeaderList = [];
  #length: number | undefined;
  readonly #chunks: Buffer[] = [];
  readonly #resolve: (outcome: Outcome) => void;
  readonly #resolveHead: (status: number) => void;

  /** A call that does not end fails its test instead of holding up all others. */
  readonly #deadline: NodeJS.Timeout;

  constructor() {
    const outcome = Promise.withResolvers<Outcome>();
    const head = Promise.withResolvers<number>();
    this.outcome = outcome.promise;
    this.head = head.promise;
    this.#resolve = outcome.resolve;
    this.#resolveHead = head.resolve;
    this.outcome.catch(() => undefined);
    this.#deadline = setTimeout(() => outcome.reject(new Error('the call did not end')), 15_000).unref();
  }

  onHead(status: number, headers: HeaderList, length: number | undefined): void {
    if (this.ended || this.#status !== 0) throw new Error('a second head');
    this.#status = status;
    this.#headers = headers;
    this.#length = length;
    this.#resolveHead(status);
  }

  onData(chunk: Buffer): boolean {
    if (this.ended || this.#status === 0) throw new Error('data outside of an answer');
    this.bytes += chunk.length;
    this.#chunks.push(chunk);
    this.onChunk?.(chunk);
    return this.flowing;
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (this.#status === 0) throw new Error('an end without a head');
    this.#finish({ trailers });
  }

  onFault(fault: UpstreamFault): void {
    this.#finish({ fault });
  }

  onUpgrade(headers: HeaderList, socket: Duplex, rest: Buffer): void {
    this.#headers = headers;
    this.#status = 101;
    this.#finish({ socket, rest: rest.toString('latin1') });
  }

  #finish(end: Partial<Outcome>): void {
    if (this.ended) throw new Error('a second end');
    this.ended = true;
    clearTimeout(this.#deadline);
    const body = Buffer.concat(this.#chunks).toString('latin1');
    const answer = { status: this.#status, headers: this.#headers, length: this.#length, body };
    this.#resolve({ ...answer, trailers: undefined, fault: undefined, socket: undefined, rest: '', ...end });
  }
}

/** A GET without body, and what is to be different from that. */
export function makeCall(target: string, different: Partial<Call> = {}): Call {
  const base = { method: 'GET', target, headers: ['host', 'service.test'], body: undefined, upgrade: false, clientAddress: '' };
  return { ...base, ...different };
}

/** Sends a call and gives back who records it. */
export function begin(client: WireClient, call: Call, fresh = false): Recorder {
  const recorder = new Recorder();
  recorder.handle = client.send(call, recorder, fresh);
  return recorder;
}

/** Sends a call and waits for its end. */
export function send(client: WireClient, call: Call, fresh = false): Promise<Outcome> {
  return begin(client, call, fresh).outcome;
}

/** Options of a client to a port of this machine, with bounds that tests reach quickly. */
export function clientOptions(port: number, different: Partial<WireClientOptions> = {}): WireClientOptions {
  const base = { kind: 'lean', protocol: 'http1', host: '127.0.0.1', address: '127.0.0.1', port, tls: undefined } as const;
  const bounds = { connectTimeout: 2000, idleTimeout: 10_000, maxConnections: 16, maxHeadBytes: 8192 };
  return { ...base, ...bounds, ...different };
}
