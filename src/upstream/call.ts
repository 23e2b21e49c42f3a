import type { Duplex } from 'node:stream';
import type { BodySource } from '../exchange/body-source.ts';
import type { Refusal } from '../exchange/decision.ts';
import type { HeaderList } from '../exchange/headers.ts';
import type { AnswerSink, Call, CallHandle, UpstreamFault, UpstreamTrace } from '../exchange/service.ts';
import type { Linked } from './call-list.ts';
import { isGatewayError } from './health/passive.ts';
import { RequestBody } from './request-body.ts';
import { isIdempotent } from './retry.ts';
import type { UpstreamService } from './service.ts';
import type { Endpoint } from './target.ts';

/** `between`: nothing is sent at the moment (before the first try, or in the pause before a retry). */
type Phase = 'queued' | 'between' | 'head' | 'body' | 'over';

/** What went wrong with a try, in the words of `retries.on`. */
export type Trouble = 'connect' | 'closed' | 'timeout' | '502' | '503' | '504' | 'other';

/** Faults that speak against the endpoint; others are ours or the client's, and nobody may be taken out for them. */
function isFailure(fault: UpstreamFault): boolean {
  return fault.code === 'upstream-connect' || fault.code === 'upstream-closed' || fault.code === 'upstream-malformed';
}

function troubleOf(fault: UpstreamFault): Trouble {
  if (fault.code === 'upstream-connect' || fault.code === 'upstream-busy') return 'connect';
  if (fault.code === 'upstream-closed') return 'closed';
  return 'other';
}

/**
 * One call on its way: all its tries, from the queue to the last byte of the answer. It stands between the wire client
 * and the caller, and on the happy path does nothing but pass on and count.
 */
export class RunningCall implements AnswerSink, CallHandle, Linked<RunningCall> {
  before: RunningCall | undefined = undefined;
  after: RunningCall | undefined = undefined;
  phase: Phase = 'between';
  /** The one call that a half-open breaker let through. */
  trial = false;
  /** Tries that have failed; the free one after a stale connection is not among them. */
  tries = 0;
  /** Endpoints that failed this call; made at the first failure. */
  tried: Endpoint[] | undefined = undefined;
  readonly #service: UpstreamService;
  readonly #call: Call;
  readonly #body: RequestBody | undefined;
  readonly #answer: AnswerSink;
  readonly #trace: UpstreamTrace;
  readonly began: number;
  /** When the first try, and when this one was sent. */
  #sent = 0;
  #tryBegan = 0;
  /** Since when the service is silent, as far as the sweep has seen. */
  #silentSince: number;
  /** False when the service was heard since the last sweep. */
  #quiet = true;
  #held = false;
  #staleRetried = false;
  #endpoint: Endpoint | undefined = undefined;
  #handle: CallHandle | undefined = undefined;
  #stopPause: (() => void) | undefined = undefined;

  constructor(service: UpstreamService, call: Call, answer: AnswerSink, trace: UpstreamTrace, now: number) {
    this.#service = service;
    this.#answer = answer;
    this.#trace = trace;
    this.began = now;
    this.#silentSince = now;
    if (call.body === undefined || Buffer.isBuffer(call.body)) {
      this.#body = undefined;
      this.#call = call;
    } else {
      this.#body = this.#guard(call.body);
      this.#call = { ...call, body: this.#body };
    }
  }

