import { Gateway } from '../config/swap.ts';
import { EventSink } from '../observe/events.ts';
import { createLog } from '../observe/log.ts';
import { surviveDefects } from './defects.ts';
import { SharedMemoryStore } from '../stores/shared-memory-store.ts';
import type { Order, Reply, ToPrimary, ToWorker } from './messages.ts';
import { SecretCare } from './secret-care.ts';

/**
 * The program of one worker process. It does what the primary says and nothing of its own: signals to the whole group reach the
 * primary too, which decides. When the primary is gone, so is the worker.
 */
const secrets = new SecretCare();
const events = new EventSink();
const log = secrets.guard(createLog({ events }));
let gateway: Gateway | undefined;
const limits = new SharedMemoryStore(tell);

surviveDefects(log);
process.once('exit', () => gateway?.flushLogs());
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {});
process.on('disconnect', () => void leave());
process.on('message', (message: ToWorker) => {
  if (message.kind === 'limits') return limits.receive(message);
  const order = message;
  void follow(order).then(
    (reply) => answer({ number: order.number, ...reply }),
    (error: Error) => answer({ number: order.number, error: error.message }),
  );
});

async function follow(order: Order): Promise<Omit<Reply, 'number'>> {
  if (order.kind === 'start' || order.kind === 'reload') secrets.take(order);
  if (order.kind === 'start')
    gateway ??= new Gateway({ log, events, shared: order.shared, severalWorkers: true, primary: limits });
  if (gateway === undefined) throw new Error('not started');
  switch (order.kind) {
    case 'start':
      await gateway.start(order.options);
      return { addresses: gateway.addresses() };
    case 'reload':
      await gateway.reload(order.options);
      return {};
    case 'metrics':
      return { metrics: gateway.metrics() };
    case 'status':
      return { status: gateway.status() };
    case 'reopen-logs':
      gateway.reopenLogs();
      return {};
    case 'drain':
      await gateway.drain();
      return {};
  }
}

function answer(reply: Reply): void {
  tell(reply);
}

/** False when the primary is gone. */
function tell(message: ToPrimary): boolean {
  if (!process.connected) return false;
  process.send?.(message);
  return true;
}

async function leave(): Promise<void> {
  await gateway?.drain();
  process.exit(0);
}
