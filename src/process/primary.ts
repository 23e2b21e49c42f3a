import { randomBytes, randomUUID } from 'node:crypto';
import type { SharedSecrets } from '../config/swap.ts';
import { makeSelfSigned } from '../listen/tls/self-signed.ts';
import { hashOptions } from '../config/hash.ts';
import type { GatewayOptions } from '../config/schema.ts';
import { type HouseEvents, type MetricsSnapshot, openEvents } from '../observe/stage.ts';
import type { ProcessStatus } from '../observe/status.ts';
import { MemoryLimitStore } from '../stores/memory-limit-store.ts';
import { SharedMemoryHost } from '../stores/shared-memory-host.ts';
import { Crew } from './crew.ts';
import { PortPins } from './port-pins.ts';
import { type ServeParts, serve } from './serve.ts';

/** Serves with several worker processes on the same addresses until it is told to stop. This process serves nothing but the admin listener. */
export async function serveWithWorkers(parts: ServeParts, workers: number): Promise<void> {
  const { options, log } = parts;
  const pins = new PortPins();
  // For the life of this process: a reload resets no limit, and neither does a worker that dies.
  const limits = new SharedMemoryHost(new MemoryLimitStore());
  const decide: SharedMemoryHost['decide'] = (asked) => limits.decide(asked);
  const crew = new Crew(await pins.pin(options), { shared: await makeShared(), log, decide, hidden: () => parts.secrets.hidden });
  const own = new OwnEvents(parts);
  let leaving = false;
  await serve(parts, {
    start: async () => (await crew.start(workers)).addresses ?? {},
    async reload(next) {
      if (next.workers !== options.workers) log.warn('a change of `workers` takes effect at the next start');
      await crew.reload(await pins.pin(next));
      own.reload(next);
    },
    async drain() {
      leaving = true;
      await crew.leave();
      await own.close();
    },
    abandon: () => crew.abandon(),
    reasons() {
      if (leaving) return ['draining'];
      return crew.size > 0 ? [] : ['no worker serves'];
    },
    metrics: async () => [...(await crew.metrics()), own.snapshot()],
    status: async () => [...(await crew.status()), own.status()],
    workers: () => ({ asked: workers, serving: crew.size }),
    reopenLogs: () => {
      crew.reopenLogs();
      own.reopen();
    },
  });
}

/** Made here, also where no listener needs them yet: a later configuration may, and all workers have to have the same. */
async function makeShared(): Promise<SharedSecrets> {
  return { ticketSecret: randomBytes(48), selfSigned: await makeSelfSigned(), instance: randomUUID() };
}

/** What happens to the gateway as a whole (a reload, the admin listener, workers that die) is told by this process. */
class OwnEvents {
  readonly #parts: ServeParts;
  #key: string;
  #house: HouseEvents;

  constructor(parts: ServeParts) {
    this.#parts = parts;
    this.#key = hashOptions(parts.options.observe);
    this.#house = this.#open(parts.options);
    process.once('exit', () => this.#house.flushSync());
  }

  reload(options: GatewayOptions): void {
    const key = hashOptions(options.observe);
    if (key === this.#key) return;
    this.#key = key;
    const old = this.#house;
    this.#house = this.#open(options);
    void old.close();
  }

  snapshot(): MetricsSnapshot {
    return this.#house.snapshot();
  }

  status(): ProcessStatus {
    return { running: 0, services: [], issuers: [], certificates: [], events: this.#house.events.recent() };
  }

  reopen(): void {
    this.#house.reopen();
  }

  close(): Promise<void> {
    return this.#house.close();
  }

  #open(options: GatewayOptions): HouseEvents {
    const house = openEvents(options.observe, this.#parts.log);
    this.#parts.events.target = house.events;
    return house;
  }
}
