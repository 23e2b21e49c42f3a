import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { problemBody, problemHeaders } from '../errors/problem.ts';
import { mediaTypeOf } from '../exchange/body/content-type.ts';
import { refuseUnreadable } from '../exchange/body/readable.ts';
import type { BodySink } from '../exchange/body-source.ts';
import { type Answer, type Outcome, type Refusal, refuse } from '../exchange/decision.ts';
import type { Exchange, ResponseHead } from '../exchange/exchange.ts';
import { bareResponseHeaders, requestHeaders, responseHeaders } from '../exchange/forward.ts';
import { type HeaderList, headerValue, removeHeader, setHeader } from '../exchange/headers.ts';
import type { AnswerSink, CallHandle, UpstreamFault } from '../exchange/service.ts';
import type { ClientSide, ClientWatcher } from './client.ts';
import type { Hook, RoutePlan, WholeResponse } from './plan.ts';
import { responseTrailers } from './trailers.ts';
import { openTunnel, type Tunnel } from './tunnel.ts';

/** What a walk tells the house when it is over or when something broke. */
export interface WalkOwner {
  /** The exchange is over, in whatever way. Called once. */
  ended(x: Exchange): void;
  /** Something of ours broke: an exception where a decision should have been. */
  broke(x: Exchange, fault: unknown): void;
}

const EMPTY = Buffer.alloc(0);

type Moment = 'requestHead' | 'requestBody' | 'responseHead' | 'responseBody';

/**
 * One exchange walks the corridor of its route: the rooms in order, the call to the service, the rooms again on the answer. A flat
 * machine without promises where nothing waits; every way out leads through `#over`, once.
 */
export class Walk implements AnswerSink, BodySink, ClientWatcher {
  readonly #x: Exchange;
  readonly #client: ClientSide;
  readonly #plan: RoutePlan;
  readonly #owner: WalkOwner;
  #call: CallHandle | undefined = undefined;
  #tunnel: Tunnel | undefined = undefined;
  #ended = false;
  /** The head of the answer is with the client, so nothing but the rest of it can follow. */
  #started = false;
  #pieces: Buffer[] | undefined = undefined;
  #size = 0;
  /** Rooms are still thinking about the head of the service's answer. */
  #judging = false;
  /** The service's answer is complete, while rooms still hold its head. */
  #complete = false;
  #trailers: HeaderList | undefined = undefined;
  #paused = false;

  constructor(x: Exchange, client: ClientSide, plan: RoutePlan, owner: WalkOwner) {
    this.#x = x;
    this.#client = client;
    this.#plan = plan;
    this.#owner = owner;
    client.watcher = this;
  }

  begin(): void {
    const source = this.#x.source;
    if (source !== undefined) {
      source.limit = this.#plan.bodyLimit;
      if (source.length !== undefined && source.length > source.limit) {
        this.finish(refuse('body-too-large', 'the declared length is beyond the bound of the route'));
        return;
      }
    }
    this.#run('requestHead', 0);
  }

  /** Ends the exchange with a room's word. What cannot even be answered is cut off: a client must not wait for ever. */
  finish(outcome: Refusal | Answer): void {
    if (this.#ended) return;
    try {
      if (outcome.kind === 'refusal') this.#refuse(outcome);
      else this.#answer(outcome);
    } catch (fault) {
      this.#tell(fault);
      this.#x.decision = refuse('internal', 'an exception while an answer was written');
      this.#client.abort();
    }
    this.#over();
  }

  // ---- the rooms

  #run(moment: Moment, from: number): void {
    const hooks: readonly Hook[] = this.#plan[moment];
    try {
      for (let i = from; i < hooks.length; i++) {
        const step = hooks[i](this.#x);
        if (step === undefined) continue;
        if ('then' in step) this.#wait(step, moment, i + 1);
        else this.finish(step);
        return;
      }
      this.#after(moment);
    } catch (fault) {
      this.#break(fault);
    }
  }

  #wait(step: Promise<Outcome>, moment: Moment, next: number): void {
    step.then(
      (outcome) => {
        if (this.#ended) return;
        if (outcome === undefined) this.#run(moment, next);
        else this.finish(outcome);
      },
      (fault) => this.#break(fault),
    );
  }

  #after(moment: Moment): void {
    if (moment === 'requestHead') this.#wantBody();
    else if (moment === 'requestBody') this.#send();
    else if (moment === 'responseHead') this.#wantResponse();
    else this.#startAnswer();
  }

