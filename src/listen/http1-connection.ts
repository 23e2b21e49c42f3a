import type { Duplex } from 'node:stream';
import { type Refusal, refuse } from '../exchange/decision.ts';
import type { ConnectionInfo, Exchange } from '../exchange/exchange.ts';
import type { HeaderList } from '../exchange/headers.ts';
import { type AnswerFraming, answerHead } from '../exchange/http1/answer-head.ts';
import { CR, LF } from '../exchange/http1/bytes.ts';
import { HeadBuffer } from '../exchange/http1/head-buffer.ts';
import { type HeadReader, INCOMPLETE, MALFORMED } from '../exchange/http1/head-reader.ts';
import type { ClientSide, ClientWatcher } from '../pipeline/client.ts';
import type { Bounds, ConnectionOwner } from './corridor.ts';
import { AnswerWriter } from './http1-answer.ts';
import { type BodyOwner, Http1Body } from './http1-body.ts';
import { RequestClock } from './http1-clock.ts';
import { type ReadRequest, readRequest, toExchange, unreadExchange } from './read-request.ts';

/**
 * What a client sends behind its last answer is read on and thrown away for this long and this far: simple clients write a body to its
 * end before they look for an answer, and a reset would take the 413 away from them.
 */
const LINGER_MS = 2000;
const LINGER_BYTES = 16 * 1024 * 1024;

/** How long a silent call goes on for a client that has closed its half of the connection. */
const HALF_CLOSED_MS = 1000;

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const EMPTY = Buffer.alloc(0);
const BARE_CR = Buffer.from('\r\r');

type Phase = 'head' | 'busy' | 'linger' | 'tunnel' | 'gone';

/**
 * One HTTP/1 connection of a client: reads requests one after the other with the strict reader, hands each to the corridor, and
 * writes its answer before it looks at the next. It is the `ClientSide` of the request that it is busy with.
 */
export class Http1Connection implements ClientSide, BodyOwner {
  watcher: ClientWatcher | undefined = undefined;

  readonly info: ConnectionInfo;
  readonly socket: Duplex;
  readonly #owner: ConnectionOwner<Http1Connection>;
  readonly #reader: HeadReader;
  readonly #head = new HeadBuffer();
  #phase: Phase = 'head';
  #requests = 0;
  /** When the head began to arrive; 0 while nothing of it is there. A new connection's begins with its opening. */
  #headBegan: number;
  /** When the time of a phase other than `busy` is over. */
  #deadline: number;
  /** How much of the one empty line before a request was there. */
  #emptyLine: 0 | 1 | 2 = 0;
  /** The client has closed its half: nothing more will come. */
  #halfClosed = false;

  // the request that is being served
  readonly #clock = new RequestClock();
  #x: Exchange | undefined = undefined;
  #body: Http1Body | undefined = undefined;
  #expectsContinue = false;
  #keepAlive = true;
  /** The client means to send more requests: we are who ends the connection. */
  #hasMore = true;
  #version: '1.0' | '1.1' = '1.1';
  readonly #answer: AnswerWriter;
  /** Bytes behind the request that is being served. */
  #pending: Buffer | undefined = undefined;
  #lingered = 0;
  /** How many bytes the tunnel had passed, when it was last looked at. */
  #passed = 0;
  /** What still comes is a request that another gateway would have served. */
  #late = false;

