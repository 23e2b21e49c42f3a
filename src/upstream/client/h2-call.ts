import http2, { type ClientHttp2Stream } from 'node:http2';
import type { BodySink, BodySource } from '../../exchange/body-source.ts';
import type { CatalogueCode } from '../../exchange/decision.ts';
import type { HeaderList } from '../../exchange/headers.ts';
import type { AnswerSink, Call, CallHandle, UpstreamFault } from '../../exchange/service.ts';
import { AnswerFraming } from './answer-framing.ts';
import type { H2Connection } from './h2-connection.ts';

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR, NGHTTP2_REFUSED_STREAM } =
  http2.constants;

const MOST_INTERIM = 16;

/** One call as one HTTP/2 stream: its handle, and the sink of the request body. */
export class H2Call implements CallHandle, BodySink {
  readonly call: Call;
  over = false;

  readonly #answer: AnswerSink;
  readonly #done: () => void;
  #connection: H2Connection | undefined;
  #stream: ClientHttp2Stream | undefined;
  #status = 0;
  #toHead = false;
  #length: number | undefined;
  #received = 0;
  #interim = 0;
  #trailers: HeaderList | undefined;
  #endStream = false;
  #refusal: string | undefined;
  /** How much of the request body was written. */
  #written = 0;
  #paused = false;
  #requestTrailers: HeaderList | undefined;

  constructor(call: Call, answer: AnswerSink, done: () => void) {
    this.call = call;
    this.#answer = answer;
    this.#done = done;
  }

  resume(): void {
    if (!this.over) this.#stream?.resume();
  }

  cancel(): void {
    if (this.over) return;
    this.#end(false);
    this.#reset(NGHTTP2_CANCEL);
  }

  fail(code: CatalogueCode, reason: string, untouched: boolean, stale = false): void {
    if (this.over) return;
    this.#end(false);
    const fault: UpstreamFault = stale ? { code, reason, untouched, stale } : { code, reason, untouched };
    this.#answer.onFault(fault);
  }

