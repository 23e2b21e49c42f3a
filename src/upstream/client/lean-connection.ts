import { connect, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { ChunkedReader } from '../../exchange/http1/chunked-reader.ts';
import { HeadBuffer } from '../../exchange/http1/head-buffer.ts';
import type { HeaderList } from '../../exchange/headers.ts';
import { HeadReader, INCOMPLETE, MALFORMED } from '../../exchange/http1/head-reader.ts';
import { AnswerFraming, BY_CHUNKS, BY_CLOSE, BY_LENGTH, NO_BODY } from './answer-framing.ts';
import { joined, type LeanCall } from './lean-call.ts';
import type { LeanPool } from './lean-pool.ts';

/** An answer has at most so many fields, so many interim answers before it, and so long a reason phrase. */
const MOST_FIELDS = 200;
const MOST_INTERIM = 16;
const LONGEST_STATUS_LINE = 1024;

const CONNECTING = 0;
const IDLE = 1;
const HEAD = 2;
const BODY = 3;
const UPGRADED = 4;
const CLOSED = 5;

/**
 * One connection to a service and the answer that is being read from it. One call at a time: no pipelining, so that no
 * answer can ever be taken for another's. Whatever is odd about what the service sends ends the connection.
 */
export class LeanConnection {
  readonly socket: Socket;
  readonly #pool: LeanPool;
  readonly #reader: HeadReader;
  readonly #head = new HeadBuffer();
  readonly #framing = new AnswerFraming();
  readonly #onPiece: (piece: Buffer) => void;

  /** When the connection has to stand, or how long it may stay idle, by the pool's coarse clock. */
  deadline: number;
  #state: 0 | 1 | 2 | 3 | 4 | 5 = CONNECTING;
  #call: LeanCall | undefined;
  #served = 0;
  #answerBytes = false;
  #interim = 0;
  #left = 0;
  #chunked: ChunkedReader | undefined;
  #paused = false;
  #error: string | undefined;

  /** Opens a connection for `call`, which is written as soon as it stands. */
  constructor(pool: LeanPool, call: LeanCall, deadline: number) {
    this.#pool = pool;
    this.#call = call;
    call.connection = this;
    this.deadline = deadline;
    this.#reader = new HeadReader('answer', {
      target: LONGEST_STATUS_LINE,
      head: pool.options.maxHeadBytes,
      fields: MOST_FIELDS,
    });
    this.#onPiece = (piece) => this.#deliver(piece, 0, piece.length);
    this.socket = this.#open();
  }

  #open(): Socket {
    const onread = {
      buffer: this.#pool.readBuffer,
      callback: (length: number, bytes: Uint8Array) => this.#onRead(bytes as Buffer, length),
    };
    const { address, port } = this.#pool.options;
    const { tls } = this.#pool;
    const socket =
      tls === undefined
        ? connect({ host: address, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000, onread })
        : tls.open(['http/1.1'], onread);
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => this.#onConnect());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error ??= error.code ?? error.name;
    });
    socket.on('end', () => this.#onFinish());
    socket.on('close', () => this.#onClose());
    socket.on('drain', () => this.#call?.onDrain());
    return socket;
  }

  #onConnect(): void {
    const { tls } = this.#pool;
    if (this.#call === undefined) this.destroy();
    else if (tls?.accept(this.socket as TLSSocket) === false)
      this.#refuse('upstream-connect', 'no certificate of the chain is pinned');
    else this.begin(this.#call);
  }

  /** Takes a call: the connection is idle or just made. */
  begin(call: LeanCall): void {
    this.#call = call;
    this.#state = HEAD;
    this.#answerBytes = false;
    this.#interim = 0;
    try {
      call.write(this);
    } catch (error) {
      // A source threw: a defect of ours, as below.
      this.#refuse('internal', `the request could not be written: ${wordsOf(error)}`);
    }
  }

  write(text: string): boolean {
    return this.socket.write(text, 'latin1');
  }

  /** Head, body and tail with as few system calls as is cheap. */
  writeJoined(head: string, body: Buffer, tail: string): boolean {
    if (head === '' && tail === '') return this.socket.write(body);
    const bytes = joined(head, body, tail);
    if (bytes !== undefined) return this.socket.write(bytes);
    this.socket.cork();
    this.socket.write(head, 'latin1');
    let flowing = this.socket.write(body);
    if (tail !== '') flowing = this.socket.write(tail, 'latin1');
    this.socket.uncork();
    return flowing;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  /** The call was cancelled: nobody waits for the rest of the answer. */
  abandon(): void {
    this.#call = undefined;
    this.destroy();
  }

  /** Our own request cannot be completed. */
  breakOff(reason: string): void {
    this.#refuse('internal', reason);
  }

  destroy(): void {
    this.#state = CLOSED;
    this.#pool.forget(this);
    this.socket.destroy();
  }

  /** Called by the pool's sweep: the time to connect or to be idle may be over. */
  check(now: number): void {
    if (now < this.deadline) return;
    if (this.#state === IDLE) this.destroy();
    else if (this.#state === CONNECTING) this.#refuse('upstream-connect', 'no connection within the time to connect');
  }

  /** Bytes from the service. The memory belongs to the pool and is read into again afterwards: what stays is copied. */
  #onRead(bytes: Buffer, length: number): boolean {
    if (this.#state === UPGRADED) return this.socket.push(copyOf(bytes, 0, length));
    try {
      this.#take(bytes, length);
    } catch (error) {
      // A receiver threw: a defect of ours, which must not take the process and every other call with it.
      this.#refuse('internal', `a receiver of the answer threw: ${wordsOf(error)}`);
    }
    return true;
  }

  #take(bytes: Buffer, length: number): void {
    if (this.#state === BODY) return this.#body(bytes, 0, length);
    if (this.#state !== HEAD) return this.destroy();
    this.#answerBytes = true;
    this.#headBytes(bytes, 0, length);
  }

  #headBytes(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to && this.#state === HEAD) {
      let end: number;
      if (this.#head.waiting || (end = this.#reader.read(bytes, at, to)) === INCOMPLETE) {
        end = this.#head.read(this.#reader, bytes.subarray(at, to));
        if (end === INCOMPLETE) return this.#checkHeld();
        bytes = this.#head.bytes;
        to = bytes.length;
      }
      if (end === MALFORMED) return this.#refuse('upstream-malformed', this.#reader.reason);
      at = end;
      this.#onHead(bytes, at, to);
    }
    if (this.#state === BODY) this.#body(bytes, at, to);
  }

  /** The reader bounds the fields; an endless reason phrase is bounded here. */
  #checkHeld(): void {
    if (this.#head.length > this.#pool.options.maxHeadBytes + LONGEST_STATUS_LINE) {
      this.#refuse('upstream-malformed', 'the status line does not end');
    }
  }

  #onHead(bytes: Buffer, at: number, to: number): void {
    const { status } = this.#reader;
    const call = this.#call as LeanCall;
    if (call.unwritten) return this.#refuse('upstream-malformed', 'an answer before the request');
    if (status < 200) return this.#onInterim(call, status, bytes, at, to);
    if (status > 599) return this.#refuse('upstream-malformed', 'the status code is malformed');
    if (!this.#framing.read(this.#reader, call.call.method === 'HEAD'))
      return this.#refuse('upstream-malformed', this.#framing.reason);
    this.#beginBody(call, at < to);
  }

  #beginBody(call: LeanCall, more: boolean): void {
    const framing = this.#framing;
    if (framing.kind === NO_BODY && !more) {
      // The usual small end: the connection is free before the receiver hears of it, so that its next call can have it.
      call.answer.onHead(this.#reader.status, this.#reader.headers, framing.length);
      return this.#complete(undefined, false);
    }
    this.#state = BODY;
    this.#left = framing.kind === BY_LENGTH ? (framing.length as number) : 0;
    this.#chunked = framing.kind === BY_CHUNKS ? new ChunkedReader() : undefined;
    call.answer.onHead(this.#reader.status, this.#reader.headers, framing.length);
  }

  #onInterim(call: LeanCall, status: number, bytes: Buffer, at: number, to: number): void {
    if (status === 101) return this.#onSwitch(call, bytes, at, to);
    if (++this.#interim > MOST_INTERIM) this.#refuse('upstream-malformed', 'too many interim answers');
  }

  #onSwitch(call: LeanCall, bytes: Buffer, at: number, to: number): void {
    if (!call.call.upgrade) return this.#refuse('upstream-malformed', '101 without an upgrade');
    const { headers } = this.#reader;
    if (!this.#framing.read(this.#reader, true)) return this.#refuse('upstream-malformed', this.#framing.reason);
    if (this.#framing.upgrade.toLowerCase() !== 'websocket') return this.#refuse('upstream-malformed', '101 to another protocol');
    this.#state = UPGRADED;
    this.#call = undefined;
    call.end();
    this.#pool.forget(this);
    call.answer.onUpgrade(headers, this.socket, copyOf(bytes, at, to));
  }

  #body(bytes: Buffer, from: number, to: number): void {
    if (this.#framing.kind === BY_LENGTH) this.#bodyByLength(bytes, from, to);
    else if (this.#framing.kind === BY_CHUNKS) this.#bodyByChunks(bytes, from, to);
    else if (this.#framing.kind === BY_CLOSE) {
      if (to > from) this.#deliver(bytes, from, to);
    } else this.#complete(undefined, to > from);
  }

  #bodyByLength(bytes: Buffer, from: number, to: number): void {
    const end = Math.min(to, from + this.#left);
    this.#left -= end - from;
    if (end > from) this.#deliver(bytes, from, end);
    if (this.#left === 0 && this.#state === BODY) this.#complete(undefined, end < to);
  }

  #bodyByChunks(bytes: Buffer, from: number, to: number): void {
    const chunked = this.#chunked as ChunkedReader;
    const end = chunked.read(bytes.subarray(0, to), from, this.#onPiece);
    if (this.#state !== BODY) return;
    if (chunked.malformed) this.#refuse('upstream-malformed', chunked.reason);
    else if (chunked.done) this.#complete(chunked.trailers, end < to);
  }

  #deliver(bytes: Buffer, from: number, to: number): void {
    if (this.#state !== BODY) return;
    const call = this.#call as LeanCall;
    const flowing = call.answer.onData(copyOf(bytes, from, to));
    if (flowing || this.#paused || this.#state !== BODY) return;
    this.#paused = true;
    this.socket.pause();
  }

  /** The answer is complete. `more`: bytes came behind it, which belong to nobody (response splitting). */
  #complete(trailers: HeaderList | undefined, more: boolean): void {
    const call = this.#call;
    if (call === undefined) return;
    this.#call = undefined;
    this.#chunked = undefined;
    this.#served++;
    this.resume();
    call.end();
    if (more || !call.sent || !this.#framing.keep || !this.#pool.release(this, this.#framing.keepAlive)) this.destroy();
    call.answer.onEnd(trailers);
  }

  /** Called by the pool as it takes the connection back. */
  rest(deadline: number): void {
    this.#state = IDLE;
    this.deadline = deadline;
  }

  /** The service has finished sending: the end of a body that ends so, or the end of the connection. */
  #onFinish(): void {
    if (this.#state === BODY && this.#framing.kind === BY_CLOSE) this.#complete(undefined, true);
    else this.#onClose();
  }

  #onClose(): void {
    if (this.#state === CLOSED || this.#state === UPGRADED) return;
    const connecting = this.#state === CONNECTING;
    const reason = this.#error ?? 'the service closed the connection';
    if (connecting) this.#refuse('upstream-connect', reason);
    else this.#refuse('upstream-closed', reason);
  }

  #refuse(code: 'upstream-connect' | 'upstream-malformed' | 'upstream-closed' | 'internal', reason: string): void {
    const call = this.#call;
    this.#call = undefined;
    const stale = code === 'upstream-closed' && this.#served > 0 && !this.#answerBytes;
    this.destroy();
    call?.fail(code, reason, code === 'upstream-connect' || call.unwritten, stale);
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : 'something');

function copyOf(bytes: Buffer, from: number, to: number): Buffer {
  const copy = Buffer.allocUnsafe(to - from);
  bytes.copy(copy, 0, from, to);
  return copy;
}
