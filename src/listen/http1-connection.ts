import type { Duplex } from 'node:stream';
import { type Refusal, refuse } from '../exchange/decision.ts';
import type { ConnectionInfo, Exchange } from '../exchange/exchange.ts';
import type { HeaderList } from '../exchange/headers.ts';
import { type AnswerFraming, answerHead } from '../exchange/http1/answer-head.ts';
import { CR, LF } from '../exchange/http1/bytes.ts';
import { HeadBuffer } from '../exchange/http1/head-buffer.ts';
import { HeadReader, INCOMPLETE, MALFORMED } from '../exchange/http1/head-reader.ts';
import type { ClientSide, ClientWatcher } from '../pipeline/client.ts';
import type { ConnectionOwner } from './corridor.ts';
import { type BodyOwner, Http1Body } from './http1-body.ts';
import { type ReadRequest, readRequest, toExchange, unreadExchange } from './read-request.ts';

/** A refused request's body is read on and thrown away for this long and this far, so that the client can read the answer. */
const LINGER_MS = 2000;
const LINGER_BYTES = 1024 * 1024;

/** How long a call goes on for a client that has closed its half of the connection. */
const HALF_CLOSED_MS = 1000;

/** Head and body of an answer go out in one write up to this size; beyond, copying costs more than a second write. */
const JOINED_BYTES = 32 * 1024;

const KEEP_ALIVE_10 = 'connection: keep-alive\r\n';
const CLOSE = 'connection: close\r\n';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

type Phase = 'head' | 'busy' | 'linger' | 'gone';

/**
 * One HTTP/1 connection of a client: reads requests one after the other with the strict reader, hands each to the corridor, and
 * writes its answer before it looks at the next. It is the `ClientSide` of the request that it is busy with.
 */
export class Http1Connection implements ClientSide, BodyOwner {
  watcher: ClientWatcher | undefined = undefined;
  /** `performance.now()` at which `expire` is due; the listener's sweep looks at it. */
  deadline: number;

  readonly info: ConnectionInfo;
  readonly socket: Duplex;
  readonly #owner: ConnectionOwner<Http1Connection>;
  readonly #reader: HeadReader;
  readonly #head = new HeadBuffer();
  #phase: Phase = 'head';
  #requests = 0;
  #headBegan: number;

  // the request that is being served
  #x: Exchange | undefined = undefined;
  #body: Http1Body | undefined = undefined;
  #expectsContinue = false;
  #keepAlive = true;
  #version: '1.0' | '1.1' = '1.1';
  #bodiless = false;
  #headOut: string | undefined = undefined;
  #framing: AnswerFraming = 'none';
  #answering = false;
  #answered = false;
  /** Bytes behind the request that is being served. */
  #pending: Buffer | undefined = undefined;
  #lingered = 0;