  /** Sends a try. `now` is when this was decided: no clock is read on the happy path but at its two ends. */
  send(endpoint: Endpoint, fresh: boolean, now: number): void {
    if (this.#sent === 0) this.#sent = now;
    this.#tryBegan = now;
    this.phase = 'head';
    this.#endpoint = endpoint;
    endpoint.active++;
    endpoint.requests++;
    this.#trace.target = endpoint.label;
    this.#trace.tries++;
    this.#handle = endpoint.client.send(this.#service.adapt(this.#call, endpoint), this, fresh);
  }

  onHead(status: number, headers: HeaderList, length: number | undefined): void {
    const now = this.#service.now();
    const endpoint = this.#endpoint as Endpoint;
    if (isGatewayError(status)) {
      this.#service.failed(endpoint, now, this.trial);
      if (this.#retryStatus(status, now)) return;
    } else {
      this.#service.passed(endpoint, now, this.trial);
    }
    this.trial = false;
    this.phase = 'body';
    this.#quiet = false;
    this.#trace.status = status;
    this.#trace.ms = now - this.#sent;
    this.#answer.onHead(status, headers, length);
  }

  onData(chunk: Buffer): boolean {
    this.#quiet = false;
    const more = this.#answer.onData(chunk);
    this.#held = !more;
    return more;
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#finish();
    this.#answer.onEnd(trailers);
  }

  onFault(fault: UpstreamFault): void {
    const now = this.#service.now();
    const endpoint = this.#leaveEndpoint();
    if (this.phase === 'head' && fault.stale === true && this.#retryStale(endpoint, now)) return;
    if (isFailure(fault)) this.#service.failed(endpoint, now, this.trial);
    else if (this.trial) this.#service.abandoned();
    this.trial = false;
    if (this.phase === 'head' && this.#retry(endpoint, troubleOf(fault), fault.untouched, now)) return;
    this.fail(fault);
  }

  /** The connection lives on as something else. It keeps its place among the connections until it closes. */
  onUpgrade(headers: HeaderList, socket: Duplex, rest: Buffer): void {
    const now = this.#service.now();
    const endpoint = this.#endpoint as Endpoint;
    this.#service.passed(endpoint, now, this.trial);
    this.trial = false;
    this.#trace.status = 101;
    this.#trace.ms = now - this.#sent;
    this.phase = 'over';
    this.#service.unwatch(this);
    socket.once('close', () => {
      endpoint.active--;
      this.#service.release();
    });
    this.#answer.onUpgrade(headers, socket, rest);
  }

  resume(): void {
    this.#held = false;
    // The pause was the client's: the service's silence begins now.
    this.#quiet = false;
    this.#handle?.resume();
  }

  cancel(): void {
    if (this.phase === 'over') return;
    if (this.phase === 'head' || this.phase === 'body') this.#handle?.cancel();
    this.#finish();
  }

  /** Ends the call with a fault that its caller is told. */
  fail(fault: UpstreamFault): void {
    if (this.phase === 'over') return;
    this.#finish();
    this.#answer.onFault(fault);
  }

  /** `fail` from within `UpstreamService.call`, whose caller must have its handle first. */
  failSoon(fault: UpstreamFault): void {
    const { phase } = this;
    // A place may come free before the microtask runs: a call that was sent after all is none of its business.
    queueMicrotask(() => {
      if (this.phase === phase) this.fail(fault);
    });
  }

  /** Looks at the clock for this call. The sweep asks ten times a second. */
  check(now: number): void {
    if (this.phase === 'over') return;
    const { options } = this.#service;
    const total = options['total-time'];
    if (total !== undefined && now - this.began >= total) return this.#timeOut(`not over within ${total} ms`, now);
    if (this.#excused()) {
      this.#silentSince = now;
      return;
    }
    if (now - this.#silentSince >= options.timeout) {
      const where = this.phase === 'body' ? 'silent in the body for' : 'no answer within';
      return this.#timeOut(`${where} ${options.timeout} ms`, now);
    }
    const tryTime = options.retries['try-time'];
    if (tryTime !== undefined && this.phase === 'head' && now - this.#tryBegan >= tryTime) this.#giveUpTry(now);
  }

  /** True when the time since the last look is not to be blamed on the service. */
  #excused(): boolean {
    if (this.phase === 'head') {
      if (this.#body === undefined) return false;
      const moved = this.#body.moved;
      this.#body.moved = false;
      return moved || this.#body.waitsForClient;
    }
    if (this.phase !== 'body') return false;
    const heard = !this.#quiet;
    this.#quiet = true;
    return heard || this.#held;
  }

  #timeOut(reason: string, now: number): void {
    if (this.phase === 'head' || this.phase === 'body') {
      this.#handle?.cancel();
      this.#service.failed(this.#leaveEndpoint(), now, this.trial);
      this.trial = false;
    }
    this.fail({ code: 'upstream-timeout', reason, untouched: false });
  }

  /** One try took too long, the call may still have time for another. Without a second try it waits on. */
  #giveUpTry(now: number): void {
    // Asked once for each try, not at each look.
    this.#tryBegan = Number.POSITIVE_INFINITY;
    if (this.trial || !this.#mayRetry('timeout', false) || !this.#service.budget.take(now)) return;
    this.#handle?.cancel();
    const endpoint = this.#leaveEndpoint();
    this.#service.failed(endpoint, now, false);
    this.#tryElsewhere(endpoint, now);
  }

  #retryStatus(status: number, now: number): boolean {
    if (!this.#mayRetry(String(status) as Trouble, false) || !this.#service.budget.take(now)) return false;
    this.#handle?.cancel();
    this.trial = false;
    this.#tryElsewhere(this.#leaveEndpoint(), now);
    return true;
  }

  /** A kept connection that was closed under us is nobody's failure: one free try on a new one. */
  #retryStale(endpoint: Endpoint, now: number): boolean {
    if (this.#staleRetried || !this.#repeatable(false)) return false;
    this.#staleRetried = true;
    this.send(endpoint, true, now);
    return true;
  }

  #retry(endpoint: Endpoint, trouble: Trouble, untouched: boolean, now: number): boolean {
    if (!this.#mayRetry(trouble, untouched) || !this.#service.budget.take(now)) return false;
    this.#tryElsewhere(endpoint, now);
    return true;
  }

  #mayRetry(trouble: Trouble, untouched: boolean): boolean {
    return this.#service.retriesOn(trouble, this.tries) && this.#repeatable(untouched);
  }

  /** What a service may have acted upon is only repeated where repeating changes nothing. */
  #repeatable(untouched: boolean): boolean {
    if (this.#body?.started === true) return false;
    return untouched || (isIdempotent(this.#call.method) && !this.#call.upgrade);
  }

  #tryElsewhere(failed: Endpoint, now: number): void {
    this.tried ??= [];
    this.tried.push(failed);
    this.tries++;
    this.phase = 'between';
    this.#stopPause = this.#service.again(this, now);
  }

  /** The client's body broke: the caller hears of it in the words of the reader, and the service is not to blame. */
  #guard(source: BodySource): RequestBody {
    return new RequestBody(source, (refusal) => {
      // A kept connection starts the body within `send`: then there is nothing to cancel yet.
      if (this.#handle === undefined) queueMicrotask(() => this.#breakOff(refusal));
      else this.#breakOff(refusal);
    });
  }

  #breakOff(refusal: Refusal): void {
    if (this.phase === 'over') return;
    this.#handle?.cancel();
    this.fail({ code: refusal.code, reason: refusal.reason, untouched: false });
  }

  #leaveEndpoint(): Endpoint {
    const endpoint = this.#endpoint as Endpoint;
    endpoint.active--;
    this.#endpoint = undefined;
    this.#handle = undefined;
    return endpoint;
  }

  #finish(): void {
    const queued = this.phase === 'queued';
    this.phase = 'over';
    this.#stopPause?.();
    if (this.#endpoint !== undefined) this.#leaveEndpoint();
    if (this.trial) this.#service.abandoned();
    this.trial = false;
    this.#service.left(this, queued);
  }
}
