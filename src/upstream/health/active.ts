import type { Duplex } from 'node:stream';
import type { AnswerSink, Call, CallHandle, UpstreamFault } from '../../exchange/service.ts';
import type { ServiceOptions } from '../options.ts';
import type { Endpoint } from '../target.ts';
import type { Timing } from '../timing.ts';

export type HealthOptions = NonNullable<ServiceOptions['health']>;

/** More of a body than this is not read: the status has said it all. */
const BODY_LIMIT = 64 * 1024;

/** What one check found out; `unknown` when it could not be made (no connection was free). */
type Finding = 'passed' | 'failed' | 'unknown';

/** One request of our own. Tells its finding exactly once. */
class Probe implements AnswerSink {
  readonly #check: ActiveCheck;
  readonly #endpoint: Endpoint;
  readonly #call: Call;
  readonly #stopTimer: () => void;
  #handle: CallHandle | undefined;
  #over = false;
  #retried = false;
  #finding: Finding = 'failed';
  #reason = '';
  #bytes = 0;

  constructor(check: ActiveCheck, endpoint: Endpoint, options: HealthOptions, timing: Timing) {
    this.#check = check;
    this.#endpoint = endpoint;
    this.#call = {
      method: 'GET',
      target: options.path,
      headers: ['host', endpoint.target.authority, 'user-agent', 'portcullis-health', 'accept', '*/*'],
      body: undefined,
      upgrade: false,
      clientAddress: '',
    };
    this.#stopTimer = timing.after(options.timeout, () => this.#end('failed', `no answer within ${options.timeout} ms`, true));
    this.#send(false);
  }

  onHead(status: number): void {
    const passed = this.#check.accepts(status);
    this.#finding = passed ? 'passed' : 'failed';
    this.#reason = passed ? '' : `status ${status}`;
  }

  onData(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > BODY_LIMIT) this.#end(this.#finding, this.#reason, true);
    return true;
  }

  onEnd(): void {
    this.#end(this.#finding, this.#reason, false);
  }

  onFault(fault: UpstreamFault): void {
    if (fault.stale === true && !this.#retried) {
      this.#retried = true;
      this.#send(true);
      return;
    }
    this.#end(fault.code === 'upstream-busy' ? 'unknown' : 'failed', fault.reason, false);
  }

  onUpgrade(_headers: string[], socket: Duplex): void {
    socket.destroy();
    this.#end('failed', 'status 101', false);
  }

  /** The check is no longer wanted. */
  abandon(): void {
    this.#end('unknown', '', true);
  }

  #send(fresh: boolean): void {
    this.#handle = this.#endpoint.client.send(this.#call, this, fresh);
  }

  #end(finding: Finding, reason: string, cancel: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopTimer();
    if (cancel) this.#handle?.cancel();
    this.#check.found(finding, reason);
  }
}

/**
 * Checks one endpoint again and again through its own pool, so that what is checked is what calls use. Tells `changed`
 * when the endpoint goes down or comes up, and once when the first verdict is there.
 */
export class ActiveCheck {
  /** The last thing that failed, for the snapshot. */
  lastReason = '';
  readonly #endpoint: Endpoint;
  readonly #options: HealthOptions;
  readonly #timing: Timing;
  readonly #random: () => number;
  readonly #changed: (reason: string) => void;
  #first: (() => void) | undefined;
  /** Checks in a row that speak against what the endpoint is held for. */
  #against = 0;
  #judged = false;
  #stopped = false;
  #probe: Probe | undefined;
  #stopTimer: (() => void) | undefined;
  /** Resolves with the first verdict, or when the check is stopped. */
  readonly settled: Promise<void>;

  constructor(
    endpoint: Endpoint,
    options: HealthOptions,
    timing: Timing,
    random: () => number,
    changed: (reason: string) => void,
  ) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#timing = timing;
    this.#random = random;
    this.#changed = changed;
    this.settled = new Promise((resolve) => {
      this.#first = resolve;
    });
  }

  start(): void {
    this.#probe = new Probe(this, this.#endpoint, this.#options, this.#timing);
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer?.();
    this.#probe?.abandon();
    this.#first?.();
  }

  accepts(status: number): boolean {
    return this.#options.status.some(([from, to]) => status >= from && status <= to);
  }

  found(finding: Finding, reason: string): void {
    this.#probe = undefined;
    if (this.#stopped) return;
    // A tenth of jitter, so that many gateways do not check in step.
    this.#stopTimer = this.#timing.after(this.#options.every * (0.95 + this.#random() / 10), () => this.start());
    if (finding === 'unknown') return;
    if (finding === 'failed') this.lastReason = reason;
    this.#judge(finding === 'passed', reason);
    this.#first?.();
  }

  #judge(passed: boolean, reason: string): void {
    const needed = !this.#judged ? 1 : passed ? this.#options['healthy-after'] : this.#options['unhealthy-after'];
    this.#judged = true;
    this.#against = passed === this.#endpoint.up ? 0 : this.#against + 1;
    if (this.#against < needed) return;
    this.#against = 0;
    if (passed === this.#endpoint.up) return;
    this.#endpoint.up = passed;
    this.#changed(reason);
  }
}