  constructor(socket: Duplex, info: ConnectionInfo, owner: ConnectionOwner<Http1Connection>, reader: HeadReader) {
    this.socket = socket;
    this.info = info;
    this.#owner = owner;
    this.#reader = reader;
    this.#headBegan = performance.now();
    this.deadline = this.#headBegan + owner.bounds.headTime;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onSocketDrain);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  /** True while no request is being served and none has begun to arrive. */
  get idle(): boolean {
    return this.#phase === 'head' && !this.#head.waiting;
  }

  /** Ends what has lasted too long at `now`. */
  sweep(now: number): void {
    if (now >= this.deadline) this.#expire();
  }

  destroy(): void {
    this.socket.destroy();
  }

  #expire(): void {
    if (this.#phase === 'head') this.#expireHead();
    else if (this.#phase === 'busy' && this.#body !== undefined && !this.#body.complete && !this.#answering) {
      this.deadline = Number.POSITIVE_INFINITY;
      this.#body.breakOff(refuse('body-timeout', 'the body did not arrive within body-time'));
    } else this.socket.destroy();
  }

  /** The gateway leaves: an idle connection closes now, a busy one after its answer. */
  drain(): void {
    this.#keepAlive = false;
    if (this.idle) this.socket.destroy();
  }

  // ---- reading

  readonly #onData = (chunk: Buffer): void => {
    if (this.#phase === 'head') this.#readHead(chunk);
    else if (this.#phase === 'busy') this.#readBusy(chunk);
    else if (this.#phase === 'linger') this.#discard(chunk);
  };

  #readBusy(chunk: Buffer): void {
    if (this.#body !== undefined && !this.#body.complete) this.#body.feed(chunk);
    else this.#hold(chunk);
  }

  /** Pipelined bytes wait, and so does the client: at most what is under way comes in addition. */
  #hold(chunk: Buffer): void {
    this.#pending = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    this.socket.pause();
  }

  #readHead(chunk: Buffer): void {
    const bytes = this.#head.waiting ? chunk : withoutEmptyLine(chunk);
    if (bytes.length === 0) return;
    const end = this.#head.read(this.#reader, bytes);
    if (end === INCOMPLETE) this.#headBegins();
    else if (end === MALFORMED) this.#refuseHead(refuse(this.#reader.code, this.#reader.reason));
    else this.#request(this.#head.bytes, end);
  }

  /** The first byte of a request on a kept connection starts its time; a new connection's time runs from its opening. */
  #headBegins(): void {
    if (this.#headBegan !== 0) return;
    this.#headBegan = performance.now();
    this.deadline = this.#headBegan + this.#owner.bounds.headTime;
    this.#owner.headBegun(this);
  }

  #request(bytes: Buffer, end: number): void {
    const request = readRequest(this.#reader, this.info);
    this.#begin();
    if (request.kind === 'refusal') {
      this.#refuseHead(request);
      return;
    }
    this.#accept(request);
    const x = this.#exchange(request);
    const refusal = this.#owner.locate(x);
    if (end < bytes.length) this.#readBusy(bytes.subarray(end));
    if (refusal === undefined) this.#owner.corridor.handle(x, this);
    else this.#owner.corridor.refuse(x, this, refusal);
  }

  #begin(): void {
    this.#phase = 'busy';
    this.#requests++;
    this.#answering = false;
    this.#answered = false;
    this.#headOut = undefined;
    this.watcher = undefined;
    this.#owner.busy(this);
  }

