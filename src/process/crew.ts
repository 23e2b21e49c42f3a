import cluster, { type Worker } from 'node:cluster';
import path from 'node:path';
import type { Hidden } from '../config/redact.ts';
import type { GatewayOptions } from '../config/schema.ts';
import type { SharedSecrets } from '../config/swap.ts';
import { countersOf, type MetricsSnapshot, mergeSnapshots } from '../observe/stage.ts';
import type { ProcessStatus } from '../observe/status.ts';
import type { Log } from '../pipeline/stage.ts';
import type { LimitsAsked, LimitsDecided } from '../stores/shared-memory-messages.ts';
import { closeLostConnections } from './handoffs.ts';
import type { Order, Reply, ToPrimary } from './messages.ts';

/** A worker that does not answer within this time counts as failed. */
const ANSWER_MS = 40_000;

/** Who asks for metrics does not wait that long for one that is busy: its last counts have to do. */
const METRICS_MS = 2000;

/** A drained worker that does not end by itself within this time is ended. */
const LAST_MS = 2000;

/** A worker that dies is replaced at once; one that keeps dying, after a pause that doubles up to this. */
const LONGEST_PAUSE_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const SOON_MS = 2000;

const DIED = 'the worker died';
const SILENT = 'the worker does not answer';

type Unnumbered<T> = T extends unknown ? Omit<T, 'number'> : never;

export interface CrewParts {
  readonly shared: SharedSecrets;
  readonly log: Log;
  /** Secrets that the log of no worker may show. */
  readonly hidden?: () => readonly Hidden[];
  /** Decides about limits for all workers. */
  decide(asked: LimitsAsked): LimitsDecided;
  /** Makes a worker process; tests make something else. */
  readonly fork?: () => Worker;
}

/**
 * The worker processes of a gateway: starts them, replaces those that die, and carries orders to them. Whatever happens, in the end all
 * of them serve the configuration that was taken over last.
 */
export class Crew {
  readonly #log: Log;
  readonly #hidden: () => readonly Hidden[];
  readonly #shared: SharedSecrets;
  readonly #fork: () => Worker;
  readonly #decide: CrewParts['decide'];
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  /** Every process that there is, and those of them that serve, with what they serve. */
  readonly #processes = new Set<Worker>();
  readonly #members = new Map<Worker, GatewayOptions>();
  readonly #dismissed = new Map<Worker, Promise<void>>();
  /** What is left of the pauses before replacements. With all workers dead, nothing else keeps this process. */
  readonly #replacements = new Set<NodeJS.Timeout>();
  readonly #counts = new Map<Worker, MetricsSnapshot>();
  #past: MetricsSnapshot[] = [];
  #options: GatewayOptions;
  #number = 0;
  #pause = 0;
  #left: Promise<void> | undefined;

  constructor(options: GatewayOptions, parts: CrewParts) {
    this.#options = options;
    this.#log = parts.log;
    this.#hidden = parts.hidden ?? (() => []);
    this.#shared = parts.shared;
    this.#fork = parts.fork ?? forkWorker;
    this.#decide = parts.decide;
  }

  /** Workers that serve now. */
  get size(): number {
    return this.#members.size;
  }

