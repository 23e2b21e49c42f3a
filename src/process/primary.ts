import { randomBytes } from 'node:crypto';
import type { GatewayOptions } from '../config/schema.ts';
import { makeSelfSigned } from '../listen/tls/self-signed.ts';
import { watchFiles } from '../listen/tls/watch.ts';
import { mergeSnapshots, render } from '../observe/stage.ts';
import { AdminDoor } from './admin-door.ts';
import { Crew } from './crew.ts';
import { readyLine } from './ready-line.ts';
import { Reloader } from './reloader.ts';
import { onSignals } from './signals.ts';
import type { ServeParts } from './single.ts';

/** Serves with several worker processes on the same addresses until it is told to stop. This process serves nothing but the admin listener. */
export async function serveWithWorkers(parts: ServeParts, workers: number): Promise<void> {
  const { file, options, log } = parts;
  const crew = new Crew(options, await sharedSecrets(options), log);
  let leaving = false;
  const admin = new AdminDoor({
    health: () => ({ ready: !leaving && crew.size > 0, reasons: reasons(leaving, crew.size) }),
    metrics: async () => render(mergeSnapshots(await crew.metrics())),
    log,
  });
  const { addresses } = await crew.start(workers);
  await admin.configure(options.admin);
  parts.print(readyLine(options, addresses ?? {}, admin.url));
  const reloader = new Reloader(file, log, options, async (next) => {
    if (next.workers !== options.workers) log.warn('a change of `workers` takes effect at the next start');
    await crew.reload(next);
    await admin.configure(next.admin);
  });
  const watch = watchFiles([file], () => reloader.fileChanged());
  await new Promise<void>((resolve) => {
    onSignals({ stop: resolve, reload: () => reloader.reload(), reopenLogs: () => crew.reopenLogs() });
  });
  leaving = true;
  watch.close();
  await crew.leave();
  await admin.close();
}

function reasons(leaving: boolean, size: number): string[] {
  if (leaving) return ['draining'];
  return size > 0 ? [] : ['no worker serves'];
}

async function sharedSecrets(options: GatewayOptions) {
  const selfSigned = Object.values(options.listeners).some((listener) => listener.tls === 'self-signed');
  return { ticketSecret: randomBytes(48), selfSigned: selfSigned ? await makeSelfSigned() : undefined };
}
