import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import tls from 'node:tls';
import { parseResponses, type RawResponse } from './raw.ts';

export interface ClientOptions {
  readonly tls?: boolean;
  /** Where to come from, such as `127.0.0.2`. */
  readonly from?: string;
}

/** One connection of a client that writes what it is told to, byte for byte, and looks at what comes back whenever it likes. */
export class Client {
  readonly socket: net.Socket;
  closed = false;
  /** `performance.now()` when the other side ended or reset the connection. */
  closedAt = 0;
  /** How it was closed, where that was no good end. */
  error: string | undefined = undefined;
  #received = Buffer.alloc(0);
  #changed = Promise.withResolvers<void>();

  constructor(socket: net.Socket) {
    this.socket = socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error.code));
    socket.on('close', () => {
      this.closed = true;
      this.closedAt = performance.now();
      this.#wake();
    });
  }

  /** A client that is gone at the end of its test. */
  static async open(t: TestContext, port: number, options: ClientOptions = {}): Promise<Client> {
    const to = { port, host: '127.0.0.1', localAddress: options.from };
    const socket = options.tls ? tls.connect({ ...to, rejectUnauthorized: false }) : net.connect(to);
    t.after(() => socket.destroy());
    const client = new Client(socket);
    await once(socket, options.tls ? 'secureConnect' : 'connect');
    return client;
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }

  write(bytes: string): void {
    if (this.socket.writable) this.socket.write(Buffer.from(bytes, 'latin1'));
  }

  get text(): string {
    return this.#received.toString('latin1');
  }

  get answers(): RawResponse[] {
    return parseResponses(this.#received);
  }

  /** The final answers, once there are so many of them, or the connection is closed, or the time is over. */
  async take(count: number, milliseconds = 15_000): Promise<RawResponse[]> {
    const end = performance.now() + milliseconds;
    for (;;) {
      const answers = this.answers.filter(({ status }) => status >= 200 || status === 0);
      if (this.closed || (answers.length >= count && answers[count - 1].complete) || performance.now() > end) return answers;
      await Promise.race([this.#changed.promise, wait(100, undefined, { ref: false })]);
    }
  }
}

export async function waitFor(
  condition: () => boolean,
  what = 'what was waited for did not come',
  milliseconds = 15_000,
): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!condition()) {
    if (performance.now() > end) assert.fail(what);
    await wait(5);
  }
}

/** Checks that this answer is a refusal as the manual promises it; gives back its request id. */
export function checkProblem(answer: RawResponse, status: number, code: string): string {
  const text = answer.body.toString('latin1');
  assert.equal(answer.status, status, text);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.ok(answer.complete);
  const problem = JSON.parse(text) as Record<string, unknown>;
  assert.deepEqual(Object.keys(problem).toSorted(), ['code', 'request_id', 'status', 'title', 'type']);
  assert.equal(problem.code, code);
  assert.equal(problem.status, status);
  assert.equal(problem.type, `urn:portcullis:problem:${code}`);
  assert.equal(problem.request_id, answer.headers.get('x-request-id'));
  return String(problem.request_id);
}