  #accept(request: ReadRequest): void {
    const { bounds, draining } = this.#owner;
    this.#version = request.head.version === '1.0' ? '1.0' : '1.1';
    this.#keepAlive = request.keepAlive && !draining && this.#requests < bounds.requestsPerConnection;
    this.#expectsContinue = request.expectsContinue;
    this.#bodiless = request.head.method === 'HEAD';
    this.#body = request.hasBody ? new Http1Body(this, request.length) : undefined;
  }

  #exchange(request: ReadRequest): Exchange {
    const x = toExchange(request.head, this.info, this.#body, request.upgrade);
    this.#x = x;
    this.deadline = this.#body === undefined ? Number.POSITIVE_INFINITY : this.#bodyDeadline(x.began);
    return x;
  }

  #bodyDeadline(now: number): number {
    const { bodyTime, requestTime } = this.#owner.bounds;
    return Math.min(now + bodyTime, (this.#headBegan || now) + requestTime);
  }

  #refuseHead(refusal: Refusal): void {
    if (this.#phase !== 'busy') this.#begin();
    this.#keepAlive = false;
    this.#body = undefined;
    this.#bodiless = false;
    this.#version = '1.1';
    const x = unreadExchange(this.#reader.method, this.#reader.target, this.#reader.version, this.info);
    this.#x = x;
    this.#owner.locate(x);
    this.#owner.corridor.refuse(x, this, refusal);
  }

  #expireHead(): void {
    if (this.#headBegan !== 0 && this.#head.waiting) this.#refuseHead(refuse('head-timeout', 'the head did not arrive within head-time'));
    else this.socket.destroy();
  }

  // ---- BodyOwner

  bodyWanted(): void {
    if (this.#expectsContinue) {
      this.#expectsContinue = false;
      this.socket.write(CONTINUE, 'latin1');
    }
    this.socket.resume();
  }

  pauseReading(): void {
    this.socket.pause();
  }

  resumeReading(): void {
    if (this.#phase === 'busy') this.socket.resume();
  }

  bodyEnded(rest: Buffer | undefined): void {
    if (rest !== undefined) this.#hold(rest);
    this.#expectsContinue = false;
    if (!this.#answered) this.deadline = Number.POSITIVE_INFINITY;
    this.socket.resume();
  }

  // ---- ClientSide

  respond(status: number, headers: HeaderList, body: Buffer | string | undefined): void {
    if (this.#answering || this.#phase !== 'busy') return;
    const length = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    this.start(status, headers, length);
    if (body !== undefined && length > 0) this.write(typeof body === 'string' ? Buffer.from(body) : body);
    this.end(undefined);
  }

  start(status: number, headers: HeaderList, length: number | undefined): void {
    if (this.#answering || this.#phase !== 'busy') return;
    if (this.#body !== undefined && !this.#body.complete && !this.#requestGoesOn()) this.#keepAlive = false;
    const noBody = status === 204 || status === 304;
    this.#framing = noBody ? 'none' : this.#framingOf(length);
    this.#headOut = answerHead(status, headers, this.#framing, this.#connectionField());
    this.#answering = true;
    this.#bodiless ||= noBody;
    if (this.#x !== undefined) this.#x.status = status;
    if (length !== 0) process.nextTick(flushHead, this);
  }

  write(chunk: Buffer): boolean {
    if (!this.#answering || this.#phase !== 'busy' || this.#bodiless || chunk.length === 0) return true;
    if (this.#x !== undefined) this.#x.responseBytes += chunk.length;
    const flowing = this.#framing === 'chunked' ? this.#writeChunk(chunk) : this.#writePlain(chunk);
    if (!flowing) this.deadline = performance.now() + this.#owner.bounds.idleTime;
    return flowing;
  }

  end(_trailers: HeaderList | undefined): void {
    if (!this.#answering || this.#answered || this.#phase !== 'busy') return;
    this.flushHead();
    if (this.#framing === 'chunked' && !this.#bodiless) this.socket.write('0\r\n\r\n', 'latin1');
    this.#answered = true;
    this.#finish();
  }

  abort(): void {
    this.socket.destroy();
  }

  upgrade(headers: HeaderList): { socket: Duplex; rest: Buffer } {
    const rest = this.#pending ?? Buffer.alloc(0);
    this.#pending = undefined;
    this.#phase = 'gone';
    this.deadline = Number.POSITIVE_INFINITY;
    this.#letGo();
    this.socket.pause();
    this.socket.on('close', () => this.#owner.closed(this));
    this.socket.write(answerHead(101, headers, 'none', 'connection: upgrade\r\nupgrade: websocket\r\n'), 'latin1');
    if (this.#x !== undefined) this.#x.status = 101;
    return { socket: this.socket, rest };
  }

  /** Writes the head of an answer when no body has taken it along. */
  flushHead(): void {
    if (this.#headOut === undefined || this.#phase === 'gone') return;
    const head = this.#headOut;
    this.#headOut = undefined;
    this.socket.write(head, 'latin1');
  }

  // ---- writing

  #framingOf(length: number | undefined): AnswerFraming {
    if (length !== undefined) return length;
    if (this.#version === '1.1') return 'chunked';
    this.#keepAlive = false;
    return 'close';
  }

  /** Whether an unread rest of the request is sure to be read by somebody, or could be skipped at once. */
  #requestGoesOn(): boolean {
    const body = this.#body as Http1Body;
    return body.broken === undefined && !this.#expectsContinue && (body.started || body.skip());
  }

  #connectionField(): string {
    if (!this.#keepAlive) return CLOSE;
    return this.#version === '1.0' ? KEEP_ALIVE_10 : '';
  }

  #writePlain(chunk: Buffer): boolean {
    const head = this.#headOut;
    if (head === undefined) return this.socket.write(chunk);
    this.#headOut = undefined;
    if (chunk.length <= JOINED_BYTES) return this.socket.write(joined(head, chunk, ''));
    this.socket.write(head, 'latin1');
    return this.socket.write(chunk);
  }

  #writeChunk(chunk: Buffer): boolean {
    const before = `${this.#headOut ?? ''}${chunk.length.toString(16)}\r\n`;
    this.#headOut = undefined;
    if (chunk.length <= JOINED_BYTES) return this.socket.write(joined(before, chunk, '\r\n'));
    this.socket.write(before, 'latin1');
    this.socket.write(chunk);
    return this.socket.write('\r\n', 'latin1');
  }

  /** The answer is out. The connection goes on, or it closes when the client has had time to read. */
  #finish(): void {
    this.#x = undefined;
    this.watcher = undefined;
    const complete = this.#body === undefined || this.#body.complete;
    if (this.#keepAlive && complete) this.#next();
    else this.#linger();
  }

  #next(): void {
    this.#phase = 'head';
    this.#body = undefined;
    this.#headBegan = 0;
    this.deadline = performance.now() + this.#owner.bounds.idleTime;
    this.#owner.idle(this);
    if (this.#owner.draining) this.socket.destroy();
    else if (this.#pending !== undefined) setImmediate(readPending, this);
  }

  /** Goes on with bytes that came behind the last request, on a fresh stack so that pipelining cannot nest. */
  readPending(): void {
    const pending = this.#pending;
    if (pending === undefined || this.#phase !== 'head') return;
    this.#pending = undefined;
    this.socket.resume();
    this.#readHead(pending);
  }

  /**
   * Ends our side and reads on for a while: closing with unread bytes would reset the connection and could take the answer away
   * from the client (RFC 9112 section 9.6). Nothing that comes is ever read as a request.
   */
  #linger(): void {
    this.#phase = 'linger';
    this.#pending = undefined;
    this.deadline = performance.now() + LINGER_MS;
    this.socket.end();
    this.socket.resume();
  }

  #discard(chunk: Buffer): void {
    this.#lingered += chunk.length;
    if (this.#lingered > LINGER_BYTES) this.socket.destroy();
  }

  // ---- the socket

  readonly #onSocketDrain = (): void => {
    if (this.#phase === 'busy' && this.#answering) this.deadline = Number.POSITIVE_INFINITY;
    this.watcher?.clientDrained();
  };

  /**
   * The client has closed its side. Nearly always it has left; a few clients close their half behind the last request and wait, so an
   * answer that has begun is finished, and one that has not gets a moment before the call that runs for it is given up.
   */
  readonly #onEnd = (): void => {
    this.#keepAlive = false;
    if (this.#phase === 'head' && this.#head.waiting) this.#refuseHead(refuse('request-line', 'the connection ended within the head'));
    else if (this.#phase !== 'busy') this.socket.destroy();
    else if (this.#body !== undefined && !this.#body.complete) this.#body.breakOff(refuse('body-malformed', 'the connection ended within the body'));
    else if (!this.#answering) this.deadline = performance.now() + HALF_CLOSED_MS;
  };

  readonly #onError = (): void => {
    this.socket.destroy();
  };

  readonly #onClose = (): void => {
    const busy = this.#phase === 'busy';
    this.#phase = 'gone';
    this.deadline = Number.POSITIVE_INFINITY;
    this.#owner.closed(this);
    if (!busy) return;
    this.#body?.breakOff(refuse('client-gone', 'the client closed the connection'));
    this.watcher?.clientGone();
  };

  /** The socket is somebody else's from here on. */
  #letGo(): void {
    this.socket.removeListener('data', this.#onData);
    this.socket.removeListener('end', this.#onEnd);
    this.socket.removeListener('drain', this.#onSocketDrain);
    this.socket.removeListener('close', this.#onClose);
  }
}

function flushHead(connection: Http1Connection): void {
  connection.flushHead();
}

function readPending(connection: Http1Connection): void {
  connection.readPending();
}

/** One empty line before a request line is ignored (RFC 9112 section 2.2): old clients send one behind a body. */
function withoutEmptyLine(chunk: Buffer): Buffer {
  return chunk[0] === CR && chunk[1] === LF ? chunk.subarray(2) : chunk;
}

function joined(head: string, chunk: Buffer, tail: string): Buffer {
  const whole = Buffer.allocUnsafe(head.length + chunk.length + tail.length);
  whole.write(head, 0, 'latin1');
  chunk.copy(whole, head.length);
  if (tail !== '') whole.write(tail, head.length + chunk.length, 'latin1');
  return whole;
}

