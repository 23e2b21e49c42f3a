import { loadWatched } from './load-watched.ts';
import type { LoadOrder, LoadReply } from './load-apart.ts';

/** The program of the process that reads a configuration: one order, one answer, and it ends; also when who ordered is gone. */
let loading = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const) process.on(signal, () => {});
process.once('disconnect', () => {
  // `exit` would wait for a read that may never end: of a pipe, of a file system that does not answer.
  if (loading) process.kill(process.pid, 'SIGKILL');
});
process.once('message', (order: LoadOrder) => {
  loading = true;
  void loadWatched(order.file, order.environment).then((loaded) => {
    loading = false;
    tell({ kind: 'loaded', loaded }, () => process.disconnect());
  });
});
tell({ kind: 'ready' });

function tell(reply: LoadReply, then: () => void = () => {}): void {
  if (process.connected) process.send?.(reply, then);
}
