import type { GatewayOptions } from '../config/schema.ts';
import { Gateway } from '../config/swap.ts';
import { watchFiles } from '../listen/tls/watch.ts';
import { render } from '../observe/stage.ts';
import type { Log } from '../pipeline/stage.ts';
import { AdminDoor } from './admin-door.ts';
import { surviveDefects } from './defects.ts';
import { readyLine } from './ready-line.ts';
import { Reloader } from './reloader.ts';
import { onSignals } from './signals.ts';

export interface ServeParts {
  /** Path of the configuration, for reloads. */
  readonly file: string;
  readonly options: GatewayOptions;
  readonly log: Log;
  /** Takes the ready line. */
  print(line: string): void;
}

/** Serves in this one process until it is told to stop. Rejects when the gateway cannot start. */
export async function serveAlone(parts: ServeParts): Promise<void> {
  const { file, options, log } = parts;
  const gateway = new Gateway({ log });
  const admin = new AdminDoor({
    health: () => ({ ready: gateway.ready, reasons: gateway.ready ? [] : ['draining'] }),
    metrics: () => render(gateway.metrics()),
    log,
  });
  surviveDefects(log);
  await gateway.start(options);
  await admin.configure(options.admin);
  parts.print(readyLine(options, gateway.addresses(), admin.url));
  const reloader = new Reloader(file, log, options, async (next) => {
    if (next.workers !== options.workers) log.warn('a change of `workers` takes effect at the next start');
    await gateway.reload(next);
    await admin.configure(next.admin);
  });
  const watch = watchFiles([file], () => reloader.fileChanged());
  await new Promise<void>((resolve) => {
    onSignals({ stop: resolve, reload: () => reloader.reload(), reopenLogs: () => gateway.reopenLogs() });
  });
  watch.close();
  await gateway.drain();
  await admin.close();
}
