import { availableParallelism } from 'node:os';
import path from 'node:path';
import { loadApart } from '../config/load-apart.ts';
import { EventSink } from '../observe/events.ts';
import { createLog } from '../observe/log.ts';
import { SecretCare } from '../process/secret-care.ts';
import { reportProblems } from './report-problems.ts';
import { EXIT, type Output } from './output.ts';

/** `portcullis start`: serves until SIGTERM. Exit code 0 after a drain, 1 when it could not start. */
export async function start(options: { config: string }, output: Output): Promise<number> {
  const file = path.resolve(options.config);
  const secrets = new SecretCare();
  const loading = loadApart(file, secrets.environment);
  // The larger part of the program comes in while the file is read.
  const [result] = await Promise.all([loading, import('../process/single.ts')]);
  secrets.take(result.secrets);
  if (!result.ok) return reportProblems(result, output);
  const events = new EventSink();
  const parts = {
    file,
    options: result.options,
    log: secrets.guard(createLog({ events })),
    events,
    secrets,
    files: result.secrets.files,
    read: result.read,
    contracts: result.contracts,
    print: (line: string) => output.out.write(`${line}\n`),
  };
  const { workers } = result.options;
  const count = workers === 'auto' ? availableParallelism() : workers;
  try {
    if (count === 1) await (await import('../process/single.ts')).serveAlone(parts);
    else await (await import('../process/primary.ts')).serveWithWorkers(parts, count);
    return EXIT.ok;
  } catch (error) {
    output.err.write(`portcullis: ${secrets.redact((error as Error).message)}\n`);
    return EXIT.problems;
  }
}