  #break(fault: unknown): void {
    this.#tell(fault);
    this.finish(refuse('internal', 'an exception in the corridor'));
  }

  #tell(fault: unknown): void {
    this.#x.fault = fault;
    this.#owner.broke(this.#x, fault);
  }

  // ---- the request's body

  #wantBody(): void {
    const { wholeRequest } = this.#plan;
    if (wholeRequest === undefined) this.#send();
    else if (this.#x.source === undefined) this.#haveBody(EMPTY);
    else this.#readWhole(wholeRequest);
  }

  #readWhole(limit: number): void {
    const source = this.#x.source;
    const refusal = refuseUnreadable(this.#x.head.headers);
    if (refusal !== undefined || source === undefined) {
      this.finish(refusal ?? refuse('internal', 'no body to read'));
      return;
    }
    source.limit = limit;
    if (source.length !== undefined && source.length > limit)
      this.finish(refuse('body-too-large', 'the declared length is beyond what a room reads'));
    else source.start(this);
  }

  #haveBody(body: Buffer): void {
    this.#x.body = body;
    this.#run('requestBody', 0);
  }

  // ---- the call to the service

  #send(): void {
    const x = this.#x;
    const headers = requestHeaders(x, this.#plan.forward);
    if (this.#plan.wholeResponse !== undefined) setHeader(headers, 'accept-encoding', 'identity');
    if (x.upgrade && this.#plan.messages !== undefined) removeHeader(headers, 'sec-websocket-extensions');
    const { path, query, method } = x.head;
    this.#pieces = undefined;
    this.#size = 0;
    const call = {
      method,
      target: query === undefined ? path : `${path}?${query}`,
      headers,
      body: x.source === undefined ? undefined : (x.body ?? x.source),
      upgrade: x.upgrade,
      clientAddress: x.clientAddress,
    };
    const handle = this.#plan.service.call(call, this, x.upstream);
    if (this.#ended) handle.cancel();
    else this.#call = handle;
  }

  onHead(status: number, headers: HeaderList, length: number | undefined): void {
    if (this.#ended) return;
    try {
      this.#x.response = { status, headers: this.#named(responseHeaders(headers)), length, body: undefined };
      this.#judging = true;
      this.#run('responseHead', 0);
    } catch (fault) {
      this.#break(fault);
    }
  }

  /** A piece of the request's body (where a room wants it whole) or of the service's answer: never both at the same time. */
  onData(chunk: Buffer): boolean {
    if (this.#ended) return true;
    try {
      return this.#started ? this.#pass(chunk) : this.#hold(chunk);
    } catch (fault) {
      this.#break(fault);
      return true;
    }
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (this.#ended) return;
    try {
      if (this.#x.response === undefined) this.#haveBody(this.#gathered());
      else if (this.#started) this.#endAnswer(trailers);
      else this.#responseComplete(trailers);
    } catch (fault) {
      this.#break(fault);
    }
  }

  /** The request's body will not be complete. */
  onBroken(refusal: Refusal): void {
    if (refusal.code === 'client-gone') this.clientGone();
    else this.finish(refusal);
  }

  onFault(fault: UpstreamFault): void {
    const broken = this.#x.source?.broken;
    const headers = fault.retryAfter === undefined ? undefined : ['retry-after', String(fault.retryAfter)];
    this.#call = undefined;
    if (broken !== undefined) this.onBroken(broken);
    else this.finish(refuse(fault.code, fault.reason, { headers }));
  }

  onUpgrade(headers: HeaderList, socket: Duplex, rest: Buffer): void {
    this.#call = undefined;
    try {
      if (!this.#ended && this.#accepts(headers)) this.#join(headers, socket, rest);
      else socket.destroy();
    } catch (fault) {
      socket.destroy();
      this.#break(fault);
    }
  }

  /** Whether the service has understood this very handshake; anything else is no WebSocket. */
  #accepts(headers: HeaderList): boolean {
    const key = headerValue(this.#x.head.headers, 'sec-websocket-key') ?? '';
    if (headerValue(headers, 'sec-websocket-accept') === acceptOf(key)) return true;
    this.finish(refuse('upstream-malformed', 'the service accepts a handshake that was not offered'));
    return false;
  }

  #join(headers: HeaderList, socket: Duplex, rest: Buffer): void {
    const client = this.#client.upgrade(this.#named(bareResponseHeaders(headers)));
    this.#started = true;
    this.#tunnel = openTunnel(this.#x, this.#plan, client, { socket, rest }, (refusal) => {
      if (refusal !== undefined) this.#x.decision = refusal;
      if (this.#x.fault !== undefined) this.#owner.broke(this.#x, this.#x.fault);
      this.#over();
    });
  }

  // ---- the answer

  #wantResponse(): void {
    const whole = this.#wholeResponse();
    this.#judging = false;
    if (whole === undefined) this.#startAnswer();
    else if (this.#size > whole.limit) this.#tooLarge(whole);
    else if (this.#complete) this.#haveResponse();
    else if (this.#paused) this.#flow();
  }

  /** Whether a room wants the whole of this answer: what is of no type that a room reads streams past. */
  #wholeResponse(): WholeResponse | undefined {
    const whole = this.#plan.wholeResponse;
    if (whole?.types === undefined) return whole;
    const type = headerValue((this.#x.response as ResponseHead).headers, 'content-type') ?? '';
    return whole.types.has(mediaTypeOf(type)) ? whole : undefined;
  }

  /** Keeps a piece for a room that wants the whole, or still thinks about the head of the answer. */
  #hold(chunk: Buffer): boolean {
    this.#pieces ??= [];
    this.#pieces.push(chunk);
    this.#size += chunk.length;
    return this.#x.response === undefined || this.#holdResponse();
  }

  /** False asks the service to wait while a room thinks about the head. */
  #holdResponse(): boolean {
    const whole = this.#wholeResponse();
    if (this.#judging || whole === undefined) {
      this.#paused = true;
      return false;
    }
    if (this.#size > whole.limit) this.#tooLarge(whole);
    return true;
  }

  #tooLarge(whole: WholeResponse): void {
    if (whole.over === 'refuse') this.finish(refuse('response-refused', 'the answer is larger than a room reads'));
    else this.#startAnswer();
  }

  #responseComplete(trailers: HeaderList | undefined): void {
    this.#complete = true;
    this.#trailers = trailers;
    if (!this.#judging) this.#haveResponse();
  }

  #haveResponse(): void {
    (this.#x.response as ResponseHead).body = this.#gathered();
    this.#run('responseBody', 0);
  }

  #startAnswer(): void {
    const response = this.#x.response as ResponseHead;
    this.#started = true;
    this.#client.start(response.status, response.headers, this.#lengthOf(response));
    if (response.body !== undefined) this.#client.write(response.body);
    else for (const piece of this.#pieces ?? []) this.#client.write(piece);
    this.#pieces = undefined;
    if (this.#complete) this.#endAnswer(this.#trailers);
    else if (this.#paused) this.#flow();
  }

  /** A body that a room has held, and perhaps changed, tells its own length; where there is none the service's word counts. */
  #lengthOf(response: ResponseHead): number | undefined {
    const silent = this.#x.head.method === 'HEAD' || response.status === 304;
    return silent || response.body === undefined ? response.length : response.body.length;
  }

  #flow(): void {
    this.#paused = false;
    this.#call?.resume();
  }

  #pass(chunk: Buffer): boolean {
    const flowing = this.#client.write(chunk);
    if (!flowing) this.#paused = true;
    return flowing;
  }

  #endAnswer(trailers: HeaderList | undefined): void {
    this.#call = undefined;
    this.#client.end(trailers === undefined ? undefined : responseTrailers(trailers));
    this.#over();
  }

  #gathered(): Buffer {
    const pieces = this.#pieces ?? [];
    this.#pieces = undefined;
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  clientDrained(): void {
    if (this.#paused && this.#started) this.#flow();
  }

  clientGone(): void {
    if (this.#ended) return;
    this.#x.decision ??= refuse('client-gone', 'the client left before the answer was complete');
    this.#over();
  }

  endTunnel(refusal: Refusal, politely: boolean): void {
    const tunnel = this.#tunnel;
    if (tunnel === undefined || this.#ended || (politely && !tunnel.polite)) return;
    this.#tunnel = undefined;
    tunnel.end(refusal);
  }

  // ---- the ways out

  #refuse(refusal: Refusal): void {
    this.#x.decision = refusal;
    if (this.#started) {
      this.#client.abort();
      return;
    }
    const headers = problemHeaders(refusal, this.#x.id);
    this.#plan.decorate?.(this.#x, headers);
    this.#client.respond(refusal.status, headers, problemBody(refusal, this.#x.id));
  }

  #answer(answer: Answer): void {
    const headers = this.#named(answer.headers.slice());
    this.#plan.decorate?.(this.#x, headers);
    this.#client.respond(answer.status, headers, answer.body);
  }

  /** Every answer says under which id the record has it: nothing else helps a user to ask what happened. */
  #named(headers: HeaderList): HeaderList {
    headers.push('x-request-id', this.#x.id);
    return headers;
  }

  #over(): void {
    if (this.#ended) return;
    this.#ended = true;
    const x = this.#x;
    this.#call?.cancel();
    this.#call = undefined;
    this.#pieces = undefined;
    if (x.source !== undefined) x.requestBytes = x.source.received;
    for (const hook of this.#plan.end) {
      try {
        hook(x);
      } catch (fault) {
        this.#owner.broke(x, fault);
      }
    }
    this.#owner.ended(x);
  }
}

/** What the service must answer to a handshake with this key (RFC 6455 section 4.2.2): a 101 to anything else is no WebSocket. */
function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}
