import cluster, { type Worker } from 'node:cluster';
import path from 'node:path';
import type { GatewayOptions } from '../config/schema.ts';
import type { SharedSecrets } from '../config/swap.ts';
import { countersOf, type MetricsSnapshot, mergeSnapshots } from '../observe/stage.ts';
import type { Log } from '../pipeline/stage.ts';
import type { Order, Reply } from './messages.ts';

/** A worker that does not answer within this time counts as failed. */
const ANSWER_MS = 40_000;

/** A drained worker that does not end by itself within this time is ended. */
const LAST_MS = 2000;

/** A worker that dies is replaced at once; one that keeps dying, after a pause that doubles up to this. */
const LONGEST_PAUSE_MS = 10_000;
const SOON_MS = 2000;

type Unnumbered<T> = T extends unknown ? Omit<T, 'number'> : never;

/** The worker processes of a gateway: starts them, replaces those that die, and carries orders to them. */
export class Crew {
  readonly #log: Log;
  readonly #shared: SharedSecrets;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  /** Every process that there is, and those of them that serve. */
  readonly #processes = new Set<Worker>();
  readonly #members = new Set<Worker>();
  readonly #counts = new Map<Worker, MetricsSnapshot>();
  #past: MetricsSnapshot[] = [];
  #options: GatewayOptions;
  #number = 0;
  #pause = 0;
  #leaving = false;

  constructor(options: GatewayOptions, shared: SharedSecrets, log: Log) {
    this.#options = options;
    this.#shared = shared;
    this.#log = log;
    cluster.setupPrimary({ exec: path.join(import.meta.dirname, `worker${path.extname(import.meta.filename)}`), serialization: 'advanced', args: [] });
  }

  /** Workers that serve now. */
  get size(): number {
    return this.#members.size;
  }

  /** Starts `count` workers; rejects when one of them cannot start. */
  async start(count: number): Promise<Reply> {
    const replies = await Promise.all(Array.from({ length: count }, () => this.#hire()));
    const failed = replies.find((reply) => reply.error !== undefined);
    if (failed === undefined) return replies[0];
    await this.leave();
    throw new Error(failed.error);
  }

  /** One worker tries the new configuration first: what fails there has changed nothing anywhere else. */
  async reload(options: GatewayOptions): Promise<void> {
    for (const worker of [...this.#members]) {
      const reply = await this.#order(worker, { kind: 'reload', options });
      if (reply.error !== undefined) throw new Error(reply.error);
      this.#options = options;
    }
  }

  reopenLogs(): void {
    for (const worker of this.#members) void this.#order(worker, { kind: 'reopen-logs' });
  }

  /** What all workers counted, those that died meanwhile included: up to their last count, a counter never falls. */
  async metrics(): Promise<MetricsSnapshot[]> {
    await Promise.all([...this.#members].map((worker) => this.#count(worker)));
    return [...this.#past, ...this.#counts.values()];
  }

  async #count(worker: Worker): Promise<void> {
    const { metrics } = await this.#order(worker, { kind: 'metrics' });
    if (metrics !== undefined && this.#members.has(worker)) this.#counts.set(worker, metrics);
  }

  /** Lets every worker end its requests, then all are gone; one that does not serve yet goes at once. */
  async leave(): Promise<void> {
    this.#leaving = true;
    await Promise.all([...this.#processes].map((worker) => this.#dismiss(worker)));
  }

  async #dismiss(worker: Worker): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      worker.once('exit', () => resolve());
    });
    if (worker.isDead()) return;
    if (this.#members.has(worker)) await this.#order(worker, { kind: 'drain' });
    else worker.process.kill('SIGKILL');
    if (worker.isConnected()) worker.disconnect();
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), LAST_MS);
    await gone;
    clearTimeout(timer);
  }

  async #hire(): Promise<Reply> {
    const worker = cluster.fork();
    const born = performance.now();
    this.#processes.add(worker);
    worker.on('message', (reply: Reply) => this.#waiting.get(reply.number)?.(reply));
    worker.on('error', (error) => this.#log.error('a worker cannot be reached', { error: error.message }));
    worker.on('exit', (code, signal) => this.#lost(worker, born, code, signal));
    const reply = await this.#order(worker, { kind: 'start', options: this.#options, shared: this.#shared });
    if (reply.error === undefined && !worker.isDead()) this.#members.add(worker);
    else worker.process.kill('SIGKILL');
    return reply;
  }

  #lost(worker: Worker, born: number, code: number | null, signal: string | null): void {
    this.#processes.delete(worker);
    const served = this.#members.delete(worker);
    const counts = this.#counts.get(worker);
    this.#counts.delete(worker);
    if (counts !== undefined) this.#past = [mergeSnapshots([...this.#past, countersOf(counts)])];
    if (this.#leaving || !served) return;
    this.#pause = performance.now() - born < SOON_MS ? Math.min(LONGEST_PAUSE_MS, (this.#pause || 100) * 2) : 0;
    this.#log.error('a worker died and is replaced', { pid: worker.process.pid, code, signal, pause_ms: this.#pause });
    setTimeout(() => void this.#replace(), this.#pause);
  }

  async #replace(): Promise<void> {
    if (this.#leaving) return;
    const reply = await this.#hire();
    if (reply.error === undefined || this.#leaving) return;
    this.#pause = Math.min(LONGEST_PAUSE_MS, (this.#pause || 100) * 2);
    this.#log.error('a worker cannot be replaced', { reason: reply.error, pause_ms: this.#pause });
    setTimeout(() => void this.#replace(), this.#pause);
  }

  #order(worker: Worker, order: Unnumbered<Order>): Promise<Reply> {
    const number = ++this.#number;
    return new Promise((resolve) => {
      const done = (reply: Reply) => {
        clearTimeout(timer);
        this.#waiting.delete(number);
        worker.removeListener('exit', died);
        resolve(reply);
      };
      const died = () => done({ number, error: 'the worker died' });
      const timer = setTimeout(() => done({ number, error: 'the worker does not answer' }), ANSWER_MS);
      this.#waiting.set(number, done);
      worker.once('exit', died);
      if (worker.isConnected()) worker.send({ ...order, number });
      else died();
    });
  }
}
