import { Readable } from 'node:stream';
import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { BodySink, BodySource } from '../../exchange/body-source.ts';
import type { CatalogueCode } from '../../exchange/decision.ts';
import type { HeaderList } from '../../exchange/headers.ts';
import type { AnswerSink, Call, CallHandle } from '../../exchange/service.ts';
import { AnswerFraming } from './answer-framing.ts';

const MOST_INTERIM = 16;
const MOST_FIELDS = 200;

/** One call through undici: its handler, and the handle that the caller keeps. */
export class UndiciCall implements CallHandle, Dispatcher.DispatchHandler {
  /** How many calls the connection had served before; set by the client that takes the call. */
  served: () => number = () => 0;
  onServed: () => void = () => {};

  readonly #call: Call;
  readonly #answer: AnswerSink;
  readonly #done: () => void;
  readonly #framing = new AnswerFraming();
  #controller: Dispatcher.DispatchController | undefined;
  #body: SourceStream | undefined;
  #over = false;
  #answered = false;
  #headed = false;
  #interim = 0;
  #refusal: string | undefined;

  constructor(call: Call, answer: AnswerSink, done: () => void) {
    this.#call = call;
    this.#answer = answer;
    this.#done = done;
  }

  options(): Dispatcher.DispatchOptions {
    const { method, target, headers, body, upgrade } = this.#call;
    const source = body !== undefined && !Buffer.isBuffer(body) ? body : undefined;
    if (source !== undefined) this.#body = new SourceStream(source, () => this.cancel());
    return {
      method,
      path: target,
      headers: source?.length === undefined ? headers : [...headers, 'content-length', String(source.length)],
      body: this.#body ?? (body as Buffer | undefined) ?? null,
      upgrade: upgrade ? 'websocket' : null,
    };
  }

  failSoon(code: CatalogueCode, reason: string): void {
    process.nextTick(() => this.#fail(code, reason, true, false));
  }

  resume(): void {
    if (!this.#over) this.#controller?.resume();
  }

  cancel(): void {
    if (this.#over) return;
    this.#end();
    this.#controller?.abort(new Error('cancelled'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error('cancelled'));
  }

  onResponseStarted(): void {
    this.#answered = true;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.#over) return;
    if (status < 200) {
      if (++this.#interim > MOST_INTERIM) this.#refuse(controller, 'too many interim answers');
      return;
    }
    const head = { status, version: '1.1' as const, headers: headerList(controller.rawHeaders) };
    if (status > 599) this.#refuse(controller, 'the status code is malformed');
    else if (head.headers.length > MOST_FIELDS * 2) this.#refuse(controller, 'more fields than allowed');
    else if (!this.#framing.read(head, this.#call.method === 'HEAD')) this.#refuse(controller, this.#framing.reason);
    else {
      this.#headed = true;
      this.#answer.onHead(status, head.headers, this.#framing.length);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over && !this.#answer.onData(chunk)) controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#over) return;
    this.onServed();
    this.#end();
    const trailers = headerList(controller.rawTrailers);
    this.#answer.onEnd(trailers.length > 0 ? trailers : undefined);
  }

  onRequestUpgrade(controller: Dispatcher.DispatchController, _status: number, _headers: unknown, socket: Duplex): void {
    socket.on('error', () => {});
    const head = { status: 101, version: '1.1' as const, headers: headerList(controller.rawHeaders) };
    if (this.#over) socket.destroy();
    else if (!this.#framing.read(head, true) || this.#framing.upgrade.toLowerCase() !== 'websocket') {
      socket.destroy();
      this.#fail('upstream-malformed', '101 to another protocol', false, false);
    } else {
      this.#end();
      this.#answer.onUpgrade(head.headers, socket, Buffer.alloc(0));
    }
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#controller === undefined) {
      // Not begun: the connection could not be made. It may be told from within `dispatch`, so later.
      this.failSoon('upstream-connect', nameOf(error));
    } else if (this.#refusal !== undefined) this.#fail('upstream-malformed', this.#refusal, false, false);
    else if (isMalformed(error, this.#headed)) this.#fail('upstream-malformed', nameOf(error), false, false);
    else this.#fail('upstream-closed', nameOf(error), false, this.served() > 0 && !this.#answered);
  }

  #refuse(controller: Dispatcher.DispatchController, reason: string): void {
    this.#refusal = reason;
    controller.abort(new Error(reason));
  }

  #fail(code: CatalogueCode, reason: string, untouched: boolean, stale: boolean): void {
    if (this.#over) return;
    this.#end();
    this.#answer.onFault(stale ? { code, reason, untouched, stale } : { code, reason, untouched });
  }

  #end(): void {
    this.#over = true;
    this.#body?.leave();
    this.#done();
  }
}

/** A request body as the stream that undici wants. The source starts with the first read: when the connection stands. */
class SourceStream extends Readable implements BodySink {
  readonly #source: BodySource;
  readonly #broken: () => void;
  #started = false;
  #left = false;

  constructor(source: BodySource, broken: () => void) {
    super({ highWaterMark: 64 * 1024 });
    this.#source = source;
    this.#broken = broken;
    this.on('error', () => {});
  }

  override _read(): void {
    if (this.#left) return;
    if (this.#started) return this.#source.resume();
    this.#started = true;
    this.#source.start(this);
  }

  onData(chunk: Buffer): void {
    if (!this.#left && !this.push(chunk)) this.#source.pause();
  }

  onEnd(_trailers: HeaderList | undefined): void {
    if (!this.#left) this.push(null);
  }

  onBroken(): void {
    if (this.#left) return;
    this.#broken();
  }

  /** The call is over: nothing more is taken from the source. */
  leave(): void {
    this.#left = true;
  }
}

/** Names and values as undici read them, in the form of every header list. */
function headerList(raw: Dispatcher.DispatchController['rawHeaders']): HeaderList {
  if (!Array.isArray(raw)) return [];
  const list: HeaderList = [];
  for (let i = 0; i < raw.length; i += 2) {
    list.push(raw[i].toString('latin1').toLowerCase(), trimmed(raw[i + 1].toString('latin1')));
  }
  return list;
}

/** Without the spaces and tabs at either end; `trim` would also take 0xa0 away. */
function trimmed(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && isBlank(value.charCodeAt(from))) from++;
  while (to > from && isBlank(value.charCodeAt(to - 1))) to--;
  return value.slice(from, to);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** Some answers fail an assertion of undici's, such as a status code of 000. */
const MALFORMED_CODES = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RESPONSE', 'ERR_ASSERTION']);
const MALFORMED_MESSAGES = new Set(['bad response', 'bad upgrade']);

function isMalformed(error: Error, headed: boolean): boolean {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (error.name === 'HTTPParserError') return !error.message.includes('Invalid EOF state');
  // A parse error in the head is told in the words of a body that is too short.
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return !headed;
  return MALFORMED_CODES.has(code) || MALFORMED_MESSAGES.has(error.message);
}

/** Codes only: messages may hold what the service sent. */
function nameOf(error: Error): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code ?? (error.message.length < 80 ? error.message : error.name);
}