  /** Starts `count` workers; rejects, with none left, when one of them cannot start. */
  async start(count: number): Promise<Reply> {
    const replies = await Promise.all(Array.from({ length: count }, () => this.#hire()));
    const failed = replies.find((reply) => reply.error !== undefined);
    if (failed === undefined) return replies[0];
    await this.leave();
    throw new Error(failed.error);
  }

  /**
   * One worker tries the new configuration first: what fails there has changed nothing anywhere else, and rejects. From then on it holds
   * for all; a worker that cannot take it over is replaced by one that begins with it.
   */
  async reload(options: GatewayOptions): Promise<void> {
    const [first] = this.#members.keys();
    if (this.#left !== undefined) throw new Error('the gateway is leaving');
    if (first === undefined) throw new Error('no worker serves at the moment');
    const error = await this.#update(first, options);
    if (error !== undefined) {
      // Nobody knows what it serves.
      if (error === SILENT) this.#replaceMember(first);
      throw new Error(error);
    }
    this.#options = options;
    for (let next = this.#behind(); next !== undefined; next = this.#behind()) {
      const problem = await this.#update(next, options);
      if (problem !== undefined && this.#members.has(next)) {
        this.#log.error('a worker cannot take the configuration over and is replaced', { reason: problem });
        this.#replaceMember(next);
      }
    }
  }

  reopenLogs(): void {
    for (const worker of this.#members.keys()) void this.#order(worker, { kind: 'reopen-logs' });
  }

  /** What all workers counted, those that died meanwhile included: up to their last count, a counter never falls. */
  async metrics(): Promise<MetricsSnapshot[]> {
    await Promise.all([...this.#members.keys()].map((worker) => this.#count(worker)));
    return [...this.#past, ...this.#counts.values()];
  }

  /** How the workers are that answer in time. */
  async status(): Promise<ProcessStatus[]> {
    const replies = await Promise.all(
      [...this.#members.keys()].map((worker) => this.#order(worker, { kind: 'status' }, METRICS_MS)),
    );
    return replies.flatMap(({ status }) => (status === undefined ? [] : [status]));
  }

  /** Lets every worker end its requests, then all are gone; one that does not serve yet goes at once. */
  leave(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  /** Ends every worker at once, whatever it does. */
  abandon(): void {
    for (const worker of this.#processes) worker.process.kill('SIGKILL');
  }

  async #leave(): Promise<void> {
    for (const timer of this.#replacements) clearTimeout(timer);
    await Promise.all([...this.#processes].map((worker) => this.#dismiss(worker)));
  }

  async #count(worker: Worker): Promise<void> {
    const { metrics } = await this.#order(worker, { kind: 'metrics' }, METRICS_MS);
    if (metrics !== undefined && this.#members.has(worker)) this.#counts.set(worker, metrics);
  }

  /** A member that serves something else than the last configuration. */
  #behind(): Worker | undefined {
    for (const [worker, options] of this.#members) if (options !== this.#options && this.#left === undefined) return worker;
    return undefined;
  }

  /** Has a member take a configuration over; what comes back is the reason why it could not. */
  async #update(worker: Worker, options: GatewayOptions): Promise<string | undefined> {
    const { error } = await this.#order(worker, { kind: 'reload', options, hidden: this.#hidden() });
    if (error === undefined && this.#members.has(worker)) this.#members.set(worker, options);
    return error;
  }

  /** Another one takes its place at once; this one ends its requests and goes. */
  #replaceMember(worker: Worker): void {
    void this.#dismiss(worker);
    this.#forget(worker);
    void this.#replace();
  }

  #dismiss(worker: Worker): Promise<void> {
    const going = this.#dismissed.get(worker) ?? this.#end(worker);
    this.#dismissed.set(worker, going);
    return going;
  }

  async #end(worker: Worker): Promise<void> {
    if (worker.isDead()) return;
    const gone = new Promise<void>((resolve) => {
      worker.once('exit', () => resolve());
    });
    if (this.#members.has(worker)) await this.#order(worker, { kind: 'drain' });
    else worker.process.kill('SIGKILL');
    if (worker.isConnected()) worker.disconnect();
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), LAST_MS);
    await gone;
    clearTimeout(timer);
  }

  async #hire(): Promise<Reply> {
    const worker = this.#fork();
    const born = performance.now();
    this.#processes.add(worker);
    worker.on('message', (message: ToPrimary) => this.#hear(worker, message));
    worker.on('error', (error) => this.#log.error('a worker cannot be reached', { error: error.message }));
    worker.on('exit', (code, signal) => this.#lost(worker, born, code, signal));
    const reply = await this.#begin(worker);
    if (reply.error !== undefined) worker.process.kill('SIGKILL');
    return reply;
  }

  #hear(worker: Worker, message: ToPrimary): void {
    if (!('kind' in message)) return this.#waiting.get(message.number)?.(message);
    const decided = this.#decide(message);
    if (worker.isConnected()) worker.send(decided);
  }

  /** A member from the moment at which it serves what all others serve. */
  async #begin(worker: Worker): Promise<Reply> {
    let options = this.#options;
    let reply = await this.#order(worker, { kind: 'start', options, hidden: this.#hidden(), shared: this.#shared });
    // There was a reload meanwhile.
    while (reply.error === undefined && options !== this.#options) {
      options = this.#options;
      reply = await this.#order(worker, { kind: 'reload', options, hidden: this.#hidden() });
    }
    if (reply.error !== undefined) return reply;
    if (worker.isDead()) return { ...reply, error: DIED };
    this.#members.set(worker, options);
    return reply;
  }

  #lost(worker: Worker, born: number, code: number | null, signal: string | null): void {
    this.#processes.delete(worker);
    this.#dismissed.delete(worker);
    const served = this.#forget(worker);
    if (this.#left !== undefined || !served) return;
    this.#pause = performance.now() - born < SOON_MS ? this.#nextPause() : 0;
    this.#log.error('a worker died and is replaced', {
      event: 'worker-died',
      pid: worker.process.pid,
      code,
      signal,
      pause_ms: this.#pause,
    });
    this.#replaceLater();
  }

  /** True when it was a member. What it has counted stays counted. */
  #forget(worker: Worker): boolean {
    const counts = this.#counts.get(worker);
    this.#counts.delete(worker);
    if (counts !== undefined) this.#past = [mergeSnapshots([...this.#past, countersOf(counts)])];
    return this.#members.delete(worker);
  }

  async #replace(): Promise<void> {
    if (this.#left !== undefined) return;
    const reply = await this.#hire();
    if (reply.error === undefined || this.#left !== undefined) return;
    this.#pause = this.#nextPause();
    this.#log.error('a worker cannot be replaced', { reason: reply.error, pause_ms: this.#pause });
    this.#replaceLater();
  }

  #replaceLater(): void {
    const timer = setTimeout(() => {
      this.#replacements.delete(timer);
      void this.#replace();
    }, this.#pause);
    this.#replacements.add(timer);
  }

  #nextPause(): number {
    return Math.min(LONGEST_PAUSE_MS, (this.#pause || FIRST_PAUSE_MS) * 2);
  }

  #order(worker: Worker, order: Unnumbered<Order>, ms = ANSWER_MS): Promise<Reply> {
    const number = ++this.#number;
    return new Promise((resolve) => {
      const done = (reply: Reply) => {
        clearTimeout(timer);
        this.#waiting.delete(number);
        worker.removeListener('exit', died);
        resolve(reply);
      };
      const died = () => done({ number, error: DIED });
      const timer = setTimeout(() => done({ number, error: SILENT }), ms);
      this.#waiting.set(number, done);
      worker.once('exit', died);
      if (worker.isConnected()) worker.send({ ...order, number });
      else died();
    });
  }
}

function forkWorker(): Worker {
  const exec = path.join(import.meta.dirname, `worker${path.extname(import.meta.filename)}`);
  cluster.setupPrimary({ exec, serialization: 'advanced', args: [] });
  const worker = cluster.fork();
  closeLostConnections(worker);
  return worker;
}