  constructor(socket: Duplex, info: ConnectionInfo, owner: ConnectionOwner<Http1Connection>, reader: HeadReader) {
    this.socket = socket;
    this.info = info;
    this.#owner = owner;
    this.#reader = reader;
    this.#answer = new AnswerWriter(socket);
    this.#headBegan = performance.now();
    this.#deadline = this.#headBegan + headTime(owner.bounds);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onSocketDrain);
    socket.on('finish', this.#onFinish);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  /** True while no request is being served and none has begun to arrive. */
  get idle(): boolean {
    return this.#phase === 'head' && !this.#head.waiting && this.#pending === undefined;
  }

  /** Ends what has lasted too long at `now`. */
  sweep(now: number): void {
    if (this.#phase === 'tunnel') {
      this.#sweepTunnel(now);
      return;
    }
    if (now < (this.#phase === 'busy' ? this.#clock.due : this.#deadline)) return;
    try {
      this.#expire(now);
    } catch (error) {
      this.#broke(error);
    }
  }

  #expire(now: number): void {
    if (this.#phase === 'head') this.#expireHead();
    else if (this.#phase === 'busy') this.#expireBusy(now);
    else this.socket.destroy();
  }

  #expireHead(): void {
    if (this.#headBegan === 0) this.#leave();
    else this.#refusePart(refuse('head-timeout', 'the head did not arrive within head-time'));
  }

  #expireBusy(now: number): void {
    const code = this.#clock.overdue(now);
    if (code === undefined || this.#body === undefined) {
      this.socket.destroy();
      return;
    }
    this.#clock.received();
    const bound = code === 'body-timeout' ? 'body-time' : 'request-time';
    this.#body.breakOff(refuse(code, `the body did not arrive within ${bound}`));
  }

  #sweepTunnel(now: number): void {
    const passed = (this.#x?.requestBytes ?? 0) + (this.#x?.responseBytes ?? 0);
    if (passed !== this.#passed) {
      this.#passed = passed;
      this.#deadline = now + this.#owner.bounds.tunnelIdle;
    } else if (now >= this.#deadline) {
      this.#deadline = Number.POSITIVE_INFINITY;
      this.#endTunnel(refuse('tunnel-idle', 'nothing passed over the WebSocket within tunnel-idle'), false);
    }
  }

  #endTunnel(refusal: Refusal, politely: boolean): void {
    try {
      this.watcher?.endTunnel(refusal, politely);
    } catch (error) {
      this.#broke(error);
    }
  }

  /** The gateway ends soon: a WebSocket is told so, where it can be. */
  leaveTunnel(): void {
    if (this.#phase === 'tunnel') this.#endTunnel(refuse('shutting-down', 'the gateway is leaving'), true);
  }

  /** The gateway leaves: an idle connection closes now, a busy one after its answer. */
  drain(): void {
    this.#keepAlive = false;
    if (this.idle) this.#leave();
  }

  /** Closes at once, but not before everything is written. */
  #leave(): void {
    if (this.socket.writableLength === 0) this.socket.destroy();
    else this.#linger();
  }

  /** A defect of ours ends the connection on which it showed, and nothing else. */
  #broke(error: unknown): void {
    this.#owner.broke(error);
    this.socket.destroy();
  }

  // ---- reading

  readonly #onData = (chunk: Buffer): void => {
    try {
      if (this.#phase === 'head') this.#readHead(chunk);
      else if (this.#phase === 'busy') this.#readBusy(chunk);
      else if (this.#phase === 'linger') this.#discard(chunk);
    } catch (error) {
      this.#broke(error);
    }
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
    const bytes = this.#head.waiting ? chunk : this.#skipEmptyLine(chunk);
    const end = bytes.length === 0 ? INCOMPLETE : this.#head.read(this.#reader, bytes);
    if (end === INCOMPLETE) this.#headIncomplete();
    else if (end === MALFORMED) this.#refuseHead(refuse(this.#reader.code, this.#reader.reason));
    else this.#request(this.#head.bytes, end);
  }

  /**
   * One empty line before a request line is ignored (RFC 9112 section 2.2): old clients send one behind a body. It may come in
   * pieces, and does not count as the beginning of a request.
   */
  #skipEmptyLine(chunk: Buffer): Buffer {
    if (this.#emptyLine === 2 || (this.#emptyLine === 0 && chunk[0] !== CR)) return chunk;
    const at = 1 - this.#emptyLine;
    this.#emptyLine = 1;
    if (at === chunk.length) return EMPTY;
    // The reader refuses a bare CR.
    if (chunk[at] !== LF) return BARE_CR;
    this.#emptyLine = 2;
    return chunk.subarray(at + 1);
  }

  #headIncomplete(): void {
    if (this.#halfClosed) this.#endInHead();
    else if (this.#headBegan === 0 && this.#head.waiting) this.#headBegins();
  }

  /** The first byte of a request on a kept connection starts its time; a new connection's time runs from its opening. */
  #headBegins(): void {
    this.#headBegan = performance.now();
    this.#deadline = this.#headBegan + headTime(this.#owner.bounds);
    this.#owner.headBegun(this);
  }

  #request(bytes: Buffer, end: number): void {
    const request = readRequest(this.#reader, this.info);
    this.#head.release();
    if (request.kind === 'refusal') {
      this.#refuseHead(request);
      return;
    }
    this.#begin(request.head.method);
    this.#accept(request);
    const x = this.#exchange(request);
    const refusal = this.#owner.locate(x);
    if (end < bytes.length) this.#readBusy(bytes.subarray(end));
    if (refusal === undefined) this.#owner.corridor.handle(x, this);
    else this.#owner.corridor.refuse(x, this, refusal);
  }

  #begin(method: string): void {
    this.#phase = 'busy';
    this.#answer.next(method);
    this.#requests++;
    this.watcher = undefined;
    this.#clock.clear();
    this.#owner.busy(this);
  }

  #accept(request: ReadRequest): void {
    const { bounds, draining } = this.#owner;
    this.#version = request.head.version === '1.0' ? '1.0' : '1.1';
    this.#hasMore = request.keepAlive;
    this.#keepAlive = request.keepAlive && !draining && this.#requests < bounds.requestsPerConnection;
    this.#expectsContinue = request.expectsContinue;
    this.#body = request.hasBody ? new Http1Body(this, request.length) : undefined;
  }

  #exchange(request: ReadRequest): Exchange {
    const x = toExchange(request.head, this.info, this.#body, request.upgrade);
    this.#x = x;
    if (this.#body !== undefined) {
      const { bodyTime, requestTime } = this.#owner.bounds;
      this.#clock.receive(x.began + bodyTime, (this.#headBegan || x.began) + requestTime);
    }
    if (this.#halfClosed) this.#clock.answer(x.began + HALF_CLOSED_MS);
    return x;
  }

  /** Refuses the head that the reader has read last. */
  #refuseHead(refusal: Refusal): void {
    const { method, target, version } = this.#reader;
    this.#begin(method);
    this.#keepAlive = false;
    this.#body = undefined;
    this.#version = '1.1';
    const x = unreadExchange(method, target, version, this.info);
    this.#x = x;
    this.#owner.locate(x);
    this.#owner.corridor.refuse(x, this, refusal);
  }

  /** Refuses a head of which no more will come. All connections share the reader, so it has to look at this one's part again. */
  #refusePart(refusal: Refusal): void {
    this.#head.drop(this.#reader);
    this.#refuseHead(refusal);
  }

  // ---- BodyOwner

  bodyWanted(): void {
    if (this.#halfClosed) {
      this.#body?.breakOff(refuse('body-malformed', 'the connection ended within the body'));
      return;
    }
    if (this.#expectsContinue) {
      this.#expectsContinue = false;
      this.socket.write(CONTINUE, 'latin1');
    }
    this.resumeReading();
  }

  pauseReading(): void {
    this.socket.pause();
    this.#clock.hold(performance.now());
  }

  resumeReading(): void {
    if (this.#phase !== 'busy' || this.#pending !== undefined) return;
    this.#clock.flow(performance.now());
    this.socket.resume();
  }

  bodyEnded(rest: Buffer | undefined): void {
    this.#expectsContinue = false;
    this.#clock.received();
    if (rest === undefined) this.socket.resume();
    else this.#hold(rest);
  }

  // ---- ClientSide

  respond(status: number, headers: HeaderList, body: Buffer | string | undefined): void {
    if (this.#answer.begun || this.#phase !== 'busy') return;
    const length = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    this.start(status, headers, length);
    if (body !== undefined && length > 0) this.write(typeof body === 'string' ? Buffer.from(body) : body);
    this.end(undefined);
  }

  start(status: number, headers: HeaderList, length: number | undefined): void {
    if (this.#answer.begun || this.#phase !== 'busy') return;
    if (this.#body !== undefined && !this.#body.complete && !this.#requestGoesOn(this.#body)) this.#keepAlive = false;
    const framing = status === 204 || status === 304 ? 'none' : this.#framingOf(length);
    this.#answer.begin(status, headers, framing, this.#keepAlive, this.#version);
    if (this.#halfClosed) this.#clock.answer(performance.now() + HALF_CLOSED_MS);
    if (this.#x !== undefined) this.#x.status = status;
    if (length !== 0) process.nextTick(flushHead, this);
  }

  write(chunk: Buffer): boolean {
    if (!this.#answer.begun || this.#phase !== 'busy' || this.#answer.bodiless || chunk.length === 0) return true;
    if (this.#x !== undefined) this.#x.responseBytes += chunk.length;
    const flowing = this.#answer.write(chunk);
    if (!flowing) this.#clock.answer(performance.now() + this.#owner.bounds.idleTime);
    else if (this.#halfClosed) this.#clock.answer(performance.now() + HALF_CLOSED_MS);
    return flowing;
  }

  end(_trailers: HeaderList | undefined): void {
    if (!this.#answer.begun || this.#answer.ended || this.#phase !== 'busy') return;
    this.#answer.end();
    this.#finish();
  }

  abort(): void {
    // Where the end of the connection is the end of the answer, only a reset tells that this is not it.
    if (this.#answer.begun && this.#answer.framing === 'close') this.#owner.reset(this);
    this.socket.destroy();
  }

  upgrade(headers: HeaderList): { socket: Duplex; rest: Buffer } {
    const rest = this.#pending ?? EMPTY;
    this.#pending = undefined;
    this.#phase = 'tunnel';
    this.#deadline = performance.now() + this.#owner.bounds.tunnelIdle;
    this.#letGo();
    this.socket.pause();
    this.socket.on('close', () => {
      this.#phase = 'gone';
      this.#deadline = Number.POSITIVE_INFINITY;
      this.#owner.closed(this);
    });
    this.socket.write(answerHead(101, headers, 'none', 'connection: upgrade\r\nupgrade: websocket\r\n'), 'latin1');
    if (this.#x !== undefined) this.#x.status = 101;
    return { socket: this.socket, rest };
  }

  /** Writes the head of an answer when no body has taken it along. */
  flushHead(): void {
    if (this.#phase === 'busy') this.#answer.flush();
  }

  #framingOf(length: number | undefined): AnswerFraming {
    if (length !== undefined) return length;
    if (this.#version === '1.1') return 'chunked';
    this.#keepAlive = false;
    return 'close';
  }

  /**
   * Whether the connection goes on behind an answer that begins before the request has come in whole: only where the rest could be skipped
   * at once. A service that answers in the midst of an upload reads no more of it, and a client that was not told `close` sends on.
   */
  #requestGoesOn(body: Http1Body): boolean {
    return body.broken === undefined && !this.#expectsContinue && body.skip();
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
    this.#emptyLine = 0;
    this.#deadline = performance.now() + this.#owner.bounds.idleTime;
    this.#owner.idle(this);
    if (this.#pending !== undefined || this.#halfClosed || this.socket.writableNeedDrain) this.#goOn();
  }

  /** Between two requests, with bytes of the next one, or none to come. A client that does not take its answers gets no more of them. */
  #goOn(): void {
    if (this.socket.writableNeedDrain) this.socket.pause();
    else if (this.#pending !== undefined) setImmediate(readPending, this);
    else if (this.#halfClosed) this.#endInHead();
    else this.socket.resume();
  }

  /** Goes on with bytes that came behind the last request, on a fresh stack so that pipelining cannot nest. */
  readPending(): void {
    const pending = this.#pending;
    if (pending === undefined || this.#phase !== 'head') return;
    this.#pending = undefined;
    this.socket.resume();
    this.#onData(pending);
  }

  /**
   * Ends our side and reads on for a while: closing with unread bytes would reset the connection and could take the answer away
   * from the client (RFC 9112 section 9.6). Nothing that comes is ever read as a request. The while begins when all is written.
   */
  #linger(): void {
    this.#phase = 'linger';
    this.#late = this.#owner.draining && this.#hasMore && (this.#body === undefined || this.#body.complete);
    if (this.#pending !== undefined) this.#noteLate(this.#pending);
    this.#pending = undefined;
    this.#deadline = performance.now() + this.#owner.bounds.idleTime;
    this.socket.end();
    this.socket.resume();
  }

  /** Requests that come on a connection which the gateway ends because it leaves: one record for the first of them. */
  #noteLate(chunk: Buffer): void {
    // An empty line is no request.
    if (!this.#late || chunk[0] === CR || chunk[0] === LF) return;
    this.#late = false;
    this.#owner.turnedAway(this, refuse('shutting-down', 'a request behind the last one that is served'), performance.now());
  }

  #discard(chunk: Buffer): void {
    this.#noteLate(chunk);
    this.#lingered += chunk.length;
    if (this.#lingered > LINGER_BYTES) this.socket.destroy();
  }

  // ---- the socket

  readonly #onSocketDrain = (): void => {
    try {
      if (this.#phase === 'head') this.#goOn();
      else this.#answerDrained();
    } catch (error) {
      this.#broke(error);
    }
  };

  #answerDrained(): void {
    const by = this.#halfClosed ? performance.now() + HALF_CLOSED_MS : Number.POSITIVE_INFINITY;
    if (this.#phase === 'busy') this.#clock.answer(by);
    this.watcher?.clientDrained();
  }

  readonly #onFinish = (): void => {
    if (this.#phase === 'linger') this.#deadline = performance.now() + LINGER_MS;
  };

  readonly #onEnd = (): void => {
    try {
      this.#clientEnded();
    } catch (error) {
      this.#broke(error);
    }
  };

  /**
   * The client has closed its side. Nearly always it has left; a few clients close their half behind the last request and wait. So what
   * has arrived is answered, as long as something of the answers goes out every moment; then the call that runs for it is given up.
   */
  #clientEnded(): void {
    this.#halfClosed = true;
    if (this.#phase === 'busy') this.#endInRequest();
    else if (this.#phase === 'head') {
      if (this.#pending === undefined && !this.socket.writableNeedDrain) this.#endInHead();
    } else if (this.socket.writableFinished) this.socket.destroy();
  }

  #endInHead(): void {
    if (this.#head.waiting) this.#refusePart(refuse('request-line', 'the connection ended within the head'));
    else this.#linger();
  }

  #endInRequest(): void {
    const body = this.#body;
    // What nobody has begun to read may well be complete: that shows when it is read.
    if (body?.started === true && !body.complete) body.breakOff(refuse('body-malformed', 'the connection ended within the body'));
    else if (!this.socket.writableNeedDrain) this.#clock.answer(performance.now() + HALF_CLOSED_MS);
  }

  readonly #onError = (): void => {
    this.socket.destroy();
  };

  readonly #onClose = (): void => {
    const busy = this.#phase === 'busy';
    this.#phase = 'gone';
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#owner.closed(this);
    if (!busy) return;
    try {
      this.#body?.breakOff(refuse('client-gone', 'the client closed the connection'));
      this.watcher?.clientGone();
    } catch (error) {
      this.#owner.broke(error);
    }
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

/** The time for a whole request is never shorter than that for its head. */
function headTime(bounds: Bounds): number {
  return Math.min(bounds.headTime, bounds.requestTime);
}
