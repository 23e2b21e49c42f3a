import type { BodySink, BodySource } from '../../exchange/body-source.ts';
import type { CatalogueCode } from '../../exchange/decision.ts';
import type { HeaderList } from '../../exchange/headers.ts';
import type { AnswerSink, Call, CallHandle, UpstreamFault } from '../../exchange/service.ts';
import type { LeanConnection } from './lean-connection.ts';
import { requestHead } from './request-head.ts';

/** Up to this size a head and the beginning of its body are copied together and go out in one write. */
const ONE_WRITE = 16 * 1024;

const LAST_CHUNK = '0\r\n\r\n';

/**
 * One call on its way over one connection: the handle that the caller keeps, and the sink of the request body. Kept apart
 * from the connection so that a handle of a call that is over can never touch the next one.
 */
export class LeanCall implements CallHandle, BodySink {
  readonly call: Call;
  readonly answer: AnswerSink;
  /** Wants a connection that no call has used before. */
  readonly fresh: boolean;
  /** Set while the connection works for this call. */
  connection: LeanConnection | undefined = undefined;
  over = false;
  /** The whole request has been handed to the socket. */
  sent = false;

  /** Head that waits for the first piece of the body. */
  #head = '';
  #started = false;
  #written = 0;
  #paused = false;

  constructor(call: Call, answer: AnswerSink, fresh: boolean) {
    this.call = call;
    this.answer = answer;
    this.fresh = fresh;
  }

  /** Not one byte was handed to the socket. */
  get unwritten(): boolean {
    return !this.#started || this.#head !== '';
  }

  resume(): void {
    this.connection?.resume();
  }

  cancel(): void {
    if (!this.over) this.end()?.abandon();
  }

  /** Nothing is told to anyone any more; gives back the connection that worked for this call. */
  end(): LeanConnection | undefined {
    const { connection } = this;
    this.over = true;
    this.connection = undefined;
    return connection;
  }

  fail(code: CatalogueCode, reason: string, untouched: boolean, stale = false): void {
    if (this.over) return;
    this.end();
    const fault: UpstreamFault = stale ? { code, reason, untouched, stale } : { code, reason, untouched };
    this.answer.onFault(fault);
  }

  /** Writes the request; called once, when the connection stands. */
  write(connection: LeanConnection): void {
    this.connection = connection;
    const { body } = this.call;
    this.#started = true;
    if (body === undefined) {
      this.sent = true;
      connection.write(requestHead(this.call));
    } else if (Buffer.isBuffer(body)) this.#writeWhole(connection, body);
    else this.#writeSource(body);
  }

  #writeWhole(connection: LeanConnection, body: Buffer): void {
    this.sent = true;
    connection.writeJoined(requestHead(this.call), body, '');
  }

  /** The head waits for the first piece of the body, but no longer than for what was read already. */
  #writeSource(body: BodySource): void {
    this.#head = requestHead(this.call);
    body.start(this);
    if (this.#head !== '' && !this.over) setImmediate(flushHead, this);
  }

  flushHead(): void {
    if (this.#head === '' || this.connection === undefined) return;
    const head = this.#head;
    this.#head = '';
    this.connection.write(head);
  }

  onData(chunk: Buffer): void {
    if (this.connection === undefined || chunk.length === 0) return;
    const before = this.#head;
    this.#head = '';
    this.#written += chunk.length;
    const length = (this.call.body as BodySource).length;
    if (length !== undefined && this.#written > length)
      return this.connection.breakOff('the request body is longer than declared');
    const flowing =
      length !== undefined
        ? this.connection.writeJoined(before, chunk, '')
        : this.connection.writeJoined(`${before}${chunk.length.toString(16)}\r\n`, chunk, '\r\n');
    if (!flowing) this.#pause();
  }

  onEnd(_trailers: HeaderList | undefined): void {
    if (this.connection === undefined) return;
    const length = (this.call.body as BodySource).length;
    if (length !== undefined && this.#written !== length)
      return this.connection.breakOff('the request body is shorter than declared');
    const rest = length === undefined ? this.#head + LAST_CHUNK : this.#head;
    this.#head = '';
    this.sent = true;
    if (rest !== '') this.connection.write(rest);
  }

  /** An incomplete body is never finished: the service sees the connection break. */
  onBroken(): void {
    this.cancel();
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    (this.call.body as BodySource).pause();
  }

  onDrain(): void {
    if (!this.#paused) return;
    this.#paused = false;
    (this.call.body as BodySource).resume();
  }
}

function flushHead(call: LeanCall): void {
  call.flushHead();
}

/** Head, piece and tail in one buffer where that is cheaper than two system calls; otherwise undefined. */
export function joined(head: string, body: Buffer, tail: string): Buffer | undefined {
  const length = head.length + body.length + tail.length;
  if (length > ONE_WRITE) return undefined;
  const bytes = Buffer.allocUnsafe(length);
  bytes.write(head, 0, 'latin1');
  body.copy(bytes, head.length);
  if (tail !== '') bytes.write(tail, head.length + body.length, 'latin1');
  return bytes;
}
