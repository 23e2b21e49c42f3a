import { Gateway } from '../config/swap.ts';
import { type ServeParts, serve } from './serve.ts';

/** Serves in this one process until it is told to stop. Rejects when the gateway cannot start. */
export async function serveAlone(parts: ServeParts): Promise<void> {
  const { options, log, events } = parts;
  const gateway = new Gateway({ log, events });
  process.once('exit', () => gateway.flushLogs());
  let leaving = false;
  await serve(parts, {
    async start() {
      await gateway.start(options);
      return gateway.addresses();
    },
    async reload(next) {
      if (next.workers !== options.workers) log.warn('a change of `workers` takes effect at the next start');
      await gateway.reload(next);
    },
    drain() {
      leaving = true;
      return gateway.drain();
    },
    abandon() {},
    reasons: () => (gateway.ready ? [] : [leaving ? 'draining' : 'starting']),
    metrics: () => [gateway.metrics()],
    status: () => [gateway.status()],
    workers: () => ({ asked: 1, serving: gateway.ready ? 1 : 0 }),
    reopenLogs: () => gateway.reopenLogs(),
  });
}
