import type { Duplex } from 'node:stream';
import type { HeaderList } from '../exchange/headers.ts';
import { type AnswerFraming, answerHead } from '../exchange/http1/answer-head.ts';

/** Head and body of an answer go out in one write up to this size; beyond, copying costs more than a second write. */
const JOINED_BYTES = 32 * 1024;

const KEEP_ALIVE_10 = 'connection: keep-alive\r\n';
const CLOSE = 'connection: close\r\n';

/** Writes the answers of one connection, one after the other: head, framing, body. */
export class AnswerWriter {
  /** The head is made. */
  begun = false;
  ended = false;
  framing: AnswerFraming = 'none';
  readonly #socket: Duplex;
  #bodiless = false;
  /** The head that waits for the first piece of the body. */
  #head: string | undefined = undefined;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** The next answer is for a request of this method. */
  next(method: string): void {
    this.begun = false;
    this.ended = false;
    this.#bodiless = method === 'HEAD';
    this.#head = undefined;
  }

  /** Makes the head. It goes out with the first piece of the body, or with `flush`. */
  begin(status: number, headers: HeaderList, framing: AnswerFraming, keepAlive: boolean, version: '1.0' | '1.1'): void {
    this.framing = framing;
    this.#head = answerHead(status, headers, framing, connectionField(keepAlive, version));
    this.#bodiless ||= framing === 'none';
    this.begun = true;
  }

  /** True when this answer has no body, whatever is written to it. */
  get bodiless(): boolean {
    return this.#bodiless;
  }

  /** False: wait for `drain`. */
  write(chunk: Buffer): boolean {
    return this.framing === 'chunked' ? this.#writeChunk(chunk) : this.#writePlain(chunk);
  }

  end(): void {
    this.flush();
    if (this.framing === 'chunked' && !this.#bodiless) this.#socket.write('0\r\n\r\n', 'latin1');
    this.ended = true;
  }

  /** Writes the head when no piece of the body has taken it along. */
  flush(): void {
    if (this.#head === undefined) return;
    const head = this.#head;
    this.#head = undefined;
    this.#socket.write(head, 'latin1');
  }

  #writePlain(chunk: Buffer): boolean {
    const head = this.#head;
    if (head === undefined) return this.#socket.write(chunk);
    this.#head = undefined;
    if (chunk.length <= JOINED_BYTES) return this.#socket.write(joined(head, chunk, ''));
    this.#socket.write(head, 'latin1');
    return this.#socket.write(chunk);
  }

  #writeChunk(chunk: Buffer): boolean {
    const before = `${this.#head ?? ''}${chunk.length.toString(16)}\r\n`;
    this.#head = undefined;
    if (chunk.length <= JOINED_BYTES) return this.#socket.write(joined(before, chunk, '\r\n'));
    this.#socket.write(before, 'latin1');
    this.#socket.write(chunk);
    return this.#socket.write('\r\n', 'latin1');
  }
}

/** HTTP/1.1 stays open and HTTP/1.0 closes without a word; the field says the other. */
function connectionField(keepAlive: boolean, version: '1.0' | '1.1'): string {
  if (!keepAlive) return CLOSE;
  return version === '1.0' ? KEEP_ALIVE_10 : '';
}

function joined(head: string, chunk: Buffer, tail: string): Buffer {
  const whole = Buffer.allocUnsafe(head.length + chunk.length + tail.length);
  whole.write(head, 0, 'latin1');
  chunk.copy(whole, head.length);
  if (tail !== '') whole.write(tail, head.length + chunk.length, 'latin1');
  return whole;
}
