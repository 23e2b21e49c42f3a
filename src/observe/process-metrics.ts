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
  metrics.register({ name: 'portcullis_processes', help: 'Processes that serve.', type: 'gauge', collect: one(() => 1) });
  metrics.register({
    name: 'portcullis_event_loop_active_seconds_total',
    help: 'Time that the event loop was busy; a rate near 1 per process means saturation.',
    type: 'counter',
    collect: one(() => performance.eventLoopUtilization().active / 1000),
  });
}
