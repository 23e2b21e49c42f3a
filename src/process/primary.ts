import { randomBytes, randomUUID } from 'node:crypto';
import type { SharedSecrets } from '../config/swap.ts';
import { makeSelfSigned } from '../listen/tls/self-signed.ts';
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
  let leaving = false;
  await serve(parts, {
    start: async () => (await crew.start(workers)).addresses ?? {},
    async reload(next) {
      if (next.workers !== options.workers) log.warn('a change of `workers` takes effect at the next start');
      await crew.reload(await pins.pin(next));
    },
    drain() {
      leaving = true;
      return crew.leave();
    },
    abandon: () => crew.abandon(),
    reasons() {
      if (leaving) return ['draining'];
      return crew.size > 0 ? [] : ['no worker serves'];
    },
    metrics: () => crew.metrics(),
    status: () => crew.status(),
    workers: () => ({ asked: workers, serving: crew.size }),
    reopenLogs: () => crew.reopenLogs(),
  });
}

/** Made here, also where no listener needs them yet: a later configuration may, and all workers have to have the same. */
async function makeShared(): Promise<SharedSecrets> {
  return { ticketSecret: randomBytes(48), selfSigned: await makeSelfSigned(), instance: randomUUID() };
}
