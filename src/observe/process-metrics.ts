import { readdirSync } from 'node:fs';
import type { Histogram } from './histogram.ts';
import type { Metrics } from './metrics.ts';

const START_SECONDS = Math.round(performance.timeOrigin) / 1000;

/** What every Prometheus dashboard expects of a process; summed over workers, except the start. */
export function registerProcess(metrics: Metrics): void {
  const one = (value: () => number) => () => [{ labels: {}, value: value() }];
  metrics.register({
    name: 'process_cpu_seconds_total',
    help: 'User and system CPU time.',
    type: 'counter',
    collect: one(() => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
  });
  metrics.register({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory.',
    type: 'gauge',
    collect: one(() => process.memoryUsage.rss()),
  });
  metrics.register({
    name: 'process_start_time_seconds',
    help: 'Start of the process since the epoch; of the oldest one when there are workers.',
    type: 'gauge',
    merge: 'min',
    collect: one(() => START_SECONDS),
  });
  metrics.register({
    name: 'process_open_fds',
    help: 'Open file descriptors, sockets among them.',
    type: 'gauge',
    collect: openFiles,
  });
  metrics.register({
    name: 'process_heap_bytes',
    help: 'Memory that objects take.',
    type: 'gauge',
    collect: one(() => process.memoryUsage().heapUsed),
  });
  metrics.register({
    name: 'portcullis_external_memory_bytes',
    help: 'Memory of buffers, outside of the heap.',
    type: 'gauge',
    collect: one(() => process.memoryUsage().external),
  });
  metrics.register({ name: 'portcullis_processes', help: 'Processes that serve.', type: 'gauge', collect: one(() => 1) });
  metrics.register({
    name: 'portcullis_event_loop_active_seconds_total',
    help: 'Time that the event loop was busy; a rate near 1 per process means saturation.',
    type: 'counter',
    collect: one(() => performance.eventLoopUtilization().active / 1000),
  });
}

/** Linux tells; elsewhere there is no series. */
function openFiles(): { labels: Record<string, string>; value: number }[] {
  try {
    return [{ labels: {}, value: readdirSync('/proc/self/fd').length }];
  } catch {
    return [];
  }
}

const TICK_MS = 100;

/** Measures how late a timer fires, ten times a second, until what it gives back is called. */
export function watchLoop(delay: Histogram): () => void {
  let due = performance.now() + TICK_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    // Timers count whole milliseconds.
    delay.observe(Math.max(0, now - due - 1));
    due = now + TICK_MS;
  }, TICK_MS).unref();
  return () => clearInterval(timer);
}