  /** Opens the stream and writes the request; called once, when the connection stands. */
  begin(connection: H2Connection): void {
    this.#connection = connection;
    const { body } = this.call;
    const streamed = body !== undefined && !Buffer.isBuffer(body);
    try {
      this.#stream = connection.request(
        requestHeaders(this.call, connection.pool.tls !== undefined),
        body === undefined,
        streamed,
      );
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'the stream could not be opened';
      return this.fail('upstream-closed', code, true);
    }
    this.#listen(this.#stream);
    if (streamed) this.#begin(body, this.#stream);
    else if (body !== undefined) this.#stream.end(body);
  }

  #begin(body: BodySource, stream: ClientHttp2Stream): void {
    stream.on('drain', () => this.#onDrain());
    stream.on('wantTrailers', () => stream.sendTrailers(trailerObject(this.#requestTrailers)));
    body.start(this);
  }

  #listen(stream: ClientHttp2Stream): void {
    stream.on('headers', (headers) => this.#onInterim(headers[':status']));
    stream.on('response', (...parts) => this.#onResponse(rawOf(parts)));
    stream.on('trailers', (...parts) => {
      this.#trailers = rawOf(parts);
    });
    stream.on('data', (chunk: Buffer) => this.#onChunk(chunk));
    stream.on('end', () => this.#onFinish());
    this.#watchEnd(stream);
    // Every error is followed by `close`, which knows the code of a reset.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // nghttp2 found something that is not HTTP/2 or breaks its rules.
      if (error.code === 'ERR_HTTP2_ERROR') this.#refusal ??= 'not well-formed HTTP/2';
    });
    stream.on('close', () => this.#onClose());
  }

  /**
   * The stream tells of an end also where the service reset it with NO_ERROR in the middle of a body. Only an end that comes before
   * the close of the stream was said by END_STREAM.
   */
  #watchEnd(stream: ClientHttp2Stream): void {
    const push = stream.push;
    stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk === null && !stream.closed) this.#endStream = true;
      return push.call(stream, chunk, encoding);
    };
  }

  /** All of the answer was read. Where the request is not over yet, nobody needs the rest of it: the stream ends here. */
  #onFinish(): void {
    if (this.over || !this.#endStream || !this.#isWhole() || this.#stream?.writableFinished === true) return;
    this.#complete();
    this.#reset(NGHTTP2_NO_ERROR);
  }

  #onInterim(status: number | undefined): void {
    this.#connection?.heard();
    if (status === 101) this.#refuse('101 in HTTP/2');
    else if (++this.#interim > MOST_INTERIM) this.#refuse('too many interim answers');
  }

  #onResponse(headers: HeaderList): void {
    if (this.over || this.#refusal !== undefined) return;
    this.#connection?.heard();
    const status = Number(headers[headers.indexOf(':status') + 1]);
    const fields = headers.filter((_, i) => !headers[i & ~1].startsWith(':'));
    const framing = new AnswerFraming();
    this.#toHead = this.call.method === 'HEAD' || status === 204 || status === 304;
    if (!(status >= 200 && status <= 599)) return this.#refuse('the status code is malformed');
    if (!framing.read({ status, version: '1.1', headers: fields }, this.call.method === 'HEAD'))
      return this.#refuse(framing.reason);
    this.#status = status;
    this.#length = framing.length;
    this.#answer.onHead(status, fields, framing.length);
  }

  #onChunk(chunk: Buffer): void {
    if (this.over || this.#status === 0) return;
    this.#connection?.heard();
    this.#received += chunk.length;
    if (!this.#answer.onData(chunk)) this.#stream?.pause();
  }

  /** The stream is over, one way or the other. */
  #onClose(): void {
    if (this.over) return;
    const code = this.#stream?.rstCode ?? NGHTTP2_NO_ERROR;
    if (this.#endStream && code === NGHTTP2_NO_ERROR && this.#isWhole()) return this.#complete();
    const connection = this.#connection as H2Connection;
    if (this.#refusal !== undefined) return this.fail('upstream-malformed', this.#refusal, false);
    const id = this.#stream?.id;
    const untouched = id === undefined || id > connection.lastStream || code === NGHTTP2_REFUSED_STREAM;
    if (untouched) return this.fail('upstream-closed', 'the service did not take the stream', true);
    const isMalformed = code === NGHTTP2_PROTOCOL_ERROR || code === NGHTTP2_ENHANCE_YOUR_CALM;
    if (isMalformed) return this.fail('upstream-malformed', connection.error ?? `reset with ${code}`, false);
    const stale = this.#status === 0 && connection.served > 0 && connection.ended;
    this.fail('upstream-closed', connection.error ?? `the stream ended with ${code}`, false, stale);
  }

  #isWhole(): boolean {
    if (this.#status === 0) return false;
    return this.#toHead || this.#length === undefined || this.#length === this.#received;
  }

  #complete(): void {
    this.#end(true);
    this.#answer.onEnd(this.#trailers);
  }

  #refuse(reason: string): void {
    this.#refusal ??= reason;
    this.#reset(NGHTTP2_PROTOCOL_ERROR);
  }

  /** Ends the stream early. What still comes is thrown away: the flow must go on, so that the stream can close. */
  #reset(code: number): void {
    const stream = this.#stream;
    if (stream === undefined || stream.destroyed) return;
    stream.close(code);
    stream.resume();
  }

  #end(answered: boolean): void {
    this.over = true;
    this.#done();
    if (this.#connection !== undefined) this.#connection.left(answered);
  }

  onData(chunk: Buffer): void {
    if (this.over || chunk.length === 0) return;
    this.#written += chunk.length;
    const { length } = this.call.body as BodySource;
    if (length !== undefined && this.#written > length) return this.#breakOff('the request body is longer than declared');
    if (this.#stream?.write(chunk) !== false || this.#paused) return;
    this.#paused = true;
    (this.call.body as BodySource).pause();
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (this.over) return;
    const { length } = this.call.body as BodySource;
    if (length !== undefined && this.#written !== length) return this.#breakOff('the request body is shorter than declared');
    this.#requestTrailers = trailers;
    this.#stream?.end();
  }

  /** An incomplete body is never finished: the service sees a reset. */
  onBroken(): void {
    this.cancel();
  }

  #breakOff(reason: string): void {
    this.fail('internal', reason, false);
    this.#reset(NGHTTP2_CANCEL);
  }

  #onDrain(): void {
    if (!this.#paused || this.over) return;
    this.#paused = false;
    (this.call.body as BodySource).resume();
  }
}

/** Events give the fields as an object first, and last as the flat list that came. */
function rawOf(parts: readonly unknown[]): HeaderList {
  return parts[2] as HeaderList;
}

/** Fields that mean a connection, which HTTP/2 must not have (RFC 9113 section 8.2.2). */
const NOT_IN_H2 = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'content-length',
]);

function requestHeaders(call: Call, secure: boolean): string[] {
  const { headers, body } = call;
  const list = [':method', call.method, ':scheme', secure ? 'https' : 'http', ':path', call.target];
  const host = headers.indexOf('host');
  if (host >= 0) list.push(':authority', headers[host + 1]);
  for (let i = 0; i < headers.length; i += 2) {
    if (!NOT_IN_H2.has(headers[i])) list.push(headers[i], headers[i + 1]);
    else if (headers[i] === 'te' && headers[i + 1] === 'trailers') list.push('te', 'trailers');
  }
  if (body?.length !== undefined) list.push('content-length', String(body.length));
  return list;
}

function trailerObject(list: HeaderList | undefined): Record<string, string[]> {
  const trailers = Object.create(null) as Record<string, string[]>;
  for (let i = 0; i < (list?.length ?? 0); i += 2) {
    const name = (list as HeaderList)[i];
    trailers[name] ??= [];
    trailers[name].push((list as HeaderList)[i + 1]);
  }
  return trailers;
}
